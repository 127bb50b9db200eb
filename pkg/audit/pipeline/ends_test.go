package pipeline_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestLoosenedTrustIsAnnounced: a role that lets in others now, and did not before, is
// news, once.
func TestLoosenedTrustIsAnnounced(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := scheduled(t, w)
	due := m.now.Add(6 * time.Hour)
	m.tick(t, due)
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.unsafe = &pipeline.RefusedError{Code: model.CodeMissingExternalID, Message: "the role lets in others"}
	for day := range 2 {
		m.tick(t, due.Add(time.Duration(day+1)*24*time.Hour))
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c, err := m.records.Connection(t.Context(), account)
	if err != nil || c.State != model.ConnectionPending || c.Reason != "the role lets in others" {
		t.Errorf("the connection is %s, %q, %v", c.State, c.Reason, err)
	}
	broken := 0
	for _, a := range m.alerts.heard {
		if a.Kind == "connection" {
			broken++
		}
	}
	if broken != 1 {
		t.Errorf("%d alerts that it is broken, want one: %v", broken, m.alerts.words())
	}
}

// TestAnAuditPastItsBoundEndsByItself: when even what finished is not summed up, the
// audit ends as it stands after one more round, is announced, and holds up no other.
func TestAnAuditPastItsBoundEndsByItself(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := scheduled(t, w)
	m.Bound = 8 * time.Hour
	due := m.now.Add(6 * time.Hour)
	m.tick(t, due) // whose tasks nobody does
	latest := func() model.Audit {
		t.Helper()
		audits, err := m.records.AuditsOf(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		return audits[0]
	}
	first := latest()
	m.tick(t, due.Add(8*time.Hour+time.Minute)) // whose results nobody takes in
	if a := latest(); a.State.Ended() || !a.Overdue {
		t.Fatalf("after the bound the audit is %s, overdue %t", a.State, a.Overdue)
	}
	m.tick(t, due.Add(8*time.Hour+20*time.Minute))
	a := latest()
	if a.ID != first.ID || a.State != model.AuditPartial || len(a.Problems) != 1 || !strings.Contains(a.Problems[0], "could not be summed up") {
		t.Fatalf("the audit is %s: %v", a.State, a.Problems)
	}
	if !slices.ContainsFunc(m.alerts.heard, func(a2 alert.Alert) bool { return a2.Kind == "audit" && a2.State == model.AuditPartial }) {
		t.Errorf("alerts %v", m.alerts.words())
	}
	m.tick(t, due.Add(24*time.Hour))
	if next := latest(); next.ID == first.ID {
		t.Error("no other audit begins")
	}
}
