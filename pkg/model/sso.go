package model

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// SSO is how the people of an organization sign in by its own provider of OpenID Connect.
type SSO struct {
	Enabled  bool     `json:"enabled"`
	Issuer   string   `json:"issuer" format:"uri" maxLength:"256" doc:"As the provider's discovery document has it, to the letter" example:"https://acme.okta.com"`
	ClientID string   `json:"client_id" minLength:"1" maxLength:"256" example:"0oa1b2c3d4E5f6G7h8i9"`
	Scopes   []string `json:"scopes,omitempty" maxItems:"20" doc:"To ask for; \"openid email profile\" if left out. Some providers tell groups only if they are asked for"`
	Domains  []string `json:"domains" maxItems:"50" doc:"Of e-mail addresses. Whose verified address is in none of them is refused" example:"[\"acme.com\"]"`
	// AddressesVerified stands in for a claim that is left out, and not for one that says no.
	AddressesVerified bool       `json:"addresses_verified,omitempty" doc:"The provider leaves email_verified out of its tokens, and nobody but its administrators gives people their addresses"`
	GroupsClaim       string     `json:"groups_claim,omitempty" maxLength:"256" doc:"\"groups\" if left out"`
	Groups            []SSOGroup `json:"groups,omitempty" maxItems:"200" doc:"What groups of the provider may do. If there are any, role and projects of a member are set anew at each sign-in: the highest role, and the projects of all the groups"`
	Otherwise         *Grant     `json:"otherwise,omitempty" doc:"What those may do who are in none of the groups; they are refused if it is left out"`
	MembersOnly       bool       `json:"members_only,omitempty" doc:"Nobody becomes a member by signing in"`
	SessionHours      int        `json:"session_hours,omitempty" minimum:"1" maximum:"2160" doc:"How long a session lasts until the provider is asked again, in hours; 24 if left out"`
	SecretSetAt       time.Time  `json:"client_secret_set_at,omitzero" readOnly:"true" doc:"When the client secret was given, which is never shown; left out if there is none"`

	Secret  Hidden `json:"-"` // the client secret, sealed
	Version int64  `json:"-"` // of the stored record
}

// Grant is what somebody may do in an organization.
type Grant struct {
	Role     Role     `json:"role" enum:"admin,client"`
	Projects []string `json:"projects,omitempty" maxItems:"100" doc:"Projects that a client may read" example:"[\"shop\"]"`
}

// SSOGroup is what a group of a provider may do.
type SSOGroup struct {
	Group string `json:"group" minLength:"1" maxLength:"256" doc:"As the claim has it: a name, or an id" example:"auditors"`
	Grant
}

// SSOIdentity is who somebody is to an organization's provider.
type SSOIdentity struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Person  PersonID  `json:"person"`
	Since   time.Time `json:"since"`

	Version int64 `json:"-"` // of the stored record
}

// How much people may say of single sign-on.
const (
	MaxIssuer     = 256
	MaxClientID   = 256
	MaxScopes     = 20
	MaxDomains    = 50
	MaxClaimName  = 256
	MaxSSOGroups  = 200
	MaxGroupName  = 256
	MaxSubject    = 255 // ASCII characters: OpenID Connect Core 1.0, section 2
	MaxSSOSecret  = 1024
	GroupsClaim   = "groups" // unless somebody says otherwise
	scopeOfOpenID = "openid"

	MaxSSOHours = int(SessionAge / time.Hour)
	// SSOHours are a day, unless somebody says otherwise: the provider alone knows who left, or
	// what groups somebody is in, and it is asked when a session begins. A working day of
	// twelve hours would end in the middle of an audit; with the two weeks of other sessions
	// somebody who left would stay in as long.
	SSOHours = 24
)

var (
	domain = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$`)
	scope  = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,256}$`) // RFC 6749, section 3.3
)

// SessionAge is how long a session lasts until the provider is asked again.
func (s SSO) SessionAge() time.Duration {
	return time.Duration(cmp.Or(s.SessionHours, SSOHours)) * time.Hour
}

// Maps reports whether the provider decides on roles.
func (s SSO) Maps() bool { return len(s.Groups) > 0 }

// Claim is the claim that has the groups.
func (s SSO) Claim() string {
	if s.GroupsClaim == "" {
		return GroupsClaim
	}
	return s.GroupsClaim
}

// Asks are the scopes to ask for.
func (s SSO) Asks() []string {
	if len(s.Scopes) == 0 {
		return []string{scopeOfOpenID, "email", "profile"}
	}
	if slices.Contains(s.Scopes, scopeOfOpenID) {
		return s.Scopes
	}
	return append([]string{scopeOfOpenID}, s.Scopes...)
}

// InDomains reports whether an e-mail address is in one of the domains. Those below a
// domain are not in it, nor is what is no address.
func (s SSO) InDomains(address string) bool {
	_, of, _ := strings.Cut(NormalEmail(address), "@")
	return checkEmail("", address) == nil && slices.Contains(s.Domains, of)
}

// GrantOf is what somebody may do who is in groups: the highest role of any, and if that is
// client the projects of all. mapped says that one of the groups is mapped, and that it is
// not what is granted otherwise; granted, that it is anything.
func (s SSO) GrantOf(groups []string) (g Grant, mapped, granted bool) {
	in := make(map[string]bool, len(groups))
	for _, name := range groups {
		in[name] = true
	}
	for _, group := range s.Groups {
		if !in[group.Group] {
			continue
		}
		if group.Role == RoleAdmin {
			return Grant{Role: RoleAdmin}, true, true
		}
		mapped, g.Role = true, group.Role
		for _, p := range group.Projects {
			if !slices.Contains(g.Projects, p) {
				g.Projects = append(g.Projects, p)
			}
		}
	}
	if !mapped && s.Otherwise != nil {
		return *s.Otherwise, false, true
	}
	slices.Sort(g.Projects)
	return g, mapped, mapped
}

// Check refuses what nobody may say of single sign-on, with a *FieldError.
func (s SSO) Check() error {
	if !IsIssuer(s.Issuer) {
		return wrong("issuer", "it is no https URL of at most %d characters without query, fragment and user", MaxIssuer)
	}
	if err := checkName("client_id", s.ClientID, MaxClientID); err != nil {
		return err
	}
	if len(s.Scopes) > MaxScopes {
		return wrong("scopes", "%d are too many, at most %d are possible", len(s.Scopes), MaxScopes)
	}
	for i, name := range s.Scopes {
		if !scope.MatchString(name) {
			return wrong(fmt.Sprintf("scopes[%d]", i), "it is no scope")
		}
	}
	if len(s.Domains) == 0 || len(s.Domains) > MaxDomains {
		return wrong("domains", "they are 1 to %d, so that nobody is let in by an address that the provider has no say in", MaxDomains)
	}
	for i, name := range s.Domains {
		if len(name) > MaxEmail || !domain.MatchString(name) {
			return wrong(fmt.Sprintf("domains[%d]", i), "it is no domain in lower case, like acme.com")
		}
	}
	if err := checkText("groups_claim", s.GroupsClaim, MaxClaimName); err != nil {
		return err
	}
	if s.SessionHours < 0 || s.SessionHours > MaxSSOHours {
		return wrong("session_hours", "they are 1 to %d", MaxSSOHours)
	}
	return s.checkGrants()
}

func (s SSO) checkGrants() error {
	if len(s.Groups) > MaxSSOGroups {
		return wrong("groups", "%d are too many, at most %d are possible", len(s.Groups), MaxSSOGroups)
	}
	all := map[string]bool{}
	seen := map[string]bool{}
	for i, g := range s.Groups {
		field := fmt.Sprintf("groups[%d]", i)
		if err := checkName(field+".group", g.Group, MaxGroupName); err != nil {
			return err
		}
		if seen[g.Group] {
			return wrong(field+".group", "it is there twice")
		}
		seen[g.Group] = true
		if err := checkGrant(g.Role, g.Projects); err != nil {
			return within(field, err)
		}
		for _, p := range g.Projects {
			all[p] = true
		}
	}
	if len(all) > MaxGrants {
		return wrong("groups", "they grant %d projects; a member has at most %d, and may be in all of the groups", len(all), MaxGrants)
	}
	if s.Otherwise != nil {
		return within("otherwise", checkGrant(s.Otherwise.Role, s.Otherwise.Projects))
	}
	return nil
}

// Check refuses what no provider may say of somebody, with a *FieldError.
func (i SSOIdentity) Check() error {
	switch {
	case !IsIssuer(i.Issuer):
		return wrong("issuer", "it is no issuer")
	case i.Subject == "" || len(i.Subject) > MaxSubject || Clean(i.Subject) != i.Subject:
		return wrong("subject", "it is no name of somebody, of at most %d characters", MaxSubject)
	case !IsULID(string(i.Person)):
		return wrong("person", "it is no ULID")
	}
	return nil
}

// IsIssuer reports whether a text can be an issuer: OpenID Connect Core 1.0, section 2.
func IsIssuer(text string) bool {
	if len(text) > MaxIssuer || !plain(text) || strings.ContainsAny(text, `?#\ `) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}

func checkName(field, text string, most int) error {
	if text == "" {
		return wrong(field, "it is empty")
	}
	return checkText(field, text, most)
}

// within is a *FieldError of a part of what was said.
func within(field string, err error) error {
	if e, ok := err.(*FieldError); ok { //nolint:errorlint // made a moment ago
		return &FieldError{Field: field + "." + e.Field, Reason: e.Reason}
	}
	return err
}
