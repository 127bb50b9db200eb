package sso_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cloudarq/cloudarq/internal/oidctest"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
)

// TestTokens: of all ID tokens but the right one nobody is signed in, and nobody is made.
func TestTokens(t *testing.T) {
	t.Parallel()
	evil := oidctest.NewSigner(t, "evil")
	unsigned := func(header string) func(string, map[string]any) string {
		return func(_ string, claims map[string]any) string {
			body, _ := json.Marshal(claims)
			return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
		}
	}
	for name, c := range map[string]struct {
		claims func(h *house, c map[string]any)
		token  func(h *house) func(text string, claims map[string]any) string
		want   string
	}{
		"right":                        {want: ""},
		"a little early":               {claims: func(h *house, c map[string]any) { c["iat"], c["nbf"] = h.now.Unix()+20, h.now.Unix()+20 }},
		"a little late":                {claims: func(h *house, c map[string]any) { c["exp"] = h.now.Unix() - 20 }},
		"for several, and azp is us":   {claims: func(_ *house, c map[string]any) { c["aud"], c["azp"] = []string{"x", "caq"}, "caq" }},
		"another issuer":               {claims: func(_ *house, c map[string]any) { c["iss"] = "https://evil.example.com" }, want: sso.CodeToken},
		"an issuer with a slash":       {claims: func(_ *house, c map[string]any) { c["iss"] = fmt.Sprint(c["iss"], "/") }, want: sso.CodeToken},
		"no issuer":                    {claims: func(_ *house, c map[string]any) { delete(c, "iss") }, want: sso.CodeToken},
		"another client":               {claims: func(_ *house, c map[string]any) { c["aud"] = "other" }, want: sso.CodeToken},
		"no client":                    {claims: func(_ *house, c map[string]any) { delete(c, "aud") }, want: sso.CodeToken},
		"for several, and no azp":      {claims: func(_ *house, c map[string]any) { c["aud"] = []string{"caq", "other"} }, want: sso.CodeToken},
		"azp is another":               {claims: func(_ *house, c map[string]any) { c["azp"] = "other" }, want: sso.CodeToken},
		"another nonce":                {claims: func(_ *house, c map[string]any) { c["nonce"] = "other" }, want: sso.CodeToken},
		"no nonce":                     {claims: func(_ *house, c map[string]any) { delete(c, "nonce") }, want: sso.CodeToken},
		"over":                         {claims: func(h *house, c map[string]any) { c["exp"] = h.now.Add(-time.Minute).Unix() }, want: sso.CodeToken},
		"never over":                   {claims: func(_ *house, c map[string]any) { delete(c, "exp") }, want: sso.CodeToken},
		"not good yet":                 {claims: func(h *house, c map[string]any) { c["nbf"] = h.now.Add(time.Minute).Unix() }, want: sso.CodeToken},
		"made later":                   {claims: func(h *house, c map[string]any) { c["iat"] = h.now.Add(time.Minute).Unix() }, want: sso.CodeToken},
		"made long ago":                {claims: func(h *house, c map[string]any) { c["iat"] = h.now.Add(-time.Hour).Unix() }, want: sso.CodeToken},
		"made never":                   {claims: func(_ *house, c map[string]any) { delete(c, "iat") }, want: sso.CodeToken},
		"of nobody":                    {claims: func(_ *house, c map[string]any) { delete(c, "sub") }, want: sso.CodeToken},
		"of somebody with a long name": {claims: func(_ *house, c map[string]any) { c["sub"] = strings.Repeat("s", 256) }, want: sso.CodeToken},
		"of a name with a bell":        {claims: func(_ *house, c map[string]any) { c["sub"] = "a\ab" }, want: sso.CodeToken},
		"with another access token":    {claims: func(_ *house, c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }, want: sso.CodeToken},
		"of other types":               {claims: func(_ *house, c map[string]any) { c["azp"] = 1 }, want: sso.CodeToken},
		"none":                         {token: func(*house) func(string, map[string]any) string { return unsigned(`{"alg":"none"}`) }, want: sso.CodeToken},
		"None":                         {token: func(*house) func(string, map[string]any) string { return unsigned(`{"alg":"None","kid":"k1"}`) }, want: sso.CodeToken},
		"signed by the client secret": {token: func(*house) func(string, map[string]any) string {
			return func(_ string, c map[string]any) string {
				return oidctest.Signer{Alg: jose.HS256, Key: []byte(password + password), Kid: "k1"}.Sign(t, c)
			}
		}, want: sso.CodeToken},
		"signed by the public key": {token: func(h *house) func(string, map[string]any) string {
			public, _ := json.Marshal(h.provider.Signer.Public())
			return func(_ string, c map[string]any) string {
				return oidctest.Signer{Alg: jose.HS256, Key: public, Kid: "k1"}.Sign(t, c)
			}
		}, want: sso.CodeToken},
		"another key": {token: func(*house) func(string, map[string]any) string {
			return func(_ string, c map[string]any) string { return evil.Sign(t, c) }
		}, want: sso.CodeToken},
		"another key under the right name": {token: func(*house) func(string, map[string]any) string {
			return func(_ string, c map[string]any) string {
				return oidctest.Signer{Alg: evil.Alg, Key: evil.Key, Kid: "k1"}.Sign(t, c)
			}
		}, want: sso.CodeToken},
		"a key that it brings along": {token: func(*house) func(string, map[string]any) string {
			return func(_ string, c map[string]any) string {
				body, _ := json.Marshal(c)
				by, err := jose.NewSigner(jose.SigningKey{Algorithm: evil.Alg, Key: evil.Key}, &jose.SignerOptions{EmbedJWK: true})
				if err != nil {
					t.Fatal(err)
				}
				signed, _ := by.Sign(body)
				text, _ := signed.CompactSerialize()
				return text
			}
		}, want: sso.CodeToken},
		"changed": {token: func(*house) func(string, map[string]any) string {
			return func(text string, c map[string]any) string {
				parts := strings.Split(text, ".")
				c["groups"] = []string{"platform"}
				body, _ := json.Marshal(c)
				return parts[0] + "." + base64.RawURLEncoding.EncodeToString(body) + "." + parts[2]
			}
		}, want: sso.CodeToken},
		"nothing": {token: func(*house) func(string, map[string]any) string {
			return func(string, map[string]any) string { return "" }
		}, want: sso.CodeToken},
		"a text": {token: func(*house) func(string, map[string]any) string {
			return func(string, map[string]any) string { return "<b>" }
		}, want: sso.CodeToken},
	} {
		h := open(t, nil)
		if c.claims != nil {
			h.provider.Claims = func(said map[string]any) { c.claims(h, said) }
		}
		if c.token != nil {
			h.provider.Token = c.token(h)
		}
		_, err := h.try(t)
		if code(err) != c.want {
			t.Errorf("%s: %q (%v), want %q", name, code(err), errors.Unwrap(err), c.want)
		}
		if members, _, e := h.store.For("acme").MembersPage(t.Context(), "", 10); e != nil || (len(members) > 0) != (err == nil) {
			t.Errorf("%s: there are %d members, %v", name, len(members), e)
		}
	}
}

// TestKeyRotation: a key that is new signs at once.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	if _, err := h.try(t); err != nil {
		t.Fatal(err)
	}
	h.provider.Signer = oidctest.NewSigner(t, "k2")
	if _, err := h.try(t); err != nil {
		t.Error(err)
	}
}

// inside is a server that nobody who configures a provider may reach.
func inside(t *testing.T) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(s.Close)
	return s, &asked
}

// TestForgery: a provider has nothing asked of what is inside, by whatever it says.
func TestForgery(t *testing.T) {
	t.Parallel()
	server, asked := inside(t)
	target := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // the operator lets 127.0.0.1 be a provider, and this not
	for name, c := range map[string]struct {
		change func(h *house)
		want   string
	}{
		"issuer": {func(h *house) { h.config.Issuer = target; h.configure(t) }, sso.CodeProvider},
		"token endpoint": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["token_endpoint"] = target }
		}, sso.CodeProvider},
		"keys": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["jwks_uri"] = target }
		}, sso.CodeToken},
		"userinfo": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["userinfo_endpoint"] = target }
			h.provider.Claims = func(c map[string]any) { delete(c, "email") }
		}, sso.CodeProvider},
		"plain http": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["token_endpoint"] = "http://127.0.0.1:1/token" }
		}, sso.CodeProvider},
		"a user in the URL": {func(h *house) {
			h.provider.Document = func(d map[string]any) {
				d["token_endpoint"] = strings.Replace(h.provider.URL, "https://", "https://a:b@", 1) + "/token"
			}
		}, sso.CodeProvider},
		"a file": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["jwks_uri"] = "file:///etc/passwd" }
		}, sso.CodeToken},
		"redirect of discovery": {func(h *house) {
			h.provider.Handle["/.well-known/openid-configuration"] = http.RedirectHandler(target, http.StatusFound).ServeHTTP
		}, sso.CodeProvider},
		"redirect of the token endpoint": {func(h *house) {
			h.provider.Handle["/token"] = http.RedirectHandler(target, http.StatusTemporaryRedirect).ServeHTTP
		}, sso.CodeProvider},
		"redirect of the keys": {func(h *house) {
			h.provider.Handle["/keys"] = http.RedirectHandler(target, http.StatusFound).ServeHTTP
		}, sso.CodeToken},
		"an authorization endpoint that is a program": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" }
		}, sso.CodeProvider},
		"another issuer's document": {func(h *house) {
			h.provider.Document = func(d map[string]any) { d["issuer"] = h.provider.URL + "/" }
		}, sso.CodeProvider},
		"a huge document": {func(h *house) {
			h.provider.Handle["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("x", 2<<20) + `"}`))
			}
		}, sso.CodeProvider},
		"a huge token": {func(h *house) {
			h.provider.Handle["/token"] = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"id_token":"` + strings.Repeat("x", 2<<20) + `"}`))
			}
		}, sso.CodeProvider},
		"no JSON": {func(h *house) {
			h.provider.Handle["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`<script>alert(1)</script>`))
			}
		}, sso.CodeProvider},
		"an error of its own": {func(h *house) {
			h.provider.Handle["/token"] = func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "<script>"+password, http.StatusInternalServerError)
			}
		}, sso.CodeProvider},
	} {
		h := open(t, nil)
		c.change(h)
		_, err := h.try(t)
		if code(err) != c.want {
			t.Errorf("%s: %q (%v), want %q", name, code(err), errors.Unwrap(err), c.want)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "script") || strings.Contains(e.Error(), password) {
				t.Errorf("%s: the error has what the provider said: %v", name, e)
			}
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("what is inside was asked %d times", n)
	}
}

// TestSlow: a provider that does not answer costs no more than its time.
func TestSlow(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.Client.Timeout = 50 * time.Millisecond // as NewClient's, but shorter
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	h.provider.Handle["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{`))
		_ = http.NewResponseController(w).Flush()
		<-hang
	}
	if _, err := h.Start(t.Context(), "acme", ""); code(err) != sso.CodeProvider {
		t.Errorf("%v", err)
	}
	if got := sso.NewClient(sso.Reach{}).Timeout; got <= 0 || got > 5*time.Second {
		t.Errorf("a request may take %s", got)
	}
}

// TestOnInternet by examples of each range.
func TestOnInternet(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.1": true, "100.63.0.1": true, "100.128.0.1": true, "192.169.0.1": true,
		"2600:1f18::1": true, "2a00:1450:4001::1": true, "::ffff:8.8.8.8": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "100.64.0.1": false, "127.0.0.1": false, "127.9.9.9": false, "169.254.169.254": false,
		"169.254.170.2": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"203.0.113.1": false, "224.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false, "100.100.100.200": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::1": false,
		"100::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "3fff::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false,
		"fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "2600::1%eth0": false,
	} {
		if got := sso.OnInternet(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	if sso.OnInternet(netip.Addr{}) {
		t.Error("no address at all")
	}
}

// TestRebinding: what is connected to is what was looked at, whatever the name leads to a
// moment later; and the operator's word for a private host is for no more than that.
func TestRebinding(t *testing.T) {
	t.Parallel()
	server, asked := inside(t)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate()) // for example.com, too
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for name, c := range map[string]struct {
		private string
		leads   []string
		reached bool
	}{
		"to this machine":                       {"", []string{"127.0.0.1"}, false},
		"to it, mapped":                         {"", []string{"::ffff:127.0.0.1"}, false},
		"to private addresses alone":            {"", []string{"10.0.0.1", "169.254.169.254", "fd00:ec2::254"}, false},
		"nowhere":                               {"", nil, false},
		"to this machine, as the operator says": {"EXAMPLE.com", []string{"127.0.0.1"}, true},
		"of another name":                       {"other.com", []string{"127.0.0.1"}, false},
		"to the machine's credentials":          {"example.com", []string{"169.254.169.254", "fe80::1", "fd00:ec2::254", "0.0.0.0"}, false},
	} {
		before := asked.Load()
		client := sso.NewClient(sso.Reach{PrivateHosts: []string{c.private}, Roots: roots, Lookup: func(context.Context, string) (all []netip.Addr, _ error) {
			for _, a := range c.leads {
				all = append(all, netip.MustParseAddr(a))
			}
			return all, nil
		}})
		answer, err := client.Get("https://example.com" + port)
		if err == nil {
			_ = answer.Body.Close()
		}
		if (err == nil) != c.reached || (asked.Load() > before) != c.reached || !c.reached && !errors.Is(err, sso.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lookups := 0
	client := sso.NewClient(sso.Reach{Roots: roots, Lookup: func(context.Context, string) ([]netip.Addr, error) {
		lookups++
		if lookups == 1 {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}})
	for range 2 {
		if answer, err := client.Get("https://example.com" + port); err == nil {
			_ = answer.Body.Close()
			t.Error("a name that leads inside the second time is followed")
		}
	}
	if lookups != 2 {
		t.Errorf("%d lookups for two connections: each address that is connected to was looked at", lookups)
	}
	for _, bad := range []string{"http://example.com", "https://a:b@example.com", "https:///x", "ftp://example.com"} {
		if answer, err := client.Get(bad); err == nil {
			_ = answer.Body.Close()
			t.Errorf("%s is asked", bad)
		}
	}
}
