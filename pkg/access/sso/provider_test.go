package sso_test

import (
	"context"
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
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	callback = "https://audits.example.com/v1/sso/callback"
	password = "client-secret-that-nobody-sees"
)

// signer signs ID tokens as a provider does, or as somebody else.
type signer struct {
	alg jose.SignatureAlgorithm
	key any
	kid string
}

func newSigner(t testing.TB, kid string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{jose.ES256, key, kid}
}

func (s signer) public() jose.JSONWebKey {
	pair, _ := s.key.(crypto.Signer)
	return jose.JSONWebKey{Key: pair.Public(), KeyID: s.kid, Algorithm: string(s.alg), Use: "sig"}
}

func (s signer) sign(t testing.TB, claims any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.key}, (&jose.SignerOptions{}).WithHeader("kid", s.kid))
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

// provider is a provider that does right, unless a test has it do something else.
type provider struct {
	*httptest.Server
	signer signer

	mu       sync.Mutex
	codes    map[string]url.Values // what the browser asked with, by the code that it got
	claims   func(map[string]any)  // changes what the ID token says
	document func(map[string]any)  // changes what discovery says
	token    func(text string, claims map[string]any) string
	userinfo map[string]any
	handle   map[string]http.HandlerFunc
	asked    []string
	now      func() time.Time
}

func newProvider(t testing.TB, now func() time.Time) *provider {
	t.Helper()
	p := &provider{signer: newSigner(t, "k1"), codes: map[string]url.Values{}, handle: map[string]http.HandlerFunc{}, now: now}
	p.Server = httptest.NewTLSServer(p)
	p.Config.ErrorLog = nil
	t.Cleanup(p.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.URL.Path)
	if h := p.handle[r.URL.Path]; h != nil {
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
		if p.document != nil {
			p.document(doc)
		}
		answer(doc)
	case "/keys":
		answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.signer.public()}})
	case "/userinfo":
		answer(p.userinfo)
	case "/token":
		id, given, basic := r.BasicAuth()
		code := r.FormValue("code")
		asked, ok := p.codes[code]
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || !basic || id != "caq" || given != password || r.FormValue("redirect_uri") != callback ||
			asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
			w.WriteHeader(http.StatusBadRequest)
			answer(map[string]string{"error": "invalid_grant", "error_description": "<script>alert(1)</script>" + given})
			return
		}
		delete(p.codes, code)
		now := p.now()
		claims := map[string]any{
			"iss": p.URL, "aud": "caq", "sub": "u-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": asked.Get("nonce"),
			"email": "Anna@acme.com", "email_verified": true, "name": "Anna", "groups": []string{"auditors"},
		}
		if p.claims != nil {
			p.claims(claims)
		}
		text := p.signer.sign(nopTB{}, claims)
		if p.token != nil {
			text = p.token(text, claims)
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

// visit is what a browser does at the provider: it gives a code.
func (p *provider) visit(t testing.TB, to string) (answer sso.Answer) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, p.URL+"/authorize?") {
		t.Fatalf("the browser is sent to %s, %v", to, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := ulid.Make().String()
	p.codes[code] = u.Query()
	return sso.Answer{State: u.Query().Get("state"), Code: code, Address: "192.0.2.1", Client: "Firefox"}
}

// house is an installation with an organization that signs in by a provider.
type house struct {
	sso.SignIn

	now      time.Time
	provider *provider
	config   model.SSO
	table    table.Table
	store    *store.Store
}

func (h *house) clock() time.Time { return h.now }

func open(t testing.TB, change func(*model.SSO)) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)}
	h.provider = newProvider(t, h.clock)
	roots := x509.NewCertPool()
	roots.AddCert(h.provider.Certificate())
	keys, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.table = memtable.New(h.clock)
	h.store = store.New(h.table, nil)
	h.SignIn = sso.SignIn{
		Store: h.store, Keys: keys, Callback: callback, Now: h.clock,
		Sessions: people.Sessions{Store: h.store, Now: h.clock},
		Client:   sso.NewClient(sso.Reach{PrivateHosts: []string{"127.0.0.1"}, Roots: roots}),
	}
	h.config = model.SSO{
		Enabled: true, Issuer: h.provider.URL, ClientID: "caq", Domains: []string{"acme.com"},
		Groups: []model.SSOGroup{
			{Group: "auditors", Grant: model.Grant{Role: model.RoleClient, Projects: []string{"shop"}}},
			{Group: "payments", Grant: model.Grant{Role: model.RoleClient, Projects: []string{"pay", "shop"}}},
			{Group: "platform", Grant: model.Grant{Role: model.RoleAdmin}},
		},
	}
	if change != nil {
		change(&h.config)
	}
	h.configure(t)
	return h
}

func (h *house) change(action string) model.Change {
	return model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "o"}, Action: action, At: h.now}
}

func (h *house) configure(t testing.TB) {
	t.Helper()
	if err := h.Configure(context.Background(), "acme", h.change("put-sso"), &h.config, secret.New(password)); err != nil {
		t.Fatal(err)
	}
}

// try is a whole sign-in.
func (h *house) try(t testing.TB) (sso.SignedIn, error) {
	t.Helper()
	started, err := h.Start(context.Background(), "acme", "/audits?x=1")
	if err != nil {
		return sso.SignedIn{}, err
	}
	answer := h.provider.visit(t, started.URL)
	answer.Cookie = started.Cookie
	return h.Finish(context.Background(), answer)
}

func (h *house) member(t testing.TB, who model.PersonID) model.Member {
	t.Helper()
	m, err := h.store.For("acme").Member(context.Background(), who)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// joined is somebody who was a member before, by invitation.
func (h *house) joined(t testing.TB, address string, role model.Role) model.Person {
	t.Helper()
	p := model.Person{ID: model.PersonID(ulid.Make().String()), Email: address, CreatedAt: h.now}
	if err := h.store.People().Create(context.Background(), &p); err != nil {
		t.Fatal(err)
	}
	m := model.Member{Person: p.ID, Role: role, Since: h.now}
	if err := h.store.People().Join(context.Background(), "acme", h.change("join"), &m); err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) actions(t testing.TB) (actions []string) {
	t.Helper()
	for e, err := range h.store.For("acme").AdminLog(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, e.Action)
		if strings.Contains(fmt.Sprintf("%s%s", e.Before, e.After), password) {
			t.Errorf("the log has the client secret: %s", e.After)
		}
	}
	return actions
}

func sorted(projects []string) []string { return slices.Sorted(slices.Values(projects)) }
