package recorded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Estate is what the newest audits of accounts saw.
type Estate struct {
	Store    *store.Organization
	Evidence blob.Store
	Catalog  *check.Catalog
	View     *index.View // tells which connections there are, as far as who asks sees them
	Who      index.Caller
	Now      func() time.Time
}

// ResourceWords are what can be asked of resources. Accounts, connections and projects are
// whatever there is.
func ResourceWords(catalog *check.Catalog) filter.Vocabulary {
	return pick(findings.Words(catalog), "account", "connection", "name", "part", "project", "region", "resource", "resource_type", "service", "tag:")
}

func pick(v filter.Vocabulary, names ...string) filter.Vocabulary {
	return slices.DeleteFunc(slices.Clone(v), func(f filter.Field) bool { return !slices.Contains(names, f.Name) })
}

// Position is where a list of resources goes on: behind so many lines of a task of an
// audit of a connection, or before what it does not name. The zero Position is the beginning.
type Position struct {
	Connection model.ConnectionID `json:"c"`
	Audit      model.AuditID      `json:"a"`
	Task       model.TaskID       `json:"t"`
	Line       int                `json:"l"`
}

// ErrStop ends a list where it is.
var ErrStop = errors.New("enough")

// Untold is of how many resources the tags are not known, so that no word on tags fits them,
// and why.
type Untold struct {
	Resources int      `json:"resources"`
	Why       []string `json:"why"`
}

// Add adds others.
func (u *Untold) Add(o Untold) {
	u.Resources += o.Resources
	for _, why := range o.Why {
		if !slices.Contains(u.Why, why) {
			u.Why = append(u.Why, why)
		}
	}
	slices.Sort(u.Why)
}

// Left is what a list of resources does not tell.
type Left struct {
	Untold Untold
	// Forgotten are the accounts that have nothing in the list because what their newest
	// audits recorded is not kept any more.
	Forgotten []string
	Unaudited int // accounts that have nothing in it because no audit of them has a result
}

// Add adds that of another page.
func (l *Left) Add(o Left) {
	l.Untold.Add(o.Untold)
	l.Forgotten = append(l.Forgotten, o.Forgotten...)
	l.Unaudited += o.Unaudited
}

// Visit is called with each resource that fits, and with nil for what was looked at otherwise,
// so that it can say ErrStop when enough was looked at; it then has not taken what it was called
// with. opens says that a connection or an object of evidence would be read next, which takes
// longer by far than to look at a resource.
type Visit func(r *shape.Resource, opens bool) error

// Resources visits the resources that fit the words of a filter, connection by connection.
// If visit said ErrStop, next is where the list goes on, and otherwise the zero Position. From
// any next at least a resource, a connection or an object is looked at before visit can say so
// again, and what is left is told by one page alone. What is wrong with the words is an error
// as findings.Asked knows it.
func (e Estate) Resources(ctx context.Context, words []string, from Position, visit Visit) (next Position, left Left, err error) {
	vocabulary := pick(findings.Known(e.Catalog, e.View, e.Who), ResourceWords(e.Catalog).Names()...)
	if words, err = vocabulary.Words(words); err != nil {
		return next, left, err
	}
	w := &walk{Estate: e, words: words, begins: from, at: from, visit: visit}
	onTags, others := filter.Part(words, findings.TagField)
	_, others = filter.Part(others, findings.OfConnection...)
	if w.fits, err = filter.Parse(fieldsOf(nil), others); err != nil {
		return next, left, err
	}
	if w.tags, err = filter.Parse(fieldsOf(onTags), onTags); err != nil {
		return next, left, err
	}
	meant, err := findings.Meant(words)
	if err != nil {
		return next, left, err
	}
	connections := slices.SortedFunc(e.View.Connections(e.Who), func(a, b index.Connection) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, c := range connections {
		if c.ID < from.Connection || !meant(c) {
			continue
		}
		if err = w.connection(ctx, c); err != nil {
			break
		}
	}
	if errors.Is(err, ErrStop) {
		return w.at, w.left, nil
	}
	return next, w.left, err
}

// walk is a list of resources on its way.
type walk struct {
	Estate
	words      []string
	fits, tags filter.Filter[shape.Resource] // what is left out by other words needs no tags
	begins, at Position                      // where the list began, and where it would go on
	visit      Visit
	left       Left
}

// opens goes on before what is read next, unless the list began with it.
func (w *walk) opens(p Position) error {
	if p == w.begins {
		return nil
	}
	w.at = p
	return w.visit(nil, true)
}

func (w *walk) connection(ctx context.Context, c index.Connection) error {
	begin := Position{Connection: c.ID}
	if c.ID == w.begins.Connection {
		begin = w.begins
	} else if err := w.opens(begin); err != nil {
		return err
	}
	audit, tasks, err := w.toRead(ctx, c, begin.Audit, &w.left)
	if err != nil || audit.ID == "" {
		return err
	}
	if begin.Audit != audit.ID { // which is not there any more
		begin = Position{}
	}
	known, err := w.tagsOf(ctx, c)
	if err != nil {
		return err
	}
	owner := shape.Owner{Connection: c.ID, Name: c.Name}
	if len(c.Projects) == 1 {
		owner.Project = c.Projects[0]
	}
	asked, _ := filter.Part(w.words, "service", "resource_type")
	repeats := len(asked) == 0
	skipping := begin.Task != ""
	for _, task := range tasks {
		if skipping && task.ID != begin.Task {
			continue
		}
		skip := 0
		if skipping {
			skip, skipping = begin.Line, false
		}
		if task.Evidence == "" {
			continue
		}
		if skip == 0 {
			if err := w.opens(Position{Connection: c.ID, Audit: audit.ID, Task: task.ID}); err != nil {
				return err
			}
		}
		line := 0
		look := func(r *shape.Resource) error {
			err := w.visit(r, false)
			if err == nil {
				w.at = Position{c.ID, audit.ID, task.ID, line}
			}
			return err
		}
		err := pipeline.ReadEvidence(ctx, w.Evidence, task.Object(task.Evidence), func(entry evidence.Entry) error {
			if line++; line <= skip || entry.Resource == nil {
				return nil
			}
			// A row may only repeat another service's resource, for its tags.
			if repeats && entry.Kind == (tagging.TaggedResource{}).Kind() {
				return look(nil)
			}
			r := shape.NewResource(audit, task.Service, entry, owner)
			if !w.fits.Match(r) {
				return look(nil)
			}
			var why string
			if r.Tags, why = known(entry.Ref); w.tags.Match(r) {
				return look(&r)
			}
			err := look(nil)
			if err == nil && r.Tags == nil { // what the page has no room for, the next one tells
				w.left.Untold.Add(Untold{1, []string{why}})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// toRead is the audit of a connection that a list goes on with, or else the newest that was of
// all of it, or the newest that has a result, with its tasks: of those whose evidence is kept.
// If there is none, it notes why.
func (e Estate) toRead(ctx context.Context, c index.Connection, begun model.AuditID, left *Left) (audit model.Audit, tasks []model.Task, err error) {
	err = store.ErrNotFound
	if begun != "" {
		if audit, err = e.Store.Audit(ctx, c.ID, begun); err == nil && audit.Forgotten(e.Now()) {
			err = store.ErrNotFound
		}
	}
	forgotten := false
	kept := func(of func(model.Audit) bool) func(model.Audit) bool {
		return func(a model.Audit) bool {
			forgotten = forgotten || of(a) && a.Forgotten(e.Now())
			return of(a) && !a.Forgotten(e.Now())
		}
	}
	for _, of := range []func(model.Audit) bool{index.Whole, func(a model.Audit) bool { return a.Summary != nil && !a.Verification }} {
		if errors.Is(err, store.ErrNotFound) {
			audit, err = e.Store.LatestInShort(ctx, c.ID, kept(of))
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound) && forgotten:
		left.Forgotten = append(left.Forgotten, c.Account)
		return model.Audit{}, nil, nil
	case errors.Is(err, store.ErrNotFound):
		left.Unaudited++
		return model.Audit{}, nil, nil
	case err != nil:
		return audit, nil, err
	}
	tasks, err = e.Store.Tasks(ctx, audit.ID)
	return audit, tasks, err
}

// tagsOf tells the tags of a connection's resources, or why they are not known.
func (e Estate) tagsOf(ctx context.Context, c index.Connection) (func(model.Ref) (shape.Tags, string), error) {
	listed, err := tags.Newest(ctx, e.Store, c.ID, e.Now())
	if err != nil {
		return nil, err
	}
	if len(listed) == 0 {
		return func(model.Ref) (shape.Tags, string) {
			return nil, fmt.Sprintf("no audit of account %s listed its tags: audit it in full, or with %s among --services", c.Account, tagging.Name)
		}, nil
	}
	all, err := tags.Read(ctx, e.Evidence, listed, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	return func(r model.Ref) (shape.Tags, string) {
		of, gap := all.Of(r)
		if gap != nil {
			return nil, reason(c.Account, *gap)
		}
		return of, ""
	}, nil
}

// reason says why tags are not known.
func reason(account string, gap fact.Gap) string {
	if gap.Reason == fact.Unsupported && gap.Operation == "" {
		return gap.Detail
	}
	region := gap.Region
	if region == "" {
		region = "the region of global resources"
	}
	what := fmt.Sprintf("%s of account %s was not listed", region, account)
	if gap.Reason != fact.NotCollected {
		what += " (" + gap.String() + ")"
	}
	if gap.Action != "" {
		what += ": allow " + gap.Action
	}
	return what
}

// fieldsOf are the fields of resources that words ask for, beside those of connections.
func fieldsOf(words []string) filter.Fields[shape.Resource] {
	one := func(value func(shape.Resource) string) func(shape.Resource) []string {
		return func(r shape.Resource) []string { return []string{value(r)} }
	}
	fields := filter.Fields[shape.Resource]{
		"name":          one(func(r shape.Resource) string { return r.Name }),
		"part":          one(func(r shape.Resource) string { return r.Part }),
		"region":        one(func(r shape.Resource) string { return r.Region }),
		"resource":      one(func(r shape.Resource) string { return r.Resource }),
		"resource_type": one(func(r shape.Resource) string { return r.Type }),
		"service":       one(func(r shape.Resource) string { return r.Service }),
	}
	for _, word := range words {
		if key, ok := strings.CutPrefix(filter.FieldOf(word), findings.TagField); ok {
			fields[findings.TagField+key] = func(r shape.Resource) []string {
				if r.Tags == nil {
					return filter.Unknown
				}
				if value, ok := r.Tags[key]; ok {
					return []string{value}
				}
				return nil
			}
		}
	}
	return fields
}
