package across

import (
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
)

// search looks for one example in the account that satisfies a rule. What it
// cannot read may have been the example; what it reads and finds wanting says
// why there is none.
type search struct {
	e       *check.Evidence
	gaps    []fact.Gap
	reason  string
	reached int
	seen    map[any]bool
}

func newSearch(e *check.Evidence, reason string) *search {
	return &search{e: e, reason: reason, seen: map[any]bool{}}
}

// first reports whether a way is new. Many may lead to one log group, or to one
// metric, and what comes of it is the same each time.
func (s *search) first(way any) bool {
	known := s.seen[way]
	s.seen[way] = true
	return !known
}

// miss notes what an example lacks. The one that came furthest gives the reason.
func (s *search) miss(reached int, reason string) {
	if reached > s.reached {
		s.reached, s.reason = reached, reason
	}
}

func (s *search) gap(gaps ...fact.Gap) {
	for _, g := range gaps {
		// A verdict holds no more of them.
		if len(s.gaps) < check.MaxGaps && !slices.Contains(s.gaps, g) {
			s.gaps = append(s.gaps, g)
		}
	}
}

// unseen is a gap about something outside of what the audit reads.
func (s *search) unseen(operation, region, detail string) {
	s.gap(fact.Gap{Reason: fact.NotCollected, Operation: operation, Region: region, Detail: detail})
}

// failed is the verdict when there is no example.
func (s *search) failed() check.Verdict {
	if len(s.gaps) > 0 {
		return check.Unassessed(s.gaps...)
	}
	return check.Failed(s.reason)
}

// look reads a fact that the search may do without.
func look[T any](s *search, f fact.Of[T]) (T, bool) {
	value, ok := check.Try(s.e, f)
	if !ok {
		s.gap(*f.Gap())
	}
	return value, ok
}

// in lists the resources that an index has under a key in one region; only that
// region's gaps count.
func in[R check.Resource](s *search, index *check.Index[R], region, key string) []R {
	found, gaps := index.SomeIn(s.e, region, key)
	s.gap(gaps...)
	return found
}

// trails are the trails of all regions that are logging. Each is seen from every
// region, so that one region's view is enough to know them all, even where an
// organization forbids most regions.
func (s *search) trails() []cloudtrail.Trail {
	sightings, known := s.sightings()
	if !known {
		_, gaps := check.Some[cloudtrail.RegionTrails](s.e)
		s.gap(gaps...)
		if len(s.gaps) == 0 {
			s.unseen("cloudtrail:DescribeTrails", "", "no region was read")
		}
	}
	var found []cloudtrail.Trail
	for _, arn := range slices.Sorted(maps.Keys(sightings)) {
		home := sightings[arn]
		read, gaps := trailsByARN.SomeIn(s.e, home, arn)
		if len(read) == 0 {
			s.gap(gaps...)
			s.unseen("cloudtrail:DescribeTrails", home, "trail "+arn+" is at home in "+home+", which was not read")
			continue
		}
		if status, ok := look(s, read[0].Status); ok && status.Logging {
			found = append(found, read[0])
		} else if ok {
			s.miss(1, "trail "+read[0].Name+" is switched off")
		}
	}
	return found
}

var trailsByARN = check.NewIndex(check.ARN[cloudtrail.Trail])

// sightings are the home regions of the trails of all regions, by ARN; known is
// false if no region's view of them could be read.
func (s *search) sightings() (homes map[string]string, known bool) {
	homes = map[string]string{}
	regions, _ := check.Some[cloudtrail.RegionTrails](s.e)
	var missing []fact.Gap
	for _, region := range regions {
		trails, ok := check.Try(s.e, region.Trails)
		if !ok {
			missing = append(missing, *region.Trails.Gap())
			continue
		}
		known = true
		for _, t := range trails {
			if t.MultiRegion {
				homes[t.ARN] = t.Home
			}
		}
	}
	if !known {
		s.gap(missing...)
	}
	return homes, known
}
