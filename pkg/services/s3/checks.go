package s3

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	account := check.Using[AccountPublicAccessBlock]()
	return []check.Rule{
		check.For("s3-account-public-access-block", model.High, accountBlock),
		check.Across("s3-bucket-public-access-block", model.Medium, bucketBlock, account),
		check.For("s3-multi-region-access-point-public-access-block", model.High, accessPointBlock),

		check.Across("s3-bucket-policy-not-public", model.Critical, policyNotPublic, account),
		check.Across("s3-bucket-policy-no-public-write", model.Critical, policyNoPublicWrite, account).CausedBy("s3-bucket-policy-not-public"),
		check.For("s3-bucket-policy-no-other-accounts", model.Medium, policyNoOtherAccounts),
		check.For("s3-bucket-policy-services-scoped", model.Low, policyServicesScoped),
		check.For("s3-bucket-tls-only", model.Medium, tlsOnly),

		check.Across("s3-bucket-acl-not-public", model.Critical, aclKeepsOut(AllUsers, "READ", "WRITE", "READ_ACP", "WRITE_ACP"), account),
		check.Across("s3-bucket-acl-no-authenticated-users", model.High, aclKeepsOut(AuthenticatedUsers, "READ", "WRITE", "READ_ACP", "WRITE_ACP"), account).CausedBy("s3-bucket-acl-not-public"),
		check.Across("s3-bucket-acl-no-public-list", model.Critical, aclKeepsOut("", "READ"), account).CausedBy("s3-bucket-acl-not-public"),
		check.Across("s3-bucket-acl-no-public-write", model.Critical, aclKeepsOut("", "WRITE", "WRITE_ACP"), account).CausedBy("s3-bucket-acl-not-public"),
		check.For("s3-bucket-acl-disabled", model.Medium, aclDisabled),

		check.For("s3-bucket-default-encryption", model.Medium, defaultEncryption),
		check.For("s3-bucket-kms-encryption", model.Low, kmsEncryption),
		check.For("s3-bucket-versioning", model.Medium, versioning),
		check.For("s3-bucket-mfa-delete", model.Low, mfaDelete),
		check.For("s3-bucket-object-lock", model.Low, objectLock).OnlyIfAsked("few buckets are archives"),
		check.Across("s3-bucket-cross-region-replication", model.Low, crossRegionReplication, check.Using[Bucket]()).OnlyIfAsked("few buckets need a copy in another region"),

		check.For("s3-bucket-access-log", model.Medium, accessLog),
		check.For("s3-bucket-event-notifications", model.Low, eventNotifications).OnlyIfAsked("few buckets need to tell of changes"),
		check.For("s3-bucket-lifecycle", model.Low, lifecycle),
		check.For("s3-bucket-lifecycle-old-versions", model.Low, lifecycleOldVersions),
		check.For("s3-bucket-no-website", model.Medium, noWebsite),
	}
}

func defaultEncryption(e *check.Evidence, b Bucket) check.Verdict {
	algorithm := check.Read(e, b.Encryption).Algorithm
	return check.Must(algorithm != "", "new objects are encrypted with "+algorithm, "no default encryption is set")
}

func kmsEncryption(e *check.Evidence, b Bucket) check.Verdict {
	encryption := check.Read(e, b.Encryption)
	switch {
	case !strings.HasPrefix(encryption.Algorithm, "aws:kms"):
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

func mfaDelete(e *check.Evidence, b Bucket) check.Verdict {
	// https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-s3.html
	if b.Partition() == "aws-us-gov" {
		return check.Inapplicable("GovCloud has no MFA delete")
	}
	v := check.Read(e, b.Versioning)
	if v.Status != "Enabled" {
		return check.Failed("versioning is not on, without which MFA delete protects nothing")
	}
	return check.Must(v.MFADelete, "MFA delete is on", "MFA delete is off")
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
	target := check.Read(e, b.LogBucket)
	return check.Must(target != "", "access is logged to bucket "+target, "access is not logged")
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

func lifecycle(e *check.Evidence, b Bucket) check.Verdict {
	rules := check.Read(e, b.Lifecycle)
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
