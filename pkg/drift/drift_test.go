package drift_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/drift"
	"github.com/cloudarq/cloudarq/pkg/model"
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
	for name, c := range map[string]struct {
		audits []model.Audit
		want   drift.Report
	}{
		"no audits": {nil, drift.Report{Missing: []drift.Missing{}}},
		"nothing is missing": {
			[]model.Audit{audit(3, all, throttled)},
			drift.Report{Audit: "1103", AsOf: day(3), Missing: []drift.Missing{}},
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
				Audit: "1105", AsOf: day(5),
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
