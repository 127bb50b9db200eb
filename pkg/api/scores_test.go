package api_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// summed is an audit that ended with so many failures of the one check, and what it could not
// assess.
func (s *server) summed(t *testing.T, c api.ConnectionOutput, failed int) {
	t.Helper()
	s.counted(t, c, model.Counts{Pass: 1, Fail: failed, NotAssessed: 2})
}

// counted is an audit that ended with these verdicts of the one check.
func (s *server) counted(t *testing.T, c api.ConnectionOutput, counts model.Counts) {
	t.Helper()
	org := s.store.For("default")
	a := model.Audit{
		ID: model.AuditID(newULID()), Connection: c.ID, AccountID: c.AccountID, State: model.AuditDone, StartedAt: s.now.UTC(), EndedAt: s.now.UTC(),
		Summary: &model.Summary{Tally: model.Tally{"door-locked": counts}, Gaps: []model.GapCount{{Reason: "denied", Action: "house:GetLock", Checks: []model.CheckID{"door-locked"}, Count: 2}}},
	}
	if err := org.PutAudit(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	if err := org.EndFindings(t.Context(), c.ID, "audit", s.now); err != nil {
		t.Fatal(err)
	}
}

// TestScoresAreOfWhatOneSees: sums and lists are over the accounts of a caller's projects,
// and an account that was never audited is none of 100.
func TestScoresAreOfWhatOneSees(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	shop := s.connect(nil, map[string]any{"name": "shop", "project": "shop"})
	bank := s.connect(nil, map[string]any{"name": "bank", "project": "bank"})
	s.connect(nil, map[string]any{"name": "new", "project": "shop"})
	s.summed(t, shop, 0)
	s.summed(t, bank, 1)
	client := header{"Authorization": "Bearer " + s.people.session(t, "default", "emil", model.Member{Role: model.RoleClient, Projects: []string{"shop"}}).Reveal()}
	mine := func(path string) map[string]any {
		t.Helper()
		return decode[map[string]any](t, s.call(http.MethodGet, path, client, nil))
	}
	all := func(path string) map[string]any {
		t.Helper()
		return decode[map[string]any](t, s.call(http.MethodGet, path, nil, nil))
	}
	for _, one := range []struct {
		who                 string
		is                  map[string]any
		score               any
		accounts, unaudited float64
	}{
		{"an administrator", all("/v1/score"), 33.3, 2, 1},
		{"an administrator, of a project", all("/v1/score?project=bank"), 25.0, 1, 0},
		{"a client", mine("/v1/score"), 100.0, 1, 1},
		{"a client, of its project", mine("/v1/score?project=shop"), 100.0, 1, 1},
	} {
		if one.is["score"] != one.score || one.is["accounts"] != one.accounts || one.is["not_audited"] != one.unaudited {
			t.Errorf("%s: %v", one.who, one.is)
		}
	}
	lines, _ := mine("/v1/scores?sort=-score")["accounts"].([]any)
	if len(lines) != 2 {
		t.Fatalf("a client sees %v", lines)
	}
	first, _ := lines[0].(map[string]any)
	second, _ := lines[1].(map[string]any)
	if first["account_name"] != "shop" || first["score"] != 100.0 || second["account_name"] != "new" || second["score"] != nil || second["audited"] != false {
		t.Errorf("lines %v", lines)
	}
	coverage := mine("/v1/coverage")
	if coverage["assessed"] != 1.0 || coverage["applicable"] != 3.0 || coverage["not_audited"] != 1.0 {
		t.Errorf("coverage %v", coverage)
	}
	problem(t, "/v1/score?project=bank", s.call(http.MethodGet, "/v1/score?project=bank", client, nil), http.StatusNotFound, "not_found")
	problem(t, "/v1/scores?sort=scores", s.call(http.MethodGet, "/v1/scores?sort=scores", nil, nil), http.StatusUnprocessableEntity, "invalid")
	problem(t, "/v1/trend", s.call(http.MethodGet, "/v1/trend", client, nil), http.StatusUnprocessableEntity, "invalid")
	problem(t, "/v1/trend?project=bank", s.call(http.MethodGet, "/v1/trend?project=bank", client, nil), http.StatusNotFound, "not_found")
	problem(t, "/v1/trend?connection="+string(bank.ID), s.call(http.MethodGet, "/v1/trend?connection="+string(bank.ID), client, nil), http.StatusNotFound, "not_found")
	for _, wrong := range []string{"project=shop&connection=" + string(shop.ID), "project=shop&step=audit", "from=yesterday", "from=2026-05-02&to=2026-05-01", "step=week"} {
		problem(t, "/v1/trend?"+wrong, s.call(http.MethodGet, "/v1/trend?"+wrong, nil, nil), http.StatusUnprocessableEntity, "invalid")
	}
}

// TestNewestAudits: what only verified a connection is no newest audit of it.
func TestNewestAudits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop"})
	s.connect(nil, map[string]any{"name": "new"})
	s.summed(t, c, 1)
	org := s.store.For("default")
	first, err := org.LatestAudit(t.Context(), c.ID, func(model.Audit) bool { return true })
	if err == nil {
		err = org.PutAudit(t.Context(), &model.Audit{ID: model.AuditID(newULID()), Connection: c.ID, State: model.AuditDone, StartedAt: s.now, Verification: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Audits []shape.Audit }
	if err := json.Unmarshal(s.call(http.MethodGet, "/v1/audits", nil, nil).Body.Bytes(), &page); err != nil || len(page.Audits) != 1 || page.Audits[0].ID != first.ID {
		t.Errorf("%+v (%v), want %s", page.Audits, err, first.ID)
	}
}

// TestCompareBackwards: an audit is compared with an earlier one alone.
func TestCompareBackwards(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop"})
	s.summed(t, c, 1)
	s.summed(t, c, 0)
	audits, _, err := s.store.For("default").AuditsPage(t.Context(), c.ID, "", 10)
	if err != nil || len(audits) != 2 {
		t.Fatal(audits, err)
	}
	newer, older := string(audits[0].ID), string(audits[1].ID)
	path := "/v1/connections/" + string(c.ID) + "/audits/"
	if w := s.call(http.MethodGet, path+newer+"/diff?since="+older, nil, nil); w.Code != http.StatusOK {
		t.Errorf("forwards: status %d, %s", w.Code, w.Body)
	}
	for of, since := range map[string]string{older: newer, newer: newer} {
		problem(t, "backwards", s.call(http.MethodGet, path+of+"/diff?since="+since, nil, nil), http.StatusUnprocessableEntity, "invalid")
	}
}

// TestTrend: a series has the same points in one page and in many, of a connection as of its
// project.
func TestTrend(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop", "project": "shop"})
	for n := range 3 {
		s.summed(t, c, n)
		s.now = s.now.Add(48 * time.Hour)
	}
	for _, of := range []string{"connection=" + string(c.ID) + "&step=audit", "connection=" + string(c.ID), "project=shop", "x"} {
		query := "/v1/trend?"
		if of != "x" {
			query += of + "&"
		}
		whole, _ := decode[map[string]any](t, s.call(http.MethodGet, query+"limit=500", nil, nil))["points"].([]any)
		pages, cursor := 0, ""
		for {
			page := decode[map[string]any](t, s.call(http.MethodGet, query+"limit=1&cursor="+cursor, nil, nil))
			points, _ := page["points"].([]any)
			pages += len(points)
			if cursor, _ = page["cursor"].(string); cursor == "" {
				break
			}
		}
		if len(whole) == 0 || pages != len(whole) {
			t.Errorf("%s: %d points in one page, %d in many", of, len(whole), pages)
		}
	}
}
