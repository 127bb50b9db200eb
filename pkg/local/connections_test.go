package local_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/secret"
	"github.com/cloudarq/cloudarq/pkg/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const roleARN = "arn:aws:iam::111122223333:role/CloudArqAuditRole"

func connections(t *testing.T, path, passphrase string) (local.Connections, local.Run) {
	t.Helper()
	state, run := open(t, path)
	return local.Connections{State: state, Keys: state.Keys(func(bool, bool) (secret.String, error) { return secret.New(passphrase), nil })}, run
}

func TestAddedConnection(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	kept, _ := connections(t, path, "")
	n := local.NewConnection{Name: "prod", RoleARN: roleARN, Profile: "audit", ExternalID: secret.New("the-id"), Regions: []string{"eu-west-1"}, Services: []string{"house"}, Checks: []string{"door-*"}}
	added, id, err := kept.Add(t.Context(), n)
	if err != nil || id.Reveal() != "the-id" {
		t.Fatalf("added with %q, %v", id.Reveal(), err)
	}
	want := model.Connection{
		ID: "111122223333", AccountID: "111122223333", Name: "prod", RoleARN: roleARN, Regions: n.Regions, Services: n.Services, Checks: n.Checks,
		State: model.ConnectionPending, Reason: "not verified yet", Version: 1,
	}
	if diff := cmp.Diff(want, added, cmpopts.IgnoreFields(model.Connection{}, "CreatedAt", "Since")); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	for _, word := range []string{"prod", "111122223333"} {
		if found, err := kept.Find(t.Context(), word); err != nil || found.ID != added.ID {
			t.Errorf("%s: %+v, %v", word, found, err)
		}
	}
	target, err := kept.Target(t.Context(), added, "cloudarq-x")
	if err != nil || target.RoleARN != roleARN || target.Profile != "audit" || target.ExternalID.Reveal() != "the-id" || target.SessionName != "cloudarq-x" {
		t.Errorf("the way in: %+v, %v", target, err)
	}
	if _, made, err := kept.Add(t.Context(), local.NewConnection{RoleARN: strings.Replace(roleARN, "1111", "2222", 1)}); err != nil || len(made.Reveal()) < 32 {
		t.Errorf("made %q, %v; want 128 bits at least", made.Reveal(), err)
	}
	if _, _, err := kept.Add(t.Context(), local.NewConnection{Name: "prod", RoleARN: strings.Replace(roleARN, "1111", "2222", 1)}); err == nil {
		t.Error("two accounts have one name")
	}
}

// A sealed External ID opens for its connection alone, and with its keyring alone.
func TestExternalIDStaysInItsPlace(t *testing.T) {
	t.Parallel()
	kept, _ := connections(t, filepath.Join(t.TempDir(), "state"), "")
	var both []model.Connection
	for _, account := range []string{"1111", "2222"} {
		c, _, err := kept.Add(t.Context(), local.NewConnection{RoleARN: strings.Replace(roleARN, "1111", account, 1), ExternalID: secret.New("the-id")})
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, c)
	}
	records := kept.State.Records
	first, err := records.Access(t.Context(), both[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	second, err := records.Access(t.Context(), both[1].ID)
	if err != nil || string(first.ExternalID) == string(second.ExternalID) {
		t.Errorf("the same External ID is sealed the same way twice, %v", err)
	}
	if err := records.PutAccess(t.Context(), both[1].ID, first); err != nil {
		t.Fatal(err)
	}
	if id, err := kept.ExternalID(t.Context(), both[1]); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("moved to another connection it opens: %q, %v", id.Reveal(), err)
	}
	if id, err := kept.ExternalID(t.Context(), both[0]); err != nil || id.Reveal() != "the-id" {
		t.Errorf("in its place: %q, %v", id.Reveal(), err)
	}
	other, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept.Keys = other
	if _, err := kept.ExternalID(t.Context(), both[0]); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("with another keyring: %v", err)
	}
}

// The keyring is opened when it is needed, and no sooner.
func TestKeyringIsOpenedLate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	kept, _ := connections(t, path, "right")
	if _, _, err := kept.Add(t.Context(), local.NewConnection{Name: "prod", RoleARN: roleARN}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	kept.Keys = kept.State.Keys(func(protected, exists bool) (secret.String, error) {
		asked++
		if !protected || !exists {
			t.Errorf("asked with protected %v, exists %v", protected, exists)
		}
		return secret.New("wrong"), nil
	})
	c, err := kept.Find(t.Context(), "prod")
	if err != nil || asked != 0 {
		t.Fatalf("asked %d times to find a connection, %v", asked, err)
	}
	for range 2 {
		if _, err := kept.ExternalID(t.Context(), c); !errors.Is(err, keyring.ErrPassphrase) || asked != 1 {
			t.Errorf("asked %d times, %v", asked, err)
		}
	}
}

func TestRemovedConnection(t *testing.T) {
	t.Parallel()
	kept, run := connections(t, filepath.Join(t.TempDir(), "state"), "")
	added, _, err := kept.Add(t.Context(), local.NewConnection{Name: "prod", RoleARN: roleARN})
	if err != nil {
		t.Fatal(err)
	}
	audit, err := kept.State.Audit(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	records := kept.State.Records

	audit.State = model.AuditRunning
	if err := records.PutAudit(t.Context(), &audit); err != nil {
		t.Fatal(err)
	}
	var input *local.InputError
	if _, err := kept.Remove(t.Context(), added); !errors.As(err, &input) || !strings.Contains(err.Error(), "is running") {
		t.Errorf("removed under an audit: %v", err)
	}
	audit.State = model.AuditDone
	if err := records.PutAudit(t.Context(), &audit); err != nil {
		t.Fatal(err)
	}

	// A removal that was interrupted is finished by the next.
	half, err := kept.Find(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	half.State = model.ConnectionDeleted
	if err := records.PutConnection(t.Context(), &half); err != nil {
		t.Fatal(err)
	}
	if _, _, err := kept.Add(t.Context(), local.NewConnection{RoleARN: roleARN}); !errors.As(err, &input) || !strings.Contains(err.Error(), "half removed") {
		t.Errorf("added while half removed: %v", err)
	}
	if half, err = kept.FindAny(t.Context(), "111122223333"); err != nil {
		t.Fatal(err)
	}
	receipt, err := kept.Remove(t.Context(), half)
	if err != nil || receipt.PurgedAt.IsZero() || receipt.Records < 5 || receipt.Objects < 2 {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
	_, ofConnection := records.AnyConnection(t.Context(), added.ID)
	_, ofAccess := records.Access(t.Context(), added.ID)
	_, ofKey := records.DataKey(t.Context(), string(added.ID))
	_, ofAudit := records.Audit(t.Context(), added.ID, audit.ID)
	for what, err := range map[string]error{"connection": ofConnection, "access": ofAccess, "data key": ofKey, "audit": ofAudit} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s after the removal: %v", what, err)
		}
	}
	for info, err := range kept.State.Evidence.List(t.Context(), "") {
		t.Errorf("left of it: %s, %v", info.Key, err)
	}
}

func TestTrustPolicy(t *testing.T) {
	t.Parallel()
	got := local.TrustPolicy("arn:aws:iam::999988887777:user/auditor", secret.New("the-id"))
	for _, want := range []string{`"AWS": "arn:aws:iam::999988887777:user/auditor"`, `"sts:ExternalId": "the-id"`, `"sts:AssumeRole"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}
