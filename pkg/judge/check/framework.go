package check

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Framework is a compliance framework, joined to the checks of a catalogue.
type Framework struct {
	framework.Framework
	Requirements []Requirement // in the framework's order
}

// Requirement is one of a framework.
type Requirement struct {
	ID      string
	Section string // where it stands; empty if that is not certain
	Parts   []Part // what can be looked at; none if the requirement is for people alone
}

// Part is something that a requirement asks for, and the checks that look at it.
type Part struct {
	framework.Part
	Checks []model.CheckID // by id; none if nothing here looks at it
	// Weaker says that the part asks for more than the checks do together: they can find it
	// failing, and not met.
	Weaker bool
	// Counted is what the verdicts of the checks are counted by: their ids, or that of a check
	// by values of the framework's own (Wanted).
	Counted []model.CheckID
}

// Checks are those that any part of a requirement has, by id.
func (r Requirement) Checks() []model.CheckID {
	var all []model.CheckID
	for _, p := range r.Parts {
		all = append(all, p.Checks...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Automatable reports whether a program can look at any of it, this one or another.
func (r Requirement) Automatable() bool { return len(r.Parts) > 0 }

// Covered reports whether all that a program can look at is looked at here, as strictly as is
// asked.
func (r Requirement) Covered() bool {
	return len(r.Parts) > 0 && !slices.ContainsFunc(r.Parts, func(p Part) bool { return len(p.Checks) == 0 || p.Weaker })
}

// Checks are those that any requirement of a framework has, by id.
func (f Framework) Checks() []model.CheckID {
	seen := map[model.CheckID]bool{}
	for _, r := range f.Requirements {
		for _, id := range r.Checks() {
			seen[id] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Find is which of its requirements has an id, or an *UnknownError.
func (f Framework) Find(id string) (int, error) {
	names := make([]string, len(f.Requirements))
	for i, r := range f.Requirements {
		if names[i] = r.ID; strings.EqualFold(r.ID, id) {
			return i, nil
		}
	}
	return 0, &UnknownError{What: "requirement of " + f.ID, Word: id, Nearest: Nearest(id, names)}
}

// find are the checks of requirements, by id or glob. That there are none is an error: whoever
// asks for a requirement would take what is run for it.
func (f Framework) find(word string) ([]model.CheckID, error) {
	var found []model.CheckID
	matched := false
	for _, r := range f.Requirements {
		ok, err := path.Match(word, r.ID)
		if err != nil {
			return nil, fmt.Errorf("requirement %q of %s: %w", word, f.ID, err)
		}
		if ok || strings.EqualFold(word, r.ID) {
			matched, found = true, append(found, r.Checks()...)
		}
	}
	if !matched {
		_, err := f.Find(word)
		return nil, err
	}
	if len(found) == 0 {
		return nil, &NoCheckError{Framework: f.ID, Requirement: word}
	}
	return found, nil
}

// NoCheckError says that a requirement is known, and nothing here looks at it.
type NoCheckError struct{ Framework, Requirement string }

func (e *NoCheckError) Error() string {
	return fmt.Sprintf("requirement %s of %s has no automated check", e.Requirement, e.Framework)
}

// Frameworks lists the frameworks by id.
func (c *Catalog) Frameworks() ([]Framework, error) {
	all, err := c.said()
	return all.frameworks, err
}

// Framework finds a framework by id, or is an *UnknownError.
func (c *Catalog) Framework(id string) (Framework, error) {
	all, err := c.Frameworks()
	if err != nil {
		return Framework{}, err
	}
	names := make([]string, len(all))
	for i, f := range all {
		if names[i] = f.ID; strings.EqualFold(f.ID, id) {
			return f, nil
		}
	}
	return Framework{}, &UnknownError{What: "framework", Word: id, Nearest: Nearest(id, names)}
}

// Wanted is a check by values of its options that a framework asks for, whatever they are set
// to. It goes by an id of its own, "iam-access-key-rotated?days=90", in counts.
type Wanted struct {
	ID      model.CheckID
	Check   model.CheckID
	Options map[string]model.OptionValue
}

// wantedOf is the check that a part asks for by values of its own; false if it asks for none,
// or for what the catalogue does not have.
func (c *Catalog) wantedOf(p framework.Part) (Wanted, bool) {
	k, known := c.byID[model.CheckID(p.ID)]
	if p.Tool != "" || len(p.Options) == 0 || !known {
		return Wanted{}, false
	}
	w := Wanted{ID: model.CheckID(p.String()), Check: k.ID, Options: map[string]model.OptionValue{}}
	for name, text := range p.Options {
		o, err := k.Option(name)
		if err != nil {
			return Wanted{}, false
		}
		if w.Options[name], err = o.Parse(text); err != nil {
			return Wanted{}, false
		}
	}
	return w, true
}

// Wanted lists the checks that frameworks ask for by values of their own, each once, by id. It
// needs no texts.
func (c *Catalog) Wanted() ([]Wanted, error) { return c.wanted() }

func (c *Catalog) readWanted() ([]Wanted, error) {
	if c.frameworks == nil {
		return nil, nil
	}
	frameworks, err := c.frameworks()
	if err != nil {
		return nil, err
	}
	found := map[model.CheckID]Wanted{}
	for _, f := range frameworks {
		for _, r := range f.Requirements {
			for _, p := range r.Parts {
				if w, ok := c.wantedOf(p); ok {
					found[w.ID] = w
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Wanted) int { return strings.Compare(string(a.ID), string(b.ID)) }), nil
}

// join finds the checks of each part of each requirement, and tells the texts.
func (c *Catalog) join(frameworks []framework.Framework, texts map[model.CheckID]Text) []Framework {
	counterparts := c.counterparts(texts)
	all := make([]Framework, len(frameworks))
	for i, f := range frameworks {
		all[i] = Framework{Framework: f, Requirements: make([]Requirement, len(f.Requirements))}
		for j, r := range f.Requirements {
			joined := Requirement{ID: r.ID, Section: r.Section, Parts: make([]Part, len(r.Parts))}
			for k, p := range r.Parts {
				part := Part{Part: p}
				if p.Tool != "" {
					found := counterparts[p.String()]
					part.Checks, part.Counted, part.Weaker = found.checks, found.checks, found.weaker
				} else if _, ok := c.byID[model.CheckID(p.ID)]; ok {
					part.Checks = []model.CheckID{model.CheckID(p.ID)}
					part.Counted = part.Checks
					if w, ok := c.wantedOf(p); ok {
						part.Counted = []model.CheckID{w.ID}
					}
				} // or else it is of a service that is left out
				joined.Parts[k] = part
			}
			all[i].Requirements[j] = joined
			for _, id := range joined.Checks() {
				text := texts[id]
				if text.Controls == nil {
					text.Controls = map[string][]string{}
				}
				text.Controls[f.ID] = append(text.Controls[f.ID], r.ID)
				texts[id] = text
			}
		}
	}
	return all
}

// counterpart is what here says what another tool's check does.
type counterpart struct {
	checks []model.CheckID // by id
	weaker bool            // all of them together
}

// counterparts are those of other tools' ids, as "prowler:kms_cmk_rotation".
func (c *Catalog) counterparts(texts map[model.CheckID]Text) map[string]counterpart {
	all := map[string]counterpart{}
	for _, k := range c.checks {
		text := texts[k.ID]
		for tool, ids := range text.Tools() {
			for _, id := range ids {
				one := all[tool+":"+id]
				_, weaker := text.Weaker[tool][id]
				one.checks, one.weaker = append(one.checks, k.ID), one.weaker || weaker
				all[tool+":"+id] = one
			}
		}
	}
	return all
}
