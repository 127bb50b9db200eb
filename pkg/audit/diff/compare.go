package diff

import (
	"cmp"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// What is different between two audits, as the difference's name.
const (
	FailsNow    = "new"           // did not fail before
	Fixed       = "resolved"      // failed before; passes, does not apply or is gone
	ReasonMoved = "changed"       // fails in both, for another reason
	BlindNow    = "newly blind"   // was assessed, cannot be any more
	VisibleNow  = "newly visible" // could not be assessed, passes now
)

// Difference is one verdict that is not what it was.
type Difference struct {
	What   string        `json:"what"`
	Check  model.CheckID `json:"check"`
	Ref    model.Ref     `json:"resource"`
	Kind   string        `json:"resource_type"`
	Before check.Status  `json:"before,omitempty"` // empty: the resource was not there
	After  check.Status  `json:"after,omitempty"`
	Reason string        `json:"reason"`
}

type subject struct {
	check model.CheckID
	ref   string // ARN and part
}

type seen struct {
	status check.Status
	reason string
	cause  model.CheckID
	kind   string
	ref    model.Ref
}

// Comparison compares the evidence of one task in two audits: all of the older
// one through Before, then all of the newer through After.
type Comparison struct {
	before   map[subject]seen
	after    map[subject]bool
	listings listings // of the newer audit
	ran      map[model.CheckID]bool
	regions  map[string]bool // of the newer audit
	found    []Difference
}

// NewComparison makes a comparison of the checks that both audits ran.
func NewComparison(older, newer model.Audit) *Comparison {
	c := &Comparison{
		before: map[subject]seen{},
		after:  map[subject]bool{}, listings: listings{}, ran: map[model.CheckID]bool{}, regions: set(newer.Regions),
	}
	before := set(older.Checks)
	for _, id := range newer.Checks {
		c.ran[id] = before[id]
	}
	return c
}

// Before takes a line of the older audit.
func (c *Comparison) Before(e evidence.Entry) error {
	for _, v := range e.Verdicts {
		if c.ran[v.Check] && e.Listing == nil {
			c.before[subject{v.Check, e.Ref.String()}] = seen{v.Status, v.Reason, v.Cause, e.Kind, e.Ref}
		}
	}
	return nil
}

// After takes a line of the newer audit.
func (c *Comparison) After(e evidence.Entry) error {
	if e.Listing != nil {
		c.listings.add(e.Kind, *e.Listing)
		return nil
	}
	for _, v := range e.Verdicts {
		if !c.ran[v.Check] {
			continue
		}
		at := subject{v.Check, e.Ref.String()}
		was := c.before[at]
		c.after[at] = true
		what := ""
		switch {
		case v.Cause != "": // it differs with its cause
		case v.Status == check.Fail && (was.status != check.Fail || was.cause != ""):
			what = FailsNow
		case v.Status == check.Fail && was.reason != v.Reason:
			what = ReasonMoved
		case unasked(v): // what was not to be looked at is no difference
		case v.Status == check.NotAssessed && was.status.Assessed():
			what = BlindNow
		case v.Status == check.NotAssessed:
		case was.status == check.Fail && v.Status != check.Fail && was.cause == "":
			what = Fixed
		case v.Status == check.Pass && was.status == check.NotAssessed:
			what = VisibleNow
		}
		if what != "" {
			c.found = append(c.found, Difference{what, v.Check, e.Ref, e.Kind, was.status, v.Status, v.Reason})
		}
	}
	return nil
}

// Finish is what is different, sorted by check and resource. What the newer
// audit has no line for is gone where its listing is complete, and out of sight
// where it is not; where it was not listed at all nothing is said of it.
func (c *Comparison) Finish() []Difference {
	for at, was := range c.before {
		gap, listed := c.listings.of(was.kind, was.ref.Region, c.regions)
		if c.after[at] || !listed {
			continue
		}
		switch {
		case gap != nil && was.status.Assessed():
			c.found = append(c.found, Difference{BlindNow, at.check, was.ref, was.kind, was.status, check.NotAssessed, gap.String()})
		case gap == nil && was.status == check.Fail && was.cause == "":
			c.found = append(c.found, Difference{Fixed, at.check, was.ref, was.kind, was.status, "", model.WhyGone})
		}
	}
	slices.SortFunc(c.found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Ref.String(), b.Ref.String()))
	})
	return c.found
}
