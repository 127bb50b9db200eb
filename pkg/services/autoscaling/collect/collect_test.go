package collect_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling/collect"
)

const script = "#!/bin/sh\nexport DB_PASSWORD=correct-horse\n"

func groupARN(name string) string {
	return "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:930d940e:autoScalingGroupName/" + name
}

func launchARN(name string) string {
	return "arn:aws:autoscaling:eu-west-1:111122223333:launchConfiguration:7b3b1a:launchConfigurationName/" + name
}

func full(f *fake.Fake) {
	fake.OnPages[sdk.DescribeAutoScalingGroupsInput](f,
		&sdk.DescribeAutoScalingGroupsOutput{NextToken: aws.String("2"), AutoScalingGroups: []types.AutoScalingGroup{{
			AutoScalingGroupARN: aws.String(groupARN("old")), AutoScalingGroupName: aws.String("old"), Status: aws.String("Delete in progress"),
			LaunchConfigurationName: aws.String("old-1"), AvailabilityZones: []string{"eu-west-1a"}, HealthCheckType: aws.String("EC2"),
			SuspendedProcesses: []types.SuspendedProcess{{ProcessName: aws.String("Launch")}},
		}}},
		&sdk.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{
			mixed("listed", []types.LaunchTemplateOverrides{{InstanceType: aws.String("m7g.large")}, {InstanceType: aws.String("m6g.large")}}, aws.Int32(0)),
			mixed("needed", []types.LaunchTemplateOverrides{{InstanceRequirements: &types.InstanceRequirements{}}}, nil),
		}})
	fake.OnPages[sdk.DescribeLaunchConfigurationsInput](f,
		&sdk.DescribeLaunchConfigurationsOutput{NextToken: aws.String("2"), LaunchConfigurations: []types.LaunchConfiguration{
			configuration("old-1", nil, nil, base64.StdEncoding.EncodeToString([]byte(script))),
		}},
		&sdk.DescribeLaunchConfigurationsOutput{LaunchConfigurations: []types.LaunchConfiguration{
			configuration("public", aws.Bool(true), &types.InstanceMetadataOptions{
				HttpTokens: types.InstanceMetadataHttpTokensStateRequired, HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpPutResponseHopLimit: aws.Int32(2),
			}, packed()),
			configuration("private", aws.Bool(false), &types.InstanceMetadataOptions{HttpEndpoint: types.InstanceMetadataEndpointStateDisabled}, strings.Repeat("-", 100_000)),
		}})
}

func mixed(name string, overrides []types.LaunchTemplateOverrides, onDemand *int32) types.AutoScalingGroup {
	return types.AutoScalingGroup{
		AutoScalingGroupARN: aws.String(groupARN(name)), AutoScalingGroupName: aws.String(name), AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"},
		HealthCheckType: aws.String("ELB"), TargetGroupARNs: []string{"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/1"},
		CapacityRebalance: aws.Bool(true),
		MixedInstancesPolicy: &types.MixedInstancesPolicy{
			LaunchTemplate:        &types.LaunchTemplate{Overrides: overrides},
			InstancesDistribution: &types.InstancesDistribution{OnDemandPercentageAboveBaseCapacity: onDemand},
		},
	}
}

func configuration(name string, public *bool, metadata *types.InstanceMetadataOptions, userData string) types.LaunchConfiguration {
	return types.LaunchConfiguration{
		LaunchConfigurationARN: aws.String(launchARN(name)), LaunchConfigurationName: aws.String(name),
		AssociatePublicIpAddress: public, MetadataOptions: metadata, UserData: aws.String(userData),
	}
}

func packed() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(script))
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func resource(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func group(name string, d autoscaling.GroupDetail) check.Resource {
	return autoscaling.Group{Resource: resource(groupARN(name), name), Detail: fact.Known(d)}
}

func launch(name string, d autoscaling.LaunchDetail) check.Resource {
	return autoscaling.LaunchConfiguration{Resource: resource(launchARN(name), name), Detail: fact.Known(d)}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	zones := []string{"eu-west-1a", "eu-west-1b"}
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		group("old", autoscaling.GroupDetail{Deletion: "Delete in progress", LaunchConfiguration: "old-1", Zones: zones[:1], HealthCheck: "EC2", Suspended: []string{"Launch"}}),
		group("listed", autoscaling.GroupDetail{
			Zones: zones, HealthCheck: "ELB", LoadBalanced: true, InstanceTypes: []string{"m7g.large", "m6g.large"}, Spot: true, CapacityRebalance: true,
		}),
		group("needed", autoscaling.GroupDetail{Zones: zones, HealthCheck: "ELB", LoadBalanced: true, TypesByNeed: true, CapacityRebalance: true}),
		launch("old-1", autoscaling.LaunchDetail{PublicIP: "subnet", MetadataEndpoint: "enabled", MetadataTokens: "optional", HopLimit: 1, SecretUserData: true}),
		launch("public", autoscaling.LaunchDetail{PublicIP: "yes", MetadataEndpoint: "enabled", MetadataTokens: "required", HopLimit: 2, SecretUserData: true}),
		launch("private", autoscaling.LaunchDetail{PublicIP: "no", MetadataEndpoint: "disabled", MetadataTokens: "optional", HopLimit: 1, UnreadUserData: &fact.Gap{
			Reason: fact.NotCollected, Operation: "autoscaling:DescribeLaunchConfigurations", Region: collecttest.Region, Detail: "only the first 64 KiB were looked at",
		}}),
	})
}

func TestUserDataThatIsNoBase64IsLookedAt(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	fake.OnPages[sdk.DescribeLaunchConfigurationsInput](cloud, &sdk.DescribeLaunchConfigurationsOutput{
		LaunchConfigurations: []types.LaunchConfiguration{configuration("plain", nil, nil, script)},
	})
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if l, ok := r.(autoscaling.LaunchConfiguration); ok {
			if d, _ := l.Detail.Get(); !d.SecretUserData {
				t.Error("the password in the user data was overlooked")
			}
		}
	}
}
