package model

import (
	"encoding/json"
	"time"
)

// FindingState is where a finding is in its life.
type FindingState string

// The states of a finding.
const (
	FindingOpen     FindingState = "open"
	FindingReopened FindingState = "reopened" // open again after it was resolved
	FindingResolved FindingState = "resolved"
)

// Open reports whether the failure stands.
func (s FindingState) Open() bool { return s == FindingOpen || s == FindingReopened }

// Why a finding was resolved. It is always positive evidence.
const (
	WhyFixed        = "fixed"                // the resource passed
	WhyGone         = "deleted"              // a complete listing does not have the resource
	WhyInapplicable = "no longer applicable" // the check does not apply to the resource any more
	WhyRetired      = "retired"              // there is no such check any more
)

// Finding is the life of one (check, resource) that failed.
type Finding struct {
	ID         FindingID    `json:"id"`
	Check      CheckID      `json:"check"`
	Service    string       `json:"service"`
	Kind       string       `json:"resource_type"`
	Severity   Severity     `json:"severity"`
	Connection ConnectionID `json:"connection"`
	Resource   Ref          `json:"resource"`
	State      FindingState `json:"state"`
	Reason     string       `json:"reason"`
	// Cause is the check of the same resource of which the failure is why this one fails:
	// the finding is folded under that one's.
	Cause CheckID `json:"cause,omitempty"`
	// Evidence are the facts that decided, as in the verdict: an excerpt. Source is where
	// all of them lie, in the blob store, as long as evidence is kept.
	Evidence json.RawMessage `json:"evidence,omitempty"`
	Source   string          `json:"evidence_file,omitempty"`

	FirstSeen  time.Time `json:"first_seen"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
	Why        string    `json:"why,omitempty"` // it was resolved
	// BlindSince is when the resource could last not be read any more; the
	// finding stays as it was. Zero while it is assessed.
	BlindSince time.Time `json:"blind_since,omitzero"`
	Reopened   int       `json:"reopened,omitempty"` // times
	History    []Event   `json:"history"`            // oldest first, the last ones of a long life

	Version int64 `json:"-"` // of the stored record
}

// Last is the last turn in the finding's life.
func (f Finding) Last() (Event, bool) {
	if len(f.History) == 0 {
		return Event{}, false
	}
	return f.History[len(f.History)-1], true
}

// Event is one turn in a finding's life.
type Event struct {
	At    time.Time `json:"at"`
	Audit AuditID   `json:"audit"`
	Try   int       `json:"try,omitempty"` // which of the audit's tries
	What  EventKind `json:"what"`
	Note  string    `json:"note,omitempty"`
}

// EventKind says what happened to a finding.
type EventKind string

// The turns in a finding's life.
const (
	EventNew      EventKind = "new"
	EventResolved EventKind = "resolved"
	EventReopened EventKind = "reopened"
	EventChanged  EventKind = "changed"  // still failing, for another reason
	EventBlind    EventKind = "blind"    // could not be assessed any more
	EventSeen     EventKind = "visible"  // could be assessed again
	EventFolded   EventKind = "folded"   // still failing, and now only because another check does
	EventUnfolded EventKind = "unfolded" // its cause is mended, and it fails still
)
