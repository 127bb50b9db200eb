// Package requirement says how accounts stand by the requirements of a framework: from counts
// of verdicts, from what people attest, and from nothing else. It is pure.
package requirement

import (
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// State is how a requirement stands.
type State string

// The states of a requirement, the worst first.
const (
	Failing State = "failing" // some part fails
	// NotAssessed: no part is met, and some of those that are looked at here could not be
	// assessed, or were not.
	NotAssessed State = "not_assessed"
	// PartlyChecked: nothing fails, something is met, and something was not assessed or has
	// no check here.
	PartlyChecked State = "partly_checked"
	// NoCheck: nothing here looks at any part, and nobody attests the requirement.
	NoCheck State = "no_automated_check"
	// Passing: each part is looked at here or attested, was assessed and is met.
	Passing State = "passing"
	// NotApplicable: each part was looked at, and there is nothing that it applies to.
	NotApplicable State = "not_applicable"
)

// States lists all states, the worst first.
func States() []State {
	return []State{Failing, NotAssessed, PartlyChecked, NoCheck, Passing, NotApplicable}
}

// PartState is how a part of a requirement stands.
type PartState string

// The states of a part.
const (
	PartFails         PartState = "failing"
	PartNotAssessed   PartState = "not_assessed"   // by some check, somewhere
	PartUnmapped      PartState = "no_check"       // nothing here looks at it
	PartInPart        PartState = "partly_checked" // its checks pass, and it asks for more than they do
	PartPasses        PartState = "passing"
	PartExcepted      PartState = "excepted" // as PartPasses, but for failures that somebody accepted
	PartAttested      PartState = "attested" // not or not wholly assessed here, and somebody says that it is met
	PartNotApplicable PartState = "not_applicable"
)

// ParseStates reads the names of states. One that there is not is a *check.UnknownError.
func ParseStates(names []string) ([]State, error) {
	var known []string
	for _, s := range States() {
		known = append(known, string(s))
	}
	all := make([]State, len(names))
	for i, name := range names {
		if all[i] = State(name); !slices.Contains(known, name) {
			return nil, &check.UnknownError{What: "state", Word: name, Nearest: check.Nearest(name, known), Among: known}
		}
	}
	return all, nil
}

// InStates reports whether a state is one of some; none are all.
func InStates(s State, states []State) bool {
	return len(states) == 0 || slices.Contains(states, s)
}

// Seen is what became of a check in some accounts.
type Seen struct {
	Counts model.Counts
	// Excepted is how many of Counts.Fail somebody accepted for good reasons.
	Excepted int
	// Missing is in how many of the accounts the check was not run, since they were never
	// audited, or never with it.
	Missing int
}

// Results is what became of each check.
type Results func(model.CheckID) Seen

// Attested is what people say of a requirement that is good today.
type Attested struct {
	Whole  bool // the requirement is met
	Manual bool // what nothing here looks at, or not as strictly as is asked, is met
}

// Part is a part of a requirement with what became of it.
type Part struct {
	check.Part
	State PartState
	Seen  // of all its checks together
}

// Judged is a requirement with what became of it.
type Judged struct {
	check.Requirement
	State State
	Parts []Part
	// Mapped is how many of its parts are looked at here.
	Mapped   int
	Attested Attested
}

// Judge says how a requirement stands. The worst part wins; an attestation speaks for what is
// not assessed, and never against a failure.
func Judge(r check.Requirement, results Results, attested Attested) Judged {
	out := Judged{Requirement: r, Attested: attested, Parts: make([]Part, len(r.Parts))}
	states := make([]PartState, len(r.Parts))
	for i, p := range r.Parts {
		out.Parts[i] = judgePart(p, results, attested)
		states[i] = out.Parts[i].State
		if len(p.Checks) > 0 {
			out.Mapped++
		}
	}
	out.State = state(states, attested)
	return out
}

func judgePart(p check.Part, results Results, attested Attested) Part {
	out := Part{Part: p}
	excepted, passed := 0, false
	for _, id := range p.Counted {
		one := results(id)
		out.Counts = out.Counts.Add(one.Counts)
		out.Excepted += one.Excepted
		out.Missing += one.Missing
		excepted += min(one.Excepted, one.Counts.Fail)
		passed = passed || one.Counts.Pass > 0
	}
	none := out.Counts.Total() == 0 // not run anywhere, or there is no check
	switch byPerson := attested.Whole; {
	case out.Counts.Fail > excepted:
		out.State = PartFails
	case len(p.Checks) == 0 && (byPerson || attested.Manual):
		out.State = PartAttested
	case len(p.Checks) == 0:
		out.State = PartUnmapped
	case out.Counts.NotAssessed > 0 || out.Missing > 0 || none:
		out.State = PartNotAssessed
		if byPerson {
			out.State = PartAttested
		}
	case p.Weaker && (passed || excepted > 0):
		out.State = PartInPart
		if byPerson || attested.Manual {
			out.State = PartAttested
		}
	case excepted > 0:
		out.State = PartExcepted
	case passed:
		out.State = PartPasses
	default:
		out.State = PartNotApplicable
	}
	return out
}

func state(parts []PartState, attested Attested) State {
	count := map[PartState]int{}
	for _, p := range parts {
		count[p]++
	}
	met := count[PartPasses] + count[PartExcepted] + count[PartAttested]
	done := met + count[PartNotApplicable]
	switch {
	case count[PartFails] > 0:
		return Failing
	case len(parts) == 0 && (attested.Whole || attested.Manual):
		return Passing
	case count[PartUnmapped] == len(parts):
		return NoCheck
	case done == len(parts) && met == 0:
		return NotApplicable
	case done == len(parts):
		return Passing
	case done+count[PartInPart] > 0:
		return PartlyChecked
	default:
		return NotAssessed
	}
}

// Worst is the worst of some states of one requirement, of several groups of accounts: what
// passes in one and does not apply in another passes.
func Worst(states ...State) State {
	order := States()
	worst := NotApplicable
	for _, s := range states {
		if slices.Index(order, s) < slices.Index(order, worst) {
			worst = s
		}
	}
	return worst
}

// Join is a requirement in two groups of accounts together. It is attested of all of them only
// if it is of both.
func (r Judged) Join(other Judged) Judged {
	r.State = Worst(r.State, other.State)
	r.Attested.Whole = r.Attested.Whole && other.Attested.Whole
	r.Attested.Manual = r.Attested.Manual && other.Attested.Manual
	for i, p := range other.Parts {
		mine := &r.Parts[i]
		mine.State = worstPart(mine.State, p.State)
		mine.Counts = mine.Counts.Add(p.Counts)
		mine.Excepted, mine.Missing = mine.Excepted+p.Excepted, mine.Missing+p.Missing
	}
	return r
}

var partOrder = []PartState{PartFails, PartNotAssessed, PartInPart, PartUnmapped, PartExcepted, PartAttested, PartPasses, PartNotApplicable}

func worstPart(a, b PartState) PartState {
	if slices.Index(partOrder, a) < slices.Index(partOrder, b) {
		return a
	}
	return b
}

// Tally counts how the requirements of a framework stand by counts of verdicts alone, in the
// order of States.
func Tally(f check.Framework, results Results) [6]int {
	var counts [6]int
	order := States()
	for _, r := range f.Requirements {
		counts[slices.Index(order, Judge(r, results, Attested{}).State)]++
	}
	return counts
}
