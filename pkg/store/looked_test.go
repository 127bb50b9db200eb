package store_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TestLooksKnowWhichCheckLookedWhere: looks that are added, written and read know which check looked where, and
// of no other.
func TestLooksKnowWhichCheckLookedWhere(t *testing.T) {
	t.Parallel()
	checks, regions := []string{"a", "b", "c"}, []string{"eu", "us", "ap"}
	rapid.Check(t, func(t *rapid.T) {
		var looks []store.Look
		looked := map[[2]string]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "looks") {
			some := func(of []string, name string) []string {
				return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID).Draw(t, name)
			}
			by, at := some(checks, "checks"), some(regions, "regions")
			looks = store.AddLook(looks, store.NewLook(by, at))
			for _, c := range by {
				for _, r := range at {
					looked[[2]string{c, r}], looked[[2]string{c, model.Global}] = true, true
				}
			}
		}
		data, err := json.Marshal(looks)
		if err != nil {
			t.Fatal(err)
		}
		var read []store.Look
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		for _, c := range checks {
			for _, r := range append(regions, model.Global) {
				got := false
				for _, l := range read {
					got = got || l.At(c, r)
				}
				if got != looked[[2]string{c, r}] {
					t.Fatalf("%s at %s: %t in %s", c, r, got, data)
				}
			}
		}
	})
}
