package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

func TestChecksList(t *testing.T) {
	environment(t, nil)
	all := decode[[]map[string]any](t, cloudarq(t, t.TempDir(), "checks", "list", "-o", "json"))
	if len(all) < 172 {
		t.Errorf("%d checks, want at least 172", len(all))
	}
	for _, c := range all {
		for _, field := range []string{"id", "title", "service", "severity", "pillar", "resource_type", "risk", "remediation", "references", "controls", "aliases"} {
			if _, ok := c[field]; !ok {
				t.Errorf("%v lacks %s", c["id"], field)
			}
		}
	}
	if chosen := decode[[]shape.Check](t, cloudarq(t, t.TempDir(), "checks", "list", "kms-*", "severity=critical", "-o", "json")); len(chosen) != 2 {
		t.Errorf("%d critical checks of KMS, want 2", len(chosen))
	}
	if short, long := cloudarq(t, t.TempDir(), "checks", "list", "kms.4"), cloudarq(t, t.TempDir(), "checks", "list", "securityhub:KMS.4"); short.stdout != long.stdout || short.code != exitOK {
		t.Errorf("KMS.4 is %s%s, and with the tool %s", short.stdout, short.stderr, long.stdout)
	}
	r := cloudarq(t, t.TempDir(), "checks", "show", "securityhub:KMS.4")
	for _, want := range []string{"kms-key-rotation", "Why it matters", "How to fix it", "enable-key-rotation"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("checks show lacks %q", want)
		}
	}
}

// Whoever comes with another tool's id finds the check, and reads where the two differ.
func TestChecksThatArePartlyTheSame(t *testing.T) {
	environment(t, nil)
	chosen := decode[[]shape.Check](t, cloudarq(t, t.TempDir(), "checks", "list", "securityhub:APIGateway.1", "-o", "json"))
	if len(chosen) != 1 || chosen[0].ID != "apigateway-stage-logging" {
		t.Fatalf("securityhub:APIGateway.1 selects %+v", chosen)
	}
	differs := chosen[0].Weaker["securityhub"]["APIGateway.1"]
	if differs == "" {
		t.Error("the list does not say what differs")
	}
	for _, words := range [][]string{{"show", "securityhub:APIGateway.1"}, {"list", "securityhub:APIGateway.1", "-o", "csv"}} {
		if r := cloudarq(t, t.TempDir(), append([]string{"checks"}, words...)...); !strings.Contains(r.stdout, differs) {
			t.Errorf("checks %v does not say what differs: %s", words, r.stdout)
		}
	}
}

func TestHelpHasExamples(t *testing.T) {
	environment(t, nil)
	for name := range commands(t) {
		if name == "help" || name == "version" || strings.HasPrefix(name, "completion") {
			continue
		}
		r := cloudarq(t, t.TempDir(), append(strings.Fields(name), "--help")...)
		if r.code != exitOK || !strings.Contains(r.stdout, "Examples:") {
			t.Errorf("%s --help (%d) has no examples", name, r.code)
		}
	}
	if r := cloudarq(t, t.TempDir(), "completion", "bash"); r.code != exitOK || !strings.Contains(r.stdout, "complete") {
		t.Errorf("completion: %d", r.code)
	}
	if r := cloudarq(t, t.TempDir(), "version"); r.code != exitOK || !strings.HasPrefix(r.stdout, "cloudarq ") {
		t.Errorf("version: %d %q", r.code, r.stdout)
	}
}

// TestExitCodes holds each code to its one meaning; 4, 5 and 6 are with the
// faults that cause them.
func TestExitCodes(t *testing.T) {
	e, _ := sample(t)
	neglected, restricted := e.Account("neglected"), e.Account("restricted")
	data := t.TempDir()
	for name, c := range map[string]struct {
		result result
		want   int
	}{
		"done, whatever failed":           {kms(t, data, neglected), exitOK},
		"threshold not met":               {kms(t, data, neglected, "--checks", "kms-key-rotation", "--fail-on", "high"), exitOK},
		"findings at the threshold":       {kms(t, data, neglected, "--checks", "kms-key-rotation", "--fail-on", "medium"), exitFindings},
		"findings above the threshold":    {kms(t, data, neglected, "--fail-on", "low"), exitFindings},
		"coverage reached":                {kms(t, data, neglected, "--min-coverage", "100"), exitOK},
		"coverage missed":                 {kms(t, data, restricted, "--min-coverage", "50"), exitIncomplete},
		"coverage missed, and that is ok": {kms(t, data, restricted, "--min-coverage", "50", "--incomplete-ok"), exitOK},
		"usage":                           {cloudarq(t, data, "audit", "run", "--nope"), exitUsage},
	} {
		if c.result.code != c.want {
			t.Errorf("%s: exit code %d, want %d (%s)", name, c.result.code, c.want, c.result.stderr)
		}
	}
}

func TestAuditOfTheEstate(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	if err := server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	for _, account := range e.Accounts {
		r := audit(t, data, account, "-o", "ndjson", "--quiet")
		if r.code != exitOK {
			t.Fatalf("%s: %d %s", account.Name, r.code, r.stderr)
		}
		for line := range strings.Lines(r.stdout) {
			v := decode[shape.Verdict](t, result{stdout: line})
			if v.Check == "" || v.Resource == "" || v.Account != account.ID || v.Region == "" || v.Reason == "" || v.Severity == "" {
				t.Fatalf("incomplete verdict: %s", line)
			}
			if v.Status == check.NotAssessed && len(v.Gaps) == 0 {
				t.Errorf("no gap says why: %s", line)
			}
			if v.Status == check.Fail && len(v.Evidence) == 0 {
				t.Errorf("no evidence says why: %s", line)
			}
		}
	}
	calls, err := server.Calls()
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, op := range policy.Operations() {
		_, name, _ := strings.Cut(op.ID, ".")
		allowed[name] = true
	}
	for _, call := range calls {
		if !allowed[call.Operation] {
			t.Errorf("the audit called %s %s, which is not in the table", call.Service, call.Operation)
		}
	}
	if len(calls) == 0 {
		t.Fatal("the emulator saw no calls")
	}
	audits := wholeAudits(t, data)
	score := map[string]model.Score{}
	for _, a := range audits {
		score[a.AccountID] = a.Summary.Score
		for _, g := range a.Summary.Gaps {
			denied := g.Reason == "denied"
			if denied && a.AccountID != e.Account("restricted").ID {
				t.Errorf("the role of %s, which allows every operation of the table, was denied %s", a.AccountID, g.Action)
			}
			if denied && g.Action == "" {
				t.Errorf("a denial does not say what to allow: %+v", g)
			}
		}
	}
	neglected, kept, restricted := score[e.Account("neglected").ID], score[e.Account("well-kept").ID], score[e.Account("restricted").ID]
	if neglected.Value >= kept.Value {
		t.Errorf("the neglected account scores %.0f, the well kept one %.0f", neglected.Value, kept.Value)
	}
	if restricted.Coverage >= kept.Coverage {
		t.Errorf("the restricted account has a coverage of %.2f, the well kept one of %.2f", restricted.Coverage, kept.Coverage)
	}
	t.Run("lists", func(t *testing.T) { lists(t, data) })
	t.Run("every list", func(t *testing.T) { everyList(t, data) })
	t.Run("one thing", func(t *testing.T) { oneThing(t, data, e.Account("neglected").ID) })
	t.Run("completion", func(t *testing.T) { completes(t, data, e.Account("neglected").ID) })
	t.Run("report", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "report.html")
		if r := cloudarq(t, data, "report", "html", "--file", file); r.code != exitOK {
			t.Fatal(r.stderr)
		}
		html, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range e.Accounts {
			if !strings.Contains(string(html), a.ID) {
				t.Errorf("the report lacks account %s", a.ID)
			}
		}
	})
}

func lists(t *testing.T, data string) {
	findings := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "severity=critical", "-o", "json"))
	if len(findings) == 0 {
		t.Fatal("no critical finding in the estate")
	}
	for _, f := range findings {
		if f.Severity != model.Critical {
			t.Errorf("severity=critical lists a finding that is %s", f.Severity)
		}
	}
	shown := cloudarq(t, data, "findings", "show", string(findings[0].ID))
	for _, want := range []string{"Evidence", "Why it matters", "How to fix it", "History", string(findings[0].ID)} {
		if !strings.Contains(shown.stdout, want) {
			t.Errorf("findings show lacks %q", want)
		}
	}
	resources := decode[[]shape.Resource](t, cloudarq(t, data, "resources", "list", "type=AWS::KMS::Key", "-o", "json"))
	if len(resources) == 0 || resources[0].Type != "AWS::KMS::Key" || len(resources[0].Facts) == 0 {
		t.Errorf("resources of KMS: %d", len(resources))
	}
	for _, command := range [][]string{{"findings", "list"}, {"resources", "list"}, {"audit", "list"}, {"audit", "show"}, {"checks", "list"}} {
		rows, err := csv.NewReader(strings.NewReader(cloudarq(t, data, append(command, "-o", "csv")...).stdout)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Errorf("%v as CSV: %d rows, %v", command, len(rows), err)
		}
		if r := cloudarq(t, data, command...); r.code != exitOK || strings.Contains(r.stdout, "\x1b") {
			t.Errorf("%v as a table: %d, or colours where there is no terminal", command, r.code)
		}
	}
}

func TestDryRunMakesNoAuditAndNamesTheCalls(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if err := server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	r := audit(t, data, neglected, "--dry-run", "--checks", "kms-key-[^p]*", "-o", "json")
	planned := decode[[]plannedCall](t, r)
	if len(planned) != 4 || planned[0].Action == "" || len(planned[0].Regions) != 17 {
		t.Errorf("planned %+v, want the four operations of KMS in 17 regions", planned)
	}
	calls, err := server.Calls()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if c.Service == "kms" {
			t.Errorf("a dry run called %s", c.Operation)
		}
	}
	cloudarq(t, data, "audit", "show").sentence(t, exitUsage, "no audits")
}

func TestSecondAuditShowsWhatChanged(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	kms(t, data, neglected, "--checks", "kms-key-rotation")
	kms(t, data, neglected)
	shown := decode[model.Audit](t, cloudarq(t, data, "audit", "show", "-o", "json"))
	if c := shown.Summary.Changes; c.Previous == "" || c.Resolved != 0 || c.New == 0 {
		t.Errorf("changes %+v, want only the findings of the checks that were added", c)
	}
	if r := cloudarq(t, data, "audit", "diff", "-o", "json"); r.code != exitOK || strings.TrimSpace(r.stdout) != "[]" {
		t.Errorf("diff of two audits of an unchanged account: %d %s", r.code, r.stdout)
	}
	// The second made more checks: its score says nothing of the first one's.
	for _, word := range []string{"show", "diff"} {
		if r := cloudarq(t, data, "audit", word, "-o", "table"); !strings.Contains(r.stdout+r.stderr, "not to be compared with the score before") {
			t.Errorf("audit %s compares audits of different checks: %s%s", word, r.stdout, r.stderr)
		}
	}
}

func TestExternalIDSources(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	file := filepath.Join(t.TempDir(), "id")
	overwrite(t, file, []byte(neglected.ExternalID+"\n"))
	t.Setenv("MY_EXTERNAL_ID", neglected.ExternalID)
	for _, source := range []string{"file:" + file, "env:MY_EXTERNAL_ID", ""} {
		if source == "" {
			t.Setenv(externalIDVariable, neglected.ExternalID)
		}
		args := []string{"audit", "run", "--dry-run", "--services", "kms", "--role-arn", neglected.RoleARN, "--quiet"}
		if source != "" {
			args = append(args, "--external-id", source)
		}
		if r := cloudarq(t, t.TempDir(), args...); r.code != exitOK {
			t.Errorf("External ID from %q: %d %s", source, r.code, r.stderr)
		}
	}
	cloudarq(t, t.TempDir(), "audit", "run", "--external-id", "env:NOT_SET_ANYWHERE").sentence(t, exitUsage, "NOT_SET_ANYWHERE")
	cloudarq(t, t.TempDir(), "audit", "run", "--external-id", "prompt").sentence(t, exitUsage, "terminal")
}

func TestFlagsFromTheEnvironment(t *testing.T) {
	environment(t, map[string]string{"CLOUDARQ_OUTPUT": "csv"})
	if r := cloudarq(t, t.TempDir(), "checks", "list"); !strings.HasPrefix(r.stdout, "id,") {
		t.Errorf("CLOUDARQ_OUTPUT=csv was not followed: %q", r.stdout[:40])
	}
	if r := cloudarq(t, t.TempDir(), "checks", "list", "-o", "ndjson"); !strings.HasPrefix(r.stdout, "{") {
		t.Error("a flag does not come before the environment")
	}
}
