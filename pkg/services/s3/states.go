package s3

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (p MultiRegionAccessPoint) State(e *check.Evidence) string { return check.Read(e, p.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_MultiRegionAccessPointReport.html (2026-11)
func (MultiRegionAccessPoint) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the access point",
		Judged: []string{"READY", "INCONSISTENT_ACROSS_REGIONS", "PARTIALLY_DELETED"},
		Passed: []string{"CREATING", "PARTIALLY_CREATED", "DELETING"},
	}
}
