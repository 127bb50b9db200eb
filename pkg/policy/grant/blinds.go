package grant

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// The tables are what the tests of services see: those of collectors deny each
// operation in turn, those of checks note what a check reads. In both, a name is
// a fact ("AWS::KMS::Key.rotation") or, without a fact, the listing of a type.
//
//go:embed blinds
var blindsOf embed.FS

// Takes lists, by operation, the facts and listings that are lost if it is denied.
func Takes() map[string][]string { return recorded("takes") }

// Reads lists, by check, the facts and listings that it may read.
func Reads() map[string][]string { return recorded("reads") }

// recorded is a table, whose parts are the services' (blinds/reads/kms.tsv).
func recorded(table string) map[string][]string {
	files, err := fs.Glob(blindsOf, path.Join("blinds", table, "*.tsv"))
	if err != nil {
		panic(err) // the pattern is ours
	}
	var all strings.Builder
	for _, name := range files {
		part, err := blindsOf.ReadFile(name)
		if err != nil {
			panic(err) // it is part of the program
		}
		all.Write(part)
	}
	return parse(all.String())
}

func parse(table string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(table) {
		if key, names, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && !strings.HasPrefix(line, "#") {
			all[key] = append(all[key], strings.Fields(names)...)
		}
	}
	for key := range all {
		slices.Sort(all[key])
		all[key] = slices.Compact(all[key])
	}
	return all
}

// blinds finds the checks that may have no verdict without operations: those
// that read something that is lost with one. What connecting takes, all need.
func blinds(checks []check.Check) func(operations []string) []model.CheckID {
	takes, reads := Takes(), Reads()
	return func(operations []string) []model.CheckID {
		blinded := []model.CheckID{}
		for _, k := range checks {
			loses := func(operation string) bool {
				return slices.Contains(policy.Connect(), operation) ||
					slices.ContainsFunc(takes[operation], func(name string) bool { return slices.Contains(reads[string(k.ID)], name) })
			}
			if slices.ContainsFunc(operations, loses) {
				blinded = append(blinded, k.ID)
			}
		}
		return blinded
	}
}
