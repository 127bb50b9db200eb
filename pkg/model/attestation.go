package model

import (
	"net/url"
	"regexp"
	"time"
)

// AttestationID identifies an attestation: a ULID.
type AttestationID string

// AttestationCovers says how much of a requirement is attested.
type AttestationCovers string

// How much of a requirement is attested.
const (
	CoversRequirement AttestationCovers = "requirement" // all of it, but for what fails
	CoversManual      AttestationCovers = "manual"      // what no check looks at, or not as strictly as is asked
)

// AttestationState is where an attestation is in its life.
type AttestationState string

// The states of an attestation.
const (
	AttestationRequested AttestationState = "requested" // somebody else has to approve it
	AttestationGood      AttestationState = "good"
	AttestationExpired   AttestationState = "expired" // its day is over: the requirement is open again
	AttestationWithdrawn AttestationState = "withdrawn"
)

// AttestationStates lists all states.
func AttestationStates() []AttestationState {
	return []AttestationState{AttestationRequested, AttestationGood, AttestationExpired, AttestationWithdrawn}
}

// Attestation is what a person says of a requirement of a framework: that it is met, why, and
// until when. It is of one connection, of a project, or of all that the organization has.
type Attestation struct {
	ID          AttestationID     `json:"id" doc:"A ULID"`
	Framework   string            `json:"framework"`
	Requirement string            `json:"requirement"`
	Covers      AttestationCovers `json:"covers" enum:"requirement,manual"`
	Connection  ConnectionID      `json:"connection,omitempty" doc:"Of this connection alone"`
	Project     string            `json:"project,omitempty" doc:"Of the connections of this project"`

	Why      string    `json:"why" doc:"Why it is met"`
	Evidence string    `json:"evidence,omitempty" doc:"Where that can be seen, an https URL"`
	Until    time.Time `json:"until" doc:"When it runs out, and the requirement is open again"`

	RequestedBy Actor     `json:"requested_by"`
	RequestedAt time.Time `json:"requested_at"`
	// NeedsApproval is what the organization wanted when it was requested.
	NeedsApproval bool      `json:"needs_approval" doc:"Somebody else has to approve it before it is good"`
	ApprovedBy    *Actor    `json:"approved_by,omitempty"`
	ApprovedAt    time.Time `json:"approved_at,omitzero"`
	WithdrawnBy   *Actor    `json:"withdrawn_by,omitempty"`
	WithdrawnAt   time.Time `json:"withdrawn_at,omitzero"`

	Version int64 `json:"-"` // of the stored record
}

// State is where it is at a moment.
func (a Attestation) State(now time.Time) AttestationState {
	switch {
	case a.WithdrawnBy != nil:
		return AttestationWithdrawn
	case !now.Before(a.Until):
		return AttestationExpired
	case a.NeedsApproval && a.ApprovedBy == nil:
		return AttestationRequested
	default:
		return AttestationGood
	}
}

// Of reports whether it speaks of a connection that is in some projects.
func (a Attestation) Of(connection ConnectionID, projects []string) bool {
	switch {
	case a.Connection != "":
		return a.Connection == connection
	case a.Project != "":
		for _, p := range projects {
			if p == a.Project {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// What an attestation may say.
const (
	MaxWhy         = 2000 // characters
	MaxEvidence    = 2000 // characters of a link
	MaxAttestation = 3 * 366 * 24 * time.Hour
	MaxRequirement = 64 // characters of a requirement's, and of a framework's, id
)

var requirementID = regexp.MustCompile(`^[A-Za-z0-9&._-]+$`)

// Check refuses what nobody may say in an attestation, with a *FieldError. That the framework
// has the requirement is asked elsewhere.
func (a Attestation) Check() error {
	for _, id := range []struct{ field, value string }{{"framework", a.Framework}, {"requirement", a.Requirement}} {
		if len(id.value) > MaxRequirement || !requirementID.MatchString(id.value) {
			return wrong(id.field, "it has 1 to %d letters, digits, dots, underscores, hyphens and &", MaxRequirement)
		}
	}
	switch {
	case !IsULID(string(a.ID)):
		return wrong("id", "it is no ULID")
	case a.Covers != CoversRequirement && a.Covers != CoversManual:
		return wrong("covers", "want %s or %s", CoversRequirement, CoversManual)
	case a.Connection != "" && a.Project != "":
		return wrong("project", "an attestation is of a connection or of a project")
	case a.Project != "" && !isProject(a.Project):
		return wrong("project", "the project has at most %d letters, digits, dots, underscores and hyphens", MaxConnectionName)
	case a.Why == "":
		return wrong("why", "say why the requirement is met")
	case !a.Until.After(a.RequestedAt):
		return wrong("until", "it is over already")
	case a.Until.Sub(a.RequestedAt) > MaxAttestation:
		return wrong("until", "an attestation is good for three years at most")
	}
	if err := checkText("why", a.Why, MaxWhy); err != nil {
		return err
	}
	if a.Evidence == "" {
		return nil
	}
	if u, err := url.Parse(a.Evidence); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(a.Evidence) > MaxEvidence {
		return wrong("evidence", "want an https URL of at most %d characters, without a user", MaxEvidence)
	}
	return checkText("evidence", a.Evidence, MaxEvidence)
}

// AttestationError says why an attestation cannot be approved.
type AttestationError struct{ Code, reason string }

func (e *AttestationError) Error() string { return e.reason }

// Approve notes who approves it, or is an *AttestationError: it is not waiting for that, or the
// same person requested it. Approving it again changes nothing.
func (a *Attestation) Approve(by Actor, now time.Time) error {
	switch state := a.State(now); {
	case state == AttestationGood && a.ApprovedBy != nil && *a.ApprovedBy == by:
		return nil
	case state != AttestationRequested:
		return &AttestationError{"not_requested", "the attestation is " + string(state) + ", and waits for no approval"}
	case a.RequestedBy.ID == by.ID:
		return &AttestationError{"own_request", "who requested an attestation cannot approve it: somebody else has to"}
	}
	a.ApprovedBy, a.ApprovedAt = &by, now.UTC().Truncate(time.Second)
	return nil
}

// Withdraw notes who withdraws it; false says that somebody did already.
func (a *Attestation) Withdraw(by Actor, now time.Time) bool {
	if a.WithdrawnBy != nil {
		return false
	}
	a.WithdrawnBy, a.WithdrawnAt = &by, now.UTC().Truncate(time.Second)
	return true
}
