package iampolicy

import (
	"slices"
	"strings"
)

// TrustKind classifies a principal of a role's trust policy.
type TrustKind string

// The kinds of trusted principal.
const (
	TrustOwnAccount     TrustKind = "own_account" // or one that the owner trusts
	TrustForeignAccount TrustKind = "foreign_account"
	TrustService        TrustKind = "service"
	TrustSAML           TrustKind = "saml"
	TrustOIDC           TrustKind = "oidc"
	TrustAnyone         TrustKind = "anyone"
	// TrustNobody is a deleted principal: a dead entry.
	TrustNobody TrustKind = "nobody"
)

// Trust is one principal of one Allow statement of a trust policy, and what has to be
// true of whoever comes in by it.
type Trust struct {
	Statement string
	Kind      TrustKind
	Principal string // as written
	// Level that this principal's trust comes to. For a service it only tells
	// whether the source is scoped: a role cannot be passed across accounts, so
	// most services need no scope here.
	Level Level
	// Parties who come in at any level above None, where they are bounded.
	Parties Parties
	// Why says which conditions did not bound who comes in; see [Grant].
	Why string
	// ExternalID: nobody comes in without knowing a fixed sts:ExternalId.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
	ExternalID bool
	// MFA: nobody comes in without, neither with access keys nor with a session.
	MFA bool
	// Subjects and Audiences that the provider's sub and aud claims must match.
	Subjects  []string
	Audiences []string
}

// Trusts reads the document as a role's trust policy and classifies whom it
// trusts. Statements that only deny, or allow no sts:AssumeRole*, are left out.
func (p Policy) Trusts(z Zone) []Trust {
	var out []Trust
	base := newEvaluator(&p, &z).admitted()
	key := slices.ContainsFunc(p.Statements, func(s Statement) bool { return s.asks("sts:ExternalId") })
	mfa := slices.ContainsFunc(p.Statements, func(s Statement) bool { return s.asks("aws:MultiFactorAuth") })
	var without [][]admission
	if key {
		without = append(without, p.assuming(&z, assumption{externalID: {absent: true}}), p.assuming(&z, assumption{externalID: {any: true}}))
	}
	var single [][]admission
	if mfa {
		single = append(single,
			p.assuming(&z, assumption{mfaPresent: {absent: true}, mfaAge: {absent: true}}),
			p.assuming(&z, assumption{mfaPresent: {value: "false"}, mfaAge: {absent: true}}))
	}
	for i, a := range base {
		t := a.trust
		t.ExternalID = key && !a.who.empty() && none(without, i)
		t.MFA = mfa && !a.who.empty() && none(single, i)
		out = append(out, t)
	}
	return out
}

// The keys that an assumption is about.
const (
	externalID = "sts:externalid"
	mfaPresent = "aws:multifactorauthpresent"
	mfaAge     = "aws:multifactorauthage"
)

// asks tells that a condition of the statement is about a key that begins so.
func (s *Statement) asks(key string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return len(c.Key) >= len(key) && strings.EqualFold(c.Key[:len(key)], key)
	})
}

// none tells that under no assumption anybody comes in by the principal.
func none(worlds [][]admission, i int) bool {
	return !slices.ContainsFunc(worlds, func(w []admission) bool { return !w[i].who.empty() })
}

// admission is a principal of a trust policy and who comes in by it.
type admission struct {
	trust Trust
	who   who
}

func (p *Policy) assuming(z *Zone, a assumption) []admission {
	e := newEvaluator(p, z)
	e.assume = a
	return e.admitted()
}

func (e *evaluator) admitted() []admission {
	e.actions = nil
	denials := e.denials()
	var out []admission
	for i := range e.policy.Statements {
		if s := &e.policy.Statements[i]; s.Effect == Allow && s.touchesAction("sts:AssumeRole*") {
			out = append(out, e.trustsOf(s, denials)...)
		}
	}
	return out
}

func (e *evaluator) trustsOf(s *Statement, denials []denial) []admission {
	// Tagging a session, or setting its source identity, lets nobody in by itself.
	narrowed := *s
	narrowed.Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a string) bool { return !overlap(foldAction(a), "sts:assumerole*") })
	bounds := e.bounds(s)
	denials, combinations := e.relevant(&narrowed, denials)
	var out []admission
	for _, sub := range e.subjects(s) {
		if sub.any && sub.kind == service {
			continue // told by the direct callers
		}
		w := e.left(&sub, bounds, denials, combinations)
		t := Trust{Statement: s.Name(), Principal: sub.name}
		e.classify(&t, &sub)
		var grants []Grant
		e.grant(&grants, map[Party]bool{}, &sub, w, folded(s.Actions), bounds)
		for _, g := range grants {
			if g.Level > t.Level {
				t.Level, t.Why = g.Level, g.Why
			}
			t.Parties = append(t.Parties, g.Parties...)
		}
		for i := range s.Conditions {
			t.ask(&s.Conditions[i], s.Conditions)
		}
		out = append(out, admission{t, w})
	}
	return out
}

func (e *evaluator) classify(t *Trust, s *subject) {
	inside := false
	if len(s.who.parties) == 1 {
		l, _ := e.level(&s.who.parties[0], nil)
		inside = l == None
	}
	switch {
	case s.kind == service:
		t.Kind = TrustService
	case s.kind == federated && strings.Contains(s.name, ":saml-provider/"):
		t.Kind = TrustSAML
	case s.kind == federated:
		t.Kind = TrustOIDC
	case s.who.all:
		t.Kind = TrustAnyone
	case len(s.who.parties) == 0:
		t.Kind = TrustNobody
	case inside:
		t.Kind = TrustOwnAccount
	default:
		t.Kind = TrustForeignAccount
	}
}

// ask notes which claims of a token one condition of the statement requires.
func (t *Trust) ask(c *Condition, all []Condition) {
	op := c.Operator
	key := strings.ToLower(c.Key)
	switch sure := !op.Negated() && op.Name != "Null" && len(c.Values) > 0 &&
		(!op.IfExists && op.Quantifier != "ForAllValues" || keyRequired(c.Key, all) || inEveryToken(c.Key)); {
	case sure && strings.HasSuffix(key, ":sub"):
		t.Subjects = append(t.Subjects, c.Values...)
	case sure && strings.HasSuffix(key, ":aud"):
		t.Audiences = append(t.Audiences, c.Values...)
	}
}
