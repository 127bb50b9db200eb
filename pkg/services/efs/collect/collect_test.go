package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/efs/collect"
)

const (
	policy = `{"Version":"2012-10-17","Statement":[]}`
	key    = "arn:aws:kms:eu-west-1:111122223333:key/1"
)

func arn(path string) string { return "arn:aws:elasticfilesystem:eu-west-1:111122223333:" + path }

func resource(path, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn(path), Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func full(f *fake.Fake) {
	fake.OnPages[sdk.DescribeFileSystemsInput](f,
		&sdk.DescribeFileSystemsOutput{NextMarker: aws.String("2"), FileSystems: []types.FileSystemDescription{{
			LifeCycleState: types.LifeCycleStateAvailable, FileSystemArn: aws.String(arn("file-system/fs-1")), FileSystemId: aws.String("fs-1"), Name: aws.String("shared"),
			Encrypted: aws.Bool(true), KmsKeyId: aws.String(key), AvailabilityZoneName: aws.String("eu-west-1a"), NumberOfMountTargets: 2,
		}}},
		&sdk.DescribeFileSystemsOutput{FileSystems: []types.FileSystemDescription{
			{FileSystemArn: aws.String(arn("file-system/fs-2")), FileSystemId: aws.String("fs-2"), Encrypted: aws.Bool(false)},
		}})
	fake.On(f, func(in *sdk.DescribeFileSystemPolicyInput) (*sdk.DescribeFileSystemPolicyOutput, error) {
		if *in.FileSystemId == "fs-2" {
			return nil, fake.Error("PolicyNotFound")
		}
		return &sdk.DescribeFileSystemPolicyOutput{FileSystemId: in.FileSystemId, Policy: aws.String(policy)}, nil
	})
	fake.On(f, func(in *sdk.DescribeBackupPolicyInput) (*sdk.DescribeBackupPolicyOutput, error) {
		if *in.FileSystemId == "fs-2" {
			return nil, fake.Error("PolicyNotFound")
		}
		return &sdk.DescribeBackupPolicyOutput{BackupPolicy: &types.BackupPolicy{Status: types.StatusEnabled}}, nil
	})
	fake.OnPages[sdk.DescribeMountTargetsInput](f,
		&sdk.DescribeMountTargetsOutput{NextMarker: aws.String("2"), MountTargets: []types.MountTargetDescription{
			{MountTargetId: aws.String("fsmt-1"), SubnetId: aws.String("subnet-1"), VpcId: aws.String("vpc-1"), FileSystemId: aws.String("fs-1")},
		}},
		&sdk.DescribeMountTargetsOutput{MountTargets: []types.MountTargetDescription{
			{MountTargetId: aws.String("fsmt-2"), SubnetId: aws.String("subnet-2"), VpcId: aws.String("vpc-1"), FileSystemId: aws.String("fs-1")},
		}})
	fake.OnPages[sdk.DescribeAccessPointsInput](f,
		&sdk.DescribeAccessPointsOutput{NextToken: aws.String("2"), AccessPoints: []types.AccessPointDescription{{
			LifeCycleState: types.LifeCycleStateAvailable, AccessPointArn: aws.String(arn("access-point/fsap-1")), AccessPointId: aws.String("fsap-1"), Name: aws.String("app"), FileSystemId: aws.String("fs-1"),
			PosixUser: &types.PosixUser{Uid: aws.Int64(1001), Gid: aws.Int64(1001)}, RootDirectory: &types.RootDirectory{Path: aws.String("/app")},
		}}},
		&sdk.DescribeAccessPointsOutput{AccessPoints: []types.AccessPointDescription{
			{AccessPointArn: aws.String(arn("access-point/fsap-2")), AccessPointId: aws.String("fsap-2"), FileSystemId: aws.String("fs-1")},
		}})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		efs.FileSystem{
			Resource: resource("file-system/fs-1", "shared"), Policy: fact.Known(policy), Backup: fact.Known("ENABLED"),
			Detail: fact.Known(efs.Detail{State: "available", Encrypted: true, KMSKey: key, Zone: "eu-west-1a", MountTargets: 2}),
			MountTargets: fact.Known([]efs.MountTarget{
				{ID: "fsmt-1", Subnet: "subnet-1", VPC: "vpc-1"}, {ID: "fsmt-2", Subnet: "subnet-2", VPC: "vpc-1"},
			}),
		},
		efs.FileSystem{
			Resource: resource("file-system/fs-2", "fs-2"), Policy: fact.Known(""), Backup: fact.Known(""),
			Detail: fact.Known(efs.Detail{}), MountTargets: fact.Known([]efs.MountTarget(nil)),
		},
		efs.AccessPoint{
			Resource: resource("access-point/fsap-1", "app"), Detail: fact.Known(efs.AccessPointDetail{State: "available", FileSystem: "fs-1", Root: "/app", EnforcesUser: true}),
		},
		efs.AccessPoint{Resource: resource("access-point/fsap-2", "fsap-2"), Detail: fact.Known(efs.AccessPointDetail{FileSystem: "fs-1", Root: "/"})},
	})
}
