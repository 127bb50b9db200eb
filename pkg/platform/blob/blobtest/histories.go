package blobtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Readers see one whole version or another, whoever writes meanwhile.
func testNeverHalf(t *testing.T, s blob.Store) {
	const size = 200_000
	content := func(c byte) string { return strings.Repeat(string(c), size+int(c)) }
	put(t, s, "d/k", content('a'))
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for j := range 8 {
				if err := s.Put(t.Context(), "d/k", strings.NewReader(content(byte('a'+i*8+j)))); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				got, err := get(t.Context(), s, "d/k")
				if err != nil || len(got) == 0 || got != content(got[0]) {
					t.Errorf("%d bytes, %v", len(got), err)
					return
				}
				if l := list(t, s, ""); !slices.Equal(l, []string{"d/k"}) {
					t.Errorf("list: %q", l)
				}
			}
		})
	}
	wg.Wait()
}

func testPutDelete(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for i := range 4 {
		key := fmt.Sprintf("x/y/z/%d", i)
		wg.Go(func() {
			for range 25 {
				if err := s.Put(t.Context(), key, strings.NewReader(key)); err != nil {
					t.Error(err)
				}
				if got, err := get(t.Context(), s, key); err != nil || got != key {
					t.Errorf("%s holds %q, %v", key, got, err)
				}
				if err := s.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := list(t, s, ""); got != nil {
		t.Errorf("left: %q", got)
	}
}

func testModel(t *testing.T, s blob.Store) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		base := fmt.Sprintf("run=%d/", run)
		model := map[string]string{}
		key := func() string {
			return base + rapid.SampledFrom([]string{"a", "b/a", "b/b", "b-a", "c/d/e", "c/d/f", "c/dd"}).Draw(rt, "key")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				k := key()
				model[k] = rapid.String().Draw(rt, "content")
				if err := s.Put(t.Context(), k, strings.NewReader(model[k])); err != nil {
					rt.Fatal(err)
				}
			},
			"delete": func(rt *rapid.T) {
				k := key()
				delete(model, k)
				if err := s.Delete(t.Context(), k); err != nil {
					rt.Fatal(err)
				}
			},
			"deleteMany": func(rt *rapid.T) {
				var keys []string
				for range rapid.IntRange(0, 4).Draw(rt, "n") {
					keys = append(keys, key())
					delete(model, keys[len(keys)-1])
				}
				if err := s.DeleteMany(t.Context(), keys); err != nil {
					rt.Fatal(err)
				}
			},
			"get": func(rt *rapid.T) {
				k := key()
				wanted, ok := model[k]
				got, err := get(t.Context(), s, k)
				if got != wanted || (err == nil) != ok {
					rt.Fatalf("%s holds %q, %v; want %q", k, got, err, wanted)
				}
			},
			"list": func(rt *rapid.T) {
				prefix := base + rapid.SampledFrom([]string{"", "b", "b/", "c/d", "c/d/"}).Draw(rt, "prefix")
				got := map[string]string{}
				last := ""
				for i, err := range s.List(t.Context(), prefix) {
					if err != nil || i.Key <= last {
						rt.Fatalf("%q after %q, %v", i.Key, last, err)
					}
					last = i.Key
					got[i.Key], _ = get(t.Context(), s, i.Key)
				}
				wanted := map[string]string{}
				for k, v := range model {
					if strings.HasPrefix(k, prefix) {
						wanted[k] = v
					}
				}
				if d := cmp.Diff(wanted, got); d != "" {
					rt.Fatal(d)
				}
			},
		})
	})
}
