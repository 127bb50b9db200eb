package local_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func TestRemovedConnection(t *testing.T) {
	t.Parallel()
	state, run := open(t, t.TempDir())
	audit, err := state.Audit(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	records, id := state.Records, audit.Connection
	if err := records.PutAccess(t.Context(), id, &store.Access{ExternalID: []byte("sealed")}); err != nil {
		t.Fatal(err)
	}
	if err := records.PutDataKey(t.Context(), string(id), []byte("wrapped")); err != nil {
		t.Fatal(err)
	}
	if err := records.PutAccessKey(t.Context(), id, store.SealedAccessKey{ID: "k", SecretAccessKey: []byte("sealed")}); err != nil {
		t.Fatal(err)
	}
	connection, err := records.Connection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}

	audit.State = model.AuditRunning
	if err := records.PutAudit(t.Context(), &audit); err != nil {
		t.Fatal(err)
	}
	var input *local.InputError
	if _, err := state.Remove(t.Context(), connection); !errors.As(err, &input) || !strings.Contains(err.Error(), "is running") {
		t.Errorf("removed under an audit: %v", err)
	}
	audit.State = model.AuditDone
	if err := records.PutAudit(t.Context(), &audit); err != nil {
		t.Fatal(err)
	}

	receipt, err := state.Remove(t.Context(), connection)
	if err != nil || receipt.PurgedAt.IsZero() || receipt.Records < 5 || receipt.Objects < 2 {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
	_, ofConnection := records.AnyConnection(t.Context(), id)
	_, ofAccess := records.Access(t.Context(), id)
	_, ofKey := records.DataKey(t.Context(), string(id))
	_, ofAccessKey := records.AccessKey(t.Context(), id, "k")
	_, ofAudit := records.Audit(t.Context(), id, audit.ID)
	for what, err := range map[string]error{"connection": ofConnection, "access": ofAccess, "data key": ofKey, "access key": ofAccessKey, "audit": ofAudit} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s after the removal: %v", what, err)
		}
	}
	for info, err := range state.Evidence.List(t.Context(), "") {
		t.Errorf("left of it: %s, %v", info.Key, err)
	}
}
