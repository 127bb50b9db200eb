package model

import "time"

// Trust is whether a role lets in who does not know its External ID, from trying.
type Trust struct {
	TriedAt time.Time `json:"tried_at"` // the last time
	// Open is by which wrong way the role was assumed, "without an External ID" for
	// example; empty if by none.
	Open string `json:"open,omitempty"`
	// Unread is why the role's trust policy could not be read, so that it may be another
	// than the one that was tried; empty if it is the same.
	Unread string `json:"unread,omitempty"`
}

// Distrusted reports whether the audit was refused because its role lets in who does not
// know the External ID. It looks at nothing but that.
func (a Audit) Distrusted() bool { return a.Refused != "" && a.Trust != nil && a.Trust.Open != "" }
