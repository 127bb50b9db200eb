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
		return anyone, c.Operator.Name + " does not compare it"
	}
	if f == formIP {
		return addresses(c.Values)
	}
	w.parties = make([]party, 0, len(c.Values))
	for _, v := range c.Values {
		if e.matchesNothing(c, f, v) {
			continue
		}
		p, why := e.readValue(c, f, v)
		if why != "" {
			return anyone, why
		}
		w.add(p)
	}
	return w, ""
}

// matchesNothing tells that no request can hold the value: what most keys hold has
// neither wildcards in it nor ${, where these are but text.
func (e *evaluator) matchesNothing(c *Condition, f form, v string) bool {
	text := c.Operator.literal() && wild(v) || variable(v)
	if e.variable(v) || !text {
		return false
	}
	switch f {
	case formEndpoint, formUserID:
		return false
	case formARN, formNetwork: // the path of a role may hold either
		a, ok := parseARN(v)
		fixed := ok && isAccount(a.account) && !wild(a.partition+a.service+a.region)
		return !fixed && c.Operator.literal()
	default:
		return true
	}
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
		return p, "leaves the account open with " + v
	case formNetwork:
		if _, ok := e.arnParty(v, !c.Operator.arnWise()); !ok {
			return p, "leaves the account open with " + v
		}
	case formUserID:
		return e.userIDValue(v)
	case formEndpoint:
		// Messages to something of an account's: whoever subscribes it.
		if p, ok := e.arnParty(v, !c.Operator.arnWise()); ok && p.kind == account {
			return p, ""
		}
		if e.variable(v) || !fixedEndpoint(v) {
			return p, "leaves the endpoint open with " + v
		}
	case formToken, formFixed:
		v = e.ownAccount(v)
		if e.ownOrganization(v) {
			v = ownOrganizationName
		}
		if wild(v) || e.variable(v) {
			return p, "is not fixed by " + v
		}
		if f == formToken {
			return thing(chosen, c.Key+" "+v, c.Key+" "+v), ""
		}
	default: // formNone, formIP, formTrue, formOwner and formService are read elsewhere
	}
	return party{kind: limited, name: c.Key + " " + v}, ""
}

func (e *evaluator) accountValue(v string) (party, string) {
	v = e.ownAccount(v)
	if a, ok := parseARN(v); ok && isAccount(a.account) && !e.variable(v) {
		v = a.account
	}
	switch {
	case wild(v) || e.variable(v):
		return party{}, "does not fix the account with " + v
	case v == "":
		return party{}, "does not fix the account"
	}
	return e.accountParty(v, "", v), ""
}

// organizationValue reads an organization id, or a path that starts with one
// (o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*).
func (e *evaluator) organizationValue(v string, path bool) (party, string) {
	id, name := v, v
	if path {
		var ok bool
		if id, _, ok = strings.Cut(v, "/"); !ok {
			return party{}, "does not fix the organization with " + v
		}
	}
	if e.ownOrganization(id) {
		return party{kind: organization, id: ownOrganization, name: ownOrganizationName}, ""
	}
	if id == "" || wild(id) || e.variable(v) {
		return party{}, "does not fix the organization with " + v
	}
	return party{kind: organization, id: id, name: name}, ""
}

// ownerValues reads what compares the owner of the resource with who calls, by a
// variable: aws:ResourceAccount with ${aws:PrincipalAccount} says the same as
// aws:PrincipalAccount with ${aws:ResourceAccount}. Of a VPC endpoint, anything fixed
// bounds what can be reached through it.
func (e *evaluator) ownerValues(c *Condition) (reach, who, string) {
	key := strings.ToLower(c.Key)
	if e.endpoint {
		w := who{}
		for _, v := range c.Values {
			if e.variable(v) || wild(strings.TrimSuffix(v, "/*")) || v == "" || !c.Operator.textual() {
				return target, anyone, "is not fixed by " + v
			}
			w.add(party{kind: limited, name: c.Key + " " + v})
		}
		if len(c.Values) == 0 {
			return target, anyone, "has no value"
		}
		return target, w, ""
	}
	if len(c.Values) != 1 || !c.Operator.textual() || !e.variable(c.Values[0]) {
		return target, anyone, freeReason(key)
	}
	account := key == "aws:resourceaccount" || key == "s3:resourceaccount"
	own := party{kind: organization, id: ownOrganization, name: ownOrganizationName}
	switch v := strings.ToLower(c.Values[0]); {
	case account && v == "${aws:principalaccount}":
		return caller, only(e.ownerParty()), ""
	case account && v == "${aws:sourceaccount}":
		return source, only(e.ownerParty()), ""
	case key == "aws:resourceorgid" && v == "${aws:principalorgid}":
		return caller, only(own), ""
	case key == "aws:resourceorgid" && v == "${aws:sourceorgid}":
		return source, only(own), ""
	}
	return target, anyone, freeReason(key)
}

// ownerParty is the owner's account.
func (e *evaluator) ownerParty() party { return e.accountParty(e.zone.Account, "", e.zone.Account) }

// userIDValue reads aws:userid. S3 takes AROAID:* for public; the role's id is
// unique all the same, so it is kept apart from what is open to all.
func (e *evaluator) userIDValue(v string) (party, string) {
	v = e.ownAccount(v)
	if e.variable(v) {
		return party{}, "is not fixed by " + v
	}
	if !wild(v) {
		if isAccount(v) { // the root user's id is the account
			return e.accountParty(v, "", v), ""
		}
		return thing(something, v, "aws:userid "+v), ""
	}
	id, session, ok := strings.Cut(v, ":")
	if !ok || wild(id) || len(id) < 16 || session == "" {
		return party{}, "is open with " + v
	}
	return party{kind: limited, name: "aws:userid " + v}, ""
}

func boolValue(c *Condition) (who, string) {
	op := c.Operator.Name
	if op != "Bool" && op != "StringEquals" && op != "StringEqualsIgnoreCase" && op != "StringLike" {
		return anyone, op + " does not compare it"
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
	if v == "" {
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
				return anyone, "cannot be read as a range: " + v
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		name := "aws:SourceIp " + v
		switch is4 := prefix.Addr().Is4(); {
		case private(prefix):
			name += " (private range)"
		case is4 && prefix.Bits() < 8, !is4 && prefix.Bits() < 32:
			return anyone, "has too wide a range, " + v
		case is4:
			total += math.Exp2(float64(32 - prefix.Bits()))
		}
		w.add(party{kind: limited, name: name})
	}
	if total >= math.Exp2(31) {
		return anyone, "is half of the internet or more, all ranges together"
	}
	return w, ""
}

var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
}

func private(p netip.Prefix) bool {
	for _, q := range privateRanges {
		if q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
