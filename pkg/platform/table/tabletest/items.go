package tabletest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func testItems(t *testing.T, open Open) {
	clock := NewClock()
	t.Run("put and get", func(t *testing.T) {
		tb := open(t, clock.Now)
		it := item("a", "1", `{"x":1}`)
		it.Index = key("i", "2")
		it.Expires = clock.Now().Add(time.Hour + 300*time.Millisecond).In(time.FixedZone("", 3600))
		put(t, tb, it)
		want := it
		want.Version, want.Expires = 1, clock.Now().Add(time.Hour)
		same(t, want, get(t, tb, it.Key))
	})
	t.Run("nothing", func(t *testing.T) {
		tb := open(t, clock.Now)
		put(t, tb, item("a", "1", "{}"))
		for _, k := range []table.Key{key("a", "2"), key("b", "1"), key("a", "1 "), key("A", "1")} {
			if _, err := tb.Get(t.Context(), k); !errors.Is(err, table.ErrNotFound) {
				t.Errorf("get %s: %v, want ErrNotFound", k, err)
			}
		}
	})
	t.Run("put refuses a stale version", func(t *testing.T) {
		tb := open(t, clock.Now)
		it := item("a", "1", "1")
		it.Version = 1
		conflict(t, tb, it, "version 1 of nothing")
		it.Version = 0
		put(t, tb, it)
		conflict(t, tb, it, "second creation")
		it.Version, it.Body = 1, []byte("2")
		put(t, tb, it)
		conflict(t, tb, it, "same version again")
		it.Version = 3
		conflict(t, tb, it, "future version")
		got := get(t, tb, it.Key)
		if got.Version != 2 || string(got.Body) != "2" {
			t.Fatalf("after refusals: version %d body %s", got.Version, got.Body)
		}
	})
	t.Run("delete", func(t *testing.T) {
		tb := open(t, clock.Now)
		put(t, tb, item("a", "1", "1"), item("a", "2", "2"))
		for range 2 {
			if err := tb.Delete(t.Context(), key("a", "1")); err != nil {
				t.Fatal(err)
			}
		}
		same(t, []string{"2"}, sks(t, tb, table.Query{PK: "a"}))
		stale := item("a", "1", "x")
		stale.Version = 1
		conflict(t, tb, stale, "version 1 after delete")
		put(t, tb, item("a", "1", "new"))
		if got := get(t, tb, key("a", "1")); got.Version != 1 {
			t.Fatalf("version %d after creation anew", got.Version)
		}
	})
	t.Run("bodies", func(t *testing.T) {
		tb := open(t, clock.Now)
		for i, body := range []string{"", "null", `{"a":"\u0000 é 😀"}`, "{ \"odd\" :\n1 }\x00\xff", strings.Repeat("x", 1<<16)} {
			k := key("a", fmt.Sprint(i))
			put(t, tb, table.Item{Key: k, Body: []byte(body)})
			if got := get(t, tb, k); string(got.Body) != body {
				t.Errorf("body %q came back as %q", body, got.Body)
			}
		}
	})
	t.Run("nothing is shared", func(t *testing.T) {
		tb := open(t, clock.Now)
		it := item("a", "1", "abc")
		put(t, tb, it)
		it.Body[0] = 'X'
		got := get(t, tb, it.Key)
		got.Body[1] = 'Y'
		if again := get(t, tb, it.Key); string(again.Body) != "abc" {
			t.Fatalf("body %s", again.Body)
		}
	})
	t.Run("cancelled context", func(t *testing.T) { testCancelled(t, open(t, clock.Now)) })
}

func conflict(t testing.TB, tb table.Table, it table.Item, what string) {
	t.Helper()
	if err := tb.Put(t.Context(), it); !errors.Is(err, table.ErrConflict) {
		t.Fatalf("%s: %v, want ErrConflict", what, err)
	}
}

func testMany(t *testing.T, open Open) {
	clock := NewClock()
	for _, n := range []int{0, 1, 25, 57, 1203} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			tb := open(t, clock.Now)
			its := make([]table.Item, n)
			for i := range its {
				its[i] = item("a", fmt.Sprintf("%04d", i), fmt.Sprintf(`{"n":%d}`, i))
				its[i].Index = key("i", its[i].SK)
			}
			for range 2 { // safe to repeat
				if err := tb.PutMany(t.Context(), its); err != nil {
					t.Fatal(err)
				}
			}
			got, err := collect(t.Context(), tb, table.Query{PK: "a", Limit: table.MaxLimit})
			if err != nil {
				t.Fatal(err)
			}
			var want []table.Item
			for _, it := range its {
				it.Version++
				want = append(want, it)
			}
			same(t, want, got)
		})
	}
	t.Run("overwrites", func(t *testing.T) {
		tb := open(t, clock.Now)
		it := item("a", "1", "old")
		it.Index, it.Expires = key("i", "1"), clock.Now().Add(time.Hour)
		put(t, tb, it)
		if err := tb.PutMany(t.Context(), []table.Item{item("a", "1", "new")}); err != nil {
			t.Fatal(err)
		}
		want := item("a", "1", "new")
		want.Version = 1
		same(t, want, get(t, tb, want.Key))
		wantIndex(t, tb, table.Query{PK: "i"})
		want.Body = []byte("newer")
		put(t, tb, want) // a versioned put takes over
	})
	t.Run("refuses before it writes", func(t *testing.T) {
		tb := open(t, clock.Now)
		good, huge := item("a", "1", "x"), item("a", "2", strings.Repeat("x", table.MaxItem))
		for what, c := range map[string]struct {
			its  []table.Item
			want error
		}{
			"too large": {[]table.Item{good, huge}, table.ErrTooLarge},
			"no key":    {[]table.Item{good, {}}, table.ErrInvalid},
			"twice":     {[]table.Item{good, item("a", "2", ""), good}, table.ErrInvalid},
		} {
			if err := tb.PutMany(t.Context(), c.its); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", what, err, c.want)
			}
		}
		same(t, []string{}, sks(t, tb, table.Query{PK: "a"}))
	})
}

func testDeleteMany(t *testing.T, open Open) {
	clock := NewClock()
	for _, n := range []int{0, 1, 25, 57, 1203} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			tb := open(t, clock.Now)
			var its []table.Item
			var ks []table.Key
			for i := range n {
				it := item([]string{"a", "b"}[i%2], fmt.Sprintf("%04d", i), "{}")
				it.Index = key("i", it.SK)
				its, ks = append(its, it), append(ks, it.Key)
			}
			for _, k := range []table.Key{key("a", "x"), key("b", "x"), key("c", "0000")} { // neighbours
				its = append(its, table.Item{Key: k, Index: key("i", k.PK)})
			}
			if err := tb.PutMany(t.Context(), its); err != nil {
				t.Fatal(err)
			}
			ks = append(ks, key("a", "never"), key("nowhere", "1"))
			for range 2 { // safe to repeat
				if err := tb.DeleteMany(t.Context(), ks); err != nil {
					t.Fatal(err)
				}
			}
			same(t, []string{"x"}, sks(t, tb, table.Query{PK: "a"}))
			same(t, []string{"x"}, sks(t, tb, table.Query{PK: "b"}))
			same(t, []string{"0000"}, sks(t, tb, table.Query{PK: "c"}))
			wantIndex(t, tb, table.Query{PK: "i", Limit: 10}, "x", "x", "0000")
		})
	}
	t.Run("any version", func(t *testing.T) {
		tb := open(t, clock.Now)
		old, expired := item("a", "1", "1"), item("a", "2", "")
		expired.Expires = clock.Now().Add(-time.Second)
		put(t, tb, old, expired)
		old.Version = 1
		put(t, tb, old)
		if err := tb.DeleteMany(t.Context(), []table.Key{old.Key, expired.Key}); err != nil {
			t.Fatal(err)
		}
		old.Version = 2
		conflict(t, tb, old, "version 2 after delete")
		put(t, tb, item("a", "1", "new"), item("a", "2", "new"))
	})
	t.Run("refuses before it deletes", func(t *testing.T) {
		tb := open(t, clock.Now)
		put(t, tb, item("a", "1", ""))
		for what, ks := range map[string][]table.Key{
			"no key": {key("a", "1"), {}}, "no UTF-8": {key("a", "1"), key("a", "\xff")}, "twice": {key("a", "1"), key("a", "2"), key("a", "1")},
		} {
			if err := tb.DeleteMany(t.Context(), ks); !errors.Is(err, table.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", what, err)
			}
		}
		get(t, tb, key("a", "1"))
	})
}
