package arch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// TestEveryServiceIsTested wants each service to run its rules and its collector
// through the suites that hold them to the gaps.
func TestEveryServiceIsTested(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		switch {
		case isCollector(p.name()):
			uses(t, p.Dir, "collecttest.Wire(")
		case isService(p.name()):
			uses(t, p.Dir, "checktest.Run(")
		}
	}
}

func uses(t *testing.T, dir, call string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), call) {
			return
		}
	}
	t.Errorf("no test in %s calls %s…)", dir, call)
}

// TestRegistriesAgree wants every service to have a collector that emits all of
// its types, and every folder to be registered.
func TestRegistriesAgree(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	specs := collectors.ByService()
	for _, s := range catalog.Services() {
		var emitted []string
		for _, w := range specs[s.Name].Walks {
			emitted = append(emitted, w.Kinds...)
		}
		for _, k := range s.Kinds {
			if !slices.Contains(emitted, k.Name) {
				t.Errorf("no walk of %s emits %s", s.Name, k.Name)
			}
		}
		if len(emitted) != len(s.Kinds) {
			t.Errorf("%s emits %v, and declares %d types", s.Name, emitted, len(s.Kinds))
		}
	}
	registered := map[string]bool{}
	for _, p := range list(t) {
		if p.name() == "pkg/services" || p.name() == "pkg/services/collectors" {
			for _, i := range p.Imports {
				registered[strings.TrimPrefix(i, module)] = true
			}
		}
	}
	for _, p := range list(t) {
		if (isService(p.name()) || isCollector(p.name())) && !registered[p.name()] {
			t.Errorf("%s is not registered", p.name())
		}
	}
}

// TestPromises holds the catalogue to the numbers that the product promises.
func TestPromises(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(catalog.Checks()); n < 172 {
		t.Errorf("%d checks, want at least 172", n)
	}
	with := map[string]bool{}
	for _, c := range catalog.Checks() {
		with[c.Service] = true
	}
	if n := len(with); n < 30 {
		t.Errorf("checks over %d services, want at least 30", n)
	}
}

// TestEveryOperationHasAnAction wants the table to name the IAM action of every
// operation, so that a denial can.
func TestEveryOperationHasAnAction(t *testing.T) {
	t.Parallel()
	for _, op := range policy.Operations() {
		if op.Action == "" || strings.Contains(op.Action, "*") {
			t.Errorf("operation %s has the action %q", op.ID, op.Action)
		}
	}
}
