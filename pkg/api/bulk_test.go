package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

type bulk struct {
	Results      []api.BulkResult
	Done, Failed int
}

// TestInBulk: what can be done to one of many is done, whatever cannot be to others; each
// has a result of its own, in order; and a repeated request begins nothing again.
func TestInBulk(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var items []any
	for i := range 5 {
		c := s.connect(nil, map[string]any{"name": fmt.Sprintf("c%d", i)})
		items = append(items, map[string]any{"connection": c.ID})
	}
	pending := decode[api.ConnectionOutput](t, s.call(http.MethodPost, "/v1/connections", nil, map[string]any{"name": "pending"}))
	items = append(items, map[string]any{"connection": pending.ID}, map[string]any{"connection": "none"})
	start := func(path string) bulk {
		t.Helper()
		w := s.call(http.MethodPost, path, header{"Idempotency-Key": "nightly"}, map[string]any{"items": items})
		out := decode[bulk](t, w)
		if w.Code != http.StatusOK || len(out.Results) != 7 || out.Done != 5 || out.Failed != 2 {
			t.Fatalf("%s: status %d, %s", path, w.Code, w.Body)
		}
		return out
	}
	first := start("/v1/bulk/audits")
	for i, r := range first.Results[:5] {
		if r.Status != http.StatusAccepted || r.Audit == "" || r.Connection != fmt.Sprint(items[i].(map[string]any)["connection"]) {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	if p := first.Results[5].Problem; p == nil || p.Code != "connection_pending" || first.Results[6].Status != http.StatusNotFound {
		t.Errorf("%+v", first.Results[5:])
	}
	for i, r := range start("/v1/bulk/audits").Results {
		if r.Audit != first.Results[i].Audit {
			t.Errorf("the same request began another audit of %s", r.Connection)
		}
	}
	other := decode[bulk](t, s.call(http.MethodPost, "/v1/bulk/audits", nil, map[string]any{"items": items[:2]}))
	if other.Failed != 2 || other.Results[0].Problem.Code != "audit_running" {
		t.Errorf("audits of what is audited: %+v", other)
	}
	var running []any
	for _, r := range first.Results[:5] {
		running = append(running, map[string]any{"connection": r.Connection, "audit": r.Audit})
	}
	if out := decode[bulk](t, s.call(http.MethodPost, "/v1/bulk/cancellations", nil, map[string]any{"items": running})); out.Done != 5 {
		t.Errorf("%+v", out)
	}
	s.now = s.now.Add(time.Hour)
	start("/v1/bulk/verifications")
	problem(t, "the same twice", s.call(http.MethodPost, "/v1/bulk/audits", nil, map[string]any{"items": []any{items[0], items[0]}}), http.StatusUnprocessableEntity, "invalid")
	problem(t, "none", s.call(http.MethodPost, "/v1/bulk/audits", nil, map[string]any{"items": []any{}}), http.StatusUnprocessableEntity, "invalid")

	tagged := func(i int) map[string]any {
		id := fmt.Sprint(items[i].(map[string]any)["connection"])
		return map[string]any{"connection": id, "if_match": s.tag("/v1/connections/" + id)["If-Match"]}
	}
	stale := tagged(1)
	stale["if_match"] = `"v99"`
	change := map[string]any{"items": []any{tagged(0), stale, tagged(2)}, "project": "shop"}
	out := decode[bulk](t, s.call(http.MethodPost, "/v1/bulk/connections", nil, change))
	if out.Done != 2 || out.Results[1].Problem == nil || out.Results[1].Problem.Code != "stale" {
		t.Errorf("%+v", out)
	}
	for i, want := range []string{"shop", "", "shop"} {
		c, err := s.store.For("default").Connection(t.Context(), model.ConnectionID(out.Results[i].Connection))
		if err != nil || c.Project != want || c.Name != fmt.Sprintf("c%d", i) || c.RoleARN != role {
			t.Errorf("%+v, %v", c, err)
		}
	}
	change = map[string]any{"items": []any{map[string]any{"connection": out.Results[0].Connection, "if_match": out.Results[0].ETag}}, "project": "bank"}
	if out := decode[bulk](t, s.call(http.MethodPost, "/v1/bulk/connections", nil, change)); out.Done != 1 {
		t.Errorf("with the ETag of the result: %+v", out)
	}
	problem(t, "no change", s.call(http.MethodPost, "/v1/bulk/connections", nil, map[string]any{"items": []any{tagged(0)}}), http.StatusUnprocessableEntity, "invalid")
	out = decode[bulk](t, s.call(http.MethodPost, "/v1/bulk/deletions", nil, map[string]any{"items": []any{tagged(0), tagged(1), stale}[:2]}))
	if out.Done != 2 || s.call(http.MethodGet, "/v1/connections/"+out.Results[0].Connection, nil, nil).Code != http.StatusNotFound {
		t.Errorf("%+v", out)
	}
}
