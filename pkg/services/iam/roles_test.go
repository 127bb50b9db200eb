package iam_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

const (
	github = "token.actions.githubusercontent.com"
	eks    = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
)

func trust(principal, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole","Condition":` + condition + `}]}`
}

func foreign(condition string) string {
	return trust(`{"AWS":"arn:aws:iam::999988887777:root"}`, condition)
}

func federated(issuer, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + account + `:oidc-provider/` + issuer +
		`"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + condition + `}]}`
}

// role is a role for EC2 that was used yesterday, changed as a case needs.
func role(change func(*iam.RoleDetail)) iam.Role {
	d := iam.RoleDetail{Path: "/", Created: ago(400), Trust: trust(`{"Service":"ec2.amazonaws.com"}`, `{}`), Used: past(1)}
	if change != nil {
		change(&d)
	}
	return iam.Role{Resource: ref("role", "web"), Detail: fact.Known(d)}
}

func trustedBy(document string) iam.Role {
	return role(func(d *iam.RoleDetail) { d.Trust = document })
}

// ofService is the role as a service-linked one.
func ofService(r iam.Role) iam.Role { return at(r, "/aws-service-role/eks.amazonaws.com/") }

func at(r iam.Role, path string) iam.Role {
	d, _ := r.Detail.Get()
	d.Path = path
	r.Detail = fact.Known(d)
	return r
}

func group(change func(*iam.GroupDetail)) iam.Group {
	var d iam.GroupDetail
	if change != nil {
		change(&d)
	}
	return iam.Group{Resource: ref("group", "people"), Detail: fact.Known(d)}
}

// TestOIDCIssuers: the customer of a shared issuer is fixed by the claims that AWS's
// list names for it, and by nothing else.
func TestOIDCIssuers(t *testing.T) {
	t.Parallel()
	const (
		gitlab    = "gitlab.com"
		terraform = "app.terraform.io"
		buildkite = "agent.buildkite.com"
		pulumi    = "api.pulumi.com/oidc"
		vercel    = "oidc.vercel.com"
		sentinel  = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"
	)
	like := func(issuer, claim, value string) string {
		return `{"StringLike":{"` + issuer + ":" + claim + `":"` + value + `"}}`
	}
	equals := func(issuer, claim, value string) string {
		return `{"StringEquals":{"` + issuer + ":" + claim + `":"` + value + `"}}`
	}
	for name, c := range map[string]struct {
		issuer, condition string
		want              check.Status
	}{
		"repository":                       {github, like(github, "sub", "repo:my-org/app:*"), check.Pass},
		"organization":                     {github, like(github, "sub", "repo:my-org/*"), check.Pass},
		"organization with its id":         {github, like(github, "sub", "repo:my-org@65/app@7:*"), check.Pass},
		"organizations that begin so":      {github, like(github, "sub", "repo:my-org*"), check.Fail},
		"organizations that end so":        {github, like(github, "sub", "*my-org/*"), check.Fail},
		"any organization's repository":    {github, like(github, "sub", "repo:*/app:*"), check.Fail},
		"one letter open":                  {github, like(github, "sub", "repo:or?/x"), check.Fail},
		"environment first":                {github, like(github, "sub", "environment:production:repo:*"), check.Fail},
		"environment first, then ours":     {github, like(github, "sub", "environment:production:repo:my-org/*"), check.Pass},
		"branch first":                     {github, like(github, "sub", "ref:refs/heads/main:repo:*"), check.Fail},
		"environment alone":                {github, equals(github, "sub", "environment:production"), check.Fail},
		"owner in the subject":             {github, like(github, "sub", "repository_owner:my-org:*"), check.Pass},
		"owner's id in the subject":        {github, like(github, "sub", "repository_owner_id:65:*"), check.Pass},
		"owners that begin so":             {github, like(github, "sub", "repository_owner:my-org*"), check.Fail},
		"workflow in the subject":          {github, like(github, "sub", "job_workflow_ref:my-org/flows/*"), check.Pass},
		"enterprise in the subject":        {github, like(github, "sub", "enterprise:mine:*"), check.Pass},
		"owner's id, any subject":          {github, `{"StringEquals":{"` + github + `:repository_owner_id":"65"},"StringLike":{"` + github + `:sub":"repo:*"}}`, check.Pass},
		"repository's id":                  {github, equals(github, "repository_id", "1234"), check.Pass},
		"repository as a claim":            {github, equals(github, "repository", "my-org/app"), check.Pass},
		"repositories as a claim":          {github, like(github, "repository", "my-org/*"), check.Pass},
		"any repository as a claim":        {github, like(github, "repository", "*/app"), check.Fail},
		"workflow as a claim":              {github, like(github, "job_workflow_ref", "my-org/flows/.github/workflows/*"), check.Pass},
		"enterprise's id":                  {github, equals(github, "enterprise_id", "9"), check.Pass},
		"branch as a claim":                {github, equals(github, "ref", "refs/heads/main"), check.Fail},
		"environment as a claim":           {github, equals(github, "environment", "production"), check.Fail},
		"actor, whom anybody can call":     {github, equals(github, "actor", "dependabot[bot]"), check.Fail},
		"a claim that nobody knows":        {github, equals(github, "repositry_id", "1234"), check.Fail},
		"one of two is open":               {github, `{"StringLike":{"` + github + `:sub":["repo:my-org/*","repo:*"]}}`, check.Fail},
		"all values":                       {github, `{"ForAllValues:StringLike":{"` + github + `:sub":"repo:my-org/*"}}`, check.Pass},
		"all values of any":                {github, `{"ForAllValues:StringLike":{"` + github + `:sub":"repo:*"}}`, check.Fail},
		"if it exists":                     {github, `{"StringLikeIfExists":{"` + github + `:sub":"repo:my-org/*"}}`, check.Pass},
		"a claim that may be missing":      {github, `{"ForAllValues:StringEquals":{"` + github + `:repository_id":"1234"}}`, check.Fail},
		"all but one":                      {github, `{"StringNotLike":{"` + github + `:sub":"repo:my-org/*"}}`, check.Fail},
		"a wildcard that is none":          {github, equals(github, "sub", "repo:*"), check.Pass}, // nobody's token says so
		"an enterprise's issuer":           {github + "/mine", equals(github+"/mine", "aud", "sts.amazonaws.com"), check.Pass},
		"Azure Pipelines of GitHub":        {"vstoken.actions.githubusercontent.com", equals("vstoken.actions.githubusercontent.com", "aud", "sts.amazonaws.com"), check.Fail},
		"the audit log":                    {"oidc-configuration.audit-log.githubusercontent.com", equals("oidc-configuration.audit-log.githubusercontent.com", "sub", "https://github.com/my-enterprise"), check.Pass},
		"the audit log of any":             {"oidc-configuration.audit-log.githubusercontent.com", like("oidc-configuration.audit-log.githubusercontent.com", "sub", "https://github.com/*"), check.Fail},
		"the audit log, audience":          {"oidc-configuration.audit-log.githubusercontent.com", equals("oidc-configuration.audit-log.githubusercontent.com", "aud", "sts.amazonaws.com"), check.Fail},
		"GitLab's group":                   {gitlab, like(gitlab, "sub", "project_path:mine/*:ref_type:branch:ref:main"), check.Pass},
		"GitLab's groups that begin so":    {gitlab, like(gitlab, "sub", "project_path:mine*"), check.Fail},
		"GitLab's branch":                  {gitlab, like(gitlab, "sub", "ref_type:branch:ref:main:project_path:*"), check.Fail},
		"Terraform's organization":         {terraform, like(terraform, "sub", "organization:mine:project:*"), check.Pass},
		"Terraform's project":              {terraform, like(terraform, "sub", "organization:*:project:prod:*"), check.Fail},
		"Buildkite's organization":         {buildkite, like(buildkite, "sub", "organization:mine:*"), check.Pass},
		"Codefresh":                        {"oidc.codefresh.io", equals("oidc.codefresh.io", "aud", "sts"), check.Fail},
		"Codefresh's account":              {"oidc.codefresh.io", like("oidc.codefresh.io", "sub", "account:64f8:*"), check.Pass},
		"Scalr":                            {"scalr.io", equals("scalr.io", "aud", "aws.scalr-run-workload"), check.Fail},
		"Scalr's account":                  {"scalr.io", like("scalr.io", "sub", "account:mine:environment:*"), check.Pass},
		"Upbound":                          {"proidc.upbound.io", equals("proidc.upbound.io", "aud", "sts.amazonaws.com"), check.Fail},
		"Upbound's organization":           {"proidc.upbound.io", like("proidc.upbound.io", "sub", "mcp:mine/*:provider:provider-aws"), check.Pass},
		"Shisho":                           {"tokens.cloud.shisho.dev", equals("tokens.cloud.shisho.dev", "aud", "sts.amazonaws.com"), check.Fail},
		"DataChain":                        {"studio.datachain.ai/api", equals("studio.datachain.ai/api", "aud", "sts.amazonaws.com"), check.Fail},
		"DataChain's team":                 {"studio.datachain.ai/api", like("studio.datachain.ai/api", "sub", "credentials:mine/*"), check.Pass},
		"sandboxes.cloud's audience":       {"sandboxes.cloud", equals("sandboxes.cloud", "aud", "mine"), check.Pass},
		"sandboxes.cloud":                  {"sandboxes.cloud", `{}`, check.Fail},
		"Pulumi's audience":                {pulumi, equals(pulumi, "aud", "aws:my-org"), check.Pass},
		"Pulumi's organization":            {pulumi, like(pulumi, "sub", "pulumi:deploy:org:mine:project:*"), check.Pass},
		"any Pulumi organization":          {pulumi, like(pulumi, "sub", "pulumi:deploy:org:*:project:prod:*"), check.Fail},
		"Vercel's audience":                {vercel, equals(vercel, "aud", "https://vercel.com/my-team"), check.Pass},
		"any Vercel team":                  {vercel, like(vercel, "aud", "https://vercel.com/*"), check.Fail},
		"Vercel's team":                    {vercel, like(vercel, "sub", "owner:my-team:project:*"), check.Pass},
		"a team's own issuer at Vercel":    {vercel + "/my-team", equals(vercel+"/my-team", "aud", "https://vercel.com/my-team"), check.Pass},
		"Sentinel":                         {sentinel, equals(sentinel, "aud", "api://1462b192-27f7-4cb9-8523-0f4ecb54b47e"), check.Fail},
		"Sentinel's session":               {sentinel, `{"StringEquals":{"sts:RoleSessionName":"MicrosoftSentinel_1462b192"}}`, check.Pass},
		"a session's name, of another":     {github, `{"StringEquals":{"sts:RoleSessionName":"MicrosoftSentinel_1462b192"}}`, check.Fail},
		"Google's audience":                {"accounts.google.com", equals("accounts.google.com", "aud", "66677788899900pro0"), check.Pass},
		"CircleCI, one organization's own": {"oidc.circleci.com/org/1234", equals("oidc.circleci.com/org/1234", "aud", "1234"), check.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := verdict(t, "iam-role-oidc-subject", trustedBy(federated(c.issuer, c.condition))); v.Status != c.want {
				t.Errorf("%s (%s), want %s", v.Status, v.Reason, c.want)
			}
		})
	}
}

func groupCases() checktest.Table {
	loner := user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Groups = nil })
	admins := group(func(d *iam.GroupDetail) { d.Attached = []string{administratorAccess} })
	return checktest.Table{
		"iam-group-has-members": {
			{Name: "one", Resource: group(nil), Others: []check.Resource{loner, user(nil)}, Want: check.Pass},
			{Name: "none", Resource: group(nil), Others: []check.Resource{loner}, Want: check.Fail},
		},
		"iam-group-no-administrator-access": {
			{Name: "none", Resource: group(nil), Want: check.Pass},
			{Name: "attached", Resource: admins, Others: []check.Resource{awsManaged(everything)}, Want: check.Fail},
			{Name: "inline", Resource: group(nil), Others: []check.Resource{inlineOf(group(nil).Ref, everything)}, Want: check.Fail},
		},
	}
}

func roleCases() checktest.Table {
	admin := role(func(d *iam.RoleDetail) { d.Attached = []string{administratorAccess} })
	writesItself := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"` + role(nil).ARN + `"}}`
	used := func(used *time.Time, created time.Time) iam.Role {
		return role(func(d *iam.RoleDetail) { d.Used, d.Created = used, created })
	}
	return checktest.Table{
		"iam-role-no-administrator-access": {
			{Name: "none", Resource: role(nil), Want: check.Pass},
			{Name: "attached", Resource: admin, Others: []check.Resource{awsManaged(everything)}, Want: check.Fail},
			{Name: "of a service", Resource: ofService(admin), Want: check.NotApplicable},
			{Name: "of Identity Center", Resource: at(admin, "/aws-reserved/sso.amazonaws.com/"), Want: check.NotApplicable},
		},
		"iam-role-no-privilege-escalation": {
			{Name: "none", Resource: role(nil), Want: check.Pass},
			{Name: "by itself", Resource: role(nil), Others: []check.Resource{inlineOf(role(nil).Ref, writesItself)}, Want: check.Fail},
			{Name: "an administrator", Resource: admin, Others: []check.Resource{awsManaged(everything)}, Want: check.NotApplicable},
			{Name: "of a service", Resource: ofService(admin), Others: []check.Resource{inlineOf(role(nil).Ref, writesItself)}, Want: check.NotApplicable},
			{Name: "of Identity Center", Resource: at(admin, "/aws-reserved/sso.amazonaws.com/"), Want: check.NotApplicable},
			{Name: "garbled", Resource: role(nil), Others: []check.Resource{inlineOf(role(nil).Ref, garbled)}, Want: check.NotAssessed},
		},
		"iam-role-used-recently": {
			{Name: "yesterday", Resource: role(nil), Want: check.Pass},
			{Name: "90 days ago", Resource: used(past(90), ago(400)), Want: check.Fail},
			{Name: "never, new", Resource: used(nil, ago(10)), Want: check.Pass},
			{Name: "never, old", Resource: used(nil, ago(90)), Want: check.Fail},
			{Name: "of a service", Resource: ofService(used(nil, ago(400))), Want: check.NotApplicable},
		},
	}
}

func trustCases() checktest.Table {
	const (
		vendor = `{"StringEquals":{"sts:ExternalId":"f7a1"}}`
		mfa    = `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`
		member = `{"StringEquals":{"aws:PrincipalOrgID":"o-abcde12345"}}`
		others = `{"StringEquals":{"aws:PrincipalOrgID":"o-zyxwv98765"}}`
		own    = `{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}`
		source = `{"StringEquals":{"aws:SourceAccount":"` + account + `"}}`
	)
	theirs := `{"StringEquals":{"aws:SourceAccount":"999988887777"}}`
	// deny is a trust in an account or a service from which a Deny takes something away.
	deny := func(principal, condition string) iam.Role {
		return trustedBy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"},
			{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":` + condition + `}]}`)
	}
	const partner = `{"AWS":"arn:aws:iam::999988887777:root"}`
	noOrganization := []check.Resource{policytest.Blind(func(z *policyrule.Zone) {
		z.Organization = fact.Missing[string](fact.Denied, "organizations:DescribeOrganization")
	})}
	ownAccount := trustedBy(trust(`{"AWS":"arn:aws:iam::`+account+`:root"}`, `{}`))
	audit := func(condition string) iam.Role {
		r := trustedBy(foreign(condition))
		r.Resource = ref("role", "CloudArqAuditRole")
		return r
	}
	reader := func(document string) iam.Role {
		return role(func(d *iam.RoleDetail) {
			d.Trust, d.Attached = document, []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
		})
	}
	service := func(name, condition string) iam.Role { return trustedBy(trust(`{"Service":"`+name+`"}`, condition)) }
	subject := func(issuer, pattern string) iam.Role {
		return trustedBy(federated(issuer, `{"StringLike":{"`+issuer+`:sub":"`+pattern+`"}}`))
	}
	audience := func(issuer string) iam.Role {
		return trustedBy(federated(issuer, `{"StringEquals":{"`+issuer+`:aud":"sts.amazonaws.com"}}`))
	}
	return checktest.Table{
		"iam-role-not-open-to-anyone": {
			{Name: "a service", Resource: role(nil), Want: check.Pass},
			{Name: "a foreign account", Resource: trustedBy(foreign(`{}`)), Want: check.Pass},
			{Name: "anyone", Resource: trustedBy(trust(`{"AWS":"*"}`, `{}`)), Want: check.Fail},
			{Name: "anyone with an external id", Resource: trustedBy(trust(`"*"`, vendor)), Want: check.Fail},
			{Name: "anyone from a network", Resource: trustedBy(trust(`"*"`, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`)), Want: check.Fail},
			{Name: "anyone of an organization", Resource: trustedBy(trust(`"*"`, member)), Want: check.Pass},
			{Name: "garbled", Resource: trustedBy(garbled), Want: check.NotAssessed},
			{Name: "of a service", Resource: ofService(trustedBy(trust(`"*"`, `{}`))), Want: check.NotApplicable},
		},
		"iam-role-cross-account-protected": policytest.InZone([]checktest.Case{
			{Name: "external id", Resource: trustedBy(foreign(vendor)), Want: check.Pass},
			{Name: "MFA", Resource: trustedBy(foreign(mfa)), Want: check.Pass},
			{Name: "organization", Resource: trustedBy(foreign(member)), Want: check.Pass},
			{Name: "nothing", Resource: trustedBy(foreign(`{}`)), Want: check.Fail},
			{Name: "any external id", Resource: trustedBy(foreign(`{"StringLike":{"sts:ExternalId":"*"}}`)), Want: check.Fail},
			{Name: "anyone bounded to an account", Resource: trustedBy(trust(`"*"`, `{"StringEquals":{"aws:PrincipalAccount":"999988887777"}}`)), Want: check.Fail},
			{Name: "audit role", Resource: audit(vendor), Want: check.Pass},
			{Name: "audit role with MFA only", Resource: audit(mfa), Want: check.Fail},
			{Name: "audit role with nothing", Resource: audit(`{}`), Want: check.Fail},
			{Name: "own account", Resource: ownAccount, Want: check.NotApplicable},
			{Name: "a trusted account", Resource: trustedBy(trust(`{"AWS":"777788889999"}`, `{}`)), Want: check.NotApplicable},
			{Name: "organization, whatever its id", Resource: trustedBy(foreign(own)), Want: check.Pass},
			{Name: "another organization", Resource: trustedBy(foreign(others)), Want: check.Fail},
			{Name: "an organization, and nobody knows the owner's", Resource: trustedBy(foreign(member)), Others: noOrganization, Want: check.NotAssessed},
			{Name: "anyone of the organization", Resource: trustedBy(trust(`"*"`, own)), Want: check.Pass},
			{Name: "anyone of another organization", Resource: trustedBy(trust(`"*"`, others)), Want: check.Fail},
			{Name: "denied without the external id", Resource: deny(partner, `{"StringNotEquals":{"sts:ExternalId":"f7a1"}}`), Want: check.Pass},
			{Name: "denied without any external id", Resource: deny(partner, `{"Null":{"sts:ExternalId":"true"}}`), Want: check.Fail},
			{Name: "denied without MFA", Resource: deny(partner, `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`), Want: check.Pass},
			{Name: "denied with a session without MFA, not with access keys", Resource: deny(partner, `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`), Want: check.Fail},
			{Name: "denied outside the organization", Resource: deny(partner, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-abcde12345"}}`), Want: check.Pass},
			{Name: "of Identity Center", Resource: at(trustedBy(foreign(`{}`)), "/aws-reserved/sso.amazonaws.com/"), Want: check.NotApplicable},
		}),
		"iam-role-cross-account-no-read-only-access": policytest.InZone([]checktest.Case{
			{Name: "something else", Resource: trustedBy(foreign(vendor)), Want: check.Pass},
			{Name: "reads all", Resource: reader(foreign(vendor)), Want: check.Fail},
			{Name: "reads all, in the organization", Resource: reader(foreign(member)), Want: check.Pass},
			{Name: "own account", Resource: ownAccount, Want: check.NotApplicable},
		}),
		"iam-role-service-source-scoped": policytest.InZone([]checktest.Case{
			{Name: "scoped", Resource: service("scheduler.amazonaws.com", source), Want: check.Pass},
			{Name: "not scoped", Resource: service("scheduler.amazonaws.com", `{}`), Want: check.Fail},
			{Name: "scoped to another account", Resource: service("scheduler.amazonaws.com", theirs), Want: check.Fail},
			{Name: "scoped to the organization, whatever its id", Resource: service("scheduler.amazonaws.com", `{"StringEquals":{"aws:SourceOrgID":"${aws:ResourceOrgID}"}}`), Want: check.Pass},
			{Name: "denied for other accounts", Resource: deny(`{"Service":"scheduler.amazonaws.com"}`, `{"StringNotEquals":{"aws:SourceAccount":"`+account+`"}}`), Want: check.Pass},
			{Name: "regional name", Resource: service("states.eu-west-1.amazonaws.com", `{}`), Want: check.Fail},
			{Name: "EC2", Resource: role(nil), Want: check.NotApplicable},
			{Name: "of a service", Resource: ofService(service("ssm.amazonaws.com", `{}`)), Want: check.NotApplicable},
		}),
		"iam-role-oidc-subject": {
			{Name: "one repository", Resource: subject(github, "repo:mine/app:*"), Want: check.Pass},
			{Name: "one repository for all values", Resource: trustedBy(federated(github, `{"ForAllValues:StringLike":{"`+github+`:sub":"repo:mine/app:*"}}`)), Want: check.Pass, Reports: []string{"BishopFox/cloudfox#118"}},
			{Name: "one service account for all values", Resource: trustedBy(federated(eks, `{"ForAllValues:StringEquals":{"`+eks+`:sub":"system:serviceaccount:shop:api"}}`)), Want: check.Pass},
			{Name: "any repository", Resource: subject(github, "repo:*"), Want: check.Fail},
			{Name: "audience only", Resource: audience(github), Want: check.Fail},
			{Name: "no condition", Resource: trustedBy(federated(github, `{}`)), Want: check.Fail},
			{Name: "one service account", Resource: subject(eks, "system:serviceaccount:shop:api"), Want: check.Pass},
			{Name: "a namespace", Resource: subject(eks, "system:serviceaccount:shop:*"), Want: check.Pass},
			{Name: "all service accounts", Resource: subject(eks, "system:serviceaccount:*:*"), Want: check.Fail},
			{Name: "a whole cluster", Resource: audience(eks), Want: check.Fail},
			{Name: "a whole cluster with IPv6", Resource: audience("oidc-eks.eu-west-1.api.aws/id/EXAMPLED539D4633E53DE1B71EXAMPLE"), Want: check.Fail},
			{Name: "one service account of a cluster with IPv6", Resource: subject("oidc-eks.eu-west-1.api.aws/id/EXAMPLED539D4633E53DE1B71EXAMPLE", "system:serviceaccount:shop:api"), Want: check.Pass},
			{Name: "own issuer", Resource: audience("login.example.com"), Want: check.Pass},
			{Name: "none", Resource: role(nil), Want: check.NotApplicable},
		},
	}
}
