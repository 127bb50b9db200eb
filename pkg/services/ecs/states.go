package ecs

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (c Cluster) State(e *check.Evidence) string { return check.Read(e, c.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Cluster.html (2026-11)
func (Cluster) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the cluster",
		Judged: []string{"ACTIVE"},
		Passed: []string{"PROVISIONING", "DEPROVISIONING", "FAILED", "INACTIVE"},
	}
}

// State implements check.Stateful.
func (s TaskService) State(e *check.Evidence) string { return check.Read(e, s.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html (2026-11)
func (TaskService) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the service",
		Judged: []string{"ACTIVE"},
		Passed: []string{"DRAINING", "INACTIVE"},
	}
}

// State implements check.Stateful.
func (t TaskDefinition) State(e *check.Evidence) string { return check.Read(e, t.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html (2026-11)
func (TaskDefinition) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the task definition",
		Judged: []string{"ACTIVE"},
		Passed: []string{"INACTIVE", "DELETE_IN_PROGRESS"},
	}
}
