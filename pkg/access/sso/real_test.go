package sso_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/oidctest"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestRealProvider signs somebody in through a provider that is not ours, as a browser
// would: its pages, its PKCE, its tokens, its userinfo endpoint.
func TestRealProvider(t *testing.T) {
	h := open(t, nil)
	server := oidctest.NewReal(t)
	h.now = time.Now().UTC() // the provider has a clock of its own
	h.config = model.SSO{
		Enabled: true, Issuer: server.URL, ClientID: oidctest.ClientID, Domains: []string{"zitadel.ch"},
		Otherwise: &model.Grant{Role: model.RoleClient},
	}
	stored, err := h.store.For("acme").SSO(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.config.Version = stored.Version
	h.configure(t)

	started, err := h.Start(t.Context(), "acme", "/audits")
	if err != nil {
		t.Fatalf("%v: %v", err, unwrapped(err))
	}
	back := oidctest.SignInReal(t, server, started.URL)
	answer := sso.Answer{Cookie: started.Cookie, State: back.Get("state"), Code: back.Get("code"), Issuer: back.Get("iss"), Error: back.Get("error")}
	in, err := h.Finish(t.Context(), answer)
	if err != nil {
		t.Fatalf("%v: %v", err, unwrapped(err))
	}
	who, err := h.store.People().Person(t.Context(), in.Session.Person)
	if err != nil || who.Email != oidctest.RealEmail || h.member(t, who.ID).Role != model.RoleClient || in.Return != "/audits" {
		t.Errorf("signed in is %+v, %v", who, err)
	}
	if _, err := h.Finish(t.Context(), answer); code(err) != sso.CodeReplayed {
		t.Errorf("the same answer again: %v", err)
	}

	other, err := h.Start(t.Context(), "acme", "/audits")
	if err != nil {
		t.Fatal(err)
	}
	answer.Cookie = other.Cookie
	u, _ := url.Parse(other.URL)
	answer.State = u.Query().Get("state")
	if _, err := h.Finish(t.Context(), answer); code(err) != sso.CodeCode {
		t.Errorf("a code of another sign-in: %v: %v", err, unwrapped(err))
	}
}

func unwrapped(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok { //nolint:errorlint // to be shown
		return u.Unwrap()
	}
	return nil
}
