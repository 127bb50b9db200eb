// Command newservice writes the folder of a new service: types, one check with
// its text and cases, and the collector with its test. What it writes compiles,
// and its collector's test fails until it collects something.
package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed skeleton/*.txt
var skeleton embed.FS

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, `usage: newservice NAME TITLE SDKID    (newservice sqs "Amazon SQS" SQS)`)
		os.Exit(2)
	}
	name, title, sdkID := os.Args[1], os.Args[2], os.Args[3]
	if err := write("pkg/services", name, title, sdkID); err != nil {
		fmt.Fprintln(os.Stderr, "newservice:", err)
		os.Exit(1)
	}
	fmt.Printf(`Wrote pkg/services/%[1]s. What is left:
  - a new SDK client: go get github.com/aws/aws-sdk-go-v2/service/…@VERSION, and its IAM prefix in
    pkg/policy/actions.go
  - AWS's answers in pkg/services/%[1]s/collect/testdata/*.txtar, then
    go test ./pkg/services/%[1]s/collect -update, and read what it wrote
  - test/estate/estate/services/%[1]s.py, if the emulator knows the service
  - make generate and make blinds, then make check
`, name)
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// write fills the skeleton below a folder. It never writes over what exists.
func write(services, name, title, sdkID string) error {
	if !identifier.MatchString(name) {
		return fmt.Errorf("%q is not the name of a Go package", name)
	}
	folder := filepath.Join(services, name)
	if _, err := os.Stat(folder); err == nil {
		return fmt.Errorf("%s exists", folder)
	}
	fill := strings.NewReplacer("NAME", name, "TITLE", title, "SDKID", sdkID)
	for from, to := range map[string]string{
		"service.go": name + ".go", "checks.go": "checks.go", "checks.yaml": "checks.yaml", "checks_test.go": "checks_test.go",
		"collect.go": "collect/collect.go", "collect_test.go": "collect/collect_test.go", "kept.txtar": "collect/testdata/kept.txtar",
	} {
		content, err := skeleton.ReadFile("skeleton/" + from + ".txt")
		if err != nil {
			return err
		}
		path := filepath.Join(folder, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // sources are public
			return err
		}
		if err := os.WriteFile(path, []byte(fill.Replace(string(content))), 0o644); err != nil { //nolint:gosec // sources are public
			return err
		}
	}
	return nil
}
