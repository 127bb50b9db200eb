package oidctest

import (
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// NewReal begins a provider that is not ours: the example of zitadel/oidc, whose library is
// certified by the OpenID Foundation. It has the same client as a Provider, and the time of
// the system. httptest's certificates are all the same, so that whoever knows one knows this
// one, too.
func NewReal(t testing.TB) *httptest.Server {
	t.Helper()
	var op http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	clients := map[string]*storage.Client{ClientID: storage.WebClient(ClientID, Secret, Callback)}
	op = exampleop.SetupServer(server.URL, storage.NewStorageWithClients(storage.NewUserStore(server.URL), clients), nil, false)
	return server
}

// RealEmail is the verified address of whom SignInReal signs in.
const RealEmail = "test-user@zitadel.ch"

var hidden = regexp.MustCompile(`name="id" value="([^"]+)"`)

// SignInReal signs somebody in at the pages of NewReal's provider, and gives the parameters
// that the browser is sent back with.
func SignInReal(t testing.TB, server *httptest.Server, to string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back url.Values
	browser := &http.Client{
		Jar: jar, Transport: server.Client().Transport,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), Callback) {
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
	answer, err := browser.PostForm(page.Request.URL.String(), url.Values{"id": {string(id[1])}, "username": {"test-user@127.0.0.1"}, "password": {"verysecure"}})
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
