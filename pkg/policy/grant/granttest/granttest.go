// Package granttest holds the tables from which policies are compared to what
// the tests of services see: which facts each operation gives, and which facts
// each check reads.
package granttest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Record is the environment variable that names the folder into which tests
// write what they see, instead of comparing it: make blinds sets it.
const Record = "CLOUDARQ_RECORD"

// Recorded compares what a service's test saw with a table, as far as the table
// speaks of the facts and listings that mine accepts.
func Recorded(t *testing.T, table, service string, have, saw map[string][]string, mine func(name string) bool) {
	t.Helper()
	if dir := os.Getenv(Record); dir != "" {
		var b strings.Builder
		b.WriteString("# Recorded by make blinds from the tests of the service; they compare it.\n")
		for _, key := range slices.Sorted(maps.Keys(saw)) {
			b.WriteString(key + "\t" + strings.Join(saw[key], " ") + "\n")
		}
		if err := os.MkdirAll(filepath.Join(dir, table), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, table, service+".tsv"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(saw)) {
		known := slices.DeleteFunc(slices.Clone(have[key]), func(name string) bool { return !mine(name) })
		if diff := cmp.Diff(known, saw[key]); diff != "" {
			t.Errorf("pkg/policy/grant/blinds/%s/%s.tsv says something else of %s; run make blinds SERVICE=%s (-table +seen):\n%s", table, service, key, service, diff)
		}
	}
}
