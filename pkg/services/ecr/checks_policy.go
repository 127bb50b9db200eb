package ecr

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/iampolicy"
)

// onPolicy is a rule on whom the repository policy lets in.
func onPolicy(judge func(iampolicy.Result) check.Verdict) func(*check.Evidence, Repository) check.Verdict {
	return func(e *check.Evidence, r Repository) check.Verdict {
		document := check.Read(e, r.Policy)
		if document == "" {
			return check.Passed("there is no policy")
		}
		policy, err := iampolicy.Parse(document)
		if err != nil {
			return unreadable(err)
		}
		return judge(policy.Evaluate(iampolicy.Options{Account: r.Account, Partition: r.Partition()}))
	}
}

// unreadable is the verdict on a policy that AWS accepted and we do not
// understand.
func unreadable(err error) check.Verdict {
	return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "ecr:GetRepositoryPolicy", Detail: err.Error()})
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
