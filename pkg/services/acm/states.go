package acm

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (c Certificate) State(e *check.Evidence) string { return check.Read(e, c.Detail).Status }

// Lifecycle implements check.Stateful. What was never issued, or was revoked, secures
// nothing.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateSummary.html (2026-11)
func (Certificate) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the certificate",
		Judged: []string{"ISSUED", "INACTIVE", "EXPIRED"},
		Passed: []string{"PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "REVOKED", "FAILED"},
	}
}
