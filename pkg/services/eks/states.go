package eks

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (c Cluster) State(e *check.Evidence) string { return check.Read(e, c.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html (2026-11)
func (Cluster) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the cluster",
		Judged: []string{"ACTIVE", "UPDATING"},
		Passed: []string{"CREATING", "PENDING", "DELETING", "FAILED"},
	}
}
