package sso

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/oklog/ulid/v2"
	"golang.org/x/oauth2"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// SignIn signs people in by their organization's provider.
type SignIn struct {
	Store    *store.Store
	Keys     secret.Wrapper
	Sessions people.Sessions
	Client   *http.Client // of NewClient
	Callback string       // the URL that providers send browsers back to
	Now      func() time.Time
}

// Started is a sign-in that has begun.
type Started struct {
	URL    string        // of the provider, for the browser to go to
	Cookie secret.String // for CookieName, for StateAge
}

// Start begins a sign-in to an organization, after which the browser is to be at a page of
// this site. The error is a *RefusedError, or a *model.FieldError of the page.
func (s *SignIn) Start(ctx context.Context, org model.OrganizationID, back string) (Started, error) {
	back, err := CheckReturn(back)
	if err != nil {
		return Started{}, err
	}
	config, err := s.config(ctx, org)
	if err != nil {
		return Started{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, flowTime)
	defer cancel()
	p, err := discover(ctx, s.Client, config)
	if err != nil {
		return Started{}, err
	}
	st := newState(s.Now(), config, back)
	cookie, err := s.seal(ctx, org, st)
	if err != nil {
		return Started{}, err
	}
	client := p.oauth(s.Callback, secret.String{})
	return Started{URL: client.AuthCodeURL(stateOf(cookie), oauth2.S256ChallengeOption(st.Verifier), oidc.Nonce(st.Nonce)), Cookie: cookie}, nil
}

func (s *SignIn) config(ctx context.Context, org model.OrganizationID) (model.SSO, error) {
	if !model.IsOrganizationID(string(org)) {
		return model.SSO{}, refuse(CodeOff, nil)
	}
	records := s.Store.For(org)
	config, err := records.SSO(ctx)
	if err != nil {
		return config, notThere(CodeOff, err)
	}
	if !config.Enabled {
		return config, refuse(CodeOff, nil)
	}
	o, err := records.Itself(ctx)
	switch {
	case err != nil:
		return config, notThere(CodeOff, err)
	case !o.DeletedAt.IsZero():
		return config, refuse(CodeOff, errors.New("the organization is being deleted"))
	case !o.Open():
		return config, refuse(CodeOrganizationSuspended, nil)
	}
	return config, nil
}

// Answer is what a browser brings back from a provider.
type Answer struct {
	Cookie                     secret.String
	State, Code, Issuer, Error string // parameters of the URL: state, code, iss, error
	Address, Client            string // of the browser, for the session
}

// SignedIn is somebody who is signed in.
type SignedIn struct {
	Session model.Session
	Refresh secret.String // its first refresh token
	Return  string        // the page to go to
}

// Finish ends a sign-in: it begins a session of whom the provider means, who is made a
// member if the configuration says so. The error is a *RefusedError. Return is there with
// an error, too, as soon as it is known.
func (s *SignIn) Finish(ctx context.Context, a Answer) (SignedIn, error) {
	org, st, err := s.open(ctx, a.Cookie, a.State)
	if err != nil {
		return SignedIn{Return: "/"}, err
	}
	done := SignedIn{Return: st.Return}
	config, err := s.config(ctx, org)
	if err != nil {
		return done, err
	}
	if config.Issuer != st.Issuer || config.ClientID != st.ClientID {
		return done, refuse(CodeState, errors.New("the configuration was changed meanwhile"))
	}
	ctx, cancel := context.WithTimeout(ctx, flowTime)
	defer cancel()
	p, err := discover(ctx, s.Client, config)
	if err != nil {
		return done, err
	}
	// Before all else that the answer says, an error among it: RFC 9207, section 2.4.
	if a.Issuer != "" && a.Issuer != config.Issuer || a.Issuer == "" && p.tells.SaysIssuer {
		return done, refuse(CodeIssuer, errors.New("iss of the answer"))
	}
	if a.Error != "" {
		return done, refuse(CodeDenied, errors.New(errorCode(a.Error)))
	}
	password, err := s.password(ctx, org, config)
	if err != nil {
		return done, err
	}
	w, err := p.exchange(ctx, s.Callback, password, a.Code, st, s.Now())
	if err != nil {
		return done, err
	}
	who, err := s.admit(ctx, org, config, w, a.Address)
	if err != nil {
		return done, err
	}
	done.Session, done.Refresh, err = s.begin(ctx, org, config, who, a)
	return done, err
}

func (s *SignIn) begin(ctx context.Context, org model.OrganizationID, config model.SSO, who model.Person, a Answer) (model.Session, secret.String, error) {
	id := ulid.Make().String()
	refresh, hash, err := people.NewToken(people.RefreshToken, id)
	if err != nil {
		return model.Session{}, secret.String{}, err
	}
	session, err := s.Sessions.Enter(ctx, "finish-sso", who, model.Session{
		ID: model.SessionID(id), Organization: org, Hash: hash, Address: a.Address, Client: a.Client, SSO: true, EndsAt: s.Now().Add(config.SessionAge()).UTC(),
	})
	var refused *people.RefusedError
	if errors.As(err, &refused) { // removed or suspended in this moment
		return session, secret.String{}, refuse(CodeNotMember, err)
	}
	return session, refresh, err
}

// tries is how often a member is looked at anew whom others change at the same moment.
const tries = 5

// admit finds or makes the person and the member, and gives the member what the groups say.
func (s *SignIn) admit(ctx context.Context, org model.OrganizationID, config model.SSO, w whoever, address string) (model.Person, error) {
	by := func(action string) model.Change {
		return model.Change{
			Actor:   model.Actor{Kind: model.ActorSystem, ID: "sso", Name: w.address},
			Address: model.Cut(address, model.MaxClient), Action: action, At: s.Now(),
		}
	}
	for try := 1; ; try++ {
		who, err := s.person(ctx, org, config, w, by)
		if err == nil {
			err = s.member(ctx, org, config, w, who, by)
		}
		if !errors.Is(err, store.ErrConflict) || try == tries {
			return who, err
		}
	}
}

// person is who has the identity; else the member whom the organization invited by the
// address, and who still has it; else, if what the provider says is enough to be a member,
// somebody new. An address that a member has in another way is nobody's proof: anybody could
// be taken over by whoever came to it first.
func (s *SignIn) person(ctx context.Context, org model.OrganizationID, config model.SSO, w whoever, by func(string) model.Change) (model.Person, error) {
	dir, records := s.Store.People(), s.Store.For(org)
	who, identity, err := dir.ByIdentity(ctx, org, config.Issuer, w.subject)
	if !errors.Is(err, store.ErrNotFound) {
		return who, err
	}
	identity = model.SSOIdentity{Issuer: config.Issuer, Subject: w.subject, Since: s.Now().UTC(), Version: identity.Version}
	if err := (model.SSOIdentity{Issuer: identity.Issuer, Subject: identity.Subject, Person: model.PersonID(ulid.Make().String())}).Check(); err != nil {
		return who, refuse(CodeToken, fmt.Errorf("sub: %w", err))
	}
	var m model.Member
	who, err = dir.ByEmail(ctx, w.address)
	if err == nil {
		m, err = records.Member(ctx, who.ID)
	}
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return who, err
	case err == nil && m.Vouched(who, w.address):
		identity.Person = who.ID
		return who, records.PutIdentity(ctx, by("link-sso-identity"), &identity)
	}
	if _, err := s.granted(config, w); err != nil {
		return who, err
	}
	who = model.Person{ID: model.PersonID(ulid.Make().String()), Email: w.address, Name: w.name, CreatedAt: s.Now().UTC()}
	identity.Person = who.ID
	return who, dir.CreateByIdentity(ctx, org, by("create-sso-person"), &who, &identity)
}

// granted is what somebody may do who is no member yet, or a *RefusedError.
func (s *SignIn) granted(config model.SSO, w whoever) (model.Grant, error) {
	grant, _, ok := config.GrantOf(w.groups)
	switch {
	case config.MembersOnly || !config.Maps() && config.Otherwise == nil:
		return grant, refuse(CodeNotMember, nil)
	case !ok && !w.told:
		return grant, refuse(CodeGroupsNotTold, errors.New("the claim is left out"))
	case !ok:
		return grant, refuse(CodeGroups, nil)
	}
	return grant, nil
}

// member makes a person a member, or gives a member what the groups say. Whom they give
// nothing any more is suspended, so that its sessions and tokens end as well: an
// administrator takes that back. Without a claim of groups nobody is, since who maintains
// the provider may have lost it.
func (s *SignIn) member(ctx context.Context, org model.OrganizationID, config model.SSO, w whoever, who model.Person, by func(string) model.Change) error {
	records := s.Store.For(org)
	m, err := records.Member(ctx, who.ID)
	if errors.Is(err, store.ErrNotFound) {
		grant, err := s.granted(config, w)
		if err != nil {
			return err
		}
		m = model.Member{Person: who.ID, Role: grant.Role, Projects: grant.Projects, Since: s.Now().UTC()}
		return s.Store.People().Join(ctx, org, by("join-by-sso"), &m)
	}
	if err != nil {
		return err
	}
	if m.Suspended {
		return refuse(CodeSuspended, nil)
	}
	if !config.Maps() {
		return nil
	}
	grant, _, ok := config.GrantOf(w.groups)
	if !ok && !w.told {
		return refuse(CodeGroupsNotTold, errors.New("the claim is left out"))
	}
	changed := m
	if ok {
		changed.Role, changed.Projects = grant.Role, grant.Projects
	} else {
		changed.Suspended = true
	}
	if changed.Role == m.Role && changed.Suspended == m.Suspended && slices.Equal(changed.Projects, m.Projects) {
		return nil
	}
	action := "set-role-by-sso"
	if changed.Suspended {
		action = "suspend-by-sso"
	}
	if err := s.change(ctx, records, m, &changed, by(action)); err != nil {
		return err
	}
	if changed.Suspended {
		return refuse(CodeGroups, nil)
	}
	return nil
}

// change writes a member, unless there would be no administrator.
func (s *SignIn) change(ctx context.Context, records *store.Organization, was model.Member, m *model.Member, by model.Change) error {
	if !was.Administers() || m.Administers() {
		return records.ChangeMember(ctx, by, m)
	}
	err := records.StepDown(ctx, was)
	if errors.Is(err, store.ErrLastAdministrator) {
		err = refuse(CodeLastAdministrator, err)
	}
	if err == nil {
		err = records.ChangeMember(ctx, by, m)
	}
	return err
}

// notThere is a refusal for what is not found.
func notThere(code string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return refuse(code, err)
	}
	return err
}

func secretBinding(org model.OrganizationID, c model.SSO) secret.Binding {
	// The client secret opens for whom it was given, so that nobody who can write to the
	// table has it sent elsewhere.
	return secret.Binding{Organization: string(org), Record: ssoKey, Field: fmt.Sprintf("client-secret %q %q", c.Issuer, c.ClientID)}
}

func (s *SignIn) password(ctx context.Context, org model.OrganizationID, c model.SSO) (secret.String, error) {
	if len(c.Secret) == 0 {
		return secret.String{}, nil
	}
	key, err := datakey.Open(ctx, s.Store.DataKeysOf(org), s.Keys, keyOwner(org))
	if err != nil {
		return secret.String{}, err
	}
	return key.Open(secretBinding(org, c), c.Secret)
}

// Configure writes how the people of an organization sign in, if that is as it was read:
// Version of the new one is that of the old. Without a client secret that from before stays,
// if it goes to the same issuer and client: whoever may change where it is sent could learn
// it. What is wrong is a *model.FieldError.
func (s *SignIn) Configure(ctx context.Context, org model.OrganizationID, by model.Change, c *model.SSO, password secret.String) error {
	if err := c.Check(); err != nil {
		return err
	}
	records := s.Store.For(org)
	was, err := records.SSO(ctx)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c.Secret, c.SecretSetAt = nil, time.Time{}
	switch same := was.Issuer == c.Issuer && was.ClientID == c.ClientID; {
	case len(password.Reveal()) > model.MaxSSOSecret:
		return &model.FieldError{Field: "client_secret", Reason: fmt.Sprintf("it has more than %d bytes", model.MaxSSOSecret)}
	case !password.Empty():
		key, err := datakey.Get(ctx, s.Store.DataKeysOf(org), s.Keys, keyOwner(org))
		if err != nil {
			return err
		}
		if c.Secret, err = key.Seal(secretBinding(org, *c), password); err != nil {
			return err
		}
		c.SecretSetAt = s.Now().UTC()
	case same:
		c.Secret, c.SecretSetAt = was.Secret, was.SecretSetAt
	case len(was.Secret) > 0:
		return &model.FieldError{Field: "client_secret", Reason: "the secret goes to another issuer or client than before, and has to be given anew"}
	}
	return records.PutSSO(ctx, by, c)
}
