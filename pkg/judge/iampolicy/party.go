package iampolicy

import (
	"slices"
	"strings"
)

// partyKind orders parties from what is known best to what is known least.
type partyKind uint8

const (
	account      partyKind = iota // an account, or a principal of a known account
	unowned                       // one named thing whose account the policy does not say
	organization                  // an organization or a path in it
	limited                       // anyone, within a bound that is not an identity
)

// party is someone a policy lets in.
type party struct {
	kind   partyKind
	id     string // account number or organization id
	name   string // as evidence shows it
	inside bool   // the owner or a trusted account
}

func (p party) level() Level {
	switch {
	case p.inside:
		return None
	case p.kind == organization:
		return Organization
	case p.kind == limited:
		return Restricted
	}
	return CrossAccount
}

// who is a set of requesters: all of them, or those in the list.
type who struct {
	all     bool
	parties []party
}

var (
	anyone = who{all: true}
	nobody = who{}
)

func only(p party) who { return who{parties: []party{p}} }

// meet gives the requesters in both sets. It errs on the wide side where the
// overlap cannot be known, and never widens either.
func (w who) meet(v who) who {
	switch {
	case w.all:
		return v
	case v.all:
		return w
	}
	var out who
	for _, x := range w.parties {
		for _, y := range v.parties {
			if p, ok := meetParties(x, y); ok {
				out.add(p)
			}
		}
	}
	return out
}

// join gives the requesters in either set.
func (w who) join(v who) who {
	if w.all || v.all {
		return anyone
	}
	out := who{parties: slices.Clone(w.parties)}
	for _, p := range v.parties {
		out.add(p)
	}
	return out
}

func (w *who) add(p party) {
	if !slices.Contains(w.parties, p) {
		w.parties = append(w.parties, p)
	}
}

func meetParties(x, y party) (party, bool) {
	if x.kind > y.kind {
		x, y = y, x
	}
	switch {
	case x.kind == account && y.kind == account:
		if x.id != y.id {
			return party{}, false
		}
		// Keep the name that says more: a role's ARN rather than its account.
		x.inside = x.inside || y.inside
		if len(y.name) > len(x.name) && !strings.HasSuffix(y.name, ":root") {
			x.name = y.name
		}
	case x.kind == organization && y.kind == organization:
		if x.id != y.id {
			return party{}, false
		}
		if len(y.name) > len(x.name) {
			x.name = y.name
		}
	}
	return x, true
}

// arnParty reads an ARN pattern that must match who or what makes the request.
// loose is set if the operator lets * run across the colons. ok is false if the
// pattern bounds nothing.
func (e *evaluator) arnParty(pattern string, loose bool) (p party, ok bool) {
	pattern = e.ownAccount(pattern)
	if variable(pattern) {
		return p, false
	}
	a, ok := parseARN(pattern)
	if !ok {
		return p, false
	}
	if isAccount(a.account) {
		p = e.accountParty(a.account, a.partition, pattern)
		// arn:*:iam::1:role/x with StringLike also matches
		// arn:aws:iam::2:role/y:iam::1:role/x, for a path may hold colons.
		if loose && wild(a.partition+a.service+a.region) && (a.partition != "aws" || !colonFree(a.service)) {
			p.kind, p.id, p.inside = unowned, "", false
		}
		return p, true
	}
	// The ARNs of buckets and of a few other things carry no account. A fixed
	// name is one thing, of an owner that the policy does not name.
	if a.account == "" || a.service == "s3" && a.account == "*" {
		if wild(a.service) || wild(a.resource) || a.service != "s3" && wild(a.region) {
			return p, false
		}
		return party{kind: unowned, name: pattern, inside: e.trusts(pattern)}, true
	}
	return p, false
}

// colonFree names services whose resource names cannot hold a colon followed by
// an account number, so that StringLike with * for the region is as exact as
// ArnLike.
func colonFree(service string) bool {
	switch service {
	case "sns", "sqs", "s3", "dynamodb", "kms", "cloudfront", "cloudtrail", "config", "events",
		"ses", "codestar-notifications", "backup", "guardduty", "budgets", "elasticloadbalancing",
		"kinesis", "firehose", "codecommit", "execute-api":
		return true
	}
	return false
}

func (e *evaluator) accountParty(id, partition, name string) party {
	own := id == e.opts.Account && (e.opts.Partition == "" || partition == "" || wild(partition) || partition == e.opts.Partition)
	return party{kind: account, id: id, name: name, inside: id != "" && own || e.trusts(id) || e.trusts(name)}
}

func (e *evaluator) trusts(s string) bool { return slices.Contains(e.opts.TrustedAccounts, s) }

// ownAccount puts the owner's account for the variable that means it.
func (e *evaluator) ownAccount(s string) string {
	if e.opts.Account == "" || !variable(s) {
		return s
	}
	return replaceFold(s, "${aws:ResourceAccount}", e.opts.Account)
}

func (e *evaluator) ownOrganization(s string) string {
	if e.opts.OrganizationID == "" || !variable(s) {
		return s
	}
	return replaceFold(s, "${aws:ResourceOrgID}", e.opts.OrganizationID)
}

func replaceFold(s, old, to string) string {
	for i := 0; i+len(old) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(old)], old) {
			return s[:i] + to + s[i+len(old):]
		}
	}
	return s
}
