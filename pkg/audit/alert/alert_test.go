package alert_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

func change(what model.EventKind, severity model.Severity, n int) diff.Change {
	ref := model.Ref{ARN: fmt.Sprintf("arn:aws:s3:::bucket-%d", n), Account: "111122223333", Region: "eu-west-1"}
	return diff.Change{What: what, Finding: model.Finding{
		ID: model.NewFindingID("s3-bucket-public", ref), Check: "s3-bucket-public", Severity: severity,
		Kind: "AWS::S3::Bucket", Resource: ref, Reason: "anybody can read it — übel\n",
		Why: model.WhyFixed, History: []model.Event{{What: what, Note: "all is blocked"}},
	}}
}

func about(state model.AuditState, summary *model.Summary) alert.Of {
	return alert.Of{Organization: "acme", Audit: model.Audit{
		ID: "01M8ACCZV0SK53Z30THMJGM3YG", Connection: "c", AccountID: "111122223333", Project: "shop", State: state,
		StartedAt: time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC), Refused: "the role is gone", Problems: []string{"the role is gone"}, Summary: summary,
	}}
}

func kinds(alerts []alert.Alert) []string {
	out := []string{}
	for _, a := range alerts {
		out = append(out, a.Kind+" "+a.Change)
	}
	return out
}

func TestChanges(t *testing.T) {
	t.Parallel()
	got := about(model.AuditRunning, nil).Changes([]diff.Change{change(model.EventNew, model.High, 1), change(model.EventResolved, model.Low, 2)})
	if d := cmp.Diff([]string{"finding new", "finding resolved"}, kinds(got)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if !strings.Contains(got[0].Finding.Reason, "anybody can read it") || got[1].Finding.Reason != "fixed: all is blocked" {
		t.Errorf("reasons %q, %q", got[0].Finding.Reason, got[1].Finding.Reason)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	var worst []diff.Change
	for n := range alert.WorstShown + 1 {
		worst = append(worst, change(model.EventNew, model.Critical, n))
	}
	d := about(model.AuditRunning, nil).Digest("s3", 30, model.Changes{New: 29, Resolved: 1}, map[model.Severity]int{model.Critical: 30}, worst)
	if d.Kind != alert.KindDigest || len(d.Worst) != alert.WorstShown || d.Changes.New != 29 || !strings.Contains(d.Summary, "30 findings of s3") {
		t.Errorf("digest %+v", d)
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	summary := &model.Summary{
		Changes: model.Changes{NewlyBlind: []model.CheckID{"kms-key-rotation"}},
		Gaps:    []model.GapCount{{Reason: "denied", Action: "kms:GetKeyRotationStatus", Checks: []model.CheckID{"kms-key-rotation"}}, {Action: "s3:GetBucketAcl", Checks: []model.CheckID{"other"}}},
	}
	all := about(model.AuditPartial, summary).Ended(true, nil)
	if d := cmp.Diff([]string{"connection broken", "blind blind", "audit finished"}, kinds(all)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"kms:GetKeyRotationStatus"}, all[1].Actions); d != "" {
		t.Errorf("actions that help (-want +got):\n%s", d)
	}

	lost := about(model.AuditDone, &model.Summary{
		Changes: model.Changes{NewlyMissing: []string{"kms:ListKeys"}},
		Gaps:    []model.GapCount{{Reason: "denied", Action: "kms:ListKeys", Checks: []model.CheckID{"kms-b", "kms-a"}}, {Reason: "denied", Action: "s3:GetBucketAcl", Checks: []model.CheckID{"s3-a"}}},
	}).Ended(false, nil)
	if d := cmp.Diff([]string{"drift missing", "audit finished"}, kinds(lost)); d != "" {
		t.Fatalf("alerts (-want +got):\n%s", d)
	}
	a := lost[0]
	if !cmp.Equal(a.Checks, []model.CheckID{"kms-a", "kms-b"}) || !cmp.Equal(a.Patch.Action, []string{"kms:ListKeys", "s3:GetBucketAcl"}) || a.Published == "" {
		t.Errorf("drift %+v", a)
	}
	if got := kinds(about(model.AuditFailed, nil).Ended(false, nil)); !slices.Equal(got, []string{"audit finished"}) {
		t.Errorf("alerts %v", got)
	}
}

// TestScoreBreak: an alert says in its sentence that two scores are of different
// kinds, and says nothing where they are of one.
func TestScoreBreak(t *testing.T) {
	t.Parallel()
	for _, breaks := range [][]string{nil, {"version 1 of the score then, version 2 now"}} {
		change := &model.ScoreChange{Before: model.Score{Version: 1, Value: 72, Assessed: 1}, Breaks: breaks}
		all := about(model.AuditDone, &model.Summary{Changes: model.Changes{Score: change}}).Ended(false, nil)
		if says := strings.Contains(all[0].Summary, "version 1 of the score then"); says != (breaks != nil) || all[0].Changes.Score != change {
			t.Errorf("breaks %q are announced as %q", breaks, all[0].Summary)
		}
	}
}

// TestReminder: only the end of the one audit of an account that is audited once
// says that its role can go.
func TestReminder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		once    bool
		state   model.AuditState
		summary *model.Summary
		reminds bool
	}{
		"done":                {true, model.AuditDone, &model.Summary{}, true},
		"in part":             {true, model.AuditPartial, &model.Summary{}, true},
		"told nothing":        {true, model.AuditFailed, nil, false},
		"one of many, done":   {false, model.AuditDone, &model.Summary{}, false},
		"still running again": {true, model.AuditRunning, &model.Summary{}, false},
	} {
		about := about(c.state, c.summary)
		about.Audit.Once = c.once
		for _, a := range about.Ended(true, nil) {
			reminds := strings.Contains(a.Reminder, "delete-stack --stack-name CloudArq") && strings.Contains(a.Reminder, "DELETE /v1/connections/c")
			if want := c.reminds && a.Kind == alert.KindAudit; reminds != want || a.Reminder != "" && !want {
				t.Errorf("%s: the %s alert reminds of %q", name, a.Kind, a.Reminder)
			}
		}
	}
}

// Who was let in by an access key has no role to delete.
func TestReminderOfAnAccessKey(t *testing.T) {
	t.Parallel()
	text := alert.Reminder(model.Audit{Once: true, State: model.AuditDone, Summary: &model.Summary{}, CallerARN: "arn:aws:iam::111122223333:user/auditor"})
	if !strings.Contains(text, "delete-access-key") || strings.Contains(text, "role") {
		t.Errorf("the reminder is %q", text)
	}
}

// TestMessages holds every kind of alert to the published schema, and to what a
// topic accepts.
func TestMessages(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "..", "docs", "alert.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []alert.Alert
	for i, what := range []model.EventKind{model.EventNew, model.EventReopened, model.EventResolved, model.EventBlind, model.EventUnfolded} {
		all = append(all, about(model.AuditRunning, nil).Changes([]diff.Change{change(what, model.High, i)})...)
	}
	var many []diff.Change
	for n := range alert.Limit + 1 {
		many = append(many, change(model.EventNew, model.Medium, n))
	}
	all = append(all, about(model.AuditRunning, nil).Digest("s3", len(many), model.Changes{New: len(many)}, map[model.Severity]int{model.Medium: len(many)}, many))
	score := model.Score{Version: model.ScoreVersion, Cap: 100}
	before := &model.ScoreChange{Before: model.Score{Version: 1}, Breaks: []string{"version 1 of the score then, version 2 now"}}
	all = append(all, about(model.AuditPartial, &model.Summary{Score: score, Changes: model.Changes{NewlyBlind: []model.CheckID{"a"}, NewlyMissing: []string{"kms:ListKeys"}, Score: before}, Gaps: []model.GapCount{{Reason: "denied", Action: "kms:ListKeys", Checks: []model.CheckID{"a"}}}, Failed: map[model.Severity]int{model.Low: 1}}).Ended(true, nil)...)
	all = append(all, about(model.AuditDone, nil).Ended(false, many)...)
	once := about(model.AuditDone, &model.Summary{Score: score})
	once.Audit.ID, once.Audit.Once = "01M8ACCZV0SK53Z30THMJGM3YH", true
	all = append(all, once.Ended(false, nil)...)
	seen := map[string]string{}
	for _, a := range all {
		m, err := a.Message()
		if err != nil {
			t.Fatal(err)
		}
		if err := notify.Check(m); err != nil {
			t.Errorf("%s %s: %v", a.Kind, a.Change, err)
		}
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(string(m.Body)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); err != nil {
			t.Errorf("%s %s: %v\n%s", a.Kind, a.Change, err, m.Body)
		}
		if m.Attributes["organization"] != "acme" || m.Attributes["account"] != "111122223333" || m.Attributes["project"] != "shop" || m.Attributes["kind"] != a.Kind {
			t.Errorf("attributes %v", m.Attributes)
		}
		if a.Kind == alert.KindFinding && (m.Attributes["severity"] != "high" || m.Attributes["check"] != "s3-bucket-public") {
			t.Errorf("attributes %v", m.Attributes)
		}
		if other, twice := seen[m.ID]; twice && other != string(m.Body) {
			t.Errorf("two alerts have the id %s", m.ID)
		}
		seen[m.ID] = string(m.Body)
	}
	for _, kind := range alert.Kinds() {
		if !slices.ContainsFunc(all, func(a alert.Alert) bool { return a.Kind == kind.Kind && a.Change == kind.Change }) {
			t.Errorf("there is no alert %s %s here", kind.Kind, kind.Change)
		}
	}
}

// The same change of the same audit is the same alert.
func TestIDsRepeat(t *testing.T) {
	t.Parallel()
	made := func() string {
		data, err := json.Marshal(about(model.AuditRunning, nil).Changes([]diff.Change{change(model.EventNew, model.High, 1)}))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if a, b := made(), made(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}
