package drift_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

func audit(day int, checks []model.CheckID, gaps ...model.GapCount) model.Audit {
	return model.Audit{
		ID: model.AuditID(time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC).Format("0102")), StartedAt: time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC),
		Checks: checks, Summary: &model.Summary{Gaps: gaps},
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	kms := model.GapCount{Reason: "denied", Operation: "kms:ListKeys", Action: "kms:ListKeys", Regions: []string{"eu-west-1"}, Checks: []model.CheckID{"kms-key-rotation", "kms-key-not-public"}, Count: 7}
	scp := model.GapCount{Reason: "scp_denied", Operation: "s3:ListBuckets", Action: "s3:ListAllMyBuckets", Regions: []string{"global"}, Checks: []model.CheckID{"s3-x"}, Count: 9}
	throttled := model.GapCount{Reason: "throttled", Operation: "iam:ListUsers", Count: 100}
	all := []model.CheckID{"kms-key-rotation", "kms-key-not-public", "s3-x"}
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	// What the role's own policies say: one action of theirs is gone, one was never
	// there, and that S3 is denied is not their doing.
	older := &model.Permissions{Version: "20250101", Needed: 140, Missing: []model.MissingAction{
		{Action: "kms:ListKeys", Why: "not allowed", Checks: []model.CheckID{"kms-a", "kms-b", "kms-c"}},
		{Action: "new:ListThings", Why: "not allowed", Checks: []model.CheckID{"new-a"}},
	}}
	bucket := model.GapCount{Reason: "denied", Operation: "s3:GetBucketAcl", Action: "s3:GetBucketAcl", Regions: []string{"eu-west-1"}, Checks: []model.CheckID{"s3-acl"}, Count: 1}
	withPolicies := func(a model.Audit, p *model.Permissions) model.Audit {
		a.Permissions = p
		return a
	}
	seen := drift.Report{
		Audit: "1105", AsOf: day(5), Published: policy.VersionDate, Permissions: older,
		Missing: []drift.Missing{
			{Action: "kms:ListKeys", DeniedBy: drift.ByRole, Why: "not allowed", Since: day(4), Checks: []model.CheckID{"kms-key-not-public", "kms-key-rotation"}, Regions: kms.Regions, Verdicts: 7},
			{Action: "s3:GetBucketAcl", DeniedBy: drift.ByResource, Since: day(5), Checks: bucket.Checks, Regions: bucket.Regions, Verdicts: 1},
			{Action: "new:ListThings", DeniedBy: drift.ByRole, Why: "not allowed", Since: day(4), Checks: []model.CheckID{"new-a"}, Regions: []string{}},
		},
		Patch: &drift.Statement{Sid: "CloudArqMissing", Effect: "Allow", Action: []string{"kms:ListKeys", "new:ListThings"}, Resource: "*"},
	}
	for name, c := range map[string]struct {
		audits []model.Audit
		want   drift.Report
	}{
		"by the role's own policies": {
			[]model.Audit{
				withPolicies(audit(5, all, kms, bucket), older),
				{ID: "verification", StartedAt: day(4), Verification: true, Permissions: older},
				withPolicies(audit(3, append([]model.CheckID{"new-a"}, all...)), &model.Permissions{Version: "20250101"}),
			},
			seen,
		},
		"policies that could not be read": {
			[]model.Audit{withPolicies(audit(5, all, kms), &model.Permissions{Unread: "denied: iam:GetAccountAuthorizationDetails"})},
			drift.Report{
				Audit: "1105", AsOf: day(5), Published: policy.VersionDate, Permissions: &model.Permissions{Unread: "denied: iam:GetAccountAuthorizationDetails"},
				Missing: []drift.Missing{{Action: "kms:ListKeys", DeniedBy: drift.ByRole, Since: day(5), Checks: []model.CheckID{"kms-key-not-public", "kms-key-rotation"}, Regions: kms.Regions, Verdicts: 7}},
				Patch:   &drift.Statement{Sid: "CloudArqMissing", Effect: "Allow", Action: []string{"kms:ListKeys"}, Resource: "*"},
			},
		},
		"no audits": {nil, drift.Report{Missing: []drift.Missing{}, Published: policy.VersionDate}},
		"nothing is missing": {
			[]model.Audit{audit(3, all, throttled)},
			drift.Report{Audit: "1103", AsOf: day(3), Missing: []drift.Missing{}, Published: policy.VersionDate},
		},
		"since the day before yesterday": {
			[]model.Audit{
				audit(5, all, kms, scp, throttled),
				{ID: "failed"},                    // says nothing
				audit(4, []model.CheckID{"s3-x"}), // did not ask for keys
				audit(3, all, kms),
				audit(2, all),
				audit(1, all, kms), // that was mended
			},
			drift.Report{
				Audit: "1105", AsOf: day(5), Published: policy.VersionDate,
				Missing: []drift.Missing{
					{Action: "s3:ListAllMyBuckets", DeniedBy: "scp_denied", Since: day(5), Checks: scp.Checks, Regions: scp.Regions, Verdicts: 9},
					{Action: "kms:ListKeys", DeniedBy: "denied", Since: day(3), Checks: []model.CheckID{"kms-key-not-public", "kms-key-rotation"}, Regions: kms.Regions, Verdicts: 7},
				},
				Patch: &drift.Statement{Sid: "CloudArqMissing", Effect: "Allow", Action: []string{"kms:ListKeys"}, Resource: "*"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, drift.Of(c.audits)); d != "" {
				t.Errorf("report (-want +got):\n%s", d)
			}
		})
	}
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"": false, "20250101": true, policy.VersionDate: false} {
		r := drift.Of([]model.Audit{{Permissions: &model.Permissions{Version: version}}})
		if r.Outdated() != want {
			t.Errorf("version %q is outdated: %t", version, !want)
		}
	}
}

// TestState is the table of docs/operations.md.
func TestState(t *testing.T) {
	t.Parallel()
	refused := func(code string) model.Audit { return model.Audit{Refused: "because", RefusedCode: code} }
	lost := model.Audit{Permissions: &model.Permissions{Missing: []model.MissingAction{
		{Action: "a:A", Checks: []model.CheckID{"1", "2"}}, {Action: "b:B", Checks: []model.CheckID{"2"}}, {Action: "c:C"}, {Action: "d:D"}, {Action: "e:E"},
	}}}
	resource := audit(1, nil, model.GapCount{Reason: "denied", Action: "s3:GetBucketAcl", Checks: []model.CheckID{"s3-acl"}})
	resource.Permissions = &model.Permissions{}
	for name, c := range map[string]struct {
		was   model.ConnectionState
		audit model.Audit
		want  model.ConnectionState
		why   string
	}{
		"first success":                     {model.ConnectionPending, audit(1, nil), model.ConnectionActive, ""},
		"never let in":                      {model.ConnectionPending, refused(model.CodeRoleDenied), model.ConnectionPending, "because"},
		"no minimum at first":               {model.ConnectionPending, refused(model.CodeMinimumMissing), model.ConnectionPending, "because"},
		"role gone":                         {model.ConnectionActive, refused(model.CodeRoleDenied), model.ConnectionRevoked, "because"},
		"role gone, of a degraded one":      {model.ConnectionDegraded, refused(model.CodeRoleDenied), model.ConnectionRevoked, "because"},
		"still gone":                        {model.ConnectionRevoked, refused(model.CodeRoleDenied), model.ConnectionRevoked, "because"},
		"key gone":                          {model.ConnectionActive, refused(model.CodeKeyRefused), model.ConnectionRevoked, "because"},
		"back again":                        {model.ConnectionRevoked, audit(1, nil), model.ConnectionActive, ""},
		"lets others in":                    {model.ConnectionActive, refused(model.CodeMissingExternalID), model.ConnectionPending, "because"},
		"leads elsewhere":                   {model.ConnectionActive, refused(model.CodeAccountMismatch), model.ConnectionPending, "because"},
		"minimum taken away":                {model.ConnectionActive, refused(model.CodeMinimumMissing), model.ConnectionDegraded, "because"},
		"actions missing":                   {model.ConnectionActive, lost, model.ConnectionDegraded, "a:A, b:B, c:C and 2 more are not allowed, which blinds 2 checks"},
		"a resource denies, and not a role": {model.ConnectionActive, resource, model.ConnectionActive, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if state, why := drift.State(c.was, c.audit); state != c.want || why != c.why {
				t.Errorf("%s, %q; want %s, %q", state, why, c.want, c.why)
			}
		})
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	of := func(service string, id model.CheckID) check.Check {
		return check.Check{Rule: check.Rule{ID: id}, Service: service}
	}
	checks := []check.Check{of("kms", "kms-a"), of("kms", "kms-b"), of("s3", "s3-a")}
	p := model.Permissions{Missing: []model.MissingAction{{Action: "kms:ListKeys", Checks: []model.CheckID{"kms-b"}}}}
	want := []model.ServiceCoverage{{Service: "kms", Checks: 2, Blind: []model.CheckID{"kms-b"}}, {Service: "s3", Checks: 1, Blind: []model.CheckID{}}}
	if d := cmp.Diff(want, drift.Preview(checks, p)); d != "" {
		t.Errorf("preview (-want +got):\n%s", d)
	}
}
