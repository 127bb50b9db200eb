package local_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TestReindex: findings of a release that had no index are listed without anybody's command,
// and what it writes after that when the index is made anew.
func TestReindex(t *testing.T) {
	t.Parallel()
	state, _ := open(t, t.TempDir())
	const id model.ConnectionID = "111122223333"
	if err := state.Records.PutConnection(t.Context(), &model.Connection{ID: id, State: model.ConnectionActive}); err != nil {
		t.Fatal(err)
	}
	record := store.Scope{Parts: 1, Try: 1}
	if err := state.Records.PutScope(t.Context(), id, "house", &record); err != nil {
		t.Fatal(err)
	}
	found := func(arn string) {
		t.Helper()
		ref := model.Ref{ARN: arn}
		f := model.Finding{ID: model.NewFindingID("door-locked", ref), Check: "door-locked", Connection: id, Resource: ref, State: model.FindingOpen}
		if err := state.Records.PutFinding(t.Context(), "house", 1, f); err != nil {
			t.Fatal(err)
		}
	}
	listed := func(when string, want int) {
		t.Helper()
		view, err := state.Index().For(local.Organization).View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if view.Len() != want {
			t.Errorf("%s: %d findings are listed, want %d", when, view.Len(), want)
		}
	}
	found("arn:aws:house:::door/a")
	listed("after the upgrade", 1)
	found("arn:aws:house:::door/b")
	listed("said to nobody", 1)
	done, err := state.Reindex(t.Context())
	if diff := cmp.Diff([]local.Reindexed{{Organization: local.Organization, Connections: 1}}, done); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	listed("made anew", 2)
}

// TestIndexOfAnAudit: an audit leaves the index as its findings are, and a removed connection
// is in none of its objects.
func TestIndexOfAnAudit(t *testing.T) {
	t.Parallel()
	state, run := open(t, t.TempDir())
	audit, err := state.Audit(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	view, err := state.Index().For(local.Organization).View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, scope := range pipeline.Scopes(state.Catalog) {
		of, err := state.Records.Findings(t.Context(), audit.Connection, scope)
		if err != nil {
			t.Fatal(err)
		}
		found += len(of)
	}
	if found == 0 || view.Len() != found {
		t.Errorf("%d findings are listed, want %d", view.Len(), found)
	}
	connection, err := state.Records.Connection(t.Context(), audit.Connection)
	if err == nil {
		_, err = state.Remove(t.Context(), connection)
	}
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range state.Evidence.List(t.Context(), "index/") {
		t.Errorf("%s is left, %v", info.Key, err)
	}
}
