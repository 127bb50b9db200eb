package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/oidctest"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// browser keeps cookies and sends them as browsers do (RFC 6265bis): by path, and to a page
// that another site leads to none that are Strict.
type browser struct {
	*server
	cookies map[string]*http.Cookie
}

func newBrowser(s *server) *browser { return &browser{s, map[string]*http.Cookie{}} }

// from is where a navigation comes from, in the words of Sec-Fetch-Site.
type from string

const (
	typed     from = "none"
	ours      from = "same-origin"
	providers from = "cross-site"
)

// get goes to a page.
func (b *browser) get(site from, path string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, "https://audits.example.com"+path, nil)
	r.Header.Set("Sec-Fetch-Site", string(site))
	r.Header.Set("User-Agent", "Firefox")
	for _, c := range b.cookies {
		if strings.HasPrefix(r.URL.Path, c.Path) && (site != providers || c.SameSite != http.SameSiteStrictMode) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
		}
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.Domain != "" || strings.HasPrefix(c.Name, "__Host-") && c.Path != "/" || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode {
			b.t.Errorf("%s sets %s", path, c)
		}
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

// sent is where an answer sends the browser.
func sent(t *testing.T, what string, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Body.Len() != 0 {
		t.Fatalf("%s: status %d, %s", what, w.Code, w.Body)
	}
	secured(t, what, w)
	return w.Header().Get("Location")
}

func (b *browser) names() []string { return slices.Sorted(maps.Keys(b.cookies)) }

const ssoStart = "/v1/sso/acme/start?return=" + "%2Faudits%3Fstatus%3Dfailed"

var (
	signedInCookies = []string{"__Host-caq", "__Secure-caqr"}
	waitingCookies  = []string{sso.CookieName}
)

// configured sets a provider up for acme.
func (s *server) configured(issuer string) {
	s.t.Helper()
	w := s.call(http.MethodPut, "/v1/sso", header{in: "acme"}, map[string]any{
		"enabled": true, "issuer": issuer, "client_id": oidctest.ClientID, "client_secret": oidctest.Secret,
		"domains": []string{"acme.com", "zitadel.ch"}, "otherwise": map[string]any{"role": "client"},
		"groups": []any{map[string]any{"group": "auditors", "role": "client", "projects": []string{"shop"}}},
	})
	if w.Code != http.StatusOK {
		s.t.Fatalf("status %d, %s", w.Code, w.Body)
	}
}

func newProvider(s *server) *oidctest.Provider {
	p := oidctest.NewProvider(s.t, func() time.Time { return s.now })
	p.Userinfo = map[string]any{"sub": "u-1"}
	s.configured(p.URL)
	return p
}

func callbackOf(back url.Values) string { return api.SSOCallback + "?" + back.Encode() }

// TestSSOOverHTTP is a whole sign-in, at a provider of a test and at one that is not ours:
// the way back comes from another site, and ends at the page that was asked for, with a
// session in cookies that is as good as one by password.
func TestSSOOverHTTP(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		email   string
		provide func(s *server) (visit func(to string) url.Values)
	}{
		"of a test": {"anna@acme.com", func(s *server) func(string) url.Values {
			p := newProvider(s)
			return func(to string) url.Values { return p.Visit(t, to) }
		}},
		"not ours": {oidctest.RealEmail, func(s *server) func(string) url.Values {
			p := oidctest.NewReal(t)
			s.configured(p.URL)
			return func(to string) url.Values { return oidctest.SignInReal(t, p, to) }
		}},
	} {
		s := newServer(t)
		visit := c.provide(s)
		b := newBrowser(s)
		to := sent(t, "start", b.get(ours, ssoStart))
		u, err := url.Parse(to)
		if err != nil || u.Query().Get("redirect_uri") != oidctest.Callback || u.Query().Get("code_challenge_method") != "S256" || !slices.Equal(b.names(), waitingCookies) {
			t.Fatalf("%s: sent to %s with %v, %v", name, to, b.names(), err)
		}
		if c := b.cookies[sso.CookieName]; c.MaxAge != 600 || c.SameSite != http.SameSiteLaxMode || strings.Contains(to, c.Value) {
			t.Errorf("%s: %s", name, c)
		}
		back := visit(to)
		back.Set("session_state", "s") // providers send more than anybody asked for
		back.Set("scope", "openid email")
		if at := sent(t, "callback", b.get(providers, callbackOf(back))); at != "/audits?status=failed" || !slices.Equal(b.names(), signedInCookies) {
			t.Fatalf("%s: sent to %s with %v\n%s", name, at, b.names(), s.log)
		}
		w := b.get(providers, "/v1/session") // a link of another site
		view := decode[api.SessionView](t, w)
		if w.Code != http.StatusOK || !view.Session.SSO || view.Session.Client != "Firefox" || view.Session.Organization != "acme" || view.Person.Email != c.email || view.CSRFToken == "" ||
			!slices.Equal(view.Organizations, []model.OrganizationID{"acme"}) {
			t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
		}
		refresh := header{"Cookie": "__Secure-caqr=" + b.cookies["__Secure-caqr"].Value}
		if w := s.post("/v1/session/refresh", refresh, map[string]any{}); w.Code != http.StatusOK || len(w.Result().Cookies()) != 2 {
			t.Errorf("%s: refresh: status %d, %s", name, w.Code, w.Body)
		}
		problem(t, "a password of one who has none", s.as(nobody, http.MethodPost, "/v1/me/password", header{
			"Cookie": "__Host-caq=" + b.cookies["__Host-caq"].Value, "CloudArq-CSRF": view.CSRFToken,
		}, map[string]any{"current": "", "new": "quite another sentence"}), http.StatusForbidden, people.CodeNotBySSO)
	}
}

// TestSSORefusals: whoever is not signed in is told a code of ours, gets no cookie of a
// session, and nothing that the provider said.
func TestSSORefusals(t *testing.T) {
	t.Parallel()
	type situation struct {
		*server
		b    *browser
		p    *oidctest.Provider
		back url.Values
	}
	foreign := "<script>alert(1)</script>"
	for name, c := range map[string]struct {
		before func(*situation) // before the sign-in begins
		then   func(*situation) // when the provider has answered
		want   string
		waits  bool // the sign-in goes on waiting for its answer
	}{
		"no cookie":              {then: func(s *situation) { s.b = newBrowser(s.server) }, want: sso.CodeState},
		"another browser's":      {then: func(s *situation) { other := newBrowser(s.server); other.get(ours, ssoStart); s.b = other }, want: sso.CodeState, waits: true},
		"another state":          {then: func(s *situation) { s.back.Set("state", "x") }, want: sso.CodeState, waits: true},
		"no state":               {then: func(s *situation) { s.back.Del("state") }, want: sso.CodeState, waits: true},
		"nothing at all":         {then: func(s *situation) { s.back = url.Values{} }, want: sso.CodeState, waits: true},
		"too late":               {then: func(s *situation) { s.now = s.now.Add(sso.StateAge) }, want: sso.CodeState, waits: true},
		"a cookie that is none":  {then: func(s *situation) { s.b.cookies[sso.CookieName].Value = "acme.AAAA" }, want: sso.CodeState, waits: true},
		"a long cookie":          {then: func(s *situation) { s.b.cookies[sso.CookieName].Value = "acme." + strings.Repeat("A", 5000) }, want: sso.CodeState, waits: true},
		"no code":                {then: func(s *situation) { s.back.Del("code") }, want: sso.CodeDenied},
		"another code":           {then: func(s *situation) { s.back.Set("code", foreign) }, want: sso.CodeCode},
		"the provider says no":   {then: func(s *situation) { s.back.Set("error", foreign); s.back.Set("error_description", foreign) }, want: sso.CodeDenied},
		"another issuer":         {then: func(s *situation) { s.back.Set("iss", "https://evil.example") }, want: sso.CodeIssuer},
		"an ID token of another": {then: func(s *situation) { s.p.Claims = func(c map[string]any) { c["aud"] = foreign } }, want: sso.CodeToken},
		"signed by another": {then: func(s *situation) {
			evil := oidctest.NewSigner(t, "k1")
			s.p.Token = func(_ string, c map[string]any) string { return evil.Sign(t, c) }
		}, want: sso.CodeToken},
		"another domain": {then: func(s *situation) { s.p.Claims = func(c map[string]any) { c["email"] = foreign + "@evil.com" } }, want: sso.CodeAddress},
		"the provider fails": {then: func(s *situation) {
			s.p.Handle["/token"] = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, foreign, http.StatusBadGateway) }
		}, want: sso.CodeProvider},
		"a redirect inside": {then: func(s *situation) {
			s.p.Handle["/token"] = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
			}
		}, want: sso.CodeProvider},
		"changed meanwhile":   {then: func(s *situation) { s.change("client_id", "other") }, want: sso.CodeState, waits: true},
		"turned off":          {then: func(s *situation) { s.change("enabled", false) }, want: sso.CodeOff},
		"suspended meanwhile": {then: func(s *situation) { s.suspend() }, want: sso.CodeOrganizationSuspended},
		"suspended":           {before: func(s *situation) { s.suspend() }, want: sso.CodeOrganizationSuspended},
		"off":                 {before: func(s *situation) { s.change("enabled", false) }, want: sso.CodeOff},
		"nowhere": {before: func(s *situation) {
			s.p.Handle["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, foreign, http.StatusNotFound) }
		}, want: sso.CodeProvider},
	} {
		s := &situation{server: newServer(t)}
		s.p, s.b = newProvider(s.server), newBrowser(s.server)
		var at string
		if c.before != nil {
			c.before(s)
			at = sent(t, name, s.b.get(ours, ssoStart))
		} else {
			s.back = s.p.Visit(t, sent(t, name, s.b.get(ours, ssoStart)))
			c.then(s)
			at = sent(t, name, s.b.get(providers, callbackOf(s.back)))
		}
		if want := "/sign-in?error=" + c.want; at != want {
			t.Errorf("%s: sent to %s, want %s", name, at, want)
		}
		if left := map[bool][]string{true: waitingCookies}[c.waits]; !slices.Equal(s.b.names(), left) {
			t.Errorf("%s: the browser has %v, want %v", name, s.b.names(), left)
		}
		if strings.Contains(s.log.String(), "alert(1)") {
			t.Errorf("%s: the provider writes the log: %s", name, s.log)
		}
		if members, _, err := s.store.For("acme").MembersPage(t.Context(), "", 10); err != nil || len(members) != 1 {
			t.Errorf("%s: there are %d members, %v", name, len(members), err)
		}
	}
}

// change changes a field of acme's configuration.
func (s *server) change(field string, value any) {
	s.t.Helper()
	w := s.call(http.MethodGet, "/v1/sso", header{in: "acme"}, nil)
	body := decode[map[string]any](s.t, w)
	body[field], body["client_secret"] = value, oidctest.Secret
	if w := s.call(http.MethodPut, "/v1/sso", header{in: "acme", "If-Match": w.Header().Get("ETag")}, body); w.Code != http.StatusOK {
		s.t.Fatalf("status %d, %s", w.Code, w.Body)
	}
}

func (s *server) suspend() {
	s.t.Helper()
	if w := s.call(http.MethodPost, "/operator/v1/organizations/acme/suspension", nil, nil); w.Code >= 300 {
		s.t.Fatalf("status %d, %s", w.Code, w.Body)
	}
}

// TestSSOReplay: an answer is good once, and the session of the first goes on.
func TestSSOReplay(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p, b := newProvider(s), newBrowser(s)
	back := p.Visit(t, sent(t, "start", b.get(ours, ssoStart)))
	thief, waiting := newBrowser(s), b.cookies[sso.CookieName]
	sent(t, "callback", b.get(providers, callbackOf(back)))
	for what, other := range map[string]*browser{"loaded again": b, "with the cookie": thief} {
		other.cookies[sso.CookieName] = waiting
		asked := p.Asked()
		if at := sent(t, what, other.get(providers, callbackOf(back))); at != "/sign-in?error="+sso.CodeReplayed || p.Asked() != asked {
			t.Errorf("%s: sent to %s", what, at)
		}
	}
	if w := b.get(ours, "/v1/session"); w.Code != http.StatusOK {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	if len(thief.names()) > 0 {
		t.Errorf("the thief has %v", thief.names())
	}
}

// TestSSOOfOthers: a page of another site cannot sign anybody in, at a provider of its own
// organization, say: the browser is led to where the person says so.
func TestSSOOfOthers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p, b := newProvider(s), newBrowser(s)
	if at := sent(t, "a link", b.get(providers, ssoStart)); at != "/sign-in?organization=acme&return=%2Faudits%3Fstatus%3Dfailed" || len(b.cookies) > 0 || p.Asked() > 0 {
		t.Errorf("sent to %s with %v", at, b.names())
	}
	if at := sent(t, "a bookmark", b.get(typed, ssoStart)); !strings.HasPrefix(at, p.URL+"/authorize?") {
		t.Errorf("sent to %s", at)
	}
}

// TestSSOReturn: nobody is led to another host.
func TestSSOReturn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newProvider(s)
	for _, back := range []string{
		"https://evil.example", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/%09/evil.example/..//x y", "javascript:alert(1)", "evil.example", "@evil.example",
		".evil.example", "/\u2028/evil.example", "/ /evil.example", "/a//evil.example", "https:evil.example", strings.Repeat("/a", sso.MaxReturn),
	} {
		for _, site := range []from{ours, providers} {
			b := newBrowser(s)
			w := b.get(site, "/v1/sso/acme/start?return="+url.QueryEscape(back))
			problem(t, back, w, http.StatusUnprocessableEntity, "invalid")
			if w.Header().Get("Location") != "" || len(b.cookies) > 0 {
				t.Errorf("%q: sent to %s with %v", back, w.Header().Get("Location"), b.names())
			}
		}
	}
	if p.Asked() > 0 {
		t.Errorf("the provider was asked %d times", p.Asked())
	}
	b := newBrowser(s)
	back := p.Visit(t, sent(t, "start", b.get(ours, "/v1/sso/acme/start")))
	if at := sent(t, "callback", b.get(providers, callbackOf(back))); at != "/" {
		t.Errorf("sent to %s", at)
	}
}

// TestSSOOfNobody tells nobody which organizations there are.
func TestSSOOfNobody(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, org := range []string{"default", "nobody", "Default", "a.b", "-"} {
		if at := sent(t, org, newBrowser(s).get(ours, "/v1/sso/"+org+"/start")); at != "/sign-in?error="+sso.CodeOff {
			t.Errorf("%s: sent to %s", org, at)
		}
	}
}

// TestSSOLimits: a network begins and ends so many sign-ins, and then no provider is asked.
func TestSSOLimits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.now = beginning()
	p := newProvider(s)
	for _, path := range []string{"/v1/sso/default/start", api.SSOCallback} {
		from := caller{nobody: true, address: "192.0.2.77"}
		for range people.SSOStarts[0].Most {
			if w := s.as(from, http.MethodGet, path, nil, nil); w.Code != http.StatusSeeOther {
				t.Fatalf("status %d, %s", w.Code, w.Body)
			}
		}
		for _, path := range []string{path, strings.Replace(path, "default", "acme", 1)} { // a browser is there, which has no use for a problem
			w := s.as(from, http.MethodGet, path, nil, nil)
			if at, wait := sent(t, path, w), w.Header().Get("Retry-After"); wait == "" || at != "/sign-in?error=limited&wait="+wait {
				t.Errorf("%s: sent to %s, Retry-After %q", path, at, wait)
			}
		}
		if w := s.as(caller{nobody: true, address: "192.0.2.78"}, http.MethodGet, path, nil, nil); w.Code != http.StatusSeeOther {
			t.Errorf("another network: status %d, %s", w.Code, w.Body)
		}
	}
	if p.Asked() > 0 {
		t.Errorf("the provider was asked %d times", p.Asked())
	}
}

// TestSSOConfiguration: an administrator reads and writes it; the client secret goes in and
// never comes out, and goes to nobody to whom it was not given.
func TestSSOConfiguration(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	get := func() *httptest.ResponseRecorder { return s.call(http.MethodGet, "/v1/sso", nil, nil) }
	put := func(tag string, body map[string]any) *httptest.ResponseRecorder {
		h := header{}
		if tag != "" {
			h["If-Match"] = tag
		}
		return s.call(http.MethodPut, "/v1/sso", h, body)
	}
	body := func(change map[string]any) map[string]any {
		all := map[string]any{"enabled": true, "issuer": "https://acme.okta.com", "client_id": "c", "domains": []string{"acme.com"}}
		maps.Copy(all, change)
		return all
	}
	problem(t, "none", get(), http.StatusNotFound, sso.CodeOff)
	problem(t, "none to remove", s.call(http.MethodDelete, "/v1/sso", header{"If-Match": `"v1"`}, nil), http.StatusNotFound, sso.CodeOff)
	problem(t, "none to change", put(`"v1"`, body(nil)), http.StatusPreconditionFailed, "stale")
	w := put("", body(map[string]any{"client_secret": oidctest.Secret}))
	made := decode[model.SSO](t, w)
	if w.Code != http.StatusOK || !made.SecretSetAt.Equal(s.now) || made.Issuer != "https://acme.okta.com" || w.Header().Get("ETag") != get().Header().Get("ETag") {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "a second one", put("", body(nil)), http.StatusPreconditionRequired, "precondition_required")
	tag := w.Header().Get("ETag")
	problem(t, "a secret for another", put(tag, body(map[string]any{"issuer": "https://evil.example"})), http.StatusUnprocessableEntity, "invalid")
	problem(t, "a long secret", put(tag, body(map[string]any{"client_secret": strings.Repeat("s", 1025)})), http.StatusUnprocessableEntity, "invalid")
	if w := put(tag, body(map[string]any{"client_secret": strings.Repeat("s", 1024)})); w.Code != http.StatusOK {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	s.now = s.now.Add(time.Minute)
	again := decode[map[string]any](t, get()) // what was read can be written
	if w := put(get().Header().Get("ETag"), again); w.Code != http.StatusOK || !decode[model.SSO](t, w).SecretSetAt.Equal(made.SecretSetAt) {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	for field, value := range map[string]any{
		"issuer": "http://acme.okta.com", "client_id": "", "domains": []string{}, "scopes": []string{"a b"}, "groups": []any{map[string]any{"group": "g", "role": "boss"}},
		"otherwise": map[string]any{"role": "admin", "projects": []string{"a b"}}, "groups_claim": "\u202e",
	} {
		problem(t, field, put(get().Header().Get("ETag"), body(map[string]any{field: value})), http.StatusUnprocessableEntity, "invalid")
	}
	if seen := get().Body.String() + s.call(http.MethodGet, "/v1/admin-log", nil, nil).Body.String() + s.log.String(); strings.Contains(seen, oidctest.Secret) || strings.Contains(seen, `"client_secret"`) || strings.Contains(seen, "sss") {
		t.Errorf("the secret is told: %s", seen)
	}
	problem(t, "others remove it", s.call(http.MethodDelete, "/v1/sso", header{in: "other", "If-Match": tag}, nil), http.StatusNotFound, sso.CodeOff)
	problem(t, "removed without a look", s.call(http.MethodDelete, "/v1/sso", nil, nil), http.StatusPreconditionRequired, "precondition_required")
	if w := s.call(http.MethodDelete, "/v1/sso", s.tag("/v1/sso"), nil); w.Code != http.StatusNoContent {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "removed", get(), http.StatusNotFound, sso.CodeOff)
	if w := put("", body(nil)); w.Code != http.StatusOK || !decode[model.SSO](t, w).SecretSetAt.IsZero() {
		t.Errorf("a removed secret comes back: status %d, %s", w.Code, w.Body)
	}
}

// TestSSOByHost: a browser comes back to the host that it came to.
func TestSSOByHost(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	newProvider(s)
	for _, host := range []string{"audits.example.com", "abc.execute-api.eu-west-1.amazonaws.com", "[2001:db8::1]:8443"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, ssoStart, nil)
		r.Host = host
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		u, err := url.Parse(sent(t, host, w))
		if want := fmt.Sprintf("https://%s%s", host, api.SSOCallback); err != nil || u.Query().Get("redirect_uri") != want {
			t.Errorf("%s, want %s", u, want)
		}
	}
}
