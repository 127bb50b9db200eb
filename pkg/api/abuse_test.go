package api_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// What docs/abuse.md says of attacks is tried here, at the door, where no other test of this
// package does.

// careful is somebody with an authenticator app, and its backup codes.
func (s *server) careful(email string) (app api.TOTPEnrolment, backup []string) {
	s.t.Helper()
	in := s.join(email, model.RoleClient)
	app = decode[api.TOTPEnrolment](s.t, s.post("/v1/me/totp", bearer(in.AccessToken), map[string]any{"password": annasPassword}))
	w := s.post("/v1/me/totp/confirmation", bearer(in.AccessToken), map[string]any{"code": s.code(app)})
	if w.Code != http.StatusOK {
		s.t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	return app, decode[api.SignIn](s.t, w).BackupCodes
}

// code is what an app shows now.
func (s *server) code(app api.TOTPEnrolment) string {
	s.t.Helper()
	text, err := totp.GenerateCode(app.Secret, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// challenged gives the password, and gets the challenge of the next step.
func (s *server) challenged(email string) string {
	s.t.Helper()
	w := s.post("/v1/sign-in", nil, map[string]any{"email": email, "password": annasPassword})
	if w.Code != http.StatusOK {
		s.t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	return decode[api.SignIn](s.t, w).Challenge
}

// TestCodesAreUsedOnce: a code, one of an earlier step and a backup code are good for one
// sign-in, and a challenge for ten minutes.
func TestCodesAreUsedOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, backup := s.careful("anna@example.com")
	try := func(challenge, name, value string) *httptest.ResponseRecorder {
		return s.post("/v1/sign-in/second-factor", nil, map[string]any{"challenge": challenge, name: value})
	}
	before := s.code(app)
	problem(t, "the code that set the app up", try(s.challenged("anna@example.com"), "code", before), http.StatusForbidden, people.CodeUsedCode)
	s.now = s.now.Add(30 * time.Second)
	code := s.code(app)
	if w := try(s.challenged("anna@example.com"), "code", code); w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "the same code", try(s.challenged("anna@example.com"), "code", code), http.StatusForbidden, people.CodeUsedCode)
	problem(t, "one of the step before, which drift allows", try(s.challenged("anna@example.com"), "code", before), http.StatusForbidden, people.CodeUsedCode)
	s.now = s.now.Add(time.Hour) // all tries are there again
	if w := try(s.challenged("anna@example.com"), "backup_code", backup[1]); w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "a backup code again", try(s.challenged("anna@example.com"), "backup_code", backup[1]), http.StatusForbidden, people.CodeWrongCode)
	challenge := s.challenged("anna@example.com")
	s.now = s.now.Add(people.ChallengeAge + time.Minute)
	problem(t, "a challenge that is too old", try(challenge, "backup_code", backup[2]), http.StatusForbidden, people.CodeChallengeOver)
}

// TestGuessingCodes ends, too, whichever kind of code is guessed.
func TestGuessingCodes(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]string{"code": "000000", "backup_code": "aaaa-aaaa-aaaa-aaaa"} {
		s := newServer(t)
		s.now = beginning()
		app, _ := s.careful("anna@example.com")
		s.now = s.now.Add(time.Minute)
		if s.code(app) == wrong {
			wrong = "000001"
		}
		challenge, guesses := s.challenged("anna@example.com"), 0
		for ; guesses < 50; guesses++ {
			w := s.post("/v1/sign-in/second-factor", nil, map[string]any{"challenge": challenge, name: wrong})
			if w.Code == http.StatusTooManyRequests {
				problem(t, name, w, http.StatusTooManyRequests, people.LimitedCode)
				break
			}
			problem(t, name, w, http.StatusForbidden, people.CodeWrongCode)
		}
		if guesses > 10 {
			t.Errorf("%s: %d guesses", name, guesses)
		}
	}
}

// TestForgedTokens tries at the door what has let strangers in elsewhere; TestForgedAccessTokens
// of package people has more of it.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in := s.join("anna@example.com", model.RoleAdmin)
	parts := strings.Split(in.AccessToken, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal(raw, &header); err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := func(head map[string]any) string {
		text := part(head) + "." + parts[1]
		return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(text)))
	}
	hashed := func(alg, kid string, key []byte) string {
		text := part(map[string]any{"alg": alg, "kid": kid, "typ": "at+jwt"}) + "." + parts[1]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	elsewhere := newServer(t)
	for what, token := range map[string]string{
		"no algorithm":              part(map[string]any{"alg": "none", "typ": "at+jwt"}) + "." + parts[1] + ".",
		"no algorithm, a key's id":  part(map[string]any{"alg": "none", "kid": header.Kid}) + "." + parts[1] + ".",
		"NoNe, as it was signed":    part(map[string]any{"alg": "NoNe", "kid": header.Kid}) + "." + parts[1] + "." + parts[2],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"another key by its name":   signed(map[string]any{"alg": "EdDSA", "kid": header.Kid, "typ": "at+jwt"}),
		"another key by another":    signed(map[string]any{"alg": "EdDSA", "kid": "another", "typ": "at+jwt"}),
		"a key that it brings":      signed(map[string]any{"alg": "EdDSA", "kid": header.Kid, "jwk": map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(public)}}),
		"a hash by a name":          hashed("HS256", header.Kid, []byte(header.Kid)),
		"a hash by a public key":    hashed("HS256", header.Kid, public),
		"another installation's":    elsewhere.join("anna@example.com", model.RoleAdmin).AccessToken,
		"a refresh token":           in.RefreshToken,
		"half of it":                in.AccessToken[:len(in.AccessToken)/2],
		"other claims":              parts[0] + "." + part(map[string]any{"sub": "x"}) + "." + parts[2],
		"two of them":               in.AccessToken + "." + in.AccessToken,
		"an API token of nobody's":  "caq_" + newULID() + "_" + strings.Repeat("0", 49),
		"a word":                    "null",
		"an API token, and no more": "caq_",
	} {
		w := s.as(nobody, http.MethodGet, "/v1/session", bearer(token), nil)
		problem(t, what, w, http.StatusUnauthorized, people.CodeTokenInvalid)
		if w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: it does not say how to come in", what)
		}
		cookie := map[string]string{"Cookie": "__Host-caq=" + token}
		problem(t, what+", in a cookie", s.as(nobody, http.MethodGet, "/v1/session", cookie, nil), http.StatusUnauthorized, people.CodeTokenInvalid)
	}
}

// TestTokensAndClocks: a token is good for its quarter of an hour by every clock that is
// wrong by half a minute at most, and neither before nor after.
func TestTokensAndClocks(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in := s.join("anna@example.com", model.RoleClient)
	begun := s.now
	for after, code := range map[time.Duration]string{
		-time.Hour: people.CodeTokenInvalid, -31 * time.Second: people.CodeTokenInvalid, -30 * time.Second: "",
		15*time.Minute + 29*time.Second: "", 15*time.Minute + 31*time.Second: people.CodeTokenExpired, 24 * time.Hour: people.CodeTokenExpired,
	} {
		s.now = begun.Add(after)
		w := s.as(nobody, http.MethodGet, "/v1/session", bearer(in.AccessToken), nil)
		if code == "" {
			if w.Code != http.StatusOK {
				t.Errorf("after %s: status %d, %s", after, w.Code, w.Body)
			}
			continue
		}
		problem(t, fmt.Sprint("after ", after), w, http.StatusUnauthorized, code)
	}
}

// TestCookiesAlone: no operation that changes something does so for a cookie alone, for the
// CSRF token of another session, or for a page of another origin that has both.
func TestCookiesAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.join("anna@example.com", model.RoleAdmin)
	s.join("bert@example.com", model.RoleAdmin)
	enter := func(email string) (cookies, csrf string) {
		w := s.post("/v1/sign-in", nil, map[string]any{"email": email, "password": annasPassword, "browser": true})
		var all []string
		for _, c := range w.Result().Cookies() {
			all = append(all, c.Name+"="+c.Value)
		}
		return strings.Join(all, "; "), decode[api.SignIn](t, w).CSRFToken
	}
	annas, token := enter("anna@example.com")
	_, berts := enter("bert@example.com")
	tried := 0
	for _, o := range s.operations() {
		if !mutates(o.method) || needs[o.ID] == "operator" {
			continue
		}
		path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(o.path, "none")
		try := func(h header) *httptest.ResponseRecorder { return s.as(nobody, o.method, path, h, samples[o.ID]) }
		if needs[o.ID] != "anybody" {
			problem(t, o.ID+" by a cookie alone", try(header{"Cookie": annas}), http.StatusForbidden, "csrf_token")
			problem(t, o.ID+" by another's CSRF token", try(header{"Cookie": annas, "CloudArq-CSRF": berts}), http.StatusForbidden, "csrf_token")
		}
		for _, h := range []header{{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}} {
			h["Cookie"], h["CloudArq-CSRF"] = annas, token
			problem(t, fmt.Sprint(o.ID, " from another page ", h["Origin"], h["Sec-Fetch-Site"]), try(h), http.StatusForbidden, "cross_origin")
		}
		tried++
	}
	if tried < 30 {
		t.Errorf("%d operations were tried", tried)
	}
	if w := s.as(nobody, http.MethodGet, "/v1/session", header{"Cookie": annas}, nil); w.Code != http.StatusOK {
		t.Errorf("Anna is not signed in any more: status %d, %s", w.Code, w.Body)
	}
}

// TestIssuersWithin: no issuer that an administrator names has the server ask its own
// network. Who signs in is told that the provider cannot be reached, and nothing else.
func TestIssuersWithin(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var asked atomic.Int64
	within, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		if within, err = net.Listen("tcp", "127.0.0.2:0"); err != nil {
			t.Skip("this machine has one address alone")
		}
	}
	t.Cleanup(func() { _ = within.Close() })
	go func() {
		for {
			c, err := within.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = c.Close()
		}
	}()
	_, port, err := net.SplitHostPort(within.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, issuer := range []string{
		"https://" + within.Addr().String(), "https://localhost:" + port, "https://169.254.169.254", "https://[fd00:ec2::254]", "https://10.0.0.1", "https://192.168.0.1",
		"https://[::ffff:127.0.0.2]:" + port, "https://0.0.0.0:" + port, "https://[::]:" + port, "https://100.64.0.1", "https://[64:ff9b::a9fe:a9fe]",
	} {
		h := header{in: "acme"}
		if tag := s.call(http.MethodGet, "/v1/sso", h, nil).Header().Get("ETag"); tag != "" {
			h["If-Match"] = tag
		}
		w := s.call(http.MethodPut, "/v1/sso", h, map[string]any{"enabled": true, "issuer": issuer, "client_id": "c", "client_secret": "s", "domains": []string{"acme.com"}, "otherwise": map[string]any{"role": "client"}})
		if w.Code == http.StatusUnprocessableEntity {
			continue
		}
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d, %s", issuer, w.Code, w.Body)
		}
		if at := sent(t, issuer, newBrowser(s).get(ours, "/v1/sso/acme/start")); at != "/sign-in?error="+sso.CodeProvider {
			t.Errorf("%s: sent to %s", issuer, at)
		}
	}
	for _, issuer := range []string{"http://acme.okta.com", "ftp://acme.okta.com", "https://user@acme.okta.com", "https://acme.okta.com?x=1", "https://acme.okta.com#x", "file:///etc/passwd", "https://", "acme.okta.com"} {
		h := s.tag("/v1/sso")
		h["If-Match"], h[in] = s.call(http.MethodGet, "/v1/sso", header{in: "acme"}, nil).Header().Get("ETag"), "acme"
		problem(t, issuer, s.call(http.MethodPut, "/v1/sso", h, map[string]any{"enabled": true, "issuer": issuer, "client_id": "c", "client_secret": "s", "domains": []string{"acme.com"}, "otherwise": map[string]any{"role": "client"}}),
			http.StatusUnprocessableEntity, "invalid")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the network within was asked %d times", n)
	}
}

// TestTamperedCursors: a cursor that somebody changed is refused, or leads to another place
// of one's own list.
func TestTamperedCursors(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	left, right := newTenant(t, s, "left"), newTenant(t, s, "right")
	left.state(t, s.operations())
	tried := 0
	for _, o := range s.operations() {
		cursor, ok := left.cursors[o.ID]
		if !ok {
			continue
		}
		tampered := []string{cursor + "A", cursor[:len(cursor)-1], cursor[1:], cursor + cursor, strings.ToUpper(cursor), "AAAA", "-", strings.Repeat("A", 4096)}
		for i := range min(len(cursor), 200) {
			changed := []byte(cursor)
			changed[i] = "AB"[tried%2]
			tampered = append(tampered, string(changed))
			tried++
		}
		for _, c := range tampered {
			w := left.by(o.method, left.path(o, left)+"?cursor="+url.QueryEscape(c), nil, nil)
			if c != cursor {
				problem(t, o.ID+" with "+c, w, http.StatusUnprocessableEntity, "invalid")
			}
			for _, word := range right.own {
				if strings.Contains(w.Body.String(), word) {
					t.Fatalf("%s with %s tells %s of another organization", o.ID, c, word)
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("%d cursors were tried", tried)
	}
}

// TestPasskeysOverHTTP is the whole ceremony, by an authenticator in software: a passkey is
// registered, and is the second factor of a sign-in; an answer again, one of another page,
// and one of a copy of the passkey are refused.
func TestPasskeysOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.at("https://audits.example.com")
	party := virtualwebauthn.RelyingParty{ID: "audits.example.com", Name: "CloudArq", Origin: "https://audits.example.com"}
	in := s.join("anna@example.com", model.RoleClient)
	problem(t, "by a wrong password", s.post("/v1/me/passkeys/options", bearer(in.AccessToken), map[string]any{"password": "wrong wrong wrong"}), http.StatusForbidden, people.CodeWrongPassword)
	w := s.post("/v1/me/passkeys/options", bearer(in.AccessToken), map[string]any{"password": annasPassword})
	begun := decode[api.PasskeyCeremony](t, w)
	attestation, err := virtualwebauthn.ParseAttestationOptions(string(begun.Options))
	if err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	device, key := virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	register := func(challenge, answer string) *httptest.ResponseRecorder {
		return s.post("/v1/me/passkeys", bearer(in.AccessToken), map[string]any{"challenge": challenge, "name": "laptop", "passkey": json.RawMessage(answer)})
	}
	elsewhere := party
	elsewhere.Origin = "https://evil.example"
	problem(t, "made for another page", register(begun.Challenge, virtualwebauthn.CreateAttestationResponse(elsewhere, device, key, *attestation)), http.StatusForbidden, people.CodePasskeyRefused)
	begun = decode[api.PasskeyCeremony](t, s.post("/v1/me/passkeys/options", bearer(in.AccessToken), map[string]any{"password": annasPassword}))
	if attestation, err = virtualwebauthn.ParseAttestationOptions(string(begun.Options)); err != nil {
		t.Fatal(err)
	}
	made := virtualwebauthn.CreateAttestationResponse(party, device, key, *attestation)
	w = register(begun.Challenge, made)
	kept := decode[struct {
		Passkey     model.Passkey
		BackupCodes []string `json:"backup_codes"`
	}](t, w)
	if w.Code != http.StatusOK || kept.Passkey.ID == "" || len(kept.BackupCodes) != 10 {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "registered again", register(begun.Challenge, made), http.StatusForbidden, people.CodeChallengeOver)
	device.AddCredential(key)
	sign := func(rp virtualwebauthn.RelyingParty, key virtualwebauthn.Credential) (challenge, answer string) {
		t.Helper()
		w := s.post("/v1/sign-in/passkey-options", nil, map[string]any{"challenge": s.challenged("anna@example.com")})
		asked := decode[api.PasskeyCeremony](t, w)
		options, err := virtualwebauthn.ParseAssertionOptions(string(asked.Options))
		if err != nil {
			t.Fatalf("%v in %s", err, w.Body)
		}
		return asked.Challenge, virtualwebauthn.CreateAssertionResponse(rp, device, key, *options)
	}
	show := func(challenge, answer string) *httptest.ResponseRecorder {
		return s.post("/v1/sign-in/second-factor", nil, map[string]any{"challenge": challenge, "passkey": json.RawMessage(answer)})
	}
	key.Counter = 5
	challenge, answer := sign(party, key)
	w = show(challenge, answer)
	if got := decode[api.SignIn](t, w); w.Code != http.StatusOK || got.AccessToken == "" {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "an answer again", show(challenge, answer), http.StatusForbidden, people.CodeChallengeOver)
	for what, c := range map[string]struct {
		rp   virtualwebauthn.RelyingParty
		key  virtualwebauthn.Credential
		code string
	}{
		"another page's": {elsewhere, key, people.CodePasskeyRefused},
		"another key":    {party, virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2), people.CodePasskeyRefused},
		"a copy's":       {party, virtualwebauthn.Credential{ID: key.ID, Key: key.Key, Counter: 3}, people.CodePasskeyCloned},
	} {
		s.now = s.now.Add(time.Hour) // all tries are there again
		challenge, answer := sign(c.rp, c.key)
		problem(t, what, show(challenge, answer), http.StatusForbidden, c.code)
	}
	challenge, _ = sign(party, key)
	problem(t, "another challenge's answer", show(challenge, answer), http.StatusForbidden, people.CodePasskeyRefused)
	challenge, _ = sign(party, key)
	problem(t, "nonsense", show(challenge, `{"id":[]}`), http.StatusForbidden, people.CodePasskeyRefused)
	problem(t, "no JSON object", show(challenge, `null`), http.StatusUnprocessableEntity, "invalid")
	key.Counter = 6
	s.now = s.now.Add(time.Hour)
	w = show(sign(party, key))
	in = decode[api.SignIn](t, w)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	w = s.post("/v1/me/passkeys/"+kept.Passkey.ID+"/removal", bearer(in.AccessToken), map[string]any{"password": annasPassword})
	if w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	if next := decode[api.SignIn](t, s.post("/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": annasPassword})); next.AccessToken == "" {
		t.Errorf("after it was removed: %+v", next)
	}
}

// TestLinksOfOthers: what an invitation or a recovery link is guessed or changed to is no
// link, and what is nobody's is told from nothing else.
func TestLinksOfOthers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	link := decode[api.Link](t, s.call(http.MethodPost, "/v1/invitations", nil, map[string]any{"email": "anna@example.com", "role": "client"}))
	last := link.Token[:len(link.Token)-1] + string("AB"[map[bool]int{true: 1}[strings.HasSuffix(link.Token, "A")]])
	for what, token := range map[string]string{"nobody's": "x", "the id": link.ID, "another secret": last, "cut": link.Token[:len(link.Token)-2], "NUL": link.Token + "\x00"} {
		for _, path := range []string{"/v1/invitations/lookup", "/v1/recovery/lookup"} {
			problem(t, what, s.post(path, nil, map[string]any{"token": token}), http.StatusNotFound, people.CodeLinkOver)
		}
	}
	problem(t, "an invitation as a recovery", s.post("/v1/recovery", nil, map[string]any{"token": link.Token, "password": annasPassword}), http.StatusNotFound, people.CodeLinkOver)
	s.now = s.now.Add(8 * 24 * time.Hour)
	problem(t, "too old", s.post("/v1/invitations/lookup", nil, map[string]any{"token": link.Token}), http.StatusNotFound, people.CodeLinkOver)
}

// TestTokensEndWithTheirOwner: what somebody left behind lets nobody in.
func TestTokensEndWithTheirOwner(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in := s.join("anna@example.com", model.RoleAdmin)
	made := decode[struct{ Token string }](t, s.post("/v1/tokens", bearer(in.AccessToken), map[string]any{"name": "x", "scopes": []string{"read", "admin"}}))
	try := func() *httptest.ResponseRecorder {
		return s.as(nobody, http.MethodGet, "/v1/members", bearer(made.Token), nil)
	}
	if w := try(); w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	member := "/v1/members/" + string(in.Session.Person)
	change := func(method string, body any) {
		t.Helper()
		if w := s.call(method, member, s.tag(member), body); w.Code >= 300 {
			t.Fatalf("status %d, %s", w.Code, w.Body)
		}
	}
	change(http.MethodPatch, map[string]any{"role": "client"})
	problem(t, "beyond the role, now", try(), http.StatusForbidden, "forbidden")
	change(http.MethodPatch, map[string]any{"role": "admin", "suspended": true})
	problem(t, "suspended", try(), http.StatusForbidden, people.CodeMemberSuspended)
	change(http.MethodDelete, nil)
	if w := try(); w.Code != http.StatusUnauthorized {
		t.Errorf("removed: status %d, %s", w.Code, w.Body)
	}
}

// TestAddressOfSomebodyElse: nobody has an address by saying so, nor by a link of another
// organization; and whoever was invited by one that somebody else came to first learns that,
// and comes in when the operator has given that one another.
func TestAddressOfSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mallory := s.join("mallory@example.com", model.RoleClient)
	const path = "/v1/me/email"
	change := func(more map[string]any) *httptest.ResponseRecorder {
		more["password"] = annasPassword
		return s.post(path, bearer(mallory.AccessToken), more)
	}
	problem(t, "an address", change(map[string]any{"email": "boss@example.com"}), http.StatusUnprocessableEntity, "invalid")
	problem(t, "no link", change(map[string]any{"token": "boss@example.com"}), http.StatusNotFound, people.CodeLinkOver)
	invite := func(h header, email string) string {
		return decode[api.Link](t, s.call(http.MethodPost, "/v1/invitations", h, map[string]any{"email": email, "role": "client"})).Token
	}
	problem(t, "another organization's link", change(map[string]any{"token": invite(header{in: "other"}, "boss@example.com")}), http.StatusNotFound, people.CodeLinkOver)
	if w := change(map[string]any{"token": invite(nil, "boss@example.com")}); w.Code != http.StatusOK {
		t.Fatalf("by a link: %d, %s", w.Code, w.Body)
	}
	link := invite(header{in: "other"}, "boss@example.com")
	accept := func() *httptest.ResponseRecorder {
		return s.post("/v1/invitations/acceptance", nil, map[string]any{"token": link, "name": "Boss", "password": "a third good sentence"})
	}
	problem(t, "somebody else came first", accept(), http.StatusConflict, people.CodeAddressOfAnother)
	move := map[string]any{"email": "boss@example.com", "new_email": "mallory@example.org"}
	if w := s.call(http.MethodPost, "/operator/v1/addresses", nil, move); w.Code != http.StatusNoContent {
		t.Fatalf("the operator: %d, %s", w.Code, w.Body)
	}
	problem(t, "again", s.call(http.MethodPost, "/operator/v1/addresses", nil, move), http.StatusNotFound, "not_found")
	if w := accept(); w.Code != http.StatusOK {
		t.Errorf("then: %d, %s", w.Code, w.Body)
	}
	if w := s.post("/v1/sign-in", nil, map[string]any{"email": "mallory@example.org", "password": annasPassword}); w.Code != http.StatusOK {
		t.Errorf("whoever came first: %d, %s", w.Code, w.Body)
	}
}

// TestTokensLetNobodyIn: whoever has a token for everything, and for a while, has nothing by
// it that lasts longer; what takes away, and what sets an organization up, a program does.
func TestTokensLetNobodyIn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	eve := s.join("eve@example.com", model.RoleClient)
	token := s.people.token(t, "default", "script").Reveal()
	member := "/v1/members/" + string(eve.Session.Person)
	by := func(method, path string, body any) *httptest.ResponseRecorder {
		h := bearer(token)
		h["If-Match"] = s.as(nobody, http.MethodGet, path, bearer(token), nil).Header().Get("ETag")
		return s.as(nobody, method, path, h, body)
	}
	if w := by(http.MethodPatch, member, map[string]any{"suspended": true, "projects": []string{"shop"}}); w.Code != http.StatusOK {
		t.Errorf("suspends: %d, %s", w.Code, w.Body)
	}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPost, "/v1/invitations", map[string]any{"email": "mallory@example.com", "role": "admin"}},
		{http.MethodPut, "/v1/sso", map[string]any{"enabled": true, "issuer": "https://evil.okta.com", "client_id": "c", "domains": []string{"evil.com"}}},
		{http.MethodDelete, "/v1/sso", nil},
		{http.MethodPut, "/v1/settings", map[string]any{"access_keys_allowed": true, "second_factor_required": false}},
		{http.MethodPost, member + "/recovery", nil},
		{http.MethodPatch, member, map[string]any{"role": "admin"}},
		{http.MethodPatch, member, map[string]any{"role": "client"}},
		{http.MethodPatch, member, map[string]any{"suspended": false}},
	} {
		problem(t, fmt.Sprint(c.method, " ", c.path, " ", c.body), by(c.method, c.path, c.body), http.StatusForbidden, people.CodeNotByToken)
	}
	problem(t, "a token", by(http.MethodPost, "/v1/tokens", map[string]any{"name": "x", "scopes": []string{"admin"}}), http.StatusForbidden, "session_needed")
	if w := by(http.MethodPost, "/v1/projects", map[string]any{"name": "shop"}); w.Code != http.StatusCreated {
		t.Errorf("makes a project: %d, %s", w.Code, w.Body)
	}
}

// TestFearOverHTTP: who changes the password says whether API tokens end, an administrator
// ends them with the sessions, and who is suspended learns it at the next sign-in.
func TestFearOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in := s.join("anna@example.com", model.RoleClient)
	member := "/v1/members/" + string(in.Session.Person)
	token := func() header {
		return bearer(decode[struct{ Token string }](t, s.post("/v1/tokens", bearer(in.AccessToken), map[string]any{"name": "x", "scopes": []string{"read"}})).Token)
	}
	works := func(h header) bool { return s.as(nobody, http.MethodGet, "/v1/projects", h, nil).Code == http.StatusOK }
	made := token()
	password := func(more map[string]any) {
		t.Helper()
		more["current"], more["new"] = annasPassword, annasPassword
		w := s.post("/v1/me/password", bearer(in.AccessToken), more)
		if w.Code != http.StatusOK {
			t.Fatalf("%d, %s", w.Code, w.Body)
		}
		in = decode[api.SignIn](t, w)
	}
	if password(map[string]any{}); !works(made) {
		t.Error("a new password ended a token")
	}
	if password(map[string]any{"end_tokens": true}); works(made) {
		t.Error("a token goes on")
	}
	made = token()
	if w := s.call(http.MethodDelete, member+"/sessions", nil, nil); w.Code != http.StatusNoContent || works(made) {
		t.Errorf("%d, and a token goes on: %t", w.Code, works(made))
	}
	if w := s.call(http.MethodPatch, member, s.tag(member), map[string]any{"suspended": true}); w.Code != http.StatusOK {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	for _, org := range []string{"", "default"} {
		problem(t, org, s.post("/v1/sign-in", nil, map[string]any{"email": "anna@example.com", "password": annasPassword, "organization": org}), http.StatusForbidden, people.CodeMemberSuspended)
	}
}
