package s3

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// writes are the actions that change the bucket or what is in it.
var writes = []string{
	"s3:Put*", "s3:Delete*", "s3:Create*", "s3:Replicate*", "s3:AbortMultipartUpload", "s3:RestoreObject",
	"s3:BypassGovernanceRetention", "s3:ObjectOwnerOverrideToBucketOwner",
}

func policyNotPublic(e *check.Evidence, b Bucket) check.Verdict {
	return noPublic(e, b, "the policy does not let everybody in")
}

func policyNoPublicWrite(e *check.Evidence, b Bucket) check.Verdict {
	return noPublic(e, b, "the policy does not let everybody write", writes...)
}

// noPublic is the verdict on everybody's access to the actions by the bucket
// policy; to all actions if none are given.
func noPublic(e *check.Evidence, b Bucket, pass string, actions ...string) check.Verdict {
	document, known := check.Try(e, b.Policy)
	grants, err := publicGrants(b, document, actions)
	if known && err == nil && len(grants) == 0 {
		return check.Passed(pass)
	}
	if blocked(e, b, restrictPublicBuckets) {
		return check.Passed("RestrictPublicBuckets keeps everybody else out, whatever the policy allows")
	}
	check.Read(e, b.Policy)
	if err != nil {
		return unreadable(err)
	}
	return check.Failed(fmt.Sprintf("%s of the policy allows everybody %s", grants[0].Statement, check.List(grants[0].Actions)))
}

func publicGrants(b Bucket, document string, actions []string) ([]iampolicy.Grant, error) {
	result, err := evaluate(b, document, iampolicy.Options{Actions: actions})
	return result.At(iampolicy.Public), err
}

// evaluate asks whom the policy lets in; of an empty document, nobody.
func evaluate(b Bucket, document string, opts iampolicy.Options) (iampolicy.Result, error) {
	if document == "" {
		return iampolicy.Result{}, nil
	}
	policy, err := iampolicy.ParseResource(document)
	if err != nil {
		return iampolicy.Result{}, err
	}
	opts.Account, opts.Partition = b.Account, b.Partition()
	return policy.Evaluate(opts), nil
}

// unreadable is the verdict on a policy that AWS accepted and we do not
// understand.
func unreadable(err error) check.Verdict {
	return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "s3:GetBucketPolicy", Detail: err.Error()})
}

func policyNoOtherAccounts(e *check.Evidence, b Bucket) check.Verdict {
	document := check.Read(e, b.Policy)
	if document == "" {
		return check.Passed("there is no policy")
	}
	result, err := evaluate(b, document, iampolicy.Options{CanonicalUserID: check.Read(e, b.Detail).Owner})
	if err != nil {
		return unreadable(err)
	}
	for _, level := range []iampolicy.Level{iampolicy.CrossAccount, iampolicy.Organization} {
		for _, grant := range result.At(level) {
			if others := strangers(grant.Parties); len(others) > 0 {
				return check.Failed(fmt.Sprintf("%s of the policy lets in %s", grant.Statement, check.List(others)))
			}
		}
	}
	return check.Passed("the policy names no other account")
}

// strangers leaves out the identities by which CloudFront reads a bucket: they
// are no account's principals.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
func strangers(parties []string) []string {
	var others []string
	for _, party := range parties {
		if !strings.Contains(party, ":iam::cloudfront:user/") {
			others = append(others, party)
		}
	}
	return others
}

func policyServicesScoped(e *check.Evidence, b Bucket) check.Verdict {
	document := check.Read(e, b.Policy)
	if document == "" {
		return check.Passed("there is no policy")
	}
	result, err := evaluate(b, document, iampolicy.Options{})
	if err != nil {
		return unreadable(err)
	}
	return policyrule.ServicesScoped(result)
}

func tlsOnly(e *check.Evidence, b Bucket) check.Verdict {
	document := check.Read(e, b.Policy)
	if document == "" {
		return check.Failed("there is no policy that denies plain HTTP")
	}
	policy, err := iampolicy.ParseResource(document)
	if err != nil {
		return unreadable(err)
	}
	return check.Must(policy.RequiresTLS([]string{"s3:*"}, []string{b.ARN, b.ARN + "/*"}),
		"the policy denies plain HTTP", "the policy does not deny plain HTTP for all of the bucket")
}
