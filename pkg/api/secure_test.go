package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// secured checks what every answer carries.
func secured(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Strict-Transport-Security":    "max-age=63072000; includeSubDomains; preload",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Permissions-Policy":           "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cross-Origin-Embedder-Policy": "require-corp",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s (status %d): %s is %q", what, w.Code, name, got)
		}
	}
	if cache := w.Header().Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(cache, "public, ") {
		t.Errorf("%s (status %d): Cache-Control is %q", what, w.Code, cache)
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s: %s", what, name)
		}
	}
}

// TestForeignOrigins: a page of another origin is told nothing, not even what it might ask.
func TestForeignOrigins(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, origin := range []string{"https://evil.example", "null", "https://example.com.evil.example"} {
		from := header{"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"}
		for _, path := range []string{"/v1/settings", "/v1/policy", "/.well-known/security.txt", "/v1/nothing"} {
			for _, method := range []string{http.MethodOptions, http.MethodGet} {
				secured(t, method+" "+path, s.call(method, path, from, nil))
				secured(t, method+" "+path, s.as(nobody, method, path, from, nil))
			}
		}
	}
}

// TestOtherMethods: a route says which methods it takes.
func TestOtherMethods(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	takes := map[string][]string{}
	for _, o := range s.operations() {
		path := strings.NewReplacer("{", "", "}", "").Replace(o.path)
		takes[path] = append(takes[path], o.method)
		if o.method == http.MethodGet {
			takes[path] = append(takes[path], http.MethodHead)
		}
	}
	for _, path := range []string{"/v1/invitations/lookup", "/v1/invitations/acceptance"} {
		takes[path] = append(takes[path], http.MethodDelete) // of an invitation that would be called so
	}
	for path, methods := range takes {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			w := s.call(method, path, nil, nil)
			secured(t, method+" "+path, w)
			if slices.Contains(methods, method) {
				if w.Code == http.StatusMethodNotAllowed {
					t.Errorf("%s %s: status %d", method, path, w.Code)
				}
				continue
			}
			problem(t, method+" "+path, w, http.StatusMethodNotAllowed, "method_not_allowed")
			allow := strings.Split(w.Header().Get("Allow"), ", ")
			slices.Sort(allow)
			slices.Sort(methods)
			if !slices.Equal(allow, methods) {
				t.Errorf("%s %s: Allow %v, want %v", method, path, allow, methods)
			}
		}
	}
}

// TestBounds: what is larger or deeper than any request has to be is refused, and said so.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	many := header{}
	for i := range 200 {
		many[fmt.Sprintf("X-Field-%d", i)] = "x"
	}
	problem(t, "a long header", s.call(http.MethodGet, "/v1/settings", header{"X-Long": strings.Repeat("x", 17<<10)}, nil), http.StatusRequestHeaderFieldsTooLarge, "header_too_large")
	problem(t, "many fields", s.call(http.MethodGet, "/v1/settings", many, nil), http.StatusRequestHeaderFieldsTooLarge, "header_too_large")
	problem(t, "a long path", s.call(http.MethodGet, "/v1/connections/"+strings.Repeat("x", 9<<10), nil, nil), http.StatusRequestURITooLong, "uri_too_long")
	problem(t, "a long query", s.call(http.MethodGet, "/v1/connections?cursor="+strings.Repeat("x", 9<<10), nil, nil), http.StatusRequestURITooLong, "uri_too_long")
	problem(t, "a long body", s.call(http.MethodPost, "/v1/connections", nil, `{"name":"`+strings.Repeat("x", 2<<20)+`"}`), http.StatusRequestEntityTooLarge, "too_large")
	for name, body := range map[string]string{
		"lists":   strings.Repeat("[", 33) + strings.Repeat("]", 33),
		"objects": strings.Repeat(`{"name":`, 33) + "1" + strings.Repeat("}", 33),
		"no end":  strings.Repeat("[", 1<<19),
	} {
		problem(t, name, s.call(http.MethodPost, "/v1/connections", nil, body), http.StatusBadRequest, "invalid")
	}
	if w := s.call(http.MethodPost, "/v1/connections", nil, map[string]any{"role_arn": role, "name": strings.Repeat(`[{"\`, 20)}); w.Code != http.StatusCreated {
		t.Errorf("brackets in a text: status %d, %s", w.Code, w.Body)
	}
}

// TestQueries: no query is read in one of two ways.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	tried := 0
	for _, o := range s.operations() {
		for _, p := range o.Parameters {
			path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(o.path, "none")
			if p.In != "query" || p.Filter || o.ID == "finish-sso" { // words of a filter are all asked; that passes over what it does not know
				continue
			}
			tried++
			problem(t, o.ID+" twice", s.call(o.method, path+"?"+p.Name+"=1&"+p.Name+"=1", nil, nil), http.StatusUnprocessableEntity, "invalid")
			if p.Name == "limit" || p.Name == "folded" {
				problem(t, o.ID+" with nothing", s.call(o.method, path+"?"+p.Name+"=", nil, nil), http.StatusUnprocessableEntity, "invalid")
			}
		}
	}
	if tried < 15 {
		t.Errorf("%d parameters were tried", tried)
	}
	if w := s.call(http.MethodGet, "/v1/connections?cursor=", nil, nil); w.Code != http.StatusOK {
		t.Errorf("a text that is empty: status %d, %s", w.Code, w.Body)
	}
}

// TestSecurityContact: who has found a hole finds whom to tell, without credentials
// (RFC 9116), for the next months.
func TestSecurityContact(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.as(nobody, http.MethodGet, "/.well-known/security.txt", nil, nil)
	secured(t, "security.txt", w)
	fields := map[string][]string{}
	for line := range strings.Lines(w.Body.String()) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			t.Errorf("line %q", line)
		}
		fields[name] = append(fields[name], value)
	}
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || len(fields["Contact"]) == 0 || len(fields["Expires"]) != 1 {
		t.Fatalf("status %d, %v, %s", w.Code, w.Header(), w.Body)
	}
	for _, contact := range fields["Contact"] {
		if u, err := url.Parse(contact); err != nil || u.Scheme != "https" {
			t.Errorf("contact %q, %v", contact, err)
		}
	}
	if at, err := time.Parse(time.RFC3339, fields["Expires"][0]); err != nil || at.Before(s.now.AddDate(0, 3, 0)) || !at.Before(s.now.AddDate(1, 0, 0)) {
		t.Errorf("expires %s, %v", fields["Expires"], err)
	}
}

// hostile are values that break what is not careful.
var hostile = []string{
	"", "\x00", "a\x00b", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "..", "../../x#y", "#", "O#acme", "%", "%00", "%2e%2e", "a/b", "\r\nX-Evil: 1", "\x1b[31m", "\u202e", "\u2028",
	"'; DROP TABLE items; --", "{{7*7}}", "${jndi:ldap://x}", "<script>", "-1", "1e999", "9223372036854775808", "null", "[]", "{}", `"`, `\`,
	strings.Repeat("x", 65), strings.Repeat("x", 129), strings.Repeat("x", 2049), strings.Repeat("é", 3000), strings.Repeat("%00", 400), strings.Repeat("x", 5000),
}

// raw makes a request of values as they come out of API Gateway, which net/http would not
// send.
func (s *server) raw(method, path string, query url.Values, h map[string]string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "/", bytes.NewReader(body))
	r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query.Encode()}
	r = s.from(r, anna, "default")
	r.Header.Set("Content-Type", "application/json")
	for name, value := range h {
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// TestHostileValues puts what no name can be into each parameter of each operation, and
// into each text of its body: no answer is a fault of the server, and each is JSON.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop"})
	a := decode[api.AuditOutput](t, s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)}))
	good := map[string]string{"connection": string(c.ID), "audit": string(a.ID), "job": string(a.ID), "organization": "default", "finding": string(model.NewFindingID("door-locked", model.Ref{ARN: "arn:aws:house:::door/a"}))}
	bodies := map[string]map[string]any{
		"start-audit":       {"connection": string(c.ID)},
		"create-connection": {"role_arn": role, "name": "x", "project": "x", "regions": []string{"x"}, "services": []string{"x"}, "checks": []string{"x"}, "trusted_accounts": []string{"x"}, "schedule": map[string]any{"expression": "x", "timezone": "x"}},
		"give-access-key":   {"access_key_id": "x", "secret_access_key": "x", "account_id": "x", "created_at": "x"},
		"put-sso": {
			"enabled": "x", "issuer": "x", "client_id": "x", "client_secret": "x", "scopes": []string{"x"}, "domains": []string{"x"},
			"groups_claim": "x", "groups": map[string]any{"group": "x", "role": "x", "projects": "x"}, "otherwise": map[string]any{"role": "x"},
		},
		"put-settings": {"access_keys_allowed": "x"},
	}
	bodies["update-connection"] = bodies["create-connection"]
	requests := 0
	check := func(o operation, what, value string, w *httptest.ResponseRecorder) {
		t.Helper()
		requests++
		sent := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/sign-in?")
		if w.Code >= 500 || w.Code >= 300 && w.Code < 400 && w.Code != http.StatusNotModified && !sent {
			t.Errorf("%s with %s %.60q: status %d, %s", o.ID, what, value, w.Code, w.Body)
		}
		secured(t, o.ID, w)
		for name, values := range w.Header() {
			for _, v := range values {
				if strings.ContainsAny(v, "\r\n\x00") || strings.EqualFold(name, "X-Evil") {
					t.Errorf("%s with %s %.60q: header %s is %q", o.ID, what, value, name, v)
				}
			}
		}
		if w.Body.Len() > 0 && strings.Contains(w.Header().Get("Content-Type"), "json") != json.Valid(w.Body.Bytes()) {
			t.Errorf("%s with %s %.60q: no JSON: %.200s", o.ID, what, value, w.Body)
		}
	}
	for _, o := range s.operations() {
		base := o.path
		for name, value := range good {
			base = strings.ReplaceAll(base, "{"+name+"}", value)
		}
		body := []byte(nil)
		if b := bodies[o.ID]; b != nil {
			body, _ = json.Marshal(b)
		}
		for _, value := range hostile {
			s.now = s.now.Add(24 * time.Hour) // all tries are there again
			for _, p := range o.Parameters {
				path, query, h := base, url.Values{}, map[string]string{"If-Match": `"v1"`}
				switch p.In {
				case "path":
					path = o.path
					for name, with := range good {
						if name == p.Name {
							with = value
						}
						path = strings.ReplaceAll(path, "{"+name+"}", with)
					}
				case "query":
					query.Set(p.Name, value)
				case "header":
					h[p.Name] = value
				case "cookie":
					h["Cookie"] = p.Name + "=" + value
				}
				check(o, p.In+" "+p.Name, value, s.raw(o.method, path, query, h, body))
			}
			for _, name := range []string{"X-Request-Id", "Accept", "Content-Type", "Origin", "Host"} {
				check(o, "header "+name, value, s.raw(o.method, base, nil, map[string]string{name: value}, body))
			}
			check(o, "body", value, s.raw(o.method, base, nil, nil, []byte(value)))
			for name, was := range bodies[o.ID] {
				for _, text := range evil(was, value) {
					changed := map[string]any{}
					for n, v := range bodies[o.ID] {
						changed[n] = v
					}
					delete(changed, name)
					whole, _ := json.Marshal(changed)
					raw := []byte(fmt.Sprintf(`{%q:%s`, name, text))
					if len(whole) > 2 {
						raw = append(append(raw, ','), whole[1:]...)
					} else {
						raw = append(raw, '}')
					}
					check(o, "body "+name, value, s.raw(o.method, base, nil, map[string]string{"If-Match": `"v1"`}, raw))
				}
			}
		}
	}
	if requests < 5000 {
		t.Errorf("only %d requests", requests)
	}
}

// evil is JSON of a kind, the texts of which are a value: escaped, as it is, and none.
func evil(like any, value string) (all []string) {
	escaped, _ := json.Marshal(value)
	for _, text := range []string{string(escaped), `"` + value + `"`, value, strings.ReplaceAll(string(escaped), `\ufffd`, `\ud800`)} {
		switch like := like.(type) {
		case []string:
			all = append(all, "["+text+"]", text)
		case map[string]any:
			for name := range like {
				all = append(all, fmt.Sprintf(`{%q:%s}`, name, text))
			}
		default:
			all = append(all, text)
		}
	}
	return all
}

// FuzzHandler: whatever comes out of API Gateway, no answer is a fault of the server.
func FuzzHandler(f *testing.F) {
	f.Add("GET", "/v1/connections/x", "limit=1", "default", []byte(nil))
	f.Add("POST", "/v1/connections", "", "acme", []byte(`{"role_arn":"arn:aws:iam::111122223333:role/TheirAuditRole","schedule":{"expression":"cron(0 3 ? * MON *)"}}`))
	f.Add("POST", "/v1/audits", "", "", []byte(`{"connection":""}`))
	f.Add("PUT", "/v1/settings", "", "", []byte(`{"access_keys_allowed":true}`))
	f.Add("DELETE", "/v1/connections/a\x00", "", "\xff", []byte("{"))
	f.Add("GET", "/v1/findings", "status=FAIL&cursor=x", "", []byte(nil))
	f.Add("OPTIONS", "//v1/../policy", "%zz", "", []byte(nil))
	s := newServer(f)
	s.people.token(f, "default", anna.person)
	start, tried := s.now, 0
	f.Fuzz(func(t *testing.T, method, path, query, key string, body []byte) {
		tried++
		s.wrong = t.Errorf
		s.now = start.Add(time.Duration(tried%5000) * time.Hour) // no limit holds, and the token does
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", bytes.NewReader(body))
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		r = s.from(r, anna, "default")
		r.Header["Content-Type"] = []string{"application/json"}
		r.Header["Idempotency-Key"] = []string{key}
		r.Header["If-Match"] = []string{`"v0"`}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("status %d, %s", w.Code, w.Body)
		}
		secured(t, "the answer", w)
	})
}
