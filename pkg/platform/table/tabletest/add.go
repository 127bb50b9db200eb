package tabletest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func testAdd(t *testing.T, open Open) {
	clock := NewClock()
	tb := open(t, clock.Now)
	add := func(k table.Key, n int64, expires time.Time) int64 {
		t.Helper()
		sum, err := tb.Add(t.Context(), k, n, expires)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}

	// Of those who count at once each has a sum of his own.
	k := key("a", "at once")
	var mu sync.Mutex
	var sums []int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				sum, err := tb.Add(t.Context(), k, 1, time.Time{})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				sums = append(sums, sum)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(sums)
	for i, sum := range sums {
		same(t, int64(i+1), sum)
	}
	got := get(t, tb, k)
	same(t, table.Item{Key: k, Version: 80}, got)

	// A counter keeps its moment, and begins again after it.
	k = key("a", "a minute")
	until := clock.Now().Add(time.Minute)
	same(t, int64(3), add(k, 3, until))
	same(t, int64(5), add(k, 2, until.Add(time.Hour)))
	same(t, until, get(t, tb, k).Expires.UTC())
	clock.Advance(time.Minute)
	if _, err := tb.Get(t.Context(), k); !errors.Is(err, table.ErrNotFound) {
		t.Fatalf("a counter whose time is over: %v", err)
	}
	until = clock.Now().Add(time.Minute)
	same(t, int64(7), add(k, 7, until))
	same(t, int64(8), add(k, 1, time.Time{}))
	same(t, until, get(t, tb, k).Expires.UTC())
	clock.Advance(time.Hour)
	same(t, int64(1), add(k, 1, clock.Now().Add(time.Minute)))

	same(t, int64(81), add(key("a", "at once"), 1, clock.Now().Add(time.Minute)))
	same(t, clock.Now().Add(time.Minute), get(t, tb, key("a", "at once")).Expires.UTC())

	for _, n := range []int64{0, -1} {
		if _, err := tb.Add(t.Context(), k, n, time.Time{}); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("add %d: %v, want ErrInvalid", n, err)
		}
	}
	if _, err := tb.Add(t.Context(), table.Key{PK: "a"}, 1, time.Time{}); !errors.Is(err, table.ErrInvalid) {
		t.Errorf("no key: %v, want ErrInvalid", err)
	}
	if err := tb.Delete(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	same(t, int64(1), add(k, 1, time.Time{}))
}
