package local_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// TestRekeyKeepsWhatIsServed: what organizations that are served from a state have sealed
// opens after its master key was replaced, as what the command has.
func TestRekeyKeepsWhatIsServed(t *testing.T) {
	t.Parallel()
	state, _ := open(t, t.TempDir())
	none := func(bool, bool) (secret.String, error) { return secret.String{}, nil }
	if err := state.Store.CreateOrganization(t.Context(), model.Change{}, &model.Organization{ID: "acme"}, 10); err != nil {
		t.Fatal(err)
	}
	ids := func() connect.ExternalIDs {
		return connect.ExternalIDs{Store: state.Store, Keys: state.Keys(none), Now: time.Now}
	}
	before, err := ids().ExternalID(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if done, err := state.Rekey(t.Context(), none); err != nil || done.DataKeys != 1 || done.Dropped != 1 {
		t.Fatalf("rekeyed: %+v, %v", done, err)
	}
	after, err := ids().ExternalID(t.Context(), "acme")
	if err != nil || after.Reveal() != before.Reveal() {
		t.Errorf("the External ID after the master key was replaced: %v", err)
	}
}
