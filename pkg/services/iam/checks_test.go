package iam_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

const (
	account = "111122223333"

	nothing    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::mine/*"}}`
	everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	garbled    = `{"Statement":`

	administratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	table := checktest.Table{}
	for _, part := range []checktest.Table{
		accountCases(), rootCases(), passwordCases(), userCases(), adminCases(), keyCases(), groupCases(),
		roleCases(), trustCases(), policyCases(), grantCases(), providerCases(),
	} {
		maps.Copy(table, part)
	}
	checktest.Run(t, iam.Service(), table, policytest.Zones())
}

func ref(kind, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: "arn:aws:iam::" + account + ":" + kind + "/" + name, Account: account, Region: model.Global, Name: name}}
}

func ago(days int) time.Time { return checktest.Now.AddDate(0, 0, -days) }

func past(days int) *time.Time { return new(ago(days)) }

func accountCases() checktest.Table {
	of := func(users int) iam.Account {
		return iam.Account{Resource: ref("account", account), Users: fact.Known(users)}
	}
	holder := func(arn string) iam.Role { return role(func(d *iam.RoleDetail) { d.Attached = []string{arn} }) }
	const support, shell = "arn:aws:iam::aws:policy/AWSSupportAccess", "arn:aws:iam::aws:policy/AWSCloudShellFullAccess"
	unread := role(nil)
	unread.Detail = fact.Missing[iam.RoleDetail](fact.Denied, "iam:GetAccountAuthorizationDetails")
	saml := iam.SAMLProvider{Resource: ref("saml-provider", "okta"), Detail: fact.Known(iam.SAMLProviderDetail{})}
	idle := awsManaged(everything)
	idle.Detail = fact.Known(iam.PolicyDetail{AWS: true, Boundaries: 1, Document: everything})
	holding := func(d *iam.RoleDetail) { d.Attached = []string{awsManaged(everything).ARN} }
	reserved := func(d *iam.RoleDetail) {
		holding(d)
		d.Path = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
	}
	return checktest.Table{
		"iam-support-role": {
			{Name: "a role", Resource: of(0), Others: []check.Resource{role(nil), holder(support)}, Want: check.Pass},
			{Name: "a role beside one unread", Resource: of(0), Others: []check.Resource{unread, holder(support)}, Want: check.Pass},
			{Name: "no role", Resource: of(0), Others: []check.Resource{role(nil)}, Want: check.Fail},
			{Name: "only one unread", Resource: of(0), Others: []check.Resource{unread}, Want: check.NotAssessed},
			{Name: "a policy of that name", Resource: of(0), Others: []check.Resource{holder("arn:aws:iam::111122223333:policy/AWSSupportAccess")}, Want: check.Fail},
		},
		"iam-cloudshell-full-access-not-attached": {
			{Name: "nobody", Resource: of(0), Others: []check.Resource{role(nil), group(nil), user(nil)}, Want: check.Pass},
			{Name: "role", Resource: of(0), Others: []check.Resource{holder(shell)}, Want: check.Fail},
			{Name: "group", Resource: of(0), Others: []check.Resource{group(func(d *iam.GroupDetail) { d.Attached = []string{shell} })}, Want: check.Fail},
			{Name: "user", Resource: of(0), Others: []check.Resource{
				user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Attached = []string{shell} }),
			}, Want: check.Fail},
		},
		"iam-administrator-access-not-attached": {
			{Name: "none", Resource: of(0), Want: check.Pass},
			{Name: "another", Resource: of(0), Others: []check.Resource{awsManaged(nothing)}, Want: check.Pass},
			{Name: "attached to a role", Resource: of(0), Others: []check.Resource{awsManaged(everything), role(holding)}, Want: check.Fail},
			{Name: "attached to a group", Resource: of(0), Others: []check.Resource{awsManaged(everything), group(func(d *iam.GroupDetail) { d.Attached = []string{awsManaged(everything).ARN} })}, Want: check.Fail},
			{Name: "attached to a role of IAM Identity Center alone", Resource: of(0), Others: []check.Resource{awsManaged(everything), role(reserved)}, Want: check.Pass},
			{Name: "attached to somebody who is not listed", Resource: of(0), Others: []check.Resource{awsManaged(everything)}, Want: check.NotAssessed},
			{Name: "boundary only", Resource: of(0), Others: []check.Resource{idle}, Want: check.Pass},
			{Name: "customer's", Resource: of(0), Others: []check.Resource{saying(everything)}, Want: check.Pass},
		},
		"iam-federated-sign-in": {
			{Name: "provider", Resource: of(3), Others: []check.Resource{saml}, Want: check.Pass},
			{Name: "no provider", Resource: of(3), Want: check.Fail},
			{Name: "no users", Resource: of(0), Want: check.NotApplicable},
		},
	}
}

func root(change func(*iam.RootUser, *iam.RootCredentials, *iam.RootUsage)) iam.RootUser {
	r := iam.RootUser{Resource: ref("root", "root"), VirtualMFA: fact.Known(false)}
	c := iam.RootCredentials{MFA: true}
	u := iam.RootUsage{Reported: ago(0), PasswordUsed: past(200)}
	if change != nil {
		change(&r, &c, &u)
	}
	r.Credentials, r.Usage = fact.Known(c), fact.Known(u)
	return r
}

func rootCases() checktest.Table {
	good := root(nil)
	credentials := func(c iam.RootCredentials) iam.RootUser {
		return root(func(_ *iam.RootUser, to *iam.RootCredentials, _ *iam.RootUsage) { *to = c })
	}
	usage := func(password, key *time.Time) iam.RootUser {
		return root(func(_ *iam.RootUser, _ *iam.RootCredentials, u *iam.RootUsage) {
			u.PasswordUsed, u.KeyUsed = password, key
		})
	}
	withKey := credentials(iam.RootCredentials{MFA: true, AccessKeys: true})
	noMFA := credentials(iam.RootCredentials{})
	central := credentials(iam.RootCredentials{NoPassword: true})
	keyLeft := credentials(iam.RootCredentials{NoPassword: true, AccessKeys: true})
	in := func(partition string, r iam.RootUser) iam.RootUser {
		r.ARN = strings.Replace(r.ARN, "arn:aws:", "arn:"+partition+":", 1)
		return r
	}
	return checktest.Table{
		"iam-root-no-access-keys": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "one", Resource: withKey, Want: check.Fail},
		},
		"iam-root-mfa": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: noMFA, Want: check.Fail},
			{Name: "no credentials at all", Resource: central, Want: check.NotApplicable},
			{Name: "only a key", Resource: keyLeft, Want: check.Fail},
			{Name: "off in GovCloud", Resource: in("aws-us-gov", noMFA), Want: check.NotApplicable, Reports: []string{"prowler-cloud/prowler#823", "prowler-cloud/prowler#1571", "nccgroup/ScoutSuite#1132", "aws-quickstart/quickstart-compliance-cis-benchmark#37"}},
			{Name: "off in China", Resource: in("aws-cn", noMFA), Want: check.NotApplicable},
		},
		"iam-root-hardware-mfa": {
			{Name: "hardware", Resource: good, Want: check.Pass},
			{Name: "off in GovCloud", Resource: in("aws-us-gov", noMFA), Want: check.NotApplicable, Reports: []string{"prowler-cloud/prowler#1160", "prowler-cloud/prowler#1576"}},
			{Name: "virtual", Resource: root(func(r *iam.RootUser, _ *iam.RootCredentials, _ *iam.RootUsage) { r.VirtualMFA = fact.Known(true) }), Want: check.Fail},
			{Name: "none", Resource: noMFA, Want: check.Fail},
			{Name: "no credentials at all", Resource: central, Want: check.NotApplicable},
			{Name: "devices denied", Resource: root(func(r *iam.RootUser, _ *iam.RootCredentials, _ *iam.RootUsage) {
				r.VirtualMFA = fact.Missing[bool](fact.Denied, "iam:ListVirtualMFADevices")
			}), Want: check.NotAssessed},
		},
		"iam-root-not-used-recently": {
			{Name: "long ago", Resource: good, Want: check.Pass},
			{Name: "never", Resource: usage(nil, nil), Want: check.Pass},
			{Name: "30 days ago", Resource: usage(past(30), nil), Want: check.Pass},
			{Name: "29 days ago", Resource: usage(past(29), nil), Want: check.Fail},
			{Name: "by key", Resource: usage(past(200), past(2)), Want: check.Fail},
			{Name: "by password after key", Resource: usage(past(1), past(90)), Want: check.Fail},
		},
		"iam-root-no-signing-certificates": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "one", Resource: credentials(iam.RootCredentials{MFA: true, Certificates: true}), Want: check.Fail},
		},
	}
}

func passwordCases() checktest.Table {
	of := func(change func(*iam.PasswordRules)) iam.PasswordPolicy {
		r := iam.PasswordRules{
			Set: true, MinimumLength: 14, Uppercase: true, Lowercase: true, Numbers: true, Symbols: true, MaximumAgeDays: 90, Remembered: 24,
		}
		change(&r)
		return iam.PasswordPolicy{Resource: ref("account-password-policy", "password policy"), Rules: fact.Known(r)}
	}
	good := check.Resource(of(func(*iam.PasswordRules) {}))
	unset := check.Resource(of(func(r *iam.PasswordRules) { *r = iam.PasswordRules{} }))
	cases := func(bad ...func(*iam.PasswordRules)) []checktest.Case {
		all := []checktest.Case{{Name: "strict", Resource: good, Want: check.Pass}, {Name: "default", Resource: unset, Want: check.Fail}}
		for _, change := range bad {
			all = append(all, checktest.Case{Name: "lax", Resource: of(change), Want: check.Fail})
		}
		return all
	}
	return checktest.Table{
		"iam-password-policy-set":              cases(),
		"iam-password-policy-minimum-length":   cases(func(r *iam.PasswordRules) { r.MinimumLength = 13 }),
		"iam-password-policy-reuse-prevention": cases(func(r *iam.PasswordRules) { r.Remembered = 23 }, func(r *iam.PasswordRules) { r.Remembered = 0 }),
		"iam-password-policy-expiry":           cases(func(r *iam.PasswordRules) { r.MaximumAgeDays = 91 }, func(r *iam.PasswordRules) { r.MaximumAgeDays = 0 }),
		"iam-password-policy-uppercase":        cases(func(r *iam.PasswordRules) { r.Uppercase = false }),
		"iam-password-policy-lowercase":        cases(func(r *iam.PasswordRules) { r.Lowercase = false }),
		"iam-password-policy-numbers":          cases(func(r *iam.PasswordRules) { r.Numbers = false }),
		"iam-password-policy-symbols":          cases(func(r *iam.PasswordRules) { r.Symbols = false }),
	}
}

func providerCases() checktest.Table {
	certificate := func(expires time.Time) iam.ServerCertificate {
		return iam.ServerCertificate{Resource: ref("server-certificate", "www"), Detail: fact.Known(iam.ServerCertificateDetail{Expires: expires})}
	}
	saml := func(until *time.Time) iam.SAMLProvider {
		return iam.SAMLProvider{Resource: ref("saml-provider", "okta"), Detail: fact.Known(iam.SAMLProviderDetail{ValidUntil: until})}
	}
	oidc := iam.OIDCProvider{Resource: ref("oidc-provider", github), Detail: fact.Known(iam.OIDCProviderDetail{Issuer: github})}
	deploy := trustedBy(federated(github, `{"StringLike":{"`+github+`:sub":"repo:mine/app:*"}}`))
	linked := trustedBy(federated(github, `{}`))
	return checktest.Table{
		"iam-server-certificate-not-expired": {
			{Name: "valid", Resource: certificate(ago(-1)), Want: check.Pass},
			{Name: "expired", Resource: certificate(ago(1)), Want: check.Fail},
		},
		"iam-saml-provider-not-expired": {
			{Name: "valid", Resource: saml(past(-1)), Want: check.Pass},
			{Name: "expired", Resource: saml(past(1)), Want: check.Fail},
			{Name: "without an end", Resource: saml(nil), Want: check.NotApplicable},
		},
		"iam-oidc-provider-used": {
			{Name: "by a role", Resource: oidc, Others: []check.Resource{role(nil), deploy}, Want: check.Pass},
			{Name: "by none", Resource: oidc, Others: []check.Resource{role(nil), ofService(linked)}, Want: check.Fail},
			{Name: "a trust policy cannot be read", Resource: oidc, Others: []check.Resource{trustedBy(garbled)}, Want: check.NotAssessed},
		},
	}
}
