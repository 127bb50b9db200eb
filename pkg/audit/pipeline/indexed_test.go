package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// indexOf is the index that lists are answered from, of the one organization.
type indexOf struct{ keeper func() *index.Keeper }

func (i indexOf) Prepare(ctx context.Context, _ model.OrganizationID, connection model.ConnectionID, by string) (store.Prepared, error) {
	return i.keeper().Prepare(ctx, connection, by)
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

// unwritable is an index of which the objects cannot be written at first, or not in time.
type unwritable struct {
	pipeline.Index
	late  bool
	tried int
}

func (u *unwritable) Prepare(ctx context.Context, _ model.OrganizationID, _ model.ConnectionID, _ string) (p store.Prepared, err error) {
	if u.tried++; u.late {
		<-ctx.Done()
		return p, ctx.Err()
	}
	return p, errors.New("no space left")
}

// TestIndexThatCannotBeWritten: an audit ends, and is announced, also where its index cannot
// be written; what takes too long is done by a message of its own. What is listed is right in
// any case.
func TestIndexThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"it fails": false, "it takes too long": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{MaxReceives: 3})
			keepers := &index.Keepers{Store: x.Store, Blobs: x.Evidence, Now: x.Now}
			trouble := &unwritable{Index: keepers, late: late}
			x.Index = trouble
			r := x.request()
			if err := x.records.PutConnection(t.Context(), &r.Connection); err != nil {
				t.Fatal(err)
			}
			if _, err := x.Plan(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			ingest := x.Ingest
			if late {
				x.Spare = time.Minute
				ingest = func(ctx context.Context, m queue.Message) error {
					ctx, cancel := context.WithTimeout(ctx, x.Spare+300*time.Millisecond)
					defer cancel()
					return x.Ingest(ctx, m)
				}
			}
			if err := x.broker.Walk(t.Context(), memory.Worker{Queue: x.tasks, Handle: x.RunTask}, memory.Worker{Queue: x.results, Handle: ingest}); err != nil {
				t.Fatal(err)
			}
			if dead := append(x.tasks.Dead(), x.results.Dead()...); len(dead) > 0 {
				t.Fatal(dead[0].Err)
			}
			a, err := x.records.Audit(t.Context(), r.Connection.ID, r.Audit)
			if err != nil || a.State != model.AuditDone || trouble.tried == 0 {
				t.Errorf("the audit is %s, after %d tries of the index, %v", a.State, trouble.tried, err)
			}
			written := 0
			for _, err := range x.Evidence.List(t.Context(), fmt.Sprintf("index/org=%s/connection=%s/", organization, account)) {
				if err != nil {
					t.Fatal(err)
				}
				written++
			}
			if (written == 1) != late {
				t.Errorf("%d segments are written", written)
			}
			checkIndexed(t, x, x.Evidence)
		})
	}
}
