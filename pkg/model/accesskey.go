package model

import (
	"fmt"
	"time"
)

// AccessKey is what is known of the access key that opens a connection's account.
// The key itself is kept sealed, apart from this record, under the same ID.
type AccessKey struct {
	ID     string    `json:"id"`     // of the sealed record; a new one with each key that is given
	Suffix string    `json:"suffix"` // the last four characters of the key's id, to tell it by
	Since  time.Time `json:"since"`  // when it was made, as far as that was said; when it was given otherwise
}

// ConnectionKind is what kind of credential CloudArq holds for a connection.
type ConnectionKind string

// The kinds of connections.
const (
	KindRole      ConnectionKind = "role"       // none: it assumes a role, for an hour at most
	KindAccessKey ConnectionKind = "access_key" // a long-lived access key, sealed
	KindNone      ConnectionKind = "none"       // none: nothing opens the account yet, or credentials of the user's own
)

// Kind is what kind of credential CloudArq holds for the connection.
func (c Connection) Kind() ConnectionKind {
	switch {
	case c.AccessKey != nil:
		return KindAccessKey
	case c.RoleARN != "":
		return KindRole
	default:
		return KindNone
	}
}

// When an access key is to be replaced: once a quarter, with two weeks to do it.
const (
	keyWarningDays = 75
	keyOverdueDays = 90
)

// KeyAge is how old an access key is at a moment.
type KeyAge struct {
	Days  int         `json:"days"` // full ones
	State KeyAgeState `json:"state"`
}

// KeyAgeState is whether an access key should be replaced.
type KeyAgeState string

// The states of a key's age.
const (
	KeyFresh   KeyAgeState = "fresh"
	KeyWarning KeyAgeState = "warning" // from 75 days on
	KeyOverdue KeyAgeState = "overdue" // from 90 days on
)

// Age is how old the key is; nil if there is none.
func (k *AccessKey) Age(now time.Time) *KeyAge {
	if k == nil {
		return nil
	}
	age := KeyAge{Days: max(0, int(now.Sub(k.Since)/(24*time.Hour))), State: KeyFresh}
	switch {
	case age.Days >= keyOverdueDays:
		age.State = KeyOverdue
	case age.Days >= keyWarningDays:
		age.State = KeyWarning
	}
	return &age
}

// Advice is what to do about the age, in words that follow a key's name; empty while
// it is fresh.
func (a KeyAge) Advice() string {
	switch a.State {
	case KeyWarning:
		return fmt.Sprintf("is %d days old: replace it within %d days", a.Days, keyOverdueDays-a.Days)
	case KeyOverdue:
		return fmt.Sprintf("is %d days old, more than the %d that a key should live: replace it", a.Days, keyOverdueDays)
	case KeyFresh:
	}
	return ""
}

// Settings are an organization's own. Version 0 are those that hold until somebody
// writes others.
type Settings struct {
	// AccessKeysAllowed lets connections be opened by access keys. It is off unless an
	// administrator allows it: a role needs no credential that lasts.
	AccessKeysAllowed bool `json:"access_keys_allowed"`
	// SecondFactorRequired has everybody who signs in here show more than a password; who
	// has nothing else sets up an authenticator app at the next sign-in.
	SecondFactorRequired bool `json:"second_factor_required,omitempty"`
	// AttestationsApproved has somebody else approve what a person attests of a requirement,
	// before it is good.
	AttestationsApproved bool `json:"attestations_approved,omitempty"`
	// Options are what options of checks are set to, where neither a project nor a connection
	// says something else.
	Options CheckOptions `json:"options,omitempty" doc:"Options of checks, by check and name, such as {\"iam-access-key-rotated\": {\"days\": 60}}, where neither a project nor a connection says something else"`

	Version int64 `json:"-"` // of the stored record
}
