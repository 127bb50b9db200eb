package iam

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
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
		check.Across("iam-administrator-access-not-attached", model.Medium, noAdministratorAccess, check.Using[Policy]()),
		check.Across("iam-federated-sign-in", model.Low, federated, check.Using[SAMLProvider]()),
	}
}

func supportRole(e *check.Evidence, a Account) check.Verdict {
	policy := awsPolicy(a.Ref, "AWSSupportAccess")
	roles, _ := check.Some[Role](e)
	for _, r := range roles {
		if d, ok := check.Try(e, r.Detail); ok && slices.Contains(d.Attached, policy) {
			return check.Passed("the role " + r.Name + " has AWSSupportAccess")
		}
	}
	for _, r := range check.All[Role](e) {
		check.Read(e, r.Detail) // one that could not be read may be the support role
	}
	return check.Failed("no role has the policy AWSSupportAccess")
}

func noCloudShell(e *check.Evidence, a Account) check.Verdict {
	policy := awsPolicy(a.Ref, "AWSCloudShellFullAccess")
	var holders []string
	for _, u := range check.All[User](e) {
		if slices.Contains(check.Read(e, u.Detail).Attached, policy) {
			holders = append(holders, "user "+u.Name)
		}
	}
	for _, g := range check.All[Group](e) {
		if slices.Contains(check.Read(e, g.Detail).Attached, policy) {
			holders = append(holders, "group "+g.Name)
		}
	}
	for _, r := range check.All[Role](e) {
		if slices.Contains(check.Read(e, r.Detail).Attached, policy) {
			holders = append(holders, "role "+r.Name)
		}
	}
	slices.Sort(holders)
	if len(holders) > 0 {
		return check.Failed("AWSCloudShellFullAccess is attached to " + list(holders))
	}
	return check.Passed("nobody has AWSCloudShellFullAccess")
}

// noAdministratorAccess judges AWS's own policies for the account as a whole: a
// verdict for each of them would drown the account's in passes for AWS.
func noAdministratorAccess(e *check.Evidence, _ Account) check.Verdict {
	for _, p := range check.All[Policy](e) {
		d := check.Read(e, p.Detail)
		if d.AWS && d.Attachments > 0 && parse(e, d.Document).IsAdmin() {
			return check.Failed(fmt.Sprintf("%s is attached to %s", p.Name, count(d.Attachments, "identity", "identities")))
		}
	}
	return check.Passed("no policy of AWS that allows everything is attached")
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
	for _, r := range check.All[Role](e) {
		d := check.Read(e, r.Detail)
		if d.ServiceLinked() || d.Reserved() {
			continue
		}
		for _, t := range trusts(e, r) {
			if t.Principal == p.ARN {
				return check.Passed("the role " + r.Name + " trusts the provider")
			}
		}
	}
	return check.Failed("no role trusts the provider")
}

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

// list names a few and counts the rest.
func list(names []string) string {
	const most = 3
	text := ""
	for i, name := range names[:min(most, len(names))] {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
