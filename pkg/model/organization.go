package model

import (
	"regexp"
	"time"
)

// Organization is a tenant: people are its members, and connections, audits, findings and
// all else are of one.
type Organization struct {
	ID          OrganizationID `json:"id" minLength:"1" maxLength:"63" pattern:"^[a-z0-9][a-z0-9-]{0,62}$" example:"acme"`
	Name        string         `json:"name,omitempty" maxLength:"100" example:"Acme Corporation"`
	CreatedAt   time.Time      `json:"created_at"`
	SuspendedAt time.Time      `json:"suspended_at,omitzero" required:"false" doc:"Since when nobody is let in, and no audit begins"`
	DeletedAt   time.Time      `json:"deleted_at,omitzero" required:"false" doc:"Since when it is being deleted: nobody is let in, and nothing of it comes back"`
	PurgedAt    time.Time      `json:"purged_at,omitzero" required:"false" doc:"When everything that was kept of it was gone, but for its id, which is never given again"`

	Version int64 `json:"-"` // of the stored record
}

// MaxOrganizationName is how many characters the name of an organization has.
const MaxOrganizationName = 100

var organizationID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// IsOrganizationID reports whether a text can be the id of an organization.
func IsOrganizationID(text string) bool { return organizationID.MatchString(text) }

// Open reports whether its people and programs are let in.
func (o Organization) Open() bool { return o.SuspendedAt.IsZero() && o.DeletedAt.IsZero() }

// Check refuses what nobody may say of an organization, with a *FieldError.
func (o Organization) Check() error {
	if !IsOrganizationID(string(o.ID)) {
		return wrong("id", "an id has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its beginning")
	}
	return o.CheckName()
}

// CheckName refuses what nobody may call an organization, with a *FieldError.
func (o Organization) CheckName() error { return checkText("name", o.Name, MaxOrganizationName) }
