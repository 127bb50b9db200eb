package autoscaling_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// group is a group in good order, changed as a case needs.
func group(change func(*autoscaling.GroupDetail)) autoscaling.Group {
	d := autoscaling.GroupDetail{
		Zones: []string{"eu-west-1a", "eu-west-1b"}, HealthCheck: "ELB", LoadBalanced: true,
		InstanceTypes: []string{"m7g.large", "m6g.large"}, Spot: true, CapacityRebalance: true,
	}
	if change != nil {
		change(&d)
	}
	return autoscaling.Group{Resource: checktest.Ref("autoscaling", "autoScalingGroup:1:autoScalingGroupName/web"), Detail: fact.Known(d)}
}

// launch is a launch configuration in good order, changed as a case needs.
func launch(change func(*autoscaling.LaunchDetail)) autoscaling.LaunchConfiguration {
	d := autoscaling.LaunchDetail{PublicIP: "no", MetadataEndpoint: "enabled", MetadataTokens: "required", HopLimit: 1}
	if change != nil {
		change(&d)
	}
	return autoscaling.LaunchConfiguration{Resource: checktest.Ref("autoscaling", "web-1"), Detail: fact.Known(d)}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	table := groupCases()
	maps.Copy(table, launchCases())
	checktest.Run(t, autoscaling.Service(), table)
}

func groupCases() checktest.Table {
	good := group(nil)
	types := func(names ...string) autoscaling.Group {
		return group(func(d *autoscaling.GroupDetail) { d.InstanceTypes = names })
	}
	return checktest.Table{
		"autoscaling-group-load-balancer-health-check": {
			{Name: "load balancer's", Resource: good, Want: check.Pass},
			{Name: "several", Resource: group(func(d *autoscaling.GroupDetail) { d.HealthCheck = "ELB,EBS" }), Want: check.Pass},
			{Name: "EC2's", Resource: group(func(d *autoscaling.GroupDetail) { d.HealthCheck = "EC2" }), Want: check.Fail},
			{Name: "no load balancer", Resource: group(func(d *autoscaling.GroupDetail) { d.HealthCheck, d.LoadBalanced = "EC2", false }), Want: check.NotApplicable},
		},
		"autoscaling-group-multi-az": {
			{Name: "two", Resource: good, Want: check.Pass},
			{Name: "one", Resource: group(func(d *autoscaling.GroupDetail) { d.Zones = d.Zones[:1] }), Want: check.Fail},
		},
		"autoscaling-group-several-instance-types": {
			{Name: "two", Resource: good, Want: check.Pass},
			{Name: "by need", Resource: group(func(d *autoscaling.GroupDetail) { d.InstanceTypes, d.TypesByNeed = nil, true }), Want: check.Pass},
			{Name: "one", Resource: types("m7g.large"), Want: check.Fail},
			{Name: "none listed", Resource: types(), Want: check.Fail},
		},
		"autoscaling-group-launch-template": {
			{Name: "template", Resource: good, Want: check.Pass},
			{Name: "configuration", Resource: group(func(d *autoscaling.GroupDetail) { d.LaunchConfiguration = "web-1" }), Want: check.Fail},
		},
		"autoscaling-group-capacity-rebalancing": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: group(func(d *autoscaling.GroupDetail) { d.CapacityRebalance = false }), Want: check.Fail},
			{Name: "no Spot", Resource: group(func(d *autoscaling.GroupDetail) { d.CapacityRebalance, d.Spot = false, false }), Want: check.NotApplicable},
		},
		"autoscaling-group-no-suspended-processes": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "some", Resource: group(func(d *autoscaling.GroupDetail) { d.Suspended = []string{"Launch", "HealthCheck"} }), Want: check.Fail},
		},
	}
}

func launchCases() checktest.Table {
	good := launch(nil)
	off := launch(func(d *autoscaling.LaunchDetail) {
		d.MetadataEndpoint, d.MetadataTokens, d.HopLimit = "disabled", "optional", 2
	})
	user := group(func(d *autoscaling.GroupDetail) { d.LaunchConfiguration = "web-1" })
	elsewhere := user
	elsewhere.Region = "us-east-1"
	unknown := autoscaling.Group{Resource: user.Resource, Detail: fact.Missing[autoscaling.GroupDetail](fact.Denied, "autoscaling:DescribeAutoScalingGroups")}
	return checktest.Table{
		"autoscaling-launch-configuration-imdsv2": {
			{Name: "required", Resource: good, Want: check.Pass},
			{Name: "service off", Resource: off, Want: check.Pass},
			{Name: "optional", Resource: launch(func(d *autoscaling.LaunchDetail) { d.MetadataTokens = "optional" }), Want: check.Fail},
		},
		"autoscaling-launch-configuration-hop-limit": {
			{Name: "one", Resource: good, Want: check.Pass},
			{Name: "two", Resource: launch(func(d *autoscaling.LaunchDetail) { d.HopLimit = 2 }), Want: check.Fail},
			{Name: "service off", Resource: off, Want: check.NotApplicable},
		},
		"autoscaling-launch-configuration-no-public-ip": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "as the subnet says", Resource: launch(func(d *autoscaling.LaunchDetail) { d.PublicIP = "subnet" }), Want: check.Pass},
			{Name: "public", Resource: launch(func(d *autoscaling.LaunchDetail) { d.PublicIP = "yes" }), Want: check.Fail},
		},
		"autoscaling-launch-configuration-no-secrets": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "one", Resource: launch(func(d *autoscaling.LaunchDetail) { d.SecretUserData = true }), Want: check.Fail},
			{Name: "too long", Resource: launch(func(d *autoscaling.LaunchDetail) { d.UnreadUserData = &fact.Gap{Reason: fact.NotCollected} }), Want: check.NotAssessed},
			{Name: "too long, and one in its beginning", Resource: launch(func(d *autoscaling.LaunchDetail) {
				d.UnreadUserData, d.SecretUserData = &fact.Gap{Reason: fact.NotCollected}, true
			}), Want: check.Fail},
		},
		"autoscaling-launch-configuration-used": {
			{Name: "used", Resource: good, Others: []check.Resource{user}, Want: check.Pass},
			{Name: "no groups", Resource: good, Want: check.Fail},
			{Name: "other groups", Resource: good, Others: []check.Resource{group(nil)}, Want: check.Fail},
			{Name: "one of its name elsewhere", Resource: good, Others: []check.Resource{elsewhere}, Want: check.Fail},
			{Name: "unknown group", Resource: good, Others: []check.Resource{unknown}, Want: check.NotAssessed},
		},
	}
}
