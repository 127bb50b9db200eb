package iampolicy

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// federatedSubject reads a federated principal: an identity provider of an
// account, or one of the web identity providers that IAM knows by name.
func (e *evaluator) federatedSubject(name string) subject {
	s := subject{kind: federated, name: name, provider: name, who: anyone}
	a, ok := parseARN(name)
	if !ok {
		return s
	}
	if issuer, ok := strings.CutPrefix(a.resource, "oidc-provider/"); ok {
		s.provider = issuer
		if sharedIssuer(issuer) {
			s.remark = issuer + " issues tokens to all its customers"
			return s
		}
	}
	s.who = only(e.accountParty(a.account, a.partition, name))
	return s
}

//go:embed issuers.tsv
var issuerData string

// issuers are the shared issuers' claims, with the fields that fix the customer.
var issuers = sync.OnceValue(func() map[string]map[string][]string {
	all := map[string]map[string][]string{}
	for line := range strings.Lines(issuerData) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(column) != 4 {
			continue
		}
		if all[column[0]] == nil {
			all[column[0]] = map[string][]string{}
		}
		all[column[0]][column[1]] = strings.Fields(column[2])
	}
	return all
})

// sharedIssuer tells that one issuer serves many customers, so that only its
// tokens' claims tell whose they are.
func sharedIssuer(host string) bool { return issuers()[trimmedIssuer(host)] != nil }

func trimmedIssuer(host string) string { return strings.TrimSuffix(strings.ToLower(host), "/") }

// sessionName is a key that is no claim and still tells whose a token is, for the one
// issuer of Microsoft Sentinel.
const sessionName = "sts:rolesessionname"

// claimOf takes the key of a condition on a token apart: the issuer and the claim.
func claimOf(key string) (issuer, claim string, ok bool) {
	key = strings.ToLower(key)
	if key == sessionName {
		for host, claims := range issuers() {
			if claims[sessionName] != nil {
				return host, sessionName, true
			}
		}
	}
	cut := strings.LastIndexByte(key, ':')
	if cut < 0 || strings.HasPrefix(key, "aws:") {
		return "", "", false
	}
	issuer, claim = trimmedIssuer(key[:cut]), key[cut+1:]
	return issuer, claim, sharedIssuer(issuer) || slices.Contains([]string{"sub", "aud", "app_id", "azp", "oaud"}, claim)
}

// tokenClaim tells that a condition key is a claim of a federated identity's token.
func tokenClaim(key string) bool {
	_, _, ok := claimOf(key)
	return ok
}

// inEveryToken tells that every token has the claim: a condition that also holds when
// the request lacks it bounds all the same. OpenID Connect requires both.
// https://openid.net/specs/openid-connect-core-1_0.html#IDToken
func inEveryToken(key string) bool {
	_, claim, ok := claimOf(key)
	return ok && (claim == "sub" || claim == "aud")
}

func bindToken(c *Condition, free func(string) bound) bound {
	issuer, claim, _ := claimOf(c.Key)
	if !c.Operator.textual() || len(c.Values) == 0 {
		return free(c.Operator.Name + " does not compare it")
	}
	fields, known := issuers()[issuer][claim]
	if sharedIssuer(issuer) && !known {
		return free("is a claim that tokens of other customers of the issuer can have, too")
	}
	likes := c.Operator.arnWise() || strings.HasSuffix(c.Operator.Name, "Like")
	var w who
	for _, v := range c.Values {
		switch {
		case variable(v):
			return free("leaves the customer of the issuer open by " + v)
		case !likes && wild(v):
			continue // no token has a wildcard in its claim
		case known && !fixesCustomer(v, fields), !known && wild(v) && (claim != "sub" || !fixedBeginning(v)):
			return free("leaves the customer of the issuer open by " + v)
		}
		w.add(party{kind: limited, name: c.Key + " " + v})
	}
	return bound{reach: token, who: w, provider: issuer}
}

// fixesCustomer tells that a claim's pattern fixes one of the fields that tell whose
// the token is: repo:my-org/*, ref:refs/heads/main:repository_owner_id:65. What comes
// after a wildcard fixes nothing, as the wildcard may stand for it.
func fixesCustomer(pattern string, fields []string) bool {
	fixed, whole := pattern, true
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		fixed, whole = pattern[:i], false
	}
	for _, field := range fields {
		name, partly := strings.CutSuffix(field, "/")
		if name == "=" {
			if whole && fixed != "" || partly && strings.IndexByte(fixed, '/') > 0 {
				return true
			}
			continue
		}
		value, ok := fieldOf(fixed, name)
		if !ok {
			continue
		}
		end := strings.IndexByte(value, ':')
		if partly {
			if i := strings.IndexByte(value, '/'); i > 0 && (end < 0 || i < end) {
				return true
			}
			continue
		}
		if end > 0 || end < 0 && whole && value != "" {
			return true
		}
	}
	return false
}

// fieldOf is what follows a field's name in a claim's value.
func fieldOf(value, name string) (string, bool) {
	if rest, ok := strings.CutPrefix(value, name+":"); ok {
		return rest, true
	}
	_, rest, ok := strings.Cut(value, ":"+name+":")
	return rest, ok
}

// fixedBeginning tells that a subject's pattern fixes something before its first
// wildcard, for issuers of which nothing more is known.
func fixedBeginning(v string) bool {
	fixed := v[:strings.IndexAny(v, "*?")]
	_, rest, ok := strings.Cut(fixed, ":")
	return ok && strings.IndexAny(rest, "/:") > 0
}
