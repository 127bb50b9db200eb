package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
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
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is stale; run make generate (-want +got):\n%s", path, diff)
		}
	}
}

// An operation that is new takes what AWS says of its action from the reference, and
// the role that allows it is of another version.
func TestNewOperation(t *testing.T) {
	t.Parallel()
	all := append(policy.Operations(), policy.Operation{ID: "SSM.DescribeDocument", Action: "ssm:DescribeDocument"})
	known, err := accesses(all)
	if err != nil {
		t.Fatal(err)
	}
	if want := (policy.Access{Action: "ssm:DescribeDocument", Level: "Read"}); known["ssm:DescribeDocument"] != want {
		t.Errorf("%+v, want %+v", known["ssm:DescribeDocument"], want)
	}
	raised, err := role(known, all)
	if err != nil {
		t.Fatal(err)
	}
	if raised.Version <= policy.VersionDate || !strings.Contains(version(raised), raised.Version) || !strings.Contains(raised.JSON(), "CloudArq"+raised.Version) {
		t.Errorf("version %s after %s", raised.Version, policy.VersionDate)
	}
	if _, err := accesses([]policy.Operation{{ID: "SSM.DescribeDocuments", Action: "ssm:DescribeDocuments"}}); err == nil || !strings.Contains(err.Error(), "SSM.DescribeDocuments needs") {
		t.Errorf("%v, want an error about an action that AWS does not have", err)
	}
}
