package store_test

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func scanned(items []table.Item) iter.Seq2[table.Item, error] {
	return func(yield func(table.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	}
}

// TestInventory is equal for the same records in any order, and for no others.
func TestInventory(t *testing.T) {
	at := func(pk, sk, body string) table.Item {
		return table.Item{Key: table.Key{PK: pk, SK: sk}, Version: 1, Body: []byte(body)}
	}
	items := []table.Item{
		at("O#acme#AUDIT#c", "1", "{}"), at("O#acme#AUDIT#c", "2", "{}"), at("O#a%23b#AUDIT#c", "1", "{}"),
		at("O#acme#KEY", "r", `{}`), at("X", "1", ""), at("O##KEY", "1", ""), at("O#acme", "1", ""),
	}
	kinds, err := store.Inventory(scanned(items))
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Kind{{Name: "?", Records: 3}, {Name: "AUDIT", Records: 3}, {Name: "KEY", Records: 1}}
	if d := cmp.Diff(want, kinds, cmpopts.IgnoreFields(store.Kind{}, "Digest")); d != "" {
		t.Error(d)
	}
	slices.Reverse(items)
	if other, err := store.Inventory(scanned(items)); err != nil || cmp.Diff(kinds, other) != "" {
		t.Errorf("in another order: %s %v", cmp.Diff(kinds, other), err)
	}
	for name, change := range map[string]func(*table.Item){
		"its body":    func(it *table.Item) { it.Body = []byte("{ }") },
		"its version": func(it *table.Item) { it.Version++ },
		"its index":   func(it *table.Item) { it.Index = table.Key{PK: "i", SK: "s"} },
		"its expiry":  func(it *table.Item) { it.Expires = table.ExpiresAt(9) },
		"its place":   func(it *table.Item) { it.SK = "3" },
	} {
		changed := slices.Clone(items)
		change(&changed[len(changed)-1])
		if other, err := store.Inventory(scanned(changed)); err != nil || cmp.Diff(kinds, other) == "" {
			t.Errorf("%s is changed, and the inventory is the same: %v", name, err)
		}
	}
	broken := errors.New("broken")
	if _, err := store.Inventory(func(yield func(table.Item, error) bool) { yield(table.Item{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("a scan that breaks: %v", err)
	}
}

// TestDataKeys picks what the store wrote, of organizations of any name.
func TestDataKeys(t *testing.T) {
	tab := memtable.New(nil)
	s := store.New(tab, nil)
	for _, org := range []model.OrganizationID{"acme", "a#b%23", "default"} {
		if err := s.For(org).PutDataKey(t.Context(), "organization", []byte(org)); err != nil {
			t.Fatal(err)
		}
	}
	var items []table.Item
	for _, pk := range []string{"O#acme#KEY", "O#a%23b%2523#KEY", "O#default#KEY"} {
		for it, err := range table.All(t.Context(), tab, table.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, it)
		}
	}
	items = append(items, table.Item{Key: table.Key{PK: "O#acme#KEYS", SK: "x"}, Body: []byte("no key")})
	var found []string
	for k, err := range store.DataKeys(scanned(items)) {
		if err != nil {
			t.Fatal(err)
		}
		if string(k.Wrapped) != string(k.Organization) || k.Record != "organization" || k.Version != 1 {
			t.Errorf("%+v", k)
		}
		found = append(found, string(k.Organization))
	}
	if d := cmp.Diff([]string{"acme", "a#b%23", "default"}, found); d != "" {
		t.Error(d)
	}
}

// TestConnections are those that are not deleted, of all organizations.
func TestConnections(t *testing.T) {
	at := func(org, sk, body string) table.Item {
		return table.Item{Key: table.Key{PK: table.Path("O", org, "CONNECTION"), SK: sk}, Body: []byte(body)}
	}
	live, err := store.Connections(scanned([]table.Item{
		at("acme", "a", `{"state":"active"}`), at("acme", "b", `{"state":"deleted"}`), at("z#1", "a", `{"state":"revoked"}`),
		{Key: table.Key{PK: "O#acme#RECEIPT", SK: "c"}, Body: []byte(`{}`)},
	}))
	want := map[store.OwnedConnection]bool{{Organization: "acme", Connection: "a"}: true, {Organization: "z#1", Connection: "a"}: true}
	if d := cmp.Diff(want, live); err != nil || d != "" {
		t.Errorf("%s %v", d, err)
	}
	if _, err := store.Connections(scanned([]table.Item{at("acme", "a", "nonsense")})); err == nil {
		t.Error("a record that nobody can read is passed over")
	}
}
