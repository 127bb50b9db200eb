package iampolicy

import "strings"

const (
	// withVariables is the first version of the language that has variables.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
	withVariables = "2012-10-17"

	// ownOrganization stands for the id of the owner's organization, whatever it is.
	ownOrganization     = "${aws:ResourceOrgID}"
	ownOrganizationName = "the owner's organization"
)

// variable tells that the value holds a policy variable.
func variable(s string) bool { return strings.Contains(s, "${") }

// variable is variable for the policy's version: before 2012-10-17 there are no
// variables, and ${ is text like any other.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (e *evaluator) variable(s string) bool { return e.policy.Version == withVariables && variable(s) }

// ownOrganization tells that the value is the id of the owner's organization, whatever
// it is.
func (e *evaluator) ownOrganization(s string) bool {
	return strings.EqualFold(s, ownOrganization) && e.variable(s) && !e.endpoint
}

// widest is a pattern that matches all that the value may come to, whatever its
// variables stand for.
func widest(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "${")
		if !ok {
			return s
		}
		_, after, closed := strings.Cut(rest, "}")
		if !closed {
			return before + "*"
		}
		s = before + "*" + after
	}
}
