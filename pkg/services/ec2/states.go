package ec2

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// The states are those of the API's types of 2026-11-15, such as
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html

// State implements check.Stateful.
func (i Instance) State(e *check.Evidence) string { return check.Read(e, i.Detail).State }

// Lifecycle implements check.Stateful.
func (Instance) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the instance",
		Judged: []string{"running", "pending", "stopping", "stopped"},
		Passed: []string{"shutting-down", "terminated"},
	}
}

// State implements check.Stateful.
func (v Volume) State(e *check.Evidence) string { return check.Read(e, v.Detail).State }

// Lifecycle implements check.Stateful. A volume in error holds nothing that anyone
// can read.
func (Volume) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the volume",
		Judged: []string{"in-use", "available"},
		Passed: []string{"creating", "deleting", "deleted", "error"},
	}
}

// State implements check.Stateful.
func (s Snapshot) State(e *check.Evidence) string { return check.Read(e, s.Detail).State }

// Lifecycle implements check.Stateful. What is in the recycle bin can be had again.
func (Snapshot) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the snapshot",
		Judged: []string{"completed", "pending", "recoverable", "recovering"},
		Passed: []string{"error"},
	}
}

// State implements check.Stateful.
func (i Image) State(e *check.Evidence) string { return check.Read(e, i.Detail).State }

// Lifecycle implements check.Stateful. A disabled image can be neither launched nor
// shared.
func (Image) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the image",
		Judged: []string{"available", "pending", "transient"},
		Passed: []string{"invalid", "deregistered", "failed", "error", "disabled"},
	}
}

// State implements check.Stateful.
func (v VPC) State(e *check.Evidence) string { return check.Read(e, v.Detail).State }

// Lifecycle implements check.Stateful.
func (VPC) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the VPC", Judged: []string{"available"}, Passed: []string{"pending", "deleting"}}
}

// State implements check.Stateful.
func (s Subnet) State(e *check.Evidence) string { return check.Read(e, s.Detail).State }

// Lifecycle implements check.Stateful.
func (Subnet) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the subnet",
		Judged: []string{"available", "unavailable"},
		Passed: []string{"pending", "failed", "failed-insufficient-capacity"},
	}
}

// State implements check.Stateful.
func (l FlowLog) State(e *check.Evidence) string { return check.Read(e, l.Detail).Status }

// Lifecycle implements check.Stateful. A flow log is there or is not.
func (FlowLog) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the flow log", Judged: []string{"ACTIVE"}}
}

// State implements check.Stateful.
func (p Peering) State(e *check.Evidence) string { return check.Read(e, p.Detail).Status }

// Lifecycle implements check.Stateful.
func (Peering) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the peering",
		Judged: []string{"active"},
		Passed: []string{"initiating-request", "pending-acceptance", "provisioning", "deleted", "deleting", "rejected", "failed", "expired"},
	}
}

// State implements check.Stateful.
func (i NetworkInterface) State(e *check.Evidence) string { return check.Read(e, i.Detail).Status }

// Lifecycle implements check.Stateful. "associated" is an interface of an EFA or a
// trunk's branch; "pending" stands in AWS's guide, not in the API's type.
func (NetworkInterface) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the interface",
		Judged: []string{"available", "associated", "in-use"},
		Passed: []string{"pending", "attaching", "detaching"},
	}
}

// State implements check.Stateful.
func (p Endpoint) State(e *check.Evidence) string { return check.Read(e, p.Detail).State }

// Lifecycle implements check.Stateful. A partial endpoint has interfaces in some of
// its subnets.
func (Endpoint) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the endpoint",
		Judged: []string{"available", "partial"},
		Passed: []string{"pendingacceptance", "pending", "deleting", "deleted", "rejected", "failed", "expired"},
	}
}

// State implements check.Stateful.
func (s EndpointService) State(e *check.Evidence) string { return check.Read(e, s.Detail).State }

// Lifecycle implements check.Stateful.
func (EndpointService) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the service",
		Judged: []string{"Available"},
		Passed: []string{"Pending", "Deleting", "Deleted", "Failed"},
	}
}

// State implements check.Stateful.
func (t TransitGateway) State(e *check.Evidence) string { return check.Read(e, t.Detail).State }

// Lifecycle implements check.Stateful.
func (TransitGateway) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the transit gateway",
		Judged: []string{"available", "modifying"},
		Passed: []string{"pending", "deleting", "deleted"},
	}
}

// State implements check.Stateful.
func (v VPNConnection) State(e *check.Evidence) string { return check.Read(e, v.Detail).State }

// Lifecycle implements check.Stateful.
func (VPNConnection) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the connection",
		Judged: []string{"available"},
		Passed: []string{"pending", "deleting", "deleted"},
	}
}

// State implements check.Stateful.
func (v ClientVPN) State(e *check.Evidence) string { return check.Read(e, v.Detail).Status }

// Lifecycle implements check.Stateful. An endpoint that no subnet is associated with
// is set up and waits.
func (ClientVPN) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the endpoint",
		Judged: []string{"available", "pending-associate"},
		Passed: []string{"pending", "deleting", "deleted"},
	}
}
