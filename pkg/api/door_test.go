package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

const annasPassword = "four words of hers"

// post makes a request of nobody's, with what headers say.
func (s *server) post(path string, h header, body any) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.as(nobody, http.MethodPost, path, h, body)
}

func bearer(token string) header { return header{"Authorization": "Bearer " + token} }

// join invites somebody, who accepts, and signs in.
func (s *server) join(email string, role model.Role, projects ...string) api.SignIn {
	s.t.Helper()
	w := s.call(http.MethodPost, "/v1/invitations", nil, map[string]any{"email": email, "role": role, "projects": append([]string{}, projects...)})
	if w.Code != http.StatusCreated {
		s.t.Fatalf("invite: %d, %s", w.Code, w.Body)
	}
	link := decode[api.Link](s.t, w)
	w = s.post("/v1/invitations/acceptance", nil, map[string]any{"token": link.Token, "name": "Anna", "password": annasPassword})
	in := decode[api.SignIn](s.t, w)
	if w.Code != http.StatusOK || in.AccessToken == "" {
		s.t.Fatalf("accept: %d, %s", w.Code, w.Body)
	}
	problem(s.t, "a link again", s.post("/v1/invitations/acceptance", nil, map[string]any{"token": link.Token, "password": annasPassword}), http.StatusNotFound, people.CodeLinkOver)
	return in
}

func TestSigningInOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in := s.join("anna@example.com", model.RoleClient, "shop")
	get := func(token, path string) *httptest.ResponseRecorder {
		return s.as(nobody, http.MethodGet, path, bearer(token), nil)
	}
	if w := get(in.AccessToken, "/v1/session"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "argon2") {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	problem(t, "a client administers", get(in.AccessToken, "/v1/members"), http.StatusForbidden, "forbidden")
	// A second factor, and its reuse.
	w := s.post("/v1/me/totp", bearer(in.AccessToken), map[string]any{"password": annasPassword})
	key := decode[api.TOTPEnrolment](t, w)
	code := func() string {
		text, err := totp.GenerateCode(key.Secret, s.now)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	w = s.post("/v1/me/totp/confirmation", bearer(in.AccessToken), map[string]any{"code": code()})
	if got := decode[api.SignIn](t, w); w.Code != http.StatusOK || len(got.BackupCodes) != 10 {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	s.now = s.now.Add(time.Minute)
	w = s.post("/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": annasPassword})
	step := decode[api.SignIn](t, w)
	if step.Next != people.NextSecondFactor || step.AccessToken != "" || len(step.Organizations) > 0 {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	problem(t, "a challenge as a token", get(step.Challenge, "/v1/session"), http.StatusUnauthorized, people.CodeTokenInvalid)
	body := map[string]any{"challenge": step.Challenge, "code": code()}
	done := decode[api.SignIn](t, s.post("/v1/sign-in/second-factor", nil, body))
	if done.AccessToken == "" || done.RefreshToken == "" {
		t.Fatalf("%+v", done)
	}
	problem(t, "a code again", s.post("/v1/sign-in/second-factor", nil, body), http.StatusForbidden, people.CodeUsedCode)
	problem(t, "two at once", s.post("/v1/sign-in/second-factor", nil, map[string]any{"challenge": step.Challenge, "code": "1", "backup_code": "1"}), http.StatusUnprocessableEntity, "invalid")
	// Refresh, and its replay.
	refresh := map[string]any{"refresh_token": done.RefreshToken}
	next := decode[api.SignIn](t, s.post("/v1/session/refresh", nil, refresh))
	if next.AccessToken == "" || next.RefreshToken == done.RefreshToken {
		t.Fatalf("%+v", next)
	}
	problem(t, "two at once refresh", s.post("/v1/session/refresh", nil, refresh), http.StatusConflict, people.CodeRefreshRaced)
	s.now = s.now.Add(time.Minute)
	problem(t, "a refresh token again", s.post("/v1/session/refresh", nil, refresh), http.StatusUnauthorized, people.CodeRefreshReused)
	problem(t, "its session", get(next.AccessToken, "/v1/session"), http.StatusUnauthorized, people.CodeSessionEnded)
	// A removed member's running session.
	w = s.call(http.MethodGet, "/v1/members/"+string(in.Session.Person), nil, nil)
	tag := w.Header().Get("ETag")
	problem(t, "without If-Match", s.call(http.MethodDelete, "/v1/members/"+string(in.Session.Person), nil, nil), http.StatusPreconditionRequired, "precondition_required")
	if w := s.call(http.MethodDelete, "/v1/members/"+string(in.Session.Person), header{"If-Match": tag}, nil); w.Code != http.StatusNoContent {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	problem(t, "a removed member", get(in.AccessToken, "/v1/session"), http.StatusUnauthorized, people.CodeSessionEnded)
}

// TestBrowsers get tokens in cookies alone, and change nothing without the token beside.
func TestBrowsers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.join("anna@example.com", model.RoleClient)
	w := s.post("/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": annasPassword, "browser": true})
	in := decode[api.SignIn](t, w)
	cookies := w.Result().Cookies()
	if in.AccessToken != "" || in.RefreshToken != "" || in.CSRFToken == "" || len(cookies) != 3 {
		t.Fatalf("%+v, %v", in, cookies)
	}
	var all []string
	for _, c := range cookies {
		if !c.Secure || !c.HttpOnly || c.Domain != "" {
			t.Errorf("%+v", c)
		}
		all = append(all, c.Name+"="+c.Value)
	}
	jar := header{"Cookie": strings.Join(all, "; ")}
	if w := s.as(nobody, http.MethodGet, "/v1/session", jar, nil); w.Code != http.StatusOK || decode[api.SessionView](t, w).CSRFToken != in.CSRFToken {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	problem(t, "without the CSRF token", s.as(nobody, http.MethodPatch, "/v1/me", jar, map[string]any{"name": "Mallory"}), http.StatusForbidden, "csrf_token")
	jar["CloudArq-CSRF"] = in.CSRFToken
	if w := s.as(nobody, http.MethodPatch, "/v1/me", jar, map[string]any{"name": "Ann"}); w.Code != http.StatusOK {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	jar["Origin"], jar["Sec-Fetch-Site"] = "https://evil.example", "cross-site"
	problem(t, "from another page", s.post("/v1/session/refresh", jar, map[string]any{}), http.StatusForbidden, "cross_origin")
	delete(jar, "Origin")
	delete(jar, "Sec-Fetch-Site")
	w = s.as(nobody, http.MethodPost, "/v1/me/password", jar, map[string]any{"current": annasPassword, "new": "quite another sentence"})
	renewed := decode[api.SignIn](t, w)
	if w.Code != http.StatusOK || renewed.AccessToken != "" || renewed.CSRFToken == "" || len(w.Result().Cookies()) != 2 {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	problem(t, "the cookie from before", s.as(nobody, http.MethodGet, "/v1/session", jar, nil), http.StatusUnauthorized, people.CodeSessionEnded)
}

// TestGuessingOverHTTP ends, with the same answers for who is there and who is not.
func TestGuessingOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.join("anna@example.com", model.RoleClient)
	said := map[string][]string{}
	for _, email := range []string{"anna@example.com", "nobody@example.com"} {
		for i := range 8 {
			w := s.as(caller{nobody: true, address: "198.51.100.7"}, http.MethodPost, "/v1/sign-in", nil, map[string]any{"email": email, "password": "wrong wrong wrong"})
			p := decode[api.Problem](t, w)
			said[email] = append(said[email], fmt.Sprint(w.Code, p.Code))
			if limited := w.Code == http.StatusTooManyRequests; limited != (i >= 5) || limited == (w.Header().Get("Retry-After") == "") {
				t.Errorf("%s, guess %d: %d, %v", email, i, w.Code, w.Header())
			}
		}
	}
	if a, b := fmt.Sprint(said["anna@example.com"]), fmt.Sprint(said["nobody@example.com"]); a != b {
		t.Errorf("%s and %s", a, b)
	}
}

// TestTokensAndProjectsOverHTTP: what somebody makes is one's own.
func TestTokensAndProjectsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, admin := s.join("anna@example.com", model.RoleClient, "shop"), s.join("bob@example.com", model.RoleAdmin)
	if w := s.post("/v1/projects", bearer(admin.AccessToken), map[string]any{"name": "shop"}); w.Code != http.StatusCreated {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	problem(t, "a project again", s.post("/v1/projects", bearer(admin.AccessToken), map[string]any{"name": "shop"}), http.StatusConflict, "project_exists")
	problem(t, "beyond the role", s.post("/v1/tokens", bearer(client.AccessToken), map[string]any{"name": "x", "scopes": []string{"admin"}}), http.StatusForbidden, people.CodeBeyondOwner)
	w := s.post("/v1/tokens", bearer(client.AccessToken), map[string]any{"name": "x", "scopes": []string{"read"}})
	var made struct {
		Token    string         `json:"token"`
		APIToken model.APIToken `json:"api_token"`
	}
	if made = decode[struct {
		Token    string         `json:"token"`
		APIToken model.APIToken `json:"api_token"`
	}](t, w); w.Code != http.StatusCreated {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	if _, err := people.ParseToken(people.APIToken, secret.New(made.Token)); err != nil {
		t.Error(err)
	}
	if w := s.as(nobody, http.MethodGet, "/v1/projects", bearer(made.Token), nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "shop") {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	problem(t, "a token makes a token", s.post("/v1/tokens", bearer(made.Token), map[string]any{"name": "y", "scopes": []string{"read"}}), http.StatusForbidden, "session_needed")
	if w := s.as(nobody, http.MethodDelete, "/v1/tokens/"+string(made.APIToken.ID), bearer(admin.AccessToken), nil); w.Code != http.StatusNoContent {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	problem(t, "an ended token", s.as(nobody, http.MethodGet, "/v1/projects", bearer(made.Token), nil), http.StatusUnauthorized, people.CodeTokenInvalid)
}

// loggedOfPeople are the operations of people that change something, and whether that is in
// an organization's admin log: what is of no organization, and proves nothing, is not.
var loggedOfPeople = map[string]bool{
	"accept-invitation": true, "use-recovery": true, "create-invitation": true, "withdraw-invitation": true,
	"update-member": true, "remove-member": true, "recover-member": true, "end-member-sessions": true,
	"create-project": true, "update-project": true, "remove-project": true, "create-token": true, "end-token": true,
	"change-password": true, "change-email": true, "confirm-totp": true, "remove-totp": true, "renew-backup-codes": true,
	"register-passkey": true, "remove-passkey": true, // TestPasskeys, of pkg/access/people, has them
	"sign-in": true, "sign-in-second-factor": true, "sign-in-organization": true, "sign-in-handover": true, "change-organization": true,
	"sign-out": true, "end-my-session": true, "end-my-other-sessions": true, "update-me": true,
	// What nothing counts of until another step has been made, and what has a session go on.
	"sign-in-passkey-options": false, "sign-in-enrolment": false, "hand-over-session": false, "enrol-totp": false, "passkey-options": false,
	"refresh-session": false, "look-up-invitation": false, "look-up-recovery": false,
}

// TestAdminLogOfPeople: what is said to be in the log is, by who did it, and without what
// would let somebody in.
func TestAdminLogOfPeople(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bob := s.join("bob@example.com", model.RoleAdmin)
	anna := s.join("anna@example.com", model.RoleClient)
	secrets := []string{annasPassword, "argon2"}
	do := func(in api.SignIn, method, path string, h header, body any) *httptest.ResponseRecorder {
		t.Helper()
		all := bearer(in.AccessToken)
		for name, value := range h {
			all[name] = value
		}
		w := s.as(nobody, method, path, all, body)
		if w.Code >= 300 {
			t.Fatalf("%s %s: %d, %s", method, path, w.Code, w.Body)
		}
		return w
	}
	tagged := func(path string) header {
		return header{"If-Match": do(bob, http.MethodGet, path, nil, nil).Header().Get("ETag")}
	}
	link := decode[api.Link](t, do(bob, http.MethodPost, "/v1/invitations", nil, map[string]any{"email": "eve@example.com", "role": "client"}))
	do(bob, http.MethodDelete, "/v1/invitations/"+link.ID, nil, nil)
	do(bob, http.MethodPost, "/v1/projects", nil, map[string]any{"name": "shop"})
	do(bob, http.MethodPatch, "/v1/projects/shop", tagged("/v1/projects/shop"), map[string]any{"description": "x"})
	do(bob, http.MethodDelete, "/v1/projects/shop", tagged("/v1/projects/shop"), nil)
	member := "/v1/members/" + string(anna.Session.Person)
	do(bob, http.MethodPatch, member, tagged(member), map[string]any{"projects": []string{"shop"}})
	made := decode[struct {
		Token    string         `json:"token"`
		APIToken model.APIToken `json:"api_token"`
	}](t, do(anna, http.MethodPost, "/v1/tokens", nil, map[string]any{"name": "x", "scopes": []string{"read"}}))
	do(anna, http.MethodDelete, "/v1/tokens/"+string(made.APIToken.ID), nil, nil)
	key := decode[api.TOTPEnrolment](t, do(anna, http.MethodPost, "/v1/me/totp", nil, map[string]any{"password": annasPassword}))
	code, err := totp.GenerateCode(key.Secret, s.now)
	if err != nil {
		t.Fatal(err)
	}
	codes := decode[api.SignIn](t, do(anna, http.MethodPost, "/v1/me/totp/confirmation", nil, map[string]any{"code": code}))
	do(anna, http.MethodPatch, "/v1/me", nil, map[string]any{"name": "Anna the Second"})
	sign := func(path string, body map[string]any) api.SignIn {
		t.Helper()
		s.now = s.now.Add(time.Minute) // a code is good once
		w := s.post(path, nil, body)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d, %s", path, w.Code, w.Body)
		}
		return decode[api.SignIn](t, w)
	}
	second := func(body map[string]any) api.SignIn {
		t.Helper()
		step := sign("/v1/sign-in", body)
		code, err := totp.GenerateCode(key.Secret, s.now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return sign("/v1/sign-in/second-factor", map[string]any{"challenge": step.Challenge, "code": code})
	}
	again := second(map[string]any{"email": "anna@example.com", "password": annasPassword})
	do(again, http.MethodDelete, "/v1/me/sessions", nil, nil)
	third := second(map[string]any{"email": "anna@example.com", "password": annasPassword})
	do(again, http.MethodDelete, "/v1/me/sessions/"+string(third.Session.ID), nil, nil)
	do(again, http.MethodDelete, "/v1/session", nil, nil)
	s.join("carl@example.com", model.RoleClient)
	sign("/v1/sign-in", map[string]any{"email": "carl@example.com", "password": annasPassword})
	// Somebody of two organizations chooses one, goes over to the other, and lets a program in.
	s.as(caller{person: "operator"}, http.MethodPost, "/operator/v1/organizations", nil, map[string]any{"id": "other"})
	invited := decode[api.Link](t, s.as(caller{person: "operator"}, http.MethodPost, "/operator/v1/organizations/other/invitations", nil, map[string]any{"email": "bob@example.com"}))
	sign("/v1/invitations/acceptance", map[string]any{"token": invited.Token, "password": annasPassword})
	step := sign("/v1/sign-in", map[string]any{"email": "bob@example.com", "password": annasPassword})
	there := sign("/v1/sign-in/organization", map[string]any{"challenge": step.Challenge, "organization": "other"})
	s.now = s.now.Add(time.Second)
	here := decode[api.SignIn](t, do(there, http.MethodPost, "/v1/session/organization", nil, map[string]any{"organization": "default"}))
	verifier := strings.Repeat("v", 43)
	digest := sha256.Sum256([]byte(verifier))
	code = decode[api.Handover](t, do(here, http.MethodPost, "/v1/session/handover", nil, map[string]any{"challenge": base64.RawURLEncoding.EncodeToString(digest[:])})).Code
	w := s.post("/v1/sign-in/handover", nil, map[string]any{"code": code, "verifier": verifier})
	program := decode[api.SignIn](t, w)
	if w.Code != http.StatusOK {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	// Nobody stays for longer by going on from one session to the next.
	for what, one := range map[string]*model.Session{"gone over": here.Session, "handed over": program.Session} {
		if !one.ProvenAt.Equal(there.Session.CreatedAt) || !one.Until().Equal(there.Session.Until()) || one.CreatedAt.Equal(one.ProvenAt) {
			t.Errorf("%s: %+v goes on from %+v", what, one, there.Session)
		}
	}
	step = sign("/v1/sign-in", map[string]any{"email": "bob@example.com", "password": annasPassword})
	bob = sign("/v1/sign-in/organization", map[string]any{"challenge": step.Challenge, "organization": "default"})
	anna = second(map[string]any{"email": "anna@example.com", "password": annasPassword})
	do(anna, http.MethodPost, "/v1/me/backup-codes", nil, map[string]any{"password": annasPassword})
	moves := decode[api.Link](t, do(bob, http.MethodPost, "/v1/invitations", nil, map[string]any{"email": "anna@example.org", "role": "client"}))
	do(anna, http.MethodPost, "/v1/me/email", nil, map[string]any{"password": annasPassword, "token": moves.Token})
	anna = decode[api.SignIn](t, do(anna, http.MethodPost, "/v1/me/totp/removal", nil, map[string]any{"password": annasPassword}))
	do(anna, http.MethodPost, "/v1/me/password", nil, map[string]any{"current": annasPassword, "new": "quite another sentence"})
	do(bob, http.MethodDelete, member+"/sessions", nil, nil)
	recovery := decode[api.Link](t, do(bob, http.MethodPost, member+"/recovery", nil, nil))
	if w := s.post("/v1/recovery", nil, map[string]any{"token": recovery.Token, "password": "a third good sentence"}); w.Code != http.StatusOK {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	do(bob, http.MethodDelete, member, tagged(member), nil)
	secrets = append(secrets, link.Token, made.Token, key.Secret, codes.BackupCodes[0], recovery.Token)

	logged := map[string]bool{"register-passkey": true, "remove-passkey": true}
	for e, err := range s.store.For("default").AdminLog(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		logged[e.Action] = true
		for _, word := range secrets {
			if strings.Contains(fmt.Sprintf("%s %s %+v", e.Before, e.After, e.Actor), word) {
				t.Errorf("%s tells a secret", e.Action)
			}
		}
		if e.Actor.ID == "" || e.Address == "" {
			t.Errorf("%s is of nobody: %+v", e.Action, e)
		}
	}
	for action, want := range loggedOfPeople {
		if logged[action] != want {
			t.Errorf("%s is logged: %t", action, !want)
		}
	}
}

// TestHandoverOverHTTP: a browser's session hands a program one of its own, as long as the
// organization lets it go on.
func TestHandoverOverHTTP(t *testing.T) {
	t.Parallel()
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // of RFC 7636
	s := newServer(t)
	s.join("anna@example.com", model.RoleClient, "shop")
	w := s.post("/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": annasPassword, "browser": true})
	in := decode[api.SignIn](t, w)
	jar := header{}
	for _, c := range w.Result().Cookies() {
		jar["Cookie"] += c.Name + "=" + c.Value + "; "
	}
	problem(t, "without the CSRF token", s.post("/v1/session/handover", jar, map[string]any{"challenge": challenge}), http.StatusForbidden, "csrf_token")
	problem(t, "by a token", s.call(http.MethodPost, "/v1/session/handover", nil, map[string]any{"challenge": challenge}), http.StatusForbidden, "session_needed")
	jar["CloudArq-CSRF"] = in.CSRFToken
	problem(t, "an odd challenge", s.post("/v1/session/handover", jar, map[string]any{"challenge": strings.Repeat("=", 43)}), http.StatusUnprocessableEntity, "invalid")
	hand := func() map[string]any {
		t.Helper()
		w := s.post("/v1/session/handover", jar, map[string]any{"challenge": challenge})
		made := decode[api.Handover](t, w)
		if w.Code != http.StatusOK || !strings.HasPrefix(made.Code, "caqc_") || made.ExpiresAt.Sub(s.now) != people.HandoverAge {
			t.Fatalf("%d, %s", w.Code, w.Body)
		}
		return map[string]any{"code": made.Code, "verifier": verifier}
	}
	take := func(body map[string]any) *httptest.ResponseRecorder { return s.post("/v1/sign-in/handover", nil, body) }
	body := hand()
	problem(t, "another verifier", take(map[string]any{"code": body["code"], "verifier": challenge}), http.StatusForbidden, people.CodeChallengeOver)
	w = take(body)
	got := decode[api.SignIn](t, w)
	if w.Code != http.StatusOK || got.RefreshToken == "" || got.Session == nil || got.Session.ID == in.Session.ID || got.Session.Client != people.ClientCommand || len(w.Result().Cookies()) > 0 {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	view := decode[api.SessionView](t, s.as(nobody, http.MethodGet, "/v1/session", bearer(got.AccessToken), nil))
	if view.Organization != "default" || view.Role != model.RoleClient || view.Token != nil || len(view.Projects) != 1 {
		t.Errorf("%+v", view)
	}
	problem(t, "a code again", take(body), http.StatusForbidden, people.CodeChallengeOver)

	body = hand()
	settings := s.call(http.MethodGet, "/v1/settings", nil, nil)
	if w := s.call(http.MethodPut, "/v1/settings", header{"If-Match": settings.Header().Get("ETag")}, map[string]any{"access_keys_allowed": false, "second_factor_required": true}); w.Code != http.StatusOK {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	problem(t, "where a second factor is required since", take(body), http.StatusUnauthorized, "factor_required")
	if w := s.call(http.MethodPost, "/operator/v1/organizations/default/suspension", nil, nil); w.Code >= 300 {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	problem(t, "of an organization that is suspended", take(body), http.StatusForbidden, "organization_suspended")
}

// TestTokensKnowThemselves: a program is told whose it is, and until when.
func TestTokensKnowThemselves(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	view := decode[api.SessionView](t, s.call(http.MethodGet, "/v1/session", nil, nil))
	if view.Session != nil || view.Token == nil || view.Token.ExpiresAt.IsZero() || view.Role != model.RoleAdmin || view.Organization != "default" || len(view.Organizations) != 1 {
		t.Errorf("%+v", view)
	}
}
