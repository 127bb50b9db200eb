package iam

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
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

// Policies by the ARN that they are attached by; an inline one has its owner's.
var (
	managed  = check.NewIndex(check.ARN[Policy])
	inlineOf = check.NewIndex(check.ARN[InlinePolicy])
)

// rightsOf reads a policy document once, however many identities have it.
var rightsOf = check.NewMemo(func(document string) (r reading) {
	p, err := iampolicy.Parse(document)
	if err != nil {
		r.problem = err.Error()
		return r
	}
	r.rights = iampolicy.RightsOf(p)
	return r
})

type reading struct {
	rights  *iampolicy.Rights
	problem string
}

func rights(e *check.Evidence, document string) *iampolicy.Rights {
	r := rightsOf.Of(e, document)
	if r.problem != "" {
		return impossible[*iampolicy.Rights](e, detailsOperation, r.problem)
	}
	return r.rights
}

// held are the policies of a user, group or role, with those written into it, by the
// names that people know. of says whose they are, for those of a group.
func held(e *check.Evidence, arn string, attached []string, of string) []iampolicy.Held {
	var all []iampolicy.Held
	for _, p := range inlineOf.All(e, arn) {
		all = append(all, iampolicy.Held{Name: p.Name + of, Rights: rights(e, check.Read(e, p.Detail).Document)})
	}
	for _, arn := range attached {
		all = append(all, iampolicy.Held{Name: nameOf(arn) + of, Rights: listed(e, arn, "attached policy")})
	}
	return all
}

// listed is a managed policy that an identity has or is bounded by. One that AWS did
// not list says nothing: neither that it allows, nor that it denies, nor that it bounds.
func listed(e *check.Evidence, arn, what string) *iampolicy.Rights {
	policies := managed.All(e, arn)
	if len(policies) == 0 {
		return impossible[*iampolicy.Rights](e, detailsOperation, "the "+what+" "+arn+" is not among the account's policies")
	}
	return rights(e, check.Read(e, policies[0].Detail).Document)
}

// holder is an identity as a judge of its rights needs it, without policies.
func holder(e *check.Evidence, ref model.Ref) iampolicy.Holder {
	return iampolicy.Holder{ARN: ref.ARN, Account: ref.Account, Partition: ref.Partition(), Now: e.Now()}
}

// ofUser is a user with the policies of its own and those of its groups, and how many
// of them are its own.
func ofUser(e *check.Evidence, u User) (h iampolicy.Holder, own int) {
	d := check.Read(e, u.Detail)
	h = holder(e, u.Ref)
	h.Policies = held(e, u.ARN, d.Attached, "")
	own = len(h.Policies)
	for _, name := range d.Groups {
		groups := groupsNamed.All(e, name)
		if len(groups) == 0 {
			impossible[Group](e, detailsOperation, "the group "+name+" is not among the account's groups")
		}
		for _, g := range groups {
			h.Policies = append(h.Policies, held(e, g.ARN, check.Read(e, g.Detail).Attached, " of the group "+g.Name)...)
		}
	}
	return bounded(e, h, d.Boundary), own
}

// bounded is an identity within its permissions boundary. AWS lists no policy of its
// own that is used as a boundary alone; that matters where there is something to bound.
func bounded(e *check.Evidence, h iampolicy.Holder, boundary string) iampolicy.Holder {
	if boundary == "" {
		return h
	}
	if len(managed.All(e, boundary)) == 0 && len(h.Administrator()) == 0 && len(ways(e, h)) == 0 {
		return h
	}
	h.Boundary = listed(e, boundary, "permissions boundary")
	return h
}

// ofRole is a role with its policies.
func ofRole(e *check.Evidence, r Role) iampolicy.Holder {
	d := check.Read(e, r.Detail)
	h := holder(e, r.Ref)
	h.Policies = held(e, r.ARN, d.Attached, "")
	return bounded(e, h, d.Boundary)
}

func notAdmin(administrator []string) check.Verdict {
	if len(administrator) > 0 {
		return check.Failed("all actions on all resources are allowed by " + check.List(administrator))
	}
	return check.Passed("no policy of its own allows everything")
}

// noEscalation is the verdict on what an identity can make of all its policies.
func noEscalation(e *check.Evidence, h iampolicy.Holder) check.Verdict {
	if by := h.Administrator(); len(by) > 0 {
		return check.Inapplicable("an administrator by " + check.List(by) + ", which has a check of its own")
	}
	found := ways(e, h)
	if len(found) == 0 {
		return check.Passed("its policies together make no known escalation possible")
	}
	return check.Failed(told(found) + ", allowed by " + check.List(found[0].Policies))
}

// ways are those to more rights; the rule ends as NOT_ASSESSED if the policies are
// more than is compared.
func ways(e *check.Evidence, h iampolicy.Holder) []iampolicy.Escalation {
	found, complete := h.Escalations()
	if !complete {
		return check.Read(e, fact.Unknown[[]iampolicy.Escalation](fact.Gap{
			Reason: fact.NotCollected, Operation: detailsOperation, Detail: "the policies have too many statements to compare all with all",
		}))
	}
	return found
}

// told names ways to more rights, the shortest first.
func told(found []iampolicy.Escalation) string {
	slices.SortStableFunc(found, func(a, b iampolicy.Escalation) int { return len(a.Actions) - len(b.Actions) })
	var names []string
	for _, w := range found {
		names = append(names, w.String())
	}
	return "escalation is possible: " + check.List(names)
}
