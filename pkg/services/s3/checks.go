package s3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	account := check.Using[AccountPublicAccessBlock]()
	return append(accessPointRules(), []check.Rule{
		check.For("s3-account-public-access-block", model.High, accountBlock),
		check.Across("s3-bucket-public-access-block", model.High, bucketBlock, account),

		check.Across("s3-bucket-policy-not-public", model.Critical, PolicyNotPublic, account),
		check.Across("s3-bucket-policy-no-public-write", model.Critical, policyNoPublicWrite, account).CausedBy("s3-bucket-policy-not-public"),
		check.Across("s3-bucket-policy-no-other-accounts", model.Medium, policyNoOtherAccounts, account, check.Using[policyrule.Zone]()),
		check.For("s3-bucket-policy-services-scoped", model.Low, policyServicesScoped),
		check.For("s3-bucket-tls-only", model.Medium, tlsOnly),

		check.Across("s3-bucket-acl-not-public", model.Critical, aclKeepsOut(AllUsers, "READ", "WRITE", "READ_ACP", "WRITE_ACP"), account),
		check.Across("s3-bucket-acl-no-authenticated-users", model.High, aclKeepsOut(AuthenticatedUsers, "READ", "WRITE", "READ_ACP", "WRITE_ACP"), account).CausedBy("s3-bucket-acl-not-public", "s3-bucket-acl-no-public-write", "s3-bucket-acl-no-public-list"),
		check.Across("s3-bucket-acl-no-public-list", model.Critical, aclKeepsOut("", "READ"), account).CausedBy("s3-bucket-acl-not-public", "s3-bucket-acl-no-public-write"),
		check.Across("s3-bucket-acl-no-public-write", model.Critical, aclKeepsOut("", "WRITE", "WRITE_ACP"), account).CausedBy("s3-bucket-acl-not-public"),
		check.For("s3-bucket-acl-disabled", model.Medium, aclDisabled),

		check.For("s3-bucket-customer-keys-refused", model.Medium, customerKeysRefused),
		check.Across("s3-bucket-kms-encryption", model.Low, kmsEncryption, check.Using[Bucket]()),
		check.For("s3-bucket-versioning", model.Medium, versioning),
		check.For("s3-bucket-mfa-delete", model.Low, MFADelete).Except(NoMFADelete),
		check.For("s3-bucket-object-lock", model.Low, objectLock).OnlyIfAsked("few buckets are archives"),
		check.Across("s3-bucket-cross-region-replication", model.Low, crossRegionReplication, check.Using[Bucket]()).OnlyIfAsked("few buckets need a copy in another region"),

		check.Across("s3-bucket-access-log", model.Medium, accessLog, check.Using[Bucket]()),
		check.For("s3-bucket-event-notifications", model.Low, eventNotifications).OnlyIfAsked("few buckets need to tell of changes"),
		check.For("s3-bucket-lifecycle", model.Low, lifecycle),
		check.For("s3-bucket-lifecycle-old-versions", model.Low, lifecycleOldVersions),
		check.For("s3-bucket-no-website", model.Medium, noWebsite),
	}...)
}

// customerKeysRefused asks that nobody stores objects under keys that requests bring along
// (SSE-C). Since April 2026 S3 blocks them for new buckets, and for all buckets of accounts
// that had no such object; the others were left as they were.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-s3-c-encryption-setting-faq.html (2026-11)
func customerKeysRefused(e *check.Evidence, b Bucket) check.Verdict {
	blocked := check.Read(e, b.Encryption).Blocked
	if slices.Contains(blocked, "SSE-C") {
		return check.Passed("keys of customers (SSE-C) are blocked")
	}
	if document := check.Read(e, b.Policy); document != "" && policyrule.Parse(document, policyOperation).RefusesCustomerKeys(b.ARN+"/*") {
		return check.Passed("the policy denies keys of customers (SSE-C)")
	}
	for _, encryption := range blocked {
		if encryption != "NONE" {
			return check.Unfamiliar("blocked encryption", encryption)
		}
	}
	if len(blocked) == 0 {
		return check.Unassessed(fact.Gap{
			Reason: fact.Failed, Operation: "s3:GetBucketEncryption", Region: b.Region, Detail: "AWS does not tell whether keys of customers (SSE-C) are blocked",
		})
	}
	return check.Failed("objects may be stored under keys of customers (SSE-C)")
}

func kmsEncryption(e *check.Evidence, b Bucket) check.Verdict {
	encryption := check.Read(e, b.Encryption)
	switch {
	case !strings.HasPrefix(encryption.Algorithm, "aws:kms"):
		if from, ok := receivesLogs(e, b); ok {
			return check.Inapplicable("the bucket receives the access logs of " + from + ", which cannot be encrypted under a KMS key")
		}
		return check.Failed("new objects are not encrypted under a KMS key")
	case encryption.Key == "":
		return check.Passed("new objects are encrypted under the KMS key aws/s3")
	default:
		return check.Passed("new objects are encrypted under the KMS key " + encryption.Key)
	}
}

func versioning(e *check.Evidence, b Bucket) check.Verdict {
	switch status := check.Read(e, b.Versioning).Status; status {
	case "Enabled":
		return check.Passed("versioning is on")
	case "":
		return check.Failed("versioning is off")
	default:
		return check.Failed("versioning is " + strings.ToLower(status))
	}
}

// NoMFADelete is where S3 has no MFA delete.
var NoMFADelete = check.Exclusion{
	Partitions: []string{"aws-us-gov"}, Reason: "GovCloud has no MFA delete",
	Source: "https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-s3.html", Date: "2026-11-29",
}

// MFADelete asks that versions of a bucket cannot be deleted without MFA.
func MFADelete(e *check.Evidence, b Bucket) check.Verdict {
	v := check.Read(e, b.Versioning)
	switch {
	case v.Status == "Enabled" && v.MFADelete:
		return check.Passed("MFA delete is on")
	case len(check.Read(e, b.Lifecycle)) > 0:
		return check.Inapplicable("the bucket has lifecycle rules, with which S3 allows no MFA delete")
	case v.Status != "Enabled":
		return check.Failed("versioning is not on, without which MFA delete protects nothing")
	default:
		return check.Failed("MFA delete is off")
	}
}

func objectLock(e *check.Evidence, b Bucket) check.Verdict {
	switch lock := check.Read(e, b.ObjectLock); {
	case !lock.Enabled:
		return check.Failed("object lock is off")
	case lock.Mode == "":
		return check.Passed("object lock is on, with no default retention")
	default:
		return check.Passed("object lock is on, with default retention in mode " + lock.Mode)
	}
}

func crossRegionReplication(e *check.Evidence, b Bucket) check.Verdict {
	failure := "nothing is replicated"
	for _, rule := range check.Read(e, b.Replication) {
		if !rule.Enabled {
			continue
		}
		switch region := regionOf(e, rule.Destination); region {
		case b.Region:
			failure = "objects are replicated within " + b.Region + " only"
		case "":
			return check.Passed("objects are replicated to " + rule.Destination + ", a bucket of another account")
		default:
			return check.Passed("objects are replicated to " + rule.Destination + " in " + region)
		}
	}
	return check.Failed(failure)
}

// regionOf is the region of a bucket of the account, and empty for a bucket of
// another account.
func regionOf(e *check.Evidence, arn string) string {
	buckets, gaps := byARN.Some(e, arn)
	if len(buckets) > 0 {
		return buckets[0].Region
	}
	if len(gaps) > 0 {
		check.Stop(gaps...) // it may be one that was not listed
	}
	return ""
}

var byARN = check.NewIndex(check.ARN[Bucket])

func accessLog(e *check.Evidence, b Bucket) check.Verdict {
	if target := check.Read(e, b.LogBucket); target != "" {
		return check.Passed("access is logged to bucket " + target)
	}
	if from := logsFrom(e, b); from != "" {
		return check.Inapplicable("the bucket receives the access logs of " + from + "; to log its own there would never end")
	}
	return check.Failed("access is not logged")
}

// byLogBucket are the buckets that log to another one of the account.
var byLogBucket = check.NewIndex(func(e *check.Evidence, b Bucket) []string { return []string{check.Read(e, b.LogBucket)} })

// logsFrom names the buckets of which another receives the server access logs. Where
// some may be hidden the rule ends here, as NOT_ASSESSED.
// https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-9 (2026-11)
func logsFrom(e *check.Evidence, b Bucket) string {
	sources, gaps := byLogBucket.SomeIn(e, b.Region, b.Name)
	var names []string
	for _, source := range sources {
		if source.Name != b.Name {
			names = append(names, source.Name)
		}
	}
	if len(names) == 0 && len(gaps) > 0 {
		check.Stop(gaps...)
	}
	return check.List(names)
}

// receivesLogs reports whether a bucket receives logs that AWS delivers to no bucket
// with a KMS key by default, and whose.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#server-access-logging-overview
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func receivesLogs(e *check.Evidence, b Bucket) (from string, ok bool) {
	if document := check.Read(e, b.Policy); document != "" {
		const balancers = "Elastic Load Balancing"
		if slices.Contains(policyrule.Parse(document, "s3:GetBucketPolicy").LetsIn(), balancers) {
			return balancers, true
		}
	}
	if check.Read(e, b.LogBucket) == b.Name {
		return "itself", true
	}
	from = logsFrom(e, b)
	return from, from != ""
}

func eventNotifications(e *check.Evidence, b Bucket) check.Verdict {
	n := check.Read(e, b.Notifications)
	switch {
	case n.EventBridge:
		return check.Passed("events go to EventBridge")
	case len(n.Targets) > 0:
		return check.Passed("events go to " + check.List(n.Targets))
	default:
		return check.Failed("nobody is notified of changes")
	}
}

// noLifecycle is the verdict on buckets that S3 lets have no lifecycle rule.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html
var noLifecycle = check.Inapplicable("MFA delete is on, with which S3 allows no lifecycle rule")

func lifecycle(e *check.Evidence, b Bucket) check.Verdict {
	rules := check.Read(e, b.Lifecycle)
	if len(rules) == 0 && check.Read(e, b.Versioning).MFADelete {
		return noLifecycle
	}
	for _, rule := range rules {
		if rule.Enabled {
			return check.Passed(fmt.Sprintf("lifecycle rule %q is in force", rule.ID))
		}
	}
	if len(rules) > 0 {
		return check.Failed("all lifecycle rules are disabled")
	}
	return check.Failed("there is no lifecycle rule")
}

func lifecycleOldVersions(e *check.Evidence, b Bucket) check.Verdict {
	if check.Read(e, b.Versioning).Status == "" {
		return check.Inapplicable("the bucket never had versions")
	}
	rules := check.Read(e, b.Lifecycle)
	if len(rules) == 0 && check.Read(e, b.Versioning).MFADelete {
		return noLifecycle
	}
	for _, rule := range rules {
		if rule.Enabled && rule.OldVersions {
			return check.Passed(fmt.Sprintf("lifecycle rule %q takes care of old versions", rule.ID))
		}
	}
	return check.Failed("no lifecycle rule moves or deletes old versions")
}

func noWebsite(e *check.Evidence, b Bucket) check.Verdict {
	return check.Must(!check.Read(e, b.Website), "the bucket is not a website", "the bucket is served as a website")
}
