// Command generate writes the files that follow from the code: make generate
// runs it, and a test holds the files to what it would write.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate REPOSITORY")
		os.Exit(2)
	}
	for path, content := range files() {
		if err := os.WriteFile(filepath.Join(os.Args[1], path), []byte(content), 0o644); err != nil { //nolint:gosec // sources are public
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// files are the generated files by path in the repository.
func files() map[string]string {
	operations := policy.Connect()
	for _, spec := range collectors.All() {
		for _, walk := range spec.Walks {
			operations = append(operations, walk.Operations...)
		}
	}
	return map[string]string{
		"pkg/policy/operations.tsv": policy.Table(operations),
	}
}
