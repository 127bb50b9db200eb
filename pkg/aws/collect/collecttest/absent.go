package collecttest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/wire"
)

// absence is a line of testdata/absent.tsv: a verdict may become PASS, or FAIL, by this
// change, because of what AWS's page says that it means.
type absence struct {
	Operation string // "<SDK service id>.<operation>"
	Path      string
	Change    wire.Change
	Meaning   string
	Page      string
	Date      string // on which the page was read
}

// absences are those beside the scenarios, which need none.
func absences(t *testing.T) []absence {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "absent.tsv"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var all []absence
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			t.Fatalf("absent.tsv: want six columns: %s", line)
		}
		all = append(all, absence{f[0], f[1], wire.Change(f[2]), f[3], f[4], f[5]})
	}
	return all
}

// excuse finds the line for a mutation. A member that is null is absent.
// https://smithy.io/2.0/spec/aggregate-types.html#structure-member-optionality
func excuse(known []absence, operation string, m wire.Mutation) (absence, bool) {
	for _, row := range known {
		if row.Operation == operation && row.Path == m.Path && (row.Change == m.Change || row.Change == wire.Dropped && m.Change == wire.Null) {
			return row, true
		}
	}
	return absence{}, false
}
