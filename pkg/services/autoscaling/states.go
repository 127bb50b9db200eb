package autoscaling

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// inService is our word for a group that is not being deleted, of which AWS says
// nothing.
const inService = "in service"

// State implements check.Stateful.
func (g Group) State(e *check.Evidence) string {
	if state := check.Read(e, g.Detail).Deletion; state != "" {
		return state
	}
	return inService
}

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html (2026-11)
func (Group) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the group", Judged: []string{inService}, Passed: []string{"Delete in progress"}}
}
