package store_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/store"
)

func TestLooked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z]{1,4}-[a-z]{1,4}`), rapid.ID).Draw(t, "names")
		in := len(names) / 2
		set := store.Looked{}
		for _, name := range names[:in] {
			set = set.With(name).With(name)
		}
		data, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		var read store.Looked
		if err := json.Unmarshal(data, &read); err != nil || read == nil || len(read) != in {
			t.Fatalf("%s: %v, %v", data, read, err)
		}
		for i, name := range names {
			if read.Has(name) != (i < in) {
				t.Fatalf("%q in %v: %t", name, names[:in], read.Has(name))
			}
		}
	})
}
