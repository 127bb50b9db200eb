package pipeline_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
)

// told is a bus that keeps what it is told. A moody one takes nothing at the first try.
type told struct {
	moody bool

	mu    sync.Mutex
	tried map[string]bool
	types map[string]string // by the events' ids
}

func (b *told) Publish(_ context.Context, events ...bus.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := bus.Check(events...); err != nil {
		return err
	}
	for _, e := range events {
		if b.moody && !b.tried[e.ID] {
			b.tried[e.ID] = true
			return errors.New("throttled")
		}
		b.types[e.ID] = e.Type
	}
	return nil
}

// all are the types of what was told, each event once.
func (b *told) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Values(b.types))
}

// again does something until it is done.
func again(t *testing.T, do func() error) {
	t.Helper()
	var err error
	for range 10 {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// TestEventsOfALife: a bus is told all that happens to a connection, from its first audit
// to its purge; and the same if it takes nothing at the first try.
func TestEventsOfALife(t *testing.T) {
	t.Parallel()
	life := func(t *testing.T, moody bool) []string {
		w := &world{doors: map[string]sight{"a": shut, "b": shut}}
		m := newMachine(t, t.TempDir(), w, memory.Options{MaxReceives: 20})
		heard := &told{moody: moody, tried: map[string]bool{}, types: map[string]string{}}
		m.Events, m.Purges = heard, m.tasks
		c := model.Connection{ID: account, AccountID: account, CreatedAt: m.now, State: model.ConnectionPending}
		if err := m.records.PutConnection(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		run := func() model.Audit {
			r := m.request()
			r.CallerARN = "arn:aws:sts::" + account + ":assumed-role/CloudArqAuditRole/x"
			again(t, func() error { _, err := m.Plan(t.Context(), r); return err })
			again(t, func() error { return m.drain(t.Context()) })
			a, err := m.records.Audit(t.Context(), account, r.Audit)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		run()
		w.doors["a"] = open
		run()
		r := m.request()
		again(t, func() error { _, err := m.Plan(t.Context(), r); return err })
		again(t, func() error {
			return m.Stop(t.Context(), model.Change{}, organization, account, r.Audit, model.AuditCancelled, "enough")
		})
		stopped, err := m.records.Audit(t.Context(), account, r.Audit)
		if err != nil {
			t.Fatal(err)
		}
		// Resuming twice would be two; who asks for it is the API, whose bus is lenient.
		if _, err := m.Resume(t.Context(), model.Change{}, organization, stopped); err != nil && !moody {
			t.Fatal(err)
		}
		again(t, func() error { return m.drain(t.Context()) })
		again(t, func() error {
			c, err := m.records.AnyConnection(t.Context(), account)
			if err == nil {
				_, err = m.Delete(t.Context(), model.Change{}, organization, c)
			}
			return err
		})
		m.now = m.now.Add(time.Hour)
		again(t, func() error { return m.Purge(t.Context(), organization, account) })
		return heard.all()
	}
	want := []string{
		"audit cancelled", "audit finished", "audit finished", "audit finished", "audit resumed", "audit started", "audit started", "audit started",
		"connection deleted", "connection purged", "connection state", "finding new",
	}
	if d := cmp.Diff(want, life(t, false)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	moody := life(t, true)
	want = slices.DeleteFunc(want, func(s string) bool { return s == "audit resumed" })
	moody = slices.DeleteFunc(moody, func(s string) bool { return s == "audit resumed" })
	if d := cmp.Diff(want, moody); d != "" {
		t.Errorf("events of a bus that takes nothing at first (-want +got):\n%s", d)
	}
}

// Whoever ends what nobody could sum up tells a bus of it, and needs no right to note that.
func TestAnEndWithoutASumIsTold(t *testing.T) {
	t.Parallel()
	m := scheduled(t, &world{doors: map[string]sight{"a": open}})
	heard := &told{types: map[string]string{}}
	m.Events, m.Alerts = heard, nil
	due := m.now.Add(6 * time.Hour)
	m.tick(t, due)
	for _, after := range []time.Duration{m.Bound, m.Bound + time.Hour} { // and no result comes
		if got := m.tick(t, due.Add(after)); got.Expired != 1 {
			t.Fatalf("%+v, want an audit that is over", got)
		}
	}
	if d := cmp.Diff([]string{"audit finished", "audit started"}, heard.all()); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	if record, err := m.records.Scope(t.Context(), account, "end-"+string(latest(t, m).ID)); err != nil || !record.IsNew() {
		t.Errorf("a record %+v (%v) was written of what was told", record, err)
	}
}

func latest(t *testing.T, m *machine) model.Audit {
	t.Helper()
	a, err := m.records.LatestAudit(t.Context(), account, func(model.Audit) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestABeginningIsToldLate: whoever begins an audit dies before that is told, and whoever asks
// for it again comes when it has ended: the bus hears all the same that it began, once.
func TestABeginningIsToldLate(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": shut}}, memory.Options{MaxReceives: 20})
	heard := &told{moody: true, tried: map[string]bool{}, types: map[string]string{}}
	m.Events = heard
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err == nil {
		t.Fatal("the bus took what it was told")
	}
	again(t, func() error { return m.drain(t.Context()) })
	for range 2 {
		audit, err := m.Plan(t.Context(), r)
		if err != nil || !audit.State.Ended() {
			t.Fatalf("%s, %v", audit.State, err)
		}
		audit.Retries++ // it was taken up again meanwhile
		if err := m.records.PutAudit(t.Context(), &audit); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"audit finished", "audit started"}, heard.all()); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}
