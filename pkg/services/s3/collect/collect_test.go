package collect_test

import (
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/s3/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), s3.Service())
}

// A gap tells the region where the call failed, which is the bucket's.
func TestGapNamesTheBucketsRegion(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "kept")
	cloud.Meddle = func(operation string, _ int) error {
		if operation == "S3.GetBucketPolicy" {
			return fake.Error("AccessDenied")
		}
		return nil
	}
	var regions []string
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if b, ok := r.(s3.Bucket); ok {
			_, gap := b.Policy.Get()
			regions = append(regions, gap.Region)
		}
	}
	slices.Sort(regions)
	if want := []string{"eu-west-1", "eu-west-1", "eu-west-2"}; !slices.Equal(regions, want) {
		t.Errorf("gaps in %v, want %v", regions, want)
	}
}

// Of a listing that breaks off, what was listed is collected.
func TestListingBreaksOff(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "kept")
	cloud.Meddle = func(operation string, call int) error {
		if operation == "S3.ListBuckets" && call == 2 {
			return fake.Error("AccessDenied")
		}
		return nil
	}
	found := collecttest.Walk(t, collect.Spec(), cloud)
	if found.Gaps[s3.Bucket{}.Kind()] == nil {
		t.Error("the listing is called complete")
	}
	if !slices.ContainsFunc(found.Resources, func(r check.Resource) bool { return r.Reference().Name == "vault" }) {
		t.Error("the bucket of the first page is missing")
	}
}

// Emulators list buckets without their regions; AWS never does.
func TestListedWithoutRegion(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "neglected", `-- ListBuckets --
<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner>
  <Buckets><Bucket><Name>web</Name></Bucket></Buckets>
</ListAllMyBucketsResult>
`)
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if b, ok := r.(s3.Bucket); ok && b.Region != collecttest.Region {
			t.Errorf("%s is in %q, want the region of the call", b.ARN, b.Region)
		}
	}
}

// A bucket that was deleted after it was listed is no bucket of the account.
func TestBucketDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "neglected", `-- GetBucketVersioning Bucket=web --
HTTP/1.1 404 Not Found

<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>web</BucketName></Error>
`)
	found := collecttest.Walk(t, collect.Spec(), cloud)
	if slices.ContainsFunc(found.Resources, func(r check.Resource) bool { return r.Reference().Name == "web" }) {
		t.Error("a bucket that is gone was collected")
	}
	if gap := found.Gaps[s3.Bucket{}.Kind()]; gap != nil {
		t.Errorf("the listing has a gap: %v", gap)
	}
}
