package sso

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// algorithms are those that an ID token may be signed by. None is symmetric: the client
// secret is no key, and a public key is no secret (RFC 8725, sections 2.1 and 3.1).
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

const (
	flowTime = 15 * time.Second // of all that is asked of a provider for one sign-in
	tokenAge = 10 * time.Minute // an ID token was made for this sign-in, which takes no longer
	maxCode  = 4096             // bytes of a code
)

// provider is what a provider's discovery document says. It is read anew for each sign-in,
// and so are the keys: who rotates them, or moves, has nothing to wait for.
type provider struct {
	*oidc.Provider
	config model.SSO
	client *http.Client
	tells  struct {
		// SaysIssuer is that answers name the provider, RFC 9207.
		SaysIssuer bool     `json:"authorization_response_iss_parameter_supported"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
	}
}

// discover reads the document, or is a *RefusedError.
func discover(ctx context.Context, client *http.Client, config model.SSO) (*provider, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, client), config.Issuer)
	if err != nil {
		return nil, refuse(CodeProvider, fmt.Errorf("discovery of %s: %w", config.Issuer, ours(err)))
	}
	p := &provider{Provider: found, config: config, client: client}
	if err := found.Claims(&p.tells); err != nil {
		return nil, refuse(CodeProvider, fmt.Errorf("discovery of %s: it is no such document", config.Issuer))
	}
	at, err := url.Parse(found.Endpoint().AuthURL)
	if err != nil || at.Scheme != "https" || at.Hostname() == "" || at.User != nil || at.Fragment != "" {
		return nil, refuse(CodeProvider, fmt.Errorf("discovery of %s: the authorization endpoint is no https URL", config.Issuer))
	}
	return p, nil
}

// oauth is the client's side of the flow.
func (p *provider) oauth(callback string, password secret.String) oauth2.Config {
	end := p.Endpoint()
	// To try one and then the other, as the library does if it is not told, would use up
	// the code. Basic is the default (OpenID Connect Discovery 1.0, section 3).
	end.AuthStyle = oauth2.AuthStyleInHeader
	if password.Empty() || len(p.tells.Methods) > 0 && !slices.Contains(p.tells.Methods, "client_secret_basic") {
		end.AuthStyle = oauth2.AuthStyleInParams
	}
	return oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: password.Reveal(), Endpoint: end, RedirectURL: callback, Scopes: p.config.Asks(),
	}
}

// whoever is somebody as the provider says.
type whoever struct {
	subject string
	address string // verified, and in an allowed domain
	name    string
	groups  []string
	told    bool // which groups, though it may be none
}

// claims are those of ID tokens and of the userinfo endpoint that matter.
type claims struct {
	AuthorizedParty string          `json:"azp"`
	NotBefore       *float64        `json:"nbf"`
	Email           string          `json:"email"`
	EmailVerified   json.RawMessage `json:"email_verified"`
	// DomainVerified is Entra's: the owner of the address's domain was verified
	// (https://learn.microsoft.com/entra/identity-platform/optional-claims-reference, read
	// on 30 November 2026).
	DomainVerified json.RawMessage `json:"xms_edov"`
	HostedDomain   string          `json:"hd"` // Google's
	Name           string          `json:"name"`
	// Overage says which claims are elsewhere, since there are too many groups.
	Overage   map[string]string `json:"_claim_names"`
	HasGroups bool              `json:"hasgroups"`
}

// vouches reports whether anything is said of whose the address is, yes or no.
func (c claims) vouches() bool { return len(c.EmailVerified) > 0 || len(c.DomainVerified) > 0 }

// exchange gives a code for who somebody is, or is a *RefusedError.
func (p *provider) exchange(ctx context.Context, callback string, password secret.String, code string, st state, now time.Time) (whoever, error) {
	if code == "" || len(code) > maxCode {
		return whoever{}, refuse(CodeDenied, errors.New("there is no code"))
	}
	ctx = oidc.ClientContext(ctx, p.client)
	config := p.oauth(callback, password)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(st.Verifier))
	if err != nil {
		var said *oauth2.RetrieveError
		if errors.As(err, &said) && said.Response != nil && said.Response.StatusCode < http.StatusInternalServerError {
			return whoever{}, refuse(CodeCode, fmt.Errorf("token endpoint: status %d, %s", said.Response.StatusCode, errorCode(said.ErrorCode)))
		}
		return whoever{}, refuse(CodeProvider, fmt.Errorf("token endpoint: %w", ours(err)))
	}
	text, ok := tokens.Extra("id_token").(string)
	if !ok {
		return whoever{}, refuse(CodeToken, errors.New("there is no ID token"))
	}
	token, err := p.VerifierContext(ctx, &oidc.Config{
		ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms,
		SkipExpiryCheck: true, // see current, which knows of clocks that differ
	}).Verify(ctx, text)
	if err != nil {
		return whoever{}, refuse(CodeToken, fmt.Errorf("ID token: %w", ours(err)))
	}
	var said claims
	if err := token.Claims(&said); err != nil {
		return whoever{}, refuse(CodeToken, errors.New("ID token: its claims are of other types"))
	}
	if err := p.current(token, said, st, now); err != nil {
		return whoever{}, refuse(CodeToken, fmt.Errorf("ID token: %w", err))
	}
	if token.AccessTokenHash != "" && token.VerifyAccessToken(tokens.AccessToken) != nil {
		return whoever{}, refuse(CodeToken, errors.New("ID token: at_hash is of another access token"))
	}
	all := map[string]json.RawMessage{}
	if err := token.Claims(&all); err != nil {
		return whoever{}, refuse(CodeToken, errors.New("ID token: it is no JSON object"))
	}
	if said, err = p.complete(ctx, tokens, token.Subject, said, all); err != nil {
		return whoever{}, err
	}
	return p.who(token.Subject, said, all)
}

// current says what is wrong with a token that is signed, and is the provider's and ours.
func (p *provider) current(token *oidc.IDToken, said claims, st state, now time.Time) error {
	late, early := now.Add(-people.ClockSkew), now.Add(people.ClockSkew)
	switch {
	case token.Issuer != p.config.Issuer: // the library lets one provider leave out https
		return errors.New("iss is another provider")
	case len(token.Audience) > 1 && said.AuthorizedParty != p.config.ClientID, said.AuthorizedParty != "" && said.AuthorizedParty != p.config.ClientID:
		return errors.New("azp is another client")
	case token.Subject == "":
		return errors.New("there is no sub")
	case token.Expiry.IsZero() || !late.Before(token.Expiry):
		return errors.New("it is over")
	case token.IssuedAt.IsZero() || token.IssuedAt.After(early) || token.IssuedAt.Before(now.Add(-tokenAge)):
		return errors.New("iat is not of this sign-in")
	case said.NotBefore != nil && *said.NotBefore > float64(early.Unix()):
		return errors.New("it is not good yet")
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(st.Nonce)) != 1:
		return errors.New("nonce is of another sign-in")
	}
	return nil
}

// complete asks the userinfo endpoint for what the ID token leaves out: Okta, for one,
// leaves out most of what was asked for when there is an access token as well
// (https://support.okta.com/help/s/article/Okta-Groups-or-Attribute-Missing-from-Id-Token,
// read on 30 November 2026), and email_verified of an address that it names. What the token
// has, stays.
func (p *provider) complete(ctx context.Context, tokens *oauth2.Token, subject string, said claims, all map[string]json.RawMessage) (claims, error) {
	_, told := all[p.config.Claim()]
	address := said.Email != "" && (said.vouches() || p.config.AddressesVerified)
	groups := told || !p.config.Maps() || p.overage(said)
	if p.UserInfoEndpoint() == "" || address && groups {
		return said, nil
	}
	more, err := p.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return said, refuse(CodeProvider, fmt.Errorf("userinfo endpoint: %w", ours(err)))
	}
	if more.Subject != subject { // OpenID Connect Core 1.0, section 5.3.2
		return said, refuse(CodeToken, errors.New("userinfo endpoint: sub is somebody else"))
	}
	var rest map[string]json.RawMessage
	var also claims
	if more.Claims(&rest) != nil || more.Claims(&also) != nil {
		return said, refuse(CodeProvider, errors.New("userinfo endpoint: its claims are of other types"))
	}
	// Nothing of one place is said of the address of another; but a no is one wherever it is.
	if said.Email == "" || !said.vouches() && model.NormalEmail(said.Email) == model.NormalEmail(also.Email) {
		no := len(said.EmailVerified) > 0 && !isTrue(said.EmailVerified)
		said.Email, said.DomainVerified = also.Email, also.DomainVerified
		if !no {
			said.EmailVerified = also.EmailVerified
		}
	}
	if said.HostedDomain == "" {
		said.HostedDomain = also.HostedDomain
	}
	if said.Name == "" {
		said.Name = also.Name
	}
	if groups, ok := rest[p.config.Claim()]; ok && !told {
		all[p.config.Claim()] = groups
	}
	return said, nil
}

func (p *provider) overage(said claims) bool {
	_, elsewhere := said.Overage[p.config.Claim()]
	return elsewhere || said.HasGroups
}

// google is the provider of anybody, who may have had an address verified once that is
// somebody else's by now. Only of one with hd, or of its own mail, does Google vouch for
// that (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token, as
// quoted by https://community.auth0.com/t/168525, read on 30 November 2026).
const google = "https://accounts.google.com"

func (p *provider) who(subject string, said claims, all map[string]json.RawMessage) (whoever, error) {
	w := whoever{subject: subject, address: model.NormalEmail(said.Email), name: model.Cut(said.Name, model.MaxPersonName)}
	switch {
	case !p.config.InDomains(w.address):
		return w, refuse(CodeAddress, errors.New("the address is in no allowed domain"))
	case !p.verified(said):
		return w, refuse(CodeAddress, errors.New("the address is not verified"))
	case p.config.Issuer == google && !slices.Contains(p.config.Domains, said.HostedDomain):
		return w, refuse(CodeAddress, errors.New("hd is no allowed domain"))
	}
	if !p.config.Maps() {
		return w, nil
	}
	// Which groups, a provider says elsewhere if they are too many: Entra if more than 200
	// (https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/get-signed-in-users-groups-in-access-token,
	// read on 30 November 2026). It would take a right to read the directory.
	if p.overage(said) {
		return w, refuse(CodeGroupsNotTold, errors.New("there are too many for the token"))
	}
	var err error
	if raw, ok := all[p.config.Claim()]; ok {
		if w.groups, err = names(raw); err != nil {
			return w, refuse(CodeGroupsNotTold, err)
		}
		w.told = true
	}
	return w, nil
}

// names are what a claim of groups has: texts, or one of them.
func names(raw json.RawMessage) (groups []string, err error) {
	var one string
	if json.Unmarshal(raw, &one) == nil && string(raw) != "null" {
		return []string{one}, nil
	}
	if err := json.Unmarshal(raw, &groups); err != nil || groups == nil {
		return nil, errors.New("the claim of groups is no list of texts")
	}
	return groups, nil
}

// verified reports whether the provider stands for the address. That it does not say so is
// made up for by Entra's claim, or by who configured it; that it says no, by nothing.
func (p *provider) verified(said claims) bool {
	if len(said.EmailVerified) > 0 {
		return isTrue(said.EmailVerified)
	}
	if len(said.DomainVerified) > 0 {
		return isTrue(said.DomainVerified)
	}
	return p.config.AddressesVerified
}

// isTrue reads what some providers write as a text or a number.
func isTrue(raw json.RawMessage) bool {
	switch string(raw) {
	case `true`, `"true"`, `1`, `"1"`:
		return true
	}
	return false
}

// known are the codes of RFC 6749, sections 4.1.2.1 and 5.2, and of OpenID Connect Core
// 1.0, section 3.1.2.6.
var known = regexp.MustCompile(`^(invalid_request|unauthorized_client|access_denied|unsupported_response_type|invalid_scope|server_error|temporarily_unavailable|invalid_client|invalid_grant|unsupported_grant_type|interaction_required|login_required|account_selection_required|consent_required)\z`)

// errorCode is a code of a provider's, if it is one; never another text of its.
func errorCode(said string) string {
	if known.MatchString(said) {
		return said
	}
	return "another error"
}

// ours is an error without what a provider said: the libraries quote its answers.
func ours(err error) error {
	var mismatch *oidc.IssuerMismatchError
	for _, e := range []error{ErrScheme, ErrAddress, ErrRedirect, ErrLarge, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, e) {
			return e
		}
	}
	if errors.As(err, &mismatch) {
		return errors.New("the document is another issuer's")
	}
	return errors.New("it cannot be reached, or its answer is not right")
}
