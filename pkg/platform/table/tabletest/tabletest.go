// Package tabletest is the suite that every driver of table.Table passes. A
// driver's own test is one line:
//
//	tabletest.Run(t, func(t testing.TB, clock func() time.Time) table.Table { … })
package tabletest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/google/go-cmp/cmp"
)

// Open makes an empty table that judges expiry by the clock, and closes it in
// t.Cleanup. The suite may open several.
type Open func(t testing.TB, clock func() time.Time) table.Table

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	groups := map[string]func(*testing.T, Open){
		"items":  testItems,
		"many":   testMany,
		"delete": testDeleteMany,
		"query":  testQuery,
		"index":  testIndex,
		"cursor": testCursor,
		"expiry": testExpiry,
		"limits": testLimits,
		"races":  testRaces,
		"update": testUpdate,
		"add":    testAdd,
		"model":  testModel,
	}
	for name, f := range groups {
		t.Run(name, func(t *testing.T) { f(t, open) })
	}
}

// Clock is a clock that stands still until it is moved. It begins at noon of
// 2 January 2024, UTC, and is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock.
func NewClock() *Clock {
	return &Clock{now: time.Date(2024, 1, 2, 12, 0, 0, 0, time.UTC)}
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// lag is how long the index path of a driver may stay behind.
const lag = 10 * time.Second

// eventually repeats a look at the index path until it says "" or lag is over.
func eventually(t testing.TB, look func() string) {
	t.Helper()
	end := time.Now().Add(lag)
	for {
		problem := look()
		if problem == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(problem)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func key(pk, sk string) table.Key { return table.Key{PK: pk, SK: sk} }

func item(pk, sk, body string) table.Item {
	return table.Item{Key: key(pk, sk), Body: []byte(body)}
}

func put(t testing.TB, tb table.Table, its ...table.Item) {
	t.Helper()
	for _, it := range its {
		if err := tb.Put(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
}

func get(t testing.TB, tb table.Table, k table.Key) table.Item {
	t.Helper()
	it, err := tb.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// collect pages through a query; it fails on what no query may do.
func collect(ctx context.Context, tb table.Table, q table.Query) ([]table.Item, error) {
	var out []table.Item
	for {
		p, err := tb.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(p.Items) == 0 && p.Cursor != "" {
			return nil, fmt.Errorf("query %s: an empty page has a cursor", q)
		}
		if len(p.Items) > q.PageSize() {
			return nil, fmt.Errorf("query %s: %d items with limit %d", q, len(p.Items), q.PageSize())
		}
		out = append(out, p.Items...)
		if p.Cursor == "" {
			return out, nil
		}
		q.Cursor = p.Cursor
	}
}

// sks are the sort keys that a query of the primary path finds.
func sks(t testing.TB, tb table.Table, q table.Query) []string {
	t.Helper()
	its, err := collect(t.Context(), tb, q)
	if err != nil {
		t.Fatal(err)
	}
	return names(its)
}

func names(its []table.Item) []string {
	out := []string{}
	for _, it := range its {
		out = append(out, it.SK)
	}
	return out
}

// wantIndex waits until a query of the index path finds these sort keys (of the
// items themselves) in this order.
func wantIndex(t testing.TB, tb table.Table, q table.Query, want ...string) {
	t.Helper()
	q.Index = true
	if want == nil {
		want = []string{}
	}
	eventually(t, func() string {
		its, err := collect(t.Context(), tb, q)
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, names(its))
	})
}

func same(t testing.TB, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("-want +got\n%s", d)
	}
}
