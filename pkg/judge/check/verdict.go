package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Status is what a rule says of a resource.
type Status string

// The four statuses; there is no fifth.
const (
	Pass          Status = "PASS"
	Fail          Status = "FAIL"
	NotApplicable Status = "NOT_APPLICABLE" // looked, and the rule does not apply or nothing exists
	NotAssessed   Status = "NOT_ASSESSED"   // could not look; Gaps say why
)

// Statuses lists all four.
func Statuses() []Status { return []Status{Pass, Fail, NotApplicable, NotAssessed} }

// Assessed reports whether the status says anything about security.
func (s Status) Assessed() bool { return s == Pass || s == Fail }

// Verdict is a status, the reason for it in a short sentence, and for
// NotAssessed the gaps that stood in the way.
type Verdict struct {
	Status Status     `json:"status"`
	Reason string     `json:"reason"`
	Gaps   []fact.Gap `json:"gaps,omitempty"`
}

// Passed is a verdict of PASS.
func Passed(reason string) Verdict { return Verdict{Status: Pass, Reason: reason} }

// Failed is a verdict of FAIL.
func Failed(reason string) Verdict { return Verdict{Status: Fail, Reason: reason} }

// Inapplicable is a verdict of NOT_APPLICABLE.
func Inapplicable(reason string) Verdict { return Verdict{Status: NotApplicable, Reason: reason} }

// Unassessed is a verdict of NOT_ASSESSED for the gaps given.
func Unassessed(gaps ...fact.Gap) Verdict {
	reason := "could not be read"
	if len(gaps) > 0 {
		reason = gaps[0].String()
	}
	return Verdict{Status: NotAssessed, Reason: reason, Gaps: gaps}.bounded()
}

// Unfamiliar is a verdict of NOT_ASSESSED for a word of AWS that is in no list of the
// rule: what is new may be better or worse than what was known.
func Unfamiliar(what, word string) Verdict {
	reason := fmt.Sprintf("unknown %s %q", what, model.Cut(word, maxName))
	return Verdict{Status: NotAssessed, Reason: reason, Gaps: []fact.Gap{{Reason: fact.Failed, Detail: reason}}}.bounded()
}

// Must is PASS when ok and FAIL otherwise, with the sentence that belongs to it.
func Must(ok bool, pass, fail string) Verdict {
	if ok {
		return Passed(pass)
	}
	return Failed(fail)
}

// What a verdict may hold. It is kept with every finding and sent with every
// alert, and much of it was named by whoever owns the account: without bounds one
// long name would make a record that cannot be written.
const (
	MaxReason = 500 // bytes of a reason
	MaxDetail = 500 // bytes of each text of a gap
	MaxGaps   = 20  // gaps of one verdict
	maxListed = 3   // names that a reason lists
	maxName   = 120 // bytes of a name in a list
)

// bounded is the verdict as it may be kept: short, and printable. Gaps that say
// the same are one.
func (v Verdict) bounded() Verdict {
	if len(v.Gaps) > 0 {
		gaps := make([]fact.Gap, 0, min(len(v.Gaps), MaxGaps))
		more := map[fact.Gap]bool{}
		for _, g := range v.Gaps {
			g.Operation, g.Action, g.Region, g.Detail = shown(g.Operation), shown(g.Action), shown(g.Region), shown(g.Detail)
			switch {
			case slices.Contains(gaps, g):
			case len(gaps) == MaxGaps:
				more[g] = true
			default:
				gaps = append(gaps, g)
			}
		}
		v.Gaps = gaps
		if len(more) > 0 {
			v.Reason = fmt.Sprintf("%s and %d more gaps", model.Cut(v.Reason, MaxReason-32), len(more))
		}
	}
	v.Reason = model.Cut(model.Clean(v.Reason), MaxReason)
	return v
}

func shown(text string) string { return model.Cut(model.Clean(text), MaxDetail) }

// List names a few and counts the rest: "a, b, c and 12 more". Reasons name what
// an account holds through it, because an account may hold any number.
func List(names []string) string {
	few := make([]string, 0, maxListed)
	for _, name := range names[:min(maxListed, len(names))] {
		few = append(few, model.Cut(name, maxName))
	}
	text := strings.Join(few, ", ")
	if more := len(names) - len(few); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
