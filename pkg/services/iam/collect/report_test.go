package collect_test

import (
	"context"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/iam/collect"
)

// found is the first resource of a type.
func found[R check.Resource](t *testing.T, in *collecttest.Found) R {
	t.Helper()
	for _, r := range in.Resources {
		if found, ok := r.(R); ok {
			return found
		}
	}
	var none R
	t.Fatalf("no %s was emitted", none.Kind())
	return none
}

func TestReport(t *testing.T) {
	t.Parallel()
	head, _, _ := strings.Cut(credentialReport, "\n")
	answering := func(content string) func(*fake.Fake) {
		return func(f *fake.Fake) { reporting(f, content) }
	}
	for name, c := range map[string]struct {
		answer func(*fake.Fake)
		detail string // of the gap
	}{
		"never ready": {func(f *fake.Fake) { fake.Fail[sdk.GetCredentialReportInput](f, "ReportInProgress") }, "ReportInProgress"},
		"always old":  {func(f *fake.Fake) { fake.Fail[sdk.GetCredentialReportInput](f, "ReportExpired") }, "ReportExpired"},
		"complete and gone": {func(f *fake.Fake) {
			fake.Fail[sdk.GetCredentialReportInput](f, "ReportNotPresent")
			fake.On(f, func(*sdk.GenerateCredentialReportInput) (*sdk.GenerateCredentialReportOutput, error) {
				return &sdk.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete}, nil
			})
		}, "ReportNotPresent"},
		"empty":           {answering(""), "is empty"},
		"no column":       {answering("user,arn\nbob,arn:aws:iam::111122223333:user/bob\n"), "no column"},
		"no truth value":  {answering(strings.ReplaceAll(credentialReport, "TRUE", "perhaps")), `"perhaps"`},
		"no time":         {answering(strings.ReplaceAll(credentialReport, "no_information", "lately")), `"lately"`},
		"no CSV":          {answering(head + "\n\"open"), "credential report"},
		"nobody, no root": {answering(head + "\n"), "has no row of the root user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fake.New()
			full(f)
			c.answer(f)
			got := collecttest.Walk(t, collect.SpecEvery(time.Microsecond), f)
			root := found[iam.RootUser](t, got)
			if gap := root.Usage.Gap(); gap == nil || !strings.Contains(gap.Detail, c.detail) {
				t.Errorf("usage of the root user: %+v, want a gap of %q", gap, c.detail)
			}
			if root.Credentials.Gap() != nil || root.VirtualMFA.Gap() != nil {
				t.Error("facts that need no report have a gap")
			}
			user := found[iam.User](t, got)
			if user.Credentials.Gap() == nil || user.Detail.Gap() != nil {
				t.Errorf("user: credentials %v, detail %v", user.Credentials.Gap(), user.Detail.Gap())
			}
			if gap := got.Gaps[iam.AccessKey{}.Kind()]; gap == nil && c.detail != "has no row of the root user" {
				t.Error("the listing of access keys is called complete")
			}
		})
	}
}

// The task's time may end while AWS still writes the report.
func TestReportEndsWithTheTask(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	ctx, cancel := context.WithCancel(t.Context())
	fake.On(f, func(*sdk.GetCredentialReportInput) (*sdk.GetCredentialReportOutput, error) {
		cancel()
		return nil, fake.Error("ReportInProgress")
	})
	if gap := collect.Report(ctx, f.Config(t), time.Hour); gap == nil || gap.Reason != fact.Timeout {
		t.Errorf("gap %+v, want a timeout", gap)
	}
}

func TestNoPasswordPolicy(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.Fail[sdk.GetAccountPasswordPolicyInput](f, "NoSuchEntity")
	policy := found[iam.PasswordPolicy](t, collecttest.Walk(t, collect.SpecEvery(time.Microsecond), f))
	if rules, gap := policy.Rules.Get(); gap != nil || rules != (iam.PasswordRules{}) {
		t.Errorf("%+v, gap %v; want a known absence", rules, gap)
	}
}

func TestAccountSummary(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		summary map[string]int32
		want    *iam.RootCredentials // nil for a gap
	}{
		"password not told of": {
			map[string]int32{"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0, "Users": 0},
			&iam.RootCredentials{},
		},
		"password": {
			map[string]int32{"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0, "AccountPasswordPresent": 1, "Users": 0},
			&iam.RootCredentials{MFA: true},
		},
		"MFA not told of": {map[string]int32{"AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0, "Users": 0}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fake.New()
			full(f)
			fake.On(f, func(*sdk.GetAccountSummaryInput) (*sdk.GetAccountSummaryOutput, error) {
				return &sdk.GetAccountSummaryOutput{SummaryMap: c.summary}, nil
			})
			got, gap := found[iam.RootUser](t, collecttest.Walk(t, collect.SpecEvery(time.Microsecond), f)).Credentials.Get()
			if (gap != nil) != (c.want == nil) || c.want != nil && got != *c.want {
				t.Errorf("%+v, gap %v, want %+v", got, gap, c.want)
			}
		})
	}
}

// A report that AWS is still writing is waited for once, not by every walk.
func TestReportIsSharedByTheWalks(t *testing.T) {
	t.Parallel()
	f := fake.New()
	full(f)
	fake.Fail[sdk.GetCredentialReportInput](f, "ReportInProgress")
	collecttest.Walk(t, collect.SpecEvery(time.Microsecond), f)
	if calls := f.Calls("IAM.GetCredentialReport"); calls != 20 {
		t.Errorf("the report was asked for %d times, want 20 as by one walk", calls)
	}
	if calls := f.Calls("IAM.ListVirtualMFADevices"); calls != 2 {
		t.Errorf("virtual devices were listed by %d calls, want 2 for their two pages", calls)
	}
}
