// Package collect reads EFS file systems from AWS.
package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
)

// Spec is how EFS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "efs",
		Walks: []collect.Walk{
			{
				Kinds: []string{efs.FileSystem{}.Kind()},
				Operations: []string{
					"EFS.DescribeFileSystems", "EFS.DescribeFileSystemPolicy", "EFS.DescribeBackupPolicy", "EFS.DescribeMountTargets",
				},
				Run: fileSystems,
			},
			{
				Kinds:      []string{efs.AccessPoint{}.Kind()},
				Operations: []string{"EFS.DescribeAccessPoints"},
				Run:        accessPoints,
			},
		},
	}
}

const (
	most = 100
	// noPolicy is the answer where no file system policy, or no backup policy, was
	// ever set.
	// https://docs.aws.amazon.com/efs/latest/ug/API_DescribeFileSystemPolicy.html
	// https://docs.aws.amazon.com/efs/latest/ug/API_DescribeBackupPolicy.html
	noPolicy = "PolicyNotFound"
)

func fileSystems(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeFileSystemsPaginator(client, &sdk.DescribeFileSystemsInput{MaxItems: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeFileSystemsOutput) []types.FileSystemDescription { return o.FileSystems },
		func(r *collect.Reading, found types.FileSystemDescription) *efs.FileSystem {
			f := &efs.FileSystem{Resource: s.Resource(collect.RequiredARN("FileSystemArn", found.FileSystemArn), name(found.Name, found.FileSystemId))}
			f.Detail = collect.From(r, found, func(found types.FileSystemDescription) efs.Detail {
				return efs.Detail{
					State:        string(found.LifeCycleState),
					Encrypted:    collect.Required("Encrypted", found.Encrypted),
					Zone:         collect.Optional("AvailabilityZoneName", found.AvailabilityZoneName),
					MountTargets: int32(collect.Count("NumberOfMountTargets", &found.NumberOfMountTargets)), //nolint:gosec // was one
				}
			})
			collect.Into(r, &f.Policy, client.DescribeFileSystemPolicy, &sdk.DescribeFileSystemPolicyInput{FileSystemId: found.FileSystemId},
				func(o *sdk.DescribeFileSystemPolicyOutput) string {
					return s.Policy(collect.RequiredText("Policy", o.Policy))
				}, noPolicy)
			collect.Into(r, &f.Backup, client.DescribeBackupPolicy, &sdk.DescribeBackupPolicyInput{FileSystemId: found.FileSystemId},
				func(o *sdk.DescribeBackupPolicyOutput) string { return string(o.BackupPolicy.Status) }, noPolicy)
			if found.NumberOfMountTargets > 0 {
				r.Do(func(context.Context) { f.MountTargets = mountTargets(r, client, found.FileSystemId) })
			} else {
				f.MountTargets = fact.Known([]efs.MountTarget(nil))
			}
			return f
		})
}

func mountTargets(r *collect.Reading, client *sdk.Client, fileSystem *string) fact.Of[[]efs.MountTarget] {
	return collect.Ask(r, func(ctx context.Context) ([]efs.MountTarget, error) {
		pages := sdk.NewDescribeMountTargetsPaginator(client, &sdk.DescribeMountTargetsInput{FileSystemId: fileSystem, MaxItems: aws.Int32(most)})
		return collect.Pages(ctx, pages, func(o *sdk.DescribeMountTargetsOutput) []efs.MountTarget {
			found := collect.RequiredList("MountTargets", o.MountTargets)
			all := make([]efs.MountTarget, len(found))
			for i, m := range found {
				all[i] = efs.MountTarget{Subnet: collect.RequiredText("SubnetId", m.SubnetId), State: string(collect.RequiredWord("LifeCycleState", m.LifeCycleState))}
			}
			return all
		})
	})
}

func accessPoints(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeAccessPointsPaginator(client, &sdk.DescribeAccessPointsInput{MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeAccessPointsOutput) []types.AccessPointDescription { return o.AccessPoints },
		func(r *collect.Reading, found types.AccessPointDescription) *efs.AccessPoint {
			return &efs.AccessPoint{
				Resource: s.Resource(collect.RequiredARN("AccessPointArn", found.AccessPointArn), name(found.Name, found.AccessPointId)),
				Detail:   collect.From(r, found, accessPoint),
			}
		})
}

func accessPoint(found types.AccessPointDescription) efs.AccessPointDetail {
	d := efs.AccessPointDetail{State: string(found.LifeCycleState), Root: "/", EnforcesUser: found.PosixUser != nil}
	if found.RootDirectory != nil && found.RootDirectory.Path != nil {
		d.Root = *found.RootDirectory.Path
	}
	if !strings.HasPrefix(d.Root, "/") {
		collect.Garbled("the root directory %q is no path", d.Root)
	}
	return d
}

// name is the value of the Name tag, or the id of what has none.
func name(tag, id *string) string {
	if tag != nil && *tag != "" {
		return *tag
	}
	return aws.ToString(id)
}
