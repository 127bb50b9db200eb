package iam_test

import (
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
			{Name: "inline", Resource: group(nil), Others: []check.Resource{inlineOf(group(nil).Ref, "group", everything)}, Want: check.Fail},
		},
	}
}

func roleCases() checktest.Table {
	admin := role(func(d *iam.RoleDetail) { d.Attached = []string{administratorAccess} })
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
			{Name: "any repository", Resource: subject(github, "repo:*"), Want: check.Fail},
			{Name: "audience only", Resource: audience(github), Want: check.Fail},
			{Name: "no condition", Resource: trustedBy(federated(github, `{}`)), Want: check.Fail},
			{Name: "one service account", Resource: subject(eks, "system:serviceaccount:shop:api"), Want: check.Pass},
			{Name: "a namespace", Resource: subject(eks, "system:serviceaccount:shop:*"), Want: check.Pass},
			{Name: "all service accounts", Resource: subject(eks, "system:serviceaccount:*:*"), Want: check.Fail},
			{Name: "a whole cluster", Resource: audience(eks), Want: check.Fail},
			{Name: "own issuer", Resource: audience("login.example.com"), Want: check.Pass},
			{Name: "none", Resource: role(nil), Want: check.NotApplicable},
		},
	}
}
