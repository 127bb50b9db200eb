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
// aws:SecureTransport is false, AWS's services perhaps excepted.
func (s *Statement) deniesPlain() bool {
	if s.Effect != Deny || !s.Principal.Everyone() {
		return false
	}
	plain := false
	for i := range s.Conditions {
		c := &s.Conditions[i]
		equal := c.Operator.Name == "Bool" || strings.HasPrefix(c.Operator.Name, "StringEquals") || c.Operator.Name == "StringLike"
		not := strings.HasPrefix(c.Operator.Name, "StringNot")
		switch {
		case c.Operator.Quantifier != "":
			return false
		case c.Is("aws:SecureTransport") && equal && slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "false") }),
			c.Is("aws:SecureTransport") && not && onlyValue(c, "true"):
			plain = true
		case c.Is("aws:PrincipalIsAWSService") && equal && c.Operator.IfExists && falseOnly(c):
			// AWS's services speak TLS in any case. Who is nobody lacks the key.
		default:
			return false
		}
	}
	return plain
}
