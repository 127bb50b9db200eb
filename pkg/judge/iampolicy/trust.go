package iampolicy

import (
	"slices"
	"strings"
)

// TrustKind classifies a principal of a role's trust policy.
type TrustKind string

// The kinds of trusted principal.
const (
	TrustOwnAccount     TrustKind = "own_account"
	TrustForeignAccount TrustKind = "foreign_account"
	TrustService        TrustKind = "service"
	TrustSAML           TrustKind = "saml"
	TrustOIDC           TrustKind = "oidc"
	TrustAnyone         TrustKind = "anyone"
	// TrustNobody is a deleted principal: a dead entry.
	TrustNobody TrustKind = "nobody"
)

// Trust is one principal of one Allow statement of a trust policy, and what the
// statement asks of it.
type Trust struct {
	Statement string
	Kind      TrustKind
	Principal string // as written
	Account   string // of the principal, if it has one
	// Trusted tells that the account is the owner's or one of Options.TrustedAccounts.
	Trusted bool
	Actions []string
	// Level that this principal's trust comes to. For a service it only tells
	// whether the source is scoped: a role cannot be passed across accounts, so
	// most services need no scope here.
	Level Level
	// ExternalID: a fixed sts:ExternalId is required.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
	ExternalID bool
	// MFA is required, surely: BoolIfExists lets access keys in without.
	MFA bool
	// SourceScoped: aws:SourceAccount, aws:SourceArn or the organization's
	// counterpart bounds the service's customer.
	SourceScoped bool
	// OrganizationScoped: aws:PrincipalOrgID or aws:PrincipalOrgPaths bounds the caller.
	OrganizationScoped bool
	// Subjects and Audiences that the provider's sub and aud claims must match.
	Subjects  []string
	Audiences []string
}

// Trusts reads the document as a role's trust policy and classifies whom it
// trusts. Statements that only deny, or allow no sts:AssumeRole*, are left out.
func (p Policy) Trusts(opts Options) []Trust {
	opts.Actions, opts.RestrictPublicBuckets = nil, false
	e := evaluator{policy: &p, opts: &opts}
	for i := range p.Statements {
		if p.Statements[i].Effect == Deny {
			e.denies = append(e.denies, &p.Statements[i])
		}
	}
	var out []Trust
	for i := range p.Statements {
		s := &p.Statements[i]
		if s.Effect == Allow && s.touchesAction("sts:AssumeRole*") {
			out = append(out, e.trustsOf(s)...)
		}
	}
	return out
}

func (e *evaluator) trustsOf(s *Statement) []Trust {
	bounds := make([]bound, len(s.Conditions))
	for i := range s.Conditions {
		bounds[i] = e.bind(&s.Conditions[i], s.Conditions)
	}
	var out []Trust
	for _, sub := range e.subjects(s) {
		if sub.any && sub.kind == service {
			continue // told by the direct callers
		}
		w := sub.who
		for i := range bounds {
			w = w.meet(bounds[i].limit(&sub))
		}
		w, _ = e.applyDenies(s, &sub, w)
		t := Trust{Statement: s.Name(), Principal: sub.name, Actions: s.Actions, Level: sub.level(w)}
		if len(s.NotActions) > 0 {
			t.Actions = negated(s.NotActions)
		}
		t.classify(&sub)
		for i := range s.Conditions {
			t.ask(&s.Conditions[i], s.Conditions, &bounds[i])
		}
		out = append(out, t)
	}
	return out
}

func (t *Trust) classify(s *subject) {
	if len(s.who.parties) == 1 {
		t.Account, t.Trusted = s.who.parties[0].id, s.who.parties[0].inside
	}
	switch {
	case s.kind == service:
		t.Kind = TrustService
	case s.kind == federated && strings.Contains(s.name, ":saml-provider/"):
		t.Kind = TrustSAML
	case s.kind == federated:
		t.Kind = TrustOIDC
		if a, ok := parseARN(s.name); ok {
			t.Account = a.account
		}
	case s.who.all:
		t.Kind = TrustAnyone
	case len(s.who.parties) == 0:
		t.Kind = TrustNobody
	case t.Trusted:
		t.Kind = TrustOwnAccount
	default:
		t.Kind = TrustForeignAccount
	}
}

// ask notes what one condition of the statement requires.
func (t *Trust) ask(c *Condition, all []Condition, b *bound) {
	op := c.Operator
	sure := !op.Negated() && op.Name != "Null" && len(c.Values) > 0 &&
		(!op.IfExists && op.Quantifier != "ForAllValues" || keyRequired(c.Key, all))
	key := strings.ToLower(c.Key)
	bounds := b.reach != unbounding && !b.who.all
	switch {
	case key == "sts:externalid":
		t.ExternalID = t.ExternalID || sure && op.textual() &&
			!slices.ContainsFunc(c.Values, func(v string) bool { return v == "" || wild(v) || variable(v) })
	case key == "aws:multifactorauthpresent":
		t.MFA = t.MFA || sure && !slices.ContainsFunc(c.Values, func(v string) bool { return !strings.EqualFold(v, "true") })
	case key == "aws:multifactorauthage":
		t.MFA = t.MFA || sure && strings.HasPrefix(op.Name, "NumericLessThan")
	case strings.HasPrefix(key, "aws:source") && b.reach == source:
		t.SourceScoped = t.SourceScoped || bounds
	case strings.HasPrefix(key, "aws:principalorg"):
		t.OrganizationScoped = t.OrganizationScoped || bounds
	case sure && strings.HasSuffix(key, ":sub"):
		t.Subjects = append(t.Subjects, c.Values...)
	case sure && strings.HasSuffix(key, ":aud"):
		t.Audiences = append(t.Audiences, c.Values...)
	}
}
