package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExamplesAreCurrent: the document shows what operations answer now.
func TestExamplesAreCurrent(t *testing.T) {
	t.Parallel()
	got, err := recorded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "pkg", "api", "examples.json")
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("run make generate (-was +is):\n%s", d)
	}
}
