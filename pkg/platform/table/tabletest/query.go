package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/google/go-cmp/cmp"
)

func testQuery(t *testing.T, open Open) {
	clock := NewClock()
	t.Run("57 items by any page", func(t *testing.T) {
		tb := open(t, clock.Now)
		var its []table.Item
		var up []string
		for i := range 57 {
			it := item("a", fmt.Sprintf("%03d", i), "{}")
			it.Index = key("i", it.SK)
			its, up = append(its, it), append(up, it.SK)
		}
		if err := tb.PutMany(t.Context(), append(its, item("a!", "x", ""), item("Z", "x", ""))); err != nil {
			t.Fatal(err)
		}
		down := slices.Clone(up)
		slices.Reverse(down)
		for _, limit := range []int{0, 1, 10, 19, 56, 57, 58, table.MaxLimit} {
			same(t, up, sks(t, tb, table.Query{PK: "a", Limit: limit}))
			same(t, down, sks(t, tb, table.Query{PK: "a", Limit: limit, Desc: true}))
			wantIndex(t, tb, table.Query{PK: "i", Limit: limit}, up...)
			wantIndex(t, tb, table.Query{PK: "i", Limit: limit, Desc: true}, down...)
		}
	})
	t.Run("prefix", func(t *testing.T) {
		tb := open(t, clock.Now)
		all := []string{"a", "a#1", "a#1#x", "a#1#y", "a#10", "a#10#x", "a#2", "b", "a%", "a_", "A#1"}
		slices.Sort(all)
		for _, sk := range all {
			it := item("p", sk, "")
			it.Index = key("q", sk)
			put(t, tb, it)
		}
		for _, prefix := range []string{"", "a", "a#", "a#1", "a#1#", "a#2", "a%", "a_", "c", "b", "A"} {
			want := []string{}
			for _, sk := range all {
				if len(sk) >= len(prefix) && sk[:len(prefix)] == prefix {
					want = append(want, sk)
				}
			}
			for _, limit := range []int{1, 2, 0} {
				same(t, want, sks(t, tb, table.Query{PK: "p", Prefix: prefix, Limit: limit}))
				wantIndex(t, tb, table.Query{PK: "q", Prefix: prefix, Limit: limit}, want...)
				back := slices.Clone(want)
				slices.Reverse(back)
				same(t, back, sks(t, tb, table.Query{PK: "p", Prefix: prefix, Limit: limit, Desc: true}))
				wantIndex(t, tb, table.Query{PK: "q", Prefix: prefix, Limit: limit, Desc: true}, back...)
			}
		}
		same(t, []string{"a#1#x", "a#1#y"}, sks(t, tb, table.Query{PK: "p", Prefix: table.Path("a", "1") + "#"}))
	})
	t.Run("before", func(t *testing.T) {
		tb := open(t, clock.Now)
		all := []string{"a", "a#1", "a#1#x", "a#10", "b", "é", "\U0010ffff"}
		for _, sk := range all {
			put(t, tb, table.Item{Key: key("p", sk), Index: key("q", sk)})
		}
		for _, before := range []string{"a", "a#", "a#1", "a#1\x01", "b", "c", "\U0010ffff"} {
			want := []string{}
			for _, sk := range all {
				if sk < before {
					want = append(want, sk)
				}
			}
			back := slices.Clone(want)
			slices.Reverse(back)
			for _, limit := range []int{1, 2, 0} {
				same(t, want, sks(t, tb, table.Query{PK: "p", Before: before, Limit: limit}))
				same(t, back, sks(t, tb, table.Query{PK: "p", Before: before, Limit: limit, Desc: true}))
				wantIndex(t, tb, table.Query{PK: "q", Before: before, Limit: limit}, want...)
				wantIndex(t, tb, table.Query{PK: "q", Before: before, Limit: limit, Desc: true}, back...)
			}
		}
	})
	t.Run("odd keys", func(t *testing.T) {
		tb := open(t, clock.Now)
		var want []string
		for _, sk := range oddKeys {
			put(t, tb, table.Item{Key: key("é#\x7f😀", sk), Index: key("\U0010ffff", sk)})
			want = append(want, sk)
		}
		slices.Sort(want) // by bytes
		same(t, want, sks(t, tb, table.Query{PK: "é#\x7f😀", Limit: 2}))
		for _, sk := range oddKeys {
			if got := get(t, tb, key("é#\x7f😀", sk)); got.SK != sk {
				t.Errorf("%q came back as %q", sk, got.SK)
			}
			var under []string
			for _, k := range want {
				if len(k) >= len(sk) && k[:len(sk)] == sk {
					under = append(under, k)
				}
			}
			same(t, under, sks(t, tb, table.Query{PK: "é#\x7f😀", Prefix: sk, Limit: 1}))
			wantIndex(t, tb, table.Query{PK: "\U0010ffff", Prefix: sk, Limit: 1}, under...)
		}
	})
	t.Run("writes between pages", func(t *testing.T) {
		tb := open(t, clock.Now)
		for _, sk := range []string{"1", "2", "3", "4", "5"} {
			put(t, tb, item("a", sk, ""))
		}
		q := table.Query{PK: "a", Limit: 2}
		p, err := tb.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		// The item at which the page ended may go, and others come.
		for _, sk := range []string{"2", "4"} {
			if err := tb.Delete(t.Context(), key("a", sk)); err != nil {
				t.Fatal(err)
			}
		}
		put(t, tb, item("a", "0", ""), item("a", "3a", ""))
		q.Cursor, q.Limit = p.Cursor, 50
		same(t, []string{"3", "3a", "5"}, sks(t, tb, q))
	})
	t.Run("All", func(t *testing.T) {
		tb := open(t, clock.Now)
		for i := range 7 {
			put(t, tb, item("a", fmt.Sprint(i), ""))
		}
		var got []string
		for it, err := range table.All(t.Context(), tb, table.Query{PK: "a", Limit: 3}) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, it.SK); it.SK == "4" {
				break
			}
		}
		same(t, []string{"0", "1", "2", "3", "4"}, got)
		n := 0
		for _, err := range table.All(t.Context(), tb, table.Query{}) {
			if n++; !errors.Is(err, table.ErrInvalid) {
				t.Fatalf("no partition: %v", err)
			}
		}
		same(t, 1, n)
	})
}

// oddKeys are legal keys that naive prefix, escape or collation code gets wrong.
var oddKeys = []string{
	"\x01", " ", "  ", "%", "_", "*", "?", "'", "''", `"`, `\`, "a", "A", "a\x7f", "a\x7fb", "z", "~",
	"é", "e\u0301", "ß", "ss", "İ", "ÿ", "\u0080", "\u07ff", "\u0800", "\uffff", "\uffff\uffff", "😀",
	"\U0010ffff", "\U0010ffff\U0010ffff", "\U0010ffffx", "\U0010fffe", "1", "01", "1.0", "1e0", "NULL", "x'00'",
}

func testIndex(t *testing.T, open Open) {
	clock := NewClock()
	t.Run("moves with the item", func(t *testing.T) {
		tb := open(t, clock.Now)
		it := item("a", "1", "{}")
		put(t, tb, it, item("a", "2", "")) // the second never has an index
		wantIndex(t, tb, table.Query{PK: "open"})
		it.Version, it.Index = 1, key("open", "x")
		put(t, tb, it)
		wantIndex(t, tb, table.Query{PK: "open"}, "1")
		it.Version, it.Index = 2, key("closed", "x")
		put(t, tb, it)
		wantIndex(t, tb, table.Query{PK: "open"})
		wantIndex(t, tb, table.Query{PK: "closed"}, "1")
		it.Version, it.Index = 3, table.Key{}
		put(t, tb, it)
		wantIndex(t, tb, table.Query{PK: "closed"})
		it.Version, it.Index = 4, key("open", "y")
		put(t, tb, it)
		wantIndex(t, tb, table.Query{PK: "open"}, "1")
		if err := tb.Delete(t.Context(), it.Key); err != nil {
			t.Fatal(err)
		}
		wantIndex(t, tb, table.Query{PK: "open"})
	})
	t.Run("is another path to the same items", func(t *testing.T) {
		tb := open(t, clock.Now)
		it := item("a", "1", `{"n":1}`)
		it.Index, it.Expires = key("i", "z"), clock.Now().Add(1e9)
		put(t, tb, it)
		eventually(t, func() string {
			its, err := collect(t.Context(), tb, table.Query{PK: "i", Index: true})
			if err != nil {
				return err.Error()
			}
			return cmp.Diff([]table.Item{get(t, tb, it.Key)}, its)
		})
		same(t, []string{}, sks(t, tb, table.Query{PK: "i"}))
		wantIndex(t, tb, table.Query{PK: "a"})
	})
	t.Run("shared keys", func(t *testing.T) {
		tb := open(t, clock.Now)
		want := map[table.Key]int{}
		for i := range 30 { // ten items under each of three index keys
			it := item(fmt.Sprint("p", i%7), fmt.Sprintf("%02d", i), "")
			it.Index = key("i", fmt.Sprint(i%3))
			put(t, tb, it)
			want[it.Key] = 1
		}
		for _, limit := range []int{1, 4, 10, 100} {
			for _, desc := range []bool{false, true} {
				q := table.Query{PK: "i", Index: true, Limit: limit, Desc: desc}
				eventually(t, func() string {
					its, err := collect(t.Context(), tb, q)
					if err != nil {
						return err.Error()
					}
					got := map[table.Key]int{}
					for i, it := range its {
						got[it.Key]++
						if i > 0 && (its[i-1].Index.SK > it.Index.SK) != desc && its[i-1].Index.SK != it.Index.SK {
							return "index keys out of order"
						}
					}
					return cmp.Diff(want, got)
				})
			}
		}
	})
}
