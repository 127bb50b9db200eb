// Package findings answers lists of findings, over all connections of an organization, from
// the read index: in the command and the API by the same words.
package findings

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Lists answers lists of findings. It is safe for concurrent use; its fields are not to be
// changed after the first.
type Lists struct {
	Index   *index.Keepers
	Store   *store.Store
	Catalog *check.Catalog
	// Sealer seals cursors. Nil is for who reads what nobody else writes: Unsealed.
	Sealer index.Sealer

	once   sync.Once
	shaper *shape.Shaper
	rules  *index.Rules
	texts  index.Texts
	err    error
}

// Query asks for a page of findings.
type Query struct {
	// Words are a filter: those of Words. Without a word on state and its like, those
	// that are resolved are left out, and without one on causes those that only follow from
	// others, unless All is set.
	Words []string
	All   bool
	// Sort are fields, "-" before one that is the other way round; none is the gravest first.
	Sort []string
	// Limit is the most findings of a page, up to index.MaxLimit; 0 gives counts alone.
	Limit  int
	Cursor string
	Groups []index.Group
}

// Page is a page of findings.
type Page struct {
	Findings []shape.Finding
	Total    int // on all pages
	Next     string
	Groups   []index.Buckets
	// Empty says why there is none; nil if there is one.
	Empty *Empty
	// Untold is how many findings fit all words but those on tags, and are of resources
	// whose tags are not known.
	Untold int
}

// Why there is no finding.
type Why string

// The reasons, in the order in which they are looked for.
const (
	NeverAudited Why = "never_audited" // of what the caller sees, or asks for, nothing was audited as a whole yet
	FilteredOut  Why = "filtered_out"  // there are findings, and none that fits
	NotAssessed  Why = "not_assessed"  // no check that is asked for could be assessed anywhere
	NoneFound    Why = "none_found"    // what was audited has none
)

// Empty says why a list is empty.
type Empty struct {
	Why  Why    `json:"why" enum:"never_audited,filtered_out,not_assessed,none_found"`
	Text string `json:"text" doc:"The same for people"`
	// Words are those that no finding fits, whatever the others say.
	Words []string `json:"words,omitempty" doc:"Filters that no finding fits, whatever the others say"`
	// What nobody could see, so that none found is not taken for none there.
	NotAssessed int `json:"not_assessed,omitempty" doc:"How many verdicts of the checks and accounts that are meant could not be given"`
	NotAudited  int `json:"not_audited,omitempty" doc:"How many of the accounts that are meant were never audited in whole"`
}

func (l *Lists) begin() error {
	l.once.Do(func() {
		if l.shaper, l.err = shape.NewShaper(l.Catalog); l.err != nil {
			return
		}
		if l.rules, l.err = index.NewRules(l.Catalog); l.err == nil {
			l.texts, l.err = l.Catalog.Texts()
		}
		if l.Sealer == nil {
			l.Sealer = Unsealed{}
		}
	})
	return l.err
}

// defaults are the words that a query has besides its own.
func (q Query) defaults() []string {
	asks := func(fields ...string) bool {
		those, _ := filter.Part(q.Words, fields...)
		return len(those) > 0
	}
	var words []string
	if !q.All && !asks("state", "status", "resolved_at", "id") {
		words = append(words, "state=open,reopened")
	}
	if !q.All && !asks("folded", "cause", "check", "id") {
		words = append(words, "folded=false")
	}
	return words
}

// Page answers a query. What is wrong with the query is a *check.UnknownError, a
// *filter.WordError, an *index.QueryError or index.ErrCursor.
func (l *Lists) Page(ctx context.Context, org model.OrganizationID, who index.Caller, q Query) (Page, error) {
	if err := l.begin(); err != nil {
		return Page{}, err
	}
	view, err := l.Index.For(org).View(ctx)
	if err != nil {
		return Page{}, err
	}
	vocabulary := Known(l.Catalog, view, who)
	asked, err := vocabulary.Words(q.Words)
	if err != nil {
		return Page{}, err
	}
	ask := index.Query{Words: append(asked, q.defaults()...), Limit: q.Limit, Cursor: q.Cursor, Groups: slices.Clone(q.Groups)}
	for _, word := range q.Sort {
		name, down := strings.CutPrefix(word, "-")
		ask.Sort = append(ask.Sort, index.Order{Field: vocabulary.Canonical(name), Desc: down})
	}
	for i, g := range ask.Groups {
		ask.Groups[i].Field = vocabulary.Canonical(g.Field)
	}
	answer, err := view.Ask(ctx, l.checks(), l.Sealer, who, ask)
	if err != nil {
		return Page{}, err
	}
	page := Page{Findings: make([]shape.Finding, len(answer.Entries)), Total: answer.Total, Next: answer.Next, Groups: answer.Groups}
	owners := map[model.ConnectionID]shape.Owner{}
	for i, e := range answer.Entries {
		if page.Findings[i], err = l.shaper.Finding(e.Finding, l.owner(view, who, owners, e.Connection), tagsOf(e)); err != nil {
			return Page{}, err
		}
	}
	if page.Untold, err = l.untold(ctx, view, who, ask.Words); err != nil {
		return Page{}, err
	}
	if answer.Total == 0 {
		page.Empty, err = l.why(ctx, view, who, asked, q)
	}
	return page, err
}

// untold counts what fits words but for those on tags, where nobody knows the tags.
func (l *Lists) untold(ctx context.Context, view *index.View, who index.Caller, words []string) (int, error) {
	onTags, others := filter.Part(words, TagField)
	if len(onTags) == 0 {
		return 0, nil
	}
	answer, err := view.Ask(ctx, l.checks(), l.Sealer, who, index.Query{Words: append(others, "tags="+index.TagsUnknown)})
	return answer.Total, err
}

func (l *Lists) checks() index.Checks {
	return index.Checks{Texts: l.texts, Severity: l.Catalog.Severity}
}

// owner is what the connection of a finding adds to it.
func (l *Lists) owner(view *index.View, who index.Caller, known map[model.ConnectionID]shape.Owner, id model.ConnectionID) shape.Owner {
	of, ok := known[id]
	if !ok {
		c, _ := view.Connection(who, id)
		of = shape.Owner{Connection: id, Name: c.Name}
		if len(c.Projects) == 1 {
			of.Project = c.Projects[0]
		}
		known[id] = of
	}
	return of
}

func tagsOf(e index.Entry) shape.Tags {
	switch {
	case !e.TagsKnown:
		return nil
	case e.Tags == nil:
		return shape.Tags{}
	}
	return e.Tags
}

// One is a finding with its evidence and history, by its id or the beginning of one; of a
// connection, or of any if that is empty. If there is none that the caller sees, it is
// store.ErrNotFound; several are a *SeveralError, but of two connections of one account, which
// have findings of one id, it is that of the first.
func (l *Lists) One(ctx context.Context, org model.OrganizationID, who index.Caller, connection model.ConnectionID, id string) (shape.Finding, error) {
	if err := l.begin(); err != nil {
		return shape.Finding{}, err
	}
	view, err := l.Index.For(org).View(ctx)
	if err != nil {
		return shape.Finding{}, err
	}
	missing := fmt.Errorf("finding %s: %w", id, store.ErrNotFound)
	if !isID(id) {
		return shape.Finding{}, missing
	}
	words := []string{"id=" + id + "*"}
	if connection != "" {
		if _, seen := view.Connection(who, connection); !seen {
			return shape.Finding{}, missing
		}
		words = append(words, "connection="+string(connection))
	}
	found, err := view.Ask(ctx, l.checks(), Unsealed{}, who, index.Query{Words: words, Limit: 2, Sort: []index.Order{{Field: "id"}}})
	switch {
	case err != nil:
		return shape.Finding{}, err
	case found.Total == 0:
		return shape.Finding{}, missing
	case found.Total > 1 && len(id) < IDLength:
		return shape.Finding{}, &SeveralError{Beginning: id, Count: found.Total}
	}
	e := found.Entries[0]
	records := l.Store.For(org)
	scopes, err := records.Scopes(ctx, e.Connection) // also those of services that are no more
	if err != nil {
		return shape.Finding{}, err
	}
	f, err := records.Finding(ctx, e.Connection, scopes, e.ID)
	if err != nil {
		return shape.Finding{}, err
	}
	f.Severity = e.Severity
	return l.shaper.Finding(f, l.owner(view, who, map[model.ConnectionID]shape.Owner{}, e.Connection), tagsOf(e))
}

// IDLength is how long a finding's id is.
const IDLength = 32

func isID(id string) bool {
	return id != "" && len(id) <= IDLength && strings.Trim(id, "0123456789abcdefABCDEF") == ""
}

// SeveralError says that several findings have an id that begins so.
type SeveralError struct {
	Beginning string
	Count     int
}

func (e *SeveralError) Error() string {
	return fmt.Sprintf("%d findings have ids that begin with %q", e.Count, e.Beginning)
}

// Everything is the caller who sees all: of the state of a machine that is his own.
var Everything = index.Caller{Sees: func(string) bool { return true }}

// Unsealed is a sealer that seals nothing.
type Unsealed struct{}

// Seal implements index.Sealer.
func (Unsealed) Seal(_ context.Context, purpose, plain string) (string, error) {
	return base64.RawURLEncoding.EncodeToString([]byte(purpose + "\n" + plain)), nil
}

// Open implements index.Sealer.
func (Unsealed) Open(_ context.Context, purpose, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	plain, ok := strings.CutPrefix(string(raw), purpose+"\n")
	if err != nil || !ok {
		return "", index.ErrCursor
	}
	return plain, nil
}

// Some visits the findings of a query, up to a number of them; 0 is all. It gives what a page
// says besides.
func (l *Lists) Some(ctx context.Context, org model.OrganizationID, who index.Caller, q Query, most int, visit func(shape.Finding) error) (Page, error) {
	var first Page
	for seen, began := 0, false; ; began = true {
		q.Limit = index.MaxLimit
		if most > 0 {
			q.Limit = min(index.MaxLimit, most-seen)
		}
		page, err := l.Page(ctx, org, who, q)
		if err != nil {
			return first, err
		}
		if !began {
			first = Page{Total: page.Total, Groups: page.Groups, Empty: page.Empty, Untold: page.Untold}
		}
		for _, f := range page.Findings {
			if err := visit(f); err != nil {
				return first, err
			}
		}
		seen += len(page.Findings)
		if q.Cursor = page.Next; q.Cursor == "" || most > 0 && seen >= most {
			return first, nil
		}
	}
}

// Asked reports whether an error says what is wrong with a query, in words for who made it.
func Asked(err error) bool {
	var unknown *check.UnknownError
	var word *filter.WordError
	var query *index.QueryError
	var unmapped *check.NoCheckError
	return errors.As(err, &unmapped) || errors.As(err, &unknown) || errors.As(err, &word) || errors.As(err, &query)
}
