package autoscaling

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("autoscaling-group-load-balancer-health-check", model.Low, healthCheck),
		check.For("autoscaling-group-multi-az", model.Medium, multiAZ),
		check.For("autoscaling-group-several-instance-types", model.Low, severalTypes),
		check.For("autoscaling-group-launch-template", model.Low, launchTemplate),
		check.For("autoscaling-group-capacity-rebalancing", model.Low, capacityRebalancing),
		check.For("autoscaling-group-no-suspended-processes", model.Low, noSuspended),
		check.For("autoscaling-launch-configuration-imdsv2", model.High, imdsv2),
		check.For("autoscaling-launch-configuration-hop-limit", model.Low, hopLimit),
		check.For("autoscaling-launch-configuration-no-public-ip", model.High, noPublicIP),
		check.For("autoscaling-launch-configuration-no-secrets", model.High, noSecrets),
		check.Across("autoscaling-launch-configuration-used", model.Low, used, check.Using[Group]()),
	}
}

func healthCheck(e *check.Evidence, g Group) check.Verdict {
	d := check.Read(e, g.Detail)
	if !d.LoadBalanced {
		return check.Inapplicable("no load balancer is attached")
	}
	return check.Must(strings.Contains(d.HealthCheck, "ELB"), "instances that the load balancer finds ill are replaced",
		"the health check is "+d.HealthCheck+", so instances that the load balancer finds ill stay")
}

func multiAZ(e *check.Evidence, g Group) check.Verdict {
	zones := check.Read(e, g.Detail).Zones
	return check.Must(len(zones) > 1, "the group is in "+check.List(zones), "the group is in one zone only")
}

func severalTypes(e *check.Evidence, g Group) check.Verdict {
	d := check.Read(e, g.Detail)
	switch {
	case d.TypesByNeed:
		return check.Passed("instance types are chosen by what is needed")
	case len(d.InstanceTypes) > 1:
		return check.Passed(fmt.Sprintf("the group has %d instance types", len(d.InstanceTypes)))
	default:
		return check.Failed("the group has one instance type only")
	}
}

func launchTemplate(e *check.Evidence, g Group) check.Verdict {
	name := check.Read(e, g.Detail).LaunchConfiguration
	return check.Must(name == "", "the group has a launch template", "the group has the launch configuration "+name)
}

func capacityRebalancing(e *check.Evidence, g Group) check.Verdict {
	d := check.Read(e, g.Detail)
	if !d.Spot {
		return check.Inapplicable("the group asks for no Spot Instances")
	}
	return check.Must(d.CapacityRebalance, "capacity rebalancing is on", "capacity rebalancing is off")
}

func noSuspended(e *check.Evidence, g Group) check.Verdict {
	suspended := check.Read(e, g.Detail).Suspended
	return check.Must(len(suspended) == 0, "no process is suspended", "processes are suspended: "+check.List(suspended))
}

func imdsv2(e *check.Evidence, l LaunchConfiguration) check.Verdict {
	d := check.Read(e, l.Detail)
	if d.MetadataEndpoint == "disabled" {
		return check.Passed("the metadata service is off")
	}
	return check.Must(d.MetadataTokens == "required", "the metadata service asks for a token", "the metadata service answers without a token")
}

func hopLimit(e *check.Evidence, l LaunchConfiguration) check.Verdict {
	d := check.Read(e, l.Detail)
	if d.MetadataEndpoint == "disabled" {
		return check.Inapplicable("the metadata service is off")
	}
	return check.Must(d.HopLimit <= 1, "answers of the metadata service stay on the instance",
		fmt.Sprintf("answers of the metadata service travel %d hops", d.HopLimit))
}

func noPublicIP(e *check.Evidence, l LaunchConfiguration) check.Verdict {
	switch check.Read(e, l.Detail).PublicIP {
	case "yes":
		return check.Failed("instances get a public address")
	case "no":
		return check.Passed("instances get no public address")
	default:
		return check.Passed("the subnet decides on public addresses")
	}
}

func noSecrets(e *check.Evidence, l LaunchConfiguration) check.Verdict {
	d := check.Read(e, l.Detail)
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
