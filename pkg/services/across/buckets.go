package across

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
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
		check.Across("cloudtrail-bucket-mfa-delete", model.Low, onBucket(bucketMFADelete), bucket).Except(s3.NoMFADelete),
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
	v := s3.MFADelete(e, b)
	v.Reason = "bucket " + b.Name + ": " + v.Reason
	return v
}

// bucketNotPublic asks of policy and ACL what S3's own checks ask.
func bucketNotPublic(e *check.Evidence, b s3.Bucket) check.Verdict {
	for _, ask := range []func(*check.Evidence, s3.Bucket) check.Verdict{s3.PolicyNotPublic, s3.ACLNotPublic} {
		if v := ask(e, b); v.Status == check.Fail {
			return check.Failed("bucket " + b.Name + ": " + v.Reason)
		}
	}
	return check.Passed("neither policy nor ACL of bucket " + b.Name + " let everybody in")
}
