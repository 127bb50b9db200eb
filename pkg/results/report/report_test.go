package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// hostile is a name as an attacker might give to a resource.
const hostile = "<script>alert(1)</script>\x1b[31m\r\n=cmd|' /C calc'!A0"

func verdict() shape.Verdict {
	return shape.Verdict{
		Rule:   shape.Rule{Check: "door-locked", Title: "Doors are locked", Severity: model.High},
		Status: check.Fail,
		Place: shape.Place{
			Account: "111122223333", Region: "eu-west-1", Service: "house", Type: "AWS::House::Door",
			Resource: "arn:aws:house:eu-west-1:111122223333:door/" + hostile, Name: hostile,
		},
		Reason:   "=1+1",
		Evidence: []shape.Exhibit{{Fact: "locked", Value: json.RawMessage(`"<b>no</b>"`)}},
	}
}

func write(t *testing.T, format report.Format, rows ...shape.Verdict) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, format, report.Style{}, rows, report.VerdictColumns()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTableHasNoControlCharacters(t *testing.T) {
	t.Parallel()
	out := write(t, report.Table, verdict())
	if strings.ContainsAny(out, "\x1b\r") || strings.Count(out, "\n") != 2 {
		t.Errorf("a resource's name steers the terminal:\n%q", out)
	}
}

func TestCSVRunsNothing(t *testing.T) {
	t.Parallel()
	records, err := csv.NewReader(strings.NewReader(write(t, report.CSV, verdict()))).ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records: %v", len(records), err)
	}
	for _, cell := range records[1] {
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
			t.Errorf("a spreadsheet would run %q", cell)
		}
	}
}

func TestJSONForms(t *testing.T) {
	t.Parallel()
	for _, rows := range [][]shape.Verdict{nil, {verdict()}, {verdict(), verdict()}} {
		var array []shape.Verdict
		if err := json.Unmarshal([]byte(write(t, report.JSON, rows...)), &array); err != nil || array == nil || len(array) != len(rows) {
			t.Errorf("%d rows as JSON: %d (%v)", len(rows), len(array), err)
		}
		lines := strings.Count(write(t, report.NDJSON, rows...), "\n")
		if lines != len(rows) {
			t.Errorf("%d rows as NDJSON: %d lines", len(rows), lines)
		}
	}
}

func audit() model.Audit {
	half := model.Score{Version: model.ScoreVersion, Value: 50, Worst: 40, Best: 60, Uncapped: 50, Cap: 100, Coverage: 0.8, Assessed: 8, Applicable: 10}
	return model.Audit{
		ID: "01A", AccountID: "111122223333", State: model.AuditPartial, Problems: []string{hostile}, Regions: []string{"eu-west-1"},
		StartedAt: time.Unix(0, 0), EndedAt: time.Unix(9, 0), DisabledRegions: []string{"me-south-1"},
		Summary: &model.Summary{
			Score: half, Services: map[string]model.Score{"house": half}, Failed: map[model.Severity]int{model.High: 1},
			Gaps:    []model.GapCount{{Reason: "denied", Operation: "house:List", Action: "house:List", Regions: []string{"eu-west-1"}, Checks: []model.CheckID{"door-locked"}, Count: 2}},
			Changes: model.Changes{Previous: "01", NewlyBlind: []model.CheckID{"door-locked"}},
		},
	}
}

func TestHTMLEscapesAndStandsAlone(t *testing.T) {
	t.Parallel()
	page := report.Page{Texts: map[model.CheckID]check.Text{"door-locked": {
		Title: "Doors are locked", Risk: "Thieves.", Remediation: check.Remediation{Console: "Lock."}, References: []string{"https://docs.aws.amazon.com/"},
	}}}
	page.Add(audit(), []shape.Verdict{verdict()})
	page.Add(audit(), nil)
	var out bytes.Buffer
	if err := page.Write(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	html := out.String()
	for _, never := range []string{"<script", "<b>no</b>", "src=", "@import", "url("} {
		if strings.Contains(html, never) {
			t.Errorf("the page contains %q", never)
		}
	}
	for _, want := range []string{"Doors are locked", "allow house:List", "me-south-1", "&lt;script&gt;", "50 (40 to 60)", "80 %", "default-src"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestSummarySaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := report.Summary(&out, report.Style{}, audit(), []shape.Verdict{verdict()}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"50 (40 to 60)", "80 %", "high 1", "allow house:List", "door-locked", "1 check newly blind"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("the summary lets a name steer the terminal")
	}
}

func TestSummaryOfARunningAudit(t *testing.T) {
	t.Parallel()
	running := audit()
	running.State, running.EndedAt, running.Summary = model.AuditRunning, time.Time{}, nil
	var out bytes.Buffer
	if err := report.Summary(&out, report.Style{}, running, nil); err != nil {
		t.Fatal(err)
	}
	if want := "running since " + running.StartedAt.Local().Format(time.DateTime) + "\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%q does not say %q", out.String(), want)
	}
}

func TestScoreText(t *testing.T) {
	t.Parallel()
	now, old := model.ScoreVersion, model.ScoreVersion-1
	for want, s := range map[string]model.Score{
		"none":                     {Version: now, Best: 100},
		"99":                       {Version: now, Value: 99.9, Worst: 99.9, Best: 99.9, Assessed: 1},
		"59 (19 to 59)":            {Version: now, Value: 59, Worst: 19, Best: 59.9, Assessed: 1},
		"72 (48 to 83), version 2": {Version: old, Value: 72.4, Worst: 48, Best: 83, Assessed: 1},
	} {
		if got := report.ScoreText(s); got != want {
			t.Errorf("%+v is shown as %q, want %q", s, got, want)
		}
	}
}

// TestScoreInWords: what holds a score down, and the score before, or why the two
// are not to be compared.
func TestScoreInWords(t *testing.T) {
	t.Parallel()
	now := model.Score{Version: model.ScoreVersion, Value: 39, Worst: 39, Best: 39, Uncapped: 57.9, Cap: 39, Critical: 3, Coverage: 0.6, Assessed: 9}
	before := model.Score{Version: model.ScoreVersion, Value: 49, Worst: 49, Best: 49, Coverage: 1, Assessed: 9}
	first := model.Score{Version: 1, Value: 72, Worst: 72, Best: 72, Coverage: 0.6, Assessed: 9}
	broken := []string{"version 1 of the score then, version 2 now", "2 checks more than then"}
	for want, change := range map[string]*model.ScoreChange{
		"":                         nil,
		"was 49 at 100 % coverage": {Before: before},
		"not to be compared with the score before, which was 72, version 1: version 1 of the score then, version 2 now; 2 checks more than then": {Before: first, Breaks: broken},
	} {
		if got := report.ScoreChangeText(change, now); got != want {
			t.Errorf("%+v is shown as %q, want %q", change, got, want)
		}
		a := audit()
		a.Summary.Score, a.Summary.Changes.Score = now, change
		var text, html bytes.Buffer
		if err := report.Summary(&text, report.Style{}, a, nil); err != nil {
			t.Fatal(err)
		}
		page := report.Page{}
		page.Add(a, nil)
		if err := page.Write(t.Context(), &html); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{want, "at most 39 while 3 critical checks fail; 57 without that limit"} {
			if !strings.Contains(text.String(), part) || !strings.Contains(html.String(), part) {
				t.Errorf("a summary or the report lacks %q:\n%s", part, text.String())
			}
		}
	}
}

func TestCoverageIsNeverRoundedUpToWhole(t *testing.T) {
	t.Parallel()
	for coverage, want := range map[float64]string{1: "100 %", 0.9999: "over 99 %", 0.995: "over 99 %", 0.5: "50 %", 0: "0 %"} {
		if got := report.CoverageText(model.Score{Coverage: coverage}); got != want {
			t.Errorf("coverage %v is shown as %q, want %q", coverage, got, want)
		}
	}
}

// What steers a terminal, turns text round or is not seen is in no output as it is:
// JSON says it by escapes, so that nothing is lost.
func TestNothingSteers(t *testing.T) {
	t.Parallel()
	v := verdict()
	v.Name, v.Reason = "a\u009b31m\u202egpj\U000e0041\x7f", "one\u0085two\nthree"
	v.Resource = "arn:x;=1+1"
	v.Evidence[0].Value = json.RawMessage(`"b` + "\u202e" + `c"`)
	for _, format := range report.Formats() {
		for _, r := range write(t, format, v) {
			if r != '\n' && (r != '\t' || format != report.Table) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("%s has %U", format, r)
			}
		}
	}
	var back []shape.Verdict
	if err := json.Unmarshal([]byte(write(t, report.JSON, v)), &back); err != nil || back[0].Name != v.Name || back[0].Reason != v.Reason {
		t.Errorf("JSON lost something: %+v (%v)", back, err)
	}
	for _, given := range []string{"x;=1+1", "x; \"-1", " =1", "\n=1", "\t@x", "＝1+1", "ok;\u00a0+1"} {
		v.Reason = given
		text := write(t, report.CSV, v)
		if regexp.MustCompile(`(^|[,;\n])[\s"]*[=+@＝-]`).MatchString(text) {
			t.Errorf("a spreadsheet would run %q as %s", given, text)
		}
	}
	var page bytes.Buffer
	p := report.Page{Texts: map[model.CheckID]check.Text{"door-locked": {}}}
	v.Reason = "abc\u202egpj\u009b31m\x1b[0m"
	p.Add(audit(), []shape.Verdict{v})
	if err := p.Write(t.Context(), &page); err != nil || strings.ContainsAny(page.String(), "\u202e\u009b\x1b") || !strings.Contains(page.String(), "abcgpj31m[0m") {
		t.Errorf("the page keeps what turns text round (%v)", err)
	}
}
