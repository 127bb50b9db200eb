package cloudarq

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudarq-access-read-only", model.High, readOnly),
		check.For("cloudarq-access-no-data", model.Medium, noData),
		check.For(ExternalIDCheck, model.High, externalID),
	}
}

// ExternalIDCheck is the check that fails for a role of which an audit is refused, because
// it lets in who does not know the External ID.
const ExternalIDCheck model.CheckID = "cloudarq-access-external-id"

func externalID(e *check.Evidence, a Access) check.Verdict {
	switch trust := check.Read(e, a.Trust); {
	case trust.By == "":
		return check.Inapplicable("the audit came with the credentials of whoever ran it")
	case trust.By != "role":
		return check.Inapplicable("an access key lets in whoever has it, and asks for no External ID")
	case trust.Open != "":
		return check.Failed("the role was assumed " + trust.Open)
	default:
		return check.Passed("AWS denied the role without its External ID, and with a wrong one, when that was tried on " + trust.TriedAt.UTC().Format(time.DateOnly))
	}
}

func readOnly(e *check.Evidence, a Access) check.Verdict {
	return without(e, a, "changes anything", func(d grant.Difference) bool {
		return (d.What == grant.Writes || d.What == grant.Unknown) && !reads(d.Action)
	})
}

func noData(e *check.Evidence, a Access) check.Verdict {
	return without(e, a, "shows data or credentials", func(d grant.Difference) bool { return d.What == grant.Reveals })
}

// without fails if the access allows actions of a kind.
func without(e *check.Evidence, a Access, does string, bad func(grant.Difference) bool) check.Verdict {
	policies := check.Read(e, a.Policies)
	if !policies.Entrusted {
		return check.Inapplicable("the audit came with the credentials of whoever ran it")
	}
	allowed, err := policies.Policy()
	if err != nil {
		check.Stop(fact.Gap{Reason: fact.Failed, Operation: "IAM.GetAccountAuthorizationDetails", Region: a.Region, Detail: err.Error()})
	}
	var found []string
	for _, d := range grant.Dangers(published(), allowed) {
		if bad(d) {
			found = append(found, d.Action)
		}
	}
	if len(found) == 0 {
		return check.Passed("nothing that it allows " + does)
	}
	return check.Failed(fmt.Sprintf("%d of the actions that it allows are more than reading: %s", len(found), check.List(found)))
}

// reads tells by its name that an action is a read. AWS's reference does not have
// the newest, and gives a few of those in SecurityAudit (iot:ListSubscriptions) the
// access level of a write.
func reads(action string) bool {
	_, name, _ := strings.Cut(action, ":")
	for _, verb := range []string{"Get", "List", "Describe", "BatchGet"} {
		if strings.HasPrefix(name, verb) {
			return true
		}
	}
	return false
}

// Policy is all that the documents allow together.
func (p Policies) Policy() (grant.Policy, error) {
	documents := make([]string, len(p.Documents))
	for i, d := range p.Documents {
		documents[i] = d.Document
	}
	allowed, err := grant.Join(documents...)
	if err != nil || p.Boundary == nil {
		return allowed, err
	}
	boundary, err := grant.Join(p.Boundary.Document)
	if err != nil {
		return allowed, fmt.Errorf("the permissions boundary: %w", err)
	}
	return allowed.Within(boundary), nil
}

// published is the role that all audits need.
var published = sync.OnceValue(func() policy.Role {
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		panic(err) // a test of package policy makes sure that it cannot be
	}
	return role
})
