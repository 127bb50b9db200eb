package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// A connection of which nobody knew the account is of the one that its first audit
// opens, and stays so.
func TestAccountIsLearnt(t *testing.T) {
	t.Parallel()
	const other = "444455556666"
	for name, c := range map[string]struct {
		known, claimed string // of the audit; of the connection, meanwhile
		refused        bool
		account        string // of the connection, in the end
	}{
		"unknown":                              {"", "", false, account},
		"known":                                {account, account, false, account},
		"learnt by one who died":               {"", account, false, account},
		"learnt meanwhile, and another":        {"", other, true, other},
		"known, and the credentials another's": {other, other, true, other},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
			r := m.request()
			r.Connection = model.Connection{ID: "c", AccountID: c.known, AccessKey: &model.AccessKey{ID: "k"}}
			kept := r.Connection
			kept.AccountID = c.claimed
			if err := m.records.PutConnection(t.Context(), &kept); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Begin(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if err := m.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			audit, err := m.records.Audit(t.Context(), "c", r.Audit)
			if err != nil {
				t.Fatal(err)
			}
			now, err := m.records.Connection(t.Context(), "c")
			if err != nil || now.AccountID != c.account || now.AccessKey == nil {
				t.Errorf("connection %+v, %v; want it of account %s", now, err, c.account)
			}
			if c.refused {
				if audit.State != model.AuditFailed || !strings.Contains(audit.Refused, "account_mismatch") || !strings.Contains(audit.Refused, other) {
					t.Errorf("audit is %s: %q, want account_mismatch", audit.State, audit.Refused)
				}
				return
			}
			if audit.State != model.AuditDone || audit.AccountID != account {
				t.Errorf("audit is %s of account %q: %v", audit.State, audit.AccountID, audit.Problems)
			}
			all, err := m.records.Findings(t.Context(), "c", "house")
			if err != nil || len(all) != 1 || all[0].Resource.Account != account {
				t.Errorf("findings %+v, %v; want one, of account %s", all, err, account)
			}
		})
	}
}

// TestMarkers: a repeated connect leaves no marker of a task that is done, and what a
// cancelled audit leaves is forgotten with its tasks.
func TestMarkers(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	m.KeepDetail = 30 * 24 * time.Hour
	markers := func(id model.AuditID) (all []table.Item) {
		page, err := m.table.Query(t.Context(), table.Query{PK: "O#acme#OPEN#" + string(id), Limit: table.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		return page.Items
	}
	begin := func() pipeline.Request {
		r := m.request()
		c := r.Connection
		if err := m.records.PutConnection(t.Context(), &c); err != nil && !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
		if _, err := m.Begin(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := begin()
	// One who began, or connected, at the same time and is slower writes the tasks again.
	if _, err := m.Begin(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil || !a.State.Ended() {
		t.Fatalf("audit is %s, %v", a.State, err)
	}
	if again := markers(r.Audit); len(again) > 0 {
		t.Errorf("the audit is %s, and waits for %v", a.State, again)
	}
	r = m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context(), model.Change{}, organization, account, r.Audit, model.AuditCancelled, "enough"); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := markers(r.Audit); len(left) != 1 || left[0].Expires.IsZero() {
		t.Errorf("the cancelled audit leaves %+v", left)
	}
}
