package collect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// self asks for what the account owns.
var self = []string{"self"}

// volumes reads the snapshots first, to know of each volume whether it has any.
func volumes(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	// Most regions have no snapshot, and then none is public: asked with the first.
	shared := sync.OnceValue(func() fact.Of[map[string]bool] { return publicSnapshots(ctx, s, client) })
	taken := newTally()
	snapshots := sdk.NewDescribeSnapshotsPaginator(client, &sdk.DescribeSnapshotsInput{OwnerIds: self, MaxResults: aws.Int32(most)})
	snapshotsErr := collect.Each(ctx, s, snapshots, listed,
		func(r *collect.Reading, n types.Snapshot) *ec2.Snapshot {
			taken.add(n.VolumeId)
			return &ec2.Snapshot{
				Resource: unowned(s, "snapshot", n.SnapshotId),
				Detail: collect.From(r, n, func(n types.Snapshot) ec2.SnapshotDetail {
					return ec2.SnapshotDetail{State: string(n.State), Encrypted: collect.Required("Encrypted", n.Encrypted)}
				}),
				Public: fact.Map(shared(), func(ids map[string]bool) bool { return ids[aws.ToString(n.SnapshotId)] }),
			}
		})
	pages := sdk.NewDescribeVolumesPaginator(client, &sdk.DescribeVolumesInput{MaxResults: aws.Int32(500)})
	volumesErr := collect.Each(ctx, s, pages, func(o *sdk.DescribeVolumesOutput) []types.Volume { return o.Volumes },
		func(r *collect.Reading, v types.Volume) *ec2.Volume {
			return &ec2.Volume{
				Resource: resource(s, "volume", v.VolumeId),
				Detail: collect.From(r, v, func(v types.Volume) ec2.VolumeDetail {
					return ec2.VolumeDetail{Manager: operator(v.Operator), State: string(v.State), Encrypted: collect.Required("Encrypted", v.Encrypted)}
				}),
				Snapshots: taken.of(s, v.VolumeId, snapshotsErr),
			}
		})
	return errors.Join(snapshotsErr, volumesErr)
}

func listed(o *sdk.DescribeSnapshotsOutput) []types.Snapshot {
	return collect.RequiredList("Snapshots", o.Snapshots)
}

// publicSnapshots are the ids of the account's snapshots that everybody may
// restore. One listing tells what would take a call per snapshot otherwise.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html
func publicSnapshots(ctx context.Context, s *collect.Session, client *sdk.Client) fact.Of[map[string]bool] {
	return collect.Ask(collect.NewReading(ctx, s), func(ctx context.Context) (map[string]bool, error) {
		pages := sdk.NewDescribeSnapshotsPaginator(client, &sdk.DescribeSnapshotsInput{
			OwnerIds: self, RestorableByUserIds: []string{"all"}, MaxResults: aws.Int32(most),
		})
		found, err := collect.Pages(ctx, pages, listed)
		ids := map[string]bool{}
		for _, n := range found {
			ids[identifier("snapshot", n.SnapshotId)] = true
		}
		return ids, err
	})
}

func images(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeImagesPaginator(client, &sdk.DescribeImagesInput{Owners: self, MaxResults: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeImagesOutput) []types.Image { return o.Images },
		func(r *collect.Reading, i types.Image) *ec2.Image {
			return &ec2.Image{Resource: unowned(s, "image", i.ImageId), Detail: collect.From(r, i, imageDetail)}
		})
}

func imageDetail(i types.Image) ec2.ImageDetail {
	d := ec2.ImageDetail{State: string(i.State), Public: collect.Required("Public", i.Public)}
	if t, err := time.Parse(time.RFC3339, aws.ToString(i.CreationDate)); err == nil {
		d.Created = &t
	}
	for _, b := range i.BlockDeviceMappings {
		if b.Ebs == nil { // an instance store
			continue
		}
		d.Devices++
		if !collect.Required("Ebs.Encrypted", b.Ebs.Encrypted) {
			d.Unencrypted = append(d.Unencrypted, aws.ToString(b.DeviceName))
		}
	}
	return d
}
