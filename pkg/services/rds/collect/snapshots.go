package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/collect"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

// restore is the attribute that lists who may restore a snapshot.
const restore = "restore"

func snapshots(ctx context.Context, s *collect.Scope) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeDBSnapshotsPaginator(client, &sdk.DescribeDBSnapshotsInput{SnapshotType: aws.String("manual"), MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBSnapshotsOutput) []types.DBSnapshot { return o.DBSnapshots },
		func(r *collect.Reading, found types.DBSnapshot) *rds.DBSnapshot {
			d := rds.SnapshotDetail{Engine: aws.ToString(found.Engine), Encrypted: aws.ToBool(found.Encrypted), Source: aws.ToString(found.DBInstanceIdentifier)}
			if rds.Foreign(d.Engine) {
				return nil
			}
			snapshot := &rds.DBSnapshot{Resource: s.Resource(*found.DBSnapshotArn, aws.ToString(found.DBSnapshotIdentifier))}
			snapshot.Detail = fact.Known(d)
			if !d.Encrypted {
				collect.Into(r, &snapshot.Restorers, client.DescribeDBSnapshotAttributes,
					&sdk.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: found.DBSnapshotIdentifier},
					func(o *sdk.DescribeDBSnapshotAttributesOutput) []string {
						for _, a := range o.DBSnapshotAttributesResult.DBSnapshotAttributes {
							if aws.ToString(a.AttributeName) == restore {
								return a.AttributeValues
							}
						}
						return nil
					})
			}
			return snapshot
		})
}

func clusterSnapshots(ctx context.Context, s *collect.Scope) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeDBClusterSnapshotsPaginator(client, &sdk.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual"), MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBClusterSnapshotsOutput) []types.DBClusterSnapshot { return o.DBClusterSnapshots },
		func(r *collect.Reading, found types.DBClusterSnapshot) *rds.DBClusterSnapshot {
			d := rds.SnapshotDetail{Engine: aws.ToString(found.Engine), Encrypted: aws.ToBool(found.StorageEncrypted), Source: aws.ToString(found.DBClusterIdentifier)}
			if rds.Foreign(d.Engine) {
				return nil
			}
			snapshot := &rds.DBClusterSnapshot{Resource: s.Resource(*found.DBClusterSnapshotArn, aws.ToString(found.DBClusterSnapshotIdentifier))}
			snapshot.Detail = fact.Known(d)
			if !d.Encrypted {
				collect.Into(r, &snapshot.Restorers, client.DescribeDBClusterSnapshotAttributes,
					&sdk.DescribeDBClusterSnapshotAttributesInput{DBClusterSnapshotIdentifier: found.DBClusterSnapshotIdentifier},
					func(o *sdk.DescribeDBClusterSnapshotAttributesOutput) []string {
						for _, a := range o.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes {
							if aws.ToString(a.AttributeName) == restore {
								return a.AttributeValues
							}
						}
						return nil
					})
			}
			return snapshot
		})
}
