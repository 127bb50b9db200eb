package connect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// mover wraps by putting "new" in place of "old", and dies at a call if it is told to.
type mover struct {
	mu     sync.Mutex
	calls  int
	dies   int
	during func(secret.Owner)
}

func (m *mover) Move(_ context.Context, owner secret.Owner, wrapped []byte) ([]byte, bool, error) {
	m.mu.Lock()
	m.calls++
	died := m.calls == m.dies
	m.mu.Unlock()
	if died {
		return nil, false, errDied
	}
	if m.during != nil {
		m.during(owner)
	}
	key, data, _ := strings.Cut(string(wrapped), ":")
	switch {
	case data != owner.Organization+"/"+owner.Record:
		return nil, false, fmt.Errorf("move: %w", secret.ErrSealed)
	case key == "new":
		return wrapped, false, nil
	}
	return []byte("new:" + data), true, nil
}

func (m *mover) Moved(_ context.Context, owner secret.Owner, wrapped []byte) error {
	if string(wrapped) != "new:"+owner.Organization+"/"+owner.Record {
		return secret.ErrSealed
	}
	return nil
}

// resealed is a table of 30 data keys of three organizations, of which one is damaged if
// that is wanted.
func resealed(t *testing.T, damage bool) (*store.Store, iter.Seq2[table.Item, error]) {
	t.Helper()
	tab := memtable.New(nil)
	s := store.New(tab, nil)
	organizations := []string{"acme", "default", "z#1"}
	for _, org := range organizations {
		for i := range 10 {
			record := fmt.Sprintf("r%d/%d", i, i)
			wrapped := "old:" + org + "/" + record
			if damage && org == "default" && i == 3 {
				wrapped = "old:somebody else's"
			}
			if err := s.For(model.OrganizationID(org)).PutDataKey(t.Context(), record, []byte(wrapped)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.For(model.OrganizationID(org)).PutSettings(t.Context(), model.Change{}, &model.Settings{}); err != nil {
			t.Fatal(err)
		}
	}
	return s, func(yield func(table.Item, error) bool) {
		for _, org := range organizations {
			for _, kind := range []string{"KEY", "ORGANIZATION"} {
				for it, err := range table.All(t.Context(), tab, table.Query{PK: table.Path("O", org, kind)}) {
					if !yield(it, err) {
						return
					}
				}
			}
		}
	}
}

// TestReseal may die at any call and be run again.
func TestReseal(t *testing.T) {
	for dies := 1; dies <= 31; dies++ {
		s, items := resealed(t, false)
		r := connect.Resealing{Store: s, Items: items, Keys: &mover{dies: dies}}
		first, err := r.All(t.Context())
		if (err != nil) != (dies <= 30) || dies <= 30 && !errors.Is(err, errDied) {
			t.Fatalf("dies at call %d: %v", dies, err)
		}
		r.Keys = &mover{}
		done, err := r.All(t.Context())
		want := connect.Resealed{Organizations: 3, DataKeys: 30 - first.DataKeys, Before: first.DataKeys, Proven: 30}
		if err != nil || done != want || !done.Complete() {
			t.Errorf("died at call %d, then %+v, want %+v: %v", dies, done, want, err)
		}
	}
}

// TestResealInstallation seals the installation's own data keys too, which is no organization.
func TestResealInstallation(t *testing.T) {
	tab := memtable.New(nil)
	s := store.New(tab, nil)
	for _, org := range []model.OrganizationID{"acme", store.InstallationOwner} {
		if err := s.DataKeysOf(org).PutDataKey(t.Context(), "r", []byte("old:"+string(org)+"/r")); err != nil {
			t.Fatal(err)
		}
	}
	items := func(yield func(table.Item, error) bool) {
		for _, pk := range []string{table.Path("O", "acme", "KEY"), table.Path("I", "KEY")} {
			for it, err := range table.All(t.Context(), tab, table.Query{PK: pk}) {
				if !yield(it, err) {
					return
				}
			}
		}
	}
	done, err := connect.Resealing{Store: s, Items: items, Keys: &mover{}}.All(t.Context())
	if want := (connect.Resealed{Organizations: 1, DataKeys: 2, Proven: 2}); err != nil || done != want {
		t.Errorf("%+v, want %+v: %v", done, want, err)
	}
}

// TestResealDamaged does all else, and says which does not open.
func TestResealDamaged(t *testing.T) {
	s, items := resealed(t, true)
	done, err := connect.Resealing{Store: s, Items: items, Keys: &mover{}}.All(t.Context())
	want := connect.Resealed{Organizations: 3, DataKeys: 29, Damaged: 1, Proven: 29}
	if done != want || done.Complete() || !errors.Is(err, secret.ErrSealed) || !strings.Contains(err.Error(), "r3/3 of organization default") {
		t.Errorf("%+v, want %+v: %v", done, want, err)
	}
}

// TestResealBeside others who write and delete meanwhile.
func TestResealBeside(t *testing.T) {
	s, items := resealed(t, false)
	for _, org := range []model.OrganizationID{"acme", "z#1"} {
		if err := s.For(org).PutDataKey(t.Context(), "c/r3", []byte("old:"+string(org)+"/c/r3")); err != nil {
			t.Fatal(err)
		}
	}
	var once sync.Map
	m := &mover{during: func(owner secret.Owner) {
		if _, twice := once.LoadOrStore(owner, true); twice {
			return
		}
		records := s.For(model.OrganizationID(owner.Organization))
		k, err := records.DataKey(t.Context(), owner.Record)
		if err != nil {
			t.Error(err)
		}
		switch owner.Record {
		case "r1/1": // wrapped anew by the old key
			err = records.ReplaceDataKey(t.Context(), k, k.Wrapped)
		case "r2/2": // by somebody who does the same
			err = records.ReplaceDataKey(t.Context(), k, []byte("new:"+owner.Organization+"/"+owner.Record))
		case "c/r3":
			err = records.DeleteAccessKey(t.Context(), "c", "r3")
		}
		if err != nil {
			t.Error(err)
		}
	}}
	done, err := connect.Resealing{Store: s, Items: items, Keys: m}.All(t.Context())
	want := connect.Resealed{Organizations: 3, DataKeys: 27, Before: 3, Gone: 2, Proven: 30}
	if err != nil || done != want || !done.Complete() {
		t.Errorf("%+v, want %+v: %v", done, want, err)
	}
}
