package serverless_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/test/estate"
)

// allow gives the account's role one policy, with a statement of a Sid.
func (s *small) allow(t testing.TB, in *install, sid string, actions []string) {
	t.Helper()
	document, err := json.Marshal(map[string]any{
		"Version": "2012-10-17", "Statement": []any{map[string]any{"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	roles := iam.NewFromConfig(estate.Owner(in.emulator.URL, s.ID))
	if _, err := roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("CloudArqAuditRole"), PolicyName: aws.String("audit"), PolicyDocument: aws.String(string(document)),
	}); err != nil {
		t.Fatal(err)
	}
}

// published is all that the published policy allows, but for some actions.
func published(t testing.TB, but ...string) (actions []string) {
	t.Helper()
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range role.Grants {
		if !slices.Contains(but, g.Action) {
			actions = append(actions, g.Action)
		}
	}
	return actions
}

// TestPermissionsDrift takes permissions of a role away, one by one, and gives them
// back: the connection says what it is, why, and what would mend it.
func TestPermissionsDrift(t *testing.T) {
	h := start(t, "drifting", nil)
	account := newSmall(t, h.install, "777777777761")
	mail := subscribe(t, h.install, "drifting", `{"organization":["drifting"],"kind":["drift","connection"]}`)
	sid := "CloudArq" + policy.VersionDate + "Read1"
	account.allow(t, h.install, sid, published(t))
	c := h.connect(account.Account, scope())
	type report struct {
		Published   string
		Permissions struct {
			Version string
			Unused  struct{ Count int }
			Excess  struct{ Count int }
		}
		Missing []struct {
			Action   string
			DeniedBy string `json:"denied_by"`
			Checks   []string
			Verdicts int
		}
		Patch    *struct{ Action []string }
		Coverage []struct {
			Service string
			Checks  int
			Blind   []string
		}
	}
	drift := func() (r report) {
		t.Helper()
		if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/drift", nil, nil, &r); status != http.StatusOK {
			t.Fatalf("drift: status %d", status)
		}
		return r
	}
	if a, now := h.verify(c); a.State != "done" || now.State != "active" || now.Reason != "" {
		t.Errorf("with the published policy: the verification is %s, the connection %s: %s", a.State, now.State, now.Reason)
	}
	if r := drift(); len(r.Missing) != 0 || r.Permissions.Version != policy.VersionDate || len(r.Coverage) != 2 || len(r.Coverage[0].Blind) != 0 {
		t.Errorf("with the published policy: %+v", r)
	}
	if a := h.wait(c, h.begin(c, "first").ID); a.State != "done" {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}

	// An older policy. The preview knows before the audit.
	account.allow(t, h.install, "CloudArq20250101Read1", published(t, "kms:GetKeyRotationStatus"))
	if _, now := h.verify(c); now.State != "degraded" || !strings.HasPrefix(now.Reason, "kms:GetKeyRotationStatus is not allowed") {
		t.Errorf("with an older policy the connection is %s: %s", now.State, now.Reason)
	}
	foreseen := drift()
	h.wait(c, h.begin(c, "older").ID)
	seen := drift()
	for name, r := range map[string]report{"foreseen": foreseen, "seen": seen} {
		if len(r.Missing) != 1 || r.Missing[0].Action != "kms:GetKeyRotationStatus" || r.Missing[0].DeniedBy != "denied" || r.Patch == nil || !cmp.Equal(r.Patch.Action, []string{"kms:GetKeyRotationStatus"}) ||
			r.Permissions.Version != "20250101" || r.Published != policy.VersionDate || !cmp.Equal(r.Coverage[0].Blind, r.Missing[0].Checks) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if foreseen.Missing[0].Verdicts != 0 || seen.Missing[0].Verdicts == 0 || !cmp.Equal(foreseen.Missing[0].Checks, seen.Missing[0].Checks) {
		t.Errorf("foreseen %+v, seen %+v", foreseen.Missing, seen.Missing)
	}
	h.wait(c, h.begin(c, "older still").ID)
	if got := words(mail.empty(t)); !slices.Equal(got, []string{"drift missing"}) {
		t.Errorf("alerts %v, want one although two audits met it", got)
	}

	// An organization's policy denies: no patch of the role would help.
	account.allow(t, h.install, sid, published(t))
	t.Cleanup(func() {
		if err := h.emulator.SCP(account.ID, ""); err != nil {
			t.Error(err)
		}
	})
	if err := h.emulator.SCP(account.ID, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sqs:ListQueues","Resource":"*"}]}`); err != nil {
		t.Fatal(err)
	}
	h.wait(c, h.begin(c, "controlled").ID)
	if r := drift(); len(r.Missing) != 1 || r.Missing[0].Action != "sqs:ListQueues" || r.Missing[0].DeniedBy != "scp_denied" || r.Patch != nil {
		t.Errorf("denied by an organization's policy: %+v", r)
	}
	if err := h.emulator.SCP(account.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.wait(c, h.begin(c, "mended").ID)
	var now connection
	h.call(http.MethodGet, "/v1/connections/"+c.ID, nil, nil, &now)
	if r := drift(); now.State != "active" || now.Reason != "" || len(r.Missing) != 0 {
		t.Errorf("mended, the connection is %s (%s), and the drift %+v", now.State, now.Reason, r)
	}
}

// TestMinimumMissing: a role that may not even list the regions is told so by its
// code, over HTTP, and is not taken for one that was revoked.
func TestMinimumMissing(t *testing.T) {
	h := start(t, "minimum", nil)
	account := newSmall(t, h.install, "777777777762")
	c := h.connect(account.Account, map[string]any{"services": []string{"kms"}})
	if _, now := h.verify(c); now.State != "active" {
		t.Fatalf("the connection is %s: %s", now.State, now.Reason)
	}
	account.allow(t, h.install, "Some", published(t, "ec2:DescribeRegions"))
	a, now := h.verify(c)
	if a.State != "failed" || now.State != "degraded" || !strings.HasPrefix(now.Reason, "policy_minimum_missing: ") || !strings.Contains(now.Reason, "ec2:DescribeRegions") {
		t.Errorf("the verification is %s: %v; the connection %s: %s", a.State, a.Problems, now.State, now.Reason)
	}
	var told struct {
		Code string `json:"refused_code"`
	}
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/audits/"+a.ID, nil, nil, &told); status != http.StatusOK || told.Code != "policy_minimum_missing" {
		t.Errorf("the audit says %q (status %d)", told.Code, status)
	}
}

// TestOverprivilegedRole: a role that may do more than read is a finding about
// ourselves.
func TestOverprivilegedRole(t *testing.T) {
	h := start(t, "overprivileged", nil)
	account := newSmall(t, h.install, "777777777763")
	account.allow(t, h.install, "Everything", []string{"*"})
	c := h.connect(account.Account, map[string]any{"services": []string{"cloudarq"}})
	if a := h.wait(c, h.begin(c, "first").ID); a.State != "done" {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	var checks []string
	for _, f := range h.list(c) {
		checks = append(checks, f.Check)
	}
	slices.Sort(checks)
	if want := []string{"cloudarq-access-no-data", "cloudarq-access-read-only"}; !slices.Equal(checks, want) {
		t.Errorf("findings %v, want %v", checks, want)
	}
}
