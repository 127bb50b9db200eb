package store_test

import (
	"testing"
	"time"

	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TestTriesAreCountedApart counts what differs in one thing only: each has a count of its
// own, whatever the words are.
func TestTriesAreCountedApart(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	s := store.New(tables.New(func() time.Time { return now }), nil)
	forget := now.Add(time.Hour)
	for _, org := range []model.OrganizationID{"", "acme", "L", "acme#LIMIT"} {
		count := s.Limits().CountTry
		if org != "" {
			count = s.For(org).Limits().CountTry
		}
		for _, limit := range []string{"a", "b", "a#x", "a%23x"} {
			for _, subject := range []string{"", "x", "x#y", "a book: " + string(make([]byte, 1<<16))} {
				for _, window := range []time.Time{now, now.Add(time.Minute)} {
					for want := int64(1); want <= 2; want++ {
						if n, err := count(t.Context(), limit, subject, window, forget); n != want || err != nil {
							t.Fatalf("%q, %q, %.10q, %s: %d, %v; want %d", org, limit, subject, window, n, err, want)
						}
					}
				}
			}
		}
	}
	// What was given back is told apart in the same ways, and takes nothing from the tries.
	if err := s.For("acme").Limits().GiveBack(t.Context(), "a", "x", now, forget); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of             *store.Limits
		limit, subject string
		window         time.Time
		want           int64
	}{
		{s.For("acme").Limits(), "a", "x", now, 1},
		{s.Limits(), "a", "x", now, 0},
		{s.For("acme").Limits(), "b", "x", now, 0},
		{s.For("acme").Limits(), "a", "x#y", now, 0},
		{s.For("acme").Limits(), "a", "x", now.Add(time.Minute), 0},
	} {
		if n, err := c.of.GivenBack(t.Context(), c.limit, c.subject, c.window); n != c.want || err != nil {
			t.Errorf("%s, %s, %s: %d given back, %v; want %d", c.limit, c.subject, c.window, n, err, c.want)
		}
	}
	if n, err := s.For("acme").Limits().CountTry(t.Context(), "a", "x", now, forget); n != 3 || err != nil {
		t.Errorf("%d tries, %v", n, err)
	}
	now = forget.Add(time.Second)
	if n, err := s.Limits().CountTry(t.Context(), "a", "x", forget.Add(-time.Hour), now.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d tries are remembered, %v", n, err)
	}
}
