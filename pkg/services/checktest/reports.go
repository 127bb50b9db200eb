package checktest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/policy/grant/granttest"
)

// reported holds the rows of docs/correctness.md to the cases that name a public
// report: report, check, state, verdict. They lie beside the service's tests, where
// make blinds writes them.
func reported(t *testing.T, service string, table Table) {
	t.Helper()
	var rows []string
	for id, cases := range table {
		for _, c := range cases {
			for _, report := range c.Reports {
				rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\n", report, id, c.Name, c.Want))
			}
		}
	}
	slices.Sort(rows)
	want := strings.Join(slices.Compact(rows), "")
	file := filepath.Join("testdata", "reports.tsv")
	if os.Getenv(granttest.Record) != "" {
		var err error
		if want == "" {
			if err = os.Remove(file); os.IsNotExist(err) {
				err = nil
			}
		} else if err = os.MkdirAll("testdata", 0o750); err == nil {
			err = os.WriteFile(file, []byte(want), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), want); diff != "" {
		t.Errorf("testdata/reports.tsv is not what the cases say; run make blinds SERVICE=%s (-file +cases):\n%s", service, diff)
	}
}
