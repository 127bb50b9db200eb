package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
)

func denial() *pipeline.RefusedError {
	return &pipeline.RefusedError{Code: model.CodeRoleDenied, Message: "the role is gone", Cause: errors.New("AccessDenied")}
}

// active is a machine whose connection was opened by an audit.
func active(t *testing.T, w *world) (m *machine, due time.Time) {
	t.Helper()
	m = scheduled(t, w)
	due = m.now.Add(6 * time.Hour)
	m.tick(t, due)
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := m.records.Connection(t.Context(), account); err != nil || c.State != model.ConnectionActive {
		t.Fatalf("connection is %s, %v", c.State, err)
	}
	return m, due.Add(24 * time.Hour)
}

// One denial revokes nothing and pages nobody, whichever task meets it.
func TestOneDenialIsTriedAgain(t *testing.T) {
	t.Parallel()
	for which, task := range []string{"connect", "house"} {
		w := &world{doors: map[string]sight{"a": open}}
		m, due := active(t, w)
		before := len(m.alerts.words())
		m.tick(t, due)
		n := 0
		err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, msg queue.Message) error {
			w.failing = nil
			if n == which {
				w.failing = denial()
			}
			n++
			return m.RunTask(ctx, msg)
		}}, memory.Worker{Queue: m.results, Handle: m.Ingest})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.states(t)[0]; got != model.AuditDone || n != 3 {
			t.Errorf("%s denied once: the audit is %s after %d deliveries", task, got, n)
		}
		if c, err := m.records.Connection(t.Context(), account); err != nil || c.State != model.ConnectionActive {
			t.Errorf("%s denied once: the connection is %s, %v", task, c.State, err)
		}
		for id, words := range m.alerts.words() {
			if words == "connection broken" {
				t.Errorf("%s denied once: alert %s", task, id)
			}
		}
		if after := len(m.alerts.words()); after != before+1 {
			t.Errorf("%s denied once: %d alerts, want that the audit ended", task, after-before)
		}
	}
}

// How long who waits before a refusal is believed.
func TestWhenARefusalIsBelieved(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, state model.ConnectionState, verification bool) (*machine, *world, pipeline.Message) {
		w := &world{}
		m := scheduled(t, w)
		c, err := m.records.Connection(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		c.State = state
		if err := m.records.PutConnection(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		begin := m.BeginFor
		if verification {
			begin = m.BeginVerification
		}
		if err := begin(t.Context(), model.Change{}, organization, c, "the-audit"); err != nil {
			t.Fatal(err)
		}
		return m, w, pipeline.Message{Kind: pipeline.KindTask, Version: 1, Organization: organization, Connection: account, Audit: "the-audit", Task: "connect"}
	}
	deliver := func(t *testing.T, m *machine, msg pipeline.Message, attempt int) error {
		body, err := json.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		return m.RunTask(t.Context(), queue.Message{Body: body, Attempt: attempt, Max: 4})
	}
	for name, c := range map[string]struct {
		state        model.ConnectionState
		verification bool
		code         string
		tries        int
	}{
		"a connection that was open":              {model.ConnectionActive, false, model.CodeRoleDenied, 3},
		"one that was not allowed all":            {model.ConnectionDegraded, false, model.CodeMinimumMissing, 3},
		"an access key that was good":             {model.ConnectionActive, false, model.CodeKeyRefused, 3},
		"a new connection":                        {model.ConnectionPending, false, model.CodeRoleDenied, 1},
		"a revoked connection":                    {model.ConnectionRevoked, false, model.CodeRoleDenied, 1},
		"somebody verifies":                       {model.ConnectionActive, true, model.CodeRoleDenied, 1},
		"an open door, for others, too":           {model.ConnectionActive, false, model.CodeMissingExternalID, 1},
		"another account":                         {model.ConnectionActive, false, model.CodeAccountMismatch, 1},
		"access keys, which nobody allows longer": {model.ConnectionActive, false, model.CodeAccessKeysDisabled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, w, msg := start(t, c.state, c.verification)
			w.failing = &pipeline.RefusedError{Code: c.code, Message: "no"}
			for attempt := 1; attempt <= c.tries; attempt++ {
				err := deliver(t, m, msg, attempt)
				if last := attempt == c.tries; last != (err == nil) {
					t.Fatalf("try %d: %v", attempt, err)
				} else if wait := queue.WaitOf(err); !last && wait != 30*time.Second {
					t.Errorf("try %d is repeated after %s", attempt, wait)
				}
			}
			a, err := m.records.Audit(t.Context(), account, "the-audit")
			if err != nil || a.Refused != "no" || a.RefusedCode != c.code {
				t.Errorf("audit is refused %q, %v", a.Refused, err)
			}
		})
	}
	t.Run("a task", func(t *testing.T) {
		t.Parallel()
		m, w, msg := start(t, model.ConnectionPending, false)
		if err := deliver(t, m, msg, 1); err != nil {
			t.Fatal(err)
		}
		w.failing = denial()
		msg.Task = "house"
		for attempt := 1; attempt < 3; attempt++ {
			if err := deliver(t, m, msg, attempt); queue.WaitOf(err) != time.Minute {
				t.Errorf("try %d: %v, again after %s", attempt, err, queue.WaitOf(err))
			}
			if a, err := m.records.Audit(t.Context(), account, "the-audit"); err != nil || a.Refused != "" {
				t.Errorf("try %d is noted: %q, %v", attempt, a.Refused, err)
			}
		}
		if err := deliver(t, m, msg, 3); err != nil {
			t.Error(err)
		}
		if a, err := m.records.Audit(t.Context(), account, "the-audit"); err != nil || a.Refused == "" {
			t.Errorf("not noted: %v", err)
		}
	})
}
