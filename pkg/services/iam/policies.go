package iam

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

const detailsOperation = "iam:GetAccountAuthorizationDetails"

// parse reads a policy document that a fact held; one that the policy language
// does not allow ends the rule as NOT_ASSESSED.
func parse(e *check.Evidence, document string) iampolicy.Policy {
	p, err := iampolicy.Parse(document)
	if err != nil {
		return impossible[iampolicy.Policy](e, detailsOperation, err.Error())
	}
	return p
}

// impossible ends the rule as NOT_ASSESSED for an answer that makes no sense.
func impossible[T any](e *check.Evidence, operation, detail string) T {
	return check.Read(e, fact.Unknown[T](fact.Gap{Reason: fact.Failed, Operation: operation, Detail: detail}))
}

// trusts is whom the role trusts.
func trusts(e *check.Evidence, r Role, zone iampolicy.Zone) []iampolicy.Trust {
	return parse(e, check.Read(e, r.Detail).Trust).Trusts(zone)
}

// nameOf is the name of a policy whose ARN is given, without its path.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// identity is what has policies: a user, a group or a role.
type identity struct {
	arn      string
	attached []string // ARNs of managed policies
	boundary string   // ARN of a managed policy; empty for none
}

// adminBy names the policies that make the identity an administrator; empty if
// there are none or the permissions boundary cuts them down.
func (i identity) adminBy(e *check.Evidence) string {
	var names []string
	for _, p := range inlineOf.All(e, i.arn) {
		if parse(e, check.Read(e, p.Detail).Document).IsAdmin() {
			names = append(names, p.Name)
		}
	}
	for _, arn := range i.attached {
		if admin, found := allowsAll(e, arn); !found {
			impossible[string](e, detailsOperation, "the attached policy "+arn+" is not among the account's policies")
		} else if admin {
			names = append(names, nameOf(arn))
		}
	}
	slices.Sort(names)
	if len(names) == 0 || i.boundary == "" {
		return check.List(names)
	}
	// A boundary that AWS does not list is one of AWS's own that nobody else
	// uses; not knowing that it limits, it is taken not to.
	if admin, found := allowsAll(e, i.boundary); found && !admin {
		return ""
	}
	return check.List(names)
}

// Policies by the ARN that they are attached by; an inline one has its owner's.
var (
	managed  = check.NewIndex(check.ARN[Policy])
	inlineOf = check.NewIndex(check.ARN[InlinePolicy])
)

func allowsAll(e *check.Evidence, arn string) (admin, found bool) {
	policies := managed.All(e, arn)
	if len(policies) == 0 {
		return false, false
	}
	return parse(e, check.Read(e, policies[0].Detail).Document).IsAdmin(), true
}

func notAdmin(e *check.Evidence, i identity) check.Verdict {
	if policy := i.adminBy(e); policy != "" {
		return check.Failed("all actions on all resources are allowed by " + policy)
	}
	return check.Passed("no policy of its own allows everything")
}
