package model

import (
	"fmt"
	"time"
)

// Rotation is how far the External ID of an organization is replaced. That is done in
// stages: the new one and the one before are both good until every connection was opened
// with the new one, and the one before is retired.
type Rotation struct {
	Generation int       // of the newest External ID: they are counted from 1 on
	Since      time.Time // when that was made; zero if it is not known
	Staged     bool      // the one before is good, too
	By         string    // tells the request that the newest was made for
	// Waiting are the connections that keep the one before from being retired.
	Waiting []Waiting
	Version int64 // moves on with each change
}

// Waiting is a connection that was not opened with its organization's newest External ID,
// while that replaces another.
type Waiting struct {
	Connection ConnectionID `json:"connection"`
	AccountID  string       `json:"account_id,omitempty"`
	Name       string       `json:"name,omitempty"`
	Project    string       `json:"-"` // of the connection: who may read that may know of it
	RoleARN    string       `json:"role_arn,omitempty" doc:"Left out while the connection has none"`
	// Generation is that of the External ID which the role was last opened with; 0 if it
	// never was, or AWS denied it after that.
	Generation int `json:"generation" doc:"Of the External ID that the role was last opened with; 0 if it never was, or AWS denied it after that"`
}

// WaitingError says that an External ID cannot be retired: some connections were not
// opened with the newest one yet.
type WaitingError struct{ Rotation Rotation }

// Error implements error.
func (e *WaitingError) Error() string {
	return fmt.Sprintf("%d connections were not opened with the newest External ID yet", len(e.Rotation.Waiting))
}
