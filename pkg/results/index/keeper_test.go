package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const org = "acme"

// world is an organization whose findings change, whose writers die, and whose index is
// read by two processes.
type world struct {
	table   table.Table
	blobs   blob.Store
	now     time.Time
	scopes  bool
	keepers []*index.Keeper
}

func newWorld() *world {
	w := &world{blobs: memblob.New(), now: began}
	w.table = memtable.New(func() time.Time { return w.now })
	for range 2 {
		w.keepers = append(w.keepers, w.keeper(w.table))
	}
	return w
}

func (w *world) org(t table.Table) *store.Organization { return store.New(t, today).For(org) }

func (w *world) keeper(t table.Table) *index.Keeper {
	return &index.Keeper{ID: org, Store: w.org(t), Blobs: w.blobs, Now: func() time.Time { return w.now }, Tags: func(context.Context, model.ConnectionID) (func(model.Ref) (map[string]string, bool), error) {
		return tagsOf, nil
	}}
}

// change writes findings of a scope as the pipeline does, and dies at one of its requests
// to the table, or at none.
func (w *world) change(ctx context.Context, t table.Table, connection model.ConnectionID, scope string, entries []index.Entry) error {
	o := w.org(t)
	if err := o.BeginFindings(ctx, connection, scope, w.now, w.now.Add(time.Minute)); err != nil {
		return err
	}
	if err := write(ctx, o, connection, scope, entries); err != nil {
		return err
	}
	if w.scopes { // as a scope does, and not an audit that ends
		return o.EndFindings(ctx, connection, scope, w.now)
	}
	p, err := w.keeper(t).Prepare(ctx, connection, scope)
	if err != nil {
		return err
	}
	return o.EndPrepared(ctx, connection, scope, p, w.now)
}

// write writes findings of a scope as releases did that had no index.
func write(ctx context.Context, o *store.Organization, connection model.ConnectionID, scope string, entries []index.Entry) error {
	record, err := o.Scope(ctx, connection, scope)
	if err != nil {
		return err
	}
	if record.IsNew() {
		record.Parts = 1
	}
	record.Try++
	if err := o.PutScope(ctx, connection, scope, &record); err != nil {
		return err
	}
	for _, e := range entries {
		f := e.Finding
		stored, err := o.FindingOf(ctx, connection, scope, 1, f.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		f.Version = stored.Version
		if err := o.PutFinding(ctx, scope, 1, f); err != nil {
			return err
		}
	}
	return nil
}

// truth is what the table says.
func (w *world) truth(ctx context.Context, t *rapid.T) oracle {
	o := oracle{projects: map[model.ConnectionID][]string{}, called: map[model.ConnectionID]string{}}
	all := w.org(w.table)
	for c, err := range all.EveryConnection(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if c.State == model.ConnectionDeleted {
			continue
		}
		o.called[c.ID] = c.Name
		if c.Project != "" {
			o.projects[c.ID] = []string{c.Project}
		}
		scopes, err := all.Scopes(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		byID := map[model.FindingID]index.Entry{}
		for _, scope := range scopes {
			found, err := all.Findings(ctx, c.ID, scope)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				f.Evidence, f.History, f.Source, f.Version = nil, nil, "", 0
				e := index.Entry{Finding: f}
				e.Tags, e.TagsKnown = tagsOf(f.Resource)
				before, known := byID[f.ID]
				switch {
				case !known,
					f.State.Open() && !before.State.Open(),
					f.State.Open() == before.State.Open() && f.ResolvedAt.After(before.ResolvedAt),
					f.State.Open() == before.State.Open() && f.ResolvedAt.Equal(before.ResolvedAt) && f.FirstSeen.After(before.FirstSeen):
					byID[f.ID] = e
				}
			}
		}
		o.entries = slices.AppendSeq(o.entries, maps.Values(byID))
	}
	return o
}

// TestTheIndexAnswersAsTheTable tells nothing else than a scan of the whole table, whatever
// is asked, whoever asks, and whoever died before.
func TestTheIndexAnswersAsTheTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		w := newWorld()
		connections := []model.ConnectionID{"c1", "c2", "c3", "c4"}
		for _, id := range connections {
			if err := w.org(w.table).PutConnection(ctx, &model.Connection{ID: id, AccountID: "111111111111", Project: rapid.SampledFrom(projects).Draw(t, "project"), State: model.ConnectionActive}); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "was there before the index") {
			for _, id := range connections[:2] {
				if err := write(ctx, w.org(w.table), id, "s3", []index.Entry{drawEntry(t, id)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		died, hidden := false, map[model.ConnectionID]bool{}
		for range rapid.IntRange(1, 6).Draw(t, "turns") {
			c := rapid.SampledFrom(connections).Draw(t, "connection")
			var entries []index.Entry
			ids := map[model.FindingID]bool{}
			for range rapid.IntRange(0, 8).Draw(t, "findings") {
				if e := drawEntry(t, c); !ids[e.ID] {
					ids[e.ID] = true
					entries = append(entries, e)
				}
			}
			lives := w.table
			if rapid.Bool().Draw(t, "is read in between") { // which is what makes an index that says too little
				k := rapid.SampledFrom(w.keepers).Draw(t, "by whom")
				lives = mortal.Overtaken(lives, int64(rapid.IntRange(1, 40).Draw(t, "when")), func() { view(ctx, t, k) })
			}
			if rapid.Bool().Draw(t, "dies") {
				lives = mortal.Dies(lives, int64(rapid.IntRange(1, 40).Draw(t, "at")), rapid.Bool().Draw(t, "after"))
			}
			scope := rapid.SampledFrom([]string{"s3", "across"}).Draw(t, "scope")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0: // a connection is deleted, by one who says so before
				err := w.remove(ctx, lives, c)
				died = died || errors.Is(err, mortal.ErrDead)
			case 1: // an object is lost, or altered
				w.harm(ctx, t)
			case 2: // a connection is given to another project
				err := w.move(ctx, lives, c, rapid.SampledFrom(projects).Draw(t, "to"))
				if err != nil && !errors.Is(err, mortal.ErrDead) {
					t.Fatal(err)
				}
				if err != nil {
					hidden[c] = true
				}
			case 3: // a connection is called otherwise
				err := w.rename(ctx, lives, c, rapid.SampledFrom([]string{"", "prod", "dev"}).Draw(t, "name"))
				if err != nil && !errors.Is(err, mortal.ErrDead) {
					t.Fatal(err)
				}
				died = died || err != nil
			default:
				w.scopes = rapid.Bool().Draw(t, "a scope")
				err := w.change(ctx, lives, c, scope, entries)
				if err != nil && !errors.Is(err, mortal.ErrDead) {
					t.Fatal(err)
				}
				died = died || err != nil
			}
			at := int64(rapid.IntRange(1, 30).Draw(t, "reader at"))
			switch rapid.IntRange(0, 4).Draw(t, "reader") {
			case 0: // dies
				_, err := w.keeper(mortal.Dies(w.table, at, false)).View(ctx)
				if err != nil && !errors.Is(err, mortal.ErrDead) {
					t.Fatal(err)
				}
			case 1: // is overtaken by who writes, and stores what is old by then
				e := drawEntry(t, c)
				view(ctx, t, w.keeper(mortal.Overtaken(w.table, at, func() {
					if err := w.change(ctx, w.table, c, scope, []index.Entry{e}); err != nil {
						t.Fatal(err)
					}
				})))
			case 2:
				view(ctx, t, rapid.SampledFrom(w.keepers).Draw(t, "by"))
			}
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
		}
		if died {
			w.now = w.now.Add(index.Lag) // it may lie for so long, and no longer
		}
		for c := range hidden { // until its next audit ends
			w.now = w.now.Add(3 * time.Minute)
			if err := w.org(w.table).EndFindings(ctx, c, "audit", w.now); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.IntRange(0, 5).Draw(t, "rebuild") == 0 {
			if _, err := w.keepers[0].Rebuild(ctx); err != nil {
				t.Fatal(err)
			}
		}
		truth := w.truth(ctx, t)
		for _, k := range w.keepers {
			ask(ctx, t, k, truth)
			called := map[model.ConnectionID]string{}
			for c := range view(ctx, t, k).Connections(index.Caller{Sees: func(string) bool { return true }}) {
				called[c.ID] = c.Name
			}
			if diff := cmp.Diff(truth.called, called); diff != "" {
				t.Fatalf("names of connections: %s", diff)
			}
		}
	})
}

func (w *world) rename(ctx context.Context, t table.Table, id model.ConnectionID, name string) error {
	return w.alter(ctx, t, id, func(c *model.Connection) { c.Name = name })
}

func (w *world) move(ctx context.Context, t table.Table, id model.ConnectionID, project string) error {
	return w.alter(ctx, t, id, func(c *model.Connection) { c.Project = project })
}

// alter changes a connection that is there as people do.
func (w *world) alter(ctx context.Context, t table.Table, id model.ConnectionID, change func(*model.Connection)) error {
	c, err := w.org(w.table).AnyConnection(ctx, id)
	if err != nil || c.State == model.ConnectionDeleted {
		return err
	}
	change(&c)
	return w.org(t).ChangeConnection(ctx, model.Change{At: w.now}, &c)
}

func (w *world) remove(ctx context.Context, t table.Table, id model.ConnectionID) error {
	o := w.org(t)
	c, err := o.AnyConnection(ctx, id)
	if err != nil || c.State == model.ConnectionDeleted {
		return err
	}
	if err := o.BeginFindings(ctx, id, "deletion", w.now, w.now.Add(time.Minute)); err != nil {
		return err
	}
	c.State = model.ConnectionDeleted
	if err := o.PutConnection(ctx, &c); err != nil {
		return err
	}
	return o.HideFindings(ctx, id)
}

func (w *world) harm(ctx context.Context, t *rapid.T) {
	var keys []string
	for info, err := range w.blobs.List(ctx, "index/") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	if len(keys) == 0 {
		return
	}
	key := rapid.SampledFrom(keys).Draw(t, "object")
	r, err := w.blobs.Get(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	switch harm := rapid.IntRange(0, 2).Draw(t, "harm"); {
	case harm == 0:
		err = w.blobs.Delete(ctx, key)
	case harm == 1 || len(raw) <= head:
		err = w.blobs.Put(ctx, key, strings.NewReader("CAQS\x01 what somebody else wrote"))
	default: // cut off, and the checksum made right
		err = w.blobs.Put(ctx, key, bytes.NewReader(signed(string(raw[:4]), raw[head:len(raw)-1])))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func view(ctx context.Context, t *rapid.T, k *index.Keeper) *index.View {
	v, err := k.View(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ask draws a query, and compares all of its pages and groups.
func ask(ctx context.Context, t *rapid.T, k *index.Keeper, truth oracle) {
	granted := rapid.SliceOfDistinct(rapid.SampledFrom(projects), rapid.ID).Draw(t, "granted")
	sees := func(p string) bool { return slices.Contains(granted, p) }
	who := index.Caller{Sees: sees, Grants: fmt.Sprint(granted)}
	q := index.Query{Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
	for range rapid.IntRange(0, 2).Draw(t, "words") {
		q.Words = append(q.Words, drawWord(t))
	}
	for _, field := range rapid.SliceOfNDistinct(rapid.SampledFrom(index.Sortable()), 0, 3, rapid.ID).Draw(t, "sort") {
		q.Sort = append(q.Sort, index.Order{Field: field, Desc: rapid.Bool().Draw(t, "desc")})
	}
	grouped := rapid.SampledFrom(append(index.Groupable(), "tag:env", "tag:team")).Draw(t, "group")
	q.Groups = []index.Group{{Field: grouped, Limit: index.MaxBuckets}}
	want, err := truth.find(q.Words, sees)
	if err != nil {
		t.Fatal(err)
	}
	order := q.Sort
	if len(order) == 0 {
		order = index.DefaultSort()
	}
	slices.SortFunc(want, compare(order))
	var got []index.Entry
	for {
		v := view(ctx, t, k)
		page, err := v.Ask(ctx, checks, plain{}, who, q)
		if err != nil {
			t.Fatalf("%v: %v", q, err)
		}
		if page.Total != len(want) {
			t.Fatalf("%v: in all %d, want %d", q, page.Total, len(want))
		}
		counts := map[string]int{}
		for _, b := range page.Groups[0].Values {
			counts[b.Value] = b.Count
			sum := 0
			for _, n := range b.Severities {
				sum += n
			}
			if sum != b.Count {
				t.Fatalf("%v: by severities %d of %d", q, sum, b.Count)
			}
		}
		if diff := cmp.Diff(truth.groups(want, grouped), counts); diff != "" {
			t.Fatalf("%v by %s: %s", q, grouped, diff)
		}
		got = append(got, page.Entries...)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
		if len(page.Entries) != q.Limit {
			t.Fatalf("a page of %d, and more follow", len(page.Entries))
		}
		other := q
		other.Words = append(slices.Clone(q.Words), "state!=nothing")
		if _, err := v.Ask(ctx, checks, plain{}, who, other); !errors.Is(err, index.ErrCursor) {
			t.Fatalf("a cursor of another query: %v", err)
		}
		if _, err := v.Ask(ctx, checks, plain{}, index.Caller{Sees: sees, Grants: "more"}, q); !errors.Is(err, index.ErrCursor) {
			t.Fatalf("a cursor of another caller: %v", err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%+v (-want +got): %s", q, diff)
	}
}

// gated holds up queries of a table until it is opened.
type gated struct {
	table.Table
	open  chan struct{}
	reads atomic.Int64
}

func (g *gated) Query(ctx context.Context, q table.Query) (table.Page, error) {
	<-g.open
	g.reads.Add(1)
	return g.Table.Query(ctx, q)
}

// TestWaitersShare: who waits while somebody refreshes does not refresh after each other, and
// sees what was there when it came.
func TestWaitersShare(t *testing.T) {
	w := newWorld()
	entries := estate(1, 10)
	id := entries[0].Connection
	if err := w.org(w.table).PutConnection(t.Context(), &model.Connection{ID: id, State: model.ConnectionActive}); err != nil {
		t.Fatal(err)
	}
	if err := w.change(t.Context(), w.table, id, "s3", entries); err != nil {
		t.Fatal(err)
	}
	if _, err := w.keeper(w.table).View(t.Context()); err != nil { // what is written is read outside of the bubble alone: it is unpacked by what all tests share
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		gate := &gated{Table: w.table, open: make(chan struct{})}
		k := w.keeper(gate)
		close(gate.open)
		for range 2 {
			gate.reads.Store(0)
			if _, err := k.View(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		one := gate.reads.Load() // of a refresh when nothing changed
		gate.open = make(chan struct{})
		gate.reads.Store(0)
		for range 20 {
			go func() {
				if v, err := k.View(t.Context()); err != nil || v.Len() != len(entries) {
					t.Errorf("%v, %v", v, err)
				}
			}()
		}
		synctest.Wait()
		close(gate.open)
		synctest.Wait()
		if n := gate.reads.Load(); n < one || n > 2*one {
			t.Errorf("20 at once read %d times, and one %d", n, one)
		}
	})
}
