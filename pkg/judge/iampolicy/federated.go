package iampolicy

import "strings"

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

// sharedIssuer tells that one issuer serves many customers, so that only the
// token's subject tells whose token it is. Other issuers are one customer's own
// (an EKS cluster, a tenant of an identity service).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
func sharedIssuer(host string) bool {
	switch strings.ToLower(host) {
	case "token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io", "agent.buildkite.com",
		"api.pulumi.com/oidc", "oidc.vercel.com", "accounts.google.com", "www.amazon.com",
		"graph.facebook.com", "appleid.apple.com", "cognito-identity.amazonaws.com":
		return true
	}
	return false
}

// audienceBounds tells that the issuer gives each application an audience of
// its own. With the others the holder of a token chooses the audience.
func audienceBounds(host string) bool {
	switch strings.ToLower(host) {
	case "accounts.google.com", "www.amazon.com", "graph.facebook.com", "appleid.apple.com", "cognito-identity.amazonaws.com":
		return true
	}
	return false
}

func bindToken(c *Condition, free func(string) bound) bound {
	cut := strings.LastIndexByte(c.Key, ':')
	issuer, claim := c.Key[:cut], strings.ToLower(c.Key[cut+1:])
	if !c.Operator.textual() || len(c.Values) == 0 {
		return free(c.Operator.Name + " does not compare it")
	}
	if claim != "sub" && !audienceBounds(issuer) {
		return free("is an audience that any customer of the issuer can ask for")
	}
	var w who
	for _, v := range c.Values {
		if variable(v) || wild(v) && (claim != "sub" || !fixedTenant(v)) {
			return free("leaves the customer of the issuer open with " + v)
		}
		w.add(party{kind: limited, name: c.Key + " " + v})
	}
	return bound{reach: token, who: w, provider: issuer}
}

// fixedTenant tells that a subject pattern fixes the customer before its first
// wildcard: repo:my-org/*, organization:my-org:*, project_path:my-group/*.
func fixedTenant(v string) bool {
	fixed := v[:strings.IndexAny(v, "*?")]
	_, rest, ok := strings.Cut(fixed, ":")
	return ok && strings.IndexAny(rest, "/:") > 0
}
