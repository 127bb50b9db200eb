package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const issuer = "https://id.example.com"

// vouchedFor is a person that an organization's provider brings in.
func vouchedFor(address, subject string) (model.Person, model.SSOIdentity) {
	p := model.Person{ID: model.PersonID(newID()), Email: address, CreatedAt: monday}
	return p, model.SSOIdentity{Issuer: issuer, Subject: subject, Person: p.ID, Since: monday}
}

// TestSSOIsKept: what is written is read, the sealed secret too, which neither JSON nor the
// log has; the log has that there is another one.
func TestSSOIsKept(t *testing.T) {
	t.Parallel()
	org := store.New(memtable.New(onMonday), nil).For("acme")
	s := model.SSO{Enabled: true, Issuer: issuer, ClientID: "c", Domains: []string{"example.com"}, Secret: model.Hidden("first sealed"), SecretSetAt: monday}
	if err := org.PutSSO(t.Context(), change("put-sso"), &s); err != nil {
		t.Fatal(err)
	}
	s.Secret, s.SecretSetAt = model.Hidden("second sealed"), monday.Add(time.Hour)
	if err := org.PutSSO(t.Context(), change("put-sso"), &s); err != nil {
		t.Fatal(err)
	}
	got, err := org.SSO(t.Context())
	if err != nil || string(got.Secret) != "second sealed" || got.Version != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	seen, err := json.Marshal(got)
	if err != nil || strings.Contains(string(seen), "sealed") {
		t.Errorf("%s, %v", seen, err)
	}
	if err := org.RemoveSSO(t.Context(), change("delete-sso"), got); err != nil {
		t.Fatal(err)
	}
	if _, err := org.SSO(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after it was removed: %v", err)
	}
	entries := 0
	for e, err := range org.AdminLog(t.Context(), 0) {
		if err != nil || strings.Contains(string(e.Before)+string(e.After), "sealed") {
			t.Errorf("the log says %s, then %s, %v", e.Before, e.After, err)
		}
		entries++
	}
	if entries != 3 {
		t.Errorf("%d entries for three changes", entries)
	}
	bad := model.SSO{Issuer: "http://id.example.com"}
	var wrong *model.FieldError
	if err := org.PutSSO(t.Context(), change("put-sso"), &bad); !errors.As(err, &wrong) {
		t.Errorf("what may not be said: %v", err)
	}
}

// TestNoClaim: whom a provider brings in takes nobody's e-mail address, is not found by it,
// and when it gets another one, whose address it had keeps that.
func TestNoClaim(t *testing.T) {
	t.Parallel()
	tb := memtable.New(onMonday)
	dir := store.New(tb, nil).People()
	who, identity := vouchedFor("anna@example.com", "s")
	if err := dir.CreateByIdentity(t.Context(), "acme", change("sso"), &who, &identity); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.ByEmail(t.Context(), "anna@example.com"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("found by an address without a claim: %v", err)
	}
	owner := create(t, tb, "anna@example.com")
	if err := dir.ChangeEmail(t.Context(), &who, "other@example.com", monday); err != nil {
		t.Fatal(err)
	}
	if found, err := dir.ByEmail(t.Context(), "anna@example.com"); err != nil || found.ID != owner.ID {
		t.Errorf("%s, %v, is not who has the address", found.ID, err)
	}
	if _, _, err := dir.ByIdentity(t.Context(), "other", issuer, "s"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an identity of another organization's: %v", err)
	}
	withPassword, identity := vouchedFor("b@example.com", "b")
	withPassword.Credentials.Password = model.Hidden("x")
	if err := dir.CreateByIdentity(t.Context(), "acme", change("sso"), &withPassword, &identity); err == nil {
		t.Error("somebody comes in with a password")
	}
}

// TestDeathWhileCreatingByIdentity: whoever dies in it, an hour later the identity leads to
// a person that stays, or to nobody; then it can be created.
func TestDeathWhileCreatingByIdentity(t *testing.T) {
	t.Parallel()
	for _, looked := range []bool{false, true} { // before the hour is over
		var c *clock
		who, identity := vouchedFor("anna@example.com", "s")
		mortal.Deaths(t, 6, func(*testing.T) table.Table { c = &clock{monday}; return memtable.New(c.Now) },
			func(tb table.Table) error {
				p, i := who, identity
				return store.New(tb, nil).People().CreateByIdentity(context.Background(), "acme", change("sso"), &p, &i)
			},
			func(t *testing.T, left table.Table, death string, err error) {
				dir := store.New(left, nil).People()
				found := err
				if looked {
					if _, _, found = dir.ByIdentity(t.Context(), "acme", issuer, "s"); found != nil && (err == nil || !errors.Is(found, store.ErrNotFound)) {
						t.Errorf("%s: %v", death, found)
					}
				}
				c.now = monday.Add(2 * time.Hour)
				later, stale, e := dir.ByIdentity(t.Context(), "acme", issuer, "s")
				switch {
				case found == nil && (e != nil || later.ID != who.ID):
					t.Errorf("%s: the person was there, and later is %q, %v", death, later.ID, e)
				case e != nil && !errors.Is(e, store.ErrNotFound):
					t.Errorf("%s: %v", death, e)
				case e != nil:
					next, again := vouchedFor("anna@example.com", "s")
					next.CreatedAt, again.Version = c.now, stale.Version
					if err := dir.CreateByIdentity(t.Context(), "acme", change("sso"), &next, &again); err != nil {
						t.Errorf("%s: %v", death, err)
					}
				}
			})
	}
}
