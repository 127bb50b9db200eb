package across

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// bucketRules are on the buckets that trails deliver to.
func bucketRules() []check.Rule {
	bucket, block := check.Using[s3.Bucket](), check.Using[s3.AccountPublicAccessBlock]()
	return []check.Rule{
		check.Across("cloudtrail-bucket-exists", model.High, bucketExists, bucket),
		check.Across("cloudtrail-bucket-not-public", model.Critical, onBucket(bucketNotPublic), bucket, block),
		check.Across("cloudtrail-bucket-access-logging", model.Low, onBucket(bucketLogged), bucket),
		check.Across("cloudtrail-bucket-object-lock", model.Low, onBucket(bucketLocked), bucket),
		check.Across("cloudtrail-bucket-mfa-delete", model.Low, onBucket(bucketMFADelete), bucket),
	}
}

// ownBucket is the trail's bucket if it is of this account.
func ownBucket(e *check.Evidence, name string) (s3.Bucket, bool) {
	buckets := bucketsNamed.All(e, name)
	if len(buckets) == 0 {
		return s3.Bucket{}, false
	}
	return buckets[0], true
}

var bucketsNamed = check.NewIndex(check.Name[s3.Bucket])

func foreignTrail(t cloudtrail.Trail) check.Verdict {
	return check.Inapplicable("the trail belongs to account " + t.Owner() + ", which is where it is judged")
}

func bucketExists(e *check.Evidence, t cloudtrail.Trail) check.Verdict {
	name := check.Read(e, t.Detail).Bucket
	if t.Owner() != t.Account {
		return foreignTrail(t)
	}
	if _, ok := ownBucket(e, name); ok {
		return check.Passed("bucket " + name + " is of the account")
	}
	// The name of a bucket that was deleted is free for anybody to take.
	if problem := check.Read(e, t.Status).DeliveryError; problem != "" {
		return check.Failed("bucket " + name + " is not of the account and refuses log files: " + problem)
	}
	return check.Inapplicable("bucket " + name + " is of another account")
}

// onBucket is a rule on the bucket of a trail, where both are of the account.
func onBucket(judge func(*check.Evidence, s3.Bucket) check.Verdict) func(*check.Evidence, cloudtrail.Trail) check.Verdict {
	return func(e *check.Evidence, t cloudtrail.Trail) check.Verdict {
		name := check.Read(e, t.Detail).Bucket
		if t.Owner() != t.Account {
			return foreignTrail(t)
		}
		b, ok := ownBucket(e, name)
		if !ok {
			return check.Inapplicable("bucket " + name + " is not of this account")
		}
		return judge(e, b)
	}
}

func bucketLogged(e *check.Evidence, b s3.Bucket) check.Verdict {
	target := check.Read(e, b.LogBucket)
	return check.Must(target != "", "access to bucket "+b.Name+" is logged to "+target, "access to bucket "+b.Name+" is not logged")
}

func bucketLocked(e *check.Evidence, b s3.Bucket) check.Verdict {
	return check.Must(check.Read(e, b.ObjectLock).Enabled, "bucket "+b.Name+" has object lock", "bucket "+b.Name+" has no object lock")
}

func bucketMFADelete(e *check.Evidence, b s3.Bucket) check.Verdict {
	return check.Must(check.Read(e, b.Versioning).MFADelete,
		"bucket "+b.Name+" asks for MFA to delete", "bucket "+b.Name+" does not ask for MFA to delete")
}

// bucketNotPublic looks at policy and ACL, and where one of them is open at the
// settings of block public access that close it again.
func bucketNotPublic(e *check.Evidence, b s3.Bucket) check.Verdict {
	opens, verdict := publicPolicy(e, b)
	if verdict != nil {
		return *verdict
	}
	grants := check.Read(e, b.PublicGrants)
	granted := len(grants) > 0 && check.Read(e, b.Ownership) != s3.OwnerEnforced
	if opens == "" && !granted {
		return check.Passed("neither policy nor ACL of bucket " + b.Name + " let everybody in")
	}
	block := effectiveBlock(e, b)
	switch {
	case opens != "" && !block.RestrictPublicBuckets:
		return check.Failed("the policy of bucket " + b.Name + " lets everybody in: " + opens)
	case granted && !block.IgnorePublicACLs:
		return check.Failed(fmt.Sprintf("the ACL of bucket %s grants %s to everybody", b.Name, grants[0].Permission))
	default:
		return check.Passed("block public access closes bucket " + b.Name)
	}
}

// publicPolicy is the statement by which the policy lets everybody in.
func publicPolicy(e *check.Evidence, b s3.Bucket) (statement string, unreadable *check.Verdict) {
	document := check.Read(e, b.Policy)
	if document == "" {
		return "", nil
	}
	policy, err := iampolicy.ParseResource(document)
	if err != nil {
		return "", new(check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "s3:GetBucketPolicy", Detail: err.Error()}))
	}
	for _, grant := range policy.Evaluate(iampolicy.Options{Account: b.Account, Partition: b.Partition()}).At(iampolicy.Public) {
		return grant.Statement + ", " + check.List(grant.Actions), nil
	}
	return "", nil
}

// effectiveBlock is block public access of the bucket and the account together.
func effectiveBlock(e *check.Evidence, b s3.Bucket) s3.PublicAccessBlock {
	block := check.Read(e, b.PublicAccessBlock)
	accounts := check.All[s3.AccountPublicAccessBlock](e)
	for _, a := range accounts {
		of := check.Read(e, a.Settings)
		block.IgnorePublicACLs = block.IgnorePublicACLs || of.IgnorePublicACLs
		block.RestrictPublicBuckets = block.RestrictPublicBuckets || of.RestrictPublicBuckets
	}
	if len(accounts) == 0 {
		// Every account has the settings; a snapshot without them does not tell.
		check.Read(e, fact.Missing[s3.PublicAccessBlock](fact.NotCollected, "s3:GetAccountPublicAccessBlock"))
	}
	return block
}
