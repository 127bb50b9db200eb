// Package collect reads the identities, credentials and policies of IAM from
// AWS. The number of calls grows with pages and not with identities.
package collect

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

// reportPause is the time before the second look at a credential report that
// AWS is still writing; later ones are further apart.
const reportPause = 500 * time.Millisecond

// Spec is how IAM is collected.
func Spec() collect.Spec { return spec(reportPause) }

func spec(pause time.Duration) collect.Spec {
	reports := reports{pause}
	return collect.Spec{
		Service: "iam",
		Global:  true,
		Walks: []collect.Walk{
			{
				Kinds: []string{iam.User{}.Kind(), iam.Group{}.Kind(), iam.Role{}.Kind(), iam.Policy{}.Kind(), iam.InlinePolicy{}.Kind()},
				Operations: []string{
					"IAM.GetAccountAuthorizationDetails", "IAM.ListVirtualMFADevices", "IAM.GetCredentialReport", "IAM.GenerateCredentialReport",
				},
				Run: reports.identities,
			},
			{
				Kinds:      []string{iam.AccessKey{}.Kind()},
				Operations: []string{"IAM.GetCredentialReport", "IAM.GenerateCredentialReport"},
				Run:        reports.accessKeys,
			},
			{
				Kinds: []string{iam.Account{}.Kind(), iam.RootUser{}.Kind()},
				Operations: []string{
					"IAM.GetAccountSummary", "IAM.ListVirtualMFADevices", "IAM.GetCredentialReport", "IAM.GenerateCredentialReport",
				},
				Run: reports.account,
			},
			{Kinds: []string{iam.PasswordPolicy{}.Kind()}, Operations: []string{"IAM.GetAccountPasswordPolicy"}, Run: passwordPolicy},
			{Kinds: []string{iam.ServerCertificate{}.Kind()}, Operations: []string{"IAM.ListServerCertificates"}, Run: serverCertificates},
			{Kinds: []string{iam.SAMLProvider{}.Kind()}, Operations: []string{"IAM.ListSAMLProviders"}, Run: samlProviders},
			{Kinds: []string{iam.OIDCProvider{}.Kind()}, Operations: []string{"IAM.ListOpenIDConnectProviders"}, Run: oidcProviders},
		},
	}
}

// account emits the account and its root user, which share one summary.
func (r reports) account(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	reading := collect.NewReading(ctx, s)
	root := iam.RootUser{Resource: s.Resource(s.ARN("iam", "root"), "root")}
	account := iam.Account{Resource: s.Resource(s.ARN("iam", "account"), s.Account)}
	reading.Do(func(context.Context) {
		told := collect.Get(reading, client.GetAccountSummary, &sdk.GetAccountSummaryInput{}, summarize)
		root.Credentials = fact.Map(told, func(a summary) iam.RootCredentials { return a.root })
		account.Users = fact.Map(told, func(a summary) int { return a.users })
	})
	reading.Do(func(context.Context) {
		devices := virtualDevices(reading, s)
		root.VirtualMFA = fact.Map(devices, func(owners map[string]bool) bool { return owners[root.ARN] })
	})
	reading.Do(func(context.Context) { root.Usage = rootUsage(r.read(reading, s), root.ARN) })
	if err := reading.Wait(); err != nil {
		return err
	}
	s.Emit(root)
	s.Emit(account)
	return nil
}

// summary is what is kept of GetAccountSummary.
type summary struct {
	root  iam.RootCredentials
	users int
}

func summarize(o *sdk.GetAccountSummaryOutput) summary {
	collect.RequiredEntries(o.ResultMetadata, "SummaryMap")
	told := func(key string) *int32 {
		if value, ok := o.SummaryMap[key]; ok {
			return &value
		}
		return nil
	}
	always := func(key string) int {
		value := collect.Required(key, told(key))
		return collect.Count(key, &value)
	}
	// Partitions without central management of root access do not send this one.
	password := told("AccountPasswordPresent")
	return summary{
		root: iam.RootCredentials{
			MFA:          always("AccountMFAEnabled") > 0,
			AccessKeys:   always("AccountAccessKeysPresent") > 0,
			Certificates: always("AccountSigningCertificatesPresent") > 0,
			NoPassword:   password != nil && collect.Count("AccountPasswordPresent", password) == 0,
		},
		users: always("Users"),
	}
}

// virtualDevices is the ARNs of the users, root among them, to whom a virtual
// MFA device is assigned. Hardware tokens and passkeys are in no such list.
func virtualDevices(reading *collect.Reading, s *collect.Session) fact.Of[map[string]bool] {
	return collect.Ask(reading, func(ctx context.Context) (map[string]bool, error) {
		return collect.Once(s, "virtual devices", func() (map[string]bool, error) {
			pages := sdk.NewListVirtualMFADevicesPaginator(sdk.NewFromConfig(s.Config), &sdk.ListVirtualMFADevicesInput{
				AssignmentStatus: types.AssignmentStatusTypeAssigned, MaxItems: aws.Int32(1000),
			})
			devices, err := collect.Pages(ctx, pages, func(o *sdk.ListVirtualMFADevicesOutput) []types.VirtualMFADevice {
				return collect.RequiredList("VirtualMFADevices", o.VirtualMFADevices)
			})
			owners := map[string]bool{}
			for _, d := range devices {
				owners[collect.RequiredARN("User.Arn", collect.Required("User", d.User).Arn)] = true
			}
			return owners, err
		})
	})
}

func passwordPolicy(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	reading := collect.NewReading(ctx, s)
	p := iam.PasswordPolicy{Resource: s.Resource(s.ARN("iam", "account-password-policy"), "password policy")}
	collect.Into(reading, &p.Rules, client.GetAccountPasswordPolicy, &sdk.GetAccountPasswordPolicyInput{},
		func(o *sdk.GetAccountPasswordPolicyOutput) iam.PasswordRules {
			r := o.PasswordPolicy
			told := func(value bool, name string) bool {
				return collect.RequiredMember(o.ResultMetadata, value, "PasswordPolicy", name)
			}
			return iam.PasswordRules{
				Set:            true,
				MinimumLength:  collect.Count("MinimumPasswordLength", r.MinimumPasswordLength),
				Uppercase:      told(r.RequireUppercaseCharacters, "RequireUppercaseCharacters"),
				Lowercase:      told(r.RequireLowercaseCharacters, "RequireLowercaseCharacters"),
				Numbers:        told(r.RequireNumbers, "RequireNumbers"),
				Symbols:        told(r.RequireSymbols, "RequireSymbols"),
				MaximumAgeDays: collect.Count("MaxPasswordAge", r.MaxPasswordAge),
				Remembered:     collect.Count("PasswordReusePrevention", r.PasswordReusePrevention),
			}
		}, "NoSuchEntity")
	if err := reading.Wait(); err != nil {
		return err
	}
	s.Emit(p)
	return nil
}

func serverCertificates(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListServerCertificatesPaginator(client, &sdk.ListServerCertificatesInput{MaxItems: aws.Int32(1000)})
	return collect.Each(ctx, s, pages,
		func(o *sdk.ListServerCertificatesOutput) []types.ServerCertificateMetadata {
			return o.ServerCertificateMetadataList
		},
		func(_ *collect.Reading, c types.ServerCertificateMetadata) *iam.ServerCertificate {
			return &iam.ServerCertificate{
				Resource: s.Resource(aws.ToString(c.Arn), aws.ToString(c.ServerCertificateName)),
				Detail:   fact.Known(iam.ServerCertificateDetail{Expires: *c.Expiration}),
			}
		})
}

func samlProviders(ctx context.Context, s *collect.Session) error {
	out, err := sdk.NewFromConfig(s.Config).ListSAMLProviders(ctx, &sdk.ListSAMLProvidersInput{})
	if err != nil {
		return err
	}
	return collect.EachOf(ctx, s, out.SAMLProviderList, func(_ *collect.Reading, p types.SAMLProviderListEntry) *iam.SAMLProvider {
		arn := aws.ToString(p.Arn)
		return &iam.SAMLProvider{
			Resource: s.Resource(arn, after(arn, ":saml-provider/")),
			Detail:   fact.Known(iam.SAMLProviderDetail{ValidUntil: p.ValidUntil}),
		}
	})
}

func oidcProviders(ctx context.Context, s *collect.Session) error {
	out, err := sdk.NewFromConfig(s.Config).ListOpenIDConnectProviders(ctx, &sdk.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return err
	}
	return collect.EachOf(ctx, s, out.OpenIDConnectProviderList, func(_ *collect.Reading, p types.OpenIDConnectProviderListEntry) *iam.OIDCProvider {
		arn := aws.ToString(p.Arn)
		issuer := after(arn, ":oidc-provider/")
		return &iam.OIDCProvider{
			Resource: s.Resource(arn, issuer),
			Detail:   fact.Known(iam.OIDCProviderDetail{Issuer: issuer}),
		}
	})
}

// after is what follows the mark; all of the text if it has none.
func after(text, mark string) string {
	if _, rest, ok := strings.Cut(text, mark); ok {
		return rest
	}
	return text
}
