package collect_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/s3/collect"
)

const (
	canonicalUser = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
	bucketPolicy  = `{"Version":"2012-10-17","Statement":[]}`
	keyARN        = "arn:aws:kms:eu-central-1:111122223333:key/1"
)

// answer gives the setting of the bucket "rich", and AWS's refusal for others;
// with no code the answer is empty.
func answer[In, Out any](f *fake.Fake, bucket func(*In) *string, absent string, rich *Out) {
	fake.OnRegion(f, func(region string, in *In) (*Out, error) {
		name := aws.ToString(bucket(in))
		switch {
		case name == "rich" && region == "eu-central-1":
			return rich, nil
		case name == "rich":
			return nil, fake.Error("PermanentRedirect")
		case name == "gone":
			return nil, fake.Error("NoSuchBucket")
		case absent != "":
			return nil, fake.Error(absent)
		default:
			return new(Out), nil
		}
	})
}

// answerBuckets is an account of a bucket that has everything, one that has
// nothing, and one that was deleted meanwhile.
func answerBuckets(f *fake.Fake) {
	owner := &types.Owner{ID: aws.String(canonicalUser)}
	fake.OnPages[sdk.ListBucketsInput](f,
		&sdk.ListBucketsOutput{Owner: owner, ContinuationToken: aws.String("2"), Buckets: []types.Bucket{
			{Name: aws.String("rich"), BucketRegion: aws.String("eu-central-1")},
			{Name: aws.String("gone"), BucketRegion: aws.String("eu-central-1")},
		}},
		&sdk.ListBucketsOutput{Owner: owner, Buckets: []types.Bucket{{Name: aws.String("plain"), BucketRegion: aws.String("us-east-1")}}})

	answer(f, func(in *sdk.GetBucketPolicyInput) *string { return in.Bucket }, "NoSuchBucketPolicy",
		&sdk.GetBucketPolicyOutput{Policy: aws.String(bucketPolicy)})
	answer(f, func(in *sdk.GetBucketAclInput) *string { return in.Bucket }, "", &sdk.GetBucketAclOutput{Owner: owner, Grants: []types.Grant{
		{Grantee: &types.Grantee{Type: types.TypeCanonicalUser, ID: owner.ID, DisplayName: aws.String("someone")}, Permission: types.PermissionFullControl},
		{Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String("http://acs.amazonaws.com/groups/s3/LogDelivery")}, Permission: types.PermissionWrite},
		{Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String(s3.AllUsers)}, Permission: types.PermissionRead},
	}})
	answer(f, func(in *sdk.GetBucketOwnershipControlsInput) *string { return in.Bucket }, "OwnershipControlsNotFoundError",
		&sdk.GetBucketOwnershipControlsOutput{OwnershipControls: &types.OwnershipControls{
			Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}},
		}})
	answer(f, func(in *sdk.GetPublicAccessBlockInput) *string { return in.Bucket }, "NoSuchPublicAccessBlockConfiguration",
		&sdk.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		}})
	answerStorage(f)
}

func answerStorage(f *fake.Fake) {
	answer(f, func(in *sdk.GetBucketEncryptionInput) *string { return in.Bucket }, "ServerSideEncryptionConfigurationNotFoundError",
		&sdk.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
				SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String(keyARN),
			}}},
		}})
	answer(f, func(in *sdk.GetBucketVersioningInput) *string { return in.Bucket }, "",
		&sdk.GetBucketVersioningOutput{Status: types.BucketVersioningStatusEnabled, MFADelete: types.MFADeleteStatusEnabled})
	answer(f, func(in *sdk.GetBucketLoggingInput) *string { return in.Bucket }, "",
		&sdk.GetBucketLoggingOutput{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("logs"), TargetPrefix: aws.String("rich/")}})
	answer(f, func(in *sdk.GetBucketLifecycleConfigurationInput) *string { return in.Bucket }, "NoSuchLifecycleConfiguration",
		&sdk.GetBucketLifecycleConfigurationOutput{Rules: []types.LifecycleRule{
			{ID: aws.String("old"), Status: types.ExpirationStatusEnabled, NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(90)}},
			{ID: aws.String("tmp"), Status: types.ExpirationStatusDisabled, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}},
		}})
	answer(f, func(in *sdk.GetObjectLockConfigurationInput) *string { return in.Bucket }, "ObjectLockConfigurationNotFoundError",
		&sdk.GetObjectLockConfigurationOutput{ObjectLockConfiguration: &types.ObjectLockConfiguration{
			ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Years: aws.Int32(1)}},
		}})
	answer(f, func(in *sdk.GetBucketReplicationInput) *string { return in.Bucket }, "ReplicationConfigurationNotFoundError",
		&sdk.GetBucketReplicationOutput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{
			{Status: types.ReplicationRuleStatusEnabled, Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::copy")}},
		}}})
	answer(f, func(in *sdk.GetBucketWebsiteInput) *string { return in.Bucket }, "NoSuchWebsiteConfiguration",
		&sdk.GetBucketWebsiteOutput{IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}})
	answer(f, func(in *sdk.GetBucketNotificationConfigurationInput) *string { return in.Bucket }, "",
		&sdk.GetBucketNotificationConfigurationOutput{
			EventBridgeConfiguration:     &types.EventBridgeConfiguration{},
			LambdaFunctionConfigurations: []types.LambdaFunctionConfiguration{{LambdaFunctionArn: aws.String("arn:aws:lambda:eu-central-1:111122223333:function:f")}},
			QueueConfigurations:          []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:eu-central-1:111122223333:q")}},
			TopicConfigurations:          []types.TopicConfiguration{{TopicArn: aws.String("arn:aws:sns:eu-central-1:111122223333:t")}},
		})
}

func bucket(name, region string) s3.Bucket {
	return s3.Bucket{
		Resource: model.Resource{Ref: model.Ref{ARN: "arn:aws:s3:::" + name, Account: collecttest.Account, Region: region, Name: name}},
		Detail:   fact.Known(s3.Detail{Owner: canonicalUser}),
	}
}

func wantBuckets() []check.Resource {
	rich := bucket("rich", "eu-central-1")
	rich.Policy = fact.Known(bucketPolicy)
	rich.PublicGrants = fact.Known([]s3.Grant{{Group: s3.AllUsers, Permission: "READ"}})
	rich.Ownership = fact.Known("ObjectWriter")
	rich.PublicAccessBlock = fact.Known(allOn)
	rich.Encryption = fact.Known(s3.Encryption{Algorithm: "aws:kms", Key: keyARN})
	rich.Versioning = fact.Known(s3.Versioning{Status: "Enabled", MFADelete: true})
	rich.LogBucket = fact.Known("logs")
	rich.Lifecycle = fact.Known([]s3.LifecycleRule{{ID: "old", Enabled: true, OldVersions: true}, {ID: "tmp"}})
	rich.ObjectLock = fact.Known(s3.ObjectLock{Enabled: true, Mode: "COMPLIANCE"})
	rich.Replication = fact.Known([]s3.ReplicationRule{{Enabled: true, Destination: "arn:aws:s3:::copy"}})
	rich.Website = fact.Known(true)
	rich.Notifications = fact.Known(s3.Notifications{EventBridge: true, Targets: []string{
		"arn:aws:lambda:eu-central-1:111122223333:function:f", "arn:aws:sqs:eu-central-1:111122223333:q", "arn:aws:sns:eu-central-1:111122223333:t",
	}})

	plain := bucket("plain", "us-east-1")
	plain.Policy, plain.Ownership, plain.LogBucket = fact.Known(""), fact.Known(""), fact.Known("")
	plain.PublicGrants = fact.Known[[]s3.Grant](nil)
	plain.PublicAccessBlock = fact.Known(s3.PublicAccessBlock{})
	plain.Encryption, plain.Versioning = fact.Known(s3.Encryption{}), fact.Known(s3.Versioning{})
	plain.Lifecycle, plain.Replication = fact.Known[[]s3.LifecycleRule](nil), fact.Known[[]s3.ReplicationRule](nil)
	plain.ObjectLock, plain.Website, plain.Notifications = fact.Known(s3.ObjectLock{}), fact.Known(false), fact.Known(s3.Notifications{})
	return []check.Resource{rich, plain}
}

// A gap tells the region where the call failed, which is the bucket's.
func TestGapNamesTheBucketsRegion(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.Deny[sdk.GetBucketPolicyInput](f)
	found := collecttest.Walk(t, collect.Spec(), f)
	var regions []string
	for _, r := range found.Resources {
		if b, ok := r.(s3.Bucket); ok {
			_, gap := b.Policy.Get()
			regions = append(regions, gap.Region)
		}
	}
	slices.Sort(regions)
	if want := []string{"eu-central-1", "us-east-1"}; !slices.Equal(regions, want) {
		t.Errorf("gaps in %v, want %v", regions, want)
	}
}

// Of a listing that breaks off, what was listed is collected.
func TestListingBreaksOff(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	f.Meddle = func(operation string, call int) error {
		if operation == "S3.ListBuckets" && call == 2 {
			return fake.Error("AccessDenied")
		}
		return nil
	}
	found := collecttest.Walk(t, collect.Spec(), f)
	if found.Gaps[s3.Bucket{}.Kind()] == nil {
		t.Error("the listing is called complete")
	}
	if !slices.ContainsFunc(found.Resources, func(r check.Resource) bool { return r.Reference().Name == "rich" }) {
		t.Error("the bucket of the first page is missing")
	}
}

// Emulators list buckets without their regions; AWS never does.
func TestListedWithoutRegion(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.On(f, func(*sdk.ListBucketsInput) (*sdk.ListBucketsOutput, error) {
		return &sdk.ListBucketsOutput{Buckets: []types.Bucket{{Name: aws.String("plain")}}}, nil
	})
	for _, r := range collecttest.Walk(t, collect.Spec(), f).Resources {
		if b, ok := r.(s3.Bucket); ok && b.Region != collecttest.Region {
			t.Errorf("%s is in %q, want the region of the call", b.ARN, b.Region)
		}
	}
}
