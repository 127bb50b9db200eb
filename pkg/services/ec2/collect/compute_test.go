package collect_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/ec2/collect"
)

const script = "#!/bin/sh\nexport DB_PASSWORD=correct-horse-battery\n"

var (
	launched = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	plain    = base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\nyum -y update\n"))
	secret   = base64.StdEncoding.EncodeToString([]byte(script))
)

func packed() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(script))
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func webServer() types.Instance {
	return types.Instance{
		InstanceId: aws.String("i-web"), ImageId: aws.String("ami-1"), KeyName: aws.String("me"), LaunchTime: &launched,
		State: &types.InstanceState{Name: types.InstanceStateNameRunning}, StateTransitionReason: aws.String(""),
		Monitoring: &types.Monitoring{State: types.MonitoringStateDisabled}, VirtualizationType: types.VirtualizationTypeHvm,
		IamInstanceProfile: &types.IamInstanceProfile{Arn: aws.String("arn:aws:iam::111122223333:instance-profile/web")},
		MetadataOptions: &types.InstanceMetadataOptionsResponse{
			HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2),
		},
		PublicIpAddress: aws.String("198.51.100.1"), Ipv6Address: aws.String("2001:db8::1"),
		SecurityGroups: []types.GroupIdentifier{{GroupId: aws.String("sg-web")}},
		NetworkInterfaces: []types.InstanceNetworkInterface{
			{
				Groups:        []types.GroupIdentifier{{GroupId: aws.String("sg-web")}},
				Association:   &types.InstanceNetworkInterfaceAssociation{PublicIp: aws.String("198.51.100.1")},
				Ipv6Addresses: []types.InstanceIpv6Address{{Ipv6Address: aws.String("2001:db8::1")}, {Ipv6Address: aws.String("fd00:ec2::1")}},
			},
			{
				Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-admin")}},
				PrivateIpAddresses: []types.InstancePrivateIpAddress{
					{PrivateIpAddress: aws.String("10.0.0.8")},
					{Association: &types.InstanceNetworkInterfaceAssociation{PublicIp: aws.String("198.51.100.2")}},
				},
			},
		},
		BlockDeviceMappings: []types.InstanceBlockDeviceMapping{
			{DeviceName: aws.String("/dev/sda1"), Ebs: &types.EbsInstanceBlockDevice{VolumeId: aws.String("vol-1"), DeleteOnTermination: aws.Bool(true)}},
		},
	}
}

func fullCompute(f *fake.Fake) {
	stopped := types.Instance{
		Operator:   &types.OperatorResponse{Managed: aws.Bool(true), Principal: aws.String("eks.amazonaws.com")},
		InstanceId: aws.String("i-stopped"), ImageId: aws.String("ami-1"), LaunchTime: &launched,
		State:                 &types.InstanceState{Name: types.InstanceStateNameStopped},
		StateTransitionReason: aws.String("User initiated (2026-02-22 13:10:55 GMT)"),
		VirtualizationType:    types.VirtualizationTypeParavirtual,
	}
	gone := types.Instance{
		InstanceId: aws.String("i-gone"), ImageId: aws.String("ami-1"), LaunchTime: &launched,
		State:                 &types.InstanceState{Name: types.InstanceStateNameTerminated},
		StateTransitionReason: aws.String("User initiated"), VirtualizationType: types.VirtualizationTypeHvm,
	}
	fake.OnPages[sdk.DescribeInstancesInput](f,
		&sdk.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: []types.Instance{webServer(), stopped}}}, NextToken: more},
		&sdk.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: []types.Instance{gone}}}})
	fake.On(f, func(in *sdk.DescribeInstanceAttributeInput) (*sdk.DescribeInstanceAttributeOutput, error) {
		out := &sdk.DescribeInstanceAttributeOutput{InstanceId: in.InstanceId, UserData: &types.AttributeValue{}}
		if aws.ToString(in.InstanceId) == "i-web" && in.Attribute == types.InstanceAttributeNameUserData {
			out.UserData.Value = aws.String(packed())
		}
		return out, nil
	})
	first := types.LaunchTemplateVersion{
		LaunchTemplateId: aws.String("lt-1"), LaunchTemplateName: aws.String("web"), VersionNumber: aws.Int64(1), DefaultVersion: aws.Bool(true),
		LaunchTemplateData: &types.ResponseLaunchTemplateData{
			UserData: &secret,
			MetadataOptions: &types.LaunchTemplateInstanceMetadataOptions{
				HttpTokens:              types.LaunchTemplateHttpTokensStateRequired,
				HttpEndpoint:            types.LaunchTemplateInstanceMetadataEndpointStateEnabled,
				HttpPutResponseHopLimit: aws.Int32(1),
			},
			NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecification{{AssociatePublicIpAddress: aws.Bool(true)}, {}},
		},
	}
	latest := types.LaunchTemplateVersion{
		LaunchTemplateId: aws.String("lt-1"), LaunchTemplateName: aws.String("web"), VersionNumber: aws.Int64(4), DefaultVersion: aws.Bool(false),
		LaunchTemplateData: &types.ResponseLaunchTemplateData{UserData: &plain},
	}
	both := types.LaunchTemplateVersion{
		Operator:         &types.OperatorResponse{Managed: aws.Bool(true), Principal: aws.String("eks.amazonaws.com")},
		LaunchTemplateId: aws.String("lt-2"), LaunchTemplateName: aws.String("one"), VersionNumber: aws.Int64(1), DefaultVersion: aws.Bool(true),
		LaunchTemplateData: &types.ResponseLaunchTemplateData{UserData: aws.String(bomb())},
	}
	fake.OnPages[sdk.DescribeLaunchTemplateVersionsInput](f,
		&sdk.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []types.LaunchTemplateVersion{latest, both}, NextToken: more},
		&sdk.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []types.LaunchTemplateVersion{first, both}})
}

func wantCompute() []check.Resource {
	stop := time.Date(2026, 2, 22, 13, 10, 55, 0, time.UTC)
	first, second := ref("launch-template", "lt-1"), ref("launch-template", "lt-2")
	first.Name, second.Name = "web", "one"
	return []check.Resource{
		ec2.Instance{Resource: ref("instance", "i-web"), SecretUserData: fact.Known(true), Detail: fact.Known(ec2.InstanceDetail{
			State: "running", Launched: launched, Image: "ami-1", Profile: "arn:aws:iam::111122223333:instance-profile/web", Key: "me",
			Monitoring: "disabled", Virtualization: "hvm", Metadata: ec2.Metadata{Endpoint: "enabled", Tokens: "required", HopLimit: 2},
			Groups: []string{"sg-admin", "sg-web"}, PublicIPv4: []string{"198.51.100.1", "198.51.100.2"}, PublicIPv6: []string{"2001:db8::1"},
			Interfaces: 2, Volumes: []ec2.AttachedVolume{{ID: "vol-1", DeleteOnTermination: true}},
		})},
		ec2.Instance{Resource: ref("instance", "i-stopped"), SecretUserData: fact.Known(false), Detail: fact.Known(ec2.InstanceDetail{
			Manager: "eks.amazonaws.com", State: "stopped", Launched: launched, Stopped: &stop, Image: "ami-1", Virtualization: "paravirtual",
		})},
		ec2.Instance{Resource: ref("instance", "i-gone"), Detail: fact.Known(ec2.InstanceDetail{
			State: "terminated", Launched: launched, Image: "ami-1", Virtualization: "hvm",
		})},
		ec2.LaunchTemplate{Resource: first, Detail: fact.Known(ec2.TemplateDetail{}), Versions: fact.Known([]ec2.TemplateVersion{
			{Number: 1, Default: true, Metadata: ec2.Metadata{Endpoint: "enabled", Tokens: "required", HopLimit: 1}, PublicIP: true, SecretUserData: true},
			{Number: 4},
		})},
		ec2.LaunchTemplate{Resource: second, Detail: fact.Known(ec2.TemplateDetail{Manager: "eks.amazonaws.com"}), Versions: fact.Known([]ec2.TemplateVersion{{Number: 1, Default: true, UnreadUserData: unread("ec2:DescribeLaunchTemplateVersions")}})},
	}
}

// unread is the gap of what is longer than is looked at.
func unread(operation string) *fact.Gap {
	return &fact.Gap{Reason: fact.NotCollected, Operation: operation, Region: collecttest.Region, Detail: "only the first 64 KiB were looked at"}
}

// bomb is user data of a kilobyte that unpacks to a mebibyte.
func bomb() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(bytes.Repeat([]byte("a: b\n"), 1<<20/5))
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// User data comes in several wrappings, none of which may hide a secret or stop
// the walk.
func TestUserData(t *testing.T) {
	t.Parallel()
	broken := packed()
	broken = broken[:len(broken)-12]
	for name, c := range map[string]struct {
		data string
		want bool
	}{
		"none":        {"", false},
		"plain":       {plain, false},
		"secret":      {secret, true},
		"packed":      {packed(), true},
		"not base64":  {script, true},
		"broken gzip": {broken, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := fake.New()
			full(cloud)
			fake.On(cloud, func(*sdk.DescribeInstanceAttributeInput) (*sdk.DescribeInstanceAttributeOutput, error) {
				return &sdk.DescribeInstanceAttributeOutput{UserData: &types.AttributeValue{Value: &c.data}}, nil
			})
			for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
				if i, ok := r.(ec2.Instance); ok && i.Name == "i-web" {
					if got, gap := i.SecretUserData.Get(); gap != nil || got != c.want {
						t.Errorf("looks like a secret: %v (%v), want %v", got, gap, c.want)
					}
				}
			}
		})
	}
}

// TestBombsInTemplates counts what 40 templates cost that unpack to a mebibyte each:
// none is looked at beyond the limit, and none passes for it.
func TestBombsInTemplates(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	data := bomb()
	var versions []types.LaunchTemplateVersion
	for i := range 40 {
		versions = append(versions, types.LaunchTemplateVersion{
			LaunchTemplateId: aws.String(fmt.Sprintf("lt-%d", i)), VersionNumber: aws.Int64(1), DefaultVersion: aws.Bool(true),
			LaunchTemplateData: &types.ResponseLaunchTemplateData{UserData: &data},
		})
	}
	fake.OnPages[sdk.DescribeLaunchTemplateVersionsInput](cloud, &sdk.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: versions})
	n := 0
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		l, ok := r.(ec2.LaunchTemplate)
		if !ok {
			continue
		}
		n++
		for _, v := range known(t, l.Versions) {
			if v.SecretUserData || v.UnreadUserData == nil {
				t.Errorf("%s: %+v", l.ARN, v)
			}
		}
	}
	if n != 40 {
		t.Errorf("%d templates", n)
	}
}

func known[T any](t *testing.T, f fact.Of[T]) T {
	t.Helper()
	value, gap := f.Get()
	if gap != nil {
		t.Fatalf("not known: %s", gap)
	}
	return value
}
