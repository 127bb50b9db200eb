package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// auditRole is an account's audit role with the published policies, each as it is
// published, until the test ends.
type auditRole struct {
	t      *testing.T
	client *iam.Client
	role   policy.Role
}

func published(t *testing.T, server *emulator.Server, account estate.Account) auditRole {
	t.Helper()
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	r := auditRole{t, iam.NewFromConfig(estate.Owner(server.URL, account.ID)), role}
	ctx := context.WithoutCancel(t.Context())
	whole, err := r.client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(roleName), PolicyName: r.name(0)})
	if err != nil {
		t.Fatal(err)
	}
	before, err := url.PathUnescape(*whole.PolicyDocument)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := r.client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(roleName), PolicyName: r.name(0), PolicyDocument: &before})
		if err != nil {
			t.Error(err)
		}
		for i := range role.Policies[1:] {
			// One that is gone was deleted by a try whose answer got lost.
			_, err := r.client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(roleName), PolicyName: r.name(i + 1)})
			if gone := new(types.NoSuchEntityException); err != nil && !errors.As(err, &gone) {
				t.Error(err)
			}
		}
	})
	r.without("")
	return r
}

const roleName = "CloudArqAuditRole"

// name is what the role calls one of its policies. The estate has one alone, in
// whose place the first one is put.
func (r auditRole) name(i int) *string {
	if i == 0 {
		return aws.String("read")
	}
	return aws.String(r.role.Policies[i].Name)
}

// without gives the role its policies but for one action.
func (r auditRole) without(action string) {
	r.t.Helper()
	for i, m := range r.role.Policies {
		var kept []policy.Statement
		for _, s := range m.Document.Statement {
			if s.Effect == "Allow" {
				s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
			}
			if len(s.Action) > 0 {
				kept = append(kept, s)
			}
		}
		document, err := json.Marshal(policy.Document{Version: m.Document.Version, Statement: kept})
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = r.client.PutRolePolicy(r.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(roleName), PolicyName: r.name(i), PolicyDocument: aws.String(string(document))})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// unassessed are the gaps for which an audit's checks were not assessed, by check.
func unassessed(t *testing.T, r result) map[model.CheckID][]fact.Gap {
	t.Helper()
	if r.code != exitOK {
		t.Fatalf("audit: exit code %d, %s", r.code, r.stderr)
	}
	all := map[model.CheckID][]fact.Gap{}
	for line := range strings.Lines(r.stdout) {
		if v := decode[shape.Verdict](t, result{stdout: line}); v.Status == check.NotAssessed {
			all[v.Check] = append(all[v.Check], v.Gaps...)
		}
	}
	return all
}

// With exactly the published policies nothing that an audit of all regions asks for
// is denied.
func TestPublishedPolicySuffices(t *testing.T) {
	e, server := sample(t)
	account := e.Account("neglected")
	published(t, server, account)
	if err := server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	r := audit(t, data, account, "-o", "ndjson", "--quiet")
	for id, gaps := range unassessed(t, r) {
		for _, g := range gaps {
			if g.Reason == fact.Denied || g.Reason == fact.SCPDenied {
				t.Errorf("%s: %s", id, g)
			}
		}
	}
	if strings.Count(r.stdout, "\n") < 1000 {
		t.Errorf("%d verdicts", strings.Count(r.stdout, "\n"))
	}
	calls, err := server.Calls()
	if err != nil {
		t.Fatal(err)
	}
	seen, listed := map[string]bool{}, map[string]bool{}
	for _, c := range calls {
		if c.Outcome == "denied" {
			t.Errorf("%s:%s in %s was denied", c.Service, c.Operation, c.Region)
		}
		seen[c.Region+" "+c.Operation] = true
	}
	regions := map[string]bool{}
	noted := decode[[]ledger.Entry](t, cloudarq(t, data, "audit", "calls", "-o", "json"))
	for _, c := range noted {
		regions[c.Region], listed[c.Region+" "+c.Operation] = true, true
		notEnabled := c.Service == "Macie2" && c.Outcome == "AccessDeniedException" // which is how Macie says it
		if !notEnabled && (strings.HasPrefix(c.Outcome, "AccessDenied") || c.Outcome == "UnauthorizedOperation" || c.Outcome == "AuthorizationError") {
			t.Errorf("the ledger has %s %s in %s: %s", c.Service, c.Operation, c.Region, c.Outcome)
		}
	}
	if d := cmp.Diff(seen, listed); d != "" || len(regions) < 15 {
		t.Errorf("%d regions; calls (-that the emulator saw +in the ledger):\n%s", len(regions), d)
	}
	if d := cloudarq(t, data, "policy", "drift", "-o", "json"); d.code != exitOK || strings.TrimSpace(d.stdout) != "[]" {
		t.Errorf("drift: %d, %s", d.code, d.stdout)
	}
}

// everyGrant is how many of the actions one is taken away of: one in so many. All
// of them take a minute and are for make e2e.
func everyGrant() int {
	if n, err := strconv.Atoi(os.Getenv("CLOUDARQ_E2E_SAMPLE")); err == nil && n > 0 {
		return n
	}
	return 12
}

// Each action that is taken away is named by the drift report, alone, with exactly
// the checks that could not be assessed for want of it.
func TestEachActionIsMissed(t *testing.T) {
	every := everyGrant() // before the environment is emptied
	e, server := sample(t)
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	corners, err := e.Corners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accounts := []estate.Account{e.Account("neglected"), e.Account("well-kept"), corners}
	var roles []auditRole
	for _, account := range accounts {
		roles = append(roles, published(t, server, account))
	}
	// A credential report that is there already is not asked for again: this one first.
	grants := slices.Clone(roles[0].role.Grants)
	first := slices.IndexFunc(grants, func(g policy.Grant) bool { return g.Action == "iam:GenerateCredentialReport" })
	grants[0], grants[first] = grants[first], grants[0]
	for i, g := range grants {
		if i%every != 0 {
			continue
		}
		t.Run(g.Action, func(t *testing.T) {
			missed := false
			for i, account := range accounts {
				if missed {
					break
				}
				roles[i].without(g.Action)
				missed = isMissed(t, account, g, around(catalog, g.Kinds))
				roles[i].without("")
			}
			if !missed {
				t.Error("no sample account needs it: test/estate/estate/corners.py is the place for what does")
			}
		})
	}
}

// around are the services whose checks look at resources of some types, and what
// else these checks look at.
func around(catalog *check.Catalog, kinds []string) []string {
	var all []string
	for _, c := range catalog.Checks() {
		looksAt := append([]string{c.Kind}, c.Uses...)
		if !slices.ContainsFunc(looksAt, func(kind string) bool { return slices.Contains(kinds, kind) }) {
			continue
		}
		for _, kind := range looksAt {
			all = append(all, catalog.ServiceOf(kind))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isMissed audits an account whose role lacks an action and reports whether that
// was noticed.
func isMissed(t *testing.T, account estate.Account, g policy.Grant, services []string) bool {
	t.Helper()
	data := t.TempDir()
	if len(g.Kinds) == 0 { // it is for connecting: there is no audit without it
		audit(t, data, account, "--quiet").sentence(t, exitAccess, g.Action)
		return true
	}
	r := audit(t, data, account, "-o", "ndjson", "--quiet", "--regions", strings.Join(account.Regions, ","), "--services", strings.Join(services, ","), "--checks", "all")
	var want []model.CheckID
	for id, gaps := range unassessed(t, r) {
		// What the emulator cannot do is not denied.
		gaps = slices.DeleteFunc(gaps, func(gap fact.Gap) bool { return gap.Reason != fact.Denied })
		for _, gap := range gaps {
			if gap.Action != g.Action {
				t.Errorf("%s is not assessed: %s", id, gap)
			}
		}
		if len(gaps) > 0 {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	found := decode[[]drift.Missing](t, cloudarq(t, data, "policy", "drift", "-o", "json"))
	for _, m := range found {
		if m.Action != g.Action || m.DeniedBy != string(fact.Denied) {
			t.Errorf("drift: %+v, want %s alone", m, g.Action)
		}
	}
	if len(want) == 0 && (len(found) == 0 || found[0].Verdicts == 0) {
		return false // nobody asked for it
	}
	if len(found) != 1 {
		t.Fatalf("drift: %+v, want %s", found, g.Action)
	}
	if d := cmp.Diff(want, found[0].Checks); d != "" {
		t.Errorf("checks (-not assessed +blind by the drift report):\n%s", d)
	}
	return true
}
