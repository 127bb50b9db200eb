package iampolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

func TestTrusts(t *testing.T) {
	type trust = iampolicy.Trust
	github := "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
	for name, c := range map[string]struct {
		policy string
		want   []trust
	}{
		"own account": {
			`{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}`,
			[]trust{{Kind: iampolicy.TrustOwnAccount, Principal: "arn:aws:iam::111122223333:root", MFA: true}},
		},
		"third party with external id": {
			`{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "s3cr3t"}}}`,
			[]trust{{Kind: iampolicy.TrustForeignAccount, Principal: "999988887777", Level: cross, ExternalID: true}},
		},
		"external id open, MFA if any": {
			`{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole", "Condition": {"StringLike": {"sts:ExternalId": "*"}, "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}}`,
			[]trust{{Kind: iampolicy.TrustForeignAccount, Principal: "999988887777", Level: cross}},
		},
		"external id if it exists": {
			`{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole", "Condition": {"StringEqualsIfExists": {"sts:ExternalId": "x"}}}`,
			[]trust{{Kind: iampolicy.TrustForeignAccount, Principal: "999988887777", Level: cross}},
		},
		"service": {
			`{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}`,
			[]trust{{Kind: iampolicy.TrustService, Principal: "ec2.amazonaws.com", Level: unscoped}},
		},
		"service, scoped": {
			`{"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}`,
			[]trust{{Kind: iampolicy.TrustService, Principal: "config.amazonaws.com"}},
		},
		"everyone of the organization": {
			`{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`,
			[]trust{{Kind: iampolicy.TrustAnyone, Principal: "*", Level: ownOrg}},
		},
		"everyone": {
			`{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}`,
			[]trust{{Kind: iampolicy.TrustAnyone, Principal: "*", Level: public}},
		},
		"deleted": {
			`{"Effect": "Allow", "Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, "Action": "sts:AssumeRole"}`,
			[]trust{{Kind: iampolicy.TrustNobody, Principal: "AIDACKCEVSQ6C2EXAMPLE"}},
		},
		"SAML": {
			`{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/idp"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}}`,
			[]trust{{Kind: iampolicy.TrustSAML, Principal: "arn:aws:iam::111122223333:saml-provider/idp", Audiences: []string{"https://signin.aws.amazon.com/saml"}}},
		},
		"GitHub, one repository": {
			`{"Effect": "Allow", "Principal": {"Federated": "` + github + `"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:me/app:*"}, "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}`,
			[]trust{{Kind: iampolicy.TrustOIDC, Principal: github, Level: restricted, Subjects: []string{"repo:me/app:*"}, Audiences: []string{"sts.amazonaws.com"}}},
		},
		"GitHub, audience only": {
			`{"Effect": "Allow", "Principal": {"Federated": "` + github + `"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}`,
			[]trust{{Kind: iampolicy.TrustOIDC, Principal: github, Level: public, Audiences: []string{"sts.amazonaws.com"}}},
		},
		"GitHub, any owner": {
			`{"Effect": "Allow", "Principal": {"Federated": "` + github + `"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*/app:*"}}}`,
			[]trust{{Kind: iampolicy.TrustOIDC, Principal: github, Level: public, Subjects: []string{"repo:*/app:*"}}},
		},
		"EKS cluster": {
			`{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"}, "Action": "sts:AssumeRoleWithWebIdentity"}`,
			[]trust{{Kind: iampolicy.TrustOIDC, Principal: "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"}},
		},
		"Cognito pool": {
			`{"Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:1-2-3"}}}`,
			[]trust{{Kind: iampolicy.TrustOIDC, Principal: "cognito-identity.amazonaws.com", Level: restricted, Audiences: []string{"eu-west-1:1-2-3"}}},
		},
		"only a Deny": {`{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.want {
				c.want[i].Statement = "statement 1"
			}
			got := parse(t, c.policy).Trusts(zone())
			if d := cmp.Diff(c.want, got, cmpopts.IgnoreFields(trust{}, "Parties", "Why")); d != "" {
				t.Error(d)
			}
		})
	}
}
