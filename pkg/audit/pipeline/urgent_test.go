package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
)

// What somebody asked for goes its own way, from the first task to the last, and
// nothing that the clock began does.
func TestUrgentAuditsHaveAQueueOfTheirOwn(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{doors: map[string]sight{"a": open}})
	urgent := m.broker.Queue("urgent")
	m.Urgent = urgent
	// one drains the queues, and says how many messages went each way.
	one := func(want model.AuditState) (ordinary, hurried int) {
		t.Helper()
		counted := func(n *int) queue.Handler {
			return func(ctx context.Context, msg queue.Message) error {
				*n++
				return m.RunTask(ctx, msg)
			}
		}
		err := m.broker.Walk(t.Context(),
			memory.Worker{Queue: m.tasks, Handle: counted(&ordinary)}, memory.Worker{Queue: urgent, Handle: counted(&hurried)},
			memory.Worker{Queue: m.results, Handle: m.Ingest})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.states(t)[0]; got != want {
			t.Fatalf("the audit is %s, want %s", got, want)
		}
		return ordinary, hurried
	}
	expect := func(what string, ordinary, hurried, wantOrdinary, wantHurried int) {
		t.Helper()
		if ordinary != wantOrdinary || hurried != wantHurried {
			t.Errorf("%s: %d tasks in the ordinary queue and %d in the urgent one, want %d and %d", what, ordinary, hurried, wantOrdinary, wantHurried)
		}
	}
	c, err := m.records.Connection(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	at := m.now

	if err := m.BeginVerification(t.Context(), model.Change{}, organization, c, "01-verification"); err != nil {
		t.Fatal(err)
	}
	a, b := one(model.AuditDone)
	expect("verification", a, b, 0, 1)

	m.tick(t, at.Add(6*time.Hour))
	a, b = one(model.AuditDone)
	expect("by the clock", a, b, 2, 0)

	m.now = at.Add(7 * time.Hour)
	if err := m.BeginFor(t.Context(), model.Change{}, organization, c, "0Z-on-demand"); err != nil {
		t.Fatal(err)
	}
	a, b = one(model.AuditDone)
	expect("on demand", a, b, 0, 2)

	// A scheduled one that somebody takes up again.
	m.tick(t, at.Add(30*time.Hour))
	audits, err := m.records.AuditsOf(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	var clocked model.Audit
	for _, audit := range audits {
		if !audit.State.Ended() {
			clocked = audit
		}
	}
	if clocked.Urgent {
		t.Error("the clock began an urgent audit")
	}
	if err := m.Stop(t.Context(), model.Change{}, organization, account, clocked.ID, model.AuditCancelled, "enough"); err != nil {
		t.Fatal(err)
	}
	if clocked, err = m.records.Audit(t.Context(), account, clocked.ID); err != nil {
		t.Fatal(err)
	}
	if resumed, err := m.Resume(t.Context(), model.Change{}, organization, clocked); err != nil || !resumed.Urgent || urgent.Len() != 1 {
		t.Errorf("taken up again: urgent %t, %d messages, %v", resumed.Urgent, urgent.Len(), err)
	}
}

func TestOrganizationOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"kind":"task","v":1,"org":"acme","connection":"c","audit":"a","task":"t"}`:   "acme",
		`{"kind":"purge","v":1,"org":"acme","connection":"c","audit":"a","task":"t"}`:  "acme",
		`{"kind":"task","v":9,"org":"globex","connection":"c","audit":"a","task":"t"}`: "globex",
		`{"kind":"task"}`: "",
		`gibberish`:       "",
	} {
		if got := pipeline.OrganizationOf([]byte(body)); got != want {
			t.Errorf("%s is of %q, want %q", body, got, want)
		}
	}
}
