package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func TestLooks(t *testing.T) {
	t.Parallel()
	type ids = []string
	type regions = []string
	look := store.NewLook
	for name, c := range map[string]struct {
		before []store.Look
		add    store.Look
		want   []store.Look
	}{
		"the first":         {nil, look(ids{"b", "a"}, regions{"y", "x"}), []store.Look{look(ids{"a", "b"}, regions{"x", "y"})}},
		"none":              {nil, look(nil, regions{"x"}), nil},
		"the same again":    {[]store.Look{look(ids{"a", "b"}, regions{"x"})}, look(ids{"a"}, regions{"x"}), []store.Look{look(ids{"a", "b"}, regions{"x"})}},
		"more regions":      {[]store.Look{look(ids{"a"}, regions{"x"})}, look(ids{"a"}, regions{"y"}), []store.Look{look(ids{"a"}, regions{"x", "y"})}},
		"more checks":       {[]store.Look{look(ids{"a"}, regions{"x"})}, look(ids{"b"}, regions{"x"}), []store.Look{look(ids{"a", "b"}, regions{"x"})}},
		"more of all":       {[]store.Look{look(ids{"a"}, regions{"x"}), look(ids{"b"}, regions{"y"})}, look(ids{"a", "b"}, regions{"x", "y"}), []store.Look{look(ids{"a", "b"}, regions{"x", "y"})}},
		"others, elsewhere": {[]store.Look{look(ids{"a"}, regions{"x", "y"})}, look(ids{"a", "b"}, regions{"x"}), []store.Look{look(ids{"a"}, regions{"x", "y"}), look(ids{"a", "b"}, regions{"x"})}},
	} {
		if diff := cmp.Diff(c.want, store.AddLook(c.before, c.add)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	today := [][]string{{"b", "b before"}, {"c"}, {"d", "d before"}}
	names := store.NewNames("gone", "b before", "c")
	if diff := cmp.Diff(store.NewNames("b", "c"), names.Today(today)); diff != "" {
		t.Errorf("today (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(store.NewNames("gone", "b", "c"), names.Renamed(today)); diff != "" {
		t.Errorf("renamed (-want +got):\n%s", diff)
	}
	var many []store.Look
	for i := range 100 {
		many = store.AddLook(many, look(ids{fmt.Sprint(i)}, regions{fmt.Sprint(i)}))
	}
	if len(many) > 16 || !many[0].At("0", "0") || !many[len(many)-1].At("99", "99") || many[len(many)-1].At("99", "0") {
		t.Errorf("%d looks: %v", len(many), many)
	}
	if !many[0].At("0", model.Global) || many[0].At("99", model.Global) {
		t.Errorf("what is of no region: %v", many[0])
	}
}
