package collect_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/iam/collect"
)

const (
	prefix    = "arn:aws:iam::111122223333:"
	statement = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::a+b/*"}]}`
	trust     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	boundary  = prefix + "policy/limit"
	admin     = "arn:aws:iam::aws:policy/AdministratorAccess"
)

var (
	created = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	used    = time.Date(2026, 5, 30, 8, 0, 0, 0, time.UTC)
	made    = time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
)

// credentialReport has what AWS writes: the root user first, its password
// "not_supported" in older reports, and the words for no time.
const credentialReport = `user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2026-05-30T08:00:00+00:00,not_supported,not_supported,true,true,2024-01-02T03:04:05+00:00,2024-01-02T03:04:05+00:00,us-east-1,iam,true,2024-01-02T03:04:05+00:00,2026-05-30T08:00:00+00:00,us-east-1,iam,false,N/A,false,N/A
alice,arn:aws:iam::111122223333:user/people/alice,2024-01-02T03:04:05+00:00,true,2026-05-30T08:00:00+00:00,2024-01-02T03:04:05+00:00,N/A,true,true,2024-01-02T03:04:05+00:00,2026-05-30T08:00:00+00:00,eu-west-1,s3,false,2024-01-02T03:04:05+00:00,N/A,N/A,N/A,false,N/A,false,N/A
bob,arn:aws:iam::111122223333:user/bob,2024-01-02T03:04:05+00:00,TRUE,no_information,2024-01-02T03:04:05+00:00,N/A,FALSE,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,FALSE,N/A
carol,arn:aws:iam::111122223333:user/carol,2019-01-01T00:00:00+00:00,true,no_information,2019-01-01T00:00:00+00:00,N/A,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
`

// reporting answers for the report as AWS does of an account where nobody asked
// for one yet: none, in progress, there.
func reporting(f *fake.Fake, content string) {
	var mu sync.Mutex
	state := "ReportNotPresent"
	fake.On(f, func(*sdk.GetCredentialReportInput) (*sdk.GetCredentialReportOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case "":
			return &sdk.GetCredentialReportOutput{Content: []byte(content), GeneratedTime: &made, ReportFormat: types.ReportFormatTypeTextCsv}, nil
		case "ReportInProgress":
			state = ""
			return nil, fake.Error("ReportInProgress")
		default:
			return nil, fake.Error(state)
		}
	})
	fake.On(f, func(*sdk.GenerateCredentialReportInput) (*sdk.GenerateCredentialReportOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		state = "ReportInProgress"
		return &sdk.GenerateCredentialReportOutput{State: types.ReportStateTypeStarted, Description: aws.String("No report exists. Starting a new report generation task")}, nil
	})
}

func full(f *fake.Fake) {
	reporting(f, credentialReport)
	details(f)
	fake.OnPages[sdk.ListVirtualMFADevicesInput](f,
		&sdk.ListVirtualMFADevicesOutput{IsTruncated: true, Marker: aws.String("2"), VirtualMFADevices: []types.VirtualMFADevice{
			{SerialNumber: aws.String(prefix + "mfa/phone"), EnableDate: &used, User: &types.User{Arn: aws.String(prefix + "user/people/alice"), UserName: aws.String("alice")}},
		}},
		&sdk.ListVirtualMFADevicesOutput{VirtualMFADevices: []types.VirtualMFADevice{
			{SerialNumber: aws.String(prefix + "mfa/root-account-mfa-device"), EnableDate: &used, User: &types.User{Arn: aws.String(prefix + "root"), UserId: aws.String("111122223333")}},
		}})
	fake.On(f, func(*sdk.GetAccountSummaryInput) (*sdk.GetAccountSummaryOutput, error) {
		return &sdk.GetAccountSummaryOutput{SummaryMap: map[string]int32{
			"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1, "AccountSigningCertificatesPresent": 1, "AccountPasswordPresent": 0, "Users": 4,
		}}, nil
	})
	fake.On(f, func(*sdk.GetAccountPasswordPolicyInput) (*sdk.GetAccountPasswordPolicyOutput, error) {
		return &sdk.GetAccountPasswordPolicyOutput{PasswordPolicy: &types.PasswordPolicy{
			MinimumPasswordLength: aws.Int32(14), RequireUppercaseCharacters: true, RequireLowercaseCharacters: true, RequireNumbers: true,
			RequireSymbols: true, ExpirePasswords: true, MaxPasswordAge: aws.Int32(90), PasswordReusePrevention: aws.Int32(24),
		}}, nil
	})
	fake.OnPages[sdk.ListServerCertificatesInput](f,
		&sdk.ListServerCertificatesOutput{IsTruncated: true, Marker: aws.String("2"), ServerCertificateMetadataList: []types.ServerCertificateMetadata{certificate("www")}},
		&sdk.ListServerCertificatesOutput{ServerCertificateMetadataList: []types.ServerCertificateMetadata{certificate("api")}})
	fake.On(f, func(*sdk.ListSAMLProvidersInput) (*sdk.ListSAMLProvidersOutput, error) {
		return &sdk.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{
			{Arn: aws.String(prefix + "saml-provider/okta"), CreateDate: &created, ValidUntil: &used},
		}}, nil
	})
	fake.On(f, func(*sdk.ListOpenIDConnectProvidersInput) (*sdk.ListOpenIDConnectProvidersOutput, error) {
		return &sdk.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []types.OpenIDConnectProviderListEntry{
			{Arn: aws.String(prefix + "oidc-provider/token.actions.githubusercontent.com")},
		}}, nil
	})
}

// details answers with two pages, where every list can be on any page.
func details(f *fake.Fake) {
	attached := []types.AttachedPolicy{{PolicyArn: aws.String(admin), PolicyName: aws.String("AdministratorAccess")}}
	limited := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy}
	inline := []types.PolicyDetail{{PolicyName: aws.String("own"), PolicyDocument: encoded(statement)}}
	user := func(path, name string) types.UserDetail {
		return types.UserDetail{Arn: aws.String(prefix + "user" + path + name), UserName: aws.String(name), Path: aws.String(path), CreateDate: &created}
	}
	alice := user("/people/", "alice")
	alice.GroupList, alice.AttachedManagedPolicies, alice.UserPolicyList, alice.PermissionsBoundary = []string{"people"}, attached, inline, limited
	version := func(id string, isDefault bool, document string) types.PolicyVersion {
		return types.PolicyVersion{VersionId: aws.String(id), IsDefaultVersion: isDefault, Document: encoded(document), CreateDate: &created}
	}
	fake.OnPages[sdk.GetAccountAuthorizationDetailsInput](f,
		&sdk.GetAccountAuthorizationDetailsOutput{
			IsTruncated: true, Marker: aws.String("2"),
			UserDetailList: []types.UserDetail{alice, user("/", "bob")},
			RoleDetailList: []types.RoleDetail{{
				Arn: aws.String(prefix + "role/web"), RoleName: aws.String("web"), Path: aws.String("/"), CreateDate: &created,
				AssumeRolePolicyDocument: encoded(trust), AttachedManagedPolicies: attached, RolePolicyList: inline, PermissionsBoundary: limited,
				RoleLastUsed: &types.RoleLastUsed{LastUsedDate: &used, Region: aws.String("eu-west-1")},
			}},
			Policies: []types.ManagedPolicyDetail{{
				Arn: aws.String(boundary), PolicyName: aws.String("limit"), AttachmentCount: aws.Int32(0), PermissionsBoundaryUsageCount: aws.Int32(2),
				PolicyVersionList: []types.PolicyVersion{version("v2", false, trust), version("v1", true, statement)},
			}},
		},
		&sdk.GetAccountAuthorizationDetailsOutput{
			UserDetailList: []types.UserDetail{user("/", "carol"), user("/", "dave")},
			GroupDetailList: []types.GroupDetail{{
				Arn: aws.String(prefix + "group/people"), GroupName: aws.String("people"), Path: aws.String("/"), CreateDate: &created,
				AttachedManagedPolicies: attached, GroupPolicyList: inline,
			}},
			RoleDetailList: []types.RoleDetail{{
				Arn:      aws.String(prefix + "role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"),
				RoleName: aws.String("AWSServiceRoleForSupport"), Path: aws.String("/aws-service-role/support.amazonaws.com/"), CreateDate: &created,
				AssumeRolePolicyDocument: encoded(trust), RoleLastUsed: &types.RoleLastUsed{},
			}},
			Policies: []types.ManagedPolicyDetail{
				{Arn: aws.String(admin), AttachmentCount: aws.Int32(3), PolicyVersionList: []types.PolicyVersion{version("v1", true, statement)}},
				{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"), PolicyName: aws.String("ReadOnlyAccess"), AttachmentCount: aws.Int32(0)},
			},
		})
}

// encoded is a document as IAM sends it, a space as %20 and a plus sign as %2B.
func encoded(document string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

func certificate(name string) types.ServerCertificateMetadata {
	return types.ServerCertificateMetadata{
		Arn: aws.String(prefix + "server-certificate/" + name), ServerCertificateName: aws.String(name), Path: aws.String("/"), Expiration: &used,
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.SpecEvery(time.Millisecond), full, expected())
}

func ref(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: prefix + arn, Account: collecttest.Account, Region: model.Global, Name: name}}
}

func expected() []check.Resource {
	row := func(change func(*iam.Credentials)) fact.Of[iam.Credentials] {
		c := iam.Credentials{Reported: made, Password: true, PasswordChanged: &created}
		change(&c)
		return fact.Known(c)
	}
	unknown := func(name string) iam.User {
		return iam.User{
			Resource: ref("user/"+name, name), Detail: fact.Known(iam.UserDetail{Created: created}), VirtualMFA: fact.Known(false),
			Credentials: fact.Unknown[iam.Credentials](fact.Gap{
				Reason: fact.NotCollected, Operation: "iam:GetCredentialReport", Region: model.Global,
				Detail: "the credential report of 2026-06-01T10:00:00Z has no row of this user; AWS makes a new report every four hours",
			}),
		}
	}
	first := iam.KeyDetail{Number: 1, Active: true, Rotated: &created, Used: &used}
	second := iam.KeyDetail{Number: 2, Rotated: &created}
	key := func(d iam.KeyDetail, sub, name string) iam.AccessKey {
		k := iam.AccessKey{Resource: ref("user/people/alice", name), Detail: fact.Known(d)}
		k.Sub = sub
		return k
	}
	inline := func(owner, arn, path string) iam.InlinePolicy {
		p := iam.InlinePolicy{Resource: ref(arn, "own"), Detail: fact.Known(iam.InlinePolicyDetail{Owner: owner, OwnerPath: path, Document: statement})}
		p.Sub = "policy/own"
		return p
	}
	administrator := iam.Policy{Resource: ref("", "AdministratorAccess"), Detail: fact.Known(iam.PolicyDetail{AWS: true, Attachments: 3, Document: statement})}
	administrator.ARN = admin
	linkedPath := "/aws-service-role/support.amazonaws.com/"
	return []check.Resource{
		iam.Account{Resource: ref("account", collecttest.Account), Users: fact.Known(4)},
		iam.RootUser{
			Resource:    ref("root", "root"),
			Credentials: fact.Known(iam.RootCredentials{MFA: true, AccessKeys: true, Certificates: true, NoPassword: true}),
			Usage:       fact.Known(iam.RootUsage{Reported: made, PasswordUsed: &used, KeyUsed: &used}),
			VirtualMFA:  fact.Known(true),
		},
		iam.PasswordPolicy{Resource: ref("account-password-policy", "password policy"), Rules: fact.Known(iam.PasswordRules{
			Set: true, MinimumLength: 14, Uppercase: true, Lowercase: true, Numbers: true, Symbols: true, MaximumAgeDays: 90, Remembered: 24,
		})},
		iam.User{
			Resource: ref("user/people/alice", "alice"), VirtualMFA: fact.Known(true),
			Detail: fact.Known(iam.UserDetail{
				Created: created, Groups: []string{"people"}, Attached: []string{admin}, Inline: []string{"own"}, Boundary: boundary,
			}),
			Credentials: row(func(c *iam.Credentials) { c.PasswordUsed, c.MFA, c.Keys = &used, true, []iam.KeyDetail{first, second} }),
		},
		iam.User{
			Resource: ref("user/bob", "bob"), VirtualMFA: fact.Known(false), Detail: fact.Known(iam.UserDetail{Created: created}),
			Credentials: row(func(*iam.Credentials) {}),
		},
		unknown("carol"), // the report's carol is an earlier user
		unknown("dave"),  // made after the report
		key(first, "access-key/1", "alice, access key 1"),
		key(second, "access-key/2", "alice, access key 2"),
		iam.Group{Resource: ref("group/people", "people"), Detail: fact.Known(iam.GroupDetail{Attached: []string{admin}})},
		iam.Role{Resource: ref("role/web", "web"), Detail: fact.Known(iam.RoleDetail{
			Path: "/", Created: created, Trust: trust, Attached: []string{admin}, Boundary: boundary, Used: &used,
		})},
		iam.Role{
			Resource: ref("role"+linkedPath+"AWSServiceRoleForSupport", "AWSServiceRoleForSupport"),
			Detail:   fact.Known(iam.RoleDetail{Path: linkedPath, Created: created, Trust: trust}),
		},
		administrator,
		iam.Policy{Resource: ref("policy/limit", "limit"), Detail: fact.Known(iam.PolicyDetail{Boundaries: 2, Document: statement})},
		inline("user", "user/people/alice", "/people/"),
		inline("group", "group/people", "/"),
		inline("role", "role/web", "/"),
		iam.ServerCertificate{Resource: ref("server-certificate/www", "www"), Detail: fact.Known(iam.ServerCertificateDetail{Expires: used})},
		iam.ServerCertificate{Resource: ref("server-certificate/api", "api"), Detail: fact.Known(iam.ServerCertificateDetail{Expires: used})},
		iam.SAMLProvider{Resource: ref("saml-provider/okta", "okta"), Detail: fact.Known(iam.SAMLProviderDetail{ValidUntil: &used})},
		iam.OIDCProvider{
			Resource: ref("oidc-provider/token.actions.githubusercontent.com", "token.actions.githubusercontent.com"),
			Detail:   fact.Known(iam.OIDCProviderDetail{Issuer: "token.actions.githubusercontent.com"}),
		},
	}
}
