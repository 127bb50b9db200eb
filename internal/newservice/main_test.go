package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSkeletonCompilesAndPasses writes a service into the module, where alone it
// can be built, and runs the tests of its rules.
func TestSkeletonCompilesAndPasses(t *testing.T) {
	t.Parallel()
	services := filepath.Join("testdata", "services")
	if err := os.MkdirAll(services, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll("testdata") })
	if err := write(services, "sample", "Amazon Sample", "Sample"); err != nil {
		t.Fatal(err)
	}
	// The skeleton imports itself by its place in the real tree.
	for _, test := range []string{"checks_test.go", "collect/collect.go", "collect/collect_test.go"} {
		path := filepath.Join(services, "sample", test)
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const there, here = "cloudarq/pkg/services/sample", "cloudarq/internal/newservice/testdata/services/sample"
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(source), there, here)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"vet", "./" + services + "/sample/..."}, {"test", "./" + services + "/sample"}} {
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CLOUDARQ_RECORD="+t.TempDir()) // as make blinds does for a new service
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
	if err := write(services, "sample", "Amazon Sample", "Sample"); err == nil {
		t.Error("a service that exists was written over")
	}
	if err := write(services, "No-Name", "x", "x"); err == nil {
		t.Error("a name that Go does not accept was accepted")
	}
}
