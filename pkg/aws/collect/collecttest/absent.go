package collecttest

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/aws/wire"
)

// absentTSV says where AWS documents what a part of an answer means that is absent, or
// of another form.
//
//go:embed absent.tsv
var absentTSV string

// absence is a line of absent.tsv: a verdict may become PASS by this change, because of
// what AWS's page says that it means.
type absence struct {
	For       string // the service whose rules it is about
	Operation string // "<SDK service id>.<operation>"
	Path      string
	Change    wire.Change
	Meaning   string
	Page      string
	Date      string // on which the page was read
}

var absences = sync.OnceValue(func() []absence {
	var all []absence
	for line := range strings.Lines(absentTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 7 {
			panic("absent.tsv: want seven columns: " + line)
		}
		all = append(all, absence{f[0], f[1], f[2], wire.Change(f[3]), f[4], f[5], f[6]})
	}
	return all
})

// excuse finds the line for a mutation. A member that is null is absent.
// https://smithy.io/2.0/spec/aggregate-types.html#structure-member-optionality
func excuse(service, operation string, m wire.Mutation) (absence, bool) {
	for _, row := range absences() {
		if row.For == service && row.Operation == operation && row.Path == m.Path && (row.Change == m.Change || row.Change == wire.Dropped && m.Change == wire.Null) {
			return row, true
		}
	}
	return absence{}, false
}
