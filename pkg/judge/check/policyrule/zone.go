package policyrule

import (
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Zone is an account's zone of trust: what policies name without saying whose it is,
// and belongs to the account, or to whom its owner trusts. An account has one.
type Zone struct {
	model.Resource
	// Organization is the id of the organization that the account is in; empty for none.
	Organization fact.Of[string] `json:"organization"`
	// Buckets are the names of the account's S3 buckets in all regions.
	Buckets fact.Of[[]string] `json:"buckets"`
	// OriginAccessIdentities are those of the account's CloudFront.
	OriginAccessIdentities fact.Of[[]OriginAccessIdentity] `json:"origin_access_identities"`
	// Trusted are the accounts that whoever asked for the audit trusts, by number.
	Trusted fact.Of[[]string] `json:"trusted"`
}

// Kind implements check.Resource.
func (Zone) Kind() string { return "CloudArq::Account::Zone" }

// OriginAccessIdentity is an identity by which CloudFront reads buckets. Policies name
// it by either.
type OriginAccessIdentity struct {
	ID            string `json:"id"`
	CanonicalUser string `json:"canonical_user"`
}

// Zones by what they hold: an account may have ten thousand buckets.
var (
	byOrganization = check.NewIndex(func(e *check.Evidence, z Zone) []string { return []string{check.Read(e, z.Organization)} })
	byBucket       = check.NewIndex(func(e *check.Evidence, z Zone) []string { return check.Read(e, z.Buckets) })
	byTrusted      = check.NewIndex(func(e *check.Evidence, z Zone) []string { return check.Read(e, z.Trusted) })
	byIdentity     = check.NewIndex(func(e *check.Evidence, z Zone) []string {
		var keys []string
		for _, i := range check.Read(e, z.OriginAccessIdentities) {
			keys = append(keys, i.ID, i.CanonicalUser)
		}
		return keys
	})
)

// OwnZone is the zone of trust as a rule asks for it. What the rule's policies do not
// name is not looked at, so that no gap of it matters.
type OwnZone struct {
	iampolicy.Zone
	evidence *check.Evidence
	own      []iampolicy.Thing
	gaps     []fact.Gap
}

// ZoneOf is the zone of trust of who owns a resource. own are things that are the
// owner's besides those of the zone.
func ZoneOf(e *check.Evidence, owner model.Ref, own ...iampolicy.Thing) *OwnZone {
	z := &OwnZone{Zone: Owner(owner), evidence: e, own: own}
	z.Whose = z.whose
	return z
}

// Stop ends the rule as NOT_ASSESSED, since it could not be found out of some parties
// to a policy, which the operation read, who they are.
func (z *OwnZone) Stop(operation string, unknown []string) {
	gaps := z.gaps
	if len(gaps) == 0 { // a name that tells nobody whose it is
		gaps = []fact.Gap{{Reason: fact.NotCollected, Operation: operation, Detail: "the policy does not tell whose " + check.List(unknown) + " is"}}
	}
	check.Stop(gaps...)
}

// indexes find the zone that has a thing of a kind.
var indexes = map[iampolicy.ThingKind]*check.Index[Zone]{
	iampolicy.AnOrganization: byOrganization,
	iampolicy.ABucket:        byBucket,
	iampolicy.AnAccount:      byTrusted,
	iampolicy.AnOriginAccess: byIdentity,
	iampolicy.ACanonicalUser: byIdentity,
}

func (z *OwnZone) whose(thing iampolicy.Thing) iampolicy.Standing {
	if slices.Contains(z.own, thing) {
		return iampolicy.Own
	}
	found, gaps := indexes[thing.Kind].Some(z.evidence, thing.Name)
	if len(found) > 0 {
		return iampolicy.Own
	}
	if all, _ := check.Some[Zone](z.evidence); len(all) == 0 && len(gaps) == 0 {
		gaps = []fact.Gap{{Reason: fact.NotCollected, Detail: "the account's zone of trust was not collected"}}
	}
	if len(gaps) == 0 {
		return iampolicy.Foreign
	}
	z.gaps = append(z.gaps, gaps...)
	return iampolicy.Unknown
}
