package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

const externalIDOfTests = "the-external-id"

// makePublishedRole makes a role as makeRole does, whose policies are the published
// ones after an edit of each document.
func makePublishedRole(t *testing.T, server *emulator.Server, auditor estate.Account, name string, edit func(document string) string) (arn string) {
	t.Helper()
	arn = makeRole(t, server, auditor, name, externalIDOfTests, "sts:GetCallerIdentity")
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	owner := iam.NewFromConfig(estate.Owner(server.URL, theirs))
	for _, m := range role.Policies {
		data, err := json.Marshal(m.Document)
		if err != nil {
			t.Fatal(err)
		}
		made, err := owner.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(name + m.Name), PolicyDocument: aws.String(edit(string(data)))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := owner.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: made.Policy.Arn}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			_, _ = owner.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: made.Policy.Arn})
			_, _ = owner.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: made.Policy.Arn})
		})
	}
	return arn
}

// keepRole keeps a role of their account and gives the connection.
func keepRole(t *testing.T, data, role string, more ...string) (report.Connection, result) {
	t.Helper()
	r := cloudarqIn(t.Context(), data, externalIDOfTests, append([]string{"connections", "add", "--role-arn", role, "--external-id", "-", "-o", "json"}, more...)...)
	if r.code != exitOK {
		t.Fatalf("add: %d %s", r.code, r.stderr)
	}
	return decode[report.Connection](t, r), r
}

func auditTheirs(t *testing.T, data string, more ...string) {
	t.Helper()
	if r := cloudarq(t, data, append([]string{"audit", "run", "--connection", theirs, "--regions", "eu-west-1", "-q", "-o", "ndjson"}, more...)...); r.code != exitOK {
		t.Fatalf("audit: %d %s", r.code, r.stderr)
	}
}

// A role that can do more than read is a finding about ourselves, and the preview
// says so before.
func TestOverprivilegedRole(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	kept, r := keepRole(t, data, makeRole(t, server, e.Auditor, "Administrator", externalIDOfTests, "*"))
	if kept.State != model.ConnectionActive || !strings.Contains(r.stderr, "beyond reading (writes, data or credentials): ") {
		t.Errorf("kept as %+v; said %q", kept, r.stderr)
	}
	auditTheirs(t, data, "--services", "cloudarq")
	findings := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "-o", "json"))
	var found []string
	for _, f := range findings {
		found = append(found, string(f.Severity)+" "+string(f.Check))
		if !strings.HasSuffix(f.Resource, ":role/Administrator") {
			t.Errorf("a finding on %s", f.Resource)
		}
	}
	slices.Sort(found)
	if want := []string{"high cloudarq-access-read-only", "medium cloudarq-access-no-data"}; !slices.Equal(found, want) {
		t.Errorf("findings %v, want %v", found, want)
	}
	unused := cloudarq(t, data, "policy", "drift", "--unused", "-o", "csv")
	if unused.code != exitOK || !strings.Contains(unused.stdout, "excess,") || !strings.Contains(unused.stdout, "unused,") {
		t.Errorf("unused grants: %d %s%s", unused.code, unused.stdout, unused.stderr)
	}
}

// So is a user whose access key can, whose groups count as well.
func TestOverprivilegedAccessKey(t *testing.T) {
	_, server := sample(t)
	u := makeUser(t, server, theirs, "powerful", "ec2:Describe*")
	k := u.key()
	data := t.TempDir()
	if r := cloudarq(t, data, "admin", "access-keys", "allow"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	ctx, group := context.WithoutCancel(t.Context()), aws.String("operators")
	everything := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","ec2:StopInstances"],"Resource":"*"}]}`
	if _, err := u.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: group}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = u.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: group, UserName: &u.name})
		_, _ = u.iam.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: group, PolicyName: group})
		_, _ = u.iam.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: group})
	})
	if _, err := u.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: group, PolicyName: group, PolicyDocument: &everything}); err != nil {
		t.Fatal(err)
	}
	if _, err := u.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: group, UserName: &u.name}); err != nil {
		t.Fatal(err)
	}
	if r := withKey(t, data, k, "connections", "add", "-o", "json"); r.code != exitOK || !strings.Contains(r.stderr, "beyond reading (writes, data or credentials): ") {
		t.Fatalf("add: %d %s", r.code, r.stderr)
	}
	auditTheirs(t, data, "--services", "cloudarq")
	found := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "check=cloudarq-access-read-only", "-o", "json"))
	if len(found) != 1 || !strings.HasSuffix(found[0].Resource, ":user/powerful") || !strings.Contains(found[0].Reason, "ec2:StopInstances") {
		t.Errorf("findings %+v", found)
	}
}

// Who audits with credentials of his own is not told that they can do more.
func TestOwnCredentialsAreNoFinding(t *testing.T) {
	sample(t)
	r := cloudarq(t, t.TempDir(), "audit", "run", "--services", "cloudarq", "--regions", "eu-west-1", "-q", "-o", "ndjson")
	if r.code != exitOK || strings.Count(r.stdout, `"NOT_APPLICABLE"`) != 3 || strings.Contains(r.stdout, `"FAIL"`) {
		t.Errorf("%d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// A role of an older version of the policy: what it lacks is foreseen, named with
// the checks that it costs, and what would mend it is printed.
func TestOlderPolicy(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	role := makePublishedRole(t, server, e.Auditor, "Older", func(document string) string {
		document = strings.ReplaceAll(document, "CloudArq"+policy.VersionDate, "CloudArq20250101")
		return strings.ReplaceAll(document, `"kms:ListKeys",`, "")
	})
	kept, r := keepRole(t, data, role)
	if kept.State != model.ConnectionDegraded || !strings.HasPrefix(kept.Reason, "kms:ListKeys is not allowed, which blinds ") || !strings.Contains(r.stderr, "version 20250101") {
		t.Errorf("kept as %+v; said %q", kept, r.stderr)
	}
	blind := map[string]int{}
	for _, s := range decode[[]model.ServiceCoverage](t, cloudarq(t, data, "connections", "test", theirs, "--coverage", "-o", "json")) {
		if len(s.Blind) > 0 {
			blind[s.Service] = len(s.Blind)
		}
	}
	if blind["kms"] == 0 || blind["s3"] != 0 {
		t.Errorf("blind by service: %v", blind)
	}
	both := cloudarq(t, data, "connections", "test", theirs)
	if !strings.Contains(both.stdout, "TRIED") || !strings.Contains(both.stdout, "ASSESSABLE") {
		t.Errorf("for a person:\n%s", both.stdout)
	}

	auditTheirs(t, data, "--services", "kms,sqs")
	d := cloudarq(t, data, "policy", "drift", "-o", "json")
	missing := decode[[]drift.Missing](t, d)
	if len(missing) != 1 || missing[0].Action != "kms:ListKeys" || missing[0].DeniedBy != drift.ByRole || missing[0].Why != "not allowed" || len(missing[0].Checks) == 0 || missing[0].Verdicts == 0 {
		t.Errorf("missing %+v", missing)
	}
	for _, want := range []string{"version " + policy.VersionDate, `"CloudArqMissing"`, `"kms:ListKeys"`} {
		if !strings.Contains(d.stderr, want) {
			t.Errorf("drift does not say %s:\n%s", want, d.stderr)
		}
	}
	// Where KMS is not audited, nothing is missing.
	auditTheirs(t, data, "--services", "sqs")
	if c := decode[report.Connection](t, cloudarq(t, data, "connections", "show", theirs, "-o", "json")); c.State != model.ConnectionActive || c.Reason != "" {
		t.Errorf("after an audit of SQS alone: %s, %q", c.State, c.Reason)
	}
}

// What an organization's policy denies is told from what the role does not allow:
// no patch of the role would help.
func TestServiceControlPolicy(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	keepRole(t, data, makePublishedRole(t, server, e.Auditor, "Controlled", func(document string) string { return document }))
	t.Cleanup(func() {
		if err := server.SCP(theirs, ""); err != nil {
			t.Error(err)
		}
	})
	if err := server.SCP(theirs, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:ListKeys","Resource":"*"}]}`); err != nil {
		t.Fatal(err)
	}
	auditTheirs(t, data, "--services", "kms")
	if shown := cloudarq(t, data, "audit", "show", "latest").stdout; !strings.Contains(shown, "allow kms:ListKeys in the organization's policies") {
		t.Errorf("the audit does not say who must allow it:\n%s", shown)
	}
	d := cloudarq(t, data, "policy", "drift", "-o", "json")
	missing := decode[[]drift.Missing](t, d)
	if len(missing) != 1 || missing[0].Action != "kms:ListKeys" || missing[0].DeniedBy != drift.BySCP || strings.Contains(d.stderr, "CloudArqMissing") {
		t.Errorf("missing %+v, said %s", missing, d.stderr)
	}
	c := decode[report.Connection](t, cloudarq(t, data, "connections", "show", theirs, "-o", "json"))
	if c.State != model.ConnectionDegraded || !strings.Contains(c.Reason, "kms:ListKeys is not allowed") {
		t.Errorf("the connection is %s, %q", c.State, c.Reason)
	}
}
