package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// doors is a spec that lists so many doors, of which shut says whether each is locked.
func doors(n int, shut func(i int) bool) collect.Spec {
	return collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		for i := range n {
			name := fmt.Sprintf("%06d", i)
			s.Emit(door{Resource: s.Resource(s.ARN("house", "door/"+name), name), Locked: fact.Known(shut(i))})
		}
		return nil
	}}}}
}

// loner is a house whose only check needs no account.
func (m *machine) loner(t *testing.T, rules ...check.Rule) {
	t.Helper()
	texts := ""
	for _, r := range rules {
		texts += string(r.ID) + `: {title: Doors are locked, pillar: security, risk: Thieves., remediation: {console: Lock it.}, references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}` + "\n"
	}
	c, err := check.NewCatalog(check.Service{
		Name: "house", Title: "House", Texts: []byte(texts), Rules: rules,
		Kinds: []check.Kind{check.KindOf[door](), check.KindOf[guard]()},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Catalog = c
	m.Store = store.New(m.table, c.Severity)
	m.records = m.Store.For(organization)
}

// failing is a notifier that fails so often, after it took a few messages.
type failing struct {
	*ears
	calls    int
	failOn   func(call int) bool
	messages []string
}

var errSNS = errors.New("SNS is away")

func (f *failing) Publish(ctx context.Context, messages ...notify.Message) error {
	f.calls++
	if f.failOn(f.calls) {
		return errSNS
	}
	for _, m := range messages {
		f.messages = append(f.messages, m.ID)
	}
	return f.ears.Publish(ctx, messages...)
}

// TestAlertsGoOutOnceWhenSNSFailsBetweenBatches: what is out is noted, also by one who
// fails.
func TestAlertsGoOutOnceWhenSNSFailsBetweenBatches(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 12})
	m.LeaseFor = time.Minute
	m.loner(t, check.For("door-locked", model.High, locked))
	m.Specs["house"] = doors(15, func(int) bool { return true })
	m.audit(t)
	m.Specs["house"] = doors(15, func(int) bool { return false })
	f := &failing{ears: m.alerts, failOn: func(call int) bool { return call == 2 || call == 3 || call == 4 }}
	m.Alerts, m.alerts.heard = f, nil
	m.audit(t)
	slices.Sort(f.messages)
	if got := len(slices.Compact(slices.Clone(f.messages))); len(f.messages) != 16 || got != 16 { // 15 doors and the end
		t.Errorf("%d messages with %d ids, want 16 of each: %v", len(f.messages), got, m.alerts.words())
	}
}

// TestRenamedCheckKeepsItsHistory: a check under another id goes on with the findings
// that it made under the old one, and nobody is alerted.
func TestRenamedCheckKeepsItsHistory(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	m.loner(t, check.For("door-shut", model.High, locked))
	m.Specs["house"] = doors(2, func(int) bool { return false })
	first := m.audit(t)
	m.alerts.heard = nil
	m.loner(t, check.For("door-locked", model.High, locked).Formerly("door-shut"))
	for range 2 {
		m.audit(t)
		f := m.findings(t, "door-locked")["000000"]
		if len(m.findings(t, "door-shut")) != 0 || f.State != model.FindingOpen || f.History[0].Audit != first.ID || len(f.History) != 1 || f.ID != model.NewFindingID("door-locked", f.Resource) {
			t.Errorf("finding %+v", f)
		}
	}
	if d := cmp.Diff([]string{"audit finished", "audit finished"}, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
}

// TestOptionsAreNoChangeOfTheAccount: what follows from another value of an option is no news
// of the account, be it that somebody set it or that a version has another default.
func TestOptionsAreNoChangeOfTheAccount(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	wanting := func(byDefault int) {
		locks := check.NewNumber("locks", "locks", "How many locks a door has at least", byDefault, 1, 9)
		m.loner(t, check.For("door-locked", model.High, func(e *check.Evidence, d door) check.Verdict {
			return check.Must(check.Read(e, d.Locked) && locks.Of(e) == 1, "locked", "open")
		}).With(locks))
	}
	m.Specs["house"] = doors(3, func(int) bool { return true })
	wanting(1)
	m.audit(t)
	m.alerts.heard = nil
	wanting(2) // as of another version
	if a := m.audit(t); a.Summary.Changes.New != 3 || a.Summary.Changes.ByRules != 3 || !slices.Equal(a.Summary.Changes.Score.Breaks, []string{"door-locked: locks was 1, is 2"}) {
		t.Errorf("with another default: %+v", a.Summary.Changes)
	}
	if a := m.audit(t); a.Summary.Changes.ByRules != 0 {
		t.Errorf("with the same again: %+v", a.Summary.Changes)
	}
	r := m.request()
	r.Options = model.CheckOptions{"door-locked": {"locks": model.NumberOf(1)}}
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), r.Connection.ID, r.Audit)
	if err != nil || a.Summary.Changes.Resolved != 3 || a.Summary.Changes.ByRules != 3 {
		t.Errorf("when somebody sets it: %+v (%v)", a.Summary.Changes, err)
	}
	if f := m.findings(t, "door-locked")["000000"]; !strings.HasSuffix(f.Reason, "(locks: 2)") || f.State != model.FindingResolved {
		t.Errorf("finding %+v", f)
	}
	if d := cmp.Diff([]string{"audit finished", "audit finished", "audit finished"}, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
}

// TestRulesAreNoChangeOfTheAccount: what a new check finds on its first look, what goes
// with one that is gone, and another severity, are no news of the account.
func TestRulesAreNoChangeOfTheAccount(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	old, gone := check.For("door-locked", model.Low, locked), check.For("door-gone", model.High, locked)
	m.loner(t, old, gone)
	m.Specs["house"] = doors(3, func(int) bool { return false })
	m.audit(t)
	m.alerts.heard = nil

	m.loner(t, check.For("door-locked", model.Critical, locked), check.For("door-new", model.High, locked))
	a := m.audit(t)
	if d := cmp.Diff([]string{"audit finished"}, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if c := a.Summary.Changes; c.New != 3 || c.Resolved != 3 || c.ByRules != 6 {
		t.Errorf("changes %+v", c)
	}
	if f := m.findings(t, "door-locked")["000000"]; f.Severity != model.Critical || len(f.History) != 1 {
		t.Errorf("graver: %+v", f)
	}
	if f := m.findings(t, "door-gone")["000000"]; f.State != model.FindingResolved || f.Why != model.WhyRetired {
		t.Errorf("retired: %+v", f)
	}
	// From now on it is news.
	m.Specs["house"] = doors(4, func(i int) bool { return i == 0 })
	m.alerts.heard = nil
	m.audit(t)
	want := []string{"audit finished", "finding new door-locked", "finding new door-new", "finding resolved door-locked", "finding resolved door-new"}
	if d := cmp.Diff(want, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	for _, a := range m.alerts.heard {
		if a.Finding != nil && a.Change == "resolved" && !strings.Contains(a.Finding.Reason, "it is locked") {
			t.Errorf("a resolved alert says %q", a.Finding.Reason)
		}
	}
}

// TestChecksLeftOutOnce: an audit of fewer checks does not make the next one's news.
func TestChecksLeftOutOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	m.loner(t, check.For("door-locked", model.Low, locked), check.For("door-other", model.High, locked))
	m.Specs["house"] = doors(3, func(int) bool { return false })
	m.audit(t)
	all := m.Catalog
	r := m.request()
	r.Checks, _ = all.Select([]string{"door-locked"})
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.Specs["house"] = doors(3, func(i int) bool { return i == 0 })
	m.alerts.heard = nil
	if a := m.audit(t); a.Summary.Changes.Resolved != 2 || a.Summary.Changes.ByRules != 0 {
		t.Errorf("changes %+v", a.Summary.Changes)
	}
	if want := []string{"audit finished", "finding resolved door-locked", "finding resolved door-other"}; !slices.Equal(want, slices.Sorted(maps.Values(m.alerts.words()))) {
		t.Errorf("alerts %v", m.alerts.words())
	}
}

// TestFirstAuditNamesTheWorst: its end is all that is announced of it.
func TestFirstAuditNamesTheWorst(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	m.loner(t, check.For("door-locked", model.Low, locked), check.For("door-critical", model.Critical, locked))
	m.Specs["house"] = doors(30, func(i int) bool { return i < 15 })
	m.audit(t)
	if len(m.alerts.heard) != 1 {
		t.Fatalf("alerts %v", m.alerts.words())
	}
	a := m.alerts.heard[0]
	if len(a.Worst) != alert.WorstShown || a.Worst[0].Severity != model.Critical || a.Worst[9].Severity != model.Critical {
		t.Errorf("the worst are %+v", a.Worst)
	}
	m.audit(t)
	if a := m.alerts.heard[1]; a.Kind != alert.KindAudit || len(a.Worst) != 0 {
		t.Errorf("the second audit's end: %+v", a)
	}
}

// TestLargeScope: a scope of more findings than fit one partition, or one attempt, is
// written to its end, with each change counted and nothing twice.
func TestLargeScope(t *testing.T) {
	t.Parallel()
	const n = 6_000
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 200})
	m.LeaseFor = time.Minute
	m.loner(t, check.For("door-locked", model.High, locked))
	count := func() (open, resolved int) {
		for _, f := range m.findings(t, "door-locked") {
			if f.State.Open() {
				open++
			} else {
				resolved++
			}
			if len(f.History) > 2 {
				t.Fatalf("finding %+v", f)
			}
		}
		return open, resolved
	}
	m.Specs["house"] = doors(n, func(int) bool { return false })
	// The table has enough again and again, after 699 writes.
	writes := &tired{Table: m.table, every: 699}
	m.Store = store.New(writes, m.Catalog.Severity)
	if a := m.audit(t); a.State != model.AuditDone || a.Summary.Changes.New != n {
		t.Fatalf("audit %s %v, changes %+v", a.State, a.Problems, a.Summary.Changes)
	}
	if open, _ := count(); open != n || writes.failed.Load() < n/699 {
		t.Errorf("%d findings are open, want %d; the table failed %d times", open, n, writes.failed.Load())
	}
	if s, err := m.records.Scope(t.Context(), account, "house"); err != nil || s.Parts != 16 || !s.Done {
		t.Errorf("scope %+v, %v", s, err)
	}
	m.Specs["house"] = doors(n, func(i int) bool { return i%10 == 0 })
	if a := m.audit(t); a.Summary.Changes.Resolved != n/10 || a.Summary.Changes.New != 0 {
		t.Errorf("changes %+v", a.Summary.Changes)
	}
	if open, resolved := count(); open != n-n/10 || resolved != n/10 {
		t.Errorf("%d are open, %d resolved", open, resolved)
	}
	pages, cursor := 0, ""
	for seen := map[model.FindingID]bool{}; ; pages++ {
		page, next, err := m.records.FindingsPage(t.Context(), account, "house", cursor, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page {
			if seen[f.ID] {
				t.Fatalf("%s is listed twice", f.ID)
			}
			seen[f.ID] = true
		}
		if cursor = next; next == "" {
			if len(seen) != n {
				t.Errorf("%d findings on %d pages, want %d", len(seen), pages, n)
			}
			break
		}
	}
}

// tired is a table that refuses a write now and then.
type tired struct {
	table.Table
	every          int64
	writes, failed atomic.Int64
}

func (w *tired) Put(ctx context.Context, it table.Item) error {
	if w.writes.Add(1)%w.every == 0 {
		w.failed.Add(1)
		return errSNS
	}
	return w.Table.Put(ctx, it)
}

// TestBlockedScopeIsFree: a scope that an older version blocked, with changes committed
// that could never be written, takes in the next audit.
func TestBlockedScopeIsFree(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	m.audit(t)
	key := table.Key{PK: "O#acme#SCOPE#" + account, SK: "house"}
	_, err := table.Update(t.Context(), m.table, key, func(it *table.Item) error {
		it.Body = []byte(`{"audit":"audit-001","log":"changes/of/what/is/gone.ndjson.zst","changes":{"new":1,"resolved":0,"reopened":0}}`)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Specs["house"] = doors(2, func(int) bool { return false })
	if a := m.audit(t); a.State != model.AuditDone || a.Summary.Changes.New == 0 {
		t.Errorf("audit %s %v: %+v", a.State, a.Problems, a.Summary.Changes)
	}
}

// TestResultsThatCannotBeTakenInEndTheAudit: evidence that is gone costs its service,
// not the audit, and not the audits after it.
func TestResultsThatCannotBeTakenInEndTheAudit(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}, guards: []bool{true}}, memory.Options{MaxReceives: 3})
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
		t.Fatal(err)
	}
	for info, err := range m.Evidence.List(t.Context(), "evidence/") {
		if err == nil {
			err = m.Evidence.Delete(t.Context(), info.Key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil || a.State != model.AuditPartial || len(a.Problems) == 0 || a.Summary.Counts.NotAssessed == 0 {
		t.Fatalf("audit %+v, %v", a, err)
	}
	if a := m.audit(t); a.State != model.AuditDone || m.findings(t, "door-locked")["a"].State != model.FindingOpen {
		t.Errorf("the next audit is %s %v", a.State, a.Problems)
	}
}

// TestUpgradeWhileAnAuditRuns: an audit that was planned by one version, and collected or
// taken in by the next, goes on under the new names. Nothing is deleted because a rule
// was not run, and nobody is alerted.
func TestUpgradeWhileAnAuditRuns(t *testing.T) {
	t.Parallel()
	old := []check.Rule{check.For("door-shut", model.High, locked), check.For("door-old", model.Low, locked)}
	upgraded := []check.Rule{check.For("door-locked", model.High, locked).Formerly("door-shut")}
	for name, after := range map[string]bool{"before it collects": false, "after it collected": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
			m.loner(t, old...)
			m.Specs["house"] = doors(2, func(int) bool { return false })
			m.audit(t)
			m.alerts.heard = nil
			r := m.request()
			if _, err := m.Plan(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if after {
				if err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
					t.Fatal(err)
				}
			}
			m.loner(t, upgraded...)
			if err := m.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, f := range m.findings(t, "door-locked") {
				if f.State != model.FindingOpen || len(f.History) != 1 {
					t.Errorf("renamed: %+v", f)
				}
			}
			for _, f := range m.findings(t, "door-old") {
				if f.Why != model.WhyRetired {
					t.Errorf("retired: %+v", f)
				}
			}
			if n, gone := len(m.findings(t, "door-locked")), len(m.findings(t, "door-shut")); n != 2 || gone != 0 {
				t.Errorf("%d findings under the new name, %d under the old", n, gone)
			}
			a, err := m.records.Audit(t.Context(), account, r.Audit)
			if err != nil || a.Summary.Tally["door-locked"].Fail != 2 {
				t.Errorf("tally %+v, %v", a.Summary.Tally, err)
			}
			if d := cmp.Diff([]string{"audit finished"}, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
				t.Errorf("alerts (-want +got):\n%s", d)
			}
		})
	}
}

// TestCheckThatWhoeverCollectedDidNotKnow: where an older version collects an audit that a
// newer one planned and takes in, a check that is new says nothing of what is there, and
// does not have its first look. What a complete listing does not have is gone all the same.
func TestCheckThatWhoeverCollectedDidNotKnow(t *testing.T) {
	t.Parallel()
	old := check.For("door-locked", model.High, locked)
	newer := []check.Rule{old, check.For("door-new", model.Low, locked)}
	for name, c := range map[string]struct {
		known bool // the check had findings before
		heard []string
	}{
		"a check that looked before": {true, []string{"audit finished", "finding resolved door-locked", "finding resolved door-new"}},
		"its first look":             {false, []string{"audit finished"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
			before := []check.Rule{old}
			if c.known {
				before = newer
			}
			m.loner(t, before...)
			m.Specs["house"] = doors(3, func(int) bool { return false })
			m.audit(t)

			m.loner(t, newer...)
			m.Specs["house"] = doors(2, func(i int) bool { return c.known && i == 0 })
			r := m.request()
			if _, err := m.Plan(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			m.loner(t, old)
			if err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
				t.Fatal(err)
			}
			m.loner(t, newer...)
			if err := m.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			states := map[string]string{}
			for door, f := range m.findings(t, "door-new") {
				states[door] = string(f.State) + f.Why
			}
			want := map[string]string{}
			if c.known {
				want = map[string]string{"000000": "open", "000001": "open", "000002": "resolved" + model.WhyGone}
			}
			if d := cmp.Diff(want, states); d != "" {
				t.Errorf("findings of the new check (-want +got):\n%s", d)
			}

			m.alerts.heard = nil
			m.Specs["house"] = doors(2, func(i int) bool { return c.known && i < 2 })
			a := m.audit(t)
			if d := cmp.Diff(c.heard, slices.Compact(slices.Sorted(maps.Values(m.alerts.words())))); d != "" {
				t.Errorf("alerts of the audit after it (-want +got):\n%s", d)
			}
			if changes := a.Summary.Changes; !c.known && (changes.New != 2 || changes.ByRules != 2) {
				t.Errorf("changes %+v", changes)
			}
		})
	}
}

// TestNewsOfARenamedCheck: a check that is renamed goes on being known, also where it
// had no finding, and where the first audit after that does not run it.
func TestNewsOfARenamedCheck(t *testing.T) {
	t.Parallel()
	for name, narrowed := range map[string]bool{"at once": false, "after an audit without it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
			other := check.For("door-other", model.Low, func(*check.Evidence, door) check.Verdict { return check.Passed("fine") })
			m.loner(t, check.For("door-shut", model.High, locked), other)
			m.Specs["house"] = doors(1, func(int) bool { return true })
			m.audit(t)
			m.loner(t, check.For("door-locked", model.High, locked).Formerly("door-shut"), other)
			if narrowed {
				r := m.request()
				r.Checks, _ = m.Catalog.Select([]string{"door-other"})
				if _, err := m.Plan(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				if err := m.drain(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			m.Specs["house"] = doors(1, func(int) bool { return false })
			m.alerts.heard = nil
			m.audit(t)
			if d := cmp.Diff([]string{"audit finished", "finding new door-locked"}, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
				t.Errorf("alerts (-want +got):\n%s", d)
			}
		})
	}
}

// TestResumeOfWhatOnlyHadToEnd: an audit that was cancelled when all of its tasks were
// done is taken up again, and ends.
func TestResumeOfWhatOnlyHadToEnd(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context(), model.Change{}, organization, account, r.Audit, model.AuditCancelled, "enough"); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Resume(t.Context(), model.Change{}, organization, a); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err = m.records.Audit(t.Context(), account, r.Audit); err != nil || a.State != model.AuditDone || a.Summary == nil {
		t.Errorf("audit is %s, %v", a.State, err)
	}
}

// TestLeftByOneWhoDied: what an audit wrote before it died is announced by whoever comes
// next, be that another audit or another try, and each once.
func TestLeftByOneWhoDied(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"another audit", "another try", "another version", "one without the check", "one who is not heard"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 2})
			m.LeaseFor = time.Minute
			rule := check.For("door-locked", model.High, locked)
			m.loner(t, rule)
			if name == "another version" {
				m.loner(t, check.For("door-shut", model.High, locked))
			}
			m.Specs["house"] = doors(3, func(int) bool { return true })
			m.audit(t)
			m.alerts.heard = nil
			m.Specs["house"] = doors(3, func(int) bool { return false })
			// The findings are written, and the record of the scope never says so.
			died := &mute{Table: m.table}
			m.Store = store.New(died, m.Catalog.Severity)
			r := m.request()
			if _, err := m.Plan(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			var results []queue.Message
			err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.RunTask}, memory.Worker{Queue: m.results, Handle: func(ctx context.Context, message queue.Message) error {
				results = append(results, message)
				m.now = m.now.Add(2 * time.Minute) // whoever died holds nothing any more
				return m.Ingest(ctx, message)
			}})
			if err != nil {
				t.Fatal(err)
			}
			m.loner(t, rule.Formerly("door-shut"))
			a, err := m.records.Audit(t.Context(), account, r.Audit)
			if err != nil || a.State != model.AuditPartial || len(m.findings(t, "door-locked"))+len(m.findings(t, "door-shut")) != 3 {
				t.Fatalf("audit %s %v, %v", a.State, a.Problems, err)
			}
			m.now = m.now.Add(time.Hour)
			id := "door-locked"
			switch name {
			case "another version":
				id = "door-shut" // as it was when it was written
			case "one without the check":
				m.loner(t, check.For("door-other", model.High, locked))
			case "one who is not heard":
				// SNS is away as long as the next audit lasts. Then what is left of the older one
				// comes once more.
				m.Alerts = &failing{ears: m.alerts, failOn: func(int) bool { return true }}
				m.audit(t)
				m.now = m.now.Add(time.Hour)
				m.Alerts = m.alerts
				for _, message := range results {
					message.Attempt = 1
					if err := m.Ingest(t.Context(), message); err != nil {
						t.Error(err)
					}
				}
			}
			if name == "another try" {
				if _, err := m.Resume(t.Context(), model.Change{}, organization, a); err != nil {
					t.Fatal(err)
				}
				if err := m.drain(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				m.audit(t)
			}
			var got []string
			for _, w := range m.alerts.words() {
				if strings.HasPrefix(w, "finding") {
					got = append(got, w)
				}
			}
			if want := slices.Repeat([]string{"finding new " + id}, 3); !slices.Equal(got, want) {
				t.Errorf("alerts %v", got)
			}
		})
	}
}

// mute is a table that takes the second write of a service's scope record, and every
// later one, for none.
type mute struct {
	table.Table
	scopes int
}

func (w *mute) Put(ctx context.Context, it table.Item) error {
	if strings.Contains(it.PK, "SCOPE") && it.SK == "house" {
		if w.scopes++; w.scopes > 1 {
			return errSNS
		}
	}
	return w.Table.Put(ctx, it)
}

// TestFirstAuditThatWasNotTakenIn: another audit that comes before the first one is
// taken in is the first, and alerts of nothing.
func TestFirstAuditThatWasNotTakenIn(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 2})
	m.LeaseFor = time.Minute
	m.loner(t, check.For("door-locked", model.High, locked))
	m.Specs["house"] = doors(300, func(int) bool { return false })
	m.Store = store.New(&mute{Table: m.table}, m.Catalog.Severity)
	m.audit(t)
	m.Store = store.New(m.table, m.Catalog.Severity)
	m.audit(t)
	for _, a := range m.alerts.heard {
		if a.Kind != alert.KindAudit {
			t.Errorf("alert %s %s: %s", a.Kind, a.Change, a.Summary)
		}
	}
	if n := len(m.findings(t, "door-locked")); n != 300 {
		t.Errorf("%d findings", n)
	}
}

// TestRenamedBeforeItWasAnnounced: what is still to be announced of a check that is
// renamed is announced under its new name.
func TestRenamedBeforeItWasAnnounced(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 1})
	m.LeaseFor = time.Minute
	m.loner(t, check.For("door-shut", model.High, locked))
	m.Specs["house"] = doors(2, func(int) bool { return true })
	m.audit(t)
	m.Specs["house"] = doors(2, func(int) bool { return false })
	f := &failing{ears: m.alerts, failOn: func(call int) bool { return call == 1 }}
	m.Alerts, m.alerts.heard = f, nil
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
		t.Fatal(err)
	}
	err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.results, Handle: func(ctx context.Context, message queue.Message) error {
		message.Max = 3
		if err := m.Ingest(ctx, message); !errors.Is(err, errSNS) {
			t.Errorf("SNS is away, and the result says %v", err)
		}
		m.loner(t, check.For("door-locked", model.High, locked).Formerly("door-shut"))
		m.now = m.now.Add(2 * time.Minute)
		message.Attempt++
		return m.Ingest(ctx, message)
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"audit finished", "finding new door-locked", "finding new door-locked"}
	if got := slices.Sorted(maps.Values(m.alerts.words())); !slices.Equal(got, want) {
		t.Errorf("alerts %v", got)
	}
}

// TestFirstLookElsewhere: a check whose first look was at some regions has its first look
// at the others later, and that is no news either.
func TestFirstLookElsewhere(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	open := map[string]bool{}
	m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		for _, name := range []string{"a", "b"} {
			s.Emit(door{Resource: s.Resource(s.ARN("house", "door/"+name), s.Region+" "+name), Locked: fact.Known(name == "b" && !open[s.Region])})
		}
		return nil
	}}}}
	audit := func(regions ...string) []string {
		t.Helper()
		m.alerts.heard = nil
		r := m.request()
		r.Regions = regions
		if _, err := m.Plan(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Values(m.alerts.words()))
	}
	old, added := check.For("door-locked", model.High, locked), check.For("door-new", model.Low, locked)
	m.loner(t, old)
	audit("eu-west-1", "us-east-1")
	m.loner(t, old, added)
	for _, regions := range [][]string{{"eu-west-1"}, {"eu-west-1", "us-east-1"}} {
		if heard := audit(regions...); !slices.Equal(heard, []string{"audit finished"}) {
			t.Errorf("the first look at %v: %v", regions, heard)
		}
	}
	open["us-east-1"] = true
	if heard := audit("us-east-1"); !slices.Equal(heard, []string{"audit finished", "finding new door-locked", "finding new door-new"}) {
		t.Errorf("a door that was opened: %v", heard)
	}
}

// TestCheckThatLooksAtTheAccountNow: a check whose rule looks at the whole account from
// now on has its findings elsewhere. Nothing is deleted, and nobody is alerted.
func TestCheckThatLooksAtTheAccountNow(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]model.CheckID{"under its name": "door-locked", "renamed": "door-safe"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
			m.loner(t, check.For("door-locked", model.High, locked))
			m.Specs["house"] = doors(2, func(int) bool { return false })
			m.audit(t)
			m.alerts.heard = nil
			rule := check.Across(id, model.High, guarded, check.Using[guard]())
			if id != "door-locked" {
				rule = rule.Formerly("door-locked")
			}
			m.loner(t, rule)
			for range 2 {
				m.audit(t)
			}
			if d := cmp.Diff([]string{"audit finished", "audit finished"}, slices.Sorted(maps.Values(m.alerts.words()))); d != "" {
				t.Errorf("alerts (-want +got):\n%s", d)
			}
			before, err := m.records.Findings(t.Context(), account, "house")
			if err != nil || len(before) != 2 || before[0].Why != model.WhyRetired {
				t.Errorf("findings of before: %+v, %v", before, err)
			}
			now, err := m.records.Findings(t.Context(), account, "across")
			if err != nil || len(now) != 2 || !now[0].State.Open() {
				t.Fatalf("findings of now: %+v, %v", now, err)
			}
			if f, err := m.records.Finding(t.Context(), account, pipeline.Scopes(m.Catalog), now[0].ID); err != nil || !f.State.Open() {
				t.Errorf("by its id: %+v, %v", f, err)
			}
		})
	}
}
