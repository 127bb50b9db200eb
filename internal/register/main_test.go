package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListsAreCurrent(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	all, err := files(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range all {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale; run make generate (-want +got):\n%s", path, diff)
		}
	}
}

// A folder is registered by what it declares, whatever its files are called; helpers
// of tests, and services that are judged without a collector, are what they are.
func TestFolders(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for path, source := range map[string]string{
		"pkg/aws/client/client.go":               "package client\n\nimport _ \"github.com/aws/aws-sdk-go-v2/service/sts\"\n",
		"pkg/services/alpha/types.go":            "package alpha\n\nfunc Service() int { return 0 }\n",
		"pkg/services/alpha/collect/walk.go":     "package collect\n\nimport (\n\tsdk \"github.com/aws/aws-sdk-go-v2/service/alpha2\"\n\t\"github.com/aws/aws-sdk-go-v2/service/alpha2/types\"\n)\n\nfunc Spec() int { return 0 }\n",
		"pkg/services/beta/beta.go":              "package beta\n\nfunc Service() int { return 0 }\n",
		"pkg/services/betatest/betatest.go":      "package betatest\n\nfunc (s suite) Service() int { return 0 }\n\nfunc Spec(service string) int { return 0 }\n",
		"pkg/services/betatest/betatest_test.go": "package betatest\n\nimport _ \"github.com/aws/aws-sdk-go-v2/service/s3\"\n\nfunc Service() int { return 0 }\n",
		"pkg/services/services.go":               "package services\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := files(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"pkg/services/registered.go":              "alpha.Service() beta.Service()",
		"pkg/services/collectors/registered.go":   "alpha.Spec()",
		"pkg/services/collectors/clients_test.go": "alpha2.NewFromConfig(cfg) sts.NewFromConfig(cfg)",
	} {
		var listed []string
		for line := range strings.Lines(string(all[path])) {
			if call, ok := strings.CutSuffix(strings.TrimSpace(line), "),"); ok {
				listed = append(listed, call+")")
			}
		}
		if got := strings.Join(listed, " "); got != want {
			t.Errorf("%s lists %q, want %q", path, got, want)
		}
	}
}
