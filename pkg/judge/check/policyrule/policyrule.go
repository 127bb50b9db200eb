// Package policyrule holds the rules that every service with resource policies
// shares: whom a policy lets in. What a policy means is iampolicy's to say.
package policyrule

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// Source is where resources of type R have their policy.
type Source[R check.Resource] struct {
	// Operation reads the policy: "sqs:GetQueueAttributes".
	Operation string
	// Policy is the resource's policy document; empty when there is none. It
	// reads facts, and may end the rule by itself.
	Policy func(*check.Evidence, R) string
}

// Question is what a rule asks of a policy as evaluated.
type Question func(iampolicy.Result) check.Verdict

// Asking is the rule that asks a question of each resource's policy. Without a
// policy nobody is let in.
func (s Source[R]) Asking(question Question) func(*check.Evidence, R) check.Verdict {
	return func(e *check.Evidence, r R) check.Verdict {
		document := s.Policy(e, r)
		if document == "" {
			return check.Passed("there is no policy")
		}
		owner := r.Reference()
		return question(Parse(document, s.Operation).Evaluate(iampolicy.Options{Account: owner.Account, Partition: owner.Partition()}))
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
	for _, grant := range r.At(iampolicy.Public) {
		return check.Failed(fmt.Sprintf("%s of the policy allows everybody %s", grant.Statement, check.List(grant.Actions)))
	}
	return check.Passed("the policy does not let everybody in")
}

// NoOtherAccounts asks that the policy names no account or organization besides
// the owner. Everybody is NotPublic's affair.
func NoOtherAccounts(r iampolicy.Result) check.Verdict {
	for _, level := range []iampolicy.Level{iampolicy.CrossAccount, iampolicy.Organization} {
		for _, grant := range r.At(level) {
			return check.Failed(fmt.Sprintf("%s of the policy lets in %s", grant.Statement, check.List(grant.Parties)))
		}
	}
	return check.Passed("the policy names no other account")
}

// ServicesScoped asks that AWS services are let in only on behalf of the owner:
// else anybody can have the service act for them, as a confused deputy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func ServicesScoped(r iampolicy.Result) check.Verdict {
	for _, grant := range r.At(iampolicy.ServiceUnscoped) {
		return check.Failed(fmt.Sprintf("%s of the policy lets in %s on behalf of any account", grant.Statement, check.List(grant.Services)))
	}
	return check.Passed("the policy lets no AWS service in on behalf of any account")
}
