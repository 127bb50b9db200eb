package version_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestStamped builds with the flags that stamp a release, and without.
func TestStamped(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{"": "dev", "-X github.com/cloudarq/cloudarq/internal/version.stamped=1.2.3": "1.2.3"} {
		out, err := exec.Command("go", "run", "-ldflags", flags, "./testdata/print").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q: %s, %v; want %s", flags, out, err, want)
		}
	}
}

// TestBuildsStamp holds what builds the command and the functions to the variable's name.
func TestBuildsStamp(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../../Makefile", "../../tools/functions.sh"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`-X github\.com/cloudarq/cloudarq/internal/version\.stamped=\$`).Match(text) {
			t.Errorf("%s stamps no version", file)
		}
	}
}
