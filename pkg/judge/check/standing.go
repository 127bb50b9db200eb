package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// Stateful is a resource that AWS makes, changes and deletes in steps. Every rule
// over one asks its state first, without being told to: what is being made has no
// settings yet, what failed to be made never will, and what is going is mended by
// itself.
type Stateful interface {
	// State is AWS's word for the state, read from a fact of the resource.
	State(e *Evidence) string
	// Lifecycle is what the words mean.
	Lifecycle() Lifecycle
}

// Lifecycle is the states of a resource type, in AWS's words. Upper and lower case
// are the same. A word that is in neither list is not assessed: what settings mean
// in a state that nobody knows, nobody knows.
type Lifecycle struct {
	Noun   string   // "the instance", as reasons begin
	Judged []string // its settings count
	Passed []string // it is being made, was never made, or is going or gone
}

// Has reports whether the list of states has the word.
func Has(states []string, word string) bool {
	return slices.ContainsFunc(states, func(s string) bool { return strings.EqualFold(s, word) })
}

// Managed is a resource that an AWS service can hold for the account. Nobody in the
// account can change one that a service holds, so rules leave it alone but for those
// made with EvenManaged.
type Managed interface {
	// Manager is who holds the resource, "eks.amazonaws.com", or empty.
	Manager(e *Evidence) string
}

// Default is a resource that AWS makes by itself in every region, such as a default VPC.
// As long as nothing uses it, it is nobody's choice and nobody's risk, and rules leave
// it alone unless they are told to judge such things, too.
type Default interface {
	// Unused reports whether AWS made the resource by itself and nothing uses it.
	Unused(e *Evidence) bool
}

// Exclusion is where AWS itself makes a rule impossible to meet.
type Exclusion struct {
	Partitions []string `json:"partitions"` // "aws-us-gov"
	Reason     string   `json:"reason"`     // why nobody can meet it there
	Source     string   `json:"source"`     // AWS's page that says so
	Date       string   `json:"date"`       // when it said so
}

// InAnyState is the rule for resources in any state: it looks at the state by itself.
func (r Rule) InAnyState() Rule {
	r.anyState = true
	return r
}

// AnyState reports whether the rule looks at states by itself.
func (r Rule) AnyState() bool { return r.anyState }

// EvenManaged is the rule for resources that AWS services hold as well: the account
// has a say in what it asks.
func (r Rule) EvenManaged() Rule {
	r.evenManaged = true
	return r
}

// IsForManaged reports whether the rule judges what AWS services hold.
func (r Rule) IsForManaged() bool { return r.evenManaged }

// Except is the rule with where AWS makes it impossible to meet.
func (r Rule) Except(exclusions ...Exclusion) Rule {
	r.Exclusions = append(slices.Clone(r.Exclusions), exclusions...)
	return r
}

// verdict is what the rule says of a resource, if the resource stands as the rule
// takes for granted.
func (r Rule) verdict(e *Evidence, resource Resource) Verdict {
	if partition := resource.Reference().Partition(); len(r.Exclusions) > 0 {
		for _, x := range r.Exclusions {
			if slices.Contains(x.Partitions, partition) {
				return Inapplicable(x.Reason)
			}
		}
	}
	if s, ok := resource.(Stateful); ok && !r.anyState {
		if v, decided := standing(e, s); decided {
			return v
		}
	}
	if m, ok := resource.(Managed); ok && !r.evenManaged {
		if manager := m.Manager(e); manager != "" {
			return Inapplicable("it is " + manager + "'s, who alone can change it")
		}
	}
	if d, ok := resource.(Default); ok && !e.unused && d.Unused(e) {
		return Inapplicable("AWS made it by default, and nothing uses it")
	}
	return r.decide(e, resource)
}

// standing is the verdict that follows from a state alone, if one does.
func standing(e *Evidence, s Stateful) (v Verdict, decided bool) {
	state, life := s.State(e), s.Lifecycle()
	switch {
	case Has(life.Judged, state):
		return Verdict{}, false
	case Has(life.Passed, state):
		return Inapplicable(fmt.Sprintf("the state of %s is %s", life.Noun, state)), true
	case state == "":
		return Unassessed(fact.Gap{Reason: fact.Failed, Detail: "AWS does not tell the state of " + life.Noun}), true
	default:
		return Unassessed(fact.Gap{Reason: fact.Failed, Detail: fmt.Sprintf("the state of %s is %s, which no rule knows", life.Noun, state)}), true
	}
}

// Subject is what rules decide on: one fact of a resource, unless something in it
// puts them out of place.
type Subject[R Resource, T any] struct {
	of     func(R) fact.Of[T]
	unless []Unless[T]
}

// Unless says why a rule does not apply to the value of a fact; empty if it does.
type Unless[T any] func(T) string

// When is an Unless of a condition and the reason that it gives.
func When[T any](is func(T) bool, reason string) Unless[T] {
	return func(value T) string {
		if is(value) {
			return reason
		}
		return ""
	}
}

// On is what rules of resource type R decide on.
func On[R Resource, T any](of func(R) fact.Of[T], unless ...Unless[T]) Subject[R, T] {
	return Subject[R, T]{of, unless}
}

// Unless is the subject for rules that do not apply to more.
func (s Subject[R, T]) Unless(more ...Unless[T]) Subject[R, T] {
	return Subject[R, T]{s.of, slices.Concat(s.unless, more)}
}

// Asks is the rule that judges the subject.
func (s Subject[R, T]) Asks(decide func(T) Verdict) func(*Evidence, R) Verdict {
	return func(e *Evidence, r R) Verdict {
		value := Read(e, s.of(r))
		if v, out := s.outOfPlace(value); out {
			return v
		}
		return decide(value)
	}
}

// Weighs is Asks for a rule that reads options, too.
func (s Subject[R, T]) Weighs(decide func(*Evidence, T) Verdict) func(*Evidence, R) Verdict {
	return func(e *Evidence, r R) Verdict {
		return s.Asks(func(value T) Verdict { return decide(e, value) })(e, r)
	}
}

// Then is a rule that is asked only where the subject does not put it out of place.
func (s Subject[R, T]) Then(rule func(*Evidence, R) Verdict) func(*Evidence, R) Verdict {
	return func(e *Evidence, r R) Verdict {
		v, out := s.outOfPlace(Read(e, s.of(r)))
		if out {
			return v
		}
		return rule(e, r)
	}
}

// outOfPlace is the verdict on a value to which rules do not apply.
func (s Subject[R, T]) outOfPlace(value T) (v Verdict, out bool) {
	for _, unless := range s.unless {
		if reason := unless(value); reason != "" {
			return Inapplicable(reason), true
		}
	}
	return Verdict{}, false
}

// Must is the rule that the subject is so, with the sentences of PASS and FAIL.
func (s Subject[R, T]) Must(ok func(T) bool, pass, fail string) func(*Evidence, R) Verdict {
	return s.Asks(func(value T) Verdict { return Must(ok(value), pass, fail) })
}
