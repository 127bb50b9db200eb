package connect_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func externalIDs(t *testing.T) (connect.ExternalIDs, table.Table) {
	t.Helper()
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	keys, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return connect.ExternalIDs{Store: store.New(file, nil), Keys: keys, Now: time.Now}, file
}

func TestExternalIDIsTheOrganizations(t *testing.T) {
	t.Parallel()
	e, _ := externalIDs(t)
	get := func(org model.OrganizationID) string {
		t.Helper()
		id, err := e.ExternalID(t.Context(), org)
		if err != nil {
			t.Fatal(err)
		}
		return id.Reveal()
	}
	first := get("acme")
	if len(first) < 32+len("cloudarq-") || first != get("acme") || first == get("other") {
		t.Errorf("External IDs %q, %q, %q", first, get("acme"), get("other"))
	}
}

// Whoever asks first at the same moment gets what everybody gets.
func TestExternalIDIsMadeOnce(t *testing.T) {
	t.Parallel()
	e, _ := externalIDs(t)
	var wait sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wait.Go(func() {
			id, err := e.ExternalID(t.Context(), "acme")
			if err != nil {
				t.Error(err)
			}
			ids[i] = id.Reveal()
		})
	}
	wait.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("External IDs %q", ids)
		}
	}
}

// Neither the External ID nor its key is in the table in the clear, and another
// organization's record does not open.
func TestExternalIDIsSealed(t *testing.T) {
	t.Parallel()
	e, file := externalIDs(t)
	id, err := e.ExternalID(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, pk := range []string{"O#acme#EXTERNAL-IDS", "O#acme#KEY"} {
		found := 0
		for item, err := range table.All(t.Context(), file, table.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			found++
			if strings.Contains(string(item.Body), id.Reveal()) {
				t.Errorf("the External ID is in %s", item.Key)
			}
			item.PK, item.Version = strings.Replace(item.PK, "acme", "thief", 1), 0
			if err := file.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
		}
		if found == 0 {
			t.Errorf("nothing under %s", pk)
		}
	}
	if stolen, err := e.ExternalID(t.Context(), "thief"); err == nil {
		t.Errorf("a copied record opens for another organization: %t", stolen.Reveal() == id.Reveal())
	}
}
