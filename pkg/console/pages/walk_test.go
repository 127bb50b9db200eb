package pages_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/oklog/ulid/v2"
	"golang.org/x/net/html"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestWalk: somebody is invited, sets up an app, signs in by a code and by a backup code,
// changes all that there is to change, and signs out; without a script.
func TestWalk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := newBrowser(h)
	b.get("/")
	b.at("/sign-in", http.StatusOK)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	b.at("/", http.StatusOK, "Welcome, Anna", "anna@example.com", "acme", "Administrator", "Firefox on Linux", "This session")

	b.follow("Account")
	b.submit("/me/app", map[string]string{"password": "not that one at all"})
	b.at("/me/app", http.StatusForbidden, "The password is wrong.")
	b.submit("/me/app", map[string]string{"password": annasPassword})
	b.at("/me/app", http.StatusOK)
	app := b.scan()
	b.submit("/me/app/confirmation", map[string]string{"code": "000000"})
	b.at("/me/app/confirmation", http.StatusForbidden, "The code is wrong.")
	b.submit("/me/app/confirmation", map[string]string{"code": app.code()})
	codes := b.codes()
	b.follow("I have kept them")
	b.at("/me", http.StatusOK, "Your authenticator app counts from now on.", "On")

	b.submit("/sign-out", nil)
	b.at("/sign-in", http.StatusOK, "You are signed out.")
	if b.cookie("__Host-caq") != "" || b.cookie("__Secure-caqr") != "" || b.cookie("__Host-caqd") == "" {
		t.Error("the cookies of a session stay, or the device is not known any more")
	}
	b.get("/me?done=name")
	b.at("/sign-in", http.StatusOK)
	b.submit("/sign-in", map[string]string{"email": "anna@example.com", "password": "not that one at all"})
	b.at("/sign-in", http.StatusUnauthorized, "The e-mail address or the password is wrong.")
	b.submit("/sign-in", map[string]string{"password": annasPassword}) // the address stands there still
	b.at("/sign-in", http.StatusOK, "Code of your authenticator app", "Use a backup code")
	b.submit("/sign-in/second-factor", map[string]string{"code": "12"})
	b.at("/sign-in/second-factor", http.StatusForbidden, "The code is wrong.")
	b.submit("/sign-in/second-factor", map[string]string{"code": app.code()})
	b.at("/me", http.StatusOK, "Your name was changed.") // where the way led
	b.submit("/sign-out", nil)

	b.signIn("anna@example.com", annasPassword)
	b.submit("/sign-in/second-factor", map[string]string{"backup_code": "aaaa-aaaa-aaaa-aaaa"})
	b.at("/sign-in/second-factor", http.StatusForbidden, "The code is wrong.")
	b.submit("/sign-in/second-factor", map[string]string{"backup_code": codes[0]})
	b.at("/", http.StatusOK)

	b.get("/me")
	b.submit("/me/name", map[string]string{"name": "Anna Árvai"})
	b.at("/me", http.StatusOK, "Your name was changed.")
	b.submit("/me/email", map[string]string{"token": "no link", "password": annasPassword})
	b.at("/me/email", http.StatusNotFound, "This link does not work")
	moves := h.invite("acme", "anna@example.org", model.RoleClient)
	b.submit("/me/email", map[string]string{"token": "https://cloudarq.example.com/invitation#" + moves, "password": annasPassword})
	b.at("/me", http.StatusOK, "Your e-mail address was changed.", "anna@example.org")
	b.submit("/me/password", map[string]string{"current": annasPassword, "password": "short"})
	b.at("/me/password", http.StatusUnprocessableEntity, "at least 12")
	b.submit("/me/password", map[string]string{"current": "not that one at all", "password": "four other words"})
	b.at("/me/password", http.StatusForbidden, "The password is wrong.")
	b.submit("/me/password", map[string]string{"current": annasPassword, "password": "four other words", "end_tokens": "yes"})
	b.at("/me", http.StatusOK, "Your password was changed")
	b.submit("/me/backup-codes", map[string]string{"password": "four other words"})
	fresh := b.codes()
	b.follow("I have kept them")
	b.submit("/me/app/removal", map[string]string{"password": "four other words"})
	b.at("/me", http.StatusOK, "The authenticator app was removed", "Off")
	b.leaks(annasPassword, "four other words", app.key, codes[1], fresh[0])
}

// TestForcedEnrolment: who has no second factor where one is required sets one up on the way.
func TestForcedEnrolment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.requireFactor("acme")
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleClient)
	b.at("/invitation/acceptance", http.StatusOK, "Set up a second factor")
	first := b.scan()
	b.submit("/sign-in/second-factor", map[string]string{"code": "000000"})
	b.at("/sign-in/second-factor", http.StatusForbidden, "The code is wrong.")
	b.submit("/sign-in/enrolment", nil)
	second := b.scan()
	if first.key == second.key {
		t.Error("another QR code has the same key")
	}
	b.submit("/sign-in/second-factor", map[string]string{"code": second.code()})
	b.codes()
	b.follow("I have kept them")
	b.at("/", http.StatusOK, "Client", "None yet")
	b.get("/me")
	b.submit("/me/app/removal", map[string]string{"password": annasPassword})
	b.at("/me/app/removal", http.StatusConflict, "requires a second factor")
	b.leaks(first.key, second.key)
}

// TestTooLong: a sign-in that took too long begins anew, and keeps where it led.
func TestTooLong(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.requireFactor("acme")
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleClient)
	h.now = h.now.Add(people.ChallengeAge)
	b.submit("/sign-in/second-factor", map[string]string{"code": "123456"})
	b.at("/sign-in", http.StatusOK, "This sign-in is over; begin anew.")
	b.get("/sign-in?return=/me")
	b.submit("/sign-in", map[string]string{"email": "anna@example.com", "password": annasPassword})
	h.now = h.now.Add(people.ChallengeAge)
	b.submit("/sign-in/second-factor", map[string]string{"code": "123456"})
	if b.page.url.Query().Get("return") != "/me" {
		t.Errorf("sent to %s", b.page.url)
	}
}

// TestSeveralOrganizations: one chooses, and goes over.
func TestSeveralOrganizations(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.organization("bravo")
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	token := h.invite("bravo", "anna@example.com", model.RoleClient)
	b.get("/invitation")
	b.submit("/invitation", map[string]string{"token": token})
	b.submit("/invitation/acceptance", map[string]string{"who": "new", "name": "Mallory", "password": "another password"})
	b.at("/invitation/acceptance", http.StatusConflict, "There is an account with this e-mail address")
	b.submit("/invitation/acceptance", map[string]string{"who": "have", "password": annasPassword})
	b.at("/", http.StatusOK, "Organization bravo", "Client")
	b.submit("/organization", map[string]string{"organization": "acme"})
	b.at("/", http.StatusOK, "Organization acme", "Administrator")
	b.submit("/sign-out", nil)
	b.signIn("anna@example.com", annasPassword)
	b.at("/sign-in", http.StatusOK, "Choose an organization")
	b.submit("/sign-in/organization", map[string]string{"organization": "bravo"})
	b.at("/", http.StatusOK, "Organization bravo")
	b.get("/invitation")
	b.submit("/invitation", map[string]string{"token": token})
	b.at("/invitation", http.StatusNotFound, "This link does not work")
}

// TestSessions: one sees where one is signed in, and ends what one does not know.
func TestSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b, other, third := newBrowser(h), newBrowser(h), newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	other.agent, third.agent = "curl/8.9.1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0"
	for _, x := range []*browser{other, third} {
		x.signIn("anna@example.com", annasPassword)
		x.at("/", http.StatusOK)
	}
	b.get("/")
	b.at("/", http.StatusOK, "curl", "Edge on Windows")
	var id string
	for _, n := range all(b.page.root, "button") {
		if strings.Contains(attr(n, "aria-label"), "curl") {
			id = attr(n, "value")
		}
	}
	b.submit("/sessions/end", map[string]string{"session": id})
	b.at("/", http.StatusOK, "The sessions were ended.")
	other.get("/me")
	other.at("/sign-in", http.StatusOK, "Your session has ended. Sign in again.")
	third.get("/")
	third.at("/", http.StatusOK)
	b.submit("/sessions/end-others", nil)
	third.get("/")
	third.at("/sign-in", http.StatusOK, "Your session has ended.")
	b.get("/")
	b.at("/", http.StatusOK)
}

// TestRecovery: somebody chooses a new password by a link, once.
func TestRecovery(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	operator := model.Change{Actor: model.Actor{Kind: model.ActorOperator}, At: h.now}
	_, token, err := h.people.Recover(t.Context(), operator, "acme", h.person("anna@example.com").ID, "")
	if err != nil {
		t.Fatal(err)
	}
	fresh := newBrowser(h)
	fresh.get("/recovery")
	fresh.submit("/recovery", map[string]string{"token": "nothing"})
	fresh.at("/recovery", http.StatusNotFound, "This link does not work")
	fresh.submit("/recovery", map[string]string{"token": token.Reveal()})
	fresh.at("/recovery", http.StatusOK, "anna@example.com", "Choose a new password")
	fresh.submit("/recovery/password", map[string]string{"password": "cloudarq password"})
	fresh.at("/recovery/password", http.StatusUnprocessableEntity)
	fresh.submit("/recovery/password", map[string]string{"password": "four other words"})
	fresh.at("/", http.StatusOK, "anna@example.com")
	b.get("/")
	b.at("/sign-in", http.StatusOK)
	fresh.leaks("four other words")
	again := newBrowser(h)
	again.get("/recovery")
	again.submit("/recovery", map[string]string{"token": token.Reveal()})
	again.at("/recovery", http.StatusNotFound)
}

// TestPasskeys: what the script does, a device of the test does in its place.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	party := virtualwebauthn.RelyingParty{ID: "audit.example.com", Name: "CloudArq", Origin: home}
	device, key := virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	options := func(b *browser) string {
		t.Helper()
		for _, n := range all(b.page.root, "form") {
			if has(n, "data-options") {
				if !has(n, "hidden") || attr(n, "class") != "ceremony" || len(all(b.page.root, "noscript")) == 0 {
					t.Error("without a script the passkey is shown, or nothing is said of it")
				}
				return attr(n, "data-options")
			}
		}
		t.Fatalf("nothing is asked of a passkey: %s", b.page.text())
		return ""
	}
	b := newBrowser(newHouse(t))
	b.join("acme", "anna@example.com", model.RoleAdmin)
	b.get("/me")
	b.submit("/me/passkey", map[string]string{"password": annasPassword})
	b.at("/me/passkey", http.StatusOK, "Add a passkey")
	b.submit("/me/passkey/registration", map[string]string{"name": "Laptop"}) // by a browser without a script
	b.at("/me/passkey/registration", http.StatusUnprocessableEntity)
	b.submit("/me/passkey", map[string]string{"password": annasPassword})
	asked, err := virtualwebauthn.ParseAttestationOptions(options(b))
	if err != nil {
		t.Fatal(err)
	}
	b.submit("/me/passkey/registration", map[string]string{"name": "Laptop", "passkey": virtualwebauthn.CreateAttestationResponse(party, device, key, *asked)})
	codes := b.codes()
	b.follow("I have kept them")
	b.at("/me", http.StatusOK, "The passkey counts from now on.", "Laptop")
	device.AddCredential(key)
	b.submit("/sign-out", nil)

	b.signIn("anna@example.com", annasPassword)
	b.at("/sign-in", http.StatusOK, "Use your passkey")
	b.submit("/sign-in/second-factor", map[string]string{"passkey": `{"id":"x"}`})
	b.at("/sign-in/second-factor", http.StatusForbidden, "The passkey does not fit.")
	assertion, err := virtualwebauthn.ParseAssertionOptions(options(b)) // asked anew
	if err != nil {
		t.Fatal(err)
	}
	b.submit("/sign-in/second-factor", map[string]string{"passkey": virtualwebauthn.CreateAssertionResponse(party, device, key, *assertion)})
	b.at("/", http.StatusOK)
	b.get("/me")
	var id string
	for _, n := range all(b.page.root, "button") {
		if attr(n, "name") == "passkey" {
			id = attr(n, "value")
		}
	}
	b.submit("/me/passkey/removal", map[string]string{"passkey": id, "password": annasPassword})
	b.at("/me", http.StatusOK, "The passkey was removed")
	b.leaks(codes...)
}

// TestRenewal: an access token lasts a quarter of an hour, and somebody stays signed in; also
// when a page of another site leads here, with which strict cookies do not come.
func TestRenewal(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	over := people.AccessAge + people.ClockSkew + time.Second
	h.now = h.now.Add(over)
	b.get("/me?done=name")
	b.at("/me", http.StatusOK, "Your name was changed.")
	h.now = h.now.Add(over)
	b.submit("/me/name", map[string]string{"name": "Ann"})
	b.at("/me", http.StatusOK, "nothing was changed. Do it once more.") // and the form is there anew
	if name := h.person("anna@example.com").Name; name != "Anna" {
		t.Errorf("called %s", name)
	}
	h.now = h.now.Add(over)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.get("/me")
	b.at("/me", http.StatusOK, "One moment")
	b.header.Del("Sec-Fetch-Site") // a page of ours leads on
	b.goOn()
	b.at("/me", http.StatusOK, "Your account")
	h.now = h.now.Add(over)
	b.get("/sign-in?return=/me")
	b.at("/me", http.StatusOK)
	h.now = h.now.Add(model.SessionIdle + time.Second)
	b.get("/me")
	b.at("/sign-in", http.StatusOK)
	b.get("/sign-in?error=refresh_raced&return=/me")
	b.at("/sign-in", http.StatusOK, "One moment")
	b.leaks()
}

// TestAuthorize: the command gets a code for its challenge at its port of the loopback
// interface, by the Allow of who is signed in.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	b.submit("/sign-out", nil)
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636, appendix B
	state := strings.Repeat("s", 43)
	at := "/authorize?" + url.Values{"port": {"54321"}, "state": {state}, "challenge": {challenge}}.Encode()
	b.get(at)
	b.at("/sign-in", http.StatusOK)
	b.submit("/sign-in", map[string]string{"email": "anna@example.com", "password": annasPassword})
	b.at("/authorize", http.StatusOK, "anna@example.com", "acme")
	b.submit("/authorize", map[string]string{"answer": "allow"})
	got := b.page.url
	if got.Host != "127.0.0.1:54321" || got.Path != "/callback" || got.Query().Get("state") != state || got.Query().Get("code") == "" {
		t.Fatalf("sent to %s", got)
	}
	from := people.From{Address: "192.0.2.7", Client: "cloudarq"}
	service := h.people
	service.Limits = people.NewLimiter(h.store, func() time.Time { return h.now })
	step, err := service.TakeOver(t.Context(), secretOf(got.Query().Get("code")), secretOf(verifier), from)
	if err != nil || step.Entry == nil {
		t.Fatalf("%+v, %v", step, err)
	}
	b.get(at)
	h.now = h.now.Add(people.AccessAge + people.ClockSkew + time.Second)
	b.submit("/authorize", map[string]string{"answer": "allow"})
	b.at("/authorize", http.StatusOK, "anna@example.com") // asked once more
	b.submit("/authorize", map[string]string{"answer": "refuse"})
	if want := "http://127.0.0.1:54321/callback?error=refused&state=" + state; b.page.url.String() != want {
		t.Errorf("sent to %s", b.page.url)
	}
	b.leaks()
	for name, wrong := range map[string][]string{
		"port":      {"80", "65536", "054321", "54321@evil.example", "54321/x", " 54321", "", "+5432", "54321\n"},
		"state":     {"", "short", strings.Repeat("s", 129), strings.Repeat("s", 20) + "\n", strings.Repeat("s", 20) + "&code=x"},
		"challenge": {"", challenge + "x", "<script>"},
	} {
		for _, value := range wrong {
			query := url.Values{"port": {"54321"}, "state": {state}, "challenge": {challenge}, "answer": {"allow"}}
			query.Set(name, value)
			for what, p := range map[string]*page{"shown": b.once(http.MethodGet, "/authorize?"+query.Encode(), nil), "sent": b.once(http.MethodPost, "/authorize", query)} {
				if p.status != http.StatusBadRequest || p.header.Get("Location") != "" {
					t.Errorf("%s %q is %s: status %d, sent to %s", name, value, what, p.status, p.header.Get("Location"))
				}
			}
		}
	}
}

// TestSingleSignOn leads to the provider of an organization, by a page: no form of ours leads
// to another site.
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	b := newBrowser(newHouse(t))
	b.get("/sign-in?return=/me")
	b.submit("/sign-in/single-sign-on", map[string]string{"organization": "../x"})
	b.at("/sign-in/single-sign-on", http.StatusUnprocessableEntity, "That is no id of an organization.")
	b.submit("/sign-in/single-sign-on", map[string]string{"organization": " Acme "})
	b.at("/sign-in/single-sign-on", http.StatusOK, "Single sign-on")
	b.goOn()
	if !slices.Contains(b.urls, home+"/v1/sso/acme/start?return=%2Fme") {
		t.Errorf("went to %v", b.urls)
	}
	b.at("/sign-in", http.StatusOK, "That organization has no single sign-on")
	b.get("/sign-in?organization=acme&return=/me")
	b.follow("Sign in by single sign-on of acme")
	b.at("/sign-in", http.StatusOK, "That organization has no single sign-on")
	for _, n := range []string{"x/../y", "a b", "<b>", "ACME%00"} {
		b.get("/sign-in?organization=" + url.QueryEscape(n))
		if slices.ContainsFunc(all(b.page.root, "a"), func(a *html.Node) bool { return strings.Contains(attr(a, "href"), "/v1/sso/") }) {
			t.Errorf("%q leads somewhere", n)
		}
	}
}

// TestWhoIsLetInByOneOrganization changes nothing of what counts in others, and is told so.
func TestWhoIsLetInByOneOrganization(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	id := ulid.Make().String()
	_, hash, err := people.NewToken(people.RefreshToken, id)
	if err != nil {
		t.Fatal(err)
	}
	session, err := h.people.Begin(t.Context(), h.person("anna@example.com"), model.Session{ID: model.SessionID(id), Organization: "acme", SSO: true, Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := h.people.Tokens.Issue(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	b.jar.SetCookies(&url.URL{Scheme: "https", Host: "audit.example.com", Path: "/"}, []*http.Cookie{{Name: "__Host-caq", Value: access.Reveal(), Path: "/", Secure: true}})
	b.get("/")
	b.at("/", http.StatusOK, "by single sign-on")
	b.get("/me")
	b.at("/me", http.StatusOK, "You signed in by single sign-on of acme.")
	for _, form := range all(b.page.root, "form") {
		if attr(form, "action") != "/sign-out" {
			t.Errorf("there is a form for %s", attr(form, "action"))
		}
	}
	b.request(http.MethodPost, "/me/password", url.Values{"csrf": {people.CSRFToken(access)}, "current": {annasPassword}, "password": {"four other words"}})
	b.at("/me/password", http.StatusForbidden, "Single sign-on lets you in to one organization")
}

// TestShutOut: whom an administrator or an operator shuts out reads why, where one signs in.
func TestShutOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleClient)
	acme := h.store.For("acme")
	change := func(suspended bool) {
		t.Helper()
		m, err := acme.Member(t.Context(), h.person("anna@example.com").ID)
		if err != nil {
			t.Fatal(err)
		}
		m.Suspended = suspended
		if err := acme.ChangeMember(t.Context(), model.Change{At: h.now}, &m); err != nil {
			t.Fatal(err)
		}
	}
	change(true)
	b.get("/me")
	b.at("/sign-in", http.StatusOK, "An administrator has suspended your membership.")
	b.submit("/sign-in", map[string]string{"email": "anna@example.com", "password": annasPassword})
	b.at("/sign-in", http.StatusForbidden, "An administrator has suspended your membership.")
	change(false)
	b.get("/me")
	b.at("/me", http.StatusOK)
	itself, err := acme.Itself(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	itself.SuspendedAt = h.now
	if err := acme.ChangeItself(t.Context(), model.Change{At: h.now}, &itself); err != nil {
		t.Fatal(err)
	}
	b.submit("/me/name", map[string]string{"name": "Ann"})
	b.at("/sign-in", http.StatusOK, "Whoever operates this installation has suspended the organization.")
	b.leaks()
}
