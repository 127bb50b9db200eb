package check

import (
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
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
	return Verdict{Status: NotAssessed, Reason: reason, Gaps: gaps}
}

// Must is PASS when ok and FAIL otherwise, with the sentence that belongs to it.
func Must(ok bool, pass, fail string) Verdict {
	if ok {
		return Passed(pass)
	}
	return Failed(fail)
}
