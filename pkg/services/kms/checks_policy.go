package kms

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/iampolicy"
)

// onPolicy is a rule on whom the policy of a customer key lets in.
func onPolicy(judge func(iampolicy.Result) check.Verdict) func(*check.Evidence, Key) check.Verdict {
	return func(e *check.Evidence, k Key) check.Verdict {
		if !check.Read(e, k.Detail).Customer() {
			return check.Inapplicable("AWS manages this key")
		}
		policy, err := iampolicy.Parse(check.Read(e, k.Policy))
		if err != nil {
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "kms:GetKeyPolicy", Detail: err.Error()})
		}
		return judge(policy.Evaluate(iampolicy.Options{Account: k.Account, Partition: k.Partition()}))
	}
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
