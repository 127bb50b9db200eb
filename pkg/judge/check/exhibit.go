package check

import (
	"encoding/json"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// What the evidence of one verdict may hold. It is an excerpt, for people: the
// evidence file has every resource in a line of its own, and the rule can be run
// again on those.
const (
	MaxExhibits = 20     // of one verdict
	MaxContent  = 4_000  // bytes of one exhibit's content, as JSON
	MaxEvidence = 16_000 // bytes of all contents of a verdict

	few       = 5   // resources of a set that are shown
	maxSample = 300 // bytes of what is shown of one of them
)

// Exhibit is one fact that a rule read, or a set of resources that it looked
// through: where it stands and what it said.
type Exhibit struct {
	// Resource is empty for the judged resource itself. A set is named by its type
	// and region.
	Resource string `json:"resource,omitempty"`
	Kind     string `json:"-"` // the type of Resource; empty for the judged resource
	// Fact is the field's name in JSON, such as "rotation". It is "listing" for a
	// set of which no fact was needed.
	Fact    string         `json:"fact"`
	Content json.Marshaler `json:"content"` // a fact.Any or a Set
}

// Listing is the Fact of a set of which the rule needed to know only that it is
// all there is.
const Listing = "listing"

// Set is many resources of which a rule read the same fact, or which it looked
// through: one exhibit with a count and the first few.
type Set struct {
	count    int
	asked    []string // the keys that were looked for
	matching int
	unknown  int
	some     []sample
}

// sample is one resource of a set, with the fact that was read or the keys by which
// it was looked through.
type sample struct {
	resource string
	content  fact.Any
	keys     []string
}

// MarshalJSON writes {"set": {"count": 480, …}}.
func (s Set) MarshalJSON() ([]byte, error) {
	type shownSample struct {
		Resource string          `json:"resource"`
		Content  json.RawMessage `json:"content,omitempty"`
		Keys     []string        `json:"keys,omitempty"`
	}
	var wire struct {
		Set struct {
			Count    int           `json:"count"`
			Asked    []string      `json:"asked,omitempty"`
			Matching *int          `json:"matching,omitempty"`
			Unknown  int           `json:"unknown,omitempty"`
			Some     []shownSample `json:"some,omitempty"`
			More     string        `json:"more,omitempty"`
		} `json:"set"`
	}
	w := &wire.Set
	w.Count, w.Unknown = s.count, s.unknown
	w.Asked = shownKeys(s.asked)
	if len(s.asked) > 0 {
		w.Matching = &s.matching
	}
	for _, one := range s.some {
		x := shownSample{Resource: model.Cut(model.Clean(one.resource), maxSample), Keys: shownKeys(one.keys)}
		if one.content != nil {
			content, err := json.Marshal(one.content)
			if err != nil {
				return nil, err
			}
			x.Content = Excerpt(content, maxSample)
		}
		w.Some = append(w.Some, x)
	}
	if more := s.count - len(s.some); more > 0 && len(s.some) > 0 {
		w.More = andMore(more)
	}
	return json.Marshal(wire)
}

func shownKeys(keys []string) []string {
	var all []string
	for _, key := range keys[:min(few, len(keys))] {
		all = append(all, model.Cut(model.Clean(key), maxName))
	}
	if more := len(keys) - few; more > 0 {
		all = append(all, andMore(more))
	}
	return all
}

func andMore(n int) string { return fmt.Sprintf("and %d more", n) }

// Excerpt is content, which is JSON, if it has at most size bytes. Of a longer one
// it is the beginning, as {"cut": "…", "bytes": 52311}.
func Excerpt(content json.RawMessage, size int) json.RawMessage {
	for keep := size - 40; len(content) > size; keep = keep * 3 / 4 {
		cut, err := json.Marshal(struct {
			Cut   string `json:"cut"`
			Bytes int    `json:"bytes"`
		}{model.Cut(string(content), max(keep, 3)), len(content)})
		if err != nil {
			panic(err) // strings and numbers can be written
		}
		if len(cut) <= size || keep <= 3 {
			return cut
		}
	}
	return content
}

// look is a glance at the resources of a type: at all of a region, or at those that
// an index has under a key.
type look struct {
	kind   string
	region string
	index  *summary
	key    string
	count  int // what was found
}

func (l look) name() string {
	if l.region == "" {
		return l.kind
	}
	return l.kind + " in " + l.region
}

// Exhibits names the facts that were read, in the order of reading, and after them
// the sets that were looked through. Facts of other resources than subject are found
// through the world; one fact of many resources is one exhibit.
func (e *Evidence) Exhibits(subject Resource) []Exhibit {
	own := owners(subject, "")
	named := make(map[owner]bool, len(e.reads))
	found := make([]Exhibit, 0, min(len(e.reads), MaxExhibits))
	groups := map[[2]string]*group{}
	for _, read := range e.reads {
		id := read.Identity()
		if id == nil {
			continue // a fact that was never collected stands nowhere
		}
		if at, ok := own[id]; ok {
			if !named[at] {
				named[at] = true
				found = append(found, Exhibit{Fact: at.fact, Content: read})
			}
			continue
		}
		for _, kind := range e.kinds {
			at, ok := e.world.listed(kind).owner(id)
			if !ok {
				continue
			}
			if named[at] {
				break
			}
			named[at] = true
			g := groups[[2]string{kind, at.fact}]
			if g == nil {
				g = &group{at: len(found)}
				groups[[2]string{kind, at.fact}] = g
				found = append(found, Exhibit{Resource: kind, Kind: kind, Fact: at.fact})
			}
			g.add(sample{resource: at.resource, content: read})
			break
		}
	}
	return append(append(expand(found, groups), e.sets(groups)...), e.optionExhibits()...)
}

// group is one fact of several resources.
type group struct {
	at    int // among the exhibits
	count int
	some  []sample
}

// add keeps the first few and the last, at which the rule made up its mind.
func (g *group) add(s sample) {
	if g.count++; len(g.some) == few {
		g.some = g.some[:few-1]
	}
	g.some = append(g.some, s)
}

// expand puts the facts that were read of a few resources in the place of their
// group.
func expand(found []Exhibit, groups map[[2]string]*group) []Exhibit {
	if len(groups) == 0 {
		return found
	}
	var all []Exhibit
	for _, x := range found {
		g := groups[[2]string{x.Kind, x.Fact}]
		switch {
		case x.Kind == "":
			all = append(all, x)
		case g.count > few:
			x.Content = Set{count: g.count, some: g.some}
			all = append(all, x)
		default:
			for _, s := range g.some {
				all = append(all, Exhibit{Resource: s.resource, Kind: x.Kind, Fact: x.Fact, Content: s.content})
			}
		}
	}
	return all
}

// sets are the exhibits of what was looked through: each index once, with all keys
// that it was asked for, and each listing of which no fact is an exhibit already.
func (e *Evidence) sets(groups map[[2]string]*group) []Exhibit {
	shown := map[string]bool{}
	for at := range groups {
		shown[at[0]] = true
	}
	type asked struct {
		index *summary
		key   string
	}
	at, known := map[*summary]int{}, map[asked]bool{}
	sets, all := []Set{}, []Exhibit{}
	for _, l := range e.looks {
		if l.index == nil || known[asked{l.index, l.key}] {
			continue
		}
		known[asked{l.index, l.key}] = true
		shown[l.kind] = true
		i, ok := at[l.index]
		if !ok {
			i = len(sets)
			at[l.index] = i
			x := Exhibit{Resource: l.name(), Kind: l.kind, Fact: Listing}
			sets = append(sets, Set{count: l.index.count, unknown: l.index.unknown})
			for n, name := range l.index.facts {
				if n == 0 {
					x.Fact = name
				} else {
					x.Fact += ", " + name
				}
			}
			all = append(all, x)
		}
		sets[i].asked = append(sets[i].asked, l.key)
		sets[i].matching += l.count
	}
	for index, i := range at {
		if sets[i].matching == 0 {
			sets[i].some = index.some
		}
		all[i].Content = sets[i]
	}
	for _, l := range e.looks {
		if l.index == nil && !shown[l.kind] && !shown[l.name()] {
			shown[l.name()] = true
			all = append(all, Exhibit{Resource: l.name(), Kind: l.kind, Fact: Listing, Content: Set{count: l.count}})
		}
	}
	return all
}

// rest stands for the exhibits that are left out.
type rest int

func (r rest) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"more": andMore(int(r))})
}

// Rest is the exhibit in place of n that are left out.
func Rest(n int) Exhibit {
	return Exhibit{Resource: "the account", Fact: "more", Content: rest(n)}
}
