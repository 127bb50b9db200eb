package iampolicy

import (
	"slices"
	"strings"
)

// Allows tells that the policy allows all that the action and resource patterns
// match: Allows("s3:*", "*") asks for all of S3. An empty resource asks whether
// some resource is allowed. Conditions of an Allow are not looked at, for a
// right that holds at times is a right; a Deny counts only without conditions
// and if it covers the whole question.
func (p Policy) Allows(action, resource string) bool {
	return allows([]Policy{p}, action, resource, nil)
}

// allows is Allows over policies attached together. if accept is given, only
// statements that pass it allow.
func allows(policies []Policy, action, resource string, accept func(*Statement) bool) bool {
	action = foldAction(action)
	ok := false
	for i := range policies {
		for j := range policies[i].Statements {
			s := &policies[i].Statements[j]
			switch {
			case !s.coversAction(action):
			case s.Effect == Deny:
				question := resource
				if question == "" {
					question = "*"
				}
				if len(s.Conditions) == 0 && s.coversResource(question) && s.everybody() {
					return false
				}
			case (resource == "" || s.coversResource(resource)) && (accept == nil || accept(s)):
				ok = true
			}
		}
	}
	return ok
}

// everybody tells that the statement is about the policy's own identity or about all.
func (s *Statement) everybody() bool {
	return s.NotPrincipal.IsZero() && (s.Principal.IsZero() || s.Principal.Everyone())
}

// IsAdmin tells that the policy allows all actions on all resources.
func (p Policy) IsAdmin() bool { return p.Allows("*", "*") }

// FullAccess tells that the policy allows all actions of the service
// ("cloudtrail") on all resources. An administrator has it for each.
func (p Policy) FullAccess(service string) bool { return p.Allows(service+":*", "*") }

// WildcardResources gives the resource patterns with a wildcard on which the
// policy allows the action; "*" is among them if it is allowed on everything.
// A NotResource is given as "not X".
func (p Policy) WildcardResources(action string) []string {
	var out []string
	for i := range p.Statements {
		s := &p.Statements[i]
		if s.Effect != Allow || !s.coversAction(action) || !p.Allows(action, "") {
			continue
		}
		for _, r := range resourceNames(s) {
			if wild(r) || len(s.NotResources) > 0 {
				push(&out, r)
			}
		}
	}
	return out
}

// RequiresTLS tells that the policy denies everybody each of the actions on
// each of the resources over plain HTTP, by aws:SecureTransport. A bucket needs
// two resources: its ARN and that with /*.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit
//
// An Allow that asks for TLS does not count, as another policy may allow
// without; nor does s3:TlsVersion, which plain requests do not carry.
func (p Policy) RequiresTLS(actions, resources []string) bool {
	for _, action := range actions {
		for _, resource := range resources {
			if !slices.ContainsFunc(p.Statements, func(s Statement) bool {
				return s.deniesPlain() && s.coversAction(action) && s.coversResource(resource)
			}) {
				return false
			}
		}
	}
	return len(actions) > 0 && len(resources) > 0
}

// deniesPlain tells that the statement denies everybody whenever
// aws:SecureTransport is false, and asks nothing else.
func (s *Statement) deniesPlain() bool {
	if s.Effect != Deny || !s.Principal.Everyone() || len(s.Conditions) != 1 {
		return false
	}
	c := &s.Conditions[0]
	op := c.Operator
	equal := op.Name == "Bool" || strings.HasPrefix(op.Name, "StringEquals") || op.Name == "StringLike"
	return equal && op.Quantifier == "" && c.Is("aws:SecureTransport") &&
		slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "false") })
}
