package bootstrap

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// templateFile is what the commands call the template.
const templateFile = "cloudarq-audit-role.yaml"

// Commands are those of somebody who deploys the template by hand with the AWS
// CLI. They show the External ID, which whoever makes the role has to know.
type Commands struct {
	Place
	Principal  string // who will assume the role
	ExternalID secret.String
	Profile    string   // of the AWS CLI; empty means its default
	Services   []string // what the role is for, all if none are named
	Checks     []string
	DataDir    string // where the connection is kept; empty means the default
}

// Lines are the commands, a line each.
func (c Commands) Lines() []string {
	show := []string{"cloudarq", "policy", "show", "--format", "cloudformation"}
	if len(c.Services) > 0 {
		show = append(show, "--services="+strings.Join(c.Services, ","))
	}
	if len(c.Checks) > 0 {
		show = append(show, "--checks", strings.Join(c.Checks, ","))
	}
	stack := []string{"--stack-name", c.Stack, "--region", c.Region}
	if c.Profile != "" {
		stack = append(stack, "--profile", c.Profile)
	}
	deploy := append([]string{"aws", "cloudformation", "deploy"}, stack...)
	deploy = append(deploy, "--template-file", templateFile, "--capabilities", "CAPABILITY_NAMED_IAM",
		"--parameter-overrides", "CheckerRoleArn="+c.Principal, "ExternalId="+c.ExternalID.Reveal(), "RoleName="+c.Role)
	output := append([]string{"aws", "cloudformation", "describe-stacks"}, stack...)
	output = append(output, "--query", fmt.Sprintf("Stacks[0].Outputs[?OutputKey=='%s'].OutputValue", outputRole), "--output", "text")
	test := []string{"cloudarq", "connections", "test", c.Account, "--wait"}
	if c.DataDir != "" {
		test = append(test, "--data-dir", c.DataDir)
	}
	return []string{line(show) + " > " + templateFile, line(deploy), line(output), line(test)}
}

func line(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// plain is what no shell gives a meaning to.
var plain = regexp.MustCompile(`^[\w+=,.@:/%-]+$`)

// quote writes a word for a shell of Unix.
func quote(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
