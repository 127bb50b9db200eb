package iam

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return slices.Concat(
		rootRules(), passwordRules(), accountRules(), userRules(),
		groupRules(), roleRules(), trustRules(), policyRules(), providerRules(),
	)
}

func accountRules() []check.Rule {
	return []check.Rule{
		check.Across("iam-support-role", model.Low, supportRole, check.Using[Role]()),
		check.Across("iam-cloudshell-full-access-not-attached", model.Medium, noCloudShell,
			check.Using[User](), check.Using[Group](), check.Using[Role]()),
		// Prowler: critical. Every account has administrators; who of them should not be
		// one is judged for each user, group and role.
		check.Across("iam-administrator-access-not-attached", model.Medium, noAdministratorAccess, check.Using[Policy](), check.Using[User](), check.Using[Group](), check.Using[Role]()),
		check.Across("iam-federated-sign-in", model.Low, federated, check.Using[SAMLProvider]()),
	}
}

func supportRole(e *check.Evidence, a Account) check.Verdict {
	policy := awsPolicy(a.Ref, "AWSSupportAccess")
	roles, gaps := rolesWith.Some(e, policy)
	if len(roles) > 0 {
		check.Read(e, roles[0].Detail)
		return check.Passed("the role " + roles[0].Name + " has AWSSupportAccess")
	}
	if len(gaps) > 0 { // one that could not be read may be the support role
		return check.Unassessed(gaps...)
	}
	return check.Failed("no role has the policy AWSSupportAccess")
}

// Who has a managed policy of its own.
var (
	usersWith  = check.NewIndex(func(e *check.Evidence, u User) []string { return check.Read(e, u.Detail).Attached })
	groupsWith = check.NewIndex(func(e *check.Evidence, g Group) []string { return check.Read(e, g.Detail).Attached })
	rolesWith  = check.NewIndex(func(e *check.Evidence, r Role) []string { return check.Read(e, r.Detail).Attached })
)

func noCloudShell(e *check.Evidence, a Account) check.Verdict {
	policy := awsPolicy(a.Ref, "AWSCloudShellFullAccess")
	holders, _ := holdersOf(e, policy)
	if len(holders) > 0 {
		return check.Failed("AWSCloudShellFullAccess is attached to " + check.List(holders))
	}
	return check.Passed("nobody has AWSCloudShellFullAccess")
}

// noAdministratorAccess judges AWS's own policies for the account as a whole: a
// verdict for each of them would drown the account's in passes for AWS. Roles that the
// account cannot change, such as those of IAM Identity Center, do not count.
func noAdministratorAccess(e *check.Evidence, _ Account) check.Verdict {
	excused := 0
	for _, p := range check.All[Policy](e) {
		d := check.Read(e, p.Detail)
		if !d.AWS || d.Attachments == 0 || !parse(e, d.Document).IsAdmin() {
			continue
		}
		holders, others := holdersOf(e, p.ARN)
		if len(holders) > 0 {
			return check.Failed(p.Name + " is attached to " + check.List(holders))
		}
		if others < d.Attachments {
			check.Stop(fact.Gap{
				Reason: fact.NotCollected, Operation: "iam:GetAccountAuthorizationDetails",
				Detail: fmt.Sprintf("%s is attached to %s, of which %d are among those that AWS lists", p.Name, count(d.Attachments, "identity", "identities"), others),
			})
		}
		excused += others
	}
	if excused > 0 {
		return check.Passed("policies of AWS that allow everything are attached to roles of AWS services and of IAM Identity Center alone")
	}
	return check.Passed("no policy of AWS that allows everything is attached")
}

// holdersOf names the identities that a policy is attached to and that the account can
// change, and counts those that it cannot. Where some may be hidden the rule ends here,
// as NOT_ASSESSED, unless some are known.
func holdersOf(e *check.Evidence, policy string) (holders []string, others int) {
	users, hiddenUsers := usersWith.Some(e, policy)
	groups, hiddenGroups := groupsWith.Some(e, policy)
	roles, hiddenRoles := rolesWith.Some(e, policy)
	for _, u := range users {
		check.Read(e, u.Detail)
		holders = append(holders, "user "+u.Name)
	}
	for _, g := range groups {
		check.Read(e, g.Detail)
		holders = append(holders, "group "+g.Name)
	}
	for _, r := range roles {
		if elsewhere(check.Read(e, r.Detail)) != "" {
			others++
			continue
		}
		holders = append(holders, "role "+r.Name)
	}
	slices.Sort(holders)
	if gaps := slices.Concat(hiddenUsers, hiddenGroups, hiddenRoles); len(gaps) > 0 && len(holders) == 0 {
		check.Stop(gaps...)
	}
	return holders, others
}

func federated(e *check.Evidence, a Account) check.Verdict {
	users := check.Read(e, a.Users)
	if users == 0 {
		return check.Inapplicable("the account has no IAM users")
	}
	if providers, _ := check.Some[SAMLProvider](e); len(providers) > 0 {
		return check.Passed("people can sign in through " + providers[0].Name)
	}
	check.All[SAMLProvider](e)
	return check.Failed("the account has " + count(users, "IAM user", "IAM users") + " and no SAML provider")
}

func providerRules() []check.Rule {
	return []check.Rule{
		check.For("iam-server-certificate-not-expired", model.High, certificateValid),
		check.For("iam-saml-provider-not-expired", model.Low, samlValid),
		check.Across("iam-oidc-provider-used", model.Low, oidcUsed, check.Using[Role]()),
	}
}

func certificateValid(e *check.Evidence, c ServerCertificate) check.Verdict {
	expires := check.Read(e, c.Detail).Expires
	return check.Must(e.Age(expires) < 0, "the certificate is valid until "+day(expires), "the certificate expired on "+day(expires))
}

func samlValid(e *check.Evidence, p SAMLProvider) check.Verdict {
	until := check.Read(e, p.Detail).ValidUntil
	if until == nil {
		return check.Inapplicable("AWS gives no end of validity")
	}
	return check.Must(e.Age(*until) < 0, "the metadata is valid until "+day(*until), "the metadata expired on "+day(*until))
}

func oidcUsed(e *check.Evidence, p OIDCProvider) check.Verdict {
	check.Read(e, p.Detail)
	roles, gaps := rolesTrusting.Some(e, p.ARN)
	if len(roles) > 0 {
		check.Read(e, roles[0].Detail)
		return check.Passed("the role " + roles[0].Name + " trusts the provider")
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("no role trusts the provider")
}

// rolesTrusting finds the account's own roles by the principals that they trust.
var rolesTrusting = check.NewIndex(func(e *check.Evidence, r Role) []string {
	if d := check.Read(e, r.Detail); d.ServiceLinked() || d.Reserved() {
		return nil
	}
	var principals []string
	for _, t := range trusts(e, r, policyrule.Owner(r.Ref)) {
		principals = append(principals, t.Principal)
	}
	return principals
})

// awsPolicy is the ARN of a managed policy of AWS.
func awsPolicy(ref model.Ref, name string) string {
	return "arn:" + ref.Partition() + ":iam::aws:policy/" + name
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
