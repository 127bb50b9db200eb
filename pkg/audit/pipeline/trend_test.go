package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// checkTrend wants a line of each audit that has a summary, and none besides.
func checkTrend(t *testing.T, x *machine) {
	t.Helper()
	audits, err := x.records.AuditsOf(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[model.AuditID]model.TrendLine{}, map[model.AuditID]model.TrendLine{}
	for _, a := range audits {
		if a.Summary != nil && a.State.Ended() {
			whole, err := x.records.WholeAudit(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			want[a.ID] = pipeline.TrendLine(x.Catalog, whole)
		}
	}
	for line, err := range x.records.TrendLines(t.Context(), account, "") {
		if err != nil {
			t.Fatal(err)
		}
		got[line.Audit] = line
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("the trend is not of the audits (-audits +lines):\n%s", diff)
	}
}

// TestTrendOfAuditsBeforeThereWereLines makes the lines of audits that have none, with the
// next audit that ends, or for who reads; not of what was to look at less, as if it was
// the account.
func TestTrendOfAuditsBeforeThereWereLines(t *testing.T) {
	t.Parallel()
	x := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open, "b": shut}, guards: []bool{true}}, memory.Options{})
	for range 3 {
		x.audit(t)
	}
	remove := func(sk string) {
		t.Helper()
		if err := x.table.Delete(t.Context(), table.Key{PK: "O#" + string(organization) + "#TREND#" + account, SK: sk}); err != nil {
			t.Fatal(err)
		}
	}
	forget := func() {
		t.Helper()
		for line, err := range x.records.TrendLines(t.Context(), account, "") {
			if err != nil {
				t.Fatal(err)
			}
			remove(string(line.Audit))
		}
		remove("made")
	}
	forget()
	x.audit(t)
	checkTrend(t, x)
	forget()
	if err := pipeline.MakeTrend(t.Context(), x.records, x.Catalog, account); err != nil {
		t.Fatal(err)
	}
	checkTrend(t, x)
	lines := 0
	for line := range x.records.TrendLines(t.Context(), account, "") {
		if lines++; line.Part || line.Rules == "" || line.Score.Assessed == 0 || line.Services["house"].Score == nil {
			t.Errorf("%+v", line)
		}
	}
	if lines != 4 {
		t.Errorf("%d lines of 4 audits", lines)
	}
}

// TestAnAuditOfLessIsAPart: what the connection asks for is what its account stands by.
func TestAnAuditOfLessIsAPart(t *testing.T) {
	t.Parallel()
	x := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open, "b": shut}, guards: []bool{true}}, memory.Options{})
	all := x.Catalog.Checks()
	for name, c := range map[string]struct {
		change func(*pipeline.Request)
		part   bool
	}{
		"all":                     {func(*pipeline.Request) {}, false},
		"one check":               {func(r *pipeline.Request) { r.Checks = all[:1] }, true},
		"the check it asks for":   {func(r *pipeline.Request) { r.Checks, r.Connection.Checks = all[:1], []string{string(all[0].ID)} }, false},
		"fewer regions":           {func(r *pipeline.Request) { r.Narrowed = true }, true},
		"the regions it asks for": {func(r *pipeline.Request) { r.Narrowed, r.Connection.Regions = true, []string{"eu-west-1"} }, false},
		"not all it asks for":     {func(r *pipeline.Request) { r.Connection.Regions = []string{"eu-west-1", "us-east-1"} }, true},
		"a check that is no more": {func(r *pipeline.Request) { r.Connection.Checks = []string{"gone"} }, true},
	} {
		r := x.request()
		c.change(&r)
		if a, err := x.Plan(t.Context(), r); err != nil || a.Part != c.part {
			t.Errorf("%s: part is %v, %v", name, a.Part, err)
		}
	}
}

// TestTrendsAreRolledUpOnceAnHour: however many audits end, the clock has their organization
// summed up once an hour, and never misses the last of them.
func TestTrendsAreRolledUpOnceAnHour(t *testing.T) {
	t.Parallel()
	x := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}, guards: []bool{true}}, memory.Options{})
	done, dies := 0, false
	var within func()
	x.RollUp = func(context.Context, model.OrganizationID) error {
		if within != nil {
			within()
		}
		if dies {
			return errors.New("killed")
		}
		done++
		return nil
	}
	tick := func(want int) {
		t.Helper()
		before := done
		for range 2 { // ticks come twice
			if _, err := x.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.drain(t.Context()); err != nil && !dies {
			t.Fatal(err)
		}
		if done-before != want {
			t.Errorf("%d sums at %s, want %d", done-before, x.now, want)
		}
	}
	ends := func() { // an audit, at this moment
		t.Helper()
		x.now = x.now.Add(-time.Hour) // which request adds
		x.audit(t)
	}
	ends()
	ends()
	tick(1)
	tick(0)
	x.now = x.now.Add(10 * time.Minute)
	ends()
	tick(0) // not so soon
	x.now = x.now.Add(50 * time.Minute)
	within = func() { within = nil; ends() } // too late for this one
	tick(1)
	x.now = x.now.Add(time.Hour)
	dies = true
	tick(0)
	dies = false
	x.now = x.now.Add(30 * time.Minute)
	tick(0) // somebody may be at it
	x.now = x.now.Add(30 * time.Minute)
	tick(1)
	x.now = x.now.Add(24 * time.Hour)
	tick(0) // nothing ended
}
