package elbv2

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (b LoadBalancer) State(e *check.Evidence) string { return check.Read(e, b.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html (2026-11)
func (LoadBalancer) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the load balancer",
		Judged: []string{"active", "active_impaired"},
		Passed: []string{"provisioning", "failed"},
	}
}
