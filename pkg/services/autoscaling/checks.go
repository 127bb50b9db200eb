package autoscaling

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("autoscaling-group-load-balancer-health-check", model.Low, groups.Unless(
			check.When(func(d GroupDetail) bool { return !d.LoadBalanced }, "no load balancer is attached")).Asks(healthCheck)),
		check.For("autoscaling-group-multi-az", model.Medium, groups.Asks(multiAZ)),
		check.For("autoscaling-group-several-instance-types", model.Low, groups.Asks(severalTypes)),
		check.For("autoscaling-group-launch-template", model.Low, groups.Asks(launchTemplate)),
		check.For("autoscaling-group-capacity-rebalancing", model.Low, groups.Unless(
			check.When(func(d GroupDetail) bool { return !d.Spot }, "the group asks for no Spot Instances")).Must(
			func(d GroupDetail) bool { return d.CapacityRebalance }, "capacity rebalancing is on", "capacity rebalancing is off")),
		check.For("autoscaling-group-no-suspended-processes", model.Low, groups.Asks(noSuspended)),
		check.For("autoscaling-launch-configuration-imdsv2", model.High, configurations.Asks(imdsv2)),
		check.For("autoscaling-launch-configuration-hop-limit", model.Low, configurations.Asks(hopLimit)),
		check.For("autoscaling-launch-configuration-no-public-ip", model.High, configurations.Asks(noPublicIP)),
		check.For("autoscaling-launch-configuration-no-secrets", model.High, configurations.Asks(noSecrets)),
		check.Across("autoscaling-launch-configuration-used", model.Low, used, check.Using[Group]()),
	}
}

var (
	groups         = check.On(func(g Group) fact.Of[GroupDetail] { return g.Detail })
	configurations = check.On(func(l LaunchConfiguration) fact.Of[LaunchDetail] { return l.Detail })
)

func healthCheck(d GroupDetail) check.Verdict {
	return check.Must(strings.Contains(d.HealthCheck, "ELB"), "instances that the load balancer finds ill are replaced",
		"the health check is "+d.HealthCheck+", so instances that the load balancer finds ill stay")
}

func multiAZ(d GroupDetail) check.Verdict {
	return check.Must(len(d.Zones) > 1, "the group is in "+check.List(d.Zones), "the group is in one zone only")
}

func severalTypes(d GroupDetail) check.Verdict {
	switch {
	case d.TypesByNeed:
		return check.Passed("instance types are chosen by what is needed")
	case len(d.InstanceTypes) > 1:
		return check.Passed(fmt.Sprintf("the group has %d instance types", len(d.InstanceTypes)))
	default:
		return check.Failed("the group has one instance type only")
	}
}

func launchTemplate(d GroupDetail) check.Verdict {
	name := d.LaunchConfiguration
	return check.Must(name == "", "the group has a launch template", "the group has the launch configuration "+name)
}

func noSuspended(d GroupDetail) check.Verdict {
	return check.Must(len(d.Suspended) == 0, "no process is suspended", "processes are suspended: "+check.List(d.Suspended))
}

func imdsv2(d LaunchDetail) check.Verdict {
	if d.MetadataEndpoint == "disabled" {
		return check.Passed("the metadata service is off")
	}
	return check.Must(d.MetadataTokens == "required", "the metadata service asks for a token", "the metadata service answers without a token")
}

func hopLimit(d LaunchDetail) check.Verdict {
	if d.MetadataEndpoint == "disabled" {
		return check.Inapplicable("the metadata service is off")
	}
	return check.Must(d.HopLimit <= 1, "answers of the metadata service stay on the instance",
		fmt.Sprintf("answers of the metadata service travel %d hops", d.HopLimit))
}

func noPublicIP(d LaunchDetail) check.Verdict {
	switch d.PublicIP {
	case "yes":
		return check.Failed("instances get a public address")
	case "no":
		return check.Passed("instances get no public address")
	default:
		return check.Passed("the subnet decides on public addresses")
	}
}

func noSecrets(d LaunchDetail) check.Verdict {
	if d.UnreadUserData != nil && !d.SecretUserData {
		return check.Unassessed(*d.UnreadUserData)
	}
	return check.Must(!d.SecretUserData, "the user data holds nothing like a credential", "the user data holds what looks like a credential")
}

func used(e *check.Evidence, l LaunchConfiguration) check.Verdict {
	groups, gaps := byLaunchConfiguration.SomeIn(e, l.Region, l.Name)
	if len(groups) > 0 {
		check.Read(e, groups[0].Detail)
		return check.Passed("the group " + groups[0].Name + " uses it")
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("no group uses it")
}

var byLaunchConfiguration = check.NewIndex(func(e *check.Evidence, g Group) []string {
	return []string{check.Read(e, g.Detail).LaunchConfiguration}
})
