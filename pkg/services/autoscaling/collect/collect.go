// Package collect reads Auto Scaling groups and launch configurations from AWS,
// but keeps no user data.
package collect

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
)

// Spec is how EC2 Auto Scaling is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "autoscaling",
		Walks: []collect.Walk{
			{
				Kinds:      []string{autoscaling.Group{}.Kind()},
				Operations: []string{"Auto Scaling.DescribeAutoScalingGroups"},
				Run:        groups,
			},
			{
				Kinds:      []string{autoscaling.LaunchConfiguration{}.Kind()},
				Operations: []string{"Auto Scaling.DescribeLaunchConfigurations"},
				Run:        launchConfigurations,
			},
		},
	}
}

func groups(ctx context.Context, s *collect.Session) error {
	pages := sdk.NewDescribeAutoScalingGroupsPaginator(sdk.NewFromConfig(s.Config), &sdk.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeAutoScalingGroupsOutput) []types.AutoScalingGroup { return o.AutoScalingGroups },
		func(r *collect.Reading, g types.AutoScalingGroup) *autoscaling.Group {
			return &autoscaling.Group{
				Resource: s.Resource(collect.RequiredARN("AutoScalingGroupARN", g.AutoScalingGroupARN), collect.RequiredText("AutoScalingGroupName", g.AutoScalingGroupName)),
				Detail:   collect.From(r, g, group),
			}
		})
}

func group(g types.AutoScalingGroup) autoscaling.GroupDetail {
	d := autoscaling.GroupDetail{
		Deletion:            aws.ToString(g.Status),
		LaunchConfiguration: collect.Optional("LaunchConfigurationName", g.LaunchConfigurationName),
		Zones:               g.AvailabilityZones,
		HealthCheck:         collect.RequiredText("HealthCheckType", g.HealthCheckType),
		LoadBalanced:        len(g.LoadBalancerNames)+len(g.TargetGroupARNs)+len(g.TrafficSources) > 0,
		CapacityRebalance:   aws.ToBool(g.CapacityRebalance),
	}
	if d.LaunchConfiguration == "" && g.LaunchTemplate == nil && g.MixedInstancesPolicy == nil {
		collect.Garbled("the group has neither a launch configuration nor a template")
	}
	for _, p := range collect.RequiredList("SuspendedProcesses", g.SuspendedProcesses) {
		d.Suspended = append(d.Suspended, aws.ToString(p.ProcessName))
	}
	if g.MixedInstancesPolicy == nil {
		return d
	}
	if template := g.MixedInstancesPolicy.LaunchTemplate; template != nil {
		for _, override := range template.Overrides {
			d.TypesByNeed = d.TypesByNeed || override.InstanceRequirements != nil
			if override.InstanceType != nil {
				d.InstanceTypes = append(d.InstanceTypes, *override.InstanceType)
			}
		}
	}
	if split := g.MixedInstancesPolicy.InstancesDistribution; split != nil && split.OnDemandPercentageAboveBaseCapacity != nil {
		d.Spot = *split.OnDemandPercentageAboveBaseCapacity < 100 // the default is 100
	}
	return d
}

func launchConfigurations(ctx context.Context, s *collect.Session) error {
	pages := sdk.NewDescribeLaunchConfigurationsPaginator(sdk.NewFromConfig(s.Config), &sdk.DescribeLaunchConfigurationsInput{MaxRecords: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeLaunchConfigurationsOutput) []types.LaunchConfiguration {
		return o.LaunchConfigurations
	},
		func(r *collect.Reading, l types.LaunchConfiguration) *autoscaling.LaunchConfiguration {
			return &autoscaling.LaunchConfiguration{
				Resource: s.Resource(collect.RequiredARN("LaunchConfigurationARN", l.LaunchConfigurationARN), collect.RequiredText("LaunchConfigurationName", l.LaunchConfigurationName)),
				Detail: collect.From(r, l, func(l types.LaunchConfiguration) autoscaling.LaunchDetail {
					d, search := launch(l), collect.NewSearch(ctx)
					d.SecretUserData = search.UserData(aws.ToString(l.UserData))
					d.UnreadUserData = search.Gap(s, "autoscaling:DescribeLaunchConfigurations")
					return d
				}),
			}
		})
}

// launch fills in what holds where a launch configuration says nothing.
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceMetadataOptions.html
func launch(l types.LaunchConfiguration) autoscaling.LaunchDetail {
	m := l.MetadataOptions
	if m == nil {
		m = &types.InstanceMetadataOptions{}
	}
	d := autoscaling.LaunchDetail{
		Groups:           l.SecurityGroups,
		PublicIP:         "subnet",
		MetadataEndpoint: string(collect.Known("HttpEndpoint", cmp.Or(m.HttpEndpoint, types.InstanceMetadataEndpointStateEnabled), m.HttpEndpoint.Values()...)),
		MetadataTokens:   string(collect.Known("HttpTokens", cmp.Or(m.HttpTokens, types.InstanceMetadataHttpTokensStateOptional), m.HttpTokens.Values()...)),
		HopLimit:         int32(cmp.Or(collect.Count("HttpPutResponseHopLimit", m.HttpPutResponseHopLimit), 1)), //nolint:gosec // was one
	}
	if public := l.AssociatePublicIpAddress; public != nil && *public {
		d.PublicIP = "yes"
	} else if public != nil {
		d.PublicIP = "no"
	}
	return d
}
