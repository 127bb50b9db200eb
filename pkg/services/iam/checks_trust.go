package iam

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// auditRole is the name of the role through which CloudArq itself reads an
// account. It is always used with an External ID, so nothing else will do.
const auditRole = "CloudArqAuditRole"

// scopedServices are those whose documentation asks for aws:SourceAccount or
// aws:SourceArn in the trust policies of the roles they take, as the service
// could be made to use a role for another customer. A role cannot be passed to a
// service across accounts, so nothing is asked where AWS asks for nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
var scopedServices = []string{
	"amplify", "appsync", "autoscaling", "bedrock", "cloudformation", "codebuild", "ecs-tasks", "iot", "kinesisanalytics",
	"logs", "personalize", "pipes", "rolesanywhere", "sagemaker", "scheduler", "ssm", "states", "transfer", "vpc-flow-logs",
}

func trustRules() []check.Rule {
	zone := check.Using[policyrule.Zone]()
	return []check.Rule{
		check.For("iam-role-not-open-to-anyone", model.Critical, trusting(notOpen)),
		check.Across("iam-role-cross-account-protected", model.High, trustingIn(crossAccountProtected), zone),
		check.Across("iam-role-cross-account-no-read-only-access", model.Medium, trustingIn(noForeignReader), zone),
		// Prowler: high. It takes a service that can be tricked, and somebody who knows
		// the role.
		check.Across("iam-role-service-source-scoped", model.Low, trustingIn(sourceScoped), zone),
		check.For("iam-role-oidc-subject", model.Critical, trusting(oidcSubject)),
	}
}

// trusting is a rule over whom a role trusts, for roles whose trust the account
// itself decides.
func trusting(judge func(Role, RoleDetail, []iampolicy.Trust) check.Verdict) func(*check.Evidence, Role) check.Verdict {
	return changeable.Then(func(e *check.Evidence, r Role) check.Verdict {
		return judge(r, check.Read(e, r.Detail), trusts(e, r, policyrule.Owner(r.Ref)))
	})
}

// strangers are those of whom it has to be known whether they belong to the zone of
// trust: told apart into those who do not, and those of whom it could not be found out.
type strangers struct {
	zone    *policyrule.OwnZone
	unknown []string
}

// in gives who is let in from outside of the zone, and remembers whom nobody knows.
func (s *strangers) in(t iampolicy.Trust) []string {
	s.unknown = append(s.unknown, t.Parties.Named(iampolicy.Unknown)...)
	return t.Parties.Named(iampolicy.Foreign)
}

// settled ends the rule as NOT_ASSESSED if somebody remained unknown, and gives the
// verdict otherwise.
func (s *strangers) settled(v check.Verdict) check.Verdict {
	if len(s.unknown) > 0 {
		s.zone.Stop(detailsOperation, s.unknown)
	}
	return v
}

// trustingIn is trusting for rules that the zone of trust decides.
func trustingIn(judge func(Role, RoleDetail, []iampolicy.Trust, *strangers) check.Verdict) func(*check.Evidence, Role) check.Verdict {
	return func(e *check.Evidence, r Role) check.Verdict {
		zone := policyrule.ZoneOf(e, r.Ref)
		return trusting(func(r Role, d RoleDetail, _ []iampolicy.Trust) check.Verdict {
			return judge(r, d, trusts(e, r, zone.Zone), &strangers{zone: zone})
		})(e, r)
	}
}

func notOpen(_ Role, _ RoleDetail, trusts []iampolicy.Trust) check.Verdict {
	for _, t := range trusts {
		if t.Kind != iampolicy.TrustAnyone || t.Level < iampolicy.Restricted {
			continue
		}
		if t.Level == iampolicy.Restricted {
			return check.Failed(t.Statement + " of the trust policy lets any AWS account assume the role, within bounds that are no identity")
		}
		return check.Failed(policyrule.Because(t.Statement+" of the trust policy lets any AWS account assume the role", t.Why))
	}
	return check.Passed("the trust policy names who may assume the role")
}

// foreign are the trusts in principals of other accounts, named one by one or by their
// organization.
func foreign(trusts []iampolicy.Trust) []iampolicy.Trust {
	return slices.DeleteFunc(slices.Clone(trusts), func(t iampolicy.Trust) bool {
		return t.Level == iampolicy.None ||
			t.Kind != iampolicy.TrustForeignAccount && (t.Kind != iampolicy.TrustAnyone || t.Level > iampolicy.Organization)
	})
}

var noForeigner = check.Inapplicable("the role trusts no principal of another account")

func crossAccountProtected(r Role, _ RoleDetail, trusts []iampolicy.Trust, s *strangers) check.Verdict {
	others := foreign(trusts)
	if len(others) == 0 {
		return noForeigner
	}
	for _, t := range others {
		switch {
		case t.ExternalID:
		case r.Name == auditRole:
			return check.Failed("the audit role can be assumed by " + t.Principal + " without an External ID")
		case t.MFA:
		default:
			if found := s.in(t); len(found) > 0 {
				return check.Failed(check.List(found) + " can assume the role without External ID or MFA")
			}
		}
	}
	return s.settled(check.Passed("other accounts need an External ID, MFA or the membership of the account's organization"))
}

func noForeignReader(r Role, d RoleDetail, trusts []iampolicy.Trust, s *strangers) check.Verdict {
	others := foreign(trusts)
	if len(others) == 0 {
		return noForeigner
	}
	if !slices.Contains(d.Attached, awsPolicy(r.Ref, "ReadOnlyAccess")) {
		return check.Passed("the role does not have ReadOnlyAccess")
	}
	for _, t := range others {
		if found := s.in(t); len(found) > 0 {
			return check.Failed(check.List(found) + " can read all data of the account through ReadOnlyAccess")
		}
	}
	return s.settled(check.Passed("only accounts of the account's organization can read its data through ReadOnlyAccess"))
}

func sourceScoped(_ Role, _ RoleDetail, trusts []iampolicy.Trust, s *strangers) check.Verdict {
	concerned := false
	for _, t := range trusts {
		service, _, _ := strings.Cut(t.Principal, ".")
		if t.Kind != iampolicy.TrustService || !slices.Contains(scopedServices, service) {
			continue
		}
		if concerned = true; t.Level >= iampolicy.ServiceUnscoped {
			return check.Failed(policyrule.Because(t.Principal+" may assume the role without a bound on the source account or resource", t.Why))
		}
		if found := s.in(t); len(found) > 0 {
			return check.Failed(t.Principal + " may assume the role on behalf of " + check.List(found))
		}
	}
	if !concerned {
		return check.Inapplicable("no service that trusts should be scoped for may assume the role")
	}
	return s.settled(check.Passed("the services' source account or resource is bound"))
}

func oidcSubject(_ Role, _ RoleDetail, trusts []iampolicy.Trust) check.Verdict {
	concerned := false
	for _, t := range trusts {
		if t.Kind != iampolicy.TrustOIDC {
			continue
		}
		if concerned = true; t.Level == iampolicy.Public {
			return check.Failed("any token of " + issuer(t.Principal) + " can assume the role: no condition binds its subject to you")
		}
		if openCluster(t) {
			return check.Failed("every workload of the cluster " + issuer(t.Principal) + " can assume the role: no condition binds the service account")
		}
	}
	if !concerned {
		return check.Inapplicable("the role trusts no OpenID Connect provider")
	}
	return check.Passed("the trust policy binds the tokens that may assume the role")
}

// openCluster reports whether an EKS cluster's issuer is trusted for all its
// service accounts. Its tokens all have the same audience. Clusters that take IPv6
// have an issuer at api.aws.
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
func openCluster(t iampolicy.Trust) bool {
	host := issuer(t.Principal)
	if !strings.HasPrefix(host, "oidc.eks.") && !strings.HasPrefix(host, "oidc-eks.") {
		return false
	}
	return len(t.Subjects) == 0 || slices.ContainsFunc(t.Subjects, func(s string) bool {
		fixed, _, wild := strings.Cut(s, "*")
		return wild && strings.HasPrefix("system:serviceaccount:", fixed)
	})
}

// issuer is the provider's name without the ARN around it.
func issuer(principal string) string {
	if _, host, ok := strings.Cut(principal, ":oidc-provider/"); ok {
		return host
	}
	return principal
}
