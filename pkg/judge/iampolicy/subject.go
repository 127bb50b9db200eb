package iampolicy

import "strings"

// subjects takes the principals of an Allow statement apart.
func (e *evaluator) subjects(s *Statement) []subject {
	if !s.NotPrincipal.IsZero() {
		names := strings.Join(negated(s.NotPrincipal.Names()), ", ")
		return everyone(names, "NotPrincipal with Allow lets in everyone else")
	}
	p := &s.Principal
	var out []subject
	if p.Any {
		out = append(out, everyone("*", "")...)
	}
	for _, name := range p.AWS {
		out = append(out, e.awsSubjects(name)...)
	}
	for _, name := range p.Service {
		// AWS refuses * today; old policies may hold it.
		out = append(out, subject{kind: service, any: name == "*", name: name, who: anyone})
	}
	for _, name := range p.Federated {
		out = append(out, e.federatedSubject(name))
	}
	for _, name := range p.CanonicalUser {
		out = append(out, subject{kind: direct, name: name, who: only(canonicalUser(name))})
	}
	return out
}

func canonicalUser(id string) party {
	p := thing(ACanonicalUser, id, "canonical user "+id)
	p.principal = id
	return p
}

// everyone gives the two kinds of requester that "*" stands for. They are kept
// apart because they carry different condition keys.
func everyone(name, remark string) []subject {
	return []subject{
		{kind: direct, any: true, name: name, who: anyone, remark: remark},
		{kind: service, any: true, name: name, who: anyone, remark: remark},
	}
}

// awsSubjects reads an entry of the AWS list.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (e *evaluator) awsSubjects(name string) []subject {
	a, ok := parseARN(name)
	var p party
	switch {
	case name == "*" || ok && wild(a.account):
		// An ARN without the account is no principal that AWS accepts; should it, then
		// for all accounts.
		return everyone(name, "")
	case isAccount(name):
		p = e.accountParty(name, "", name)
	case ok && isAccount(a.account):
		p = e.accountParty(a.account, a.partition, name)
	case ok && a.account == "cloudfront":
		_, id, _ := strings.Cut(a.resource, "CloudFront Origin Access Identity ")
		p = thing(AnOriginAccess, id, name)
	case deletedID(name):
		return []subject{{kind: direct, name: name, who: nobody}}
	default:
		p = thing(something, name, name)
	}
	p.principal = name
	return []subject{{kind: direct, name: name, who: only(p)}}
}

// deletedID tells a unique id such as AIDACKCEVSQ6C2EXAMPLE: AWS shows it in place of
// the ARN when the user or role is no more.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func deletedID(s string) bool {
	if len(s) < 16 || s[:4] != "AIDA" && s[:4] != "AROA" {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}
