package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
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
	// typed are the resources of a region, "" for all, as a slice of their own
	// type; made when first asked for.
	typed map[string]any
	// owners finds the facts of all resources by their identity; made when first
	// asked for.
	owners map[any]owner
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
		p.resources, p.typed, p.owners = append(p.resources, r), nil, nil
	}
}

// AddGap notes that the resources of a type could not all be listed.
func (w *World) AddGap(kind string, gap fact.Gap) {
	if p := w.kinds[kind]; p != nil {
		p.gaps = append(p.gaps, gap)
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
