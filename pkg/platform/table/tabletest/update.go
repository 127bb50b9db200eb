package tabletest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func testUpdate(t *testing.T, open Open) {
	tb := open(t, NewClock().Now)
	k := key("a", "count")
	add := func(it *table.Item) error {
		n, _ := strconv.Atoi(string(it.Body))
		it.Body = strconv.AppendInt(nil, int64(n+1), 10)
		return nil
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if _, err := table.Update(t.Context(), tb, k, add); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := get(t, tb, k)
	same(t, "20", string(got.Body))
	same(t, int64(20), got.Version)

	after, err := table.Update(t.Context(), tb, k, add)
	if err != nil {
		t.Fatal(err)
	}
	same(t, get(t, tb, k), after)
	skipped, err := table.Update(t.Context(), tb, k, func(it *table.Item) error { it.Body = nil; return table.ErrSkip })
	if err != nil {
		t.Fatal(err)
	}
	same(t, after, skipped)
	mine := errors.New("mine")
	if _, err := table.Update(t.Context(), tb, k, func(*table.Item) error { return mine }); err != mine {
		t.Fatalf("%v, want the function's own error", err)
	}
	if _, err := table.Update(t.Context(), tb, k, func(it *table.Item) error { it.SK = "x"; return nil }); !errors.Is(err, table.ErrInvalid) {
		t.Fatalf("changed key: %v, want ErrInvalid", err)
	}
	if _, err := table.Update(t.Context(), tb, k, func(it *table.Item) error { it.Version = 1; return nil }); !errors.Is(err, table.ErrInvalid) {
		t.Fatalf("changed version: %v, want ErrInvalid", err)
	}
	if _, err := table.Update(t.Context(), stubborn{tb}, k, add); !errors.Is(err, table.ErrConflict) {
		t.Fatalf("always a rival: %v, want ErrConflict", err)
	}
}

// stubborn is a table on which somebody else is always faster.
type stubborn struct{ table.Table }

func (s stubborn) Put(ctx context.Context, it table.Item) error {
	if err := s.Table.Put(ctx, it); err != nil {
		return err
	}
	it.Version++
	if err := s.Table.Put(ctx, it); err != nil {
		return err
	}
	return table.ErrConflict
}
