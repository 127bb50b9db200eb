package s3_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

const accountID = "111122223333"

var (
	allOn = s3.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}
	off   = s3.PublicAccessBlock{}
)

// bucket is a bucket as AWS makes it, changed as a case needs.
// logging is a bucket of another name that logs to the one named.
func logging(to string) s3.Bucket {
	b := bucket(func(b *s3.Bucket) { b.LogBucket = fact.Known(to) })
	b.ARN, b.Name = "arn:aws:s3:::source", "source"
	return b
}

func bucket(change func(*s3.Bucket)) s3.Bucket {
	b := s3.Bucket{
		Resource:          model.Resource{Ref: model.Ref{ARN: "arn:aws:s3:::papers", Account: accountID, Region: "eu-west-1", Name: "papers"}},
		Detail:            fact.Known(s3.Detail{Owner: "79a5"}),
		Policy:            fact.Known(""),
		PublicGrants:      fact.Known[[]s3.Grant](nil),
		Ownership:         fact.Known(s3.OwnerEnforced),
		PublicAccessBlock: fact.Known(allOn),
		Encryption:        fact.Known(s3.Encryption{Algorithm: "AES256"}),
		Versioning:        fact.Known(s3.Versioning{}),
		LogBucket:         fact.Known(""),
		Lifecycle:         fact.Known[[]s3.LifecycleRule](nil),
		ObjectLock:        fact.Known(s3.ObjectLock{}),
		Replication:       fact.Known[[]s3.ReplicationRule](nil),
		Website:           fact.Known(false),
		Notifications:     fact.Known(s3.Notifications{}),
	}
	if change != nil {
		change(&b)
	}
	return b
}

func account(settings fact.Of[s3.PublicAccessBlock]) []check.Resource {
	return []check.Resource{s3.AccountPublicAccessBlock{
		Resource: model.Resource{Ref: model.Ref{ARN: "arn:aws:s3::111122223333:account-public-access-block", Account: accountID, Region: model.Global}},
		Settings: settings,
	}}
}

var (
	blockDenied  = fact.Missing[s3.PublicAccessBlock](fact.Denied, "s3:GetBucketPublicAccessBlock")
	accountOff   = account(fact.Known(off))
	accountOn    = account(fact.Known(allOn))
	accountBlind = account(fact.Missing[s3.PublicAccessBlock](fact.Denied, "s3:GetAccountPublicAccessBlock"))
)

func TestChecks(t *testing.T) {
	t.Parallel()
	table := checktest.Table{}
	for _, part := range []checktest.Table{blockCases(), accessPointCases(), policyCases(), aclCases(), storageCases(), operationCases()} {
		maps.Copy(table, part)
	}
	checktest.Run(t, s3.Service(), table, policytest.Zones())
}

func storageCases() checktest.Table {
	expires := s3.LifecycleRule{ID: "tmp", Enabled: true}
	ruled := func(status string, rules ...s3.LifecycleRule) s3.Bucket {
		return bucket(func(b *s3.Bucket) {
			b.Versioning, b.Lifecycle = fact.Known(s3.Versioning{Status: status}), fact.Known(rules)
		})
	}
	delivered := func(statement string) s3.Bucket {
		return bucket(func(b *s3.Bucket) {
			b.Policy = fact.Known(`{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(statement, "}") + `},"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::papers/*"}]}`)
		})
	}
	encrypted := func(algorithm, key string) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Encryption = fact.Known(s3.Encryption{Algorithm: algorithm, Key: key}) })
	}
	blocking := func(policy string, types ...string) s3.Bucket {
		return bucket(func(b *s3.Bucket) {
			b.Policy, b.Encryption = fact.Known(policy), fact.Known(s3.Encryption{Algorithm: "AES256", Blocked: types})
		})
	}
	const refusing = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::papers/*","Condition":{"Null":{"s3:x-amz-server-side-encryption-customer-algorithm":"false"}}}]}`
	versions := func(status string, mfa bool) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Versioning = fact.Known(s3.Versioning{Status: status, MFADelete: mfa}) })
	}
	lock := func(l s3.ObjectLock) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.ObjectLock = fact.Known(l) })
	}
	replicates := func(rules ...s3.ReplicationRule) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Replication = fact.Known(rules) })
	}
	near := s3.ReplicationRule{Enabled: true, Destination: "arn:aws:s3:::near"}
	far := s3.ReplicationRule{Enabled: true, Destination: "arn:aws:s3:::far"}
	named := func(name, region string) check.Resource {
		return bucket(func(b *s3.Bucket) { b.ARN, b.Name, b.Region = "arn:aws:s3:::"+name, name, region })
	}
	others := []check.Resource{named("near", "eu-west-1"), named("far", "eu-central-1")}
	return checktest.Table{
		"s3-bucket-customer-keys-refused": {
			{Name: "blocked", Resource: blocking("", "SSE-C"), Want: check.Pass},
			{Name: "blocked, and more", Resource: blocking("", "SSE-X", "SSE-C"), Want: check.Pass},
			{Name: "allowed", Resource: blocking("", "NONE"), Want: check.Fail},
			{Name: "allowed, denied by the policy", Resource: blocking(refusing, "NONE"), Want: check.Pass},
			{Name: "allowed, denied to one", Resource: blocking(strings.Replace(refusing, `"*"`, `{"AWS":"444455556666"}`, 1), "NONE"), Want: check.Fail},
			{Name: "AWS does not tell", Resource: blocking(""), Want: check.NotAssessed},
			{Name: "AWS does not tell, denied by the policy", Resource: blocking(refusing), Want: check.Pass},
			{Name: "a word of tomorrow", Resource: blocking("", "SSE-X"), Want: check.NotAssessed},
		},
		"s3-bucket-kms-encryption": {
			{Name: "customer key", Resource: encrypted("aws:kms", "key"), Want: check.Pass},
			{Name: "AWS's key", Resource: encrypted("aws:kms", ""), Want: check.Pass},
			{Name: "two layers", Resource: encrypted("aws:kms:dsse", "key"), Want: check.Pass},
			{Name: "by S3", Resource: encrypted("AES256", ""), Want: check.Fail},
			{Name: "by S3, for access logs of another bucket", Resource: encrypted("AES256", ""), Others: []check.Resource{logging("papers")}, Want: check.NotApplicable, Reports: []string{"DataBiosphere/azul#4717"}},
			{Name: "by S3, for a load balancer's logs", Resource: delivered(`{"Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"}`), Want: check.NotApplicable},
			{Name: "by S3, for the logs of an older load balancer", Resource: delivered(`{"Principal":{"AWS":"arn:aws:iam::127311923021:root"}`), Want: check.NotApplicable},
			{Name: "by S3, for somebody else", Resource: delivered(`{"Principal":{"AWS":"arn:aws:iam::444455556666:root"}`), Want: check.Fail},
			{Name: "none", Resource: encrypted("", ""), Want: check.Fail},
		},
		"s3-bucket-versioning": {
			{Name: "on", Resource: versions("Enabled", false), Want: check.Pass},
			{Name: "never on", Resource: versions("", false), Want: check.Fail},
			{Name: "suspended", Resource: versions("Suspended", false), Want: check.Fail},
		},
		"s3-bucket-mfa-delete": {
			{Name: "on", Resource: versions("Enabled", true), Want: check.Pass},
			{Name: "off", Resource: versions("Enabled", false), Want: check.Fail},
			{Name: "no versions", Resource: versions("", false), Want: check.Fail},
			{Name: "with lifecycle rules", Resource: ruled("Enabled", expires), Want: check.NotApplicable, Reports: []string{"Checkmarx/kics#4576", "cloudposse/terraform-aws-s3-log-storage#54"}},
			{Name: "suspended", Resource: versions("Suspended", true), Want: check.Fail},
			{Name: "GovCloud", Resource: bucket(func(b *s3.Bucket) { b.ARN = "arn:aws-us-gov:s3:::papers" }), Want: check.NotApplicable},
		},
		"s3-bucket-object-lock": {
			{Name: "with retention", Resource: lock(s3.ObjectLock{Enabled: true, Mode: "COMPLIANCE"}), Want: check.Pass},
			{Name: "without retention", Resource: lock(s3.ObjectLock{Enabled: true}), Want: check.Pass},
			{Name: "off", Resource: bucket(nil), Want: check.Fail},
		},
		"s3-bucket-cross-region-replication": {
			{Name: "to another region", Resource: replicates(far), Others: others, Want: check.Pass},
			{Name: "to this and another region", Resource: replicates(near, far), Others: others, Want: check.Pass},
			{Name: "to another account", Resource: replicates(far), Want: check.Pass},
			{Name: "within the region", Resource: replicates(near), Others: others, Want: check.Fail},
			{Name: "rule disabled", Resource: replicates(s3.ReplicationRule{Destination: far.Destination}), Others: others, Want: check.Fail},
			{Name: "nowhere", Resource: bucket(nil), Want: check.Fail},
		},
	}
}

func operationCases() checktest.Table {
	notifies := func(n s3.Notifications) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Notifications = fact.Known(n) })
	}
	ruled := func(status string, rules ...s3.LifecycleRule) s3.Bucket {
		return bucket(func(b *s3.Bucket) {
			b.Versioning, b.Lifecycle = fact.Known(s3.Versioning{Status: status}), fact.Known(rules)
		})
	}
	expires := s3.LifecycleRule{ID: "tmp", Enabled: true}
	expiresOld := s3.LifecycleRule{ID: "old", Enabled: true, OldVersions: true}
	disabled := s3.LifecycleRule{ID: "off", OldVersions: true}
	versions := func(status string, mfa bool) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Versioning = fact.Known(s3.Versioning{Status: status, MFADelete: mfa}) })
	}
	return checktest.Table{
		"s3-bucket-access-log": {
			{Name: "logged", Resource: bucket(func(b *s3.Bucket) { b.LogBucket = fact.Known("logs") }), Want: check.Pass},
			{Name: "not logged", Resource: bucket(nil), Want: check.Fail},
			{Name: "for the logs of another", Resource: bucket(nil), Others: []check.Resource{logging("papers")}, Want: check.NotApplicable, Reports: []string{"prowler-cloud/prowler#506", "DataBiosphere/azul#4717", "DataDog/datadog-serverless-functions#764"}},
			{Name: "others log elsewhere", Resource: bucket(nil), Others: []check.Resource{logging("logs")}, Want: check.Fail},
		},
		"s3-bucket-event-notifications": {
			{Name: "to EventBridge", Resource: notifies(s3.Notifications{EventBridge: true}), Want: check.Pass},
			{Name: "to a queue", Resource: notifies(s3.Notifications{Targets: []string{"arn:aws:sqs:eu-west-1:111122223333:q"}}), Want: check.Pass},
			{Name: "to nobody", Resource: bucket(nil), Want: check.Fail},
		},
		"s3-bucket-lifecycle": {
			{Name: "a rule", Resource: ruled("", disabled, expires), Want: check.Pass},
			{Name: "disabled rule", Resource: ruled("", disabled), Want: check.Fail},
			{Name: "no rule", Resource: bucket(nil), Want: check.Fail},
			{Name: "MFA delete allows none", Resource: versions("Enabled", true), Want: check.NotApplicable, Reports: []string{"Checkmarx/kics#4576"}},
		},
		"s3-bucket-lifecycle-old-versions": {
			{Name: "expired", Resource: ruled("Enabled", expires, expiresOld), Want: check.Pass},
			{Name: "only current ones", Resource: ruled("Enabled", expires, disabled), Want: check.Fail},
			{Name: "MFA delete allows none", Resource: versions("Enabled", true), Want: check.NotApplicable},
			{Name: "suspended, not expired", Resource: ruled("Suspended"), Want: check.Fail},
			{Name: "no versions", Resource: ruled(""), Want: check.NotApplicable},
		},
		"s3-bucket-no-website": {
			{Name: "no website", Resource: bucket(nil), Want: check.Pass},
			{Name: "website", Resource: bucket(func(b *s3.Bucket) { b.Website = fact.Known(true) }), Want: check.Fail},
		},
	}
}
