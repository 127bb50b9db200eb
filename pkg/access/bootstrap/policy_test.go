package bootstrap_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

type statement struct {
	Sid       string
	Action    []string
	Resource  string
	Condition map[string]map[string]string
}

func statements(t *testing.T, p bootstrap.Place) []statement {
	t.Helper()
	var d struct{ Statement []statement }
	if err := json.Unmarshal([]byte(p.Policy()), &d); err != nil {
		t.Fatal(err)
	}
	return d.Statement
}

// The policy is about one stack, one role and the policies that the stack makes:
// whoever has it can touch nothing else, and IAM only through CloudFormation.
func TestPolicyIsAboutTheStackAlone(t *testing.T) {
	t.Parallel()
	for _, p := range []bootstrap.Place{
		bootstrap.PlaceIn(account, "eu-west-1", "CloudArq", "CloudArqAuditRole"),
		bootstrap.PlaceIn(account, "cn-north-1", "A", "B"),
		bootstrap.PlaceIn(account, "us-gov-west-1", "A", "B"),
	} {
		partition := map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}[p.Region]
		iam := "arn:" + partition + ":iam::" + account + ":"
		allowed := map[string]string{
			"cloudformation": "arn:" + partition + ":cloudformation:" + p.Region + ":" + account + ":stack/" + p.Stack + "/*",
			"iam role":       iam + "role/" + p.Role,
			"iam policy":     iam + "policy/" + p.Stack + "-*",
		}
		for _, s := range statements(t, p) {
			for _, action := range s.Action {
				service, name, _ := strings.Cut(action, ":")
				what := service
				if service == "iam" {
					what = "iam role"
					if strings.Contains(name, "Policy") && !strings.Contains(name, "Role") || strings.HasPrefix(name, "ListPolicy") || name == "ListEntitiesForPolicy" {
						what = "iam policy"
					}
				}
				if s.Resource != allowed[what] {
					t.Errorf("%s on %s, want %s", action, s.Resource, allowed[what])
				}
				if via := s.Condition["StringEquals"]["aws:CalledViaFirst"]; (via == "cloudformation.amazonaws.com") != (service == "iam") {
					t.Errorf("%s through %q", action, via)
				}
				if attaches := strings.HasSuffix(name, "tachRolePolicy"); attaches && s.Condition["ArnLike"]["iam:PolicyARN"] != allowed["iam policy"] {
					t.Errorf("%s of any policy", action)
				}
				if strings.Contains(action, "*") {
					t.Errorf("%s is no exact name", action)
				}
			}
		}
	}
}

// The template makes roles and managed policies and nothing else: that is what the
// policy's actions on IAM are derived from.
func TestTemplateMakesWhatThePolicyIsFor(t *testing.T) {
	t.Parallel()
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for line := range strings.Lines(role.CloudFormation()) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Type: AWS::"); ok {
			types[name] = true
		}
	}
	if len(types) != 2 || !types["IAM::Role"] || !types["IAM::ManagedPolicy"] {
		t.Errorf("the template makes %v", types)
	}
	for _, property := range []string{"PermissionsBoundary:", "Policies:", "ManagedPolicyArns:", "Users:", "Groups:", "ManagedPolicyName:", "Path:"} {
		if strings.Contains(role.CloudFormation(), " "+property) {
			t.Errorf("the template sets %s, for which the policy allows nothing", property)
		}
	}
	var all []string
	for _, s := range statements(t, bootstrap.PlaceIn(account, "eu-west-1", "CloudArq", "CloudArqAuditRole")) {
		all = append(all, s.Action...)
	}
	for _, needed := range []string{"iam:CreateRole", "iam:TagRole", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeleteRole", "iam:DeletePolicy"} {
		if !slices.Contains(all, needed) {
			t.Errorf("the policy lacks %s", needed)
		}
	}
}

// docs/bootstrap.md publishes the policy.
func TestPolicyIsPublished(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "bootstrap.md"))
	if err != nil {
		t.Fatal(err)
	}
	published := "```json\n" + bootstrap.PlaceIn(account, "us-east-1", "CloudArq", "CloudArqAuditRole").Policy() + "```\n"
	if !strings.Contains(string(page), published) {
		t.Errorf("docs/bootstrap.md does not have what --show-policy prints:\n%s", published)
	}
}
