package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// What policy diff says that a missing action blinds is what an audit without it
// cannot assess: exactly, where a resource of the account is of the kind that the
// checks hesitate about.
func TestBlindedIsForeseen(t *testing.T) {
	e, server := sample(t)
	account := e.Account("neglected")
	t.Cleanup(func() {
		if err := server.SCP(account.ID, ""); err != nil {
			t.Error(err)
		}
	})
	unassessed := func() map[string]bool {
		r := audit(t, t.TempDir(), account, "-o", "ndjson", "--quiet", "--regions", "eu-west-1", "--checks", "all")
		if r.code != exitOK {
			t.Fatal(r.stderr)
		}
		all := map[string]bool{}
		for line := range strings.Lines(r.stdout) {
			if v := decode[shape.Verdict](t, result{stdout: line}); v.Status == check.NotAssessed {
				all[string(v.Check)] = true
			}
		}
		return all
	}
	before := unassessed()
	exact := cloudarq(t, t.TempDir(), "policy", "show", "--format", "json").stdout
	for action, exactly := range map[string]bool{
		"s3:GetBucketLogging": true, "kms:ListKeys": true, "ec2:DescribeVpcs": true, "secretsmanager:GetResourcePolicy": true,
		"cloudtrail:DescribeTrails": true, "sns:ListTopics": false, "s3:GetAccountPublicAccessBlock": false,
	} {
		denial := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`
		if err := server.SCP(account.ID, denial); err != nil {
			t.Fatal(err)
		}
		var saw []string
		for id := range unassessed() {
			if !before[id] {
				saw = append(saw, id)
			}
		}
		slices.Sort(saw)
		file := filepath.Join(t.TempDir(), "policy.json")
		overwrite(t, file, []byte(strings.ReplaceAll(exact, `"`+action+`"`, `"sts:GetCallerIdentity"`)))
		missing := decode[[]grant.Difference](t, cloudarq(t, t.TempDir(), "policy", "diff", file, "-o", "json"))
		if len(missing) != 1 || missing[0].Action != action {
			t.Fatalf("without %s: %+v", action, missing)
		}
		var foresaw []string
		for _, id := range missing[0].Checks {
			if !before[string(id)] && (exactly || slices.Contains(saw, string(id))) {
				foresaw = append(foresaw, string(id))
			}
		}
		if diff := cmp.Diff(foresaw, saw); len(saw) == 0 || diff != "" {
			t.Errorf("without %s (-foreseen +seen):\n%s", action, diff)
		}
	}
}
