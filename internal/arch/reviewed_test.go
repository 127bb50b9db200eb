package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReviewedNamesTests holds docs/reviewed.md to tests that exist: what it says is
// shown by one must not outlive it.
func TestReviewedNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "reviewed.md"))
	if err != nil {
		t.Fatal(err)
	}
	grep := exec.Command("grep", "-rhoE", "--include=*_test.go", "--include=test_*.py", `^(func|    def|def) (Test|test_)\w+`, ".")
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
	named := regexp.MustCompile("`((?:Test|test_)\\w+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 30 {
		t.Errorf("%d tests are named", len(named))
	}
	for _, n := range named {
		if !exists[n[1]] {
			t.Errorf("docs/reviewed.md names %s, which no test is called", n[1])
		}
	}
}
