package s3

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// writes are the actions that change the bucket or what is in it.
var writes = []string{
	"s3:Put*", "s3:Delete*", "s3:Create*", "s3:Replicate*", "s3:AbortMultipartUpload", "s3:RestoreObject",
	"s3:BypassGovernanceRetention", "s3:ObjectOwnerOverrideToBucketOwner",
}

const policyOperation = "s3:GetBucketPolicy"

// PolicyNotPublic is the rule that the bucket's policy lets in not everybody, or that
// block public access keeps everybody out again. It uses the account's
// AccountPublicAccessBlock.
func PolicyNotPublic(e *check.Evidence, b Bucket) check.Verdict {
	return noPublic(e, b, "the policy does not let everybody in")
}

func policyNoPublicWrite(e *check.Evidence, b Bucket) check.Verdict {
	return noPublic(e, b, "the policy does not let everybody write", writes...)
}

// noPublic is the verdict on everybody's access to the actions by the bucket
// policy; to all actions if none are given.
func noPublic(e *check.Evidence, b Bucket, pass string, actions ...string) check.Verdict {
	document := check.Read(e, b.Policy)
	if document == "" {
		return check.Passed(pass)
	}
	policy := policyrule.Parse(document, policyOperation)
	grants := policy.Evaluate(policyrule.Owner(b.Ref), actions...).At(iampolicy.Public)
	switch {
	case len(grants) == 0:
		return check.Passed(pass)
	case publicToS3(b.Ref, policy) && blocked(e, b, restrictPublicBuckets):
		return keptOut
	}
	return check.Failed(policyrule.Public(grants[0]))
}

var keptOut = check.Passed("RestrictPublicBuckets keeps other accounts out, as S3 takes the policy for public")

func policyNoOtherAccounts(e *check.Evidence, b Bucket) check.Verdict {
	document := check.Read(e, b.Policy)
	if document == "" {
		return check.Passed("there is no policy")
	}
	policy := policyrule.Parse(document, policyOperation)
	var own []iampolicy.Thing
	if owner := check.Read(e, b.Detail).Owner; owner != "" {
		own = append(own, iampolicy.Thing{Kind: iampolicy.ACanonicalUser, Name: owner})
	}
	access := policyrule.ZoneOf(e, b.Ref, own...).Evaluate(policy, policyOperation)
	outside := access.At(iampolicy.CrossAccount, iampolicy.Organization, iampolicy.Restricted)
	if len(outside) > 0 && publicToS3(b.Ref, policy) && blocked(e, b, restrictPublicBuckets) {
		return keptOut
	}
	return policyrule.NoOtherAccounts(access)
}

func policyServicesScoped(e *check.Evidence, b Bucket) check.Verdict {
	return policies().Asking(policyrule.ServicesScoped)(e, b)
}

func tlsOnly(e *check.Evidence, b Bucket) check.Verdict {
	document := check.Read(e, b.Policy)
	if document == "" {
		return check.Failed("there is no policy that denies plain HTTP")
	}
	return check.Must(policyrule.Parse(document, policyOperation).RequiresTLS([]string{"s3:*"}, []string{b.ARN, b.ARN + "/*"}),
		"the policy denies plain HTTP", "the policy does not deny plain HTTP for all of the bucket")
}

func policies() policyrule.Source[Bucket] {
	return policyrule.Source[Bucket]{
		Operation: policyOperation,
		Policy:    func(e *check.Evidence, b Bucket) string { return check.Read(e, b.Policy) },
	}
}

// publicToS3 tells that S3 takes the policy for public, which is what the settings of
// block public access are about: a statement for everybody that no fixed value bounds.
// What the policy denies again is no such statement; whether S3 sees that, it does not
// say, so that then only what is open for all that counts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func publicToS3(owner model.Ref, policy iampolicy.Policy) bool {
	levels := []iampolicy.Level{iampolicy.Public}
	if !slices.ContainsFunc(policy.Statements, func(s iampolicy.Statement) bool { return s.Effect == iampolicy.Deny }) {
		levels = append(levels, iampolicy.Restricted)
	}
	return slices.ContainsFunc(policy.Evaluate(policyrule.Owner(owner)).At(levels...), func(g iampolicy.Grant) bool {
		s := &policy.Statements[g.Index]
		return (s.Principal.Everyone() || !s.NotPrincipal.IsZero()) && !slices.ContainsFunc(s.Conditions, fixesForS3)
	})
}

// fixing are the keys with which S3 takes a statement for not public, if their values
// are fixed; what tells principals apart is so as well.
var fixing = []string{
	"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
	"s3:x-amz-server-side-encryption-aws-kms-key-id", "aws:userid", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
	"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename",
}

func fixesForS3(c iampolicy.Condition) bool {
	key, op := strings.ToLower(c.Key), c.Operator
	if !slices.Contains(fixing, key) || op.Negated() || op.IfExists || op.Name == "Null" || op.Quantifier == "ForAllValues" || len(c.Values) == 0 {
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool {
		switch {
		case strings.Contains(v, "${"):
			return true
		case key == "aws:sourceip":
			return wideForS3(v)
		case key == "s3:dataaccesspointarn": // the name may be open, the account not
			parts := strings.SplitN(v, ":", 6)
			return len(parts) < 6 || strings.ContainsAny(parts[4], "*?")
		}
		return strings.ContainsAny(v, "*?")
	})
}

// wideForS3 tells that S3 takes a range for public: one wider than /8 (IPv4) or /32
// (IPv6) that is not private.
func wideForS3(v string) bool {
	prefix, err := netip.ParsePrefix(v)
	if err != nil {
		return false // a single address
	}
	if prefix.Addr().Is4() {
		return prefix.Bits() < 8
	}
	return prefix.Bits() < 32 && (prefix.Bits() < 7 || !prefix.Addr().IsPrivate())
}
