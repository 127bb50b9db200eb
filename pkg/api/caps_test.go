package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestMostConnections: an organization has as many connections as the deployment allows.
// One that is deleted makes room; one that is made again by a repeated request needs none,
// and another organization has its own.
func TestMostConnections(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	old := s.connect(nil, map[string]any{"name": "from before"})
	s.caps(api.Caps{Connections: 3})
	for _, key := range []string{"a", "b"} {
		s.connect(header{"Idempotency-Key": key}, map[string]any{"name": key})
	}
	full := func(what string) {
		t.Helper()
		problem(t, what, s.call(http.MethodPost, "/v1/connections", nil, map[string]any{"role_arn": role}), http.StatusConflict, "too_many_connections")
	}
	full("a fourth")
	s.connect(header{"Idempotency-Key": "a"}, map[string]any{"name": "a"})
	s.connect(header{in: "other"}, map[string]any{"name": "theirs"})
	path := "/v1/connections/" + string(old.ID)
	if w := s.call(http.MethodDelete, path, s.tag(path), nil); w.Code != http.StatusAccepted {
		t.Fatalf("delete: status %d, %s", w.Code, w.Body)
	}
	s.connect(nil, map[string]any{"name": "in its place"})
	full("another one")
}

// TestMostOrganizations: operators make no more than the deployment allows, and none twice.
// What is kept of one that is older than the directory becomes its.
func TestMostOrganizations(t *testing.T) {
	t.Parallel()
	s := newServer(t) // with one
	s.caps(api.Caps{Organizations: 3})
	if _, err := s.ids.ExternalID(t.Context(), "older"); err != nil {
		t.Fatal(err)
	}
	create := func(id string) *httptest.ResponseRecorder {
		return s.call(http.MethodPost, "/operator/v1/organizations", nil, map[string]any{"id": id, "name": "A company"})
	}
	for _, id := range []string{"acme", "older"} {
		if w := create(id); w.Code != http.StatusCreated || w.Header().Get("Location") != "/operator/v1/organizations/"+id {
			t.Errorf("%s: status %d, %s", id, w.Code, w.Body)
		}
	}
	problem(t, "a second of that id", create("acme"), http.StatusConflict, "organization_exists")
	problem(t, "a fourth", create("fourth"), http.StatusConflict, "too_many_organizations")
	problem(t, "what is no id", create("../acme"), http.StatusUnprocessableEntity, "invalid")
	w := s.call(http.MethodGet, "/operator/v1/organizations?limit=2", nil, nil)
	if list := decode[struct {
		Organizations []model.Organization
		Cursor        string
	}](t, w); len(list.Organizations) != 2 || list.Organizations[0].ID != "acme" || list.Cursor == "" {
		t.Errorf("organizations: status %d, %s", w.Code, w.Body)
	}
}

// TestTooOften: what is due more often than each quarter of an hour is refused, however it
// is said; what was so before the deployment had that bound stays.
func TestTooOften(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	with := func(expression string) map[string]any {
		return map[string]any{"role_arn": role, "schedule": map[string]any{"expression": expression}}
	}
	for _, expression := range []string{"rate(14 minutes)", "rate(1 minute)", "cron(* * * * ? *)", "cron(0,14 * * * ? *)", "cron(0,50 * * * ? *)", "cron(0,50 1,2 * * ? *)", "cron(0,59 0,23 1,15,16 * ? *)", "cron(0/10 3 ? 2 MON *)"} {
		problem(t, expression, s.call(http.MethodPost, "/v1/connections", nil, with(expression)), http.StatusUnprocessableEntity, "schedule_too_often")
	}
	for _, expression := range []string{"rate(15 minutes)", "rate(1 hour)", "cron(0/15 * * * ? *)", "cron(0,50 1,3 * * ? *)", "cron(0,59 0,23 1,15,17 * ? *)", "cron(0 3 ? * MON *)", "once", "at(2100-01-01T00:00:00)"} {
		if w := s.call(http.MethodPost, "/v1/connections", nil, with(expression)); w.Code != http.StatusCreated {
			t.Errorf("%s: status %d, %s", expression, w.Code, w.Body)
		}
	}
	s.caps(api.Caps{ScheduleEvery: time.Minute})
	c := s.connect(nil, with("rate(1 minute)"))
	s.caps(api.Caps{})
	path := "/v1/connections/" + string(c.ID)
	renamed := with("rate(1 minute)")
	renamed["name"] = "renamed"
	if w := s.call(http.MethodPut, path, s.tag(path), renamed); w.Code != http.StatusOK {
		t.Errorf("what was so before: status %d, %s", w.Code, w.Body)
	}
	other := with("rate(2 minutes)")
	other["name"] = "renamed"
	problem(t, "another one", s.call(http.MethodPut, path, s.tag(path), other), http.StatusUnprocessableEntity, "schedule_too_often")
}
