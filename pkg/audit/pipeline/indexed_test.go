package pipeline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// indexOf is the index that lists are answered from, of the one organization.
type indexOf struct{ keeper func() *index.Keeper }

func (i indexOf) Write(ctx context.Context, _ model.OrganizationID, connection model.ConnectionID) error {
	return i.keeper().Write(ctx, connection)
}

func (i indexOf) Renew(ctx context.Context, _ model.OrganizationID, connection model.ConnectionID) error {
	return i.keeper().Renew(ctx, connection)
}

func (i indexOf) Forget(ctx context.Context, _ model.OrganizationID, connection model.ConnectionID) error {
	return i.keeper().Forget(ctx, connection)
}

// unsealed is for who asks for one page.
type unsealed struct{}

func (unsealed) Seal(_ context.Context, _, plain string) (string, error) { return plain, nil }
func (unsealed) Open(context.Context, string, string) (string, error) {
	return "", errors.New("there is one page")
}

// listed is what the index has, as who starts anew reads it.
func listed(t *testing.T, x *machine, blobs blob.Store) map[model.FindingID]model.FindingState {
	t.Helper()
	k := &index.Keeper{ID: organization, Store: x.records, Blobs: blobs, Now: x.Now}
	view, err := k.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	who := index.Caller{Sees: func(string) bool { return true }}
	page, err := view.Ask(t.Context(), index.Checks{}, unsealed{}, who, index.Query{Limit: index.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	states := map[model.FindingID]model.FindingState{}
	for _, e := range page.Entries {
		states[e.ID] = e.State
	}
	return states
}

// checkIndexed compares the index with the table, when it may not lie any more.
func checkIndexed(t *testing.T, x *machine, blobs blob.Store) {
	t.Helper()
	x.now = x.now.Add(index.Lag)
	want := map[model.FindingID]model.FindingState{}
	for _, scope := range pipeline.Scopes(x.Catalog) {
		found, err := x.records.Findings(t.Context(), account, scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			want[f.ID] = f.State
		}
	}
	if diff := cmp.Diff(want, listed(t, x, blobs)); diff != "" || len(want) == 0 {
		t.Errorf("the index is not as the table (-table +index):\n%s", diff)
	}
}
