package dynamodb

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("dynamodb-table-point-in-time-recovery", model.Medium, pointInTimeRecovery),
		check.For("dynamodb-table-deletion-protection", model.Medium, protected),
		check.For("dynamodb-table-kms-key", model.Low, kmsKey),
		check.For("dynamodb-table-not-public", model.Critical, onPolicy(notPublic)),
		check.For("dynamodb-table-policy-no-other-accounts", model.Medium, onPolicy(noOtherAccounts)),
	}
}

func pointInTimeRecovery(e *check.Evidence, t Table) check.Verdict {
	return check.Must(check.Read(e, t.PointInTimeRecovery), "point-in-time recovery is on", "point-in-time recovery is off")
}

func protected(e *check.Evidence, t Table) check.Verdict {
	d := check.Read(e, t.Detail)
	if d.Status == "DELETING" {
		return check.Inapplicable("the table is being deleted")
	}
	return check.Must(d.Protected, "deletion protection is on", "deletion protection is off")
}

func kmsKey(e *check.Evidence, t Table) check.Verdict {
	key := check.Read(e, t.Detail).KMSKey
	return check.Must(key != "", "the table is encrypted under "+key, "the table is encrypted under a key that DynamoDB owns")
}

// onPolicy is a rule on whom the table's policy lets in.
func onPolicy(judge func(iampolicy.Result) check.Verdict) func(*check.Evidence, Table) check.Verdict {
	return func(e *check.Evidence, t Table) check.Verdict {
		document := check.Read(e, t.Policy)
		if document == "" {
			return check.Passed("there is no policy")
		}
		policy, err := iampolicy.Parse(document)
		if err != nil {
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "dynamodb:GetResourcePolicy", Detail: err.Error()})
		}
		return judge(policy.Evaluate(iampolicy.Options{Account: t.Account, Partition: t.Partition()}))
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
