package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUniverse(t *testing.T) {
	t.Parallel()
	all, err := read(file(t, "iam_action\tmore\taccess_level\tdata_access\tcredentials_exposure\n"+
		"s3:GetObject\tx\tRead\tyes\tno\n"+
		"s3:ListBucket\tx\tList\tno\tno\n"+
		"s3:GetAll\tx\tRead\tyes\tyes\n"+
		"kms:Tag\tx\tTagging, Write\t-\tno\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("# service\taccess level\tactions; ! reads data, $ exposes credentials\n"+
		"kms\tTagging, Write\tTag\ns3\tList\tListBucket\ns3\tRead\tGetAll!$ GetObject!\n", universe(all)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, want string }{
		"no column":  {"iam_action\taccess_level\tdata_access\n", "no column credentials_exposure"},
		"short line": {"iam_action\taccess_level\tdata_access\tcredentials_exposure\ns3:X\tRead\n", "2 cells, want 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(file(t, c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
	if _, _, err := reduce(file(t, `{"name":"X"}`)); err == nil || !strings.Contains(err.Error(), "no managed policy") {
		t.Errorf("%v, want an error about the policy", err)
	}
}
