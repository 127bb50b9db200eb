package pages_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/console/pages"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// open are the pages that nobody has to be signed in for.
var open = []string{"/sign-in", "/invitation", "/recovery"}

// allows is the query that a page cannot be without.
var allows = map[string]string{
	"/authorize": "?port=54321&state=" + strings.Repeat("s", 43) + "&challenge=" + strings.Repeat("c", 43),
}

// TestEveryPage: each page, by each method, for who is signed in and who is not; and what
// changes something does so for a form of ours alone.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b, nobody := newBrowser(h), newBrowser(h)
	b.join("acme", "anna@example.com", model.RoleAdmin)
	for path, methods := range pages.Routes() {
		at := path + allows[path]
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			what := method + " " + path
			var form url.Values
			if method == http.MethodPost {
				form = url.Values{}
				for name, value := range mustQuery(t, strings.TrimPrefix(allows[path], "?")) {
					form[name] = value
				}
				form.Set("answer", "allow")
			}
			response := nobody.once(method, at, form)
			if !slices.Contains(methods, method) {
				secured(t, what, response.header, policy)
				if allow := response.header.Get("Allow"); response.status != http.StatusMethodNotAllowed || allow != strings.Join(methods, ", ") {
					t.Errorf("%s: status %d, Allow %q", what, response.status, allow)
				}
				continue
			}
			secured(t, what, response.header, policy)
			to := response.header.Get("Location")
			read := method != http.MethodPost
			switch {
			case read && slices.Contains(open, path):
				if response.status != http.StatusOK {
					t.Errorf("%s of nobody's: status %d", what, response.status)
				}
			case read && slices.Contains(methods, http.MethodPost) && path != "/authorize": // a step: back to its page
				if response.status != http.StatusSeeOther || pages.Routes()[to] == nil {
					t.Errorf("%s of nobody's: status %d, to %s", what, response.status, to)
				}
			case strings.HasPrefix(path, "/sign-in"), slices.Contains(open, "/"+strings.Split(path, "/")[1]): // nobody's steps: what is wrong is said
				if response.status < 400 && !strings.HasPrefix(to, "/sign-in?error=challenge_over") {
					t.Errorf("%s of nobody's: status %d, to %s", what, response.status, to)
				}
			case response.status != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in"):
				t.Errorf("%s of nobody's: status %d, to %s", what, response.status, to)
			}
			if len(response.cookies()) > 0 {
				t.Errorf("%s of nobody's sets %v", what, response.cookies())
			}
			// Signed in: without the token of the session, by another site's page, and by an
			// old browser's, that says nothing.
			if read {
				if response := b.once(method, at, nil); response.status >= 400 {
					t.Errorf("%s: status %d", what, response.status)
				} else if length, _ := strconv.Atoi(response.header.Get("Content-Length")); response.status == http.StatusOK && length < 500 {
					t.Errorf("%s: %d bytes", what, length)
				}
				continue
			}
			for name, from := range map[string]http.Header{
				"another site":           {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
				"a host beside":          {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://other.example.com"}},
				"a page of no origin":    {"Sec-Fetch-Site": {""}, "Origin": {"null"}},
				"another site, long ago": {"Sec-Fetch-Site": {""}, "Origin": {"https://evil.example"}},
			} {
				b.header = from
				response := b.once(method, at, form)
				if response.status != http.StatusForbidden || len(response.cookies()) > 0 {
					t.Errorf("%s by %s: status %d", what, name, response.status)
				}
				b.show(response)
			}
			b.header = http.Header{}
			if slices.Contains(open, "/"+strings.Split(path, "/")[1]) {
				continue
			}
			response = b.once(method, at, form)
			if response.status != http.StatusForbidden {
				t.Errorf("%s without the token of the session: status %d", what, response.status)
			}
			b.show(response)
			b.at(path, http.StatusForbidden, "Nothing was changed")
		}
	}
	b.get("/")
	b.at("/", http.StatusOK, "Anna") // nothing happened
}

func mustQuery(t *testing.T, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestNoPage: a person reads a page that there is none, and a program a problem; what is for
// programs are always problems.
func TestNoPage(t *testing.T) {
	t.Parallel()
	b := newBrowser(newHouse(t))
	for _, path := range []string{"/nothing", "/sign-in/", "/me/", "/assets/", "/assets/console.css", "/v1x", "/Sign-In", "//", "/x//y"} {
		b.show(b.once(http.MethodGet, home+path, nil))
		b.at(path, http.StatusNotFound, "There is no such page")
		b.header.Set("Accept", "application/json")
		isProblem(t, path, b.once(http.MethodGet, home+path, nil), http.StatusNotFound)
		b.header.Del("Accept")
	}
	for path, status := range map[string]int{
		"/v1": 404, "/v1/": 404, "/v1/nothing": 404, "/operator": 404, "/operator/v1/doctor": 401, "/v1/session": 401, "/.well-known/nothing": 404, "/v1/projects": 401,
	} {
		isProblem(t, path, b.once(http.MethodGet, home+path, nil), status)
	}
}

func isProblem(t *testing.T, what string, response *page, status int) {
	t.Helper()
	var p struct{ Code string }
	if response.status != status || response.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(response.body), &p) != nil || p.Code == "" {
		t.Errorf("%s: status %d, %s, %s", what, response.status, response.header.Get("Content-Type"), response.body)
	}
	secured(t, what, response.header, "default-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
}

// TestReturn: whoever signed in goes to a page of this host, whatever a link says.
func TestReturn(t *testing.T) {
	t.Parallel()
	for _, back := range []string{"/", "/me", "/me?done=name", "/authorize?port=1&state=x", "/a/b/", "/audits?status=failed&x=%2F", "/x#y"} {
		if got := pages.ReturnPath(back); got != back {
			t.Errorf("%q becomes %q", back, got)
		}
	}
	for _, back := range []string{
		"", "me", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/%2f%2fevil.example", "/%2Fevil.example", "%2f%2fevil.example", "/%5cevil.example", "/x%5c..",
		"https://evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x", "/\tevil", "/\n/evil.example", "\t//evil.example", " //evil.example", "/ /x", "/%09/evil.example", "/%00",
		"/%0d%0aSet-Cookie:x=y", "/x\r\nSet-Cookie: x=y", "/./x", "/../x", "/x/../../y", "/x//y", "/%2e%2e/x", "/%2e/x", "@evil.example", "/@evil.example:80//", "/?x=\"><script>", "/é", "/" + strings.Repeat("x", 1024), "/%zz", "?x", "#x",
	} {
		if got := pages.ReturnPath(back); got != "/" {
			t.Errorf("%q becomes %q", back, got)
		}
	}
	b := newBrowser(newHouse(t))
	b.join("acme", "anna@example.com", model.RoleAdmin)
	b.get("/sign-in?return=//evil.example/x")
	b.at("/", http.StatusOK)
	b.submit("/sign-out", nil)
	for _, back := range []string{"//evil.example", "https://evil.example/", "/%2f%2fevil.example"} {
		b.get("/sign-in?return=" + url.QueryEscape(back))
		b.submit("/sign-in", map[string]string{"email": "anna@example.com", "password": annasPassword, "return": back})
		b.at("/", http.StatusOK)
		b.submit("/sign-out", nil)
	}
}

// TestReturnStays: whatever a text is, what it becomes is resolved to this host, by a parser
// that is as lenient as browsers are.
func TestReturnStays(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"/", "\\", "%2f", "%5c", "%09", "\t", "\n", "evil.example", ":", "@", "https", "..", ".", "?", "#", "me", "%", "\x00", "é"})
	rapid.Check(t, func(t *rapid.T) {
		back := strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")
		got := pages.ReturnPath(back)
		for range 3 { // as whoever unescapes once too often
			lenient := strings.ReplaceAll(strings.Map(func(r rune) rune {
				if unicode.IsControl(r) {
					return -1
				}
				return r
			}, got), `\`, "/")
			path, _, _ := strings.Cut(lenient, "?")
			if !strings.HasPrefix(lenient, "/") || strings.HasPrefix(path, "//") {
				t.Fatalf("%q becomes %q", back, got)
			}
			unescaped, err := url.PathUnescape(path)
			if err != nil {
				return
			}
			got = unescaped
		}
	})
}

// TestHostile: what others write is text, and nothing else.
func TestHostile(t *testing.T) {
	t.Parallel()
	const markup = `"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}`
	b := newBrowser(newHouse(t))
	b.agent = "Chrome" + markup
	token := b.invite("acme", "o'neil&co@example.com", model.RoleAdmin)
	b.get("/invitation")
	b.submit("/invitation", map[string]string{"token": token})
	b.submit("/invitation/acceptance", map[string]string{"who": "new", "name": markup + "\u202e", "password": annasPassword})
	b.at("/invitation/acceptance", http.StatusUnprocessableEntity)
	b.submit("/invitation/acceptance", map[string]string{"who": "new", "name": markup, "password": annasPassword})
	b.at("/", http.StatusOK, markup)
	itself, err := b.store.For("acme").Itself(t.Context())
	if err == nil {
		itself.Name = markup
		err = b.store.For("acme").ChangeItself(t.Context(), model.Change{At: b.now}, &itself)
	}
	if err != nil {
		t.Fatal(err)
	}
	other := newBrowser(b.house)
	other.agent = markup
	other.signIn("o'neil&co@example.com", annasPassword)
	b.get("/")
	b.at("/", http.StatusOK, "Welcome, "+markup, "Organization "+markup)
	b.get("/me")
	if len(all(b.page.root, "script")) > 0 {
		t.Errorf("a script: %s", b.page.body)
	}
	value := false
	for _, n := range all(b.page.root, "input") {
		value = value || attr(n, "value") == markup
	}
	if !value {
		t.Error("the name is another one where it is changed")
	}
	for _, query := range []string{"error=" + url.QueryEscape(markup), "error=sso_state&wait=" + url.QueryEscape(markup), "organization=" + url.QueryEscape(markup), "return=" + url.QueryEscape(markup), "done=" + url.QueryEscape(markup)} {
		for _, path := range []string{"/sign-in", "/", "/me", "/invitation", "/nothing"} {
			b.get(path + "?" + query)
			if strings.Contains(b.page.text(), "7*7") && b.page.url.Path == "/sign-in" {
				t.Errorf("%s shows what its address says", b.page.url)
			}
		}
	}
	out := newBrowser(b.house)
	out.get("/sign-in?error=" + url.QueryEscape(markup))
	if strings.Contains(out.page.body, "7*7") || strings.Contains(out.page.body, "role=\"alert\"><p>") {
		t.Errorf("an address puts words into our mouth: %s", out.page.text())
	}
}

// TestForms: what is no form of ours, or too large, changes nothing, and is told so.
func TestForms(t *testing.T) {
	t.Parallel()
	b := newBrowser(newHouse(t))
	b.request(http.MethodPost, "/sign-in", url.Values{"email": {strings.Repeat("x", 200<<10)}})
	b.at("/sign-in", http.StatusRequestEntityTooLarge)
	b.request(http.MethodPost, "/sign-in", url.Values{"email": {strings.Repeat("x", 300)}, "password": {"x"}})
	b.at("/sign-in", http.StatusUnprocessableEntity)
	b.request(http.MethodPost, "/sign-in", url.Values{"email": {"\xff\x00"}, "password": {"x"}})
	b.at("/sign-in", http.StatusUnauthorized)
	b.request(http.MethodPost, "/sign-in/second-factor", url.Values{"challenge": {strings.Repeat("x", 40<<10)}, "code": {"1"}})
	if b.page.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d: %s", b.page.status, b.page.text())
	}
	b.request(http.MethodPost, "/sessions/end", url.Values{"session": {"../../operator/v1/organizations"}})
	b.at("/sign-in", http.StatusOK)
}

// TestLimited: who tried too often is told how long to wait.
func TestLimited(t *testing.T) {
	t.Parallel()
	b := newBrowser(newHouse(t))
	for range 5 {
		b.signIn("anna@example.com", "not that one at all")
		b.at("/sign-in", http.StatusUnauthorized)
	}
	b.signIn("anna@example.com", "not that one at all")
	b.at("/sign-in", http.StatusTooManyRequests, "You tried too often. Try again in an hour.")
	if b.page.header.Get("Retry-After") != "3600" {
		t.Errorf("Retry-After is %q", b.page.header.Get("Retry-After"))
	}
	b.get("/sign-in?error=limited&wait=125")
	b.at("/sign-in", http.StatusOK, "Try again in 3 minutes.")
	for _, wait := range []string{"", "x", "-1", "99999999999"} {
		b.get("/sign-in?error=limited&wait=" + wait)
		b.at("/sign-in", http.StatusOK, "You tried too often. Try again later.")
	}
}

// TestAssets are small, and never change.
func TestAssets(t *testing.T) {
	t.Parallel()
	b := newBrowser(newHouse(t))
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for at, content := range pages.Assets() {
		response := b.once(http.MethodGet, at, nil)
		if response.body != string(content) || response.status != http.StatusOK {
			t.Errorf("%s: status %d, %d bytes", at, response.status, len(response.body))
		}
		if kind := response.header.Get("Content-Type"); kind != kinds[filepath.Ext(at)] {
			t.Errorf("%s is %s", at, kind)
		}
		if cache := response.header.Get("Cache-Control"); cache != "public, max-age=31536000, immutable" || response.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", at, response.header)
		}
		if response := b.once(http.MethodPost, at, url.Values{}); response.status != http.StatusMethodNotAllowed || response.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: status %d", at, response.status)
		}
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"innerHTML", "eval(", "document.write", "http:", "url(", "@import"} {
			if strings.Contains(strings.ReplaceAll(string(content), "http://www.w3.org/2000/svg", ""), word) {
				t.Errorf("%s has %s", at, word)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d bytes packed", packed.Len()); packed.Len() > 40<<10 {
		t.Errorf("the assets are %d bytes, packed", packed.Len())
	}
}

// TestSentences: each code that the API may send, and that a URL of ours may have, is a
// sentence.
func TestSentences(t *testing.T) {
	t.Parallel()
	codes := slices.Concat(constants(t, "../../access/people/refused.go"), constants(t, "../../access/sso/refused.go"))
	if len(codes) < 30 {
		t.Fatalf("%d codes", len(codes))
	}
	sentence := func(code, text string) {
		t.Helper()
		if text == "" || !unicode.IsUpper([]rune(text)[0]) && !strings.HasPrefix(text, "CloudArq") || !strings.HasSuffix(text, ".") || strings.HasSuffix(text, "..") {
			t.Errorf("%s is %q", code, text)
		}
	}
	for _, code := range codes {
		sentence(code, pages.Sentence(code, "the thing is as it is"))
		if strings.HasPrefix(code, "sso_") {
			sentence(code, pages.OfCode(code, 0))
		}
	}
	for _, code := range []string{
		"limited", "signed_out", "organization_suspended", "organization_gone", "member_suspended", "not_a_member", "token_invalid", "token_expired", "session_ended", "refresh_reused", "factor_required", "challenge_over", "internal", "invalid",
	} {
		sentence(code, pages.OfCode(code, 0))
	}
	for code, want := range map[string]string{"": "", "x": "", "Sso_state": ""} {
		if got := pages.OfCode(code, time.Minute); got != want {
			t.Errorf("%q is %q", code, got)
		}
	}
	for wait, want := range map[time.Duration]string{time.Second: "in a minute", 61 * time.Second: "in 2 minutes", 59*time.Minute + 59*time.Second: "in 60 minutes", time.Hour: "in an hour", 24 * time.Hour: "in 24 hours"} {
		if got := pages.Within(wait); got != want {
			t.Errorf("%s is %q, want %q", wait, got, want)
		}
	}
}

// constants are the strings that a file gives names that begin with Code.
func constants(t *testing.T, file string) (found []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Code") {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, text)
		}
		return true
	})
	return found
}

// TestDevice: what browsers say of themselves is what people call them.
func TestDevice(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36":                            "Chrome on Android",
		"curl/8.9.1": "curl", "cloudarq command": "The cloudarq command", "": "Something that does not say what it is", "my\u202escript": "my\ufffdscript",
	} {
		if got := pages.Device(client); got != want {
			t.Errorf("%q is %q, want %q", client, got, want)
		}
	}
}

// TestOtherFaults: a fault of ours is a page, too, which tells nothing but where to look.
func TestOtherFaults(t *testing.T) {
	t.Parallel()
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("no problem document: a secret"))
	})
	b := newBrowser(newHouse(t))
	b.join("acme", "anna@example.com", model.RoleAdmin)
	over := pages.Over(broken, slogTo(&b.log))
	b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.secure(w.Header())
		over.ServeHTTP(w, r)
	})
	for _, path := range []string{"/", "/me", "/sign-in"} {
		b.get(path)
		if path == "/sign-in" {
			b.submit("/sign-in", map[string]string{"email": "anna@example.com", "password": annasPassword})
		}
		b.at(path, http.StatusInternalServerError, "Something went wrong here")
		if strings.Contains(b.page.body, "a secret") {
			t.Error("it is shown")
		}
	}
	if strings.Contains(b.log.String(), annasPassword) {
		t.Error("a password in the log")
	}
}

// TestTemplates: whatever a page is made of has no script, no style and no handler in its text.
func TestTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script[^>]*>[^<]|templ\.(JS|Raw\("|SafeURL\("[^#/])|^(css|script) `)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "//") && inline.MatchString(line) && !strings.Contains(line, "<script type=\"module\" src=") {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}

// TestOneHandlerPerFile: what a page does is found by the name of its file.
func TestOneHandlerPerFile(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	handlers := 0
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Type.Params.NumFields() != 1 || f.Type.Results != nil || !isPointerTo(f.Recv.List[0].Type, "site") || !isPointerTo(f.Type.Params.List[0].Type, "visit") {
				continue
			}
			handlers++
			if want := strings.ToLower(f.Name.Name) + ".go"; file != want {
				t.Errorf("%s is in %s, want %s", f.Name.Name, file, want)
			}
		}
	}
	if handlers < 20 {
		t.Errorf("%d handlers", handlers)
	}
}

func isPointerTo(e ast.Expr, name string) bool {
	star, ok := e.(*ast.StarExpr)
	if !ok {
		return false
	}
	id, ok := star.X.(*ast.Ident)
	return ok && id.Name == name
}
