// Package policyrule holds the rules that every service with resource policies
// shares: whom a policy lets in. What a policy means is iampolicy's to say.
package policyrule

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Source is where resources of type R have their policy.
type Source[R check.Resource] struct {
	// Operation reads the policy: "sqs:GetQueueAttributes".
	Operation string
	// Policy is the resource's policy document; empty when there is none. It
	// reads facts, and may end the rule by itself.
	Policy func(*check.Evidence, R) string
	// Parts are further policies that let others in to the same resource; nil where it
	// can have none.
	Parts func(*check.Evidence, R) []Part
}

// Part is a policy of a part of a resource: "alias live".
type Part struct {
	Name     string
	Document string // empty when there is none
}

// all asks of each of a resource's policies. One that lets in too much is enough.
func (s Source[R]) all(e *check.Evidence, r R, ask func(document string) check.Verdict) check.Verdict {
	verdict := check.Passed("there is no policy")
	if document := s.Policy(e, r); document != "" {
		verdict = ask(document)
	}
	if s.Parts == nil || verdict.Status == check.Fail {
		return verdict
	}
	for _, part := range s.Parts(e, r) {
		if part.Document == "" {
			continue
		}
		switch v := ask(part.Document); {
		case v.Status == check.Fail:
			v.Reason = part.Name + ": " + v.Reason
			return v
		case verdict.Status != check.NotAssessed:
			verdict = v
		}
	}
	return verdict
}

// Question is what a rule asks of a policy as evaluated, whoever the owner trusts.
type Question func(iampolicy.Result) check.Verdict

// Asking is the rule that asks a question of each resource's policy. Without a
// policy nobody is let in.
func (s Source[R]) Asking(question Question) func(*check.Evidence, R) check.Verdict {
	return func(e *check.Evidence, r R) check.Verdict {
		return s.all(e, r, func(document string) check.Verdict {
			return question(Parse(document, s.Operation).Evaluate(Owner(r.Reference())))
		})
	}
}

// Owner is the zone of trust that consists of a resource's account alone. It is all that
// has to be known to say whether everybody is let in, or a service for everybody.
func Owner(owner model.Ref) iampolicy.Zone {
	return iampolicy.Zone{Account: owner.Account, Partition: owner.Partition(), Resource: owner.ARN}
}

// Access is whom a policy lets in, in the light of the owner's zone of trust.
type Access struct {
	iampolicy.Result
	zone      *OwnZone
	operation string
}

// Evaluate asks of a policy, which the operation read, whom it lets in.
func (z *OwnZone) Evaluate(policy iampolicy.Policy, operation string) Access {
	return Access{policy.Evaluate(z.Zone), z, operation}
}

// ZoneQuestion is what a rule asks of a policy in the light of the zone of trust.
type ZoneQuestion func(Access) check.Verdict

// AskingZone is Asking for what the zone of trust decides. The rule uses Zone.
func (s Source[R]) AskingZone(question ZoneQuestion) func(*check.Evidence, R) check.Verdict {
	return func(e *check.Evidence, r R) check.Verdict {
		return s.all(e, r, func(document string) check.Verdict {
			return question(ZoneOf(e, r.Reference()).Evaluate(Parse(document, s.Operation), s.Operation))
		})
	}
}

// RequiringTLS is the rule that the policy denies the actions over plain HTTP,
// on the resource itself.
func (s Source[R]) RequiringTLS(actions ...string) func(*check.Evidence, R) check.Verdict {
	return func(e *check.Evidence, r R) check.Verdict {
		document := s.Policy(e, r)
		if document == "" {
			return check.Failed("there is no policy that denies plain HTTP")
		}
		return check.Must(Parse(document, s.Operation).RequiresTLS(actions, []string{r.Reference().ARN}),
			"the policy denies plain HTTP", "the policy does not deny plain HTTP for all of "+strings.Join(actions, ", "))
	}
}

// Parse reads a policy that AWS accepted. One that we do not understand ends the
// rule, as NOT_ASSESSED.
func Parse(document, operation string) iampolicy.Policy {
	policy, err := iampolicy.ParseResource(document)
	if err != nil {
		check.Stop(fact.Gap{Reason: fact.Failed, Operation: operation, Detail: err.Error()})
	}
	return policy
}

// NotPublic asks that the policy does not let everybody in.
func NotPublic(r iampolicy.Result) check.Verdict {
	for _, g := range r.At(iampolicy.Public) {
		return check.Failed(Public(g))
	}
	return check.Passed("the policy does not let everybody in")
}

// Public says what a statement allows everybody, and why its conditions do not keep
// anybody out.
func Public(g iampolicy.Grant) string {
	return Because(fmt.Sprintf("%s of the policy allows everybody %s", g.Statement, check.List(g.Actions)), g.Why)
}

// NoOtherAccounts asks that the policy lets in nobody beyond the zone of trust: neither
// an account nor an organization, nor whoever comes by a network. Everybody is
// NotPublic's affair.
func NoOtherAccounts(a Access) check.Verdict {
	if stranger, found := a.stranger(); found {
		return stranger
	}
	for _, g := range a.At(iampolicy.Restricted) {
		return check.Failed(fmt.Sprintf("%s of the policy allows %s to whoever fits %s, of any account",
			g.Statement, check.List(g.Actions), check.List(names(g.Parties))))
	}
	return a.settled()
}

// NoNamedStrangers is NoOtherAccounts for services that have another check for what
// comes by a network.
func NoNamedStrangers(a Access) check.Verdict {
	if stranger, found := a.stranger(); found {
		return stranger
	}
	return a.settled()
}

// stranger is the failure of who is surely let in from outside, if anybody is.
func (a Access) stranger() (check.Verdict, bool) {
	for _, g := range a.At(iampolicy.CrossAccount, iampolicy.Organization) {
		if strangers := g.Parties.Named(iampolicy.Foreign); len(strangers) > 0 {
			return check.Failed(fmt.Sprintf("%s of the policy lets in %s%s to %s", g.Statement, strangersOf(g.Level), check.List(strangers), check.List(g.Actions))), true
		}
	}
	return check.Verdict{}, false
}

// settled is PASS unless somebody is let in of whom it could not be found out who he is,
// which ends the rule as NOT_ASSESSED.
func (a Access) settled() check.Verdict {
	var unknown []string
	for _, g := range a.At(iampolicy.CrossAccount, iampolicy.Organization) {
		unknown = append(unknown, g.Parties.Named(iampolicy.Unknown)...)
	}
	if len(unknown) > 0 {
		a.zone.Stop(a.operation, unknown)
	}
	return check.Passed("the policy lets in no other account")
}

func strangersOf(l iampolicy.Level) string {
	if l == iampolicy.Organization {
		return "another organization, "
	}
	return ""
}

// ServicesScoped asks that AWS services are let in only on behalf of the owner:
// else anybody can have the service act for them, as a confused deputy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func ServicesScoped(r iampolicy.Result) check.Verdict {
	for _, g := range r.At(iampolicy.ServiceUnscoped) {
		return check.Failed(Because(fmt.Sprintf("%s of the policy lets in %s on behalf of any account", g.Statement, check.List(g.Services)), g.Why))
	}
	return check.Passed("the policy lets no AWS service in on behalf of any account")
}

// Because adds to what a statement gives which of its conditions did not bound that, and
// why, as a grant or a trust says it.
func Because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + model.Cut(why, maxWhy)
}

// maxWhy leaves room in a reason for what comes before it.
const maxWhy = 200

func names(parties iampolicy.Parties) []string {
	all := make([]string, len(parties))
	for i, p := range parties {
		all[i] = p.Name
	}
	return all
}
