package check

import (
	"fmt"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// Index finds the resources of type R that have a key in common with the judged
// one: the queues that send to it, the security groups that it names. The keys of
// all resources are worked out once in an account, however many are judged.
type Index[R Resource] struct {
	keys func(*Evidence, R) []string
}

// NewIndex makes an index, which is kept in a variable of the package. The function
// gives the keys of a resource, from its identity or from facts that it reads by
// Read. A resource whose keys cannot be told, because of a gap, may have any.
func NewIndex[R Resource](keys func(e *Evidence, r R) []string) *Index[R] {
	return &Index[R]{keys}
}

// Name is the key of an Index by the names of resources.
func Name[R Resource](_ *Evidence, r R) []string { return []string{r.Reference().Name} }

// ARN is the key of an Index by the ARNs of resources.
func ARN[R Resource](_ *Evidence, r R) []string { return []string{r.Reference().ARN} }

// All is the resources of the account that have the key. The rule ends here, as
// NOT_ASSESSED, if there may be others: a listing has a gap, or the keys of some
// resource could not be read.
func (x *Index[R]) All(e *Evidence, key string) []R { return x.AllIn(e, "", key) }

// AllIn is All for the resources of one region; gaps of other regions do not
// matter to it. An empty region means all of them.
func (x *Index[R]) AllIn(e *Evidence, region, key string) []R {
	found, gaps := x.SomeIn(e, region, key)
	if len(gaps) > 0 {
		panic(gapMet{gaps})
	}
	return found
}

// Some is the resources of the account that are known to have the key, and the
// gaps because of which there may be others: for rules that one good example can
// satisfy. A rule that finds none there cannot say that there is none. The slices
// are shared: rules do not change them.
func (x *Index[R]) Some(e *Evidence, key string) ([]R, []fact.Gap) { return x.SomeIn(e, "", key) }

// SomeIn is Some for one region; an empty region means all of them.
func (x *Index[R]) SomeIn(e *Evidence, region, key string) ([]R, []fact.Gap) {
	t := x.in(e, region)
	found := t.byKey[key]
	var zero R
	e.looks = append(e.looks, look{kind: zero.Kind(), region: region, index: &t.summary, key: key, count: len(found)})
	e.cost += 1 + len(found)
	return found, t.gaps
}

// EachIn is the resources of one region with the keys given, such as the security
// groups that an instance names, and the gaps because of which some are not known. One
// that the listing does not have is a gap as well: what is named is there, and nobody
// knows what it says.
func (x *Index[R]) EachIn(e *Evidence, region string, keys []string) ([]R, []fact.Gap) {
	var all []R
	var gaps []fact.Gap
	for _, key := range keys {
		found, hidden := x.SomeIn(e, region, key)
		all = append(all, found...)
		switch {
		case len(found) > 0:
		case len(hidden) > 0:
			gaps = append(gaps, hidden...)
		default:
			gaps = append(gaps, notListed[R](region, key))
		}
	}
	return all, gaps
}

// notListed is the gap of a resource that is named and was not seen.
func notListed[R Resource](region, key string) fact.Gap {
	var zero R
	return fact.Gap{Reason: fact.NotCollected, Region: region, Detail: fmt.Sprintf("%s %s is named, and is not among those that AWS lists", zero.Kind(), key)}
}

// table is the index of one region.
type table[R Resource] struct {
	summary
	byKey map[string][]R
	gaps  []fact.Gap // of the listing, and why keys could not be told
}

// summary is what the evidence says of an index.
type summary struct {
	count   int
	unknown int      // resources whose keys could not be told
	facts   []string // the fields that gave the keys
	some    []sample
}

func (x *Index[R]) in(e *Evidence, region string) *table[R] {
	resources, gaps := listed[R](e, region)
	var zero R
	p := e.world.listed(zero.Kind())
	at := place{x, region}
	if made, ok := p.indexed[at].(*table[R]); ok {
		return made
	}
	t := &table[R]{byKey: map[string][]R{}, gaps: slices.Clone(gaps)}
	t.count = len(resources)
	reader := &Evidence{}
	for _, r := range resources {
		reader.reset()
		keys, unknown := x.of(reader, r)
		e.cost += 1 + len(keys)
		t.noteFacts(reader.reads, r)
		if len(t.some) < few {
			t.some = append(t.some, sample{resource: r.Reference().String(), keys: keys})
		}
		if len(unknown) > 0 {
			t.unknown++
			for _, g := range unknown {
				// A verdict holds no more of them, and whoever asks gets them all.
				if len(t.gaps) < len(gaps)+MaxGaps && !slices.Contains(t.gaps, g) {
					t.gaps = append(t.gaps, g)
				}
			}
			continue
		}
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			t.byKey[key] = append(t.byKey[key], r)
		}
	}
	t.gaps = slices.Clip(t.gaps)
	for key, found := range t.byKey {
		t.byKey[key] = slices.Clip(found)
	}
	if p.indexed == nil {
		p.indexed = map[place]any{}
	}
	p.indexed[at] = t
	return t
}

// of is the keys of a resource, or the gaps because of which they cannot be told. A
// fault of the function is one, too: it must not hide the resource.
func (x *Index[R]) of(reader *Evidence, r R) (keys []string, unknown []fact.Gap) {
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case gapMet:
			keys, unknown = nil, stop.gaps
		default:
			keys, unknown = nil, []fact.Gap{{Reason: fact.Failed, Detail: fmt.Sprintf("keys of %s: %v", r.Kind(), stop)}}
		}
	}()
	return slices.Clone(x.keys(reader, r)), nil
}

// noteFacts finds out from which fields keys were read.
func (s *summary) noteFacts(reads []fact.Any, r Resource) {
	if len(reads) == 0 {
		return
	}
	own := owners(r, "")
	for _, read := range reads {
		if at, ok := own[read.Identity()]; ok && !slices.Contains(s.facts, at.fact) {
			s.facts = append(s.facts, at.fact)
		}
	}
}
