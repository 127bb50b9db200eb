package keep_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const roleARN = "arn:aws:iam::111122223333:role/CloudArqAuditRole"

func connections(t *testing.T, path, passphrase string) keep.Connections {
	t.Helper()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	state, err := local.Open(t.Context(), path, catalog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	return keep.Connections{State: state, Keys: state.Keys(func(bool, bool) (secret.String, error) { return secret.New(passphrase), nil })}
}

func TestAddedConnection(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	accounts := connections(t, path, "")
	n := keep.NewConnection{Name: "prod", RoleARN: roleARN, Profile: "audit", ExternalID: secret.New("the-id"), AuditOptions: model.AuditOptions{Regions: []string{"eu-west-1"}, Services: []string{"kms"}, Checks: []string{"kms-*"}}}
	added, id, err := accounts.Add(t.Context(), n)
	if err != nil || id.Reveal() != "the-id" {
		t.Fatalf("added with %q, %v", id.Reveal(), err)
	}
	want := model.Connection{
		ID: "111122223333", AccountID: "111122223333", Name: "prod", RoleARN: roleARN, AuditOptions: n.AuditOptions,
		State: model.ConnectionPending, Reason: "not verified yet", Version: 1,
	}
	if diff := cmp.Diff(want, added, cmpopts.IgnoreFields(model.Connection{}, "CreatedAt", "Since")); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	for _, word := range []string{"prod", "111122223333"} {
		if found, err := accounts.Find(t.Context(), word); err != nil || found.ID != added.ID {
			t.Errorf("%s: %+v, %v", word, found, err)
		}
	}
	target, err := accounts.Target(t.Context(), added, "cloudarq-x")
	if err != nil || target.RoleARN != roleARN || target.Profile != "audit" || target.ExternalID.Reveal() != "the-id" || target.SessionName != "cloudarq-x" {
		t.Errorf("the way in: %+v, %v", target, err)
	}
	if _, made, err := accounts.Add(t.Context(), keep.NewConnection{RoleARN: strings.Replace(roleARN, "1111", "2222", 1)}); err != nil || len(made.Reveal()) < 32 {
		t.Errorf("made %q, %v; want 128 bits at least", made.Reveal(), err)
	}
	if _, _, err := accounts.Add(t.Context(), keep.NewConnection{Name: "prod", RoleARN: strings.Replace(roleARN, "1111", "2222", 1)}); err == nil {
		t.Error("two accounts have one name")
	}
}

// A sealed External ID opens for its connection alone, and with its keyring alone.
func TestExternalIDStaysInItsPlace(t *testing.T) {
	t.Parallel()
	accounts := connections(t, filepath.Join(t.TempDir(), "state"), "")
	var both []model.Connection
	for _, account := range []string{"1111", "2222"} {
		c, _, err := accounts.Add(t.Context(), keep.NewConnection{RoleARN: strings.Replace(roleARN, "1111", account, 1), ExternalID: secret.New("the-id")})
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, c)
	}
	records := accounts.State.Records
	first, err := records.Access(t.Context(), both[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	second, err := records.Access(t.Context(), both[1].ID)
	if err != nil || string(first.ExternalID) == string(second.ExternalID) {
		t.Errorf("the same External ID is sealed the same way twice, %v", err)
	}
	first.Version = second.Version
	if err := records.PutAccess(t.Context(), both[1].ID, &first); err != nil {
		t.Fatal(err)
	}
	if id, err := accounts.ExternalID(t.Context(), both[1]); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("moved to another connection it opens: %q, %v", id.Reveal(), err)
	}
	if id, err := accounts.ExternalID(t.Context(), both[0]); err != nil || id.Reveal() != "the-id" {
		t.Errorf("in its place: %q, %v", id.Reveal(), err)
	}
	other, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	accounts.Keys = other
	if _, err := accounts.ExternalID(t.Context(), both[0]); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("with another keyring: %v", err)
	}
}

// The keyring is opened when it is needed, and no sooner.
func TestKeyringIsOpenedLate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	accounts := connections(t, path, "the right passphrase")
	if _, _, err := accounts.Add(t.Context(), keep.NewConnection{Name: "prod", RoleARN: roleARN}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	accounts.Keys = accounts.State.Keys(func(protected, exists bool) (secret.String, error) {
		asked++
		if !protected || !exists {
			t.Errorf("asked with protected %v, exists %v", protected, exists)
		}
		return secret.New("wrong"), nil
	})
	c, err := accounts.Find(t.Context(), "prod")
	if err != nil || asked != 0 {
		t.Fatalf("asked %d times to find a connection, %v", asked, err)
	}
	for range 2 {
		if _, err := accounts.ExternalID(t.Context(), c); !errors.Is(err, keyring.ErrPassphrase) || asked != 1 {
			t.Errorf("asked %d times, %v", asked, err)
		}
	}
}

// A removal that was interrupted is finished by the next.
func TestHalfRemovedConnection(t *testing.T) {
	t.Parallel()
	accounts := connections(t, filepath.Join(t.TempDir(), "state"), "")
	half, _, err := accounts.Add(t.Context(), keep.NewConnection{Name: "prod", RoleARN: roleARN})
	if err != nil {
		t.Fatal(err)
	}
	half.State = model.ConnectionDeleted
	if err := accounts.State.Records.PutConnection(t.Context(), &half); err != nil {
		t.Fatal(err)
	}
	var input *local.InputError
	if _, _, err := accounts.Add(t.Context(), keep.NewConnection{RoleARN: roleARN}); !errors.As(err, &input) || !strings.Contains(err.Error(), "half removed") {
		t.Errorf("added while half removed: %v", err)
	}
	if half, err = accounts.FindAny(t.Context(), "111122223333"); err != nil {
		t.Fatal(err)
	}
	if _, err := accounts.State.Remove(t.Context(), half); err != nil {
		t.Fatal(err)
	}
	if _, _, err := accounts.Add(t.Context(), keep.NewConnection{Name: "prod", RoleARN: roleARN}); err != nil {
		t.Errorf("added after the removal: %v", err)
	}
}

func TestTrustPolicy(t *testing.T) {
	t.Parallel()
	got := keep.TrustPolicy("arn:aws:iam::999988887777:user/auditor", secret.New("the-id"))
	for _, want := range []string{`"AWS": "arn:aws:iam::999988887777:user/auditor"`, `"sts:ExternalId": "the-id"`, `"sts:AssumeRole"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

// An account can be prepared for before its role is there, again and again: its
// External ID never changes once it is kept.
func TestPreparedConnection(t *testing.T) {
	t.Parallel()
	accounts := connections(t, filepath.Join(t.TempDir(), "state"), "")
	ctx := t.Context()
	first, err := accounts.Prepare(ctx, keep.NewConnection{Name: "prod", RoleARN: roleARN, AuditOptions: model.AuditOptions{Regions: []string{"eu-west-1"}}})
	if err != nil || len(first.ExternalID.Reveal()) < 32 {
		t.Fatalf("prepared %+v, %v", first, err)
	}
	if other, err := accounts.Prepare(ctx, keep.NewConnection{RoleARN: roleARN}); err != nil || other.ExternalID.Reveal() == first.ExternalID.Reveal() {
		t.Errorf("preparing keeps something: %v", err)
	}
	if all, err := accounts.State.Records.Connections(ctx); err != nil || len(all) != 0 {
		t.Errorf("preparing keeps %+v, %v", all, err)
	}
	kept, err := accounts.Put(ctx, first)
	if err != nil || kept.State != model.ConnectionPending || kept.Name != "prod" {
		t.Fatalf("kept %+v, %v", kept, err)
	}

	again, err := accounts.Prepare(ctx, keep.NewConnection{RoleARN: roleARN, Profile: "audit", AuditOptions: model.AuditOptions{Services: []string{"kms"}}})
	if err != nil || again.ExternalID.Reveal() != first.ExternalID.Reveal() || again.Name != "prod" || len(again.Regions) != 1 || len(again.Services) != 1 {
		t.Errorf("prepared again: %+v, %v; want what was kept, but for what is said anew", again, err)
	}
	otherRole := keep.NewConnection{RoleARN: roleARN + "2"}
	if renamed, err := accounts.Prepare(ctx, otherRole); err != nil || renamed.ExternalID.Reveal() != first.ExternalID.Reveal() {
		t.Errorf("another role before the first was verified: %v", err)
	}

	if err := accounts.State.Records.ChangeVerified(ctx, kept.ID, func(v *store.Verified) { v.Way = roleARN }); err != nil {
		t.Fatal(err)
	}
	kept.State, kept.Reason = model.ConnectionActive, ""
	if err := accounts.State.Records.PutConnection(ctx, &kept); err != nil {
		t.Fatal(err)
	}
	if kept, err = accounts.Put(ctx, again); err != nil || kept.State != model.ConnectionActive || len(kept.Services) != 1 {
		t.Errorf("kept again: %+v, %v; want it active still", kept, err)
	}
	if target, err := accounts.Target(ctx, kept, ""); err != nil || target.Profile != "audit" || target.ExternalID.Reveal() != first.ExternalID.Reveal() {
		t.Errorf("the way in: %+v, %v", target, err)
	}
	var input *local.InputError
	if _, err := accounts.Prepare(ctx, otherRole); !errors.As(err, &input) {
		t.Errorf("another role for a verified account: %v", err)
	}
	if _, err := accounts.Prepare(ctx, keep.NewConnection{Name: "prod", RoleARN: strings.Replace(roleARN, "1111", "2222", 1)}); !errors.As(err, &input) {
		t.Errorf("another account of the same name: %v", err)
	}
}

// An account that was audited with credentials of one's own has a history, and no
// External ID: it gets one, and keeps its record.
func TestPreparedConnectionWithoutARole(t *testing.T) {
	t.Parallel()
	accounts := connections(t, filepath.Join(t.TempDir(), "state"), "")
	c := model.Connection{ID: local.ConnectionOf("111122223333"), AccountID: "111122223333", State: model.ConnectionActive}
	if err := accounts.State.Records.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	n, err := accounts.Prepare(t.Context(), keep.NewConnection{RoleARN: roleARN})
	if err != nil || n.ExternalID.Empty() {
		t.Fatalf("prepared %+v, %v", n, err)
	}
	if kept, err := accounts.Put(t.Context(), n); err != nil || kept.RoleARN != roleARN || kept.Version != c.Version+1 {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

// TestNamed: a word that several connections are called by says which they are, and one
// that none is, what was meant.
func TestNamed(t *testing.T) {
	t.Parallel()
	all := []model.Connection{
		{ID: "01A", AccountID: "111122223333", Name: "prod"},
		{ID: "01B", AccountID: "444455556666", Name: "prod"},
		{ID: "01C", AccountID: "111122223333", Name: "again"},
		{ID: "01D", Name: "later"},
	}
	for word, want := range map[string]string{
		"01A": "01A", "444455556666": "01B", "again": "01C", "later": "01D",
		"prod":         `2 connections are called "prod"; say which by its id: 01A (account 111122223333), 01B (account 444455556666)`,
		"111122223333": `2 connections are called "111122223333"; say which by its id: 01A (account 111122223333), 01C (account 111122223333)`,
		"agian":        `no connection "agian"; did you mean "again"? cloudarq connections list shows them`,
		"something":    `no connection "something"; cloudarq connections list shows them`,
		"":             `no connection ""; cloudarq connections list shows them`,
	} {
		found, err := keep.Named(all, word)
		got := string(found.ID)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
