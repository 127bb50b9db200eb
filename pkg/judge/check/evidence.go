package check

import (
	"reflect"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Evidence collects what a rule reads. The rule run again on those facts
// alone gives the same verdict.
type Evidence struct {
	now    time.Time
	world  *World
	unused bool // judge also what AWS makes by default and nothing uses
	reads  []fact.Any
	kinds  []string // resource types that were looked at
	looks  []look
	cost   int
	memos  map[any]any // by *Memo; they outlive the verdict

	declared []*Option // of the rule
	options  map[string]model.OptionValue
	used     []used
}

func (e *Evidence) reset() {
	clear(e.reads)
	clear(e.looks)
	clear(e.used)
	e.reads, e.kinds, e.looks, e.used, e.cost = e.reads[:0], e.kinds[:0], e.looks[:0], e.used[:0], 0
}

// Cost is how many facts were read and how many resources were handed out since
// the last verdict, those that an index was made of included. It is what a test
// counts in place of time.
func (e *Evidence) Cost() int { return e.cost }

// Now is the time of collecting, at which ages are reckoned.
func (e *Evidence) Now() time.Time { return e.now }

// Age is how long before the time of collecting t was.
func (e *Evidence) Age(t time.Time) time.Duration { return e.now.Sub(t) }

// Read is a fact's value, noted as evidence. A gap ends the rule here, as
// NOT_ASSESSED.
func Read[T any](e *Evidence, f fact.Of[T]) T {
	e.reads, e.cost = append(e.reads, f), e.cost+1
	value, gap := f.Get()
	if gap != nil {
		panic(gapMet{[]fact.Gap{*gap}})
	}
	return value
}

// Try is a fact's value and true, or false where it could not be read: for
// rules that can decide without it.
func Try[T any](e *Evidence, f fact.Of[T]) (T, bool) {
	e.reads, e.cost = append(e.reads, f), e.cost+1
	value, gap := f.Get()
	return value, gap == nil
}

// Told is a flag of a detail that was read, under AWS's name for it. Where AWS left it out
// the rule ends here, as NOT_ASSESSED: what a flag of the detail does not say, the others
// still do.
func Told(name string, flag *bool) bool {
	if flag == nil {
		Stop(fact.Gap{Reason: fact.Failed, Detail: "AWS does not tell " + name})
	}
	return *flag
}

// All is every resource of type R in the account. If any region's listing has
// a gap the rule ends here, as NOT_ASSESSED: what was not listed may exist.
//
// All and its like are for rules that are judged once in an account or region, or
// look at what exists once in it. A rule that looks for some of many asks an Index:
// of ten thousand queues each would read ten thousand.
func All[R Resource](e *Evidence) []R { return AllIn[R](e, "") }

// AllIn is All for the resources of one region; gaps of other regions do not
// matter to it. An empty region means all of them.
func AllIn[R Resource](e *Evidence, region string) []R {
	resources, gaps := SomeIn[R](e, region)
	if len(gaps) > 0 {
		panic(gapMet{gaps})
	}
	return resources
}

// Some is the resources of type R that could be listed, and the gaps of the
// regions where listing failed: for rules that one good example can satisfy. The
// slice is shared: rules do not change it.
func Some[R Resource](e *Evidence) ([]R, []fact.Gap) { return SomeIn[R](e, "") }

// SomeIn is Some for one region; an empty region means all of them.
func SomeIn[R Resource](e *Evidence, region string) ([]R, []fact.Gap) {
	resources, gaps := listed[R](e, region)
	var zero R
	e.looks = append(e.looks, look{kind: zero.Kind(), region: region, count: len(resources)})
	e.cost += len(resources)
	return resources, gaps
}

// lookAt notes that facts of a resource type may have been read.
func (e *Evidence) lookAt(kind string) {
	if !slices.Contains(e.kinds, kind) {
		e.kinds = append(e.kinds, kind)
	}
}

// listed is the resources of type R in one region, "" for all, and the gaps that
// may hide others.
func listed[R Resource](e *Evidence, region string) ([]R, []fact.Gap) {
	var zero R
	kind := zero.Kind()
	e.lookAt(kind)
	p := e.world.listed(kind)
	regions, made := p.typed.(map[string][]R)
	if !made {
		regions = map[string][]R{}
		for _, r := range p.resources {
			at := r.Reference().Region
			regions[""] = append(regions[""], r.(R))
			if at != "" {
				regions[at] = append(regions[at], r.(R))
			}
		}
		p.typed = regions
	}
	return slices.Clip(regions[region]), p.gapsIn(region)
}

// owner is where a fact stands: a field of a resource.
type owner struct{ resource, fact string }

// owners finds the facts of a resource by their identity.
func owners(r Resource, name string) map[any]owner {
	fields := Facts(r)
	all := make(map[any]owner, len(fields))
	for _, f := range fields {
		if id := f.Value.Identity(); id != nil {
			all[id] = owner{name, f.Name}
		}
	}
	return all
}

// Field is one fact of a resource by its name in JSON.
type Field struct {
	Name  string
	Index int // of the struct field
	Value fact.Any
}

// Facts lists the facts of a resource in the order of its fields.
func Facts(r Resource) []Field {
	value := reflect.ValueOf(r)
	var fields []Field
	for i := range value.NumField() {
		if f, ok := value.Field(i).Interface().(fact.Any); ok {
			fields = append(fields, Field{model.JSONName(value.Type().Field(i)), i, f})
		}
	}
	return fields
}
