package collect_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

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

// credentialReport has what AWS writes: the root user first, its password
// "not_supported" in older reports, and the words for no time.
const credentialReport = `user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2026-05-30T08:00:00+00:00,not_supported,not_supported,true,true,2024-01-02T03:04:05+00:00,2024-01-02T03:04:05+00:00,us-east-1,iam,true,2024-01-02T03:04:05+00:00,2026-05-30T08:00:00+00:00,us-east-1,iam,false,N/A,false,N/A
alice,arn:aws:iam::111122223333:user/alice,2024-01-02T03:04:05+00:00,TRUE,no_information,2024-01-02T03:04:05+00:00,N/A,FALSE,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,FALSE,N/A
`

// reporting is an answer with a report.
func reporting(content string) string {
	return "-- GetCredentialReport --\n<GetCredentialReportResponse><GetCredentialReportResult><Content>" + base64.StdEncoding.EncodeToString([]byte(content)) +
		"</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>2026-06-01T10:00:00Z</GeneratedTime></GetCredentialReportResult></GetCredentialReportResponse>\n"
}

// refusing is an answer of the code instead of a report.
func refusing(code string) string {
	return "-- GetCredentialReport --\nHTTP/1.1 410 Gone\n\n<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code></Error></ErrorResponse>\n"
}

const complete = "-- GenerateCredentialReport --\n<GenerateCredentialReportResponse><GenerateCredentialReportResult><State>COMPLETE</State></GenerateCredentialReportResult></GenerateCredentialReportResponse>\n"

const started = "-- GenerateCredentialReport --\n<GenerateCredentialReportResponse><GenerateCredentialReportResult><State>STARTED</State></GenerateCredentialReportResult></GenerateCredentialReportResponse>\n"

func TestReport(t *testing.T) {
	t.Parallel()
	head, _, _ := strings.Cut(credentialReport, "\n")
	for name, c := range map[string]struct{ answer, detail string }{ // the gap's detail
		"never ready":       {refusing("ReportInProgress"), "ReportInProgress"},
		"always old":        {refusing("ReportExpired") + started, "ReportExpired"},
		"complete and gone": {refusing("ReportNotPresent") + complete, "ReportNotPresent"},
		"empty":             {reporting(""), "is empty"},
		"no column":         {reporting("user,arn\nalice,arn:aws:iam::111122223333:user/alice\n"), "no column"},
		"no truth value":    {reporting(strings.ReplaceAll(credentialReport, "TRUE", "perhaps")), `"perhaps"`},
		"no time":           {reporting(strings.ReplaceAll(credentialReport, "no_information", "lately")), `"lately"`},
		"no CSV":            {reporting(head + "\n\"open"), "credential report"},
		"nobody, no root":   {reporting(head + "\n"), "has no row of the root user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := collecttest.Walk(t, collect.SpecEvery(time.Microsecond), collecttest.Scenario(t, "neglected", c.answer))
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

// A key of the root user that is off now, and older than the column that tells when it
// was rotated, was used all the same.
func TestOldKeyOfTheRootUserWasUsed(t *testing.T) {
	t.Parallel()
	old := "true,2024-01-02T03:04:05+00:00,2026-05-30T08:00:00+00:00,us-east-1,iam,false"
	if !strings.Contains(credentialReport, old) {
		t.Fatal("the report has no such key")
	}
	content := strings.Replace(credentialReport, old, "false,N/A,2026-05-31T08:00:00+00:00,us-east-1,iam,false", 1)
	got := collecttest.Walk(t, collect.SpecEvery(time.Microsecond), collecttest.Scenario(t, "neglected", reporting(content)))
	usage, gap := found[iam.RootUser](t, got).Usage.Get()
	if want := time.Date(2026, 5, 31, 8, 0, 0, 0, time.UTC); gap != nil || usage.KeyUsed == nil || !usage.KeyUsed.Equal(want) {
		t.Errorf("usage %+v, gap %v, want %s", usage, gap, want)
	}
}

// The task's time may end while AWS still writes the report.
func TestReportEndsWithTheTask(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cloud := collecttest.Scenario(t, "neglected")
	cloud.Meddle = func(string, int) error {
		cancel()
		return fake.Error("ReportInProgress")
	}
	if gap := collect.Report(ctx, cloud.Config(t), time.Hour); gap == nil || gap.Reason != fact.Timeout {
		t.Errorf("gap %+v, want a timeout", gap)
	}
}

// A report that AWS is still writing is waited for once, not by every walk.
func TestReportIsSharedByTheWalks(t *testing.T) {
	t.Parallel()
	cloud := collecttest.Scenario(t, "kept", refusing("ReportInProgress"))
	collecttest.Walk(t, collect.SpecEvery(time.Microsecond), cloud)
	if calls := cloud.Calls("IAM.GetCredentialReport"); calls != 20 {
		t.Errorf("the report was asked for %d times, want 20 as by one walk", calls)
	}
	if calls := cloud.Calls("IAM.ListVirtualMFADevices"); calls != 2 {
		t.Errorf("virtual devices were listed by %d calls, want 2 for their two pages", calls)
	}
}
