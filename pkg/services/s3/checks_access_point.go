package s3

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// accessPointRules are on access points. What one of them allows counts for everybody
// whom the bucket's policy lets in by its access points, and for all of the account.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html, 29 November 2026.
func accessPointRules() []check.Rule {
	return []check.Rule{
		check.For("s3-access-point-public-access-block", model.High, func(e *check.Evidence, p AccessPoint) check.Verdict {
			return check.Read(e, p.PublicAccessBlock).verdict()
		}),
		check.Across("s3-access-point-policy-not-public", model.High, accessPointNotPublic, check.Using[AccountPublicAccessBlock]()),
		check.Across("s3-access-point-policy-no-other-accounts", model.Medium, accessPointPolicies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
	}
}

const accessPointOperation = "s3:GetAccessPointPolicy"

func accessPointPolicies() policyrule.Source[AccessPoint] {
	return policyrule.Source[AccessPoint]{
		Operation: accessPointOperation,
		Policy:    func(e *check.Evidence, p AccessPoint) string { return check.Read(e, p.Policy) },
	}
}

func accessPointNotPublic(e *check.Evidence, p AccessPoint) check.Verdict {
	document := check.Read(e, p.Policy)
	if document == "" {
		return check.Passed("there is no policy")
	}
	policy := policyrule.Parse(document, accessPointOperation)
	grants := policy.Evaluate(policyrule.Owner(p.Ref)).At(iampolicy.Public)
	switch {
	case len(grants) == 0:
		return check.Passed("the policy does not let everybody in")
	case publicToS3(p.Ref, policy) && blockedBy(e, p.PublicAccessBlock, restrictPublicBuckets):
		return keptOut
	}
	return check.Failed(policyrule.Public(grants[0]))
}
