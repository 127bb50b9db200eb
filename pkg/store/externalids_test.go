package store_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func generations(e store.ExternalIDs) (all []int, sealed []string) {
	for g, s := range e.All {
		all, sealed = append(all, g), append(sealed, string(s))
	}
	return all, sealed
}

// Generations are counted on, whoever wrote the record first, and none is given twice.
func TestGenerations(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := func(what string, e store.ExternalIDs, wantGenerations []int, wantSealed ...string) {
		t.Helper()
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var stored store.ExternalIDs
		if err := json.Unmarshal(data, &stored); err != nil {
			t.Fatal(err)
		}
		for _, e := range []store.ExternalIDs{e, stored} {
			if g, s := generations(e); !slices.Equal(g, wantGenerations) || !slices.Equal(s, wantSealed) || e.Newest() != wantGenerations[0] {
				t.Errorf("%s: %v %v, want %v %v", what, g, s, wantGenerations, wantSealed)
			}
		}
	}
	old := store.ExternalIDs{Sealed: [][]byte{[]byte("b"), []byte("a")}} // of a version that did not count
	want("old", old, []int{2, 1}, "b", "a")
	if err := old.Rotate([]byte("c"), now, ""); !errors.Is(err, store.ErrStaged) {
		t.Errorf("rotated while it is replaced: %v", err)
	}
	old.Retire()
	want("retired", old, []int{2}, "b")
	if err := old.Rotate([]byte("c"), now, "k"); err != nil || old.By != "k" || !old.Since.Equal(now) {
		t.Errorf("rotated: %+v, %v", old, err)
	}
	want("rotated", old, []int{3, 2}, "c", "b")
	old.TakeBack(now)
	want("taken back", old, []int{4, 3}, "b", "c")
	old.Replace(4, []byte("d"), now)
	want("replaced", old, []int{5, 4}, "d", "b")
	old.Replace(0, []byte("e"), now)
	want("replaced altogether", old, []int{6}, "e")
	var none store.ExternalIDs
	if err := none.Rotate([]byte("a"), now, ""); err != nil {
		t.Fatal(err)
	}
	want("the first", none, []int{1}, "a")
}

// What a version wrote that did not count External IDs is read as what it was.
func TestAccessOfOldVersions(t *testing.T) {
	t.Parallel()
	records := memtable.New(nil)
	old := table.Item{Key: table.Key{PK: "O#local#ACCESS", SK: "111122223333"}, Body: []byte(`{"profile":"p","external_id":"bmV3","before":"b2xk"}`)}
	if err := records.PutMany(t.Context(), []table.Item{old}); err != nil {
		t.Fatal(err)
	}
	org := store.New(records, nil).For("local")
	access, err := org.Access(t.Context(), "111122223333")
	if err != nil {
		t.Fatal(err)
	}
	ids := access.ExternalIDs()
	if g, s := generations(ids); !slices.Equal(g, []int{2, 1}) || !slices.Equal(s, []string{"new", "old"}) {
		t.Errorf("read %v %v", g, s)
	}
	ids.Retire()
	access.SetExternalIDs(ids)
	stale := access
	if err := org.PutAccess(t.Context(), "111122223333", &access); err != nil {
		t.Fatal(err)
	}
	if err := org.PutAccess(t.Context(), "111122223333", &stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("written over by one who read it before: %v", err)
	}
	if access, err = org.Access(t.Context(), "111122223333"); err != nil || access.ExternalIDs().Staged() || string(access.ExternalID) != "new" {
		t.Errorf("retired: %+v, %v", access, err)
	}
}

// External IDs that a version before kept beside the settings are good where they are, and
// kept apart from them from the first change on.
func TestExternalIDsOfOldVersions(t *testing.T) {
	t.Parallel()
	records := memtable.New(nil)
	old := table.Item{Key: table.Key{PK: "O#acme#ORGANIZATION", SK: "external-ids"}, Body: []byte(`{"sealed":["bmV3","b2xk"]}`)}
	if err := records.PutMany(t.Context(), []table.Item{old}); err != nil {
		t.Fatal(err)
	}
	org := store.New(records, nil).For("acme")
	ids, err := org.ExternalIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, s := generations(ids); !slices.Equal(s, []string{"new", "old"}) {
		t.Errorf("read %v", s)
	}
	ids.Retire()
	stale := ids
	if err := org.PutExternalIDs(t.Context(), model.Change{}, &ids); err != nil {
		t.Fatal(err)
	}
	if err := org.PutExternalIDs(t.Context(), model.Change{}, &stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("written over by one who read them before: %v", err)
	}
	now, err := org.ExternalIDs(t.Context())
	if _, s := generations(now); err != nil || !slices.Equal(s, []string{"new"}) || now.Version != 1 {
		t.Errorf("read %v at version %d, %v", s, now.Version, err)
	}
}
