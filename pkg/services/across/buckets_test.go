package across_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

func bucketCases() checktest.Table {
	on := func(name string, want check.Status, b s3.Bucket, others ...check.Resource) checktest.Case {
		e := newEstate()
		e.resources()
		return checktest.Case{Name: name, Resource: e.trail, Others: append(others, b), Want: want}
	}
	public := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::log/*"}]}`
	open := func(change func(*s3.Bucket)) s3.Bucket {
		return bucket("log", func(b *s3.Bucket) {
			b.Policy = fact.Known(public)
			if change != nil {
				change(b)
			}
		})
	}
	granted := func(b *s3.Bucket) {
		b.PublicGrants = fact.Known([]s3.Grant{{Group: s3.AllUsers, Permission: "READ"}})
		b.Ownership = fact.Known("ObjectWriter")
	}
	block := func(b s3.PublicAccessBlock) s3.AccountPublicAccessBlock {
		return s3.AccountPublicAccessBlock{Resource: checktest.Ref("s3", "account-public-access-block"), Settings: fact.Known(b)}
	}
	off, all := block(s3.PublicAccessBlock{}), block(s3.PublicAccessBlock{IgnorePublicACLs: true, RestrictPublicBuckets: true})
	foreign := on("of the organization", check.NotApplicable, bucket("log", nil))
	foreign.Resource = organizationTrail()
	other := on("bucket of another account", check.NotApplicable, bucket("shop", nil))
	set := func(name string, want check.Status, change func(*s3.Bucket)) checktest.Case {
		return on(name, want, bucket("log", change))
	}
	return checktest.Table{
		"cloudtrail-bucket-exists": {
			on("own", check.Pass, bucket("log", nil)),
			{Name: "gone", Resource: failing(), Want: check.Fail},
			other, foreign,
		},
		"cloudtrail-bucket-not-public": {
			on("closed", check.Pass, bucket("log", nil), off),
			on("policy", check.Fail, open(nil), off),
			on("policy, blocked by the account", check.Pass, open(nil), all),
			on("policy, blocked by the bucket", check.Pass, open(func(b *s3.Bucket) {
				b.PublicAccessBlock = fact.Known(s3.PublicAccessBlock{RestrictPublicBuckets: true})
			}), off),
			on("ACL", check.Fail, bucket("log", granted), off),
			on("ACL, blocked", check.Pass, bucket("log", granted), all),
			on("ACL disabled", check.Pass, bucket("log", func(b *s3.Bucket) {
				granted(b)
				b.Ownership = fact.Known(s3.OwnerEnforced)
			}), off),
			on("settings of the account unknown", check.NotAssessed, open(nil)),
			on("not a policy", check.NotAssessed, bucket("log", func(b *s3.Bucket) { b.Policy = fact.Known("[]") }), off),
			other, foreign,
		},
		"cloudtrail-bucket-access-logging": {
			set("logged", check.Pass, func(b *s3.Bucket) { b.LogBucket = fact.Known("access") }),
			set("not", check.Fail, nil),
			other, foreign,
		},
		"cloudtrail-bucket-object-lock": {
			set("locked", check.Pass, func(b *s3.Bucket) { b.ObjectLock = fact.Known(s3.ObjectLock{Enabled: true}) }),
			set("not", check.Fail, nil),
			other, foreign,
		},
		"cloudtrail-bucket-mfa-delete": {
			set("asks", check.Pass, func(b *s3.Bucket) { b.Versioning = fact.Known(s3.Versioning{Status: "Enabled", MFADelete: true}) }),
			set("not", check.Fail, nil),
			other, foreign,
		},
	}
}

func organizationTrail() cloudtrail.Trail {
	e := newEstate()
	ofOrganization(e)
	e.resources()
	return e.trail
}

func failing() cloudtrail.Trail {
	e := newEstate()
	e.status.DeliveryError = "NoSuchBucket"
	e.resources()
	return e.trail
}
