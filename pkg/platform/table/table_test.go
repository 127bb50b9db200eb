package table_test

import (
	"errors"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"pgregory.net/rapid"
)

func TestPath(t *testing.T) {
	for want, parts := range map[string][]string{
		"a":            {"a"},
		"a#b":          {"a", "b"},
		"a%23b#c%25#d": {"a#b", "c%", "d"},
	} {
		if got := table.Path(parts...); got != want {
			t.Errorf("%q: %q, want %q", parts, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringOf(rapid.SampledFrom([]rune("a#%23"))), 1, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if (table.Path(a...) == table.Path(b...)) != equal(a, b) {
			t.Fatalf("%q and %q: %q", a, b, table.Path(a...))
		}
		if back := table.Split(table.Path(a...)); !equal(back, a) {
			t.Fatalf("%q come back as %q", a, back)
		}
	})
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := table.Query{
			PK: rapid.StringN(1, -1, 99).Draw(t, "pk"), Prefix: rapid.String().Draw(t, "prefix"),
			Index: rapid.Bool().Draw(t, "index"), Desc: rapid.Bool().Draw(t, "desc"),
		}
		last := table.Item{Key: table.Key{PK: q.PK, SK: rapid.String().Draw(t, "sk")}}
		want := table.Position{Key: last.Key}
		if q.Index {
			last.PK = rapid.String().Draw(t, "item pk")
			last.Index = table.Key{PK: q.PK, SK: rapid.String().Draw(t, "isk")}
			want = table.Position{Key: last.Key, Index: last.Index}
		}
		q.Cursor = q.CursorAfter(last)
		got, ok, err := q.Position()
		if err != nil || !ok || got != want {
			t.Fatalf("%v %v %v, want %v", got, ok, err, want)
		}
	})
}

func FuzzCursor(f *testing.F) {
	q := table.Query{PK: "a", Prefix: "b"}
	f.Add(q.CursorAfter(table.Item{Key: table.Key{PK: "a", SK: "bc"}}), true)
	f.Add(q.CursorAfter(table.Item{Key: table.Key{PK: "a", SK: "bc"}})+"\n", false)
	f.Add("", false)
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false)
	f.Fuzz(func(t *testing.T, cursor string, index bool) {
		q := table.Query{PK: "a", Prefix: "b", Index: index, Cursor: cursor}
		at, there, err := q.Position()
		switch {
		case err != nil && !errors.Is(err, table.ErrCursor):
			t.Fatal(err)
		case err == nil && there != (cursor != ""):
			t.Fatalf("%q is a place: %t", cursor, there)
		case err == nil && there && q.CursorAfter(table.Item{Key: at.Key, Index: at.Index}) != cursor:
			t.Fatalf("%q is written in two ways", cursor)
		}
		if other := (table.Query{PK: "x", Prefix: "b", Index: index, Cursor: cursor}); cursor != "" && err == nil {
			if _, _, err := other.Position(); !errors.Is(err, table.ErrCursor) {
				t.Fatalf("%q is good for another query: %v", cursor, err)
			}
		}
	})
}
