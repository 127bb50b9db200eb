package collect

import (
	"context"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

// restore is the attribute that lists who may restore a snapshot.
const restore = "restore"

func snapshots(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeDBSnapshotsPaginator(client, &sdk.DescribeDBSnapshotsInput{SnapshotType: aws.String("manual"), MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBSnapshotsOutput) []types.DBSnapshot { return o.DBSnapshots },
		func(r *collect.Reading, found types.DBSnapshot) *rds.DBSnapshot {
			d := rds.SnapshotDetail{State: aws.ToString(found.Status), Encrypted: collect.Required("Encrypted", found.Encrypted)}
			snapshot := &rds.DBSnapshot{Resource: s.Resource(*found.DBSnapshotArn, aws.ToString(found.DBSnapshotIdentifier)), Detail: fact.Known(d)}
			return manual(snapshot, collect.RequiredText("Engine", found.Engine), d.Encrypted, func() {
				collect.Into(r, &snapshot.Restorers, client.DescribeDBSnapshotAttributes,
					&sdk.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: found.DBSnapshotIdentifier},
					func(o *sdk.DescribeDBSnapshotAttributesOutput) []string {
						return restorers(o.DBSnapshotAttributesResult.DBSnapshotAttributes)
					})
			})
		})
}

func clusterSnapshots(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeDBClusterSnapshotsPaginator(client, &sdk.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual"), MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBClusterSnapshotsOutput) []types.DBClusterSnapshot { return o.DBClusterSnapshots },
		func(r *collect.Reading, found types.DBClusterSnapshot) *rds.DBClusterSnapshot {
			d := rds.SnapshotDetail{State: aws.ToString(found.Status), Encrypted: collect.Required("StorageEncrypted", found.StorageEncrypted)}
			snapshot := &rds.DBClusterSnapshot{Resource: s.Resource(*found.DBClusterSnapshotArn, aws.ToString(found.DBClusterSnapshotIdentifier)), Detail: fact.Known(d)}
			return manual(snapshot, collect.RequiredText("Engine", found.Engine), d.Encrypted, func() {
				collect.Into(r, &snapshot.Restorers, client.DescribeDBClusterSnapshotAttributes,
					&sdk.DescribeDBClusterSnapshotAttributesInput{DBClusterSnapshotIdentifier: found.DBClusterSnapshotIdentifier},
					func(o *sdk.DescribeDBClusterSnapshotAttributesOutput) []string {
						return restorers(o.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes)
					})
			})
		})
}

// manual is a snapshot of an instance or of a cluster as it is kept: none of
// other services', and asked who may restore it only where that may be anybody.
func manual[R check.Resource](snapshot *R, engine string, encrypted bool, ask func()) *R {
	if rds.Foreign(engine) {
		return nil
	}
	if !encrypted {
		ask()
	}
	return snapshot
}

// attribute is a snapshot's, of either kind: AWS has two types of one shape.
type attribute interface {
	types.DBSnapshotAttribute | types.DBClusterSnapshotAttribute
}

// restorers are the accounts that may restore a snapshot; an answer without the
// attribute tells nothing.
func restorers[A attribute](attributes []A) []string {
	for _, a := range attributes {
		named := types.DBSnapshotAttribute(a)
		if aws.ToString(named.AttributeName) != restore {
			continue
		}
		for _, who := range collect.RequiredList("AttributeValues", named.AttributeValues) {
			if who != "all" && !account.MatchString(who) {
				collect.Garbled("unknown restorer %q", who)
			}
		}
		return named.AttributeValues
	}
	collect.Garbled("no attribute %s", restore)
	return nil
}

var account = regexp.MustCompile(`^\d{12}$`)
