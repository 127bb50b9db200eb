// Package diff compares what audits saw. Everything in it is a pure function of
// its inputs: nothing is read, written or sent.
package diff

import (
	"encoding/json"
	"fmt"
	"regexp"
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
//
// All evidence goes through Observe, which sorts out what matters. Then Next is
// asked of each finding that is known or was observed, in any order: it needs
// no other.
type Lifecycle struct {
	audit    model.AuditID
	try      int
	conn     model.ConnectionID
	at       time.Time
	catalog  *check.Catalog
	inScope  func(check.Check) bool     // whether a check has its findings here
	checks   map[model.CheckID]bool     // those the audit ran, by the ids of today
	alone    map[string][]model.CheckID // of these, by type, those that need no more than the resource
	regions  map[string]bool            // those the audit looked at
	listings listings
	unjudged map[model.CheckID]bool // those of alone that did not judge a resource which was there
}

type place struct{ kind, region string }

// listings are how the listings of an audit ended: by type and region.
type listings map[place]*fact.Gap

// of is the listing that a resource would be in: its region's, or the one listing
// of a service that lists all regions at once, as S3 does. Such a listing is of the
// regions that the audit looked at, and says nothing of others.
func (l listings) of(kind, region string, audited map[string]bool) (gap *fact.Gap, listed bool) {
	if gap, listed = l[place{kind, region}]; listed {
		return gap, true
	}
	if !audited[region] {
		return nil, false
	}
	gap, listed = l[place{kind, model.Global}]
	return gap, listed
}

// add notes how a listing ended. One that was made in several parts is complete when
// every part is.
func (l listings) add(kind string, listing evidence.Listing) {
	at := place{kind, listing.Region}
	if before, twice := l[at]; twice && before != nil {
		return
	}
	l[at] = listing.Gap
}

// Observation is what an audit says of a check and a resource, as far as it can
// make a difference to a finding.
type Observation struct {
	ID     model.FindingID `json:"id"`
	Check  model.CheckID   `json:"check"`
	Kind   string          `json:"kind"`
	Ref    model.Ref       `json:"ref"`
	Status check.Status    `json:"status"`
	Reason string          `json:"reason,omitempty"`
	Cause  model.CheckID   `json:"cause,omitempty"`  // of a failure that only follows from another's
	Proof  json.RawMessage `json:"proof,omitempty"`  // of a failure: an excerpt of the evidence
	Source string          `json:"source,omitempty"` // where all of the evidence lies
	// Unasked says of a verdict of NOT_ASSESSED that the audit was not meant to look
	// at what would have decided.
	Unasked bool `json:"unasked,omitempty"`
}

// Change is a finding that the audit changed, as it is now.
type Change struct {
	What    model.EventKind
	Finding model.Finding // its Version is that of the record which the change was worked out from
	// Written says that the record has the change already: who wrote it died before
	// that could be noted.
	Written bool
}

// historyLength bounds what a finding remembers of a long life.
const historyLength = 50

// NewLifecycle starts the lifecycle of an audit that runs some checks of a catalogue, in
// a scope that has the findings of some of these.
func NewLifecycle(audit model.Audit, catalog *check.Catalog, inScope func(check.Check) bool) *Lifecycle {
	l := &Lifecycle{
		audit: audit.ID, try: audit.Retries, conn: audit.Connection, at: audit.StartedAt.UTC(), catalog: catalog, inScope: inScope,
		checks: map[model.CheckID]bool{}, alone: map[string][]model.CheckID{}, regions: set(audit.Regions), listings: listings{}, unjudged: map[model.CheckID]bool{},
	}
	for _, id := range audit.Checks {
		c, exists := catalog.Today(id)
		if !exists || !inScope(c) || l.checks[c.ID] {
			continue
		}
		l.checks[c.ID] = true
		if !c.NeedsAccount() {
			l.alone[c.Kind] = append(l.alone[c.Kind], c.ID)
		}
	}
	return l
}

func set[T comparable](all []T) map[T]bool {
	is := make(map[T]bool, len(all))
	for _, one := range all {
		is[one] = true
	}
	return is
}

// Observe takes one line of evidence, which lies in source, and hands on what can
// make a difference: failures, and whatever is said of a known finding.
func (l *Lifecycle) Observe(e evidence.Entry, source string, known func(model.FindingID) bool, emit func(Observation) error) error {
	if e.Listing != nil {
		l.listings.add(e.Kind, *e.Listing)
		return nil
	}
	ref := e.Ref.Bounded()
	judged := map[model.CheckID]bool{}
	for _, v := range e.Verdicts {
		c, _ := l.catalog.Today(v.Check)
		if !l.checks[c.ID] {
			continue
		}
		judged[c.ID] = true
		o := Observation{ID: model.NewFindingID(c.ID, ref), Check: c.ID, Kind: e.Kind, Ref: ref, Status: v.Status, Reason: model.Cut(v.Reason, model.MaxReason), Cause: v.Cause}
		switch {
		case v.Status == check.Fail:
			exhibits, err := e.Exhibits(v)
			if err != nil {
				return err
			}
			if o.Proof, err = json.Marshal(exhibits); err != nil {
				return fmt.Errorf("evidence of %s: %w", e.Ref, err)
			}
			o.Source = source
		case !known(o.ID):
			continue
		case v.Status == check.NotAssessed:
			o.Unasked = unasked(v)
		}
		if err := emit(o); err != nil {
			return err
		}
	}
	if e.Resource == nil {
		return nil
	}
	// Who collected may have been of another version, which did not have each check. A
	// resource that is there and was not judged is not gone.
	for _, id := range l.alone[e.Kind] {
		if judged[id] {
			continue
		}
		l.unjudged[id] = true
		o := Observation{ID: model.NewFindingID(id, ref), Check: id, Kind: e.Kind, Ref: ref, Status: check.NotAssessed, Unasked: true}
		if known(o.ID) {
			if err := emit(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// Unjudged reports whether a check left out resources that were observed: whoever
// collected them did not have it.
func (l *Lifecycle) Unjudged(id model.CheckID) bool { return l.unjudged[id] }

// unasked reports whether an audit has no verdict because it was not meant to look at
// what would have decided.
func unasked(v evidence.Verdict) bool {
	return v.Status == check.NotAssessed && len(v.Gaps) > 0 &&
		!slices.ContainsFunc(v.Gaps, func(g fact.Gap) bool { return g.Reason != fact.NotCollected })
}

// Worse is the observation that counts where two are of the same finding: a failure
// before a gap before a pass.
func Worse(a, b Observation) Observation {
	rank := []check.Status{check.NotApplicable, check.Pass, check.NotAssessed, check.Fail}
	if slices.Index(rank, b.Status) > slices.Index(rank, a.Status) {
		return b
	}
	return a
}

// Next is what the audit changes in a finding, given the record if there is one and
// the observation if there is one; false if it changes nothing. A finding that no
// evidence spoke of is resolved where the listing was complete, and blind where it
// was not; one whose check does not exist any more is retired. What the audit was not
// meant to look at changes nothing.
func (l *Lifecycle) Next(known *model.Finding, seen *Observation) (Change, bool) {
	var f model.Finding
	if known != nil {
		f = *known
		if last, ok := f.Last(); ok && last.Audit == l.audit && last.Try == l.try {
			return Change{What: last.What, Finding: f, Written: true}, true
		}
	}
	switch {
	case known == nil && seen == nil, known == nil && seen.Status != check.Fail:
		return Change{}, false
	case known == nil:
		return l.appeared(*seen), true
	case seen != nil:
		return l.observed(f, *seen)
	case !f.State.Open():
		return Change{}, false
	}
	if c, exists := l.catalog.Check(f.Check); !exists {
		return l.resolve(f, model.WhyRetired, "the check does not exist any more")
	} else if !l.inScope(c) {
		return l.resolve(f, model.WhyRetired, "the check looks at other things now, and has its findings there")
	}
	if !l.checks[f.Check] {
		return Change{}, false // the audit did not run it
	}
	gap, listed := l.listings.of(f.Kind, f.Resource.Region, l.regions)
	switch {
	case !listed:
		return Change{}, false
	case gap != nil && gap.Reason == fact.Timeout:
		return Change{}, false // time was up before it could be looked at, which says nothing of it
	case gap == nil:
		return l.resolve(f, model.WhyGone, "a complete listing does not have it")
	default:
		return l.blind(f, gap.String())
	}
}

func (l *Lifecycle) appeared(o Observation) Change {
	c, _ := l.catalog.Check(o.Check)
	f := model.Finding{
		ID: o.ID, Check: o.Check, Service: c.Service, Kind: o.Kind, Severity: c.Severity,
		Connection: l.conn, Resource: o.Ref, FirstSeen: l.at, State: model.FindingOpen,
	}
	return l.failed(model.EventNew, f, o)
}

func (l *Lifecycle) observed(f model.Finding, o Observation) (Change, bool) {
	switch {
	case o.Status == check.Fail && f.State == model.FindingResolved:
		f.State, f.ResolvedAt, f.Why = model.FindingReopened, time.Time{}, ""
		f.Reopened++
		return l.failed(model.EventReopened, f, o), true
	case o.Status == check.Fail && !f.BlindSince.IsZero():
		return l.failed(model.EventSeen, f, o), true
	case o.Status == check.Fail && f.Cause != "" && o.Cause == "":
		return l.failed(model.EventUnfolded, f, o), true
	case o.Status == check.Fail && f.Cause == "" && o.Cause != "":
		return l.failed(model.EventFolded, f, o), true
	case o.Status == check.Fail && !sameReason(f.Reason, o.Reason):
		return l.failed(model.EventChanged, f, o), true
	case o.Status == check.Fail, !f.State.Open(), o.Unasked: // what is as it was costs no write
		return Change{}, false
	case o.Status == check.Pass:
		return l.resolve(f, model.WhyFixed, o.Reason)
	case o.Status == check.NotApplicable:
		return l.resolve(f, model.WhyInapplicable, o.Reason)
	default:
		return l.blind(f, o.Reason)
	}
}

// sameReason compares reasons as far as both were kept: how much was cut, and of how
// many more they do not tell, is no change.
func sameReason(a, b string) bool {
	return kept(a) == kept(b)
}

// more is what check.List ends a long list with.
var more = regexp.MustCompile(` and \d+ more\b`)

func kept(reason string) string {
	if at := strings.LastIndex(reason, model.CutMark); at >= 0 {
		reason = reason[:at]
	}
	return more.ReplaceAllString(reason, " and more")
}

func (l *Lifecycle) failed(what model.EventKind, f model.Finding, o Observation) Change {
	f.Reason, f.Cause, f.Evidence, f.Source, f.BlindSince = o.Reason, o.Cause, o.Proof, o.Source, time.Time{}
	return l.change(what, f, o.Reason)
}

func (l *Lifecycle) resolve(f model.Finding, why, note string) (Change, bool) {
	f.State, f.ResolvedAt, f.Why, f.BlindSince = model.FindingResolved, l.at, why, time.Time{}
	return l.change(model.EventResolved, f, note), true
}

func (l *Lifecycle) blind(f model.Finding, reason string) (Change, bool) {
	if !f.BlindSince.IsZero() {
		return Change{}, false
	}
	f.BlindSince = l.at
	return l.change(model.EventBlind, f, reason), true
}

func (l *Lifecycle) change(what model.EventKind, f model.Finding, note string) Change {
	f.History = append(slices.Clone(f.History), model.Event{At: l.at, Audit: l.audit, Try: l.try, What: what, Note: model.Cut(note, model.MaxNote)})
	if over := len(f.History) - historyLength; over > 0 {
		f.History = f.History[over:]
	}
	return Change{What: what, Finding: f}
}
