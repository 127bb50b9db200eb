package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
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
	if err := w.org(w.table).MarkAll(t.Context(), w.now); err != nil {
		t.Fatal(err)
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
	first, counts := counted()
	ask("who finds all shards stale", first, counts, 1+store.Shards, 2*300, store.Shards+300, store.Shards)
	ask("again", first, counts, 1, 0, 0, 0)
	second, d := counted()
	ask("who begins", second, d, 1, 0, store.Shards, 0)
	entries := estate(7, 5)
	if err := w.change(t.Context(), w.table, entries[0].Connection, "s3", entries[:1]); err != nil {
		t.Fatal(err)
	}
	ask("after an audit", first, counts, 2, 0, 2, 1)
	ask("the other, after it", second, d, 1, 0, 1, 0)
	o := w.org(w.table)
	c, err := o.AnyConnection(t.Context(), entries[0].Connection)
	if err == nil {
		c.Name = "renamed"
		err = o.ChangeConnection(t.Context(), model.Change{At: w.now}, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	ask("after a change of a name", first, counts, 2, 2, 1, 1)
	if err := o.BeginFindings(t.Context(), c.ID, "s3", w.now, w.now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	ask("while findings are written", first, counts, 2, 0, 1, 1)
	ask("and again", first, counts, 1, 0, 0, 0)
}

// TestWhoDiesWriting: what is written and never said to be done is seen after Lag, again while
// more may come, and then looked at no more.
func TestWhoDiesWriting(t *testing.T) {
	t.Parallel()
	w := filled(t, 1)
	entries := estate(0, 10)
	id, o, k := entries[0].Connection, w.org(w.table), w.keepers[0]
	seen := func() int {
		t.Helper()
		v, err := k.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v.Len()
	}
	before := seen()
	if err := o.BeginFindings(t.Context(), id, "s3", w.now, w.now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{before, before + 1, before + 2, before + 2} {
		w.now = began.Add(time.Duration(i+1) * (index.Lag - time.Second))
		if i > 0 {
			w.now = w.now.Add(time.Duration(i) * time.Second)
		}
		if got := seen(); got != want {
			t.Errorf("%s after it began: %d findings, want %d", w.now.Sub(began), got, want)
		}
		if i < 2 { // within the minute
			if err := write(t.Context(), o, id, "s3", entries[5+i:6+i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := write(t.Context(), o, id, "s3", entries[8:9]); err != nil { // as nobody does: nothing was said of it
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	if got := seen(); got != before+2 {
		t.Errorf("an index that nobody said to be old was made anew: %d findings", got)
	}
}

// TestMovedBetweenProjects shows the findings of a connection that moves to nobody who may
// not see the project that it is in, wherever who moves it dies, and whoever moves it
// elsewhere meanwhile. When the next audit ends, it is seen by whom it is to be seen by.
func TestMovedBetweenProjects(t *testing.T) {
	t.Parallel()
	const requests = 14 // more than a move makes
	for _, way := range [][2]string{{"p1", "p2"}, {"", "p1"}, {"p1", ""}} {
		for at := int64(1); at <= requests; at++ {
			for _, how := range []string{"dies before", "dies after", "is overtaken", "is overtaken by one who dies"} {
				t.Run(fmt.Sprintf("%q to %q, %s %d", way[0], way[1], how, at), func(t *testing.T) {
					t.Parallel()
					m := moving(t, way[0])
					var lives table.Table
					switch how {
					case "is overtaken":
						lives = mortal.Overtaken(m.table, at, func() { m.move(t, m.table, "p3"); m.check(t) })
					case "is overtaken by one who dies":
						lives = mortal.Overtaken(m.table, at, func() {
							for dies := int64(1); dies <= requests; dies++ {
								m.move(t, mortal.Dies(m.table, dies, dies%2 == 0), "p3")
								m.check(t)
							}
						})
					default:
						lives = mortal.Dies(m.table, at, how == "dies after")
					}
					m.move(t, lives, way[1])
					m.check(t)
					m.now = m.now.Add(3 * time.Minute)
					if err := m.org(m.table).EndFindings(t.Context(), "c1", "audit", m.now); err != nil {
						t.Fatal(err)
					}
					m.check(t)
					if project := m.project(t); m.seen(t, project) != 3 {
						t.Errorf("who sees %q alone, where it is, sees %d of 3 findings", project, m.seen(t, project))
					}
				})
			}
		}
	}
}

type moved struct{ *world }

func moving(t *testing.T, project string) moved {
	t.Helper()
	m := moved{newWorld()}
	c := model.Connection{ID: "c1", Project: project, State: model.ConnectionActive}
	if err := m.org(m.table).PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if err := m.change(t.Context(), m.table, "c1", "s3", relabel(estate(1, 3), "c1")); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m moved) project(t *testing.T) string {
	t.Helper()
	c, err := m.org(m.table).AnyConnection(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	return c.Project
}

// move moves the connection, unless who does it dies or somebody else was faster.
func (m moved) move(t *testing.T, lives table.Table, project string) {
	t.Helper()
	c, err := m.org(m.table).AnyConnection(t.Context(), "c1")
	if err == nil {
		c.Project = project
		err = m.org(lives).ChangeConnection(t.Context(), model.Change{At: m.now}, &c)
	}
	if err != nil && !errors.Is(err, mortal.ErrDead) && !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
}

// seen is how many findings somebody sees who sees some projects.
func (m moved) seen(t *testing.T, projects ...string) int {
	t.Helper()
	view, err := m.keepers[0].View(t.Context())
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

// check has nobody see the findings who does not see the connection.
func (m moved) check(t *testing.T) {
	t.Helper()
	all := []string{"", "p1", "p2", "p3"}
	for set := range 1 << len(all) {
		var sees []string
		for i, p := range all {
			if set&(1<<i) != 0 {
				sees = append(sees, p)
			}
		}
		if project := m.project(t); m.seen(t, sees...) > 0 && !slices.Contains(sees, project) {
			t.Errorf("the connection is in project %q, and its findings are seen by who sees %q", project, sees)
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

// TestForgotten leaves nothing of a purged connection in what is kept of several.
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
	}
}

// TestAtOnce answers of so many findings that several go through them at once, as one who
// goes through them alone.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	var all [][]byte
	truth := oracle{projects: map[model.ConnectionID][]string{}}
	for n := range 50 {
		entries := estate(n, 1000)
		for i, e := range entries {
			entries[i].Tags, entries[i].TagsKnown = tagsOf(e.Resource)
		}
		raw, err := index.Encode(index.Head{Connection: entries[0].Connection, Read: began}, nil, entries)
		if err != nil {
			t.Fatal(err)
		}
		all, truth.entries = append(all, raw), append(truth.entries, entries...)
	}
	view, err := index.Load(all...)
	if err != nil {
		t.Fatal(err)
	}
	sees := func(string) bool { return true }
	for _, q := range []index.Query{
		{},
		{Words: []string{"severity=high", "resource=*web*"}},
		{Words: []string{"tag:env=prod", "state=resolved"}, Sort: []index.Order{{Field: "resource"}}},
		{Words: []string{"connection=c0000*"}, Sort: []index.Order{{Field: "account", Desc: true}, {Field: "first_seen"}}},
		{Words: []string{"region=nowhere"}},
	} {
		fields := []string{"severity", "resource", "connection", "tag:env"}
		for _, field := range fields {
			q.Groups = append(q.Groups, index.Group{Field: field, Limit: index.MaxBuckets})
		}
		q.Limit = 200
		page, err := view.Ask(t.Context(), index.Checks{}, plain{}, index.Caller{Sees: sees}, q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := truth.find(q.Words, sees)
		if err != nil {
			t.Fatal(err)
		}
		order := q.Sort
		if len(order) == 0 {
			order = index.DefaultSort()
		}
		slices.SortFunc(want, compare(order))
		if page.Total != len(want) || (page.Next != "") != (len(want) > q.Limit) {
			t.Errorf("%v: in all %d, next %q; want %d", q.Words, page.Total, page.Next, len(want))
		}
		var got, first []model.FindingID
		for i, e := range page.Entries {
			got, first = append(got, e.ID), append(first, want[i].ID)
		}
		if !slices.Equal(got, first) {
			t.Errorf("%v by %v: the page is another", q.Words, q.Sort)
		}
		for i, field := range fields {
			all := truth.groups(want, field)
			if page.Groups[i].Total != len(all) {
				t.Errorf("%v: %d values of %s, want %d", q.Words, page.Groups[i].Total, field, len(all))
			}
			for _, b := range page.Groups[i].Values {
				if b.Count != all[b.Value] {
					t.Errorf("%v: %d of %s %s, want %d", q.Words, b.Count, field, b.Value, all[b.Value])
				}
			}
		}
	}
}

// TestRenamed: lists call a connection what it is called, wherever who renamed it died.
func TestRenamed(t *testing.T) {
	t.Parallel()
	everybody := index.Caller{Sees: func(string) bool { return true }}
	for at := int64(1); at <= 12; at++ { // more requests than it makes
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(at, after), func(t *testing.T) {
				t.Parallel()
				m := moving(t, "p1")
				if m.seen(t, "p1") != 3 {
					t.Fatal("it is not seen")
				}
				c, err := m.org(m.table).AnyConnection(t.Context(), "c1")
				if err != nil {
					t.Fatal(err)
				}
				c.Name = "shop"
				err = m.org(mortal.Overtaken(mortal.Dies(m.table, at, after), at, func() { m.seen(t, "p1") })).ChangeConnection(t.Context(), model.Change{At: m.now}, &c)
				if err != nil && !errors.Is(err, mortal.ErrDead) {
					t.Fatal(err)
				}
				m.seen(t, "p1") // as somebody reads in between
				m.now = m.now.Add(3 * time.Minute)
				view, err := m.keepers[0].View(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				c, err = m.org(m.table).AnyConnection(t.Context(), "c1")
				if err != nil {
					t.Fatal(err)
				}
				if listed, _ := view.Connection(everybody, "c1"); listed.Name != c.Name {
					t.Errorf("it is called %q, and listed as %q", c.Name, listed.Name)
				}
			})
		}
	}
}

// remembered is a table of which copies can be made.
type remembered struct {
	table.Table
	keys map[table.Key]bool
}

func (r *remembered) Put(ctx context.Context, it table.Item) error {
	r.keys[it.Key] = true
	return r.Table.Put(ctx, it)
}

func (r *remembered) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	r.keys[k] = true
	return r.Table.Add(ctx, k, n, expires)
}

// copyTo writes what there is to another table, as restoring a backup does.
func (r *remembered) copyTo(t *testing.T, to table.Table) {
	t.Helper()
	for k := range r.keys {
		it, err := r.Get(t.Context(), k)
		switch {
		case errors.Is(err, table.ErrNotFound):
			continue
		case err == nil && len(it.Body) == 0:
			_, err = to.Add(t.Context(), k, it.Version, it.Expires)
		case err == nil:
			it.Version--
			err = to.PutMany(t.Context(), []table.Item{it})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestored: when the table goes back to an earlier moment, and objects do not, lists are
// as the table is, also when as much happens to it as had happened before.
func TestRestored(t *testing.T) {
	t.Parallel()
	w := newWorld()
	before := &remembered{w.table, map[table.Key]bool{}}
	c := model.Connection{ID: "c00001", State: model.ConnectionActive}
	if err := w.org(before).PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	listed := func(on table.Table, want int) {
		t.Helper()
		view, err := w.keeper(on).View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if view.Len() != want {
			t.Errorf("%d findings are listed, want %d", view.Len(), want)
		}
	}
	happens := func(on table.Table, scope string, entries []index.Entry) {
		t.Helper()
		if err := w.change(t.Context(), on, c.ID, scope, entries); err != nil {
			t.Fatal(err)
		}
	}
	all := estate(1, 12)
	happens(before, "s3", all[:3])
	listed(before, 3)
	restored := memtable.New(func() time.Time { return w.now })
	before.copyTo(t, restored)
	for i, scope := range []string{"iam", "kms", "sqs"} {
		happens(before, scope, all[3+2*i:5+2*i])
		listed(before, 5+2*i)
	}
	for i, scope := range []string{"iam", "kms", "sqs"} {
		happens(restored, scope, all[9+i:10+i])
	}
	listed(restored, 6)
}
