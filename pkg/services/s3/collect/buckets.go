package collect

import (
	"cmp"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// buckets lists the buckets of all regions in one place, and reads each where
// it is: other regions' endpoints only redirect.
func buckets(ctx context.Context, s *collect.Session) error {
	byRegion, owner, err := listBuckets(ctx, s)
	var regions errgroup.Group
	for region, found := range byRegion {
		regions.Go(func() error {
			there := *s
			there.Region, there.Config = region, s.Config.Copy()
			there.Config.Region = region
			w := walk{&there, sdk.NewFromConfig(there.Config), owner}
			return collect.EachOf(ctx, &there, found, w.bucket)
		})
	}
	return errors.Join(err, regions.Wait())
}

// listBuckets gives, with an error, the buckets listed before it.
func listBuckets(ctx context.Context, s *collect.Session) (byRegion map[string][]types.Bucket, owner s3.Detail, err error) {
	byRegion = map[string][]types.Bucket{}
	// Only a request with a limit is answered with the buckets' regions.
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
	pages := sdk.NewListBucketsPaginator(sdk.NewFromConfig(s.Config), &sdk.ListBucketsInput{MaxBuckets: aws.Int32(10_000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return byRegion, owner, err
		}
		if page.Owner != nil {
			owner.Owner = aws.ToString(page.Owner.ID)
		}
		for _, b := range collect.RequiredList("Buckets", page.Buckets) {
			// Emulators leave the region out, and answer for all buckets anywhere.
			region := cmp.Or(aws.ToString(b.BucketRegion), s.Config.Region)
			if s.Audits(region) {
				byRegion[region] = append(byRegion[region], b)
			}
		}
	}
	return byRegion, owner, nil
}

// walk reads the buckets of one region.
type walk struct {
	*collect.Session
	client *sdk.Client
	detail s3.Detail
}

func (w walk) bucket(r *collect.Reading, listed types.Bucket) *s3.Bucket {
	name := collect.RequiredText("Name", listed.Name)
	b := &s3.Bucket{Resource: w.Resource("arn:"+w.Partition+":s3:::"+name, name), Detail: fact.Known(w.detail)}
	w.access(r, b)
	w.storage(r, b)
	return b
}

// access reads who may use the bucket.
func (w walk) access(r *collect.Reading, b *s3.Bucket) {
	name, c := aws.String(b.Name), w.client
	collect.Into(r, &b.Policy, c.GetBucketPolicy, &sdk.GetBucketPolicyInput{Bucket: name},
		func(o *sdk.GetBucketPolicyOutput) string { return w.Policy(*o.Policy) }, "NoSuchBucketPolicy")
	r.Do(func(context.Context) {
		b.Ownership = collect.Get(r, c.GetBucketOwnershipControls, &sdk.GetBucketOwnershipControlsInput{Bucket: name}, ownership,
			"OwnershipControlsNotFoundError")
		// Where the owner owns everything, as by default since 2023, AWS refuses ACLs
		// that grant anything to anybody else.
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
		if owner, gap := b.Ownership.Get(); gap == nil && owner == s3.OwnerEnforced {
			b.PublicGrants = fact.Known[[]s3.Grant](nil)
			return
		}
		collect.Into(r, &b.PublicGrants, c.GetBucketAcl, &sdk.GetBucketAclInput{Bucket: name}, publicGrants)
	})
	collect.Into(r, &b.PublicAccessBlock, c.GetPublicAccessBlock, &sdk.GetPublicAccessBlockInput{Bucket: name}, bucketBlock, noPublicAccessBlock)
	collect.Into(r, &b.Website, c.GetBucketWebsite, &sdk.GetBucketWebsiteInput{Bucket: name},
		func(*sdk.GetBucketWebsiteOutput) bool { return true }, "NoSuchWebsiteConfiguration")
	collect.Into(r, &b.LogBucket, c.GetBucketLogging, &sdk.GetBucketLoggingInput{Bucket: name}, logBucket)
}

// storage reads how the bucket keeps what is in it.
func (w walk) storage(r *collect.Reading, b *s3.Bucket) {
	name, c := aws.String(b.Name), w.client
	collect.Into(r, &b.Encryption, c.GetBucketEncryption, &sdk.GetBucketEncryptionInput{Bucket: name}, encryption,
		"ServerSideEncryptionConfigurationNotFoundError")
	r.Do(func(context.Context) {
		b.Versioning = collect.Get(r, c.GetBucketVersioning, &sdk.GetBucketVersioningInput{Bucket: name}, versioning)
		// Locks and replication need versions: a bucket that never kept any has neither.
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
		if v, gap := b.Versioning.Get(); gap == nil && v.Status == "" {
			b.ObjectLock, b.Replication = fact.Known(s3.ObjectLock{}), fact.Known[[]s3.ReplicationRule](nil)
			return
		}
		collect.Into(r, &b.ObjectLock, c.GetObjectLockConfiguration, &sdk.GetObjectLockConfigurationInput{Bucket: name}, objectLock,
			"ObjectLockConfigurationNotFoundError")
		collect.Into(r, &b.Replication, c.GetBucketReplication, &sdk.GetBucketReplicationInput{Bucket: name}, replication,
			"ReplicationConfigurationNotFoundError")
	})
	collect.Into(r, &b.Lifecycle, c.GetBucketLifecycleConfiguration, &sdk.GetBucketLifecycleConfigurationInput{Bucket: name}, lifecycle,
		"NoSuchLifecycleConfiguration")
	collect.Into(r, &b.Notifications, c.GetBucketNotificationConfiguration, &sdk.GetBucketNotificationConfigurationInput{Bucket: name}, notifications)
}
