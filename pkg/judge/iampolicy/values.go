package iampolicy

import (
	"math"
	"net/netip"
	"strings"
)

// readValues gives the requesters that match one of the condition's values. If
// one value bounds nobody, neither does the condition, and why tells it.
func (e *evaluator) readValues(c *Condition, f form) (w who, why string) {
	if len(c.Values) == 0 {
		return anyone, "has no value"
	}
	if f == formTrue {
		return boolValue(c)
	}
	if !c.Operator.textual() {
		return anyone, c.Operator.Name + " does not compare this key"
	}
	if f == formIP {
		return addresses(c.Values)
	}
	for _, v := range c.Values {
		p, why := e.readValue(c, f, v)
		if why != "" {
			return anyone, why
		}
		w.add(p)
	}
	return w, ""
}

func (e *evaluator) readValue(c *Condition, f form, v string) (p party, why string) {
	switch f {
	case formAccount:
		return e.accountValue(v)
	case formOrganization:
		return e.organizationValue(v, false)
	case formPath:
		return e.organizationValue(v, true)
	case formARN:
		if p, ok := e.arnParty(v, !c.Operator.arnWise()); ok {
			return p, ""
		}
		return p, "the pattern " + v + " leaves the account open"
	case formUserID:
		return e.userIDValue(v)
	case formOwner:
		if strings.EqualFold(v, "${aws:PrincipalAccount}") && c.Is("aws:ResourceAccount") {
			return e.accountValue(e.opts.Account)
		}
		if strings.EqualFold(v, "${aws:PrincipalOrgID}") && c.Is("aws:ResourceOrgID") {
			return party{kind: organization, id: e.opts.OrganizationID, name: "the owner's organization"}, ""
		}
		return p, freeReason(strings.ToLower(c.Key))
	case formEndpoint:
		if !fixedEndpoint(v) {
			return p, "the endpoint pattern " + v + " is open"
		}
	case formToken, formFixed:
		v = e.ownOrganization(e.ownAccount(v))
		if wild(v) || variable(v) {
			return p, "the value " + v + " is not fixed"
		}
		if f == formToken {
			return party{kind: unowned, name: c.Key + " " + v}, ""
		}
	default: // formNone, formIP, formTrue and formService are read elsewhere
	}
	return party{kind: limited, name: c.Key + " " + v}, ""
}

func (e *evaluator) accountValue(v string) (party, string) {
	v = e.ownAccount(v)
	if a, ok := parseARN(v); ok && isAccount(a.account) && !variable(v) {
		v = a.account
	}
	switch {
	case v == "":
		return party{}, "the owner's account is not known"
	case wild(v) || variable(v):
		return party{}, "the value " + v + " is not a fixed account"
	}
	return e.accountParty(v, "", v), ""
}

// organizationValue reads an organization id, or a path that starts with one
// (o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*).
func (e *evaluator) organizationValue(v string, path bool) (party, string) {
	v = e.ownOrganization(v)
	id := v
	if path {
		var ok bool
		if id, _, ok = strings.Cut(v, "/"); !ok {
			return party{}, "the path " + v + " does not fix an organization"
		}
	}
	if id == "" || wild(id) || variable(v) {
		return party{}, "the value " + v + " does not fix an organization"
	}
	name := v
	if id != e.opts.OrganizationID && e.opts.OrganizationID != "" {
		name += " (another organization)"
	}
	return party{kind: organization, id: id, name: name}, ""
}

// userIDValue reads aws:userid. S3 takes AROAID:* for public; the role's id is
// unique all the same, so it is kept apart from what is open to all.
func (e *evaluator) userIDValue(v string) (party, string) {
	if variable(v) {
		return party{}, "the value " + v + " is not fixed"
	}
	if !wild(v) {
		if isAccount(v) { // the root user's id is the account
			return e.accountParty(v, "", v), ""
		}
		return party{kind: unowned, name: "aws:userid " + v, inside: e.trusts(v)}, ""
	}
	id, session, ok := strings.Cut(v, ":")
	if !ok || wild(id) || len(id) < 16 || session == "" {
		return party{}, "the pattern " + v + " is open"
	}
	return party{kind: limited, name: "aws:userid " + v}, ""
}

func boolValue(c *Condition) (who, string) {
	op := c.Operator.Name
	if op != "Bool" && op != "StringEquals" && op != "StringEqualsIgnoreCase" && op != "StringLike" {
		return anyone, op + " does not compare this key"
	}
	for _, v := range c.Values {
		if !strings.EqualFold(v, "true") {
			return anyone, "is also met by " + v
		}
	}
	return only(party{kind: limited, name: c.Key}), ""
}

// fixedEndpoint tells that an sns:Endpoint pattern leaves no host open:
// a whole address, *@example.com, or https://example.com/*.
func fixedEndpoint(v string) bool {
	if v == "" || variable(v) {
		return false
	}
	if !wild(v) {
		return true
	}
	if rest, ok := strings.CutPrefix(v, "*@"); ok {
		return rest != "" && !wild(rest)
	}
	if _, rest, ok := strings.Cut(v, "://"); ok && !wild(v[:len(v)-len(rest)]) {
		host, _, ok := strings.Cut(rest, "/")
		return ok && host != "" && !wild(host)
	}
	return false
}

// addresses reads aws:SourceIp. S3 takes ranges wider than /8 and /32 (IPv6)
// for public, private ranges apart, and so do we for every service; many narrow
// ranges that add up to half of IPv4 are no bound either.
func addresses(values []string) (who, string) {
	var w who
	total := 0.0
	for _, v := range values {
		prefix, err := netip.ParsePrefix(v)
		if err != nil {
			addr, err := netip.ParseAddr(v)
			if err != nil {
				return anyone, "the range " + v + " cannot be read"
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		name := "aws:SourceIp " + v
		switch is4 := prefix.Addr().Is4(); {
		case private(prefix):
			name += " (private range)"
		case is4 && prefix.Bits() < 8, !is4 && prefix.Bits() < 32:
			return anyone, "the range " + v + " is too wide to bound"
		case is4:
			total += math.Exp2(float64(32 - prefix.Bits()))
		}
		w.add(party{kind: limited, name: name})
	}
	if total >= math.Exp2(31) {
		return anyone, "the ranges together are half of the internet or more"
	}
	return w, ""
}

func private(p netip.Prefix) bool {
	for _, r := range [...]string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"} {
		if q := netip.MustParsePrefix(r); q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
