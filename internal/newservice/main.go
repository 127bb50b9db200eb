// Command newservice writes the folder of a new service from how the SDK describes two
// of its operations, the one that lists a resource type and the one that describes one
// of it, unless the listing tells all: the type with its states, the collector, one check
// with its text and cases, and the collector's test, which fails until it has answers of
// AWS. The SDK's client is added to go.mod.
package main

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed skeleton/*.txt
var skeleton embed.FS

const services = "pkg/services"

func main() {
	if len(os.Args) < 5 || len(os.Args) > 6 {
		fmt.Fprintln(os.Stderr, `usage: newservice NAME TITLE SDKID LIST [DESCRIBE]    (newservice athena "Amazon Athena" Athena ListWorkGroups GetWorkGroup)`)
		os.Exit(2)
	}
	name, title, sdkID, operations := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	if err := run(name, title, sdkID, operations); err != nil {
		fmt.Fprintln(os.Stderr, "newservice:", err)
		os.Exit(1)
	}
	fmt.Printf(`Wrote %[1]s/%[2]s. What is left there, all of it to be looked up at AWS:
  - %[2]s.go: what rules ask of a resource (Detail), which of its states count, and
    CloudFormation's name of the type
  - collect/collect.go: how Detail is read (detail), and the ARN, if no answer tells it
  - checks.go, checks.yaml, checks_test.go: the rules, their texts and their cases
  - collect/testdata/*.txtar: AWS's answers; then go test ./%[1]s/%[2]s/collect -update,
    and read what it wrote
Then make generate, and make blinds SERVICE=%[2]s. If the emulator knows the service, it gets
test/estate/estate/services/%[2]s.py.
`, services, name)
}

func run(name, title, sdkID string, operations []string) error {
	if err := free(services, name); err != nil {
		return err
	}
	added, err := require(clientOf(sdkID))
	if err != nil {
		return err
	}
	s, err := describe(name, title, sdkID, operations...)
	if err != nil {
		return err
	}
	if err := write(services, s); err != nil || !added {
		return err
	}
	_, err = command("mod", "tidy") // now that the client is imported
	return err
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// free tells whether a service can have a name.
func free(services, name string) error {
	if !identifier.MatchString(name) {
		return fmt.Errorf("%q is not the name of a Go package", name)
	}
	if _, err := os.Stat(filepath.Join(services, name)); err == nil {
		return fmt.Errorf("%s/%s exists", services, name)
	}
	return nil
}

// write fills the skeleton below a folder. It never writes over what exists.
func write(services string, s service) error {
	if err := free(services, s.Name); err != nil {
		return err
	}
	for from, to := range map[string]string{
		"service.go": s.Name + ".go", "checks.go": "checks.go", "checks.yaml": "checks.yaml", "checks_test.go": "checks_test.go",
		"collect.go": "collect/collect.go", "collect_test.go": "collect/collect_test.go", "kept.txtar": "collect/testdata/kept.txtar",
	} {
		content, err := fill(from, s)
		if err != nil {
			return err
		}
		path := filepath.Join(services, s.Name, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // sources are public
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // sources are public
			return err
		}
	}
	return nil
}

// fill is a file of the skeleton for a service.
func fill(file string, s service) ([]byte, error) {
	form, err := template.New(file+".txt").Funcs(template.FuncMap{"lower": strings.ToLower, "plural": plural}).ParseFS(skeleton, "skeleton/"+file+".txt")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := form.Execute(&b, s); err != nil {
		return nil, err
	}
	if filepath.Ext(file) != ".go" {
		return b.Bytes(), nil
	}
	formatted, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return formatted, nil
}
