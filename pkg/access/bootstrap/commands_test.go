package bootstrap_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// A shell reads of each command the very words that were meant.
func TestCommandsAreQuoted(t *testing.T) {
	t.Parallel()
	c := bootstrap.Commands{
		Place:     bootstrap.PlaceIn(account, "eu-west-1", "CloudArq", "Role"),
		Principal: "<who it is>", ExternalID: secret.New("it's $(an) `id` \"x\" *"), Profile: "my admin",
		Services: []string{"s3", "ec2"}, Checks: []string{"kms-*"}, DataDir: "/a dir/it's",
	}
	var read [][]string
	for _, line := range c.Lines() {
		line = strings.Replace(line, " > ", " ", 1) // where the template goes
		out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "printf '%s\\n' "+line).Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		read = append(read, strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"))
	}
	stack := []string{"--stack-name", "CloudArq", "--region", "eu-west-1", "--profile", "my admin"}
	words := func(before, after string) []string {
		return append(append(strings.Split(before, "|"), stack...), strings.Split(after, "|")...)
	}
	want := [][]string{
		{"cloudarq", "policy", "show", "--format", "cloudformation", "--services=s3,ec2", "--checks", "kms-*", "cloudarq-audit-role.yaml"},
		words("aws|cloudformation|deploy", "--template-file|cloudarq-audit-role.yaml|--capabilities|CAPABILITY_NAMED_IAM|--parameter-overrides|CheckerRoleArn=<who it is>|ExternalId=it's $(an) `id` \"x\" *|RoleName=Role"),
		words("aws|cloudformation|describe-stacks", "--query|Stacks[0].Outputs[?OutputKey=='RoleArn'].OutputValue|--output|text"),
		{"cloudarq", "connections", "test", account, "--wait", "--data-dir", "/a dir/it's"},
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("words (-want +read):\n%s", diff)
	}
}
