package ec2

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// What AWS services hold for an account cannot be changed by its own root: the
// instances of EKS Auto Mode with their volumes, interfaces and launch templates,
// the interfaces of load balancers, the endpoints of managed firewalls.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-managed-instances.html
// https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html#concepts-requester-managed
// (both as of 2026-11)

// Manager implements check.Managed. Another account's group protects what bears it
// here all the same.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-sharing.html
func (s SecurityGroup) Manager(e *check.Evidence) string {
	return check.Read(e, s.Detail).Manager
}

// Manager implements check.Managed.
func (i Instance) Manager(e *check.Evidence) string { return check.Read(e, i.Detail).Manager }

// Manager implements check.Managed.
func (v Volume) Manager(e *check.Evidence) string { return check.Read(e, v.Detail).Manager }

// Manager implements check.Managed.
func (i NetworkInterface) Manager(e *check.Evidence) string { return check.Read(e, i.Detail).Manager }

// Manager implements check.Managed.
func (t LaunchTemplate) Manager(e *check.Evidence) string { return check.Read(e, t.Detail).Manager }

// Manager implements check.Managed.
func (p Endpoint) Manager(e *check.Evidence) string { return check.Read(e, p.Detail).Manager }

// Unused implements check.Default. AWS makes a VPC in each region of an account, with
// its subnets, list and group, and few accounts use more than a few.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html (2026-11)
func (v VPC) Unused(e *check.Evidence) bool { return check.Read(e, v.Idle) }

// Unused implements check.Default.
func (s Subnet) Unused(e *check.Evidence) bool { return check.Read(e, s.Idle) }

// Unused implements check.Default.
func (s SecurityGroup) Unused(e *check.Evidence) bool { return check.Read(e, s.Idle) }

// Unused implements check.Default.
func (a NetworkACL) Unused(e *check.Evidence) bool { return check.Read(e, a.Idle) }
