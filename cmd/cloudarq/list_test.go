package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// atWidth runs a command whose output goes to a terminal of a width.
func atWidth(t *testing.T, width int, args ...string) result {
	t.Helper()
	person, program, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skip("this system has no such terminals")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = person.Close(), program.Close() }()
	if err := pty.Setsize(person, &pty.Winsize{Cols: uint16(width), Rows: 50}); err != nil { //nolint:gosec // 250 at most
		t.Fatal(err)
	}
	var seen screen
	read := make(chan struct{})
	go func() {
		_, _ = io.Copy(&seen, person)
		close(read)
	}()
	var stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), program, &stderr)
	_ = program.Close()
	<-read
	return result{code, strings.ReplaceAll(seen.String(), "\r\n", "\n"), stderr.String()}
}

// listingCommands are those that list something, by their names.
func listingCommands(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	all := commands(t)
	maps.DeleteFunc(all, func(_ string, cmd *cobra.Command) bool {
		return cmd.Name() != "list" && cmd.Flags().Lookup("columns") == nil
	})
	if len(all) < 10 {
		t.Fatalf("%d commands list something", len(all))
	}
	return all
}

// listWords are words without which a command lists nothing.
var listWords = map[string][]string{"policy diff": {"security-audit"}, "policy verify": {"-"}, "compliance show": {"cis-aws-5.0"}}

// listsElsewhere are commands that list what a state with three audits does not have.
var listsElsewhere = map[string]string{
	"audit diff":               "wants two audits of an account",
	"audit reconcile":          "wants a trail",
	"admin auditlog list":      "no administrator has changed anything",
	"admin organizations list": "is of a state that is served",
	"operator inventory":       "is of a table in AWS",
	"policy verify":            "lists what is wrong with a policy",
}

// TestEveryListIsAskedAlike: each has the same flags, and says what it does not know.
func TestEveryListIsAskedAlike(t *testing.T) {
	environment(t, nil)
	data := t.TempDir()
	for name, cmd := range listingCommands(t) {
		for _, flag := range []string{"limit", "columns", "sort"} {
			if cmd.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", name, flag)
			}
		}
		args := append(strings.Fields(name), listWords[name]...)
		cloudarq(t, data, append(args, "--columns", "colum")...).sentence(t, exitUsage, `unknown column "colum"`)
		cloudarq(t, data, append(args, "--columns", "+colum")...).sentence(t, exitUsage, `unknown column "colum"`)
		cloudarq(t, data, append(args, "--sort", "-sever")...).sentence(t, exitUsage, `unknown column to sort by "sever"`)
		cloudarq(t, data, append(args, "--limit", "-1")...).sentence(t, exitUsage, "0 is all")
	}
}

// everyList holds the lists of a state with audits to what all lists do.
func everyList(t *testing.T, data string) {
	for name := range listingCommands(t) {
		if listsElsewhere[name] != "" {
			continue
		}
		args := append(append(strings.Fields(name), listWords[name]...), "--data-dir", data)
		t.Run(name, func(t *testing.T) {
			for _, width := range []int{80, 120, 200} {
				r := atWidth(t, width, args...)
				if r.code != exitOK {
					t.Fatalf("%d columns: %d %s", width, r.code, r.stderr)
				}
				for line := range strings.Lines(r.stdout) {
					if w := text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")); w > width || strings.Contains(line, "≈") {
						t.Errorf("%d wide on a terminal of %d: %q", w, width, line)
					}
				}
			}
			plain := asItIs(t, args...)
			lines := strings.Split(strings.TrimSuffix(plain.stdout, "\n"), "\n")
			tabs := strings.Count(lines[0], "\t")
			for _, line := range lines {
				if strings.Count(line, "\t") != tabs || strings.Contains(line, "  ") {
					t.Errorf("piped: %q", line)
				}
			}
			column := strings.ToLower(strings.Split(lines[0], "\t")[0])
			var rows []map[string]any
			r := asItIs(t, append(args, "-o", "json", "--columns", column, "--limit", "1")...)
			if err := json.Unmarshal([]byte(r.stdout), &rows); err != nil || len(rows) > 1 || len(rows) == 1 && (len(rows[0]) != 1 || rows[0][column] == nil) {
				t.Errorf("%v: one member of one row is %s", err, r.stdout)
			}
			if cut := len(lines) > 2; cut != strings.Contains(r.stderr, "--limit 0 shows all") {
				t.Errorf("of %d rows it says %s", len(lines)-1, r.stderr)
			}
			r = asItIs(t, append(args, "-o", "csv", "--columns", column, "--sort", "-"+column)...)
			table, err := csv.NewReader(strings.NewReader(r.stdout)).ReadAll()
			if err != nil || len(table) != len(lines) || len(table[0]) != 1 || table[0][0] != column {
				t.Errorf("%v: one column is %d rows, of %d:\n%s", err, len(table), len(lines), r.stdout)
			}
		})
	}
	t.Run("identifiers are whole", func(t *testing.T) {
		found := decode[[]struct{ ID, Check, Account string }](t, cloudarq(t, data, "findings", "list", "severity=critical", "-o", "json", "--limit", "40"))
		audits := wholeAudits(t, data)
		for _, width := range []int{80, 120, 200} {
			listed := atWidth(t, width, "findings", "list", "severity=critical", "--data-dir", data).stdout
			for _, f := range found {
				if !strings.Contains(listed, f.ID[:10]) || !strings.Contains(listed, f.Check) || !strings.Contains(listed, f.Account) {
					t.Errorf("%d columns: %+v is not whole:\n%s", width, f, listed[:min(len(listed), 2000)])
					break
				}
			}
			listed = atWidth(t, width, "audit", "list", "--data-dir", data).stdout
			for _, a := range audits {
				if !strings.Contains(listed, string(a.ID)) || !strings.Contains(listed, a.AccountID) {
					t.Errorf("%d columns: %s is not whole:\n%s", width, a.ID, listed)
				}
			}
		}
	})
	t.Run("a terminal shows a part", func(t *testing.T) {
		r := atWidth(t, 120, "findings", "list", "--data-dir", data)
		all := decode[[]map[string]any](t, cloudarq(t, data, "findings", "list", "-o", "json"))
		if n := len(all); n <= screenful || !strings.Contains(r.stderr, "50 of ") || !strings.Contains(r.stderr, "--limit 0 shows all") {
			t.Errorf("of %d findings it says %s", n, r.stderr)
		}
		r = atWidth(t, 120, "findings", "list", "--limit", "0", "--data-dir", data)
		if strings.Contains(r.stderr, "shows all") || !strings.Contains(r.stderr, "findings") {
			t.Errorf("of all it says %s", r.stderr)
		}
	})
}

// oneThing holds commands that are about one thing to show an object, of a state with audits.
func oneThing(t *testing.T, data, account string) {
	finding := decode[[]struct{ ID string }](t, cloudarq(t, data, "findings", "list", "--limit", "1", "-o", "json"))[0].ID
	args := map[string][]string{
		"audit show": {account}, "audit watch": {"latest"}, "audit verify": nil, "checks show": {"kms-key-rotation"}, "schemas show": {"finding"},
		"connections show": {account}, "findings show": {finding[:10]}, "version": nil, "admin access-keys show": nil,
	}
	for name, cmd := range commands(t) {
		if cmd.Name() == "show" && cmd.Flags().Lookup("columns") == nil && args[name] == nil && name != "admin access-keys show" {
			t.Errorf("%s shows one thing, and is not tried here", name)
		}
	}
	for name, words := range args {
		r := cloudarq(t, data, append(append(strings.Fields(name), words...), "-o", "json")...)
		var object map[string]any
		if err := json.Unmarshal([]byte(r.stdout), &object); err != nil {
			t.Errorf("%s (%d): %v: %.80s %s", name, r.code, err, r.stdout, r.stderr)
		}
	}
}

// TestEveryCommandSaysWhatIsMissing: which word, or which is one too many.
func TestEveryCommandSaysWhatIsMissing(t *testing.T) {
	environment(t, nil)
	for name, cmd := range commands(t) {
		if strings.HasPrefix(name, "completion") || name == "help" || cmd.Args == nil {
			continue
		}
		args, required := strings.Fields(name), 0
		for _, a := range arguments(cmd) {
			if !a.optional {
				required++
			}
		}
		if required > 0 {
			cloudarq(t, t.TempDir(), args...).sentence(t, exitUsage, arguments(cmd)[0].name+" is missing; for example: cloudarq "+name)
		}
		for range len(arguments(cmd)) + 1 {
			args = append(args, "extra")
		}
		if name == "policy show" { // whose --services takes words
			continue
		}
		cloudarq(t, t.TempDir(), args...).sentence(t, exitUsage, `"extra" is one word too many; usage: cloudarq `+name)
	}
}

// TestShortNames: commands are found by the names that people try, and none by two.
func TestShortNames(t *testing.T) {
	environment(t, nil)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		taken := map[string]string{}
		for _, sub := range cmd.Commands() {
			for _, name := range append([]string{sub.Name()}, sub.Aliases...) {
				if other := taken[name]; other != "" {
					t.Errorf("%s and %s are both called %q", other, sub.Name(), name)
				}
				taken[name] = sub.Name()
			}
			walk(sub)
		}
	}
	walk((&cli{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}).root())
	for _, words := range []string{
		"policy show --services S3", "checks ls --columns ID,Severity --sort -Severity",
		"finding ls", "resource ls", "check ls", "audits ls", "connection ls", "check get kms-key-rotation", "--version",
	} {
		if r := cloudarq(t, t.TempDir(), strings.Fields(words)...); r.code != exitOK {
			t.Errorf("%s: %d %s", words, r.code, r.stderr)
		}
	}
}

func TestMistypedFlags(t *testing.T) {
	environment(t, nil)
	for line, want := range map[string]string{
		"checks list --sotr id":          `unknown flag "--sotr"; did you mean "--sort"?`,
		"audit run --service s3":         `unknown flag "--service"; did you mean "--services"?`,
		"audit run --exclude-check kms*": `did you mean "--exclude-checks"?`,
		"checks list -z":                 "unknown shorthand flag",
		"checks list --limit=":           "invalid argument",
		"checks list --limit many":       "invalid argument",
	} {
		cloudarq(t, t.TempDir(), strings.Fields(line)...).sentence(t, exitUsage, want)
	}
}

func TestRegionsOf(t *testing.T) {
	t.Parallel()
	enabled := []string{"ap-south-1", "eu-west-1", "eu-west-2", "us-east-1"}
	for words, want := range map[string]string{
		"all":                 "ap-south-1 eu-west-1 eu-west-2 us-east-1",
		"eu-*":                "eu-west-1 eu-west-2",
		"eu-west-?,us-east-1": "eu-west-1 eu-west-2 us-east-1",
		"us-east-1,eu-west-1": "eu-west-1 us-east-1",
		"eu-south-1":          "eu-south-1", // said in so many words
		"sa-*":                "",
		"[":                   "",
	} {
		got, err := regionsOf(strings.Split(words, ","), enabled)
		if strings.Join(got, " ") != want || (err != nil) != (want == "") {
			t.Errorf("%s: %v, %v", words, got, err)
		}
	}
}

func TestChosenChecks(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	all := catalog.Checks()
	has := func(checks []check.Check, s model.Severity) bool {
		return slices.ContainsFunc(checks, func(k check.Check) bool { return k.Severity == s })
	}
	for words, want := range map[string][]bool{ // critical, high, medium, low
		"":           {true, true, true, true},
		"high":       {true, true, false, false},
		"HIGH":       {true, true, false, false},
		"low,medium": {false, false, true, true},
	} {
		got, err := severities(all, strings.FieldsFunc(words, func(r rune) bool { return r == ',' }))
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range model.Severities() {
			if has(got, s) != want[i] {
				t.Errorf("--severity %s: %s is %v", words, s, has(got, s))
			}
		}
	}
	if _, err := severities(all, []string{"hihg"}); err == nil {
		t.Error("a severity that is none is taken")
	}
	left, err := without(catalog, all, []string{"kms-*", "securityhub:S3.5"})
	if err != nil || len(left) >= len(all) || slices.ContainsFunc(left, func(k check.Check) bool { return k.Service == "kms" && strings.HasPrefix(string(k.ID), "kms-") }) {
		t.Errorf("%d of %d are left, %v", len(left), len(all), err)
	}
	if _, err := without(catalog, all, []string{"kms-key-rotatoin"}); err == nil {
		t.Error("a check that is none is left out")
	}
}

// TestNarrowedByWords: regions by pattern, services in any case, and checks that are left out.
func TestNarrowedByWords(t *testing.T) {
	e, _ := sample(t)
	a, data := e.Account("neglected"), t.TempDir()
	for words, want := range map[string]int{"eu-west-*": 3, "EU-West-1": 1, "all": 17, "us-east-1,eu-west-?": 4} {
		planned := decode[[]plannedCall](t, audit(t, data, a, "--dry-run", "--services", "KMS", "--regions", words, "-o", "json"))
		for _, call := range planned {
			if call.Service == "kms" && len(call.Regions) != want {
				t.Errorf("--regions %s: %d regions, want %d", words, len(call.Regions), want)
			}
		}
	}
	r := audit(t, data, a, "--dry-run", "--services", "kms", "--regions", "mars-*")
	if r.code != exitUsage || !strings.Contains(r.stderr, `no region that the account has enabled fits "mars-*"`) {
		t.Errorf("regions that are none: %d %s", r.code, r.stderr)
	}
	r = audit(t, data, a, "--services", "kms", "--regions", "eu-west-1", "--exclude-checks", "kms-key-*", "--quiet")
	if r.code != exitUsage || !strings.Contains(r.stderr, "nothing to audit") {
		t.Errorf("all checks are left out: %d %s", r.code, r.stderr)
	}
	r = audit(t, data, a, "--services", "kms", "--regions", "eu-west-1", "--exclude-checks", "kms-key-enabled")
	if r.code != exitOK || !strings.Contains(r.stderr, "cloudarq findings list account="+a.ID) || !strings.Contains(r.stderr, "cloudarq report html ") {
		t.Errorf("an audit's end does not say what comes next: %d %s", r.code, r.stderr)
	}
	if left := decode[model.Audit](t, cloudarq(t, data, "audit", "show", "-o", "json")).Checks; len(left) == 0 || slices.Contains(left, "kms-key-enabled") {
		t.Errorf("audited %v", left)
	}
	file := t.TempDir() + "/report.html"
	if r := cloudarq(t, data, "report", "html", a.ID, "--file", file); r.code != exitOK || !strings.Contains(r.stderr, file) {
		t.Errorf("a report is written in silence: %d %s", r.code, r.stderr)
	}
}
