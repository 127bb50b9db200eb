package iampolicy

import "strings"

// subjects takes the principals of an Allow statement apart.
func (e *evaluator) subjects(s *Statement) []subject {
	if !s.NotPrincipal.IsZero() {
		names := strings.Join(negated(s.NotPrincipal.Names()), ", ")
		remark := "NotPrincipal with Allow lets in everyone else"
		return []subject{
			{kind: direct, any: true, name: names, who: anyone, remark: remark},
			{kind: service, any: true, name: names, who: anyone, remark: remark},
		}
	}
	p := &s.Principal
	var out []subject
	if p.Any {
		out = append(out, everyone()...)
	}
	for _, name := range p.AWS {
		out = append(out, e.awsSubjects(name)...)
	}
	for _, name := range p.Service {
		sub := subject{kind: service, name: name, who: anyone}
		if name == "*" { // AWS refuses it today; old policies may hold it
			sub.any = true
		}
		out = append(out, sub)
	}
	for _, name := range p.Federated {
		out = append(out, e.federatedSubject(name))
	}
	for _, name := range p.CanonicalUser {
		own := name == e.opts.CanonicalUserID || e.trusts(name)
		out = append(out, subject{
			kind: direct, name: name,
			who:    only(party{kind: unowned, name: "canonical user " + name, inside: own}),
			remark: "a canonical user id does not tell its account",
		})
	}
	return out
}

// everyone gives the two kinds of requester that "*" stands for. They are kept
// apart because they carry different condition keys.
func everyone() []subject {
	return []subject{
		{kind: direct, any: true, name: "*", who: anyone},
		{kind: service, any: true, name: "*", who: anyone},
	}
}

// awsSubjects reads an entry of the AWS list.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (e *evaluator) awsSubjects(name string) []subject {
	s := subject{kind: direct, name: name}
	a, ok := parseARN(name)
	switch {
	case name == "*":
		return everyone()
	case isAccount(name):
		s.who = only(e.accountParty(name, "", name))
	case ok && isAccount(a.account):
		s.who = only(e.accountParty(a.account, a.partition, name))
	case ok && a.account == "cloudfront":
		s.who = only(party{kind: unowned, name: name, inside: e.trusts(name)})
		s.remark = "the policy does not tell whose CloudFront distribution uses the identity"
	case ok && wild(a.account):
		// Not a principal that AWS accepts; should it, then for all accounts.
		s.who = anyone
	case deletedID(name):
		s.who = nobody
		s.remark = "the principal was deleted: AWS shows its unique id in place of the ARN"
	default:
		s.who = only(party{kind: unowned, name: name, inside: e.trusts(name)})
	}
	return []subject{s}
}

// deletedID tells a unique id such as AIDACKCEVSQ6C2EXAMPLE. Policies are
// written with ARNs; an id appears when its user or role is no more.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func deletedID(s string) bool {
	if len(s) < 16 || s[:4] != "AIDA" && s[:4] != "AROA" {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}
