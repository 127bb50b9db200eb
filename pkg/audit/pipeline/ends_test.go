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

// TestRefusalIsAFinding: an audit that is refused because of what a check is about looks
// for that and for nothing else, fails as it did, and has no score that would stand for
// the account's.
func TestRefusalIsAFinding(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": shut, "b": shut}}
	m := scheduled(t, w)
	due := m.now.Add(6 * time.Hour)
	day := func(n int) model.Audit {
		t.Helper()
		m.tick(t, due.Add(time.Duration(n)*24*time.Hour))
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := m.records.LatestAudit(t.Context(), account, func(model.Audit) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	failing := func() (ids []string) {
		t.Helper()
		for _, scope := range pipeline.Scopes(m.Catalog) {
			found, err := m.records.Findings(t.Context(), account, scope)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.State.Open() {
					ids = append(ids, string(f.Check))
				}
			}
		}
		slices.Sort(ids)
		return ids
	}
	if a := day(0); a.State != model.AuditDone {
		t.Fatalf("the first audit is %s: %v", a.State, a.Problems)
	}
	before := failing() // nobody guards the doors

	w.doors["a"] = open
	w.unsafe = &pipeline.RefusedError{Code: model.CodeMissingExternalID, Message: "the role lets in others", Check: "door-locked"}
	w.trust = &model.Trust{TriedAt: m.now, Open: "without an External ID"}
	a := day(1)
	if a.State != model.AuditFailed || a.Summary != nil || a.Refused != "the role lets in others" || !slices.Contains(a.Problems, a.Refused) {
		t.Errorf("refused, the audit is %s (%s), %v, %+v", a.State, a.Refused, a.Problems, a.Summary)
	}
	c, err := m.records.Connection(t.Context(), account)
	if err != nil || c.State != model.ConnectionPending || c.Reason != a.Refused {
		t.Errorf("the connection is %s, %q, %v", c.State, c.Reason, err)
	}
	if got, want := failing(), append([]string{"door-locked"}, before...); !slices.Equal(slices.Sorted(slices.Values(want)), got) {
		t.Errorf("open are %v, want %v", got, want)
	}
	if a, err = m.Resume(t.Context(), model.Change{}, organization, a); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err = m.records.Audit(t.Context(), account, a.ID); err != nil || a.State != model.AuditFailed || a.Summary != nil {
		t.Errorf("taken up again it is %s, %v", a.State, err)
	}

	w.doors["a"], w.unsafe, w.trust = shut, nil, &model.Trust{TriedAt: m.now}
	if a := day(2); a.State != model.AuditDone || !slices.Equal(failing(), before) {
		t.Errorf("mended, the audit is %s, and open are %v", a.State, failing())
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
