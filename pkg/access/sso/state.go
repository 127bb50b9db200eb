package sso

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// CookieName is the cookie that binds a sign-in to the browser that began it. It is set
// with Path=/, Secure, HttpOnly and SameSite=Lax, since the answer comes from the provider's
// site as a navigation; and is taken away when that was read.
const CookieName = "__Host-caqs"

// StateAge is how long somebody may take at the provider.
const StateAge = 10 * time.Minute

// MaxReturn is how many bytes the page to go back to has.
const MaxReturn = 1024

// maxCookie is how many bytes browsers keep of a cookie's name and value (RFC 6265bis,
// section 5.6); no cookie of ours has half of it.
const maxCookie = 4096

// state is a sign-in that waits for its answer. It lies sealed in the cookie. The state in
// the URL is the SHA-256 of that: it goes through the provider's logs and the browser's
// history, so it holds nothing, and whoever has it still lacks the cookie.
type state struct {
	ID       string    `json:"id"` // is good for one answer
	Until    time.Time `json:"until"`
	Issuer   string    `json:"issuer"` // that was asked: another one's answer is none
	ClientID string    `json:"client_id"`
	Verifier string    `json:"verifier"`
	Nonce    string    `json:"nonce"`
	Return   string    `json:"return"`
}

// ssoKey is what the data key belongs to that seals states and the client secret.
const ssoKey = "sso"

func keyOwner(org model.OrganizationID) secret.Owner {
	return secret.Owner{Organization: string(org), Record: ssoKey}
}

func stateBinding(org model.OrganizationID) secret.Binding {
	return secret.Binding{Organization: string(org), Record: ssoKey, Field: "state"}
}

func (s *SignIn) seal(ctx context.Context, org model.OrganizationID, st state) (cookie secret.String, err error) {
	text, err := json.Marshal(st)
	if err != nil {
		return secret.String{}, err
	}
	key, err := datakey.Get(ctx, s.Store.DataKeysOf(org), s.Keys, keyOwner(org))
	if err != nil {
		return secret.String{}, err
	}
	sealed, err := key.Seal(stateBinding(org), secret.New(string(text)))
	if err != nil {
		return secret.String{}, err
	}
	// The organization is told, so that its key is found; the rest is sealed by that.
	return secret.New(string(org) + "." + base64.RawURLEncoding.EncodeToString(sealed)), nil
}

// open reads the cookie of a browser that comes back with a state, or is a *RefusedError.
func (s *SignIn) open(ctx context.Context, cookie secret.String, given string) (model.OrganizationID, state, error) {
	text := cookie.Reveal()
	name, body, ok := strings.Cut(text, ".")
	if !ok || len(text) > maxCookie || !model.IsOrganizationID(name) ||
		subtle.ConstantTimeCompare([]byte(stateOf(cookie)), []byte(given)) != 1 {
		return "", state{}, refuse(CodeState, errors.New("the cookie is not that of the state"))
	}
	org := model.OrganizationID(name)
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return "", state{}, refuse(CodeState, errors.New("the cookie is none of ours"))
	}
	key, err := datakey.Open(ctx, s.Store.DataKeysOf(org), s.Keys, keyOwner(org))
	if err != nil {
		return "", state{}, notThere(CodeState, err)
	}
	plain, err := key.Open(stateBinding(org), sealed)
	if errors.Is(err, secret.ErrSealed) {
		return "", state{}, refuse(CodeState, err)
	}
	if err != nil {
		return "", state{}, err
	}
	var st state
	if err := json.Unmarshal([]byte(plain.Reveal()), &st); err != nil {
		return "", state{}, refuse(CodeState, errors.New("what is sealed is no state"))
	}
	now := s.Now()
	if !now.Before(st.Until) {
		return "", state{}, refuse(CodeState, errors.New("it is over"))
	}
	// Counted before anything is done for it, so that of several answers one is read.
	n, err := s.Store.For(org).Limits().CountTry(ctx, "sso_state", st.ID, st.Until, st.Until.Add(StateAge))
	if err != nil {
		return "", state{}, err
	}
	if n > 1 {
		return "", state{}, refuse(CodeReplayed, nil)
	}
	return org, st, nil
}

func stateOf(cookie secret.String) string {
	sum := sha256.Sum256([]byte(cookie.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func newState(now time.Time, c model.SSO, back string) state {
	return state{
		ID: ulid.Make().String(), Until: now.Add(StateAge).UTC(), Issuer: c.Issuer, ClientID: c.ClientID,
		Verifier: random(), Nonce: random(), Return: back,
	}
}

// random is 256 bits: what PKCE asks of a verifier (RFC 7636, section 4.1).
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// page is a path of this site with its query and fragment, in the characters of RFC 3986.
// Browsers take a second slash, or a backslash for one, as the start of a host, and pass
// over ends of lines and tabs.
var page = regexp.MustCompile(`^/(?:[A-Za-z0-9._~%!$&'()*+,;=:@-]+(?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*/?)?(?:\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?(?:#[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?\z`)

// CheckReturn refuses what is no page of this site, with a *model.FieldError. Empty is the
// first page.
func CheckReturn(back string) (string, error) {
	if back == "" {
		return "/", nil
	}
	u, err := url.Parse(back)
	if len(back) > MaxReturn || !page.MatchString(back) || err != nil || u.IsAbs() || u.Host != "" || u.User != nil {
		return "", &model.FieldError{Field: "return", Reason: "it is no path of this site, such as /audits/01KBA0"}
	}
	return back, nil
}
