package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestARefusedRefreshTokenStaysGood: who is refused for a reason that passes is refused
// before the token is replaced, and is let in by the same one when it has passed.
func TestARefusedRefreshTokenStaysGood(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.now = s.now.Truncate(time.Hour).Add(time.Hour + time.Second) // a limit begins anew
	in := s.join("anna@example.com", model.RoleAdmin)
	token := in.RefreshToken
	refresh := func() *httptest.ResponseRecorder {
		t.Helper()
		w := s.post("/v1/session/refresh", nil, map[string]any{"refresh_token": token})
		if w.Code == http.StatusOK {
			token = decode[api.SignIn](t, w).RefreshToken
		}
		return w
	}
	suspension := "/operator/v1/organizations/default/suspension"
	s.call(http.MethodPost, suspension, nil, nil)
	problem(t, "while the organization is suspended", refresh(), http.StatusForbidden, "organization_suspended")
	s.call(http.MethodDelete, suspension, nil, nil)
	for range 59 { // the one that was refused is not counted: nobody got so far
		if w := refresh(); w.Code != http.StatusOK {
			t.Fatalf("status %d, %s", w.Code, w.Body)
		}
	}
	for refresh().Code == http.StatusOK {
	}
	problem(t, "too often", refresh(), http.StatusTooManyRequests, people.LimitedCode)
	s.now = s.now.Add(time.Hour)
	if w := refresh(); w.Code != http.StatusOK {
		t.Fatalf("an hour later: status %d, %s", w.Code, w.Body)
	}
	if w := s.call(http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": false, "second_factor_required": true}); w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "without a second factor, where one is required since", refresh(), http.StatusUnauthorized, "factor_required")
}

// TestRenewal: a browser whose access token is over is sent to a page with the next one, as
// long as there is a session, and otherwise to sign in; never to another host. What a page of
// another site leads to, which brings no refresh token, signs nobody out.
func TestRenewal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.join("anna@example.com", model.RoleClient)
	w := s.post("/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": annasPassword, "browser": true})
	jar := map[string]*http.Cookie{}
	keep := func(w *httptest.ResponseRecorder) {
		for _, c := range w.Result().Cookies() {
			jar[c.Name] = c
		}
	}
	keep(w)
	if lasts := time.Duration(jar["__Host-caq"].MaxAge) * time.Second; lasts != model.SessionIdle {
		t.Errorf("the cookie by which a page knows that there is a session is kept for %s", lasts)
	}
	cookies := func(names ...string) header {
		var all []string
		for _, name := range names {
			all = append(all, name+"="+jar[name].Value)
		}
		return header{"Cookie": strings.Join(all, "; ")}
	}
	renew := func(h header, query string) *httptest.ResponseRecorder {
		return s.as(nobody, http.MethodGet, "/v1/session/renewal"+query, h, nil)
	}
	s.now = s.now.Add(people.AccessAge + people.ClockSkew + time.Second)
	problem(t, "a token that is over", s.as(nobody, http.MethodGet, "/v1/session", cookies("__Host-caq"), nil), http.StatusUnauthorized, people.CodeTokenExpired)
	before := cookies("__Secure-caqr")
	w = renew(before, "?return=/me?done=name")
	if at := sent(t, "renewed", w); at != "/me?done=name" {
		t.Errorf("sent to %s", at)
	}
	keep(w)
	if w := s.as(nobody, http.MethodGet, "/v1/session", cookies("__Host-caq"), nil); w.Code != http.StatusOK {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	for _, back := range []string{"//evil.example", "https://evil.example", `/\evil.example`} {
		problem(t, back, renew(cookies("__Secure-caqr"), "?return="+back), http.StatusUnprocessableEntity, "invalid")
	}
	w = renew(header{"Sec-Fetch-Site": "cross-site"}, "?return=/me")
	if at := sent(t, "from another site", w); at != "/me" || len(w.Result().Cookies()) > 0 {
		t.Errorf("sent to %s with %v", at, w.Result().Cookies())
	}
	if at := sent(t, "at once by another tab", renew(before, "?return=/me")); at != "/sign-in?error=refresh_raced&return=%2Fme" {
		t.Errorf("sent to %s", at)
	}
	w = renew(header{}, "?return=/me")
	if at := sent(t, "without a token", w); at != "/sign-in?error=token_invalid&return=%2Fme" || len(w.Result().Cookies()) != 2 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("sent to %s with %v", at, w.Result().Cookies())
	}
	s.now = s.now.Add(time.Minute)
	if at := sent(t, "by a used token", renew(before, "")); at != "/sign-in?error=refresh_reused&return=%2F" {
		t.Errorf("sent to %s", at)
	}
	problem(t, "its session", s.as(nobody, http.MethodGet, "/v1/session", cookies("__Host-caq"), nil), http.StatusUnauthorized, people.CodeSessionEnded)
}
