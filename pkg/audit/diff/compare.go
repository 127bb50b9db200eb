package diff

import (
	"cmp"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// ChangeKind is what is different between two audits.
type ChangeKind string

// The changes, what matters most first.
const (
	FailsNow    ChangeKind = "new"           // did not fail before
	ReasonMoved ChangeKind = "changed"       // fails in both, for another reason
	BlindNow    ChangeKind = "newly_blind"   // was assessed, cannot be any more
	Fixed       ChangeKind = "resolved"      // failed before; passes, does not apply or is gone
	VisibleNow  ChangeKind = "newly_visible" // could not be assessed, passes now
)

// ChangeKinds are all of them, what matters most first.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{FailsNow, ReasonMoved, BlindNow, Fixed, VisibleNow}
}

// Difference is one verdict that is not what it was.
type Difference struct {
	What   ChangeKind
	Check  model.CheckID
	Ref    model.Ref
	Kind   string
	Before check.Status // empty: the resource was not there
	After  check.Status
	Reason string
	// Rules says that options of the check are others than then: the rules may have changed,
	// and not the account.
	Rules bool
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
	others   map[model.CheckID]bool // of which options are others
	regions  map[string]bool        // of the newer audit
	found    []Difference
}

// NewComparison makes a comparison of the checks that both audits ran.
func NewComparison(older, newer model.Audit) *Comparison {
	c := &Comparison{
		before: map[subject]seen{},
		after:  map[subject]bool{}, listings: listings{}, ran: map[model.CheckID]bool{}, others: map[model.CheckID]bool{}, regions: set(newer.Regions),
	}
	for id, values := range newer.Options {
		for name, v := range values {
			was, known := older.Options[id][name]
			c.others[id] = c.others[id] || known && !was.Equal(v)
		}
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
		what := ChangeKind("")
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
			c.found = append(c.found, Difference{what, v.Check, e.Ref, e.Kind, was.status, v.Status, v.Reason, c.others[v.Check]})
		}
	}
	return nil
}

// Finish is what is different, sorted by change, check and resource. What the newer
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
			c.found = append(c.found, Difference{BlindNow, at.check, was.ref, was.kind, was.status, check.NotAssessed, gap.String(), false})
		case gap == nil && was.status == check.Fail && was.cause == "":
			c.found = append(c.found, Difference{Fixed, at.check, was.ref, was.kind, was.status, "", model.WhyGone, false})
		}
	}
	Sort(c.found)
	return c.found
}

// Sort puts differences in order: by change, what matters most first, check and resource.
func Sort(all []Difference) {
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(slices.Index(ChangeKinds(), a.What)-slices.Index(ChangeKinds(), b.What), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Ref.String(), b.Ref.String()))
	})
}
