package services_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/services"
)

// tools are those whose ids checks may name, each with the form of an id.
var tools = map[string]*regexp.Regexp{
	"prowler":     regexp.MustCompile(`^[a-z0-9_]+$`),
	"securityhub": regexp.MustCompile(`^[A-Z][A-Za-z0-9]+\.[1-9][0-9]*$`),
	"config-rule": regexp.MustCompile(`^[a-z0-9-]+$`),
	"steampipe":   regexp.MustCompile(`^[a-z0-9_]+$`),
	"cloudsploit": regexp.MustCompile(`^[a-z][A-Za-z0-9]+$`),
}

// TestAliases looks for each id that a check names in what the other tool has: an id
// that is mistyped, or retired, finds nobody's results.
func TestAliases(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	texts, err := catalog.Texts()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]map[string]bool{"prowler": ids(t, "prowler"), "config-rule": ids(t, "config-rule")}
	retired := ids(t, "securityhub-retired")
	for _, check := range catalog.Checks() {
		for tool, all := range texts[check.ID].Tools() {
			form, ok := tools[tool]
			if !ok {
				t.Errorf("%s names a tool that we do not know: %s", check.ID, tool)
				continue
			}
			for _, id := range all {
				switch {
				case !form.MatchString(id):
					t.Errorf("%s: %s is no id of %s", check.ID, id, tool)
				case known[tool] != nil && !known[tool][id]:
					t.Errorf("%s: %s has no %s", check.ID, tool, id)
				case tool == "securityhub" && retired[id]:
					t.Errorf("%s: Security Hub retired %s", check.ID, id)
				}
			}
		}
	}
}

// ids reads a list of ids, one a line.
func ids(t *testing.T, list string) map[string]bool {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "aliases", list+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	all := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			all[line] = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
