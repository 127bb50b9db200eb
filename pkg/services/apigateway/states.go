package apigateway

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (d DomainName) State(e *check.Evidence) string { return check.Read(e, d.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/apigateway/latest/api/API_DomainName.html (2026-11)
func (DomainName) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the domain name",
		Judged: []string{"AVAILABLE", "UPDATING", "PENDING_CERTIFICATE_REIMPORT", "PENDING_OWNERSHIP_VERIFICATION"},
		Passed: []string{"PENDING", "FAILED"},
	}
}
