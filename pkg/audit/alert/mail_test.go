package alert_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

var update = flag.Bool("update", false, "write the letters of testdata/letters, instead of comparing them")

// told is an audit of an account with a name, by checks with texts.
func told(state model.AuditState, summary *model.Summary) alert.Of {
	of := about(state, summary)
	of.Name, of.Audit.EndedAt = "shop-prod", of.Audit.StartedAt.Add(7*time.Minute)
	of.Texts = map[model.CheckID]check.Text{
		"s3-bucket-public": {
			Title: "No S3 bucket is public", Risk: "Whoever finds its name reads it.\n",
			Remediation: check.Remediation{Console: "In S3, open the bucket, and block all public access.", CLI: "aws s3api put-public-access-block --bucket BUCKET"},
		},
		"kms-key-rotation": {Title: "Customer managed KMS keys rotate automatically"},
	}
	return of
}

// letters are alerts of all kinds, by the names of their golden files.
func letters() map[string]alert.Alert {
	one := func(what model.EventKind) alert.Alert {
		return told(model.AuditRunning, nil).Changes([]diff.Change{change(what, model.High, 1)})[0]
	}
	many := []diff.Change{change(model.EventNew, model.Critical, 1), change(model.EventReopened, model.High, 2), change(model.EventResolved, model.High, 3)}
	kind := func(kind string, all []alert.Alert) alert.Alert {
		for _, a := range all {
			if a.Kind == kind {
				return a
			}
		}
		panic("no alert of kind " + kind)
	}
	score := model.Score{Version: model.ScoreVersion, Cap: 100, Value: 72.4, Worst: 70, Best: 75.5, Coverage: 0.93, Assessed: 93, Applicable: 100}
	lost := &model.Summary{
		Score:   score,
		Changes: model.Changes{New: 2, Resolved: 1, Previous: "01M8", NewlyBlind: []model.CheckID{"kms-key-rotation"}, NewlyMissing: []string{"kms:GetKeyRotationStatus"}},
		Failed:  map[model.Severity]int{model.Low: 5, model.Critical: 1},
		Gaps:    []model.GapCount{{Reason: "denied", Action: "kms:GetKeyRotationStatus", Checks: []model.CheckID{"kms-key-rotation"}}},
	}
	blindOnly := &model.Summary{Changes: model.Changes{NewlyBlind: []model.CheckID{"kms-key-rotation", "unknown-check"}}}
	once := told(model.AuditDone, &model.Summary{Score: score})
	once.Audit.Once = true
	unnamed := about(model.AuditFailed, nil)
	unnamed.Audit.AccountID, unnamed.Audit.Project = "", ""
	first := told(model.AuditDone, &model.Summary{Score: score, Failed: map[model.Severity]int{model.Critical: 1, model.High: 2}})
	return map[string]alert.Alert{
		"finding-new":      one(model.EventNew),
		"finding-reopened": one(model.EventReopened),
		"finding-resolved": one(model.EventResolved),
		"finding-blind":    one(model.EventBlind),
		"finding-unfolded": one(model.EventUnfolded),
		"digest":           told(model.AuditRunning, nil).Digest("s3", 40, model.Changes{New: 38, Reopened: 1, Resolved: 1}, map[model.Severity]int{model.Critical: 1, model.High: 39}, many),
		"audit-partial":    kind(alert.KindAudit, told(model.AuditPartial, lost).Ended(false, nil)),
		"audit-first":      kind(alert.KindAudit, first.Ended(false, many[:1])),
		"audit-failed":     kind(alert.KindAudit, told(model.AuditFailed, nil).Ended(false, nil)),
		"audit-once":       kind(alert.KindAudit, once.Ended(false, nil)),
		"audit-unnamed":    kind(alert.KindAudit, unnamed.Ended(false, nil)),
		"connection":       kind(alert.KindConnection, told(model.AuditFailed, nil).Ended(true, nil)),
		"blind":            kind(alert.KindBlind, told(model.AuditDone, lost).Ended(false, nil)),
		"blind-by-others":  kind(alert.KindBlind, told(model.AuditDone, blindOnly).Ended(false, nil)),
		"drift":            kind(alert.KindDrift, told(model.AuditDone, lost).Ended(false, nil)),
		"drift-large-patch": func() alert.Alert {
			a := kind(alert.KindDrift, told(model.AuditDone, lost).Ended(false, nil))
			a.Patch = &drift.Statement{Action: []string{strings.Repeat("x", 5000)}}
			return a
		}(),
	}
}

// TestLetters holds what people are sent of each kind of alert to what was read and
// found good.
func TestLetters(t *testing.T) {
	t.Parallel()
	for name, a := range letters() {
		m, err := a.Message()
		if err != nil {
			t.Fatal(err)
		}
		got, file := "Subject: "+m.Subject+"\n\n"+m.Text, filepath.Join("testdata", "letters", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// lettersAreSafe looks at a letter as its reader's mail program does: whatever is in it
// of an account's, it has no control character but the line's end, nothing that reverses
// a line, and no link.
func lettersAreSafe(t interface{ Fatalf(string, ...any) }, text string) {
	for _, r := range text {
		if r != '\n' && !unicode.IsGraphic(r) && r != '\u200c' && r != '\u200d' {
			t.Fatalf("a letter has the character %U", r)
		}
	}
	for _, link := range []string{"://", "www.", "mailto:"} {
		if strings.Contains(strings.ToLower(text), link) {
			t.Fatalf("a letter has %q: %.500s", link, text)
		}
	}
}
