package pages_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/console/pages"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	home          = "https://audit.example.com"
	annasPassword = "four words of hers"
)

// house is an installation with its pages, in which a test moves the clock.
type house struct {
	t       *testing.T
	handler http.Handler
	store   *store.Store
	people  people.Service
	now     time.Time
	log     bytes.Buffer
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: time.Now().UTC().Truncate(24 * time.Hour).Add(time.Hour)} // limits begin anew
	clock := func() time.Time { return h.now }
	keys, err := keyring.Open(t.TempDir()+"/keyring", keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.store = store.New(memtable.New(clock), nil)
	log := slog.New(slog.NewJSONHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sessions := people.Sessions{Store: h.store, Tokens: people.NewAccessTokens(h.store, keys, home, clock, log), Now: clock}
	h.people = people.Service{
		Sessions: sessions, Keys: keys, Passwords: people.NewHasher(people.Params{Memory: 64, Passes: 1, Lanes: 1}), Relying: people.RelyingAt(home),
	}
	a := &api.API{
		Store: h.store, Now: clock, Log: log, Sessions: sessions, People: h.people, Pages: pages.Over, Version: "test", Operators: true,
		SSO: sso.SignIn{Client: http.DefaultClient, Callback: home + api.SSOCallback},
	}
	h.handler = a.Handler()
	h.organization("acme")
	return h
}

func (h *house) organization(id model.OrganizationID) {
	h.t.Helper()
	o := model.Organization{ID: id, CreatedAt: h.now}
	if err := h.store.CreateOrganization(h.t.Context(), model.Change{}, &o, 1000); err != nil {
		h.t.Fatal(err)
	}
}

// invite invites somebody, and gives the token of the link.
func (h *house) invite(org model.OrganizationID, email string, role model.Role) string {
	h.t.Helper()
	_, token, err := h.people.Invite(h.t.Context(), model.Change{At: h.now}, org, model.Invitation{Email: email, Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return token.Reveal()
}

// requireFactor has an organization require a second factor.
func (h *house) requireFactor(org model.OrganizationID) {
	h.t.Helper()
	o := h.store.For(org)
	settings, err := o.Settings(h.t.Context())
	if err == nil {
		settings.SecondFactorRequired = true
		err = o.PutSettings(h.t.Context(), model.Change{At: h.now}, &settings)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) person(email string) model.Person {
	h.t.Helper()
	who, err := h.store.People().ByEmail(h.t.Context(), email)
	if err != nil {
		h.t.Fatal(err)
	}
	return who
}

// browser is one without scripts: it follows what it is sent to, keeps cookies, and sends
// forms as they stand in a page. Each page that it gets is looked at: see whole.
type browser struct {
	*house
	jar    http.CookieJar
	agent  string
	header http.Header // of each request besides
	urls   []string    // that were asked for
	page   *page
}

func newBrowser(h *house) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{house: h, jar: jar, agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", header: http.Header{}}
}

// page is what a browser shows.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
	root   *html.Node
}

// once makes one request, and follows nothing.
func (b *browser) once(method, at string, form url.Values) *page {
	b.t.Helper()
	u, err := url.Parse(home)
	if err == nil {
		u, err = u.Parse(at)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, u.String(), body)
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", home)
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	for _, c := range b.jar.Cookies(u) {
		// What a page of another site leads to comes without strict cookies.
		if r.Header.Get("Sec-Fetch-Site") != "cross-site" || c.Name == "__Host-caq" {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	b.urls = append(b.urls, u.String())
	p := &page{url: u, status: w.Code, header: w.Header(), body: w.Body.String()}
	b.jar.SetCookies(u, p.cookies())
	return p
}

// cookies are those that an answer sets.
func (p *page) cookies() (set []*http.Cookie) {
	for _, line := range p.header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil {
			set = append(set, c)
		}
	}
	return set
}

// cookie is a cookie that the browser has for a path.
func (b *browser) cookie(name string) string {
	u, _ := url.Parse(home + "/v1/session")
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// request makes a request, and follows where it leads on this host.
func (b *browser) request(method, at string, form url.Values) *page {
	b.t.Helper()
	for range 10 {
		p := b.once(method, at, form)
		if p.status != http.StatusSeeOther {
			b.show(p)
			return p
		}
		to, err := p.url.Parse(p.header.Get("Location"))
		if err != nil {
			b.t.Fatal(err)
		}
		if to.Host != p.url.Host {
			p.url, b.page = to, p
			b.urls = append(b.urls, to.String())
			return p
		}
		method, at, form = http.MethodGet, to.String(), nil
	}
	b.t.Fatalf("%s leads round in a circle: %v", at, b.urls)
	return nil
}

// show is what a browser does with a page that it got.
func (b *browser) show(p *page) {
	b.t.Helper()
	var err error
	if p.root, err = html.Parse(strings.NewReader(p.body)); err != nil {
		b.t.Fatal(err)
	}
	b.page = p
	whole(b.t, p)
}

func (b *browser) get(at string) *page {
	b.t.Helper()
	return b.request(http.MethodGet, at, nil)
}

// submit sends the form of the page with an action, or the button's, with what is typed, and
// all that stands in it.
func (b *browser) submit(action string, typed map[string]string) *page {
	b.t.Helper()
	for _, form := range all(b.page.root, "form") {
		buttons := all(form, "button")
		if attr(form, "action") != action && !slices.ContainsFunc(buttons, func(n *html.Node) bool { return attr(n, "formaction") == action }) {
			continue
		}
		values := url.Values{}
		fits := true
		for _, n := range all(form, "input") {
			if attr(n, "type") == "checkbox" && typed[attr(n, "name")] == "" { // nobody ticked it
				continue
			}
			values.Add(attr(n, "name"), attr(n, "value"))
		}
		for name, value := range typed {
			button := slices.ContainsFunc(buttons, func(n *html.Node) bool { return attr(n, "name") == name && attr(n, "value") == value })
			if who := values.Get("who"); name == "who" && who != value || !values.Has(name) && !button {
				fits = false
			}
			values.Set(name, value)
		}
		if fits {
			return b.request(http.MethodPost, action, values)
		}
	}
	b.t.Fatalf("no form of %s leads to %s with %v: %s", b.page.url, action, typed, b.page.body)
	return nil
}

// at fails unless the browser shows a page, with a status.
func (b *browser) at(path string, status int, texts ...string) {
	b.t.Helper()
	if b.page.url.Path != path || b.page.status != status {
		b.t.Fatalf("at %s with status %d, want %s with %d: %s", b.page.url, b.page.status, path, status, b.page.text())
	}
	for _, text := range texts {
		if !strings.Contains(b.page.text(), text) {
			b.t.Errorf("%s does not say %q: %s", b.page.url, text, b.page.text())
		}
	}
}

// signIn signs somebody in who has a password alone.
func (b *browser) signIn(email, password string) {
	b.t.Helper()
	b.get("/sign-in")
	b.submit("/sign-in", map[string]string{"email": email, "password": password})
}

// join has somebody new accept an invitation.
func (b *browser) join(org model.OrganizationID, email string, role model.Role) {
	b.t.Helper()
	token := b.invite(org, email, role)
	b.get("/invitation")
	b.submit("/invitation", map[string]string{"token": home + "/invitation#" + token})
	b.at("/invitation", http.StatusOK, "Join "+string(org), email)
	b.submit("/invitation/acceptance", map[string]string{"who": "new", "name": "Anna", "password": annasPassword})
}

// app is an authenticator app.
type app struct {
	house *house
	key   string
}

// scan reads the key of the app that a page sets up.
func (b *browser) scan() app {
	b.t.Helper()
	if len(all(b.page.root, "svg")) < 2 { // besides the mark
		b.t.Fatalf("there is no QR code: %s", b.page.text())
	}
	for _, n := range all(b.page.root, "code") {
		if key := strings.ReplaceAll(text(n), " ", ""); regexp.MustCompile(`^[A-Z2-7]{32}$`).MatchString(key) {
			return app{b.house, key}
		}
	}
	b.t.Fatalf("there is no key to type: %s", b.page.text())
	return app{}
}

// code is a code that was not used before: time passes.
func (a app) code() string {
	a.house.now = a.house.now.Add(31 * time.Second)
	code, err := totp.GenerateCode(a.key, a.house.now)
	if err != nil {
		a.house.t.Fatal(err)
	}
	return code
}

// codes are the backup codes that a page shows.
func (b *browser) codes() (codes []string) {
	b.t.Helper()
	for _, n := range all(b.page.root, "li") {
		codes = append(codes, text(n))
	}
	if len(codes) != 10 {
		b.t.Fatalf("%d backup codes: %s", len(codes), b.page.text())
	}
	return codes
}

// follow follows the link with a text.
func (b *browser) follow(words string) {
	b.t.Helper()
	for _, n := range all(b.page.root, "a") {
		if text(n) == words {
			b.get(attr(n, "href"))
			return
		}
	}
	b.t.Fatalf("%s has no link %q: %s", b.page.url, words, b.page.text())
}

// goOn goes where a page leads by itself.
func (b *browser) goOn() {
	b.t.Helper()
	for _, n := range all(b.page.root, "meta") {
		if _, to, ok := strings.Cut(attr(n, "content"), "; url="); ok && attr(n, "http-equiv") == "refresh" {
			b.get(to)
			return
		}
	}
	b.t.Fatalf("%s leads nowhere: %s", b.page.url, b.page.text())
}

func (p *page) text() string {
	if p.root == nil {
		return p.body
	}
	return strings.Join(strings.Fields(text(all(p.root, "body")[0])), " ")
}

func (p *page) title() string { return text(all(p.root, "title")[0]) }

func all(n *html.Node, tag string) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			found = append(found, d)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		} else if d.Type == html.ElementNode && !slices.Contains([]string{"bdi", "strong", "code", "span"}, d.Data) {
			b.WriteByte(' ')
		}
	}
	return strings.TrimSpace(b.String())
}

// policy is the only one that a page has, but for the one that hands over to a program.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// secured checks the header fields of an answer of ours.
func secured(t *testing.T, what string, h http.Header, content string) {
	t.Helper()
	for name, want := range map[string]string{
		"Strict-Transport-Security":    "max-age=63072000; includeSubDomains; preload",
		"Content-Security-Policy":      content,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Permissions-Policy":           "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Embedder-Policy": "require-corp",
		"Cache-Control":                "no-store",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
}

// secrets are what no address may have.
var secrets = regexp.MustCompile(`caq[a-z]?_|eyJ|[A-Z2-7]{32}`)

// whole checks what is so of every page: its header fields; that nothing runs and no style
// stands in it; that it loads nothing from elsewhere, and no address in it has a secret; and
// what those need who do not see it.
func whole(t *testing.T, p *page) {
	t.Helper()
	what := fmt.Sprintf("%s (status %d)", p.url, p.status)
	content := policy
	if p.url.Path == "/authorize" && p.status == http.StatusOK {
		content = strings.Replace(policy, "form-action 'self'", "form-action 'self' http://127.0.0.1:"+p.url.Query().Get("port"), 1)
	}
	secured(t, what, p.header, content)
	if kind := p.header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Fatalf("%s: Content-Type is %q: %s", what, kind, p.body)
	}
	if !strings.HasPrefix(p.body, "<!doctype html><html lang=\"en\">") {
		t.Errorf("%s begins with %q", what, p.body[:min(len(p.body), 60)])
	}
	for _, tag := range []string{"h1", "main", "title"} {
		if n := all(p.root, tag); len(n) != 1 || text(n[0]) == "" {
			t.Errorf("%s has %d %s", what, len(n), tag)
		}
	}
	if wrong := strings.HasPrefix(p.title(), "Error: "); wrong != strings.Contains(p.body, `role="alert"><p>`) {
		t.Errorf("%s: its title is %q", what, p.title())
	}
	ids := map[string]bool{}
	named := map[string]bool{}
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attr(n, "id"); id != "" && ids[id] {
			t.Errorf("%s: two things are called %s", what, id)
		} else {
			ids[id] = true
		}
		if n.Data == "label" {
			named[attr(n, "for")] = true
		}
	}
	assets := pages.Assets()
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("%s: <%s %s=%q>", what, n.Data, a.Key, a.Val)
			}
			switch a.Key {
			case "href", "src", "action", "formaction":
				if (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) && !strings.HasPrefix(a.Val, "#") || secrets.MatchString(a.Val) {
					t.Errorf("%s leads to %s", what, a.Val)
				}
				if id, ok := strings.CutPrefix(a.Val, "#"); ok && !ids[id] {
					t.Errorf("%s leads to #%s, which is not there", what, id)
				}
			case "aria-describedby", "aria-labelledby":
				for _, id := range strings.Fields(a.Val) {
					if !ids[id] {
						t.Errorf("%s: there is no %s, which <%s> is told by", what, id, n.Data)
					}
				}
			}
		}
		switch n.Data {
		case "script":
			if text(n) != "" || attr(n, "type") != "module" || assets[attr(n, "src")] == nil {
				t.Errorf("%s: a script %v %q", what, n.Attr, text(n))
			}
		case "link":
			if assets[attr(n, "href")] == nil {
				t.Errorf("%s: %s is no asset", what, attr(n, "href"))
			}
		case "style", "iframe", "object", "embed", "base", "img":
			t.Errorf("%s: <%s>", what, n.Data)
		case "meta":
			if attr(n, "http-equiv") != "" && (attr(n, "http-equiv") != "refresh" || !regexp.MustCompile(`^[01]; url=/[^/]`).MatchString(attr(n, "content"))) {
				t.Errorf("%s: <meta %v>", what, n.Attr)
			}
		case "input":
			kind := attr(n, "type")
			if kind == "hidden" || attr(n, "aria-hidden") == "true" {
				continue
			}
			if !named[attr(n, "id")] || attr(n, "autocomplete") == "" {
				t.Errorf("%s: the field %v has no label, or does not say what browsers fill in", what, n.Attr)
			}
			if kind == "password" && (attr(n, "value") != "" || !slices.Contains([]string{"current-password", "new-password"}, attr(n, "autocomplete"))) {
				t.Errorf("%s: the password %v", what, n.Attr)
			}
			if invalid := attr(n, "aria-invalid") == "true"; invalid != strings.Contains(attr(n, "aria-describedby"), "-error") {
				t.Errorf("%s: the field %v is not told why it is wrong", what, n.Attr)
			}
		case "form":
			if attr(n, "method") != "post" {
				t.Errorf("%s: a form %v", what, n.Attr)
			}
		case "button":
			if text(n) == "" {
				t.Errorf("%s: a button without a name", what)
			}
		}
	}
}

// leaks fails if a secret is in an address that was asked for, or in the log.
func (b *browser) leaks(besides ...string) {
	b.t.Helper()
	for _, u := range b.urls {
		if secrets.MatchString(u) && !strings.HasPrefix(u, "http://127.0.0.1:") {
			b.t.Errorf("a secret in an address: %s", u)
		}
	}
	log := b.log.String()
	if secrets.MatchString(log) {
		b.t.Errorf("a secret in the log: %s", secrets.FindString(log))
	}
	for _, secret := range besides {
		if strings.Contains(log, secret) || slices.ContainsFunc(b.urls, func(u string) bool { return strings.Contains(u, url.QueryEscape(secret)) }) {
			b.t.Errorf("%q is in an address or in the log", secret)
		}
	}
}

func secretOf(text string) secret.String { return secret.New(text) }

func slogTo(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

// secure sets what the API sets around its pages.
func (b *browser) secure(h http.Header) { api.Secure(h) }
