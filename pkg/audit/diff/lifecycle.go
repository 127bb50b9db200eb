// Package diff compares what audits saw. Everything in it is a pure function of
// its inputs: nothing is read, written or sent.
package diff

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Lifecycle carries the findings of one scope, a service of a connection, over
// an audit. A finding is resolved only on positive evidence: the same resource
// passed, or a complete listing does not have it.
type Lifecycle struct {
	audit      model.AuditID
	connection model.ConnectionID
	at         time.Time
	checks     map[model.CheckID]check.Check // those the audit ran
	known      map[model.FindingID]model.Finding
	visited    map[model.FindingID]bool
	listings   listings
	changes    []Change
}

type place struct{ kind, region string }

// listings are how the listings of an audit ended: by type and region.
type listings map[place]*fact.Gap

// of is the listing that a resource would be in: its region's, or the one
// listing of a service that lists all regions at once, as S3 does.
func (l listings) of(kind, region string) (gap *fact.Gap, listed bool) {
	if gap, listed = l[place{kind, region}]; listed {
		return gap, true
	}
	gap, listed = l[place{kind, model.Global}]
	return gap, listed
}

// Change is a finding that the audit changed, as it is now.
type Change struct {
	What    model.EventKind `json:"what"`
	Finding model.Finding   `json:"finding"`
	// Replaces is the record of a renamed check that this one goes on from.
	Replaces model.FindingID `json:"replaces,omitempty"`
	// Version is that of the record which the change was worked out from.
	Version int64 `json:"version"`
}

// historyLength bounds what a finding remembers of a long life.
const historyLength = 50

// NewLifecycle starts from the findings that are known in the scope, open and
// resolved, and the checks that the audit runs.
func NewLifecycle(audit model.AuditID, connection model.ConnectionID, at time.Time, checks []check.Check, known []model.Finding) *Lifecycle {
	l := &Lifecycle{
		audit: audit, connection: connection, at: at.UTC(),
		checks:   map[model.CheckID]check.Check{},
		known:    map[model.FindingID]model.Finding{},
		visited:  map[model.FindingID]bool{},
		listings: listings{},
	}
	for _, c := range checks {
		l.checks[c.ID] = c
	}
	for _, f := range known {
		l.known[f.ID] = f
	}
	return l
}

// Observe takes one line of evidence.
func (l *Lifecycle) Observe(e evidence.Entry) error {
	if e.Listing != nil {
		l.listings[place{e.Kind, e.Listing.Region}] = e.Listing.Gap
		return nil
	}
	for _, v := range e.Verdicts {
		if err := l.observe(e, v); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lifecycle) observe(e evidence.Entry, v evidence.Verdict) error {
	c, ours := l.checks[v.Check]
	if !ours {
		return nil
	}
	f, replaces, exists := l.find(c, e.Ref)
	l.visited[f.ID], l.visited[replaces] = true, true
	if !exists {
		if v.Status != check.Fail {
			return nil
		}
		f = model.Finding{
			ID: f.ID, Check: c.ID, Service: c.Service, Kind: e.Kind, Severity: c.Severity,
			Connection: l.connection, Resource: e.Ref, FirstSeen: l.at,
		}
	}
	switch v.Status {
	case check.Fail:
		exhibits, err := e.Exhibits(v)
		if err != nil {
			return err
		}
		proof, err := json.Marshal(exhibits)
		if err != nil {
			return err
		}
		l.failed(f, replaces, v.Reason, proof)
	case check.Pass:
		l.resolve(f, replaces, model.WhyFixed)
	case check.NotApplicable:
		l.resolve(f, replaces, model.WhyInapplicable)
	case check.NotAssessed:
		l.blind(f, replaces, v.Reason)
	}
	return nil
}

// find is the finding of a check on a resource, by today's id or by one that
// the check had before.
func (l *Lifecycle) find(c check.Check, ref model.Ref) (f model.Finding, replaces model.FindingID, exists bool) {
	id := model.NewFindingID(c.ID, ref)
	if f, exists = l.known[id]; exists {
		return f, "", true
	}
	for _, former := range c.Former {
		old := model.NewFindingID(former, ref)
		if f, exists = l.known[old]; exists {
			f.ID, f.Check = id, c.ID
			return f, old, true
		}
	}
	return model.Finding{ID: id}, "", false
}

func (l *Lifecycle) failed(f model.Finding, replaces model.FindingID, reason string, proof json.RawMessage) {
	var what model.EventKind
	switch {
	case f.State == "":
		what, f.State = model.EventNew, model.FindingOpen
	case f.State == model.FindingResolved:
		what, f.State = model.EventReopened, model.FindingReopened
		f.ResolvedAt, f.Why = time.Time{}, ""
		f.Reopened++
	case !f.BlindSince.IsZero():
		what = model.EventSeen
	case f.Reason != reason || replaces != "":
		what = model.EventChanged
	default:
		return // unchanged findings cost no write
	}
	f.Reason, f.Evidence, f.BlindSince = reason, proof, time.Time{}
	l.change(what, f, replaces, reason)
}

func (l *Lifecycle) resolve(f model.Finding, replaces model.FindingID, why string) {
	if !f.State.Open() {
		return
	}
	f.State, f.ResolvedAt, f.Why, f.BlindSince = model.FindingResolved, l.at, why, time.Time{}
	l.change(model.EventResolved, f, replaces, why)
}

func (l *Lifecycle) blind(f model.Finding, replaces model.FindingID, reason string) {
	if !f.State.Open() || !f.BlindSince.IsZero() {
		return
	}
	f.BlindSince = l.at
	l.change(model.EventBlind, f, replaces, reason)
}

func (l *Lifecycle) change(what model.EventKind, f model.Finding, replaces model.FindingID, note string) {
	f.History = append(slices.Clone(f.History), model.Event{At: l.at, Audit: l.audit, What: what, Note: note})
	if over := len(f.History) - historyLength; over > 0 {
		f.History = f.History[over:]
	}
	version := f.Version
	if replaces != "" {
		version = 0 // a record of its own
	}
	l.changes = append(l.changes, Change{what, f, replaces, version})
}

// Finish ends the audit of the scope: findings of resources that no evidence
// spoke of are resolved where the listing was complete, and blind where it was
// not. Regions that were not audited change nothing. The changes come sorted by
// finding.
func (l *Lifecycle) Finish() []Change {
	for id, f := range l.known {
		if _, ran := l.checks[f.Check]; l.visited[id] || !ran || !f.State.Open() {
			continue
		}
		gap, listed := l.listings.of(f.Kind, f.Resource.Region)
		switch {
		case !listed:
		case gap == nil:
			l.resolve(f, "", model.WhyGone)
		default:
			l.blind(f, "", gap.String())
		}
	}
	slices.SortFunc(l.changes, func(a, b Change) int { return strings.Compare(string(a.Finding.ID), string(b.Finding.ID)) })
	return l.changes
}
