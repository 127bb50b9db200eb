package s3

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// accessPointRules are on access points. What one of them allows counts for everybody
// whom the bucket's policy lets in by its access points, and for all of the account.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointPermissions.html, 29 November 2026.
func accessPointRules() []check.Rule {
	regional, global := pointPolicies[AccessPoint]("s3:GetAccessPointPolicy"), pointPolicies[MultiRegionAccessPoint]("s3:GetMultiRegionAccessPointPolicy")
	block, zone := check.Using[AccountPublicAccessBlock](), check.Using[policyrule.Zone]()
	return []check.Rule{
		check.For("s3-access-point-public-access-block", model.High, pointBlock[AccessPoint]),
		check.Across("s3-access-point-policy-not-public", model.High, pointNotPublic(regional), block),
		check.Across("s3-access-point-policy-no-other-accounts", model.Medium, regional.AskingZone(policyrule.NoOtherAccounts), zone),
		check.For("s3-multi-region-access-point-public-access-block", model.High, pointBlock[MultiRegionAccessPoint]),
		check.Across("s3-multi-region-access-point-policy-not-public", model.High, pointNotPublic(global), block),
		check.Across("s3-multi-region-access-point-policy-no-other-accounts", model.Medium, global.AskingZone(policyrule.NoOtherAccounts), zone),
	}
}

// point is an access point of either kind.
type point interface {
	check.Resource
	policy() fact.Of[string]
	block() fact.Of[PublicAccessBlock]
}

func (p AccessPoint) policy() fact.Of[string]                      { return p.Policy }
func (p AccessPoint) block() fact.Of[PublicAccessBlock]            { return p.PublicAccessBlock }
func (p MultiRegionAccessPoint) policy() fact.Of[string]           { return p.Policy }
func (p MultiRegionAccessPoint) block() fact.Of[PublicAccessBlock] { return p.PublicAccessBlock }

func pointBlock[P point](e *check.Evidence, p P) check.Verdict {
	return check.Read(e, p.block()).verdict()
}

func pointPolicies[P point](operation string) policyrule.Source[P] {
	return policyrule.Source[P]{Operation: operation, Policy: func(e *check.Evidence, p P) string { return check.Read(e, p.policy()) }}
}

func pointNotPublic[P point](policies policyrule.Source[P]) func(*check.Evidence, P) check.Verdict {
	return func(e *check.Evidence, p P) check.Verdict {
		document := policies.Policy(e, p)
		if document == "" {
			return check.Passed("there is no policy")
		}
		policy := policyrule.Parse(document, policies.Operation)
		grants := policy.Evaluate(policyrule.Owner(p.Reference())).At(iampolicy.Public)
		switch {
		case len(grants) == 0:
			return check.Passed("the policy does not let everybody in")
		case publicToS3(p.Reference(), policy) && blockedBy(e, p.block(), restrictPublicBuckets):
			return keptOut
		}
		return check.Failed(policyrule.Public(grants[0]))
	}
}
