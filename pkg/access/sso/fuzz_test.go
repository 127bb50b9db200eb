package sso_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/cloudarq/cloudarq/internal/oidctest"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
)

// says has a path of a provider answer with a text.
func says(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
}

// refused holds an error to be a refusal that a browser may be told.
func refused(t *testing.T, err error) {
	t.Helper()
	var r *sso.RefusedError
	if err == nil || !errors.As(err, &r) || r.Code == "" {
		t.Fatalf("%v, and no refusal", err)
	}
}

// FuzzDiscovery: of whatever a provider says of itself, a browser is sent to it by https, or
// not at all.
func FuzzDiscovery(f *testing.F) {
	h := open(f, nil)
	base := h.provider.URL
	for _, doc := range []string{
		"", "null", "[]", "{", `{"issuer":1}`, `{"issuer":"` + base + `"}`,
		`{"issuer":"` + base + `","authorization_endpoint":"javascript:alert(1)","token_endpoint":"` + base + `/token","jwks_uri":"` + base + `/keys"}`,
		`{"issuer":"` + base + `","authorization_endpoint":"https://user:x@evil.example/\u0000","token_endpoint":"http://x","jwks_uri":"file:///etc/passwd"}`,
		`{"issuer":"` + base + `","authorization_endpoint":"` + base + `/authorize","token_endpoint":"` + base + `/token","jwks_uri":"` + base + `/keys","id_token_signing_alg_values_supported":["none","HS256"]}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		h.provider.Handle["/.well-known/openid-configuration"] = says(doc)
		started, err := h.Start(context.Background(), "acme", "/")
		if err != nil {
			refused(t, err)
			return
		}
		u, err := url.Parse(started.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(started.URL, "\r\n\x00") {
			t.Fatalf("sent to %q", started.URL)
		}
	})
}

// FuzzKeys: of keys that a provider publishes none signs what another key signed.
func FuzzKeys(f *testing.F) {
	h := open(f, nil)
	evil := oidctest.NewSigner(f, "k1")
	h.provider.Token = func(_ string, claims map[string]any) string { return evil.Sign(f, claims) }
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{h.provider.Signer.Public()}})
	if err != nil {
		f.Fatal(err)
	}
	signed, err := json.Marshal(evil.Public())
	if err != nil {
		f.Fatal(err)
	}
	for _, keys := range []string{
		string(public), "", "null", `{"keys":null}`, `{"keys":[{}]}`, `{"keys":[{"kty":"oct","k":"AAAA","kid":"k1"}]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"k1"}]}`,
		`{"keys":[{"kty":"RSA","n":"AQ","e":"AA","kid":"k1"}]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`, strings.Replace(string(public), `"alg":"ES256"`, `"alg":"none"`, 1),
	} {
		f.Add([]byte(keys))
	}
	var key struct{ X string }
	if err := json.Unmarshal(signed, &key); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, keys []byte) {
		if strings.Contains(string(keys), key.X) {
			return // the provider says that it is its
		}
		h.provider.Handle["/keys"] = says(keys)
		_, err := h.try(t)
		refused(t, err)
	})
}

// FuzzIDToken: no text is an ID token but one that the provider signed for this sign-in.
func FuzzIDToken(f *testing.F) {
	h := open(f, nil)
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	old := h.provider.Signer.Sign(f, map[string]any{"iss": h.provider.URL, "aud": "caq", "sub": "u-1", "iat": h.now.Unix(), "exp": h.now.Unix() + 3600, "nonce": "another", "email": "anna@acme.com", "email_verified": true})
	for _, text := range []string{old, "", "..", "a.b.c", part(`{"alg":"none"}`) + "." + strings.Split(old, ".")[1] + ".", part(`{"alg":"ES256","kid":{}}`) + ".e30.AA", old + ".x", part(`{"alg":"HS256","kid":"k1"}`) + "." + part("{}") + "." + part("x"), strings.Repeat(".", 1000)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h.provider.Token = func(string, map[string]any) string { return text }
		_, err := h.try(t)
		refused(t, err)
	})
}

// FuzzTokenAnswer: no answer of a token endpoint signs anybody in that has no ID token of
// this sign-in in it.
func FuzzTokenAnswer(f *testing.F) {
	h := open(f, nil)
	for _, body := range []string{"", "null", "{}", `{"access_token":"x"}`, `{"access_token":"x","id_token":1}`, `{"access_token":"x","token_type":"Bearer","id_token":"a.b.c","expires_in":"1e999"}`, `{"error":"<b>"}`, "access_token=x&id_token=y", strings.Repeat("[", 5000)} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h.provider.Handle["/token"] = says(body)
		_, err := h.try(t)
		refused(t, err)
	})
}

// FuzzReturn: a browser is led to a page of this site, whoever reads the path.
func FuzzReturn(f *testing.F) {
	for _, back := range []string{"", "/", "/a?b=c#d", "//evil", `/\evil`, "https://evil", "/%2f/evil", "/a//b", "/\t/evil", "/?x=//evil", "/a\n"} {
		f.Add(back)
	}
	site, err := url.Parse("https://audits.example.com/v1/sso/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, back string) {
		to, err := sso.CheckReturn(back)
		if err != nil {
			return
		}
		u, err := site.Parse(to)
		if err != nil || u.Host != site.Host || u.Scheme != site.Scheme || !strings.HasPrefix(to, "/") || strings.HasPrefix(strings.ReplaceAll(to, `\`, "/"), "//") || back != "" && to != back || strings.ContainsAny(to, "\r\n\t\x00 ") {
			t.Fatalf("%q leads to %q", back, to)
		}
	})
}
