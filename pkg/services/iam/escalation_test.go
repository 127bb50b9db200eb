package iam_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

func document(t *testing.T, statements ...map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func grant(actions []string, resource any) map[string]any {
	return map[string]any{"Effect": "Allow", "Action": actions, "Resource": resource}
}

func bound(statement map[string]any, operator, key string, values ...string) map[string]any {
	statement["Condition"] = map[string]any{operator: map[string]any{key: values}}
	return statement
}

// verdict is what a check says of a resource in an account with others.
func verdict(t *testing.T, id model.CheckID, r check.Resource, others ...check.Resource) check.Verdict {
	t.Helper()
	for _, rule := range iam.Service().Rules {
		if rule.ID != id {
			continue
		}
		world := check.NewWorld(append([]string{rule.Kind}, rule.Uses...)...)
		world.Add(r)
		for _, other := range others {
			world.Add(other)
		}
		return check.NewJudge(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), world).Judge(rule, r)
	}
	t.Fatalf("there is no check %s", id)
	return check.Verdict{}
}

// TestPublishedPathsFail: every published way to more rights fails the check of a
// managed policy, of one within a user, of the user and of a role.
func TestPublishedPathsFail(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../judge/iampolicy/escalations.tsv")
	if err != nil {
		t.Fatal(err)
	}
	published := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		for id := range strings.SplitSeq(columns[0], ",") {
			if !strings.HasPrefix(id, "cloudarq:") {
				published++
			}
		}
		text := document(t, grant(strings.Split(columns[2], "+"), "*"))
		loner := user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Groups = nil })
		for id, v := range map[model.CheckID]check.Verdict{
			"iam-policy-no-privilege-escalation":        verdict(t, "iam-policy-no-privilege-escalation", saying(text)),
			"iam-inline-policy-no-privilege-escalation": verdict(t, "iam-inline-policy-no-privilege-escalation", inlineOf(loner.Ref, text)),
			"iam-user-no-privilege-escalation":          verdict(t, "iam-user-no-privilege-escalation", loner, inlineOf(loner.Ref, text)),
			"iam-role-no-privilege-escalation":          verdict(t, "iam-role-no-privilege-escalation", role(nil), inlineOf(role(nil).Ref, text)),
		} {
			if v.Status != check.Fail {
				t.Errorf("%s of %s: %s (%s), want FAIL", id, columns[0], v.Status, v.Reason)
			}
		}
	}
	if published != 166 {
		t.Errorf("%d published paths, want 166", published)
	}
}

// TestAdvicePasses: what the checks' remediation says, done.
func TestAdvicePasses(t *testing.T) {
	t.Parallel()
	self := "arn:aws:iam::*:user/${aws:username}"
	box := "arn:aws:iam::" + account + ":policy/box"
	for name, statements := range map[string][]map[string]any{
		"one role to pass": {
			grant([]string{"iam:PassRole"}, "arn:aws:iam::"+account+":role/shop"),
			grant([]string{"lambda:CreateFunction", "lambda:InvokeFunction", "ec2:RunInstances", "ecs:RunTask"}, "*"),
		},
		"one service to pass to": {
			bound(grant([]string{"iam:PassRole"}, "*"), "StringEquals", "iam:PassedToService", "lambda.amazonaws.com"),
			grant([]string{"ec2:RunInstances"}, "*"),
		},
		"one role to assume":    {grant([]string{"sts:AssumeRole"}, "arn:aws:iam::"+account+":role/deploy")},
		"functions by name":     {grant([]string{"lambda:UpdateFunctionCode"}, "arn:aws:lambda:eu-west-1:"+account+":function:shop-*")},
		"one instance":          {grant([]string{"ssm:StartSession"}, []string{"arn:aws:ec2:eu-west-1:" + account + ":instance/i-0123456789abcdef0", "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"})},
		"one's own credentials": {grant([]string{"iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateLoginProfile", "iam:CreateLoginProfile", "iam:CreateServiceSpecificCredential"}, self)},
		"within a boundary": {
			bound(grant([]string{"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:AttachUserPolicy"}, "*"), "StringEquals", "iam:PermissionsBoundary", box),
		},
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html
		"AWS's self-service": {
			grant([]string{"iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"}, "*"),
			grant([]string{"iam:ChangePassword", "iam:GetUser"}, self),
			grant([]string{"iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:GetAccessKeyLastUsed"}, self),
			grant([]string{"iam:DeleteSigningCertificate", "iam:ListSigningCertificates", "iam:UpdateSigningCertificate", "iam:UploadSigningCertificate"}, self),
			grant([]string{"iam:DeleteSSHPublicKey", "iam:GetSSHPublicKey", "iam:ListSSHPublicKeys", "iam:UpdateSSHPublicKey", "iam:UploadSSHPublicKey"}, self),
			grant([]string{"iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential"}, self),
			grant([]string{"iam:CreateVirtualMFADevice"}, "arn:aws:iam::*:mfa/*"),
			grant([]string{"iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice"}, self),
		},
	} {
		text := document(t, statements...)
		loner := user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Groups = nil })
		for id, v := range map[model.CheckID]check.Verdict{
			"iam-policy-no-privilege-escalation":        verdict(t, "iam-policy-no-privilege-escalation", saying(text)),
			"iam-inline-policy-no-privilege-escalation": verdict(t, "iam-inline-policy-no-privilege-escalation", inlineOf(group(nil).Ref, text)),
			"iam-user-no-privilege-escalation":          verdict(t, "iam-user-no-privilege-escalation", loner, inlineOf(loner.Ref, text)),
		} {
			if v.Status != check.Pass {
				t.Errorf("%s, %s: %s (%s), want PASS", name, id, v.Status, v.Reason)
			}
		}
	}
}

// TestAWSPoliciesOfAnIdentityCount: policies that AWS wrote are nobody's fault by
// themselves, and what a user has of them is the account's choice.
func TestAWSPoliciesOfAnIdentityCount(t *testing.T) {
	t.Parallel()
	aws := func(name, text string) iam.Policy {
		p := awsManaged(text)
		p.ARN, p.Name = "arn:aws:iam::aws:policy/"+name, name
		return p
	}
	all := []check.Resource{
		aws("PowerUserAccess", document(t,
			map[string]any{"Effect": "Allow", "NotAction": []string{"iam:*", "organizations:*", "account:*"}, "Resource": "*"},
			grant([]string{"iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles", "organizations:DescribeOrganization", "account:ListRegions"}, "*"))),
		aws("IAMFullAccess", document(t, grant([]string{"iam:*", "organizations:DescribeAccount", "organizations:ListRoots"}, "*"))),
		aws("ReadOnlyAccess", document(t, grant([]string{"s3:Get*", "iam:List*", "iam:Get*"}, "*"))),
	}
	for _, c := range []struct {
		policies                string
		administrator, escalate check.Status
	}{
		{"PowerUserAccess IAMFullAccess", check.Fail, check.NotApplicable},
		{"IAMFullAccess", check.Pass, check.Fail},
		{"PowerUserAccess", check.Pass, check.Fail}, // changes every function, stack and project
		{"ReadOnlyAccess", check.Pass, check.Pass},
	} {
		u := user(func(d *iam.UserDetail, _ *iam.Credentials) {
			d.Groups = nil
			for name := range strings.FieldsSeq(c.policies) {
				d.Attached = append(d.Attached, "arn:aws:iam::aws:policy/"+name)
			}
		})
		if v := verdict(t, "iam-user-no-administrator-access", u, all...); v.Status != c.administrator {
			t.Errorf("%s: administrator %s (%s)", c.policies, v.Status, v.Reason)
		}
		if v := verdict(t, "iam-user-no-privilege-escalation", u, all...); v.Status != c.escalate {
			t.Errorf("%s: escalation %s (%s)", c.policies, v.Status, v.Reason)
		}
	}
}

// TestReasonNamesPathActionsAndPolicies: what people need to mend it.
func TestReasonNamesPathActionsAndPolicies(t *testing.T) {
	t.Parallel()
	first, second := inlineOf(role(nil).Ref, document(t, grant([]string{"iam:PassRole"}, "*"))), inlineOf(role(nil).Ref, document(t, grant([]string{"ec2:RunInstances"}, "*")))
	first.Name, first.Sub = "passes", "policy/passes"
	second.Name, second.Sub = "runs", "policy/runs"
	v := verdict(t, "iam-role-no-privilege-escalation", role(nil), first, second)
	if want := "escalation is possible: ec2-001 by iam:PassRole and ec2:RunInstances, allowed by passes, runs"; v.Reason != want {
		t.Errorf("%q, want %q", v.Reason, want)
	}
}

// BenchmarkRolesOfALargeAccount: many roles with the same policies, which are read once.
func BenchmarkRolesOfALargeAccount(b *testing.B) {
	const roles, policies = 5_000, 20
	world := check.NewWorld(iam.Role{}.Kind(), iam.Policy{}.Kind(), iam.InlinePolicy{}.Kind())
	var arns []string
	for i := range policies {
		p := saying(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:*","sqs:Send*","lambda:Get*","ec2:Describe*"],"Resource":"*"}}`)
		p.ARN += string(rune('a' + i))
		arns = append(arns, p.ARN)
		world.Add(p)
	}
	var all []iam.Role
	for range roles {
		r := role(func(d *iam.RoleDetail) { d.Attached = arns })
		all = append(all, r)
		world.Add(r)
	}
	for b.Loop() {
		judge := check.NewJudge(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), world)
		for _, rule := range iam.Service().Rules {
			if rule.ID == "iam-role-no-privilege-escalation" {
				for _, r := range all {
					if v := judge.Judge(rule, r); v.Status != check.Pass {
						b.Fatal(v)
					}
				}
			}
		}
	}
}
