package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// python runs the Python that has cfn-lint and moto.
func python(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(filepath.Join("..", "..", "test", "emulator", "python"), args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of our own making
			stderr = exit.Stderr
		}
		t.Fatalf("%v: %v\n%s\n%s", args, err, out, stderr)
	}
	return out
}

func template(name string) string { return filepath.Join("..", "..", "cloudformation", name) }

func TestTemplatesPassTheLinter(t *testing.T) {
	t.Parallel()
	python(t, "-c", "from cfnlint.runner import main; main()", template("audit-role.yaml"), template("audit-role-stackset.yaml"), template("operator-role.yaml"), filepath.Join("..", "..", "template.yaml"))
}

// alone reports whether a statement trusts the checker by its name, which outlives it, and
// nobody else, with the External ID.
func alone(t iampolicy.Trust, checker string) bool {
	return t.ExternalID && strings.HasSuffix(t.Principal, ":999988887777:root") && len(t.Parties) == 1 && t.Parties[0].Name == checker
}

// The template's stack becomes the role that pkg/policy describes: of this name,
// trusting one role with the External ID, for at most an hour.
func TestTemplateMakesTheRole(t *testing.T) {
	t.Parallel()
	const checker, externalID = "arn:aws:iam::999988887777:role/cloudarq-CheckerRole-1", "0123456789abcdef0123456789abcdef"
	var made struct {
		Outputs    map[string]string
		Name       string
		MaxSession int `json:"max_session"`
		Trust      json.RawMessage
		Tags       map[string]string
		Documents  []policy.Document
	}
	if err := json.Unmarshal(python(t, filepath.Join("testdata", "create.py"), template("audit-role.yaml"), checker, externalID), &made); err != nil {
		t.Fatal(err)
	}
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	if made.Outputs["RoleArn"] != "arn:aws:iam::123456789012:role/CloudArqAuditRole" || made.Outputs["PolicyVersion"] != policy.VersionDate {
		t.Errorf("outputs %v", made.Outputs)
	}
	if made.Name != "CloudArqAuditRole" || made.MaxSession != 3600 {
		t.Errorf("the role is %s, for %d seconds", made.Name, made.MaxSession)
	}
	if made.Tags["cloudarq:policy-version"] != role.Version || made.Tags["cloudarq:policy-hash"] != role.Hash {
		t.Errorf("tags %v", made.Tags)
	}
	var want []policy.Document
	for _, m := range role.Policies {
		want = append(want, m.Document)
	}
	for _, documents := range [][]policy.Document{want, made.Documents} {
		slices.SortFunc(documents, func(a, b policy.Document) int { return a.Size() - b.Size() })
	}
	if diff := cmp.Diff(want, made.Documents); diff != "" {
		t.Errorf("policies (-want +made):\n%s", diff)
	}
	trust, err := iampolicy.Parse(string(made.Trust))
	if err != nil {
		t.Fatal(err)
	}
	trusts := trust.Trusts(iampolicy.Zone{Account: "123456789012"})
	if len(trusts) != 1 || !alone(trusts[0], checker) {
		t.Errorf("the role trusts %+v, want the checker alone, with the External ID", trusts)
	}
}

// The organization's template makes the same role in each account of the units.
func TestStackSetMakesTheRoles(t *testing.T) {
	t.Parallel()
	const checker, externalID = "arn:aws:iam::999988887777:role/cloudarq-CheckerRole-1", "0123456789abcdef0123456789abcdef"
	var made map[string]struct {
		ARN        string
		Trust      json.RawMessage
		MaxSession int `json:"max_session"`
		Policies   int
	}
	if err := json.Unmarshal(python(t, filepath.Join("testdata", "create_stackset.py"), template("audit-role-stackset.yaml"), checker, externalID), &made); err != nil {
		t.Fatal(err)
	}
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 2 {
		t.Errorf("roles in %d accounts, want two", len(made))
	}
	for account, r := range made {
		if r.ARN != "arn:aws:iam::"+account+":role/CloudArqAuditRole" || r.MaxSession != 3600 || r.Policies != len(role.Policies) {
			t.Errorf("in account %s: %+v", account, r)
		}
		trust, err := iampolicy.Parse(string(r.Trust))
		if err != nil {
			t.Fatal(err)
		}
		if trusts := trust.Trusts(iampolicy.Zone{Account: account}); len(trusts) != 1 || !alone(trusts[0], checker) {
			t.Errorf("in account %s the role trusts %+v, want the checker alone, with the External ID", account, trusts)
		}
	}
}

// A stack takes 51,200 bytes inline; what a StackSet carries is inline.
func TestTemplatesFitInline(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"audit-role.yaml", "audit-role-stackset.yaml"} {
		if info, err := os.Stat(template(name)); err != nil || info.Size() > 51200 {
			t.Errorf("%s: %v, %v", name, info.Size(), err)
		}
	}
}
