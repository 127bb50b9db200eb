package alert_test

import (
	"encoding/json"
	"fmt"
	"maps"
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
	var many []diff.Change
	for n := range alert.Limit + 1 {
		many = append(many, change(model.EventNew, model.Low, n))
	}
	many = append(many, change(model.EventResolved, model.Critical, 99))
	for name, c := range map[string]struct {
		first   bool
		changes []diff.Change
		want    []string
	}{
		"nothing":             {false, nil, []string{}},
		"each by itself":      {false, []diff.Change{change(model.EventNew, model.High, 1), change(model.EventResolved, model.Low, 2)}, []string{"finding new", "finding resolved"}},
		"no news":             {false, []diff.Change{change(model.EventChanged, model.High, 1), change(model.EventSeen, model.Low, 2)}, []string{}},
		"of a first audit":    {true, many, []string{}},
		"too many to be told": {false, many, []string{"digest many"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := about(model.AuditRunning, nil).Changes("s3", c.first, c.changes)
			if d := cmp.Diff(c.want, kinds(got)); d != "" {
				t.Errorf("alerts (-want +got):\n%s", d)
			}
			if name == "too many to be told" && (len(got[0].Worst) != 10 || got[0].Worst[0].Severity != model.Critical || got[0].Changes.New != alert.Limit+1 || got[0].Changes.Resolved != 1) {
				t.Errorf("digest %+v", got[0])
			}
		})
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	summary := &model.Summary{
		Changes: model.Changes{NewlyBlind: []model.CheckID{"kms-key-rotation"}},
		Gaps:    []model.GapCount{{Reason: "denied", Action: "kms:GetKeyRotationStatus", Checks: []model.CheckID{"kms-key-rotation"}}, {Action: "s3:GetBucketAcl", Checks: []model.CheckID{"other"}}},
	}
	all := about(model.AuditPartial, summary).Ended(true)
	if d := cmp.Diff([]string{"connection broken", "blind blind", "audit finished"}, kinds(all)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"kms:GetKeyRotationStatus"}, all[1].Actions); d != "" {
		t.Errorf("actions that help (-want +got):\n%s", d)
	}

	lost := about(model.AuditDone, &model.Summary{
		Changes: model.Changes{NewlyMissing: []string{"kms:ListKeys"}},
		Gaps:    []model.GapCount{{Reason: "denied", Action: "kms:ListKeys", Checks: []model.CheckID{"kms-b", "kms-a"}}, {Reason: "denied", Action: "s3:GetBucketAcl", Checks: []model.CheckID{"s3-a"}}},
	}).Ended(false)
	if d := cmp.Diff([]string{"drift missing", "audit finished"}, kinds(lost)); d != "" {
		t.Fatalf("alerts (-want +got):\n%s", d)
	}
	a := lost[0]
	if !cmp.Equal(a.Checks, []model.CheckID{"kms-a", "kms-b"}) || !cmp.Equal(a.Patch.Action, []string{"kms:ListKeys", "s3:GetBucketAcl"}) || a.Published == "" {
		t.Errorf("drift %+v", a)
	}
	if got := kinds(about(model.AuditFailed, nil).Ended(false)); !slices.Equal(got, []string{"audit finished"}) {
		t.Errorf("alerts %v", got)
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
		for _, a := range about.Ended(true) {
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
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "alert.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []alert.Alert
	for i, what := range []model.EventKind{model.EventNew, model.EventReopened, model.EventResolved, model.EventBlind} {
		all = append(all, about(model.AuditRunning, nil).Changes("s3", false, []diff.Change{change(what, model.High, i)})...)
	}
	var many []diff.Change
	for n := range alert.Limit + 1 {
		many = append(many, change(model.EventNew, model.Medium, n))
	}
	all = append(all, about(model.AuditRunning, nil).Changes("s3", false, many)...)
	all = append(all, about(model.AuditPartial, &model.Summary{Changes: model.Changes{NewlyBlind: []model.CheckID{"a"}, NewlyMissing: []string{"kms:ListKeys"}}, Gaps: []model.GapCount{{Reason: "denied", Action: "kms:ListKeys", Checks: []model.CheckID{"a"}}}, Failed: map[model.Severity]int{model.Low: 1}}).Ended(true)...)
	all = append(all, about(model.AuditDone, nil).Ended(false)...)
	once := about(model.AuditDone, &model.Summary{})
	once.Audit.ID, once.Audit.Once = "01M8ACCZV0SK53Z30THMJGM3YH", true
	all = append(all, once.Ended(false)...)
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
	if len(seen) < 8 {
		t.Errorf("%d alerts: %v", len(seen), slices.Collect(maps.Keys(seen)))
	}
}

// The same change of the same audit is the same alert.
func TestIDsRepeat(t *testing.T) {
	t.Parallel()
	made := func() string {
		data, err := json.Marshal(about(model.AuditRunning, nil).Changes("s3", false, []diff.Change{change(model.EventNew, model.High, 1)}))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if a, b := made(), made(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}
