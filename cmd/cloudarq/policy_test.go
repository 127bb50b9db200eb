package main

import (
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

func TestPolicyShowLists(t *testing.T) {
	environment(t, nil)
	all := decode[[]policy.Grant](t, cloudarq(t, t.TempDir(), "policy", "show", "-o", "json"))
	if len(all) < 100 {
		t.Errorf("%d actions", len(all))
	}
	for _, g := range all {
		if g.Level != "List" && g.Level != "Read" || strings.Contains(g.Action, "*") || len(g.Operations) == 0 {
			t.Errorf("%+v", g)
		}
	}
	for _, output := range []string{"table", "ndjson", "csv"} {
		r := cloudarq(t, t.TempDir(), "policy", "show", "-o", output)
		if lines := strings.Count(r.stdout, "\n"); r.code != exitOK || lines < len(all) || !strings.Contains(r.stderr, policy.VersionDate) {
			t.Errorf("-o %s: %d, %d lines, %s", output, r.code, lines, r.stderr)
		}
	}
	names := cloudarq(t, t.TempDir(), "policy", "show", "--services")
	if n := strings.Count(names.stdout, "\n"); n < 30 || !strings.HasPrefix(names.stdout, "ec2\n") {
		t.Errorf("%d services: %s", n, names.stdout)
	}
}

// The files in the repository are what the command writes, to the byte.
func TestPolicyShowFormats(t *testing.T) {
	environment(t, nil)
	for format, file := range map[string]string{
		"cloudformation": "cloudformation/audit-role.yaml", "stackset": "cloudformation/audit-role-stackset.yaml", "terraform": "terraform/audit-role/main.tf",
	} {
		want, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		r := cloudarq(t, t.TempDir(), "policy", "show", "--format", format)
		if diff := cmp.Diff(string(want), r.stdout); r.code != exitOK || diff != "" {
			t.Errorf("--format %s: %d, and %s is another (-file +shown):\n%s", format, r.code, file, diff)
		}
	}
	role := decode[policy.Role](t, cloudarq(t, t.TempDir(), "policy", "show", "--format", "json"))
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "policy.md"))
	if err != nil || !strings.Contains(string(page), role.Hash) {
		t.Errorf("docs/policy.md has another hash than %s (%v)", role.Hash, err)
	}
	cloudarq(t, t.TempDir(), "policy", "show", "--format", "yaml").sentence(t, exitUsage, "yaml", "cloudformation")
}

// What is shown for a service is what an audit of it would call.
func TestPolicyShowSelects(t *testing.T) {
	environment(t, nil)
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	names, err := catalog.SelectServices(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		selection, err := pipeline.Resolve(catalog, catalog.Checks(), []string{name})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{"ec2:DescribeRegions": true}
		for _, planned := range pipeline.Operations(collectors.ByService(), selection) {
			want[planned.Action] = true
		}
		var got []string
		for _, g := range decode[[]policy.Grant](t, cloudarq(t, t.TempDir(), "policy", "show", "--services", name, "-o", "json")) {
			got = append(got, g.Action)
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), got); diff != "" {
			t.Errorf("%s (-audit +policy):\n%s", name, diff)
		}
	}
	actions := func(args ...string) []string {
		var all []string
		for _, g := range decode[[]policy.Grant](t, cloudarq(t, t.TempDir(), append([]string{"policy", "show", "-o", "json"}, args...)...)) {
			all = append(all, g.Action)
		}
		return all
	}
	s3, kms := actions("--services", "s3"), actions("--services", "kms")
	both := slices.Compact(slices.Sorted(slices.Values(slices.Concat(s3, kms))))
	rotation := slices.DeleteFunc(slices.Clone(kms), func(action string) bool { return !strings.HasPrefix(action, "kms:") && action != "ec2:DescribeRegions" })
	for name, c := range map[string]struct{ args, want []string }{
		"two services":             {[]string{"--services", "s3,kms"}, both},
		"with an equals sign":      {[]string{"--services=kms"}, kms},
		"checks":                   {[]string{"--checks", "kms-key-rotation"}, rotation}, // without the zone of trust, which policies are judged with
		"checks and their aliases": {[]string{"--checks", "securityhub:KMS.4"}, rotation},
	} {
		if diff := cmp.Diff(c.want, actions(c.args...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	cloudarq(t, t.TempDir(), "policy", "show", "--services", "s4").sentence(t, exitUsage, `did you mean "s3"`)
	cloudarq(t, t.TempDir(), "policy", "show", "s3").sentence(t, exitUsage, "s3")
	cloudarq(t, t.TempDir(), "policy", "show", "--services", "s3", "--checks", "kms-*").sentence(t, exitUsage, "none of the checks")
}

func TestPolicyModes(t *testing.T) {
	environment(t, nil)
	for mode, want := range map[string]string{"security-audit": "arn:aws:iam::aws:policy/SecurityAudit", "read-only": "arn:aws:iam::aws:policy/ReadOnlyAccess"} {
		r := cloudarq(t, t.TempDir(), "policy", "show", "--mode", mode, "-o", "json")
		shown := decode[[]grant.Difference](t, r)
		if r.code != exitOK || len(shown) == 0 || !strings.Contains(r.stderr, "Attach "+want) || !strings.Contains(r.stderr, "more than needed") {
			t.Errorf("--mode %s: %d, %d differences, %s", mode, r.code, len(shown), r.stderr)
		}
		compared := decode[[]grant.Difference](t, cloudarq(t, t.TempDir(), "policy", "diff", mode, "-o", "json"))
		if diff := cmp.Diff(shown, compared); diff != "" {
			t.Errorf("policy diff %s says something else:\n%s", mode, diff)
		}
	}
	cloudarq(t, t.TempDir(), "policy", "show", "--mode", "read-onyl").sentence(t, exitUsage, `did you mean "read-only"`)
	cloudarq(t, t.TempDir(), "policy", "show", "--mode", "read-only", "--format", "json").sentence(t, exitUsage, "--format")
}

func TestPolicyVerifyAndDiff(t *testing.T) {
	environment(t, nil)
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "policy.json")
		overwrite(t, file, []byte(text))
		return file
	}
	exact := cloudarq(t, t.TempDir(), "policy", "show", "--format", "json").stdout
	for name, c := range map[string]struct {
		file string
		args []string
		want int
		says []string // in the list
	}{
		"exact":          {write(exact), nil, exitOK, nil},
		"exact for less": {write(cloudarq(t, t.TempDir(), "policy", "show", "--services", "kms", "--format", "json").stdout), []string{"--services", "kms"}, exitOK, nil},
		"for one service only": {
			write(cloudarq(t, t.TempDir(), "policy", "show", "--services", "kms", "--format", "json").stdout), nil, exitFindings,
			[]string{"missing,s3:GetBucketPolicy,Read,not allowed", "s3-bucket-policy-not-public"},
		},
		"an administrator": {
			write(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), nil, exitFindings,
			[]string{"writes,s3:PutObject,Write,is no read", "reveals,secretsmanager:GetSecretValue", "reveals,apigateway:GET"},
		},
		"one action less": {
			write(strings.ReplaceAll(exact, `"kms:GetKeyPolicy"`, `"kms:ListKeys"`)), nil, exitFindings,
			[]string{"missing,kms:GetKeyPolicy,Read,not allowed,", "kms-key-policy"},
		},
		"no file":       {"/nonexistent", nil, exitUsage, nil},
		"not a policy":  {write(`{"Statement":"all"}`), nil, exitUsage, nil},
		"managed words": {"security-audit", nil, exitUsage, nil}, // verify takes files
	} {
		r := cloudarq(t, t.TempDir(), append([]string{"policy", "verify", c.file, "-o", "csv"}, c.args...)...)
		if r.code != c.want {
			t.Errorf("%s: exit code %d, want %d; %s", name, r.code, c.want, r.stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s: the list lacks %q", name, want)
			}
		}
		if c.want == exitOK && r.stdout != "" {
			t.Errorf("%s: says %q", name, r.stdout)
		}
		if c.want == exitUsage {
			r.sentence(t, exitUsage, c.file)
			continue
		}
		d := cloudarq(t, t.TempDir(), append([]string{"policy", "diff", c.file, "-o", "csv"}, c.args...)...)
		rows, err := csv.NewReader(strings.NewReader(d.stdout)).ReadAll()
		if d.code != exitOK || err != nil || c.want == exitFindings && d.stdout != r.stdout || c.want == exitOK && len(rows) != 1 {
			t.Errorf("%s: diff ends with %d and %d rows (%v)", name, d.code, len(rows), err)
		}
	}
	if r := cloudarqIn(t.Context(), t.TempDir(), exact, "policy", "verify", "-"); r.code != exitOK {
		t.Errorf("from stdin: %d %s", r.code, r.stderr)
	}
}
