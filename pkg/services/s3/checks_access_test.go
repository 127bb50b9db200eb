package s3_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

func blockCases() checktest.Table {
	blocks := func(block fact.Of[s3.PublicAccessBlock]) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.PublicAccessBlock = block })
	}
	acls := s3.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true}
	policies := s3.PublicAccessBlock{BlockPublicPolicy: true, RestrictPublicBuckets: true}
	return checktest.Table{
		"s3-account-public-access-block": {
			{Name: "on", Resource: accountOn[0], Want: check.Pass},
			{Name: "off", Resource: accountOff[0], Want: check.Fail},
			{Name: "in part", Resource: account(fact.Known(acls))[0], Want: check.Fail},
		},
		"s3-bucket-public-access-block": {
			{Name: "on in the bucket", Resource: blocks(fact.Known(allOn)), Others: accountOff, Want: check.Pass},
			{Name: "on in the bucket, account unknown", Resource: blocks(fact.Known(allOn)), Others: accountBlind, Want: check.Pass},
			{Name: "on in the account", Resource: blocks(fact.Known(off)), Others: accountOn, Want: check.Pass},
			{Name: "on in the account, bucket unknown", Resource: blocks(blockDenied), Others: accountOn, Want: check.Pass},
			{Name: "half in the bucket, half in the account", Resource: blocks(fact.Known(acls)), Others: account(fact.Known(policies)), Want: check.Pass},
			{Name: "off in both", Resource: blocks(fact.Known(off)), Others: accountOff, Want: check.Fail},
			{Name: "half in both", Resource: blocks(fact.Known(acls)), Others: account(fact.Known(acls)), Want: check.Fail},
			{Name: "off in the bucket, account unknown", Resource: blocks(fact.Known(off)), Others: accountBlind, Want: check.NotAssessed},
			{Name: "off in the account, bucket unknown", Resource: blocks(blockDenied), Others: accountOff, Want: check.NotAssessed},
			{Name: "off in the bucket, account not collected", Resource: blocks(fact.Known(off)), Want: check.NotAssessed},
		},
	}
}

// statement is a policy of one statement on all of the bucket.
func statement(format string, args ...any) string {
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Sid": "It", "Resource": ["arn:aws:s3:::papers", "arn:aws:s3:::papers/*"], %s}]}`,
		fmt.Sprintf(format, args...))
}

func allow(principal, action, more string) string {
	return statement(`"Effect": "Allow", "Principal": %s, "Action": %q%s`, principal, action, more)
}

const plainHTTP = `"Condition": {"Bool": {"aws:SecureTransport": "false"}}`

// withPolicy is a bucket whose block public access is off.
func withPolicy(document string) s3.Bucket {
	return bucket(func(b *s3.Bucket) { b.Policy, b.PublicAccessBlock = fact.Known(document), fact.Known(off) })
}

func policyCases() checktest.Table {
	public, publicWrite := allow(`"*"`, "s3:GetObject", ""), allow(`{"AWS": "*"}`, "s3:*", "")
	own := allow(`{"AWS": "arn:aws:iam::111122223333:role/app"}`, "s3:*", "")
	foreign := allow(`{"AWS": "arn:aws:iam::444455556666:root"}`, "s3:GetObject", "")
	organization := allow(`"*"`, "s3:GetObject", `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-zyxwv98765"}}`)
	trail := `{"Service": "cloudtrail.amazonaws.com"}`
	guarded := func(document string, block fact.Of[s3.PublicAccessBlock]) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Policy, b.PublicAccessBlock = fact.Known(document), block })
	}
	var ranges []string
	for i := range 128 {
		ranges = append(ranges, fmt.Sprintf(`"%d.0.0.0/8"`, 64+i))
	}
	from := func(ranges string) string {
		return allow(`"*"`, "s3:GetObject", `, "Condition": {"IpAddress": {"aws:SourceIp": [`+ranges+`]}}`)
	}
	half, wide := from(strings.Join(ranges, ", ")), from(`"0.0.0.0/1", "128.0.0.0/1"`)
	// Of two statements: the second is for another account.
	shared := func(first string) string {
		return `{"Version": "2012-10-17", "Statement": [` + first + `, {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*"}]}`
	}
	const everybody = `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*"}`
	const bounded = `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}`
	balancer := func(action string) string { return allow(`{"AWS": "arn:aws:iam::127311923021:root"}`, action, "") }
	blindZone := []check.Resource{policytest.Blind(func(z *policyrule.Zone) {
		z.OriginAccessIdentities = fact.Missing[[]policyrule.OriginAccessIdentity](fact.Denied, "cloudfront:ListCloudFrontOriginAccessIdentities")
	})}
	policyDenied := func(b *s3.Bucket) { b.Policy = fact.Missing[string](fact.Denied, "s3:GetBucketPolicy") }
	blind := bucket(func(b *s3.Bucket) { policyDenied(b); b.PublicAccessBlock = blockDenied })
	return checktest.Table{
		"s3-bucket-policy-not-public": {
			{Name: "no policy", Resource: withPolicy(""), Others: accountOff, Want: check.Pass},
			{Name: "own account", Resource: withPolicy(own), Others: accountOff, Want: check.Pass},
			{Name: "own account, block unknown", Resource: guarded(own, blockDenied), Others: accountBlind, Want: check.Pass},
			{Name: "one organization", Resource: withPolicy(organization), Others: accountOff, Want: check.Pass},
			{Name: "public", Resource: withPolicy(public), Others: accountOff, Want: check.Fail},
			{Name: "public over TLS", Resource: withPolicy(allow(`"*"`, "s3:GetObject", `, "Condition": {"Bool": {"aws:SecureTransport": "true"}}`)), Others: accountOff, Want: check.Fail},
			{Name: "public and restricted by the bucket", Resource: guarded(public, fact.Known(allOn)), Others: accountOff, Want: check.Pass},
			{Name: "public and restricted by the account", Resource: withPolicy(public), Others: accountOn, Want: check.Pass},
			{Name: "public with new public policies blocked", Resource: guarded(public, fact.Known(s3.PublicAccessBlock{BlockPublicPolicy: true})), Others: accountOff, Want: check.Fail},
			{Name: "public, restricted by the bucket, account unknown", Resource: guarded(public, fact.Known(allOn)), Others: accountBlind, Want: check.Pass},
			{Name: "public, bucket's block unknown", Resource: guarded(public, blockDenied), Others: accountOff, Want: check.NotAssessed},
			{Name: "public, account's block unknown", Resource: withPolicy(public), Others: accountBlind, Want: check.NotAssessed},
			{Name: "public, account's block not collected", Resource: withPolicy(public), Want: check.NotAssessed},
			{Name: "policy unknown, restricted", Resource: bucket(policyDenied), Others: accountOff, Want: check.NotAssessed},
			{Name: "half of the internet, which S3 does not take for public", Resource: guarded(half, fact.Known(allOn)), Others: accountOff, Want: check.Fail},
			{Name: "a wide range, which S3 takes for public", Resource: guarded(wide, fact.Known(allOn)), Others: accountOff, Want: check.Pass},
			{Name: "policy and block unknown", Resource: blind, Others: accountOff, Want: check.NotAssessed},
			{Name: "not a policy", Resource: withPolicy(`{"Statement": 7}`), Others: accountOff, Want: check.NotAssessed},
		},
		"s3-bucket-policy-no-public-write": {
			{Name: "public read", Resource: withPolicy(public), Others: accountOff, Want: check.Pass},
			{Name: "own account", Resource: withPolicy(own), Others: accountOff, Want: check.Pass},
			{Name: "public everything", Resource: withPolicy(publicWrite), Others: accountOff, Want: check.Fail},
			{Name: "public put", Resource: withPolicy(allow(`"*"`, "s3:PutObject", "")), Others: accountOff, Want: check.Fail},
			{Name: "public policy change", Resource: withPolicy(allow(`"*"`, "s3:PutBucketPolicy", "")), Others: accountOff, Want: check.Fail},
			{Name: "public delete, restricted", Resource: guarded(allow(`"*"`, "s3:DeleteObject", ""), fact.Known(allOn)), Others: accountOff, Want: check.Pass},
			{Name: "public everything, block unknown", Resource: guarded(publicWrite, blockDenied), Others: accountOff, Want: check.NotAssessed},
		},
		"s3-bucket-policy-no-other-accounts": policytest.InZone([]checktest.Case{
			{Name: "no policy", Resource: withPolicy(""), Want: check.Pass},
			{Name: "own account", Resource: withPolicy(own), Want: check.Pass},
			{Name: "own canonical user", Resource: withPolicy(allow(`{"CanonicalUser": "79a5"}`, "s3:GetObject", "")), Want: check.Pass},
			{Name: "own origin access identity", Resource: withPolicy(allow(`{"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOWN"}`, "s3:GetObject", "")), Want: check.Pass},
			{Name: "own origin access identity as a canonical user", Resource: withPolicy(allow(`{"CanonicalUser": "00ab79"}`, "s3:GetObject", "")), Want: check.Pass},
			{Name: "another's origin access identity", Resource: withPolicy(allow(`{"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`, "s3:GetObject", "")), Want: check.Fail},
			{Name: "an origin access identity, and nobody knows the owner's", Resource: withPolicy(allow(`{"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`, "s3:GetObject", "")), Others: blindZone, Want: check.NotAssessed},
			{Name: "the load balancers' account, for logs", Resource: withPolicy(balancer("s3:PutObject")), Want: check.Pass},
			{Name: "the load balancers' account, for more than logs", Resource: withPolicy(balancer("s3:GetObject")), Want: check.Fail},
			{Name: "Redshift's user, for logs", Resource: withPolicy(allow(`{"AWS": "arn:aws:iam::193672423079:user/logs"}`, "s3:PutObject", "")), Want: check.Pass},
			{Name: "whoever comes by a network", Resource: withPolicy(shared(bounded)), Want: check.Fail},
			{Name: "public and another account, restricted: both are kept out", Resource: guarded(shared(everybody), fact.Known(allOn)), Others: accountOff, Want: check.Pass},
			{Name: "public and another account", Resource: withPolicy(shared(everybody)), Others: accountOff, Want: check.Fail},
			{Name: "not public to S3 and another account, restricted", Resource: guarded(shared(bounded), fact.Known(allOn)), Others: accountOff, Want: check.Fail},
			{Name: "everybody, which another check judges", Resource: withPolicy(public), Want: check.Pass},
			{Name: "another account", Resource: withPolicy(foreign), Want: check.Fail},
			{Name: "another canonical user", Resource: withPolicy(allow(`{"CanonicalUser": "beef"}`, "s3:GetObject", "")), Want: check.Fail},
			{Name: "an organization", Resource: withPolicy(organization), Want: check.Fail},
			{Name: "CloudFront's identity and another account", Resource: withPolicy(allow(`{"AWS": ["arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EOWN", "444455556666"]}`, "s3:GetObject", "")), Want: check.Fail},
			{Name: "not a policy", Resource: withPolicy(`[]`), Want: check.NotAssessed},
		}),
		"s3-bucket-policy-services-scoped": {
			{Name: "no policy", Resource: withPolicy(""), Want: check.Pass},
			{Name: "scoped", Resource: withPolicy(allow(trail, "s3:PutObject", `, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}`)), Want: check.Pass},
			{Name: "another account", Resource: withPolicy(foreign), Want: check.Pass},
			{Name: "unscoped", Resource: withPolicy(allow(trail, "s3:PutObject", "")), Want: check.Fail},
			{Name: "log delivery of load balancers, which takes no condition", Resource: withPolicy(allow(`{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}`, "s3:PutObject", "")), Want: check.Pass},
			{Name: "log delivery of load balancers, for more than logs", Resource: withPolicy(allow(`{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}`, "s3:*", "")), Want: check.Fail},
			{Name: "a dashboard that every account has", Resource: withPolicy(allow(`{"Service": "storage-lens.s3.amazonaws.com"}`, "s3:PutObject", `, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:eu-west-1:*:storage-lens/default-account-dashboard"}}`)), Want: check.Fail},
			{Name: "not a policy", Resource: withPolicy(`[]`), Want: check.NotAssessed},
		},
		"s3-bucket-tls-only": {
			{Name: "plain HTTP denied", Resource: withPolicy(statement(`"Effect": "Deny", "Principal": "*", "Action": "s3:*", %s`, plainHTTP)), Want: check.Pass},
			{Name: "denied for reading only", Resource: withPolicy(statement(`"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", %s`, plainHTTP)), Want: check.Fail},
			{Name: "denied for one role", Resource: withPolicy(statement(`"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}, "Action": "s3:*", %s`, plainHTTP)), Want: check.Fail},
			{Name: "denied for objects only", Resource: withPolicy(`{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::papers/*", ` + plainHTTP + `}]}`), Want: check.Fail},
			{Name: "allowed over TLS", Resource: withPolicy(allow(`{"AWS": "111122223333"}`, "s3:*", `, "Condition": {"Bool": {"aws:SecureTransport": "true"}}`)), Want: check.Fail},
			{Name: "no policy", Resource: withPolicy(""), Want: check.Fail},
			{Name: "not a policy", Resource: withPolicy(`[]`), Want: check.NotAssessed},
		},
	}
}

// withGrants is a bucket with ACLs in force and block public access off.
func withGrants(change func(*s3.Bucket), group string, permissions ...string) s3.Bucket {
	return bucket(func(b *s3.Bucket) {
		var grants []s3.Grant
		for _, p := range permissions {
			grants = append(grants, s3.Grant{Group: group, Permission: p})
		}
		b.PublicGrants, b.Ownership, b.PublicAccessBlock = fact.Known(grants), fact.Known("ObjectWriter"), fact.Known(off)
		if change != nil {
			change(b)
		}
	})
}

// aclCase are the cases that all rules on ACLs share, for a grant that they
// fail on.
func aclCase(group, permission string, more ...checktest.Case) []checktest.Case {
	with := func(change func(*s3.Bucket)) s3.Bucket { return withGrants(change, group, permission) }
	ignored := func(b *s3.Bucket) { b.PublicAccessBlock = fact.Known(s3.PublicAccessBlock{IgnorePublicACLs: true}) }
	aclDenied := fact.Missing[[]s3.Grant](fact.Denied, "s3:GetBucketAcl")
	ownershipDenied := fact.Missing[string](fact.Denied, "s3:GetBucketOwnershipControls")
	return append([]checktest.Case{
		{Name: "no grant", Resource: withGrants(nil, ""), Others: accountOff, Want: check.Pass},
		{Name: "no grant, the rest unknown", Resource: withGrants(func(b *s3.Bucket) {
			b.Ownership, b.PublicAccessBlock = ownershipDenied, blockDenied
		}, ""), Others: accountBlind, Want: check.Pass},
		{Name: "grant", Resource: with(nil), Others: accountOff, Want: check.Fail},
		{Name: "grant, ownership never set", Resource: with(func(b *s3.Bucket) { b.Ownership = fact.Known("") }), Others: accountOff, Want: check.Fail},
		{Name: "grant, new ones blocked", Resource: with(func(b *s3.Bucket) {
			b.PublicAccessBlock = fact.Known(s3.PublicAccessBlock{BlockPublicACLs: true})
		}), Others: accountOff, Want: check.Fail},
		{Name: "grant of all", Resource: withGrants(nil, group, "FULL_CONTROL"), Others: accountOff, Want: check.Fail},
		{Name: "grant, ACLs disabled", Resource: with(func(b *s3.Bucket) { b.Ownership = fact.Known(s3.OwnerEnforced) }), Others: accountOff, Want: check.Pass},
		{Name: "grant, ignored by the bucket", Resource: with(ignored), Others: accountOff, Want: check.Pass},
		{Name: "grant, ignored by the account", Resource: with(nil), Others: accountOn, Want: check.Pass},
		{Name: "grant, bucket's block unknown", Resource: with(func(b *s3.Bucket) { b.PublicAccessBlock = blockDenied }), Others: accountOff, Want: check.NotAssessed},
		{Name: "grant, account's block unknown", Resource: with(nil), Others: accountBlind, Want: check.NotAssessed},
		{Name: "grant, ownership unknown", Resource: with(func(b *s3.Bucket) { b.Ownership = ownershipDenied }), Others: accountOff, Want: check.NotAssessed},
		{Name: "ACL unknown, ACLs disabled", Resource: bucket(func(b *s3.Bucket) { b.PublicGrants = aclDenied }), Others: accountOff, Want: check.Pass},
		{Name: "ACL unknown, in force", Resource: with(func(b *s3.Bucket) { b.PublicGrants = aclDenied }), Others: accountOff, Want: check.NotAssessed},
	}, more...)
}

func aclCases() checktest.Table {
	owned := func(ownership string) s3.Bucket {
		return bucket(func(b *s3.Bucket) { b.Ownership = fact.Known(ownership) })
	}
	return checktest.Table{
		"s3-bucket-acl-not-public": aclCase(s3.AllUsers, "READ_ACP",
			checktest.Case{Name: "users of AWS", Resource: withGrants(nil, s3.AuthenticatedUsers, "READ"), Others: accountOff, Want: check.Pass}),
		"s3-bucket-acl-no-authenticated-users": aclCase(s3.AuthenticatedUsers, "READ",
			checktest.Case{Name: "everybody", Resource: withGrants(nil, s3.AllUsers, "READ"), Others: accountOff, Want: check.Pass}),
		"s3-bucket-acl-no-public-list": aclCase(s3.AllUsers, "READ",
			checktest.Case{Name: "users of AWS", Resource: withGrants(nil, s3.AuthenticatedUsers, "READ_ACP", "READ"), Others: accountOff, Want: check.Fail},
			checktest.Case{Name: "write only", Resource: withGrants(nil, s3.AllUsers, "WRITE"), Others: accountOff, Want: check.Pass}),
		"s3-bucket-acl-no-public-write": aclCase(s3.AllUsers, "WRITE",
			checktest.Case{Name: "of the ACL", Resource: withGrants(nil, s3.AuthenticatedUsers, "WRITE_ACP"), Others: accountOff, Want: check.Fail},
			checktest.Case{Name: "read only", Resource: withGrants(nil, s3.AllUsers, "READ"), Others: accountOff, Want: check.Pass}),
		"s3-bucket-acl-disabled": {
			{Name: "disabled", Resource: owned(s3.OwnerEnforced), Want: check.Pass},
			{Name: "preferred", Resource: owned("BucketOwnerPreferred"), Want: check.Fail},
			{Name: "never set", Resource: owned(""), Want: check.Fail},
		},
	}
}

// One grant of an ACL, or one statement of a policy, is one failure where people look:
// the others fold under it.
func TestOneGrantIsOneFailure(t *testing.T) {
	t.Parallel()
	buckets := map[string]s3.Bucket{"policy": withPolicy(allow(`"*"`, "s3:*", ""))}
	for _, group := range []string{s3.AllUsers, s3.AuthenticatedUsers} {
		for _, permission := range []string{"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"} {
			buckets[permission+" to "+group] = withGrants(nil, group, permission)
		}
	}
	for name, b := range buckets {
		world := check.NewWorld(s3.AccountPublicAccessBlock{}.Kind())
		for _, a := range accountOff {
			world.Add(a)
		}
		judge := check.NewJudge(checktest.Now, world)
		failed := map[model.CheckID][]model.CheckID{}
		for _, rule := range s3.Service().Rules {
			grants := strings.HasPrefix(string(rule.ID), "s3-bucket-acl-") && rule.ID != "s3-bucket-acl-disabled" ||
				strings.HasPrefix(string(rule.ID), "s3-bucket-policy-") && strings.Contains(string(rule.ID), "public")
			if grants && judge.Judge(rule, b).Status == check.Fail {
				failed[rule.ID] = rule.Causes
			}
		}
		var unfolded []model.CheckID
		for id, causes := range failed {
			if !slices.ContainsFunc(causes, func(cause model.CheckID) bool { _, is := failed[cause]; return is }) {
				unfolded = append(unfolded, id)
			}
		}
		if len(unfolded) != 1 {
			t.Errorf("%s: unfolded are %v", name, unfolded)
		}
	}
}
