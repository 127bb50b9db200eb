package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// TestConnectionsCanBeToldApart: a table has ids where a connection can be called by nothing
// else, and CSV always.
func TestConnectionsCanBeToldApart(t *testing.T) {
	t.Parallel()
	c := func(id, account, name string) report.Connection {
		return report.Connection{Connection: model.Connection{ID: model.ConnectionID(id), AccountID: account, Name: name}}
	}
	for what, test := range map[string]struct {
		rows []report.Connection
		ids  bool
	}{
		"one":                                   {[]report.Connection{c("ID1", "111122223333", "")}, false},
		"one that has nothing yet":              {[]report.Connection{c("ID1", "", "")}, true},
		"accounts":                              {[]report.Connection{c("ID1", "111122223333", ""), c("ID2", "444455556666", "")}, false},
		"names":                                 {[]report.Connection{c("ID1", "111122223333", "a"), c("ID2", "111122223333", "b"), c("ID3", "", "c")}, false},
		"one account without names":             {[]report.Connection{c("ID1", "111122223333", ""), c("ID2", "111122223333", "")}, true},
		"one account of which one has a name":   {[]report.Connection{c("ID1", "111122223333", "a"), c("ID2", "111122223333", "")}, true},
		"one name and account":                  {[]report.Connection{c("ID1", "111122223333", "a"), c("ID2", "111122223333", "a")}, true},
		"one name of several accounts":          {[]report.Connection{c("ID1", "111122223333", "a"), c("ID2", "444455556666", "a")}, false},
		"a name that is the account of another": {[]report.Connection{c("ID1", "", "111122223333"), c("ID2", "111122223333", "b")}, true},
	} {
		for format, want := range map[report.Format]bool{report.Table: test.ids, report.CSV: true} {
			var out bytes.Buffer
			if err := report.Write(&out, format, report.Style{}, test.rows, report.ConnectionColumns(test.rows...)); err != nil {
				t.Fatal(err)
			}
			for _, row := range test.rows {
				if got := strings.Contains(out.String(), string(row.ID)); got != want {
					t.Errorf("%s, as %s: %s is there: %t\n%s", what, format, row.ID, got, out.String())
				}
			}
		}
	}
}
