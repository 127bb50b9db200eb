package iampolicy

import (
	"slices"
	"strings"
)

// Allows tells that the policy allows all that the action and resource patterns
// match: Allows("s3:?*", "*") asks for all of S3. An empty resource asks whether
// some resource is allowed. Conditions of an Allow are not looked at, for a
// right that holds at times is a right; a Deny counts only without conditions
// and if it covers the whole question.
//
// Who asks for all of something asks for as little as makes all of it: all roles of
// an account are "arn:aws:iam::111122223333:role/*", which "*" covers and other
// patterns do as well; all actions of a service are "s3:?*", as a name has a letter.
func (p Policy) Allows(action, resource string) bool {
	ok := false
	for i := range p.Statements {
		s := &p.Statements[i]
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
		case resource == "" || s.coversResource(resource):
			ok = true
		}
	}
	return ok
}

// everybody tells that the statement is about the policy's own identity or about all.
func (s *Statement) everybody() bool {
	return s.NotPrincipal.IsZero() && (s.Principal.IsZero() || s.Principal.Everyone())
}

// allActions tells that the statement surely speaks of all actions of a service, or
// of all services if it is empty.
func (s *Statement) allActions(service string) bool {
	if service == "" {
		service = "?*"
	}
	return s.coversAction(service + ":?*")
}

// allResources tells that the statement surely speaks of all that has an ARN. "*" is
// what comes to mind; arn:aws:* says it, too.
func (s *Statement) allResources() bool {
	partition := "aws"
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		if parts := strings.SplitN(r, ":", 3); len(parts) == 3 && parts[0] == "arn" && !wild(parts[1]) {
			partition = parts[1]
		}
	}
	return s.coversResource("arn:" + partition + ":*:*:*:*")
}

// IsAdmin tells that the policy alone makes an administrator.
func (p Policy) IsAdmin() bool {
	return len(Holder{Policies: []Held{{Name: "policy", Rights: RightsOf(p)}}}.Administrator()) > 0
}

// RequiresTLS tells that the policy denies everybody each of the actions on
// each of the resources over plain HTTP, by aws:SecureTransport. A bucket needs
// two resources: its ARN and that with /*.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit
//
// An Allow that asks for TLS does not count, as another policy may allow
// without; nor does s3:TlsVersion, which plain requests do not carry.
func (p Policy) RequiresTLS(actions, resources []string) bool {
	return p.eachDenied(actions, resources, (*Statement).deniesPlain)
}

// RefusesCustomerKeys tells that the policy denies everybody to store objects under keys
// that the request brings along (SSE-C). The resource is the bucket's ARN with /*.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html (2026-11)
func (p Policy) RefusesCustomerKeys(resource string) bool {
	return p.eachDenied([]string{"s3:PutObject"}, []string{resource}, (*Statement).deniesCustomerKeys)
}

// eachDenied tells that each action on each resource has a statement that denies it as asked.
func (p Policy) eachDenied(actions, resources []string, denies func(*Statement) bool) bool {
	for _, action := range actions {
		for _, resource := range resources {
			if !slices.ContainsFunc(p.Statements, func(s Statement) bool {
				return denies(&s) && s.coversAction(action) && s.coversResource(resource)
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

// deniesCustomerKeys tells that the statement denies everybody whenever the request names
// the algorithm of its own key. The only one is AES256.
func (s *Statement) deniesCustomerKeys() bool {
	if s.Effect != Deny || !s.Principal.Everyone() || len(s.Conditions) != 1 {
		return false
	}
	c := &s.Conditions[0]
	if c.Operator.Quantifier != "" || !c.Is("s3:x-amz-server-side-encryption-customer-algorithm") {
		return false
	}
	return c.Operator.Name == "Null" && falseOnly(c) ||
		strings.HasPrefix(c.Operator.Name, "StringEquals") && slices.Contains(c.Values, "AES256")
}
