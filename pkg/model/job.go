package model

import "time"

// JobID names a job of an organization.
type JobID string

// JobKind is what a job does.
type JobKind string

// The kinds of jobs.
const (
	JobRekey   JobKind = "rekey"   // wraps the organization's data keys anew
	JobReindex JobKind = "reindex" // has the index of its findings made anew
)

// Job is work that takes longer than a request, or needs keys that nobody has who takes
// requests.
type Job struct {
	ID        JobID     `json:"id"`
	Kind      JobKind   `json:"kind" enum:"rekey,reindex"`
	CreatedAt time.Time `json:"created_at"`
	EndedAt   time.Time `json:"ended_at,omitzero" doc:"Left out while the job waits or goes on"`
	Done      int       `json:"done" doc:"How many data keys were wrapped anew so far, or connections were handed to who makes their index anew"`
	Damaged   bool      `json:"damaged,omitempty" doc:"Some data keys do not open; these stay as they are, and the worker's log names them"`

	Version int64 `json:"-"` // of the stored record
}
