package model

import (
	"slices"
	"time"
)

// SessionID names a session. It is no secret.
type SessionID string

// TokenID names an API token. It is no secret.
type TokenID string

// Session is a sign-in of a person to one organization, on one device.
type Session struct {
	ID           SessionID      `json:"id" doc:"A ULID"`
	Person       PersonID       `json:"person"`
	Organization OrganizationID `json:"organization"`
	CreatedAt    time.Time      `json:"created_at"`
	ProvenAt     time.Time      `json:"proven_at,omitzero" required:"false" doc:"When the person proved who it is, if that was for an earlier session that this one goes on from: all of them together last 90 days"`
	UsedAt       time.Time      `json:"used_at" doc:"When its refresh token was last used"`
	ExpiresAt    time.Time      `json:"expires_at" doc:"When it ends unless its refresh token is used before"`
	EndsAt       time.Time      `json:"ends_at,omitzero" required:"false" doc:"When it ends at the latest, of single sign-on: the provider is asked again then"`
	Address      string         `json:"address,omitempty" doc:"That it was begun from"`
	Client       string         `json:"client,omitempty" doc:"What the browser or program said of itself"`
	SSO          bool           `json:"sso,omitempty" doc:"Begun by the organization's single sign-on: it changes nothing of the person that counts in other organizations"`

	// MemberSince and Epoch are those of the member and the person when it was begun.
	MemberSince time.Time `json:"-"`
	Epoch       int64     `json:"-"`
	// Generation counts the refresh tokens: the first is 1. Hash is that of the newest.
	Generation int64  `json:"-"`
	Hash       Hidden `json:"-"`

	Version int64 `json:"-"` // of the stored record
}

// How long sessions last.
const (
	SessionIdle = 14 * 24 * time.Hour // without a use of the refresh token
	SessionAge  = 90 * 24 * time.Hour // in all
)

// MaxClient is how much is kept of what a program says of itself, in bytes.
const MaxClient = 200

// Until is when the session ends at the latest.
func (s Session) Until() time.Time {
	until := s.Since().Add(SessionAge)
	if !s.EndsAt.IsZero() && s.EndsAt.Before(until) {
		return s.EndsAt
	}
	return until
}

// Since is when the person proved who it is: to go over to another organization, or to let a
// program in, asks for no proof again.
func (s Session) Since() time.Time {
	if s.ProvenAt.IsZero() {
		return s.CreatedAt
	}
	return s.ProvenAt
}

// Use notes that the refresh token is used.
func (s *Session) Use(now time.Time) {
	s.UsedAt, s.ExpiresAt = now, now.Add(SessionIdle)
	if until := s.Until(); until.Before(s.ExpiresAt) {
		s.ExpiresAt = until
	}
}

// Live reports whether the session goes on.
func (s Session) Live(now time.Time) bool { return now.Before(s.ExpiresAt) }

// APIToken lets a program do some of what its owner may do in an organization.
type APIToken struct {
	ID        TokenID   `json:"id" doc:"A ULID"`
	Name      string    `json:"name" minLength:"1" maxLength:"100" example:"nightly pipeline"`
	Owner     PersonID  `json:"owner" doc:"The token does nothing that its owner may not do, and ends with the owner's membership"`
	Scopes    []Scope   `json:"scopes" minItems:"1" maxItems:"4" enum:"read,audit,connections,admin"`
	Projects  []string  `json:"projects,omitempty" maxItems:"100" doc:"Projects that it is for; all of its owner's if left out"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	LastUsed  string    `json:"last_used,omitempty" format:"date" readOnly:"true" doc:"A day, in UTC; left out of a token that was never used" example:"2026-11-30"`

	MemberSince time.Time `json:"-"` // of its owner, when it was made
	Hash        Hidden    `json:"-"` // of the token
	Version     int64     `json:"-"` // of the stored record
}

// How long API tokens are good for.
const (
	TokenAge    = 90 * 24 * time.Hour // unless somebody says otherwise
	MaxTokenAge = 365 * 24 * time.Hour
)

// Live reports whether the token is still good.
func (t APIToken) Live(now time.Time) bool { return now.Before(t.ExpiresAt) }

// Check refuses what nobody may say of an API token, with a *FieldError.
func (t APIToken) Check() error {
	switch {
	case !IsULID(string(t.ID)):
		return wrong("id", "it is no ULID")
	case !IsULID(string(t.Owner)):
		return wrong("owner", "it is no ULID")
	case t.Name == "":
		return wrong("name", "a token needs a name, to be told by")
	case len(t.Scopes) == 0:
		return wrong("scopes", "a token needs a scope")
	}
	if err := checkText("name", t.Name, MaxTokenName); err != nil {
		return err
	}
	for i, s := range t.Scopes {
		if !slices.Contains(RoleAdmin.Scopes(), s) || slices.Contains(t.Scopes[:i], s) {
			return wrong("scopes", "each is one of %v, and there once", RoleAdmin.Scopes())
		}
	}
	if err := checkProjects(t.Projects); err != nil {
		return err
	}
	if len(t.Projects) > 0 && slices.Contains(t.Scopes, ScopeAdmin) {
		return wrong("projects", "the scope %q is of the whole organization, and not of some projects", ScopeAdmin)
	}
	return checkAge(t.CreatedAt, t.ExpiresAt, MaxTokenAge)
}
