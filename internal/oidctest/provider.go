// Package oidctest has providers of OpenID Connect for tests: one that does whatever a test
// wants, and one that is not ours.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/oklog/ulid/v2"
)

// The client that a Provider knows, and where it may send browsers.
const (
	ClientID = "caq"
	Secret   = "client-secret-that-nobody-sees"
	Callback = "https://audits.example.com/v1/sso/callback"
)

// Signer signs ID tokens as a provider does, or as somebody else.
type Signer struct {
	Alg jose.SignatureAlgorithm
	Key any
	Kid string
}

// NewSigner makes a key that has a name.
func NewSigner(t testing.TB, kid string) Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Signer{jose.ES256, key, kid}
}

// Public is the key as a provider publishes it.
func (s Signer) Public() jose.JSONWebKey {
	pair, _ := s.Key.(crypto.Signer)
	return jose.JSONWebKey{Key: pair.Public(), KeyID: s.Kid, Algorithm: string(s.Alg), Use: "sig"}
}

// Sign is a token with claims.
func (s Signer) Sign(t testing.TB, claims any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: s.Alg, Key: s.Key}, (&jose.SignerOptions{}).WithHeader("kid", s.Kid))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := by.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Provider is a provider that does right, unless a test has it do something else. Its fields
// change between requests alone.
type Provider struct {
	*httptest.Server
	Signer   Signer
	Claims   func(map[string]any)                            // changes what the ID token says
	Document func(map[string]any)                            // changes what discovery says
	Token    func(text string, claims map[string]any) string // takes the place of the ID token
	Userinfo map[string]any
	Handle   map[string]http.HandlerFunc // takes the place of a path

	mu    sync.Mutex
	codes map[string]url.Values // what the browser asked with, by the code that it got
	asked int
	now   func() time.Time
}

// NewProvider begins a provider, until the test is over.
func NewProvider(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	p := &Provider{Signer: NewSigner(t, "k1"), codes: map[string]url.Values{}, Handle: map[string]http.HandlerFunc{}, now: now}
	p.Server = httptest.NewTLSServer(p)
	p.Config.ErrorLog = nil
	t.Cleanup(p.Close)
	return p
}

// Roots are who vouches for the certificate of a provider: httptest's, of which there is one.
func Roots(t testing.TB) *x509.CertPool {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return roots
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if h := p.Handle[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		doc := map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		}
		if p.Document != nil {
			p.Document(doc)
		}
		answer(doc)
	case "/keys":
		answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.Signer.Public()}})
	case "/userinfo":
		answer(p.Userinfo)
	case "/token":
		id, given, basic := r.BasicAuth()
		code := r.FormValue("code")
		asked, ok := p.codes[code]
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || !basic || id != ClientID || given != Secret || r.FormValue("redirect_uri") != Callback ||
			asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
			w.WriteHeader(http.StatusBadRequest)
			answer(map[string]string{"error": "invalid_grant", "error_description": "<script>alert(1)</script>" + given})
			return
		}
		delete(p.codes, code)
		now := p.now()
		claims := map[string]any{
			"iss": p.URL, "aud": ClientID, "sub": "u-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": asked.Get("nonce"),
			"email": "Anna@acme.com", "email_verified": true, "name": "Anna", "groups": []string{"auditors"},
		}
		if p.Claims != nil {
			p.Claims(claims)
		}
		text := p.Signer.Sign(nopTB{}, claims)
		if p.Token != nil {
			text = p.Token(text, claims)
		}
		answer(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": text})
	default:
		http.NotFound(w, r)
	}
}

// nopTB is for handlers, in which tests cannot end.
type nopTB struct{ testing.TB }

func (nopTB) Helper()           {}
func (nopTB) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Asked is how many requests there were.
func (p *Provider) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// Visit is what a browser does at the provider: it gives the state and a code to go back with.
func (p *Provider) Visit(t testing.TB, to string) url.Values {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, p.URL+"/authorize?") {
		t.Fatalf("the browser is sent to %s, %v", to, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := ulid.Make().String()
	p.codes[code] = u.Query()
	return url.Values{"state": {u.Query().Get("state")}, "code": {code}}
}
