package sqs

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/iampolicy"
)

// onPolicy is a rule on whom the queue policy lets in.
func onPolicy(judge func(iampolicy.Result) check.Verdict) func(*check.Evidence, Queue) check.Verdict {
	return func(e *check.Evidence, q Queue) check.Verdict {
		document := check.Read(e, q.Attributes).Policy
		if document == "" {
			return check.Passed("there is no policy")
		}
		policy, err := iampolicy.Parse(document)
		if err != nil {
			return unreadable(err)
		}
		return judge(policy.Evaluate(iampolicy.Options{Account: q.Account, Partition: q.Partition()}))
	}
}

// unreadable is the verdict on a policy that AWS accepted and we do not
// understand.
func unreadable(err error) check.Verdict {
	return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "sqs:GetQueueAttributes", Detail: err.Error()})
}

func notPublic(r iampolicy.Result) check.Verdict {
	for _, grant := range r.At(iampolicy.Public) {
		return check.Failed(fmt.Sprintf("%s of the policy allows everybody %s", grant.Statement, strings.Join(grant.Actions, ", ")))
	}
	return check.Passed("the policy does not let everybody in")
}

func noOtherAccounts(r iampolicy.Result) check.Verdict {
	for _, level := range []iampolicy.Level{iampolicy.CrossAccount, iampolicy.Organization} {
		for _, grant := range r.At(level) {
			return check.Failed(fmt.Sprintf("%s of the policy lets in %s", grant.Statement, strings.Join(grant.Parties, ", ")))
		}
	}
	return check.Passed("the policy names no other account")
}

func servicesScoped(r iampolicy.Result) check.Verdict {
	for _, grant := range r.At(iampolicy.ServiceUnscoped) {
		return check.Failed(fmt.Sprintf("%s of the policy lets in %s on behalf of any account", grant.Statement, strings.Join(grant.Services, ", ")))
	}
	return check.Passed("the policy lets no AWS service in on behalf of any account")
}

func tlsOnly(e *check.Evidence, q Queue) check.Verdict {
	document := check.Read(e, q.Attributes).Policy
	if document == "" {
		return check.Failed("there is no policy that denies plain HTTP")
	}
	policy, err := iampolicy.Parse(document)
	if err != nil {
		return unreadable(err)
	}
	return check.Must(policy.RequiresTLS([]string{"sqs:*"}, []string{q.ARN}),
		"the policy denies plain HTTP", "the policy does not deny plain HTTP for all actions on the queue")
}
