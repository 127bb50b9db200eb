package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// counting counts what is asked of a table, and of a blob store.
type counting struct {
	queries, gets, blobs, writes atomic.Int64
}

func (c *counting) String() string {
	return fmt.Sprintf("%d queries, %d records, %d blobs, %d blobs written", c.queries.Load(), c.gets.Load(), c.blobs.Load(), c.writes.Load())
}

type countedTable struct {
	table.Table
	c *counting
}

func (t countedTable) Query(ctx context.Context, q table.Query) (table.Page, error) {
	t.c.queries.Add(1)
	return t.Table.Query(ctx, q)
}

func (t countedTable) Get(ctx context.Context, k table.Key) (table.Item, error) {
	t.c.gets.Add(1)
	return t.Table.Get(ctx, k)
}

type countedBlobs struct {
	blob.Store
	c *counting
}

func (b countedBlobs) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	b.c.blobs.Add(1)
	return b.Store.Get(ctx, key)
}

func (b countedBlobs) Put(ctx context.Context, key string, r io.Reader) error {
	b.c.writes.Add(1)
	return b.Store.Put(ctx, key, r)
}

// filled is a world of so many connections, each with some findings.
func filled(t *testing.T, connections int) *world {
	t.Helper()
	w := newWorld()
	for n := range connections {
		entries := estate(n, 5)
		id := entries[0].Connection
		if err := w.org(w.table).PutConnection(t.Context(), &model.Connection{ID: id, State: model.ConnectionActive}); err != nil {
			t.Fatal(err)
		}
		if err := w.change(t.Context(), w.table, id, "s3", entries); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// TestReadsOfAPage counts what a page costs: at most a read per shard, and one query.
func TestReadsOfAPage(t *testing.T) {
	t.Parallel()
	w := filled(t, 300)
	ask := func(what string, k *index.Keeper, c *counting, queries, records, blobs, writes int64) {
		t.Helper()
		c.queries.Store(0)
		c.gets.Store(0)
		c.blobs.Store(0)
		c.writes.Store(0)
		if _, err := k.View(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s", what, c)
		if c.queries.Load() > queries || c.gets.Load() > records || c.blobs.Load() > blobs || c.writes.Load() > writes {
			t.Errorf("%s: %s; at most %d, %d, %d, %d", what, c, queries, records, blobs, writes)
		}
	}
	counted := func() (*index.Keeper, *counting) {
		c := &counting{}
		k := w.keeper(countedTable{w.table, c})
		k.Blobs = countedBlobs{w.blobs, c}
		return k, c
	}
	first, c := counted()
	ask("who finds all shards stale", first, c, 1+store.Shards, 0, store.Shards+300, store.Shards)
	ask("again", first, c, 1, 0, 0, 0)
	second, d := counted()
	ask("who begins", second, d, 1, 0, store.Shards, 0)
	entries := estate(7, 5)
	if err := w.change(t.Context(), w.table, entries[0].Connection, "s3", entries[:1]); err != nil {
		t.Fatal(err)
	}
	ask("after an audit", first, c, 2, 0, 2, 1)
	ask("the other, after it", second, d, 1, 0, 1, 0)
}

// TestMovedBetweenProjects shows the findings of a connection that moves to nobody who may
// not see both projects, wherever who moves it dies.
func TestMovedBetweenProjects(t *testing.T) {
	t.Parallel()
	w := newWorld()
	c := model.Connection{ID: "c1", Project: "p1", State: model.ConnectionActive}
	o := w.org(w.table)
	if err := o.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if err := w.change(t.Context(), w.table, "c1", "s3", relabel(estate(1, 3), "c1")); err != nil {
		t.Fatal(err)
	}
	seen := func(projects ...string) int {
		view, err := w.keepers[0].View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		who := index.Caller{Sees: func(p string) bool { return slices.Contains(projects, p) }}
		page, err := view.Ask(t.Context(), checks, plain{}, who, index.Query{})
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	for _, step := range []struct {
		name         string
		do           func() error
		p1, p2, both int
	}{
		{"before", func() error { return nil }, 3, 0, 3},
		{"said", func() error { return o.ShowFindings(t.Context(), "c1", []string{"p1", "p2"}) }, 0, 0, 3},
		{"moved", func() error { c.Project = "p2"; return o.PutConnection(t.Context(), &c) }, 0, 0, 3},
		{"done", func() error { return o.ShowFindings(t.Context(), "c1", []string{"p2"}) }, 0, 3, 3},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if p1, p2, both := seen("p1"), seen("p2"), seen("p1", "p2"); p1 != step.p1 || p2 != step.p2 || both != step.both {
			t.Errorf("%s: p1 sees %d, p2 %d, who sees both %d", step.name, p1, p2, both)
		}
	}
}

func relabel(entries []index.Entry, connection model.ConnectionID) []index.Entry {
	for i := range entries {
		entries[i].Connection = connection
	}
	return entries
}

// TestManyAtOnce has several processes write and read at once. In the end all read what the
// table has.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := filled(t, 12)
	var group sync.WaitGroup
	for n := range 12 {
		group.Go(func() {
			entries := estate(n, 5)
			for i := range entries {
				if err := w.change(t.Context(), w.table, entries[0].Connection, fmt.Sprint("scope", i%3), entries[i:i+1]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 4 {
		group.Go(func() {
			for range 10 {
				if _, err := w.keepers[n%2].View(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for _, k := range append(w.keepers, w.keeper(w.table)) {
		view, err := k.View(t.Context())
		if err != nil || view.Len() != 12*5 {
			t.Errorf("%d findings, %v", view.Len(), err)
		}
	}
}

// TestRefusedQueries has what is asked for in vain refused, with the nearest word.
func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	view, err := index.Load()
	if err != nil {
		t.Fatal(err)
	}
	who := index.Caller{Sees: func(string) bool { return true }}
	for nearest, q := range map[string]index.Query{
		"severity": {Words: []string{"severty=high"}},
		"region":   {Sort: []index.Order{{Field: "regon"}}},
		"service":  {Groups: []index.Group{{Field: "servce", Limit: 1}}},
	} {
		var unknown *check.UnknownError
		if _, err := view.Ask(t.Context(), checks, plain{}, who, q); !errors.As(err, &unknown) || unknown.Nearest != nearest {
			t.Errorf("%+v: %v, want the nearest, %s", q, err, nearest)
		}
	}
	for name, q := range map[string]index.Query{
		"a large page":   {Limit: index.MaxLimit + 1},
		"sorted twice":   {Sort: []index.Order{{Field: "region"}, {Field: "region", Desc: true}}},
		"many values":    {Groups: []index.Group{{Field: "region", Limit: index.MaxBuckets + 1}}},
		"many groups":    {Groups: make([]index.Group, index.MaxGroups+1)},
		"many filters":   {Words: make([]string, index.MaxWords+1)},
		"before nothing": {Limit: -1},
	} {
		var refused *index.QueryError
		if _, err := view.Ask(t.Context(), checks, plain{}, who, q); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := view.Ask(t.Context(), checks, plain{}, who, index.Query{Cursor: "made up"}); !errors.Is(err, index.ErrCursor) {
		t.Errorf("a cursor that was made up: %v", err)
	}
}

// TestForgotten leaves nothing of a purged connection in any object.
func TestForgotten(t *testing.T) {
	t.Parallel()
	w := filled(t, 3)
	if _, err := w.keepers[0].View(t.Context()); err != nil {
		t.Fatal(err)
	}
	const gone = "c00001"
	if err := w.remove(t.Context(), w.table, gone); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	if err := w.keepers[1].Forget(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for info, err := range w.blobs.List(t.Context(), "index/") {
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.blobs.Get(t.Context(), info.Key)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := index.CheckShard(raw); err == nil && bytes.Contains(raw, []byte(gone)) {
			t.Errorf("%s has the connection that was purged", info.Key)
		}
		if strings.Contains(info.Key, gone) {
			t.Errorf("%s is left", info.Key)
		}
	}
}
