package iam

import (
	"strings"
	"time"
)

// RootCredentials is what GetAccountSummary tells of the root user.
type RootCredentials struct {
	MFA          bool `json:"mfa"`
	AccessKeys   bool `json:"access_keys"`
	Certificates bool `json:"certificates"` // X.509 signing certificates
	// NoPassword is set if AWS says that there is no password: a member account
	// whose organization manages root access centrally.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management
	NoPassword bool `json:"no_password,omitempty"`
}

// None reports whether nobody can sign in or sign requests as the root user.
func (c RootCredentials) None() bool { return c.NoPassword && !c.AccessKeys && !c.Certificates }

// RootUsage is when the root user was last used, nil for never.
type RootUsage struct {
	Reported     time.Time  `json:"reported"` // when AWS made the report
	PasswordUsed *time.Time `json:"password_used,omitempty"`
	KeyUsed      *time.Time `json:"key_used,omitempty"`
}

// PasswordRules is the account's password policy.
type PasswordRules struct {
	Set            bool `json:"set"` // false: the account has IAM's default
	MinimumLength  int  `json:"minimum_length"`
	Uppercase      bool `json:"uppercase"`
	Lowercase      bool `json:"lowercase"`
	Numbers        bool `json:"numbers"`
	Symbols        bool `json:"symbols"`
	MaximumAgeDays int  `json:"maximum_age_days"` // 0: passwords do not expire
	Remembered     int  `json:"remembered"`       // earlier passwords that may not come again
}

// UserDetail is what GetAccountAuthorizationDetails tells of a user.
type UserDetail struct {
	Created  time.Time `json:"created"`
	Groups   []string  `json:"groups,omitempty"`   // names
	Attached []string  `json:"attached,omitempty"` // ARNs of managed policies
	Inline   []string  `json:"inline,omitempty"`   // names of inline policies
	Boundary string    `json:"boundary,omitempty"` // ARN of the permissions boundary
}

// Credentials is a user's row of the credential report. Times are nil where the
// report has none: never used, or no such credential.
type Credentials struct {
	Reported        time.Time   `json:"reported"` // when AWS made the report, up to four hours ago
	Password        bool        `json:"password"` // can sign in to the console
	PasswordUsed    *time.Time  `json:"password_used,omitempty"`
	PasswordChanged *time.Time  `json:"password_changed,omitempty"`
	MFA             bool        `json:"mfa"`
	Keys            []KeyDetail `json:"keys,omitempty"`
}

// ActiveKeys are the keys that can sign requests.
func (c Credentials) ActiveKeys() []KeyDetail {
	var active []KeyDetail
	for _, k := range c.Keys {
		if k.Active {
			active = append(active, k)
		}
	}
	return active
}

// KeyDetail is what the credential report tells of an access key.
type KeyDetail struct {
	Number  int        `json:"number"` // 1 or 2
	Active  bool       `json:"active"`
	Rotated *time.Time `json:"rotated,omitempty"` // created or changed
	Used    *time.Time `json:"used,omitempty"`    // nil: never
}

// GroupDetail is what GetAccountAuthorizationDetails tells of a group.
type GroupDetail struct {
	Attached []string `json:"attached,omitempty"` // ARNs of managed policies
}

// RoleDetail is what GetAccountAuthorizationDetails tells of a role.
type RoleDetail struct {
	Path     string     `json:"path"`
	Created  time.Time  `json:"created"`
	Trust    string     `json:"trust"`              // the trust policy, a JSON document
	Attached []string   `json:"attached,omitempty"` // ARNs of managed policies
	Boundary string     `json:"boundary,omitempty"` // ARN of the permissions boundary
	Used     *time.Time `json:"used,omitempty"`     // nil: not in the 400 days that AWS looks back
}

// ServiceLinked reports whether an AWS service owns the role: the account can
// change neither its trust nor its permissions.
func (d RoleDetail) ServiceLinked() bool { return serviceLinked(d.Path) }

// Reserved reports whether IAM Identity Center made the role from a permission
// set and keeps it as that says.
func (d RoleDetail) Reserved() bool { return strings.HasPrefix(d.Path, "/aws-reserved/") }

func serviceLinked(path string) bool { return strings.HasPrefix(path, "/aws-service-role/") }

// PolicyDetail is what GetAccountAuthorizationDetails tells of a managed policy.
type PolicyDetail struct {
	AWS         bool   `json:"aws"`         // AWS wrote it
	Attachments int    `json:"attachments"` // users, groups and roles that have it
	Boundaries  int    `json:"boundaries"`  // users and roles that it bounds
	Document    string `json:"document"`    // of the default version, JSON
}

// InlinePolicyDetail is a policy within a user, group or role.
type InlinePolicyDetail struct {
	OwnerPath string `json:"owner_path"`
	Document  string `json:"document"` // JSON
}

// ServerCertificateDetail is what ListServerCertificates tells.
type ServerCertificateDetail struct {
	Expires time.Time `json:"expires"`
}

// SAMLProviderDetail is what ListSAMLProviders tells.
type SAMLProviderDetail struct {
	ValidUntil *time.Time `json:"valid_until,omitempty"` // of the metadata's certificate
}

// OIDCProviderDetail is what the provider's ARN tells.
type OIDCProviderDetail struct {
	Issuer string `json:"issuer"` // "token.actions.githubusercontent.com"
}
