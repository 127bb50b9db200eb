package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// PersonID names a person, in all organizations. Like the ids below it is a ULID.
type PersonID string

// InvitationID names an invitation. It is no secret: the link has that besides.
type InvitationID string

// RecoveryID names a recovery link. It is no secret: the link has that besides.
type RecoveryID string

// Person is somebody who can sign in. People are of no organization: who may do what
// where, a Member says.
type Person struct {
	ID        PersonID  `json:"id" doc:"A ULID" example:"01KBA0Q7Z3M2X9V5T1R8N4C6DE"`
	Email     string    `json:"email" format:"email" maxLength:"254" doc:"Signs in by it; no two people have the same" example:"anna@example.com"`
	Name      string    `json:"name,omitempty" maxLength:"100" example:"Anna"`
	CreatedAt time.Time `json:"created_at"`
	TOTP      bool      `json:"totp" doc:"Signs in with a code of an authenticator app, too"`

	Credentials Credentials `json:"-"`
	// Epoch counts what ended all sessions of the person, such as a new password: a
	// session that was begun in an earlier one is none.
	Epoch int64 `json:"-"`

	Version int64 `json:"-"` // of the stored record
}

// Credentials are what a person is known by.
type Credentials struct {
	Password Hidden // its hash, as a PHC string; empty before one was chosen
	// TOTP is the secret of the authenticator app, sealed; it counts when Person.TOTP says
	// so, which a first code does. TOTPStep is the last step that a code was taken of.
	TOTP        Hidden
	TOTPStep    int64
	BackupCodes []Hidden // hashes of those that were not used
	Devices     []Device // that the person signed in on, the newest last
	// NewTOTP is the secret, sealed, of an app that was set up and has shown no code yet.
	// The one before counts until it does.
	NewTOTP  Hidden
	Passkeys []Passkey // the oldest first
}

// Passkey is a WebAuthn credential that somebody signs in with, beside the password.
type Passkey struct {
	ID        string    `json:"id" doc:"A ULID" example:"01KBA0Q7Z3M2X9V5T1R8N4C6DE"`
	Name      string    `json:"name" minLength:"1" maxLength:"100" example:"Anna's laptop"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero" doc:"When somebody last signed in with it; left out if nobody did"`

	Credential Hidden `json:"-"` // public key, sign counter and flags
}

// MaxPasskeys is how many a person has.
const MaxPasskeys = 10

// SecondFactor reports whether the person shows more than the password to sign in.
func (p Person) SecondFactor() bool { return p.TOTP || len(p.Credentials.Passkeys) > 0 }

// Role is what somebody may do in an organization.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"  // everything
	RoleClient Role = "client" // reads the projects that are granted
)

// Scopes are what somebody in the role may do at most.
func (r Role) Scopes() []Scope {
	switch r {
	case RoleAdmin:
		return []Scope{ScopeRead, ScopeAudit, ScopeConnections, ScopeAdmin}
	case RoleClient:
		return []Scope{ScopeRead}
	}
	return nil
}

// Scope is a part of what can be done in an organization. None contains another, so that
// a token which starts audits from a pipeline reads nothing.
type Scope string

// The scopes.
const (
	ScopeRead        Scope = "read"        // reads connections, audits and findings
	ScopeAudit       Scope = "audit"       // starts, cancels and retries audits
	ScopeConnections Scope = "connections" // adds, changes, verifies and deletes connections
	ScopeAdmin       Scope = "admin"       // members, projects, tokens, settings and the admin log
)

// Member is a person in an organization.
type Member struct {
	Person    PersonID `json:"person"`
	Role      Role     `json:"role" enum:"admin,client"`
	Projects  []string `json:"projects,omitempty" maxItems:"100" doc:"Projects that a client may read; left out of an admin, who reads all"`
	Suspended bool     `json:"suspended,omitempty" doc:"May do nothing until that is taken back"`
	// Since tells one membership from an earlier one: sessions and tokens of that stay dead.
	Since time.Time `json:"since"`
	// InvitedAs is the one address of which the organization said whose it is. Whatever else
	// a person goes by, others said, or nobody did.
	InvitedAs string `json:"invited_as,omitempty" doc:"The e-mail address of the invitation that the member accepted, by which single sign-on finds the member; left out of whom single sign-on brought in" example:"anna@example.com"`

	Version int64 `json:"-"` // of the stored record
}

// Vouched reports whether the organization itself said that an e-mail address is the
// member's, who still has it.
func (m Member) Vouched(who Person, address string) bool {
	address = NormalEmail(address)
	return m.Person == who.ID && m.InvitedAs != "" && NormalEmail(m.InvitedAs) == address && NormalEmail(who.Email) == address
}

// Administers reports whether the member can make others administrators.
func (m Member) Administers() bool { return m.Role == RoleAdmin && !m.Suspended }

// Project is a part of an organization that can be granted. Connections name theirs.
type Project struct {
	Name        string    `json:"name" minLength:"1" maxLength:"100" pattern:"^[A-Za-z0-9._-]+$" example:"shop"`
	Description string    `json:"description,omitempty" maxLength:"500"`
	CreatedAt   time.Time `json:"created_at"`
	// Options are what options of checks are set to for its connections, in place of what the
	// organization says.
	Options CheckOptions `json:"options,omitempty" doc:"Options of checks for the connections of the project, by check and name; what the organization says where it says nothing"`

	Version int64 `json:"-"` // of the stored record
}

// Invitation makes whoever has its link, and the e-mail address, a member.
type Invitation struct {
	ID        InvitationID `json:"id" doc:"A ULID"`
	Email     string       `json:"email" format:"email" maxLength:"254"`
	Role      Role         `json:"role" enum:"admin,client"`
	Projects  []string     `json:"projects,omitempty" maxItems:"100" doc:"Projects that a client may read"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at"`

	Hash    Hidden `json:"-"` // of the link's secret
	Version int64  `json:"-"` // of the stored record
}

// Live reports whether the link is still good.
func (i Invitation) Live(now time.Time) bool { return now.Before(i.ExpiresAt) }

// Recovery lets whoever has its link choose a new password, and enrol a new authenticator
// app.
type Recovery struct {
	ID        RecoveryID `json:"id" doc:"A ULID"`
	Person    PersonID   `json:"person"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	// ByOperator lets the link recover a person who belongs to other organizations, too: no
	// organization's administrator may have what is of another.
	ByOperator bool `json:"by_operator,omitempty" doc:"An operator made it"`

	Hash    Hidden `json:"-"` // of the link's secret
	Version int64  `json:"-"` // of the stored record
}

// Live reports whether the link is still good.
func (r Recovery) Live(now time.Time) bool { return now.Before(r.ExpiresAt) }

// How much people may say of people. Numbers of characters, unless they say otherwise.
const (
	MaxEmail       = 254 // bytes: RFC 5321, section 4.5.3.1.3, less the angle brackets; https://www.rfc-editor.org/errata/eid1690
	MaxPersonName  = 100
	MaxPasskeyName = 100
	MaxDescription = 500
	MaxGrants      = 100 // projects of a member, an invitation or a token
	MaxTokenName   = 100
)

// How long links are good for. An invitation waits for somebody on holiday; a recovery is
// handed over while both sides talk.
const (
	InvitationAge = 7 * 24 * time.Hour
	RecoveryAge   = time.Hour
)

var (
	// Those that can be typed into a browser's field
	// (https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address, read on 30
	// November 2026), with a dot in the domain. Addresses beyond ASCII are refused: of two
	// that differ by a letter alone which only looks the same, or becomes the same in lower
	// case, one person must not get the other's.
	email = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_` + "`" + `{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$`)
	ulid  = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`) // https://github.com/ulid/spec
)

// IsULID reports whether a text is an id in the form that CloudArq makes.
func IsULID(text string) bool { return ulid.MatchString(text) }

// NormalEmail is an e-mail address as two are compared: nearly every provider takes both
// parts in any case.
func NormalEmail(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// Check refuses what nobody may say of a person, with a *FieldError.
func (p Person) Check() error {
	if !IsULID(string(p.ID)) {
		return wrong("id", "it is no ULID")
	}
	if err := checkEmail("email", p.Email); err != nil {
		return err
	}
	for i, k := range p.Credentials.Passkeys {
		if i >= MaxPasskeys {
			return wrong("passkeys", "%d are too many, at most %d are possible", len(p.Credentials.Passkeys), MaxPasskeys)
		}
		if err := k.Check(); err != nil {
			return err
		}
	}
	return checkText("name", p.Name, MaxPersonName)
}

// Check refuses what nobody may say of a passkey, with a *FieldError.
func (k Passkey) Check() error {
	switch {
	case !IsULID(k.ID):
		return wrong("id", "it is no ULID")
	case k.Name == "":
		return wrong("name", "a passkey needs a name, to be told by")
	}
	return checkText("name", k.Name, MaxPasskeyName)
}

// Check refuses what nobody may say of a member, with a *FieldError.
func (m Member) Check() error {
	if !IsULID(string(m.Person)) {
		return wrong("person", "it is no ULID")
	}
	if m.InvitedAs != "" {
		if err := checkEmail("invited_as", m.InvitedAs); err != nil {
			return err
		}
	}
	return checkGrant(m.Role, m.Projects)
}

// Check refuses what nobody may say of a project, with a *FieldError.
func (p Project) Check() error {
	if p.Name == "" || !isProject(p.Name) {
		return wrong("name", "the name of a project has 1 to %d letters, digits, dots, underscores and hyphens", MaxConnectionName)
	}
	if err := p.Options.Check(); err != nil {
		return err
	}
	return checkText("description", p.Description, MaxDescription)
}

// Check refuses what nobody may say of an invitation, with a *FieldError.
func (i Invitation) Check() error {
	if !IsULID(string(i.ID)) {
		return wrong("id", "it is no ULID")
	}
	if err := checkEmail("email", i.Email); err != nil {
		return err
	}
	if err := checkAge(i.CreatedAt, i.ExpiresAt, InvitationAge); err != nil {
		return err
	}
	return checkGrant(i.Role, i.Projects)
}

// Check refuses what nobody may say of a recovery link, with a *FieldError.
func (r Recovery) Check() error {
	switch {
	case !IsULID(string(r.ID)):
		return wrong("id", "it is no ULID")
	case !IsULID(string(r.Person)):
		return wrong("person", "it is no ULID")
	}
	return checkAge(r.CreatedAt, r.ExpiresAt, RecoveryAge)
}

func checkEmail(field, address string) error {
	if len(address) > MaxEmail || !email.MatchString(address) {
		return wrong(field, "it is no e-mail address of at most %d letters, digits and signs of ASCII", MaxEmail)
	}
	return nil
}

func checkAge(from, until time.Time, most time.Duration) error {
	if age := until.Sub(from); age <= 0 || age > most {
		return wrong("expires_at", "it is not within %s of when it was made", most)
	}
	return nil
}

func checkGrant(role Role, projects []string) error {
	if role.Scopes() == nil {
		return wrong("role", "a role is %q or %q", RoleAdmin, RoleClient)
	}
	if role == RoleAdmin && len(projects) > 0 {
		return wrong("projects", "an admin reads all projects; only a client is granted some")
	}
	return checkProjects(projects)
}

func checkProjects(projects []string) error {
	if len(projects) > MaxGrants {
		return wrong("projects", "%d are too many, at most %d are possible", len(projects), MaxGrants)
	}
	for i, p := range projects {
		if p == "" || !isProject(p) {
			return wrong(fmt.Sprintf("projects[%d]", i), "it is no name of a project")
		}
		if slices.Contains(projects[:i], p) {
			return wrong(fmt.Sprintf("projects[%d]", i), "it is there twice")
		}
	}
	return nil
}
