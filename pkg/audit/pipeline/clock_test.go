package pipeline_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// scheduled is a machine with a connection that is due every day at six.
func scheduled(t *testing.T, w *world) *machine {
	t.Helper()
	m := newMachine(t, t.TempDir(), w, memory.Options{MaxReceives: 3})
	m.Bound = 6 * time.Hour
	c := model.Connection{
		ID: account, AccountID: account, CreatedAt: m.now, State: model.ConnectionPending,
		Schedule: model.Schedule{Expression: "cron(0 6 * * ? *)", JitterMinutes: new(0)},
	}
	if err := m.records.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if err := m.records.PutNextAudit(t.Context(), c.ID, m.now.Add(6*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) tick(t *testing.T, at time.Time) pipeline.Ticked {
	t.Helper()
	m.now = at
	ticked, err := m.Tick(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ticked.Rolled = 0 // of which TestTrendsAreRolledUpOnceAnHour tells
	return ticked
}

func (m *machine) states(t *testing.T) []model.AuditState {
	t.Helper()
	audits, err := m.records.AuditsOf(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	states := []model.AuditState{}
	for _, a := range audits {
		states = append(states, a.State)
	}
	return states
}

func TestScheduledAudits(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{doors: map[string]sight{"a": open}})
	day := m.now
	steps := []struct {
		what   string
		at     time.Time
		want   pipeline.Ticked
		audits int
	}{
		{"before it is due", day.Add(5 * time.Hour), pipeline.Ticked{}, 0},
		{"when it is due", day.Add(6 * time.Hour), pipeline.Ticked{Started: 1}, 1},
		{"a minute later", day.Add(6*time.Hour + time.Minute), pipeline.Ticked{}, 1},
		{"after three days without a tick", day.Add(3*24*time.Hour + 7*time.Hour), pipeline.Ticked{Started: 1}, 2},
		{"a minute after that", day.Add(3*24*time.Hour + 7*time.Hour + time.Minute), pipeline.Ticked{}, 2},
	}
	for _, s := range steps {
		if got := m.tick(t, s.at); got != s.want {
			t.Errorf("%s: %+v, want %+v", s.what, got, s.want)
		}
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(m.states(t)); n != s.audits {
			t.Errorf("%s: %d audits, want %d", s.what, n, s.audits)
		}
	}
	next, err := m.records.NextAudit(t.Context(), account)
	if want := day.Add(4*24*time.Hour + 6*time.Hour); err != nil || !next.Equal(want) {
		t.Errorf("next due at %s (%v), want %s", next, err, want)
	}
	if diff := cmp.Diff([]model.AuditState{model.AuditDone, model.AuditDone}, m.states(t)); diff != "" {
		t.Error(diff)
	}
}

// TestSuspendedOrganizationsAreNotAudited: no audit of a suspended organization's begins,
// and what was due meanwhile does when that is taken back.
func TestSuspendedOrganizationsAreNotAudited(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{doors: map[string]sight{"a": open}})
	due := m.now.Add(6 * time.Hour)
	o := model.Organization{ID: organization, CreatedAt: m.now, SuspendedAt: m.now}
	if err := m.Store.CreateOrganization(t.Context(), model.Change{}, &o, 10); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Duration{0, time.Minute, time.Hour, 24 * time.Hour} {
		if got := m.tick(t, due.Add(at)); got != (pipeline.Ticked{Skipped: got.Skipped}) {
			t.Errorf("after %s: %+v", at, got)
		}
	}
	o.SuspendedAt = time.Time{}
	if err := m.records.ChangeItself(t.Context(), model.Change{}, &o); err != nil {
		t.Fatal(err)
	}
	if got := m.tick(t, due.Add(24*time.Hour+15*time.Minute)); got != (pipeline.Ticked{Started: 1}) {
		t.Errorf("when it is taken back: %+v", got)
	}
	if n := len(m.states(t)); n != 1 {
		t.Errorf("%d audits", n)
	}
}

// A connection that is audited once is audited once, and nothing of it is deleted
// after that.
func TestOnce(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{doors: map[string]sight{"a": open}})
	c, err := m.records.Connection(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	c.Schedule.Expression = model.OnceExpression
	if err := m.records.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	due := m.now.Add(6 * time.Hour)
	for i, want := range []pipeline.Ticked{{Started: 1}, {}, {}} {
		if got := m.tick(t, due.Add(time.Duration(i)*24*time.Hour)); got != want {
			t.Errorf("day %d: %+v, want %+v", i, got, want)
		}
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	audits, err := m.records.AuditsOf(t.Context(), account)
	if err != nil || len(audits) != 1 || !audits[0].Once || audits[0].Reminder("forget it") == "" {
		t.Errorf("audits %+v, %v; want one, with its reminder", audits, err)
	}
	if next, err := m.records.NextAudit(t.Context(), account); err != nil || !next.IsZero() {
		t.Errorf("next due at %s, %v", next, err)
	}
	if _, err := m.records.Connection(t.Context(), account); err != nil {
		t.Error(err)
	}
}

// A connection that is due while another of its audits runs is audited when that one
// ended, once, and then again when it is due by its schedule.
func TestADueAuditWaitsForTheOneThatRuns(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{})
	due := m.now.Add(6 * time.Hour)
	m.now = due.Add(-time.Minute)
	r := m.request()
	m.now = due.Add(-time.Minute)
	if _, err := m.Begin(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if got := m.tick(t, due.Add(time.Duration(i)*time.Minute)); got != (pipeline.Ticked{Delayed: 1}) {
			t.Errorf("%+v, want it delayed", got)
		}
	}
	if n := len(m.states(t)); n != 1 {
		t.Errorf("%d audits, want the one that runs", n)
	}
	if next, err := m.records.NextAudit(t.Context(), account); err != nil || !next.Equal(due) {
		t.Errorf("next due at %s (%v), want it due since %s", next, err, due)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.tick(t, due.Add(3*time.Minute)); got != (pipeline.Ticked{Started: 1}) {
		t.Errorf("%+v after the other ended, want it started", got)
	}
	if next, err := m.records.NextAudit(t.Context(), account); err != nil || !next.Equal(due.Add(24*time.Hour)) {
		t.Errorf("next due at %s (%v), want a day after %s", next, err, due)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.tick(t, due.Add(4*time.Minute)); got != (pipeline.Ticked{}) || len(m.states(t)) != 2 {
		t.Errorf("%+v a minute later, %d audits", got, len(m.states(t)))
	}
}

// counting is a table that counts how often the audits of a connection are looked at,
// whose records are large.
type counting struct {
	table.Table
	audits int
}

func (c *counting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if strings.Contains(q.PK, "#AUDIT#") {
		c.audits++
	}
	return c.Table.Query(ctx, q)
}

// Many connections may wait for hours, each of them asked for every minute.
func TestWaitingIsCheap(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{})
	due := m.now.Add(6 * time.Hour)
	m.now = due.Add(-time.Minute)
	if _, err := m.Begin(t.Context(), m.request()); err != nil {
		t.Fatal(err)
	}
	counted := &counting{Table: m.table}
	m.Store = store.New(counted, nil)
	for i := range 10 {
		m.tick(t, due.Add(time.Duration(i)*time.Minute))
	}
	if counted.audits != 1 {
		t.Errorf("the audits were looked at %d times in ten minutes, want once", counted.audits)
	}
}

// Who only looks whether the account can be audited holds up no audit.
func TestAVerificationHoldsUpNoAudit(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{})
	due := m.now.Add(6 * time.Hour)
	c, err := m.records.Connection(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	m.now = due.Add(-time.Minute)
	if err := m.BeginVerification(t.Context(), model.Change{}, organization, c, idAt(due.Add(-time.Minute))); err != nil {
		t.Fatal(err)
	}
	if got := m.tick(t, due); got != (pipeline.Ticked{Started: 1}) {
		t.Errorf("%+v, want it started", got)
	}
}

// A schedule that is taken away while its audit waits takes that along.
func TestAScheduleIsTakenAwayWhileItsAuditWaits(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{})
	due := m.now.Add(6 * time.Hour)
	m.now = due.Add(-time.Minute)
	if _, err := m.Begin(t.Context(), m.request()); err != nil {
		t.Fatal(err)
	}
	m.tick(t, due)
	c, err := m.records.Connection(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	c.Schedule = model.Schedule{}
	if err := m.records.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.tick(t, due.Add(time.Hour)); got != (pipeline.Ticked{Skipped: 1}) || len(m.states(t)) != 1 {
		t.Errorf("%+v, %d audits", got, len(m.states(t)))
	}
	if got := m.tick(t, due.Add(2*time.Hour)); got != (pipeline.Ticked{}) {
		t.Errorf("%+v, want it forgotten", got)
	}
}

// idAt is the id of an audit that begins at a moment.
func idAt(at time.Time) model.AuditID {
	return model.AuditID(ulid.MustNew(ulid.Timestamp(at), rand.Reader).String())
}

// An audit that starts late is newer than one that somebody made since it was due, and
// takes effect.
func TestALateAuditTakesEffect(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := scheduled(t, w)
	day := m.now
	c, err := m.records.Connection(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	m.now = day.Add(8 * time.Hour) // due at six, and nobody ticked
	if err := m.BeginFor(t.Context(), model.Change{}, organization, c, idAt(m.now)); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.doors = map[string]sight{"a": shut, "b": open}
	if got := m.tick(t, day.Add(9*time.Hour)); got.Started != 1 {
		t.Fatalf("%+v", got)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := m.findings(t, "door-locked")
	if f["a"].State != model.FindingResolved || f["b"].State != model.FindingOpen {
		t.Errorf("door a is %q, door b %q; want what the late audit saw", f["a"].State, f["b"].State)
	}
	audits, err := m.records.AuditsOf(t.Context(), account)
	if err != nil || len(audits) != 2 || !audits[0].StartedAt.After(audits[1].StartedAt) {
		t.Errorf("audits %+v, %v; want the one that began last first", audits, err)
	}
}

// Whoever starts an audit and dies before the clock is set starts no second one.
func TestDyingAfterTheStartStartsNothingTwice(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{false, true} {
		m := scheduled(t, &world{})
		due := m.now.Add(6 * time.Hour)
		m.tick(t, due)
		if ended {
			if err := m.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.records.PutNextAudit(t.Context(), account, due); err != nil { // as if it had not been set on
			t.Fatal(err)
		}
		m.tick(t, due.Add(time.Minute))
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := m.states(t); len(got) != 1 || got[0] != model.AuditDone {
			t.Errorf("ended before %t: audits are %v, want one", ended, got)
		}
	}
}

func TestLostMessagesEndTheAuditPartial(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{doors: map[string]sight{"a": open}})
	due := m.now.Add(6 * time.Hour)
	m.tick(t, due)
	// The account is opened, and then the message of the one service is lost.
	lost := func(_ *testing.T) {
		opened := false
		err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, msg queue.Message) error {
			if opened {
				return nil
			}
			opened = true
			return m.RunTask(ctx, msg)
		}}, memory.Worker{Queue: m.results, Handle: m.Ingest})
		if err != nil {
			t.Fatal(err)
		}
	}
	lost(t)
	if got := m.states(t); got[0] != model.AuditRunning {
		t.Fatalf("audit is %s", got[0])
	}
	if got := m.tick(t, due.Add(5*time.Hour)); got.Expired != 0 {
		t.Errorf("%+v before its bound", got)
	}
	if got := m.tick(t, due.Add(6*time.Hour)); got.Expired != 1 {
		t.Errorf("%+v, want the audit ended", got)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	audits, err := m.records.AuditsOf(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	a := audits[0]
	if a.State != model.AuditPartial || len(a.Problems) != 1 || a.Summary == nil || a.Summary.Counts.NotAssessed == 0 {
		t.Errorf("audit is %s, %v", a.State, a.Problems)
	}
	if got := m.tick(t, due.Add(7*time.Hour)); got.Expired != 0 {
		t.Errorf("%+v after it ended", got)
	}
	// What failed can be tried again.
	if _, err := m.Resume(t.Context(), model.Change{}, organization, a); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.states(t); got[0] != model.AuditDone {
		t.Errorf("after the second try the audit is %s", got[0])
	}
	for _, id := range []model.CheckID{"door-locked", "door-guarded"} {
		if f := m.findings(t, id); f["a"].State != model.FindingOpen {
			t.Errorf("after the second try the finding of %s is %q", id, f["a"].State)
		}
	}
	ends := 0
	for _, words := range m.alerts.words() {
		if words == "audit finished" {
			ends++
		}
	}
	if ends != 2 {
		t.Errorf("%d ends were announced, want the partial one and the done one", ends)
	}
}

// An account that was not opened for reasons of our own is neither in order nor
// revoked: nothing is known of it.
func TestOwnTroubleSaysNothingOfTheConnection(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{failing: errors.New("KMS is denied")})
	m.tick(t, m.now.Add(6*time.Hour))
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := m.records.Connection(t.Context(), account)
	if err != nil || c.State != model.ConnectionPending {
		t.Errorf("connection is %s (%v), want it pending as before", c.State, err)
	}
	if got := m.states(t); got[0] != model.AuditFailed {
		t.Errorf("audit is %s", got[0])
	}
}

// TestRevokedRole takes the role away before an audit, and in the middle of one.
func TestRevokedRole(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := scheduled(t, w)
	due := m.now.Add(6 * time.Hour)
	m.tick(t, due)
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := &pipeline.RefusedError{Code: model.CodeRoleDenied, Message: "the role is gone", Cause: errors.New("AccessDenied")}
	check := func(when string, state model.AuditState, alerts int) {
		t.Helper()
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		audits, err := m.records.AuditsOf(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		if a := audits[0]; a.State != state || !cmp.Equal(a.Problems, []string{"the role is gone"}) {
			t.Errorf("%s: the audit is %s: %v", when, a.State, a.Problems)
		}
		c, err := m.records.Connection(t.Context(), account)
		if err != nil || c.State != model.ConnectionRevoked || c.Reason != "the role is gone" {
			t.Errorf("%s: the connection is %s, %q (%v)", when, c.State, c.Reason, err)
		}
		if f := m.findings(t, "door-locked"); f["a"].State != model.FindingOpen {
			t.Errorf("%s: the finding is %s", when, f["a"].State)
		}
		broken := 0
		for _, words := range m.alerts.words() {
			if words == "connection broken" {
				broken++
			}
		}
		if broken != alerts {
			t.Errorf("%s: %d alerts that it is broken, want %d", when, broken, alerts)
		}
	}
	w.failing = gone
	m.tick(t, due.Add(24*time.Hour))
	check("before an audit", model.AuditFailed, 1)
	m.tick(t, due.Add(2*24*time.Hour))
	check("still gone", model.AuditFailed, 1)

	w.failing = nil
	m.tick(t, due.Add(3*24*time.Hour))
	opened := false
	err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, msg queue.Message) error {
		if opened {
			w.failing = gone
		}
		opened = true
		return m.RunTask(ctx, msg)
	}}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	if err != nil {
		t.Fatal(err)
	}
	check("in the middle", model.AuditPartial, 1)
}

// counts is a metrics.Recorder.
type counts map[metrics.Name]float64

func (c counts) Add(name metrics.Name, n float64) { c[name] += n }

// An audit that is due and does not begin is counted when it should long have begun, and
// not while it waits for one that may still run, nor because nobody ticked for days.
func TestUnbegunAuditsAreCounted(t *testing.T) {
	t.Parallel()
	counted := func(m *machine, at time.Time, failing bool) float64 {
		m.now = at
		c := counts{}
		m.Meter = c
		if _, err := m.Tick(t.Context()); (err != nil) != failing {
			t.Fatal(err)
		}
		return c[metrics.AuditsOverdue]
	}
	begin := func(m *machine, at, bound time.Time) {
		m.now = at
		r := m.request()
		r.Audit, m.now = idAt(at), at
		audit, err := m.Begin(t.Context(), r)
		if err == nil {
			err = m.records.PutBound(t.Context(), audit, bound)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("it waits for one that never ends", func(t *testing.T) {
		t.Parallel()
		m := scheduled(t, &world{})
		due := m.now.Add(6 * time.Hour)
		begin(m, due.Add(-time.Minute), due.AddDate(1, 0, 0))
		for _, after := range []time.Duration{0, time.Minute, 6 * time.Hour, 6*time.Hour + 20*time.Minute} {
			if got := counted(m, due.Add(after), false); got != 0 {
				t.Errorf("%s after it was due %v are counted", after, got)
			}
		}
		for _, after := range []time.Duration{7 * time.Hour, 48 * time.Hour} {
			if got := counted(m, due.Add(after), false); got != 1 {
				t.Errorf("%s after it was due %v are counted, want 1", after, got)
			}
		}
	})
	t.Run("it cannot begin", func(t *testing.T) {
		t.Parallel()
		m := scheduled(t, &world{})
		due := m.now.Add(6 * time.Hour)
		c, err := m.records.Connection(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		c.Checks = []string{"no-such-check"}
		if err := m.records.PutConnection(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		for after, want := range map[time.Duration]float64{0: 0, 6 * time.Hour: 0, 7 * time.Hour: 1} {
			if got := counted(m, due.Add(after), true); got != want {
				t.Errorf("%s after it was due %v are counted, want %v", after, got, want)
			}
		}
	})
	t.Run("nobody ticked for days, and somebody began another", func(t *testing.T) {
		t.Parallel()
		m := scheduled(t, &world{})
		late := m.now.Add(72 * time.Hour)
		begin(m, late, late.AddDate(1, 0, 0))
		for i := range 3 {
			if got := counted(m, late.Add(time.Duration(i+1)*time.Minute), false); got != 0 {
				t.Errorf("%v are counted", got)
			}
		}
		if got := counted(m, late.Add(7*time.Hour), false); got != 1 {
			t.Errorf("%v are counted of one that never ends, want 1", got)
		}
	})
	t.Run("it begins late", func(t *testing.T) {
		t.Parallel()
		m := scheduled(t, &world{})
		if got := counted(m, m.now.Add(72*time.Hour), false); got != 0 {
			t.Errorf("%v are counted", got)
		}
	})
}
