package arch

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tests are the names of all tests that there are, in Go and in Python.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	grep := exec.Command("grep", "-rhoE", "--include=*_test.go", "--include=test_*.py", `^(func|    def|def) (Test|Fuzz|test_)\w+`, ".")
	grep.Dir = root
	out, err := grep.Output()
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		exists[fields[len(fields)-1]] = true
	}
	return exists
}

var testName = regexp.MustCompile("`((?:Test|Fuzz|test_)\\w+)`")

// TestPagesNameTests holds pages to tests that exist: what they say is shown by one must not
// outlive it.
func TestPagesNameTests(t *testing.T) {
	t.Parallel()
	exists := tests(t)
	for page, least := range map[string]int{"reviewed.md": 100, "abuse.md": 30, "threat-model.md": 5} {
		text, err := os.ReadFile(filepath.Join(root, "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		named := testName.FindAllStringSubmatch(string(text), -1)
		if len(named) < least {
			t.Errorf("docs/%s names %d tests", page, len(named))
		}
		for _, n := range named {
			if !exists[n[1]] {
				t.Errorf("docs/%s names %s, which no test is called", page, n[1])
			}
		}
	}
}

// TestAbuse holds each attack of docs/abuse.md to an answer that the OpenAPI document has and
// to a test.
func TestAbuse(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "abuse.md"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join(root, "docs", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Components struct {
			Responses map[string]struct{}
		}
	}
	if err := json.Unmarshal(document, &api); err != nil {
		t.Fatal(err)
	}
	answers := map[string]bool{}
	for name := range api.Components.Responses { // "403.code_used.code_wrong"
		codes := strings.Split(name, ".")
		for _, code := range codes[1:] {
			answers[codes[0]+" "+code] = true
		}
	}
	answer := regexp.MustCompile("`([0-9]{3} [a-z_]+)`")
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.TrimSpace(cells[0]) == "attack" {
			continue
		}
		rows++
		if len(cells) != 3 || !testName.MatchString(cells[2]) {
			t.Errorf("a row without a test: %s", line)
			continue
		}
		for _, a := range answer.FindAllStringSubmatch(cells[1], -1) {
			if !answers[a[1]] {
				t.Errorf("no operation answers %s: %s", a[1], line)
			}
		}
	}
	if rows < 30 {
		t.Errorf("%d attacks", rows)
	}
}
