package services_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/services"
)

var shrink = flag.Bool("shrink", false, "take from testdata/unseen.txt what is seen now")

const unseen = "testdata/unseen.txt"

// TestEveryCheckIsSeen wants every check to be seen to pass and to fail through its
// collector, from AWS's own answers: the tables beside the collectors' scenarios say what
// was seen. What was not stands in a list that only grows shorter.
func TestEveryCheckIsSeen(t *testing.T) {
	t.Parallel()
	tables, err := filepath.Glob("*/collect/testdata/*.verdicts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	several, err := filepath.Glob("collectors/testdata/*.verdicts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range append(tables, several...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Split(line, "\t"); len(f) > 2 {
				seen[f[0]+"\t"+f[2]] = true
			}
		}
	}
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	both := 0
	for _, c := range catalog.Checks() {
		before := len(missing)
		for _, status := range []check.Status{check.Pass, check.Fail} {
			if line := string(c.ID) + "\t" + string(status); !seen[line] {
				missing = append(missing, line)
			}
		}
		if len(missing) == before {
			both++
		}
	}
	slices.Sort(missing)
	t.Logf("%d of %d checks are seen to pass and to fail", both, len(catalog.Checks()))
	data, err := os.ReadFile(unseen)
	if err != nil {
		t.Fatal(err)
	}
	head, list, _ := strings.Cut(string(data), "\n") // the first line says what the others are
	listed := strings.FieldsFunc(list, func(r rune) bool { return r == '\n' })
	if *shrink {
		listed = slices.DeleteFunc(listed, func(line string) bool { return !slices.Contains(missing, line) })
		if err := os.WriteFile(unseen, []byte(strings.Join(append([]string{head}, listed...), "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(listed, missing, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a check that is seen leaves %s (-shrink takes it out), and one that is not gets a scenario (-listed +unseen):\n%s", unseen, diff)
	}
}
