package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// World is what was collected of one account: resources by type, and the gaps
// of listings that failed. Only declared types are held, since a world lives in
// memory as a whole.
type World struct {
	kinds map[string]*population
}

type population struct {
	resources []Resource
	gaps      []fact.Gap
	audited   []string // regions, if there may be resources in others that nobody asked for
	// What follows is made when first asked for.
	typed   any                   // map[string][]R: the resources of each region, and of all under ""
	hidden  map[string][]fact.Gap // the gaps that matter to a region
	indexed map[place]any         // *table[R]
	owners  map[any]owner         // the facts of all resources by their identity
}

// place is an index of the resources of one region.
type place struct {
	index  any
	region string
}

// gapsIn is the gaps of listings that may hide resources of a region.
func (p *population) gapsIn(region string) []fact.Gap {
	unasked := p.audited != nil && !slices.Contains(p.audited, region)
	if !unasked && (region == "" || len(p.gaps) == 0) {
		return slices.Clip(p.gaps)
	}
	gaps, made := p.hidden[region]
	if !made {
		gaps = slices.Clip(slices.DeleteFunc(slices.Clone(p.gaps), func(g fact.Gap) bool {
			return region != "" && g.Region != "" && g.Region != model.Global && g.Region != region
		}))
		if unasked {
			gaps = append(gaps, fact.Gap{Reason: fact.NotCollected, Region: Elsewhere, Detail: "the audit was to look at some regions only"})
		}
		if p.hidden == nil {
			p.hidden = map[string][]fact.Gap{}
		}
		p.hidden[region] = gaps
	}
	return gaps
}

// owner is where a fact of the population stands.
func (p *population) owner(id any) (owner, bool) {
	if p.owners == nil {
		p.owners = map[any]owner{}
		for _, r := range p.resources {
			maps.Copy(p.owners, owners(r, r.Reference().String()))
		}
	}
	at, ok := p.owners[id]
	return at, ok
}

// NewWorld makes an empty world that will hold the resource types given.
func NewWorld(kinds ...string) *World {
	w := &World{kinds: make(map[string]*population, len(kinds))}
	for _, kind := range kinds {
		w.kinds[kind] = &population{}
	}
	return w
}

// Holds reports whether the world keeps resources of this type.
func (w *World) Holds(kind string) bool { return w.kinds[kind] != nil }

// Add keeps a resource; one of an undeclared type is dropped.
func (w *World) Add(r Resource) {
	if p := w.kinds[r.Kind()]; p != nil {
		*p = population{resources: append(p.resources, r), gaps: p.gaps, audited: p.audited}
	}
}

// AddGap notes that the resources of a type could not all be listed.
func (w *World) AddGap(kind string, gap fact.Gap) {
	if p := w.kinds[kind]; p != nil {
		*p = population{resources: p.resources, gaps: append(p.gaps, gap), audited: p.audited}
	}
}

// Elsewhere is the region of what an audit did not look for, because it was to look at
// some regions only.
const Elsewhere = "other regions"

// AddElsewhere notes that there may be resources of a type in other regions than those
// audited. A rule that one of them could sway is not assessed.
func (w *World) AddElsewhere(kind string, audited []string) {
	if p := w.kinds[kind]; p != nil {
		*p = population{resources: p.resources, gaps: p.gaps, audited: append([]string{model.Global}, audited...)}
	}
}

// Resources lists the resources of one type.
func (w *World) Resources(kind string) []Resource {
	if p := w.kinds[kind]; p != nil {
		return slices.Clip(p.resources)
	}
	return nil
}

// listed is the population of a declared type. That a rule looks at another one
// is its programmer's mistake.
func (w *World) listed(kind string) *population {
	if w == nil || w.kinds[kind] == nil {
		panic(fmt.Sprintf("the rule looks at %s without declaring it", kind))
	}
	return w.kinds[kind]
}
