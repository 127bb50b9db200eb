package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Service is all that is known of an AWS service without calling it: the types
// of its resources, the rules over them, and the texts.
type Service struct {
	Name  string // "kms": the word in --services, ids and tasks
	Title string // "AWS Key Management Service"
	Kinds []Kind
	Rules []Rule
	Texts []byte // checks.yaml
}

// Kind is a resource type that can be read back from a snapshot.
type Kind struct {
	Name string
	Zero Resource
	Once bool // an account has one resource of the type
	// NoState is why the type is not Stateful, if it is not.
	NoState string
	Decode  func([]byte) (Resource, error)
	// Shared says that the type is nobody's affair by itself, and is collected for
	// whichever checks look at it, whatever services are asked for.
	Shared bool
}

// KindOf makes the Kind of a resource type.
func KindOf[R Resource]() Kind {
	var zero R
	return Kind{
		Name: zero.Kind(),
		Zero: zero,
		Decode: func(data []byte) (Resource, error) {
			var r R
			if err := json.Unmarshal(data, &r); err != nil {
				return nil, fmt.Errorf("decode %s: %w", zero.Kind(), err)
			}
			return r, nil
		},
	}
}

// Stateless is the Kind of a type that is not Stateful, and why it has no state.
func (k Kind) Stateless(why string) Kind {
	k.NoState = why
	return k
}

// OnceInAccount is the Kind of which an account has one resource.
func (k Kind) OnceInAccount() Kind {
	k.Once = true
	return k
}

// Check is a rule with the service it belongs to.
type Check struct {
	Rule
	Service string
}

// Catalog is all checks. It is immutable and safe for concurrent use.
type Catalog struct {
	services []Service
	checks   []Check // sorted by id
	byID     map[model.CheckID]Check
	kinds    map[string]Kind
	owner    map[string]string // kind -> service

	successors map[model.CheckID]Check // by ids that they had before

	frameworks func() ([]framework.Framework, error)
	examples   func() (map[model.CheckID]Examples, error)
	said       func() (said, error)
	wanted     func() ([]Wanted, error)
}

// said is what is only read where somebody wants to read it.
type said struct {
	texts      map[model.CheckID]Text
	frameworks []Framework // by id
}

// NewCatalog puts services together. Two checks of one id, two kinds of one
// name, and a rule over a kind that no service has are errors. Texts are parsed
// when they are first asked for: judging does not need them.
func NewCatalog(services ...Service) (*Catalog, error) {
	c := &Catalog{
		services: services,
		byID:     map[model.CheckID]Check{},
		kinds:    map[string]Kind{},
		owner:    map[string]string{},

		successors: map[model.CheckID]Check{},
	}
	for _, s := range services {
		for _, k := range s.Kinds {
			if _, twice := c.kinds[k.Name]; twice {
				return nil, fmt.Errorf("resource type %s is declared twice", k.Name)
			}
			c.kinds[k.Name], c.owner[k.Name] = k, s.Name
		}
		for _, r := range s.Rules {
			if _, twice := c.byID[r.ID]; twice {
				return nil, fmt.Errorf("check %s is declared twice", r.ID)
			}
			c.byID[r.ID] = Check{r, s.Name}
			for _, former := range r.Former {
				if _, twice := c.successors[former]; twice {
					return nil, fmt.Errorf("two checks were %s before", former)
				}
				c.successors[former] = c.byID[r.ID]
			}
		}
	}
	c.checks = slices.SortedFunc(maps.Values(c.byID), func(a, b Check) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, r := range c.checks {
		for _, kind := range append([]string{r.Kind}, r.Uses...) {
			if _, ok := c.kinds[kind]; !ok {
				return nil, fmt.Errorf("check %s looks at %s, which no service declares", r.ID, kind)
			}
		}
	}
	for _, r := range c.checks {
		if err := c.causes(r); err != nil {
			return nil, err
		}
	}
	c.said, c.wanted = sync.OnceValues(c.read), sync.OnceValues(c.readWanted)
	return c, nil
}

// WithFrameworks is the catalogue, with frameworks that its checks belong to. It is for who
// makes one: nothing of the texts has been asked for.
func (c *Catalog) WithFrameworks(all func() ([]framework.Framework, error)) *Catalog {
	c.frameworks = all
	return c
}

// causes holds what a check names as its causes to what can be folded: checks of the
// same type, or of what an account has once, that are judged no later and are no less
// grave.
func (c *Catalog) causes(r Check) error {
	for _, id := range r.Causes {
		cause, ok := c.byID[id]
		switch {
		case !ok: // of a service that is left out
		case cause.Kind != r.Kind && !c.kinds[cause.Kind].Once:
			return fmt.Errorf("check %s is of %s, its cause %s of %s", r.ID, r.Kind, id, cause.Kind)
		case cause.Kind != r.Kind && !cause.NeedsAccount():
			return fmt.Errorf("the cause %s of check %s is of the account, and is not judged with it", id, r.ID)
		case cause.NeedsAccount() && !r.NeedsAccount():
			return fmt.Errorf("check %s is judged before its cause %s", r.ID, id)
		case cause.Severity.Weight() < r.Severity.Weight():
			return fmt.Errorf("check %s is graver than its cause %s", r.ID, id)
		case c.follows(id, r.ID, len(c.byID)):
			return fmt.Errorf("check %s is a cause of its own cause %s", r.ID, id)
		}
	}
	return nil
}

// follows reports whether a check has another among its causes, and theirs.
func (c *Catalog) follows(id, cause model.CheckID, far int) bool {
	return id == cause || far > 0 && slices.ContainsFunc(c.byID[id].Causes, func(next model.CheckID) bool { return c.follows(next, cause, far-1) })
}

// Group is the check under which a check and those with the same cause weigh once: the
// first cause of its first cause, and so on, or itself.
func (c *Catalog) Group(id model.CheckID) model.CheckID {
	for range len(c.byID) { // no further than a circle would go
		causes := c.byID[id].Causes
		if len(causes) == 0 {
			break
		}
		id = causes[0]
	}
	return id
}

// WithExamples is the catalogue, with what fails checks and what passes them.
func (c *Catalog) WithExamples(all func() (map[model.CheckID]Examples, error)) *Catalog {
	c.examples = all
	return c
}

// Examples are what fails checks and what passes them, by check.
func (c *Catalog) Examples() (map[model.CheckID]Examples, error) {
	if c.examples == nil {
		return nil, nil
	}
	return c.examples()
}

func (c *Catalog) read() (said, error) {
	all := said{texts: map[model.CheckID]Text{}}
	for _, s := range c.services {
		texts, err := ParseTexts(s.Texts)
		if err != nil {
			return said{}, fmt.Errorf("service %s: %w", s.Name, err)
		}
		maps.Copy(all.texts, texts)
	}
	if c.frameworks == nil {
		return all, nil
	}
	frameworks, err := c.frameworks()
	if err != nil {
		return said{}, err
	}
	all.frameworks = c.join(frameworks, all.texts)
	return all, nil
}

// Services lists the services in the order given to NewCatalog.
func (c *Catalog) Services() []Service { return c.services }

// Checks lists all checks by id.
func (c *Catalog) Checks() []Check { return c.checks }

// Check finds a check by its id.
func (c *Catalog) Check(id model.CheckID) (Check, bool) {
	check, ok := c.byID[id]
	return check, ok
}

// Severity is how grave a failure of a check is.
func (c *Catalog) Severity(id model.CheckID) (model.Severity, bool) {
	check, ok := c.byID[id]
	return check.Severity, ok
}

// Successor is the check that goes under another id today.
func (c *Catalog) Successor(id model.CheckID) (Check, bool) {
	check, ok := c.successors[id]
	return check, ok
}

// Today is the check of an id that it has or had: what was planned, or judged, by
// another version goes on under the id of this one.
func (c *Catalog) Today(id model.CheckID) (Check, bool) {
	if check, ok := c.byID[id]; ok {
		return check, true
	}
	return c.Successor(id)
}

// Kind finds a resource type by name.
func (c *Catalog) Kind(name string) (Kind, bool) {
	kind, ok := c.kinds[name]
	return kind, ok
}

// Allows reports whether a check may run where only some services are asked for: each
// type that it looks at is of one of them, or shared. No services allow all.
func (c *Catalog) Allows(services []string, k Check) bool {
	return len(services) == 0 || !slices.ContainsFunc(append([]string{k.Kind}, k.Uses...), func(kind string) bool {
		return !c.kinds[kind].Shared && !slices.Contains(services, c.owner[kind])
	})
}

// ServiceOf is the service that collects a resource type.
func (c *Catalog) ServiceOf(kind string) string { return c.owner[kind] }

// Texts are the texts of all checks by id.
func (c *Catalog) Texts() (map[model.CheckID]Text, error) {
	all, err := c.said()
	return all.texts, err
}

// UnknownError says that a word names nothing, and what comes nearest.
type UnknownError struct {
	What    string // "check", "service", "region"
	Word    string
	Nearest string // empty when nothing is near
	// Among are all names, where they are few.
	Among []string
}

func (e *UnknownError) Error() string {
	text := fmt.Sprintf("unknown %s %q", e.What, e.Word)
	if e.Nearest != "" {
		text += fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	if len(e.Among) > 0 {
		text += " (one of " + strings.Join(e.Among, ", ") + ")"
	}
	return text
}

// The words that select more than a few checks.
const (
	SelectDefault = "default" // what audits run unless they are told otherwise
	SelectAll     = "all"     // the optional ones as well
)

// Default lists the checks that audits run unless they are told otherwise.
func (c *Catalog) Default() []Check {
	return slices.DeleteFunc(slices.Clone(c.checks), func(k Check) bool { return k.Optional != "" })
}

// Select finds checks by id, by glob ("kms-*"), by another tool's id ("KMS.4", or with the
// tool, "securityhub:KMS.4"), be it of what says the same or only partly so, or by what a
// requirement of a framework asks for ("cis-aws-7.0:2.12", "cis-aws-7.0:*"). No words select
// the default, as "default" does; "all" selects the optional ones as well. A word that selects
// nothing is an *UnknownError.
func (c *Catalog) Select(words []string) ([]Check, error) {
	if len(words) == 0 {
		return c.Default(), nil
	}
	chosen := map[model.CheckID]bool{}
	for _, word := range words {
		ids, err := c.find(word)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			chosen[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(c.checks), func(k Check) bool { return !chosen[k.ID] }), nil
}

func (c *Catalog) find(word string) ([]model.CheckID, error) {
	switch word {
	case SelectAll:
		return idsOf(c.checks), nil
	case SelectDefault:
		return idsOf(c.Default()), nil
	}
	if tool, alias, ok := strings.Cut(word, ":"); ok {
		if f, err := c.Framework(tool); err == nil {
			return f.find(alias)
		}
		return c.byAlias(tool, alias)
	}
	if _, ok := c.byID[model.CheckID(word)]; ok { // a connection may list hundreds, and many start at once
		return []model.CheckID{model.CheckID(word)}, nil
	}
	var found []model.CheckID
	for _, k := range c.checks {
		if ok, err := path.Match(word, string(k.ID)); err != nil {
			return nil, fmt.Errorf("check pattern %q: %w", word, err)
		} else if ok {
			found = append(found, k.ID)
		}
	}
	if len(found) == 0 {
		if called, err := c.Called(word); err != nil || len(called) > 0 {
			return called, err
		}
		names := make([]string, len(c.checks))
		for i, k := range c.checks {
			names[i] = string(k.ID)
		}
		return nil, &UnknownError{What: "check", Word: word, Nearest: Nearest(word, names)}
	}
	return found, nil
}

func idsOf(checks []Check) []model.CheckID {
	ids := make([]model.CheckID, len(checks))
	for i, c := range checks {
		ids[i] = c.ID
	}
	return ids
}

// Called are the checks that another tool calls by a word, in any case, whichever tool that is.
func (c *Catalog) Called(word string) (found []model.CheckID, err error) {
	texts, err := c.Texts()
	if err != nil {
		return nil, err
	}
	for _, k := range c.checks {
		for _, ids := range texts[k.ID].Tools() {
			if slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, word) }) && !slices.Contains(found, k.ID) {
				found = append(found, k.ID)
			}
		}
	}
	return found, nil
}

func (c *Catalog) byAlias(tool, alias string) ([]model.CheckID, error) {
	texts, err := c.Texts()
	if err != nil {
		return nil, err
	}
	var found []model.CheckID
	var known []string
	for id, text := range texts {
		for _, a := range text.Tools()[tool] {
			known = append(known, tool+":"+a)
			if strings.EqualFold(a, alias) {
				found = append(found, id)
			}
		}
	}
	if len(found) == 0 {
		return nil, &UnknownError{What: "check", Word: tool + ":" + alias, Nearest: Nearest(tool+":"+alias, known)}
	}
	return found, nil
}

// SelectServices validates the names of services that are collected; none select
// all.
func (c *Catalog) SelectServices(words []string) ([]string, error) {
	var names []string
	for _, s := range c.services {
		if len(s.Kinds) > 0 {
			names = append(names, s.Name)
		}
	}
	if len(words) == 0 {
		return names, nil
	}
	for _, word := range words {
		if !slices.Contains(names, word) {
			return nil, &UnknownError{What: "service", Word: word, Nearest: Nearest(word, names)}
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(words, n) }), nil
}

// Regions refuses names of regions that AWS did not have when this version was made, as an
// *UnknownError.
func Regions(words []string) error {
	known := model.KnownRegions()
	for _, word := range words {
		if !slices.Contains(known, word) {
			return &UnknownError{What: "region", Word: word, Nearest: Nearest(word, known)}
		}
	}
	return nil
}

// Nearest is the name that a mistyped word most likely meant; empty when none
// is near.
func Nearest(word string, names []string) string {
	best, nearest := 2+len(word)/3, ""
	for _, name := range slices.Sorted(slices.Values(names)) {
		if max(len(word)-len(name), len(name)-len(word)) >= best {
			continue // which takes as many edits already, and bounds the work for a long word
		}
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d < best {
			best, nearest = d, name
		}
	}
	return nearest
}

// distance is the number of edits (Levenshtein) between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
