package tabletest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func testCursor(t *testing.T, open Open) {
	tb := open(t, NewClock().Now)
	for i := range 9 {
		it := item("a", fmt.Sprint("k", i), "")
		it.Index = key("a", it.SK)
		put(t, tb, it)
	}
	base := table.Query{PK: "a", Prefix: "k", Limit: 3}
	p, err := tb.Query(t.Context(), base)
	if err != nil || p.Cursor == "" {
		t.Fatalf("cursor %q, %v", p.Cursor, err)
	}
	for what, q := range map[string]table.Query{
		"partition": {PK: "b", Prefix: "k"},
		"prefix":    {PK: "a", Prefix: "k1"},
		"no prefix": {PK: "a"},
		"order":     {PK: "a", Prefix: "k", Desc: true},
		"path":      {PK: "a", Prefix: "k", Index: true},
		"shifted":   {PK: "ak", Prefix: ""},
		"bound":     {PK: "a", Before: "k"},
	} {
		q.Cursor = p.Cursor
		if _, err := tb.Query(t.Context(), q); !errors.Is(err, table.ErrCursor) {
			t.Errorf("cursor with another %s: %v, want ErrCursor", what, err)
		}
	}
	flipped := []byte(p.Cursor)
	flipped[len(flipped)-2] ^= 1
	for _, c := range []string{"x", "!", p.Cursor[:len(p.Cursor)-4], p.Cursor + "AAAA", string(flipped), strings.Repeat("A", 40)} {
		q := base
		q.Cursor = c
		if _, err := tb.Query(t.Context(), q); !errors.Is(err, table.ErrCursor) {
			t.Errorf("cursor %q: %v, want ErrCursor", c, err)
		}
	}
	q := base
	q.Cursor, q.Limit = p.Cursor, 100 // another limit is fine
	same(t, []string{"k3", "k4", "k5", "k6", "k7", "k8"}, sks(t, tb, q))
}

func testExpiry(t *testing.T, open Open) {
	clock := NewClock()
	tb := open(t, clock.Now)
	short := table.Item{Key: key("a", "1"), Index: key("i", "1"), Expires: clock.Now().Add(10 * time.Second), Body: []byte("old")}
	forever := table.Item{Key: key("a", "2"), Index: key("i", "2")}
	past := table.Item{Key: key("a", "3"), Index: key("i", "3"), Expires: time.Unix(-5, 0)}
	last := table.Item{Key: key("a", "4"), Index: key("i", "4")}
	put(t, tb, short, forever, past, last)
	same(t, []string{"1", "2", "4"}, sks(t, tb, table.Query{PK: "a"}))

	clock.Advance(9 * time.Second)
	get(t, tb, short.Key)
	clock.Advance(time.Second)
	for _, k := range []table.Key{short.Key, past.Key} {
		if _, err := tb.Get(t.Context(), k); !errors.Is(err, table.ErrNotFound) {
			t.Fatalf("expired %s: %v", k, err)
		}
	}
	for _, limit := range []int{1, 2, 10} { // a page is not empty because what it holds expired
		same(t, []string{"2", "4"}, sks(t, tb, table.Query{PK: "a", Limit: limit}))
		same(t, []string{"4", "2"}, sks(t, tb, table.Query{PK: "a", Limit: limit, Desc: true}))
		wantIndex(t, tb, table.Query{PK: "i", Limit: limit}, "2", "4")
	}
	stale := short
	stale.Version = 1
	conflict(t, tb, stale, "version of an expired item")
	anew := table.Item{Key: short.Key, Body: []byte("new")}
	put(t, tb, anew)
	anew.Version = 1
	same(t, anew, get(t, tb, anew.Key))
	wantIndex(t, tb, table.Query{PK: "i"}, "2", "4")

	// Writing on does not disturb what lives, whatever is purged meanwhile.
	var its []table.Item
	for i := range 600 {
		it := table.Item{Key: key("b", fmt.Sprintf("%03d", i))}
		if i%2 == 0 {
			it.Expires = clock.Now().Add(time.Second)
		}
		its = append(its, it)
	}
	for range 2 {
		if err := tb.PutMany(t.Context(), its); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	same(t, 300, len(sks(t, tb, table.Query{PK: "b"})))
	get(t, tb, forever.Key)
	if err := tb.Delete(t.Context(), past.Key); err != nil {
		t.Fatal(err)
	}
}

func testLimits(t *testing.T, open Open) {
	tb := open(t, NewClock().Now)
	ctx := t.Context()
	it := item("a", "1", "")
	it.Body = []byte(strings.Repeat("x", table.MaxItem-it.Size()))
	put(t, tb, it)
	same(t, len(it.Body), len(get(t, tb, it.Key).Body))
	it.Version, it.Body = 1, append(it.Body, 'x')
	if err := tb.Put(ctx, it); !errors.Is(err, table.ErrTooLarge) {
		t.Errorf("one byte more: %v, want ErrTooLarge", err)
	}
	// More than a page holds.
	for i := range 9 {
		big := item("big", fmt.Sprint(i), strings.Repeat("y", 390_000))
		put(t, tb, big)
	}
	for _, limit := range []int{1, 2, 100} {
		same(t, 9, len(sks(t, tb, table.Query{PK: "big", Limit: limit})))
	}

	longPK, longSK := strings.Repeat("p", table.MaxPK), strings.Repeat("s", table.MaxSK)
	long := table.Item{Key: key(longPK, longSK), Index: key(longPK, longSK)}
	put(t, tb, long)
	get(t, tb, long.Key)
	same(t, []string{longSK}, sks(t, tb, table.Query{PK: longPK, Prefix: longSK}))
	for _, bad := range []table.Item{
		{},
		{Key: key("a", "")},
		{Key: key("", "a")},
		{Key: key(longPK+"p", "a")},
		{Key: key("a", longSK+"s")},
		{Key: key("a\x00", "a")},
		{Key: key("a", "\xff")},
		{Key: key("a", "é"[:1])},
		{Key: key("a", "9"), Index: key("a", "")},
		{Key: key("a", "9"), Index: key("", "a")},
		{Key: key("a", "9"), Index: key("a", longSK+"s")},
		{Key: key("a", "9"), Version: -1},
	} {
		if err := tb.Put(ctx, bad); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("put %s: %v, want ErrInvalid", bad.Key, err)
		}
		if bad.Key.Check() == nil {
			continue
		}
		if _, err := tb.Get(ctx, bad.Key); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("get %s: %v, want ErrInvalid", bad.Key, err)
		}
		if err := tb.Delete(ctx, bad.Key); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("delete %s: %v, want ErrInvalid", bad.Key, err)
		}
		if err := tb.DeleteMany(ctx, []table.Key{it.Key, bad.Key}); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("delete many with %s: %v, want ErrInvalid", bad.Key, err)
		}
	}
	for _, q := range []table.Query{
		{},
		{PK: "a", Prefix: "\xff"},
		{PK: "a", Limit: -1},
		{PK: "a", Limit: table.MaxLimit + 1},
		{PK: longPK + "p"},
		{PK: "a", Before: "\xff"},
		{PK: "a", Prefix: "a", Before: "b"},
	} {
		if _, err := tb.Query(ctx, q); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("query %s: %v, want ErrInvalid", q, err)
		}
	}
}

func testRaces(t *testing.T, open Open) {
	tb := open(t, NewClock().Now)
	for version := range int64(3) {
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				it := item("a", "1", fmt.Sprint(i))
				it.Version = version
				switch err := tb.Put(t.Context(), it); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, table.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 11 {
			t.Fatalf("version %d: %d won, %d lost", version, won.Load(), lost.Load())
		}
	}
}

func testCancelled(t *testing.T, tb table.Table) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := tb.Get(ctx, key("a", "1"))
	_, queryErr := tb.Query(ctx, table.Query{PK: "a"})
	for what, err := range map[string]error{
		"get": getErr, "query": queryErr,
		"put":         tb.Put(ctx, item("a", "1", "")),
		"put many":    tb.PutMany(ctx, []table.Item{item("a", "1", "")}),
		"delete":      tb.Delete(ctx, key("a", "1")),
		"delete many": tb.DeleteMany(ctx, []table.Key{key("a", "1")}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", what, err)
		}
	}
}
