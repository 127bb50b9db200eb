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
	now   time.Time
	world *World
	reads []fact.Any
	kinds []string // resource types looked at as a whole
}

func (e *Evidence) reset() {
	clear(e.reads)
	e.reads, e.kinds = e.reads[:0], e.kinds[:0]
}

// Now is the time of collecting, at which ages are reckoned.
func (e *Evidence) Now() time.Time { return e.now }

// Age is how long before the time of collecting t was.
func (e *Evidence) Age(t time.Time) time.Duration { return e.now.Sub(t) }

// Read is a fact's value, noted as evidence. A gap ends the rule here, as
// NOT_ASSESSED.
func Read[T any](e *Evidence, f fact.Of[T]) T {
	e.reads = append(e.reads, f)
	value, gap := f.Get()
	if gap != nil {
		panic(gapMet{[]fact.Gap{*gap}})
	}
	return value
}

// Try is a fact's value and true, or false where it could not be read: for
// rules that can decide without it.
func Try[T any](e *Evidence, f fact.Of[T]) (T, bool) {
	e.reads = append(e.reads, f)
	value, gap := f.Get()
	return value, gap == nil
}

// All is every resource of type R in the account. If any region's listing has
// a gap the rule ends here, as NOT_ASSESSED: what was not listed may exist.
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
	var zero R
	kind := zero.Kind()
	e.kinds = append(e.kinds, kind)
	p := e.world.listed(kind)
	if p.typed == nil {
		p.typed = map[string]any{}
	}
	resources, made := p.typed[region].([]R)
	if !made {
		for _, r := range p.resources {
			if region == "" || r.Reference().Region == region {
				resources = append(resources, r.(R))
			}
		}
		p.typed[region] = resources
	}
	if region == "" {
		return resources, p.gaps
	}
	return resources, slices.DeleteFunc(slices.Clone(p.gaps), func(g fact.Gap) bool {
		return g.Region != "" && g.Region != model.Global && g.Region != region
	})
}

// Exhibit is one fact that a rule read: where it stands and what it said.
type Exhibit struct {
	Resource string   `json:"resource,omitempty"` // empty for the judged resource itself
	Fact     string   `json:"fact"`               // the field's name in JSON, such as "rotation"
	Content  fact.Any `json:"content"`
}

// Exhibits names the facts that were read, in the order of reading. Facts of
// other resources than subject are found through the world.
func (e *Evidence) Exhibits(subject Resource) []Exhibit {
	own := owners(subject, "")
	named := make(map[owner]bool, len(e.reads))
	found := make([]Exhibit, 0, len(e.reads))
	for _, read := range e.reads {
		id := read.Identity()
		if id == nil {
			continue // a fact that was never collected stands nowhere
		}
		at, ok := own[id]
		for i := 0; i < len(e.kinds) && !ok; i++ {
			at, ok = e.world.listed(e.kinds[i]).owner(id)
		}
		if ok && !named[at] {
			named[at] = true
			found = append(found, Exhibit{at.resource, at.fact, read})
		}
	}
	return found
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
