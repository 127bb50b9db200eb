package sso_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/oidctest"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	callback = oidctest.Callback
	password = oidctest.Secret
)

// visit is what a browser does at the provider, and brings back.
func (h *house) visit(t testing.TB, to string) sso.Answer {
	t.Helper()
	back := h.provider.Visit(t, to)
	return sso.Answer{State: back.Get("state"), Code: back.Get("code"), Address: "192.0.2.1", Client: "Firefox"}
}

// house is an installation with an organization that signs in by a provider.
type house struct {
	sso.SignIn

	now      time.Time
	provider *oidctest.Provider
	config   model.SSO
	table    table.Table
	store    *store.Store
}

func (h *house) clock() time.Time { return h.now }

func open(t testing.TB, change func(*model.SSO)) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)}
	h.provider = oidctest.NewProvider(t, h.clock)
	keys, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.table = memtable.New(h.clock)
	h.store = store.New(h.table, nil)
	h.SignIn = sso.SignIn{
		Store: h.store, Keys: keys, Callback: callback, Now: h.clock,
		Sessions: people.Sessions{Store: h.store, Now: h.clock},
		Client:   sso.NewClient(sso.Reach{PrivateHosts: []string{"127.0.0.1"}, Roots: oidctest.Roots(t)}),
	}
	h.config = model.SSO{
		Enabled: true, Issuer: h.provider.URL, ClientID: "caq", Domains: []string{"acme.com"},
		Groups: []model.SSOGroup{
			{Group: "auditors", Grant: model.Grant{Role: model.RoleClient, Projects: []string{"shop"}}},
			{Group: "payments", Grant: model.Grant{Role: model.RoleClient, Projects: []string{"pay", "shop"}}},
			{Group: "platform", Grant: model.Grant{Role: model.RoleAdmin}},
		},
	}
	if change != nil {
		change(&h.config)
	}
	if err := h.store.CreateOrganization(context.Background(), h.change("create-organization"), &model.Organization{ID: "acme", CreatedAt: h.now}, 1); err != nil {
		t.Fatal(err)
	}
	h.configure(t)
	return h
}

func (h *house) change(action string) model.Change {
	return model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "o"}, Action: action, At: h.now}
}

func (h *house) configure(t testing.TB) {
	t.Helper()
	if err := h.Configure(context.Background(), "acme", h.change("put-sso"), &h.config, secret.New(password)); err != nil {
		t.Fatal(err)
	}
}

// try is a whole sign-in.
func (h *house) try(t testing.TB) (sso.SignedIn, error) {
	t.Helper()
	started, err := h.Start(context.Background(), "acme", "/audits?x=1")
	if err != nil {
		return sso.SignedIn{}, err
	}
	answer := h.visit(t, started.URL)
	answer.Cookie = started.Cookie
	return h.Finish(context.Background(), answer)
}

func (h *house) member(t testing.TB, who model.PersonID) model.Member {
	t.Helper()
	m, err := h.store.For("acme").Member(context.Background(), who)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// joined is somebody who was a member before, by invitation.
func (h *house) joined(t testing.TB, address string, role model.Role) model.Person {
	t.Helper()
	p := model.Person{ID: model.PersonID(ulid.Make().String()), Email: address, CreatedAt: h.now}
	if err := h.store.People().Create(context.Background(), &p); err != nil {
		t.Fatal(err)
	}
	m := model.Member{Person: p.ID, Role: role, Since: h.now, InvitedAs: address}
	if err := h.store.People().Join(context.Background(), "acme", h.change("join"), &m); err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) actions(t testing.TB) (actions []string) {
	t.Helper()
	for e, err := range h.store.For("acme").AdminLog(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, e.Action)
		if strings.Contains(fmt.Sprintf("%s%s", e.Before, e.After), password) {
			t.Errorf("the log has the client secret: %s", e.After)
		}
	}
	return actions
}

func sorted(projects []string) []string { return slices.Sorted(slices.Values(projects)) }
