package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestCallBudget: an audit makes no more requests than its connection allows, calls
// nothing fine or gone that it did not get to, says why, and what it cost the account.
func TestCallBudget(t *testing.T) {
	e, server := sample(t)
	account := e.Account("neglected")
	data := t.TempDir()
	if r := cloudarqIn(t.Context(), data, account.ExternalID+"\n", "connections", "add", "--role-arn", account.RoleARN, "--external-id", "-", "--unused-defaults"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	run := func() (model.Audit, int, result) {
		t.Helper()
		w := tap(t, server)
		r := cloudarq(t, data, "audit", "run", "--connection", account.ID, "--incomplete-ok")
		requests := 0
		for _, sent := range w.sent() {
			if !strings.Contains(string(sent), "Action=AssumeRole") {
				requests++
			}
		}
		return wholeAudits(t, data)[0], requests, r
	}
	whole, _, shown := run()
	if whole.State != model.AuditDone || whole.Summary.Changes.New == 0 {
		t.Fatalf("without a bound the audit is %s", whole.State)
	}
	if sum := (model.Load{}); true {
		for _, l := range whole.Summary.Load {
			sum = sum.Add(l)
		}
		if sum.Calls != whole.Summary.Calls || sum.Attempts < sum.Calls || whole.Summary.Load["s3"].Calls == 0 {
			t.Errorf("%d calls, by service %+v", whole.Summary.Calls, whole.Summary.Load)
		}
	}
	if !strings.Contains(shown.stdout, "to AWS, most of them ec2") {
		t.Errorf("the summary does not say what it cost the account: %s", shown.stdout)
	}

	const budget = 150
	if r := cloudarq(t, data, "connections", "update", account.ID, "--call-budget", "150"); r.code != exitOK || !strings.Contains(r.stdout, "at most 150 an audit") {
		t.Fatal(r.stdout, r.stderr)
	}
	bounded, requests, shown := run()
	if requests > budget || requests < budget*9/10 {
		t.Errorf("%d requests, at most %d are allowed", requests, budget)
	}
	if bounded.State != model.AuditPartial || !strings.Contains(shown.stdout+shown.stderr, "the call budget of the audit, 150, was used up") {
		t.Errorf("the audit is %s: %s%s", bounded.State, shown.stdout, shown.stderr)
	}
	if len(bounded.Problems) != 1 || bounded.Summary.Calls > budget {
		t.Errorf("%d calls, problems %q", bounded.Summary.Calls, bounded.Problems)
	}
	if c := bounded.Summary.Changes; c.Resolved != 0 || c.New != 0 {
		t.Errorf("what was not read changed: %+v", c)
	}
	if !slices.ContainsFunc(bounded.Summary.Gaps, func(g model.GapCount) bool { return g.Reason == "call_budget" }) {
		t.Errorf("no gap says so: %+v", bounded.Summary.Gaps)
	}
	connections := decode[[]model.Connection](t, cloudarq(t, data, "connections", "list", "-o", "json"))
	if c := connections[0]; !c.Unused || c.CallBudget != budget {
		t.Errorf("an update of the budget left %+v", c.AuditOptions)
	}
	cloudarq(t, data, "connections", "update", account.ID, "--call-budget", "99").sentence(t, exitUsage, "99 calls")
	cloudarq(t, data, "audit", "run", "--call-budget", "-1").sentence(t, exitUsage, "--call-budget")
}
