package iam

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// grant is something that no policy of the account's own should give. found
// says what it gives of that; empty is right.
type grant struct {
	managed, inline model.CheckID // inline may be empty
	severity        model.Severity
	found           func(*check.Evidence, iampolicy.Policy, model.Ref) string
	none            string
}

func grants() []grant {
	return []grant{
		{"iam-policy-no-privilege-escalation", "iam-inline-policy-no-privilege-escalation", model.High, escalates, "the policy makes no known escalation possible"},
		{"iam-policy-no-full-cloudtrail-access", "iam-inline-policy-no-full-cloudtrail-access", model.Medium, full("cloudtrail", "trail"), "the policy does not allow all of CloudTrail"},
		{"iam-policy-no-full-kms-access", "iam-inline-policy-no-full-kms-access", model.Medium, full("kms", "key"), "the policy does not allow all of KMS"},
		{"iam-policy-no-decrypt-with-all-keys", "iam-inline-policy-no-decrypt-with-all-keys", model.Medium, decryptsAll, "the policy does not allow decryption with every key"},
		{"iam-policy-no-assume-any-role", "iam-inline-policy-no-assume-any-role", model.High, assumesAny, "the policy does not allow every role to be assumed"},
		{"iam-policy-no-service-wildcard", "", model.Low, serviceWildcard, "the policy allows no service as a whole"},
	}
}

func policyRules() []check.Rule {
	rules := []check.Rule{
		check.For("iam-policy-no-administrator-access", model.High, attached.Then(customerAdmin)),
		// Security Hub: high, for attached policies as well. Nobody has this one.
		check.For("iam-unattached-policy-no-administrator-access", model.Low, unattached.Then(customerAdmin)),
		check.For("iam-inline-policy-no-administrator-access", model.High, inline.Then(inlineAdmin)),
		check.For("iam-policy-attached", model.Low, customers.Must(
			func(d PolicyDetail) bool { return d.Attachments+d.Boundaries > 0 }, "the policy is in use", "the policy is attached to nobody and bounds nobody")),
	}
	for _, g := range grants() {
		rules = append(rules, check.For(g.managed, g.severity, attached.Then(g.ofPolicy)))
		if g.inline != "" {
			rules = append(rules, check.For(g.inline, g.severity, inline.Then(g.ofInline)))
		}
	}
	return rules
}

// What rules decide on that ask of policies which the account wrote: all, those that
// somebody has, those that nobody has, and those within a user, group or role.
var (
	customers = check.On(func(p Policy) fact.Of[PolicyDetail] { return p.Detail },
		check.When(func(d PolicyDetail) bool { return d.AWS }, "AWS wrote this policy"))
	attached = customers.Unless(
		check.When(func(d PolicyDetail) bool { return d.Attachments == 0 }, "nobody has this policy"))
	unattached = customers.Unless(
		check.When(func(d PolicyDetail) bool { return d.Attachments > 0 }, "the policy is attached, which has a check of its own"),
		check.When(func(d PolicyDetail) bool { return d.Boundaries > 0 }, "the policy is used as a permissions boundary, which grants nothing"))
	inline = check.On(func(p InlinePolicy) fact.Of[InlinePolicyDetail] { return p.Detail },
		check.When(func(d InlinePolicyDetail) bool { return serviceLinked(d.OwnerPath) }, "an AWS service owns this role"))
)

func (g grant) ofPolicy(e *check.Evidence, p Policy) check.Verdict {
	return g.judge(e, check.Read(e, p.Detail).Document, p.Ref)
}

func (g grant) ofInline(e *check.Evidence, p InlinePolicy) check.Verdict {
	return g.judge(e, check.Read(e, p.Detail).Document, p.Ref)
}

func (g grant) judge(e *check.Evidence, document string, ref model.Ref) check.Verdict {
	p := parse(e, document)
	if p.IsAdmin() {
		return check.Inapplicable("the policy allows everything, which has a check of its own")
	}
	if found := g.found(e, p, ref); found != "" {
		return check.Failed(found)
	}
	return check.Passed(g.none)
}

// escalates judges one policy by itself. One that is written into a user or role is
// that one's; whoever has another may be anybody.
func escalates(e *check.Evidence, p iampolicy.Policy, ref model.Ref) string {
	h := holder(e, ref)
	if ref.Sub == "" || strings.Contains(ref.ARN, ":group/") {
		h.ARN = ""
	}
	h.Policies = []iampolicy.Held{{Name: ref.Name, Rights: iampolicy.RightsOf(p)}}
	if found := ways(e, h); len(found) > 0 {
		return told(found)
	}
	return ""
}

// full asks for all actions of a service on all resources of a type.
func full(service, kind string) func(*check.Evidence, iampolicy.Policy, model.Ref) string {
	return func(_ *check.Evidence, p iampolicy.Policy, ref model.Ref) string {
		if p.Allows(service+":?*", "arn:"+ref.Partition()+":"+service+":*:"+ref.Account+":"+kind+"/*") {
			return "the policy allows all actions of " + service + " on every " + kind
		}
		return ""
	}
}

func decryptsAll(_ *check.Evidence, p iampolicy.Policy, ref model.Ref) string {
	keys := "arn:" + ref.Partition() + ":kms:*:" + ref.Account + ":key/*"
	for _, action := range []string{"kms:Decrypt", "kms:ReEncryptFrom"} {
		if p.Allows(action, keys) {
			return "the policy allows " + action + " with every key of the account"
		}
	}
	return ""
}

func assumesAny(_ *check.Evidence, p iampolicy.Policy, ref model.Ref) string {
	if p.Allows("sts:AssumeRole", "arn:"+ref.Partition()+":iam::"+ref.Account+":role/*") {
		return "the policy allows sts:AssumeRole on all roles of the account"
	}
	return ""
}

func serviceWildcard(_ *check.Evidence, p iampolicy.Policy, _ model.Ref) string {
	for i := range p.Statements {
		s := &p.Statements[i]
		if s.Effect != iampolicy.Allow {
			continue
		}
		if len(s.NotActions) > 0 {
			return s.Name() + " allows all actions but " + check.List(s.NotActions)
		}
		for _, action := range s.Actions {
			service, rest, _ := strings.Cut(action, ":")
			if strings.Contains(action, "*") && strings.Trim(rest, "*?") == "" {
				return s.Name() + " allows all actions of " + service
			}
		}
	}
	return ""
}

func customerAdmin(e *check.Evidence, p Policy) check.Verdict {
	return allowsEverything(parse(e, check.Read(e, p.Detail).Document))
}

func inlineAdmin(e *check.Evidence, p InlinePolicy) check.Verdict {
	return allowsEverything(parse(e, check.Read(e, p.Detail).Document))
}

func allowsEverything(p iampolicy.Policy) check.Verdict {
	return check.Must(!p.IsAdmin(), "the policy does not allow everything", "the policy allows all actions on all resources")
}
