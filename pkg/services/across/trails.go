package across

import (
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// usingTrails is what search.trails looks at.
var usingTrails = []check.Use{check.Using[cloudtrail.RegionTrails](), check.Using[cloudtrail.Trail]()}

// trailRules are on the trails of the account as a whole: one verdict each.
func trailRules() []check.Rule {
	usingBuckets := append(slices.Clone(usingTrails), check.Using[s3.Bucket]())
	return []check.Rule{
		check.Across("cloudtrail-all-regions", model.High, allRegions, usingTrails...),
		check.Across("cloudtrail-management-events", model.Medium, managementEvents, usingTrails...).CausedBy("cloudtrail-all-regions"),
		check.Across("cloudtrail-s3-write-events", model.Low, objectEvents(true), usingBuckets...).CausedBy("cloudtrail-all-regions"),
		check.Across("cloudtrail-s3-read-events", model.Low, objectEvents(false), usingBuckets...).CausedBy("cloudtrail-all-regions"),
	}
}

// noTrail is the reason when no trail comes into question.
const noTrail = "no trail records all regions"

func allRegions(e *check.Evidence, _ iam.Account) check.Verdict {
	s := newSearch(e, noTrail)
	for _, t := range s.trails() {
		return check.Passed("trail " + t.Name + " records all regions")
	}
	return s.failed()
}

func managementEvents(e *check.Evidence, _ iam.Account) check.Verdict {
	s := newSearch(e, noTrail)
	for _, t := range s.trails() {
		selectors, ok := look(s, t.Selectors)
		if !ok {
			continue
		}
		switch m := selectors.Management(); {
		case !m.Reads || !m.Writes:
			s.miss(2, partOf(t, m))
		case len(m.Without) > 0:
			s.miss(3, "trail "+t.Name+" leaves out the events of "+check.List(m.Without))
		default:
			return check.Passed("trail " + t.Name + " records all management events")
		}
	}
	return s.failed()
}

// partOf says which management events a trail does not record.
func partOf(t cloudtrail.Trail, m cloudtrail.Management) string {
	missing := "reads"
	if m.Reads {
		missing = "writes"
	} else if !m.Writes {
		missing = "management events"
	}
	return "trail " + t.Name + " does not record all " + missing
}

// objectEvents is the rule that reads or writes of the objects in all buckets
// are recorded.
func objectEvents(writes bool) func(*check.Evidence, iam.Account) check.Verdict {
	sort := "reads"
	if writes {
		sort = "writes"
	}
	return func(e *check.Evidence, _ iam.Account) check.Verdict {
		s := newSearch(e, noTrail)
		var recorded []cloudtrail.Objects
		for _, t := range s.trails() {
			s.miss(2, "no trail records "+sort+" of S3 objects")
			selectors, _ := look(s, t.Selectors)
			for _, objects := range selectors.Objects(writes) {
				if objects.All() {
					return check.Passed("trail " + t.Name + " records " + sort + " of all S3 objects")
				}
				recorded = append(recorded, objects)
			}
		}
		if len(recorded) == 0 {
			return s.failed()
		}
		// Every bucket needs a selector; that one without may exist is enough not
		// to know.
		buckets, gaps := check.Some[s3.Bucket](e)
		for _, b := range buckets {
			if !slices.ContainsFunc(recorded, func(o cloudtrail.Objects) bool { return o.HoldsBucket(b.ARN) }) {
				s.miss(3, sort+" of objects in bucket "+b.Name+" are not recorded")
				return s.failed()
			}
		}
		if len(gaps) > 0 {
			return check.Unassessed(gaps...)
		}
		return check.Passed("trails record " + sort + " of the objects in each bucket")
	}
}
