package sso_test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestRealProvider signs somebody in through a provider that is not ours, as a browser
// would: its pages, its PKCE, its tokens, its userinfo endpoint. It is the example of
// zitadel/oidc, whose library is certified by the OpenID Foundation.
func TestRealProvider(t *testing.T) {
	h := open(t, nil)
	var op http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	users := storage.NewUserStore(server.URL)
	clients := map[string]*storage.Client{"real": storage.WebClient("real", password, callback)}
	op = exampleop.SetupServer(server.URL, storage.NewStorageWithClients(users, clients), nil, false)

	h.now = time.Now().UTC() // the provider has a clock of its own
	h.config = model.SSO{
		Enabled: true, Issuer: server.URL, ClientID: "real", Domains: []string{"zitadel.ch"},
		Otherwise: &model.Grant{Role: model.RoleClient},
	}
	stored, err := h.store.For("acme").SSO(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.config.Version = stored.Version
	h.configure(t)

	// The certificates of httptest are all the same, so that the client knows this one, too.
	started, err := h.Start(t.Context(), "acme", "/audits")
	if err != nil {
		t.Fatalf("%v: %v", err, unwrapped(err))
	}
	back := browse(t, server, started.URL, "test-user@127.0.0.1", "verysecure")
	answer := sso.Answer{Cookie: started.Cookie, State: back.Get("state"), Code: back.Get("code"), Issuer: back.Get("iss"), Error: back.Get("error")}
	in, err := h.Finish(t.Context(), answer)
	if err != nil {
		t.Fatalf("%v: %v", err, unwrapped(err))
	}
	who, err := h.store.People().Person(t.Context(), in.Session.Person)
	if err != nil || who.Email != "test-user@zitadel.ch" || h.member(t, who.ID).Role != model.RoleClient || in.Return != "/audits" {
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

var hidden = regexp.MustCompile(`name="id" value="([^"]+)"`)

// browse signs somebody in at the provider's pages, and gives the parameters that the
// browser is sent back with.
func browse(t *testing.T, server *httptest.Server, to, user, word string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back url.Values
	browser := &http.Client{
		Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}}, //nolint:forcetypeassert // httptest's
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), callback) {
				back = r.URL.Query()
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	page, err := browser.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	html, err := io.ReadAll(page.Body)
	_ = page.Body.Close()
	id := hidden.FindSubmatch(html)
	if err != nil || id == nil {
		t.Fatalf("the page to sign in: %s, %v", html, err)
	}
	answer, err := browser.PostForm(page.Request.URL.String(), url.Values{"id": {string(id[1])}, "username": {user}, "password": {word}})
	if err != nil {
		t.Fatal(err)
	}
	html, _ = io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if back == nil {
		t.Fatalf("the browser stays at %s: %s", answer.Request.URL, html)
	}
	return back
}
