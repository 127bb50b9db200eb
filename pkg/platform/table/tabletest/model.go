package tabletest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// testModel drives the table and a plain map with the same random operations
// and compares after each.
func testModel(t *testing.T, open Open) {
	clock := NewClock()
	tb := open(t, clock.Now)
	var runs atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		// Partitions of its own, as opening a table may be dear.
		m := &model{t: t, tb: tb, clock: clock, items: map[table.Key]table.Item{}, run: fmt.Sprintf("run%d#", runs.Add(1))}
		rt.Repeat(map[string]func(*rapid.T){
			"put":        m.put,
			"putMany":    m.putMany,
			"delete":     m.delete,
			"deleteMany": m.deleteMany,
			"wait":       func(rt *rapid.T) { clock.Advance(time.Duration(rapid.IntRange(1, 3).Draw(rt, "s")) * time.Second) },
			"query":      m.query,
			"":           m.get,
		})
	})
}

type model struct {
	t     *testing.T
	tb    table.Table
	clock *Clock
	run   string
	last  table.Key
	items map[table.Key]table.Item // dead ones stay
}

var (
	genPK = rapid.SampledFrom([]string{"a", "b"})
	genSK = rapid.SampledFrom([]string{"a#1", "a#1#x", "a#10", "a#2", "a", "b", "é", "\U0010ffff", "a\U0010ffff", "a%"})
)

func (m *model) genKey(rt *rapid.T) table.Key {
	m.last = key(m.run+genPK.Draw(rt, "pk"), genSK.Draw(rt, "sk"))
	return m.last
}

func (m *model) genItem(rt *rapid.T) table.Item {
	it := table.Item{Key: m.genKey(rt)}
	if rapid.Bool().Draw(rt, "indexed") {
		it.Index = key(m.run+genPK.Draw(rt, "ipk"), genSK.Draw(rt, "isk"))
	}
	if s := rapid.IntRange(-1, 5).Draw(rt, "expires"); s >= 0 {
		it.Expires = m.clock.Now().Add(time.Duration(s) * time.Second)
	}
	if b := rapid.StringN(0, 8, -1).Draw(rt, "body"); b != "" {
		it.Body = []byte(b)
	}
	return it
}

// live is the model's Get.
func (m *model) live(k table.Key) (table.Item, bool) {
	it, ok := m.items[k]
	return it, ok && (it.Expires.IsZero() || it.Expires.After(m.clock.Now()))
}

func (m *model) put(rt *rapid.T) {
	it := m.genItem(rt)
	stored := int64(0)
	if old, ok := m.live(it.Key); ok {
		stored = old.Version
	}
	it.Version = max(0, stored+rapid.Int64Range(-1, 1).Draw(rt, "off"))
	err := m.tb.Put(m.t.Context(), it)
	if it.Version != stored {
		if !errors.Is(err, table.ErrConflict) {
			rt.Fatalf("put %s at %d over %d: %v, want ErrConflict", it.Key, it.Version, stored, err)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	it.Version++
	m.items[it.Key] = it
}

func (m *model) putMany(rt *rapid.T) {
	batch := map[table.Key]table.Item{}
	for range rapid.IntRange(0, 6).Draw(rt, "n") {
		it := m.genItem(rt)
		it.Version = rapid.Int64Range(0, 2).Draw(rt, "version")
		batch[it.Key] = it
	}
	var its []table.Item
	for _, it := range batch {
		its = append(its, it)
		it.Version++
		m.items[it.Key] = it
	}
	if err := m.tb.PutMany(m.t.Context(), its); err != nil {
		rt.Fatal(err)
	}
}

func (m *model) delete(rt *rapid.T) {
	k := m.genKey(rt)
	if err := m.tb.Delete(m.t.Context(), k); err != nil {
		rt.Fatal(err)
	}
	delete(m.items, k)
}

func (m *model) deleteMany(rt *rapid.T) {
	batch := map[table.Key]bool{}
	for range rapid.IntRange(0, 6).Draw(rt, "n") {
		batch[m.genKey(rt)] = true
	}
	var ks []table.Key
	for k := range batch {
		ks = append(ks, k)
		delete(m.items, k)
	}
	if err := m.tb.DeleteMany(m.t.Context(), ks); err != nil {
		rt.Fatal(err)
	}
}

// get looks at the item that the last operation touched.
func (m *model) get(rt *rapid.T) {
	if m.last.IsZero() {
		return
	}
	want, ok := m.live(m.last)
	got, err := m.tb.Get(m.t.Context(), m.last)
	if !ok {
		if !errors.Is(err, table.ErrNotFound) {
			rt.Fatalf("get %s: %v %v, want ErrNotFound", m.last, got, err)
		}
		return
	}
	if d := gocmp.Diff(want, got); err != nil || d != "" {
		rt.Fatalf("get %s: %v\n%s", m.last, err, d)
	}
}

func (m *model) query(rt *rapid.T) {
	q := table.Query{
		PK:     m.run + genPK.Draw(rt, "pk"),
		Prefix: rapid.SampledFrom([]string{"", "a", "a#1", "a#1#", "a#", "é", "\U0010ffff", "zz"}).Draw(rt, "prefix"),
		Before: rapid.SampledFrom([]string{"", "a", "a#1", "b", "zz"}).Draw(rt, "before"),
		Index:  rapid.Bool().Draw(rt, "index"),
		Desc:   rapid.Bool().Draw(rt, "desc"),
		Limit:  rapid.IntRange(0, 5).Draw(rt, "limit"),
	}
	if q.Prefix != "" {
		q.Before = ""
	}
	path := func(it table.Item) table.Key {
		if q.Index {
			return it.Index
		}
		return it.Key
	}
	var want []table.Item
	for k, it := range m.items {
		if _, ok := m.live(k); ok && path(it).PK == q.PK && strings.HasPrefix(path(it).SK, q.Prefix) && (q.Before == "" || path(it).SK < q.Before) {
			want = append(want, it)
		}
	}
	byKey := func(a, b table.Item) int { return cmp.Or(cmp.Compare(a.PK, b.PK), cmp.Compare(a.SK, b.SK)) }
	byPath := func(a, b table.Item) int {
		if q.Desc {
			a, b = b, a
		}
		return cmp.Compare(path(a).SK, path(b).SK)
	}
	look := func() string {
		got, err := collect(m.t.Context(), m.tb, q)
		if err != nil {
			return err.Error()
		}
		if !slices.IsSortedFunc(got, byPath) {
			return fmt.Sprintf("query %s: out of order: %v", q, names(got))
		}
		slices.SortFunc(got, byKey) // items that share an index key have no order
		slices.SortFunc(want, byKey)
		return gocmp.Diff(want, got)
	}
	if !q.Index {
		if problem := look(); problem != "" {
			rt.Fatal(problem)
		}
		return
	}
	eventually(m.t, look)
}
