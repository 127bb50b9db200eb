package collect_test

import (
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

// forEverybody reports whether a call asks for public snapshots alone.
func forEverybody(in *sdk.DescribeSnapshotsInput) bool { return len(in.RestorableByUserIds) > 0 }

func snapshot(id string, encrypted bool) types.Snapshot {
	return types.Snapshot{State: types.SnapshotStateCompleted, SnapshotId: &id, VolumeId: aws.String("vol-1"), Encrypted: &encrypted, OwnerId: owner}
}

func fullStorage(f *fake.Fake) {
	fake.On(f, func(in *sdk.DescribeSnapshotsInput) (*sdk.DescribeSnapshotsOutput, error) {
		switch {
		case forEverybody(in):
			return &sdk.DescribeSnapshotsOutput{Snapshots: []types.Snapshot{snapshot("snap-2", false)}}, nil
		case in.NextToken == nil:
			return &sdk.DescribeSnapshotsOutput{Snapshots: []types.Snapshot{snapshot("snap-1", true)}, NextToken: more}, nil
		default:
			return &sdk.DescribeSnapshotsOutput{Snapshots: []types.Snapshot{snapshot("snap-2", false)}}, nil
		}
	})
	fake.OnPages[sdk.DescribeVolumesInput](f,
		&sdk.DescribeVolumesOutput{NextToken: more, Volumes: []types.Volume{
			{Operator: &types.OperatorResponse{Managed: aws.Bool(true), Principal: aws.String("eks.amazonaws.com")}, VolumeId: aws.String("vol-1"), State: types.VolumeStateInUse, Encrypted: aws.Bool(true)},
		}},
		&sdk.DescribeVolumesOutput{Volumes: []types.Volume{
			{VolumeId: aws.String("vol-2"), State: types.VolumeStateAvailable, Encrypted: aws.Bool(false)},
		}})
	fake.OnPages[sdk.DescribeImagesInput](f,
		&sdk.DescribeImagesOutput{NextToken: more, Images: []types.Image{{
			State: types.ImageStateAvailable, ImageId: aws.String("ami-1"), OwnerId: owner, Public: aws.Bool(true), CreationDate: aws.String("2026-01-02T03:04:05.000Z"),
			BlockDeviceMappings: []types.BlockDeviceMapping{
				{DeviceName: aws.String("/dev/sda1"), Ebs: &types.EbsBlockDevice{Encrypted: aws.Bool(true)}},
				{DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{Encrypted: aws.Bool(false)}},
				{DeviceName: aws.String("/dev/sdb"), VirtualName: aws.String("ephemeral0")},
			},
		}}},
		&sdk.DescribeImagesOutput{Images: []types.Image{{ImageId: aws.String("ami-2"), OwnerId: owner, Public: aws.Bool(false)}}})
}

func wantStorage() []check.Resource {
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	snap := func(id string) ec2.Snapshot {
		return ec2.Snapshot{
			Resource: at("arn:aws:ec2:eu-west-1::snapshot/"+id, id),
			Detail:   fact.Known(ec2.SnapshotDetail{State: "completed", Encrypted: id == "snap-1", Volume: "vol-1"}),
			Public:   fact.Known(id == "snap-2"),
		}
	}
	return []check.Resource{
		snap("snap-1"), snap("snap-2"),
		ec2.Volume{Resource: ref("volume", "vol-1"), Snapshots: fact.Known(2), Detail: fact.Known(ec2.VolumeDetail{Manager: "eks.amazonaws.com", State: "in-use", Encrypted: true})},
		ec2.Volume{Resource: ref("volume", "vol-2"), Snapshots: fact.Known(0), Detail: fact.Known(ec2.VolumeDetail{State: "available"})},
		ec2.Image{Resource: at("arn:aws:ec2:eu-west-1::image/ami-1", "ami-1"), Detail: fact.Known(ec2.ImageDetail{
			State: "available", Public: true, Created: &made, Unencrypted: []string{"/dev/sdf"}, Devices: 2,
		})},
		ec2.Image{Resource: at("arn:aws:ec2:eu-west-1::image/ami-2", "ami-2"), Detail: fact.Known(ec2.ImageDetail{})},
	}
}

// A snapshot is private only if the listing of public ones was read.
func TestPublicSnapshotsUnknown(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	fake.On(cloud, func(in *sdk.DescribeSnapshotsInput) (*sdk.DescribeSnapshotsOutput, error) {
		if forEverybody(in) {
			return nil, fake.Error("UnauthorizedOperation")
		}
		return &sdk.DescribeSnapshotsOutput{Snapshots: []types.Snapshot{snapshot("snap-1", true)}}, nil
	})
	found := 0
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if s, ok := r.(ec2.Snapshot); ok {
			found++
			if gap := s.Public.Gap(); gap == nil || gap.Reason != fact.Denied || gap.Region != collecttest.Region {
				t.Errorf("public: %v (%v), want denied", s.Public.Content(), gap)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d snapshots, want 1", found)
	}
}

func fullSettings(f *fake.Fake) {
	fake.On(f, func(*sdk.GetEbsEncryptionByDefaultInput) (*sdk.GetEbsEncryptionByDefaultOutput, error) {
		return &sdk.GetEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(true)}, nil
	})
	fake.On(f, func(*sdk.GetSnapshotBlockPublicAccessStateInput) (*sdk.GetSnapshotBlockPublicAccessStateOutput, error) {
		return &sdk.GetSnapshotBlockPublicAccessStateOutput{State: types.SnapshotBlockPublicAccessStateBlockAllSharing}, nil
	})
	fake.On(f, func(*sdk.GetImageBlockPublicAccessStateInput) (*sdk.GetImageBlockPublicAccessStateOutput, error) {
		return &sdk.GetImageBlockPublicAccessStateOutput{ImageBlockPublicAccessState: aws.String("unblocked")}, nil
	})
	fake.On(f, func(*sdk.GetInstanceMetadataDefaultsInput) (*sdk.GetInstanceMetadataDefaultsOutput, error) {
		return &sdk.GetInstanceMetadataDefaultsOutput{AccountLevel: &types.InstanceMetadataDefaultsResponse{
			HttpTokens: types.HttpTokensStateRequired, HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpPutResponseHopLimit: aws.Int32(2),
		}}, nil
	})
	fake.On(f, func(*sdk.GetSerialConsoleAccessStatusInput) (*sdk.GetSerialConsoleAccessStatusOutput, error) {
		return &sdk.GetSerialConsoleAccessStatusOutput{SerialConsoleAccessEnabled: aws.Bool(true)}, nil
	})
	fake.On(f, func(*sdk.DescribeVpcBlockPublicAccessOptionsInput) (*sdk.DescribeVpcBlockPublicAccessOptionsOutput, error) {
		return &sdk.DescribeVpcBlockPublicAccessOptionsOutput{VpcBlockPublicAccessOptions: &types.VpcBlockPublicAccessOptions{
			InternetGatewayBlockMode: types.InternetGatewayBlockModeBlockIngress,
		}}, nil
	})
}

func wantSettings() ec2.RegionSettings {
	settings := ec2.RegionSettings{
		Resource:      at("arn:aws:ec2:eu-west-1:111122223333:region-settings", collecttest.Region),
		EBSEncryption: fact.Known(true),
		SnapshotBlock: fact.Known("block-all-sharing"),
		ImageBlock:    fact.Known("unblocked"),
		Metadata:      fact.Known(ec2.Metadata{Endpoint: "enabled", Tokens: "required", HopLimit: 2}),
		SerialConsole: fact.Known(true),
		InternetBlock: fact.Known("block-ingress"),
	}
	return settings
}

// A region where nobody has set metadata defaults gives none.
func TestNoMetadataDefaults(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]*types.InstanceMetadataDefaultsResponse{"absent": nil, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := fake.New()
			full(cloud)
			fake.On(cloud, func(*sdk.GetInstanceMetadataDefaultsInput) (*sdk.GetInstanceMetadataDefaultsOutput, error) {
				return &sdk.GetInstanceMetadataDefaultsOutput{AccountLevel: level}, nil
			})
			for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
				if s, ok := r.(ec2.RegionSettings); ok {
					if m, gap := s.Metadata.Get(); gap != nil || m != (ec2.Metadata{}) {
						t.Errorf("metadata defaults %+v (%v), want none", m, gap)
					}
				}
			}
		})
	}
}

// Which snapshots are public is asked only where there are any.
func TestNoSnapshots(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	fake.On(cloud, func(in *sdk.DescribeSnapshotsInput) (*sdk.DescribeSnapshotsOutput, error) {
		if len(in.RestorableByUserIds) > 0 {
			t.Error("a region without snapshots was asked which are public")
		}
		return &sdk.DescribeSnapshotsOutput{}, nil
	})
	found := collecttest.Walk(t, collect.Spec(), cloud)
	if gap := found.Gaps[ec2.Snapshot{}.Kind()]; gap != nil {
		t.Errorf("listing without snapshots has a gap: %+v", *gap)
	}
}
