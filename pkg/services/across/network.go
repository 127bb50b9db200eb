package across

import (
	"fmt"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
)

// networkRules are on parts of networks that several services refer to.
func networkRules() []check.Rule {
	return []check.Rule{
		check.Across("ec2-security-group-used", model.Low, groupUsed, check.Using[ec2.SecurityGroup](), check.Using[ec2.LaunchTemplate](),
			check.Using[autoscaling.LaunchConfiguration](), check.Using[lambda.Function]()),
		check.Across("lambda-function-several-subnets", model.Low, severalZones, check.Using[ec2.Subnet]()),
		check.Across("efs-mount-target-private-subnet", model.Medium, mountTargetsPrivate, check.Using[ec2.Subnet]()),
	}
}

// What refers to security groups without an interface of its own, by the groups' ids.
// A function's interfaces go when nobody calls it for weeks.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html, 29 November 2026.
var (
	groupsOfGroups = check.NewIndex(func(e *check.Evidence, g ec2.SecurityGroup) []string {
		d := check.Read(e, g.Detail)
		var all []string
		for _, p := range slices.Concat(d.Ingress, d.Egress) {
			for _, id := range p.Groups {
				if id != g.Name { // its own members
					all = append(all, id)
				}
			}
		}
		return all
	})
	groupsOfTemplates = check.NewIndex(func(e *check.Evidence, t ec2.LaunchTemplate) []string {
		var all []string
		for _, v := range check.Read(e, t.Versions) {
			all = append(all, v.Groups...)
		}
		return all
	})
	groupsOfConfigurations = check.NewIndex(func(e *check.Evidence, c autoscaling.LaunchConfiguration) []string {
		return check.Read(e, c.Detail).Groups
	})
	groupsOfFunctions = check.NewIndex(func(e *check.Evidence, f lambda.Function) []string { return check.Read(e, f.Detail).Groups })
)

func groupUsed(e *check.Evidence, s ec2.SecurityGroup) check.Verdict {
	d := check.Read(e, s.Detail)
	if d.Name == "default" {
		return check.Inapplicable("the default group of a VPC cannot be deleted")
	}
	if n := check.Read(e, s.Interfaces); n > 0 {
		return check.Passed(fmt.Sprintf("%d network interfaces use the group", n))
	}
	var gaps []fact.Gap
	for _, refer := range []func() (string, []fact.Gap){
		func() (string, []fact.Gap) { return firstOf(groupsOfGroups, e, s, "a rule of the security group ") },
		func() (string, []fact.Gap) { return firstOf(groupsOfTemplates, e, s, "the launch template ") },
		func() (string, []fact.Gap) {
			return firstOf(groupsOfConfigurations, e, s, "the launch configuration ")
		},
		func() (string, []fact.Gap) { return firstOf(groupsOfFunctions, e, s, "the function ") },
	} {
		who, hidden := refer()
		if who != "" {
			return check.Passed(who + " refers to the group")
		}
		gaps = append(gaps, hidden...)
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("no network interface uses the group, and no other group, launch template, launch configuration or function refers to it")
}

// firstOf is one resource that refers to the group, and the gaps because of which there
// may be one.
func firstOf[R check.Resource](x *check.Index[R], e *check.Evidence, s ec2.SecurityGroup, noun string) (string, []fact.Gap) {
	found, gaps := x.SomeIn(e, s.Region, s.Name)
	if len(found) == 0 {
		return "", gaps
	}
	return noun + found[0].Reference().Name, nil
}

var subnets = check.NewIndex(check.Name[ec2.Subnet])

// severalZones looks at the zones of a function's subnets: two may lie in one.
func severalZones(e *check.Evidence, f lambda.Function) check.Verdict {
	d := check.Read(e, f.Detail)
	if d.VPC == "" {
		return check.Inapplicable("the function runs in no VPC")
	}
	found, gaps := subnets.EachIn(e, f.Region, d.Subnets)
	var zones []string
	for _, s := range found {
		zones = append(zones, check.Read(e, s.Detail).Zone)
	}
	slices.Sort(zones)
	switch zones = slices.Compact(zones); {
	case len(zones) > 1:
		return check.Passed("the function runs in " + check.List(zones))
	case len(gaps) > 0:
		return check.Unassessed(gaps...)
	case len(zones) == 0:
		return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "lambda:ListFunctions", Region: f.Region, Detail: "the function is in a VPC and names no subnet"})
	default:
		return check.Failed("the function runs in one zone, " + zones[0])
	}
}

// mountTargetsPrivate looks at the subnets in which a file system can be mounted. A mount
// target has no public address itself; what is started beside it has.
// https://docs.aws.amazon.com/securityhub/latest/userguide/efs-controls.html#efs-6 (2026-11)
func mountTargetsPrivate(e *check.Evidence, f efs.FileSystem) check.Verdict {
	states := efs.MountTargetStates()
	var names []string
	unfamiliar := ""
	for _, m := range check.Read(e, f.MountTargets) {
		switch {
		case check.Has(states.Judged, m.State):
			names = append(names, m.Subnet)
		case !check.Has(states.Passed, m.State):
			unfamiliar = m.State
		}
	}
	found, gaps := subnets.EachIn(e, f.Region, names)
	var public []string
	for _, s := range found {
		if check.Read(e, s.Detail).AutoPublic {
			public = append(public, s.Name)
		}
	}
	switch {
	case len(public) > 0:
		return check.Failed("mount targets are in subnets that give instances public addresses: " + check.List(public))
	case len(gaps) > 0:
		return check.Unassessed(gaps...)
	case unfamiliar != "":
		return check.Unfamiliar("state of a mount target", unfamiliar)
	case len(names) == 0:
		return check.Inapplicable("the file system has no mount target")
	default:
		return check.Passed("no mount target is in a subnet that gives instances public addresses")
	}
}
