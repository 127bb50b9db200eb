package serverless_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// TestPeople is how people come in, over the deployed functions: an operator makes an
// organization and invites; the person accepts, sets up an authenticator app, signs in by
// its code, connects an account, audits it and reads the findings; and is removed.
func TestPeople(t *testing.T) {
	h := start(t, "people", nil)
	account := newSmall(t, h.install, "777777777751")
	account.rotate(t, false)
	do := func(token, method, path string, header map[string]string, in, out any, want int) {
		t.Helper()
		status, answered := h.as(token, method, path, header, in, out)
		if status != want {
			t.Fatalf("%s %s: status %d, want %d: %s", method, path, status, want, answered)
		}
	}
	operate := func(path string, in, out any) {
		t.Helper()
		if status := h.call(http.MethodPost, "/operator/v1/organizations"+path, nil, in, out); status != http.StatusCreated {
			t.Fatalf("POST %s: status %d", path, status)
		}
	}
	operate("", map[string]any{"id": "people", "name": "People"}, nil)

	join := func(email, name string) (s client.SignIn) {
		t.Helper()
		var link client.Link
		operate("/people/invitations", map[string]any{"email": email}, &link)
		do("", http.MethodPost, "/v1/invitations/acceptance", nil, map[string]any{"token": link.Token, "name": name, "password": "the long road to the sea"}, &s, http.StatusOK)
		if s.AccessToken == "" || s.Session == nil {
			t.Fatalf("accepting leads to %+v", s)
		}
		do("", http.MethodPost, "/v1/invitations/acceptance", nil, map[string]any{"token": link.Token, "name": name, "password": "the long road to the sea"}, nil, http.StatusNotFound)
		return s
	}
	anna := join("anna@example.com", "Anna")
	var app struct{ Secret string }
	do(anna.AccessToken, http.MethodPost, "/v1/me/totp", nil, map[string]any{"password": "the long road to the sea"}, &app, http.StatusOK)
	code := func(at time.Time) string {
		t.Helper()
		text, err := totp.GenerateCode(app.Secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := time.Now().Add(-30 * time.Second)
	do(anna.AccessToken, http.MethodPost, "/v1/me/totp/confirmation", nil, map[string]any{"code": code(first)}, nil, http.StatusOK)
	do(anna.AccessToken, http.MethodDelete, "/v1/session", nil, nil, nil, http.StatusNoContent)
	do(anna.AccessToken, http.MethodGet, "/v1/connections", nil, nil, nil, http.StatusUnauthorized)

	credentials := map[string]any{"email": "Anna@Example.com", "password": "the long road to the sea"}
	do("", http.MethodPost, "/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": "the short road to the sea"}, nil, http.StatusUnauthorized)
	do("", http.MethodPost, "/v1/sign-in", nil, credentials, &anna, http.StatusOK)
	if anna.Next != "second_factor" {
		t.Fatalf("a password leads to %+v", anna)
	}
	challenge := anna.Challenge
	do("", http.MethodPost, "/v1/sign-in/second-factor", nil, map[string]any{"challenge": challenge, "code": code(first)}, nil, http.StatusForbidden) // used
	anna = client.SignIn{}
	do("", http.MethodPost, "/v1/sign-in/second-factor", nil, map[string]any{"challenge": challenge, "code": code(time.Now().Add(30 * time.Second))}, &anna, http.StatusOK)

	h.tokens.Lock()
	if h.tokens.of == nil {
		h.tokens.of = map[string]secret.String{}
	}
	h.tokens.of["people"] = secret.New(anna.AccessToken) // what follows is hers
	h.tokens.Unlock()
	c := h.connect(account.Account, scope())
	if a := h.wait(c, h.begin(c, "first").ID); a.State != "done" {
		t.Errorf("the audit is %s: %v", a.State, a.Problems)
	}
	var list struct{ Findings []struct{ Check string } }
	do(anna.AccessToken, http.MethodGet, "/v1/connections/"+c.ID+"/findings", nil, nil, &list, http.StatusOK)
	if len(list.Findings) == 0 {
		t.Error("she reads no findings")
	}

	bert := join("bert@example.com", "Bert")
	member := "/v1/members/" + string(anna.Session.Person)
	do(bert.AccessToken, http.MethodDelete, member, nil, nil, nil, http.StatusPreconditionRequired)
	do(bert.AccessToken, http.MethodDelete, member, map[string]string{"If-Match": h.etag(bert.AccessToken, member)}, nil, nil, http.StatusNoContent)
	do(anna.AccessToken, http.MethodGet, "/v1/connections/"+c.ID+"/findings", nil, nil, nil, http.StatusUnauthorized)
	do("", http.MethodPost, "/v1/session/refresh", nil, map[string]any{"refresh_token": anna.RefreshToken}, nil, http.StatusUnauthorized)

	var link client.Link
	operate("/people/invitations", map[string]any{"email": "cleo@example.com"}, &link)
	h.walkPages(link.Token, "cleo@example.com")

	var log struct {
		Entries []struct{ Action string }
	}
	do(bert.AccessToken, http.MethodGet, "/v1/admin-log?limit=1000", nil, nil, &log, http.StatusOK)
	logged := map[string]bool{}
	for _, e := range log.Entries {
		logged[e.Action] = true
	}
	for _, action := range []string{"create-organization", "invite-administrator", "accept-invitation", "confirm-totp", "create-connection", "start-audit", "remove-member"} {
		if !logged[action] {
			t.Errorf("%s is not in the admin log: %v", action, log.Entries)
		}
	}
	var v struct{ Intact bool }
	do(bert.AccessToken, http.MethodGet, "/v1/admin-log/verification", nil, nil, &v, http.StatusOK)
	if !v.Intact {
		t.Error("the admin log is not what was written")
	}
}

// walkPages accepts an invitation by the pages, as a browser without scripts does, sees who
// is signed in, and signs out.
func (h *house) walkPages(token, email string) {
	h.t.Helper()
	cookies := map[string]string{} // kept here: a jar sends none that are Secure without TLS
	var shown string
	visit := func(path string, form url.Values, want int, says string) {
		h.t.Helper()
		method := http.MethodGet
		if form != nil {
			method = http.MethodPost
		}
		r, err := http.NewRequestWithContext(h.t.Context(), method, h.URL()+path, strings.NewReader(form.Encode()))
		if err != nil {
			h.t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			h.t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, c := range response.Cookies() {
			cookies[c.Name] = c.Value
		}
		shown = html.UnescapeString(string(text)) + response.Header.Get("Location")
		if response.StatusCode != want || !strings.Contains(shown, says) || !strings.Contains(response.Header.Get("Content-Security-Policy"), "form-action 'self'") {
			h.t.Fatalf("%s %s: status %d, want %d with %q: %s", method, path, response.StatusCode, want, says, shown)
		}
	}
	visit("/", nil, http.StatusSeeOther, "/sign-in")
	visit("/sign-in", nil, http.StatusOK, "Password")
	visit("/invitation", nil, http.StatusOK, "Accept an invitation")
	visit("/invitation", url.Values{"token": {h.URL() + "/invitation#" + token}}, http.StatusOK, email)
	visit("/invitation/acceptance", url.Values{"token": {token}, "name": {"Cleo"}, "password": {"the long road to the sea"}}, http.StatusSeeOther, "/")
	visit("/", nil, http.StatusOK, "Welcome, Cleo")
	csrf := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(shown)
	if csrf == nil {
		h.t.Fatal("the page has no form")
	}
	style := regexp.MustCompile(`href="(/assets/console[^"]+)"`).FindStringSubmatch(shown)
	if style == nil {
		h.t.Fatal("the page has no style")
	}
	visit("/sign-out", url.Values{}, http.StatusForbidden, "Nothing was changed")
	visit("/sign-out", url.Values{"csrf": {csrf[1]}}, http.StatusSeeOther, "/sign-in?error=signed_out")
	visit("/nothing", nil, http.StatusNotFound, "There is no such page")
	response, err := http.Get(h.URL() + style[1])
	if err != nil {
		h.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || !strings.Contains(response.Header.Get("Cache-Control"), "immutable") {
		h.t.Errorf("%s: status %d, %v", style[1], response.StatusCode, response.Header)
	}
}
