package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestOptions: options are set for the organization, a project and a connection; the nearest
// that says something counts, what no check has or allows is refused, and an audit says what
// it was run with.
func TestOptions(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	option := func(v any) map[string]any { return map[string]any{"door-locked": map[string]any{"locks": v}} }
	set := func(method, path string, body map[string]any) *api.ConnectionOutput {
		t.Helper()
		h := header{}
		if method != http.MethodPost {
			h = s.tag(path)
		}
		w := s.call(method, path, h, body)
		if w.Code >= 300 {
			t.Fatalf("%s %s: status %d, %s", method, path, w.Code, w.Body)
		}
		c := decode[api.ConnectionOutput](t, w)
		return &c
	}
	begun := func(c model.ConnectionID, want int) {
		t.Helper()
		s.now = s.now.Add(time.Minute)
		w := s.call(http.MethodPost, "/v1/audits", nil, map[string]any{"connection": c})
		a, err := s.store.For("default").LatestAudit(t.Context(), c, func(model.Audit) bool { return true })
		if got := a.Options["door-locked"]["locks"]; err != nil || got.Number != want {
			t.Errorf("status %d: it wants %d locks, want %d (%v)", w.Code, got.Number, want, err)
		}
		s.call(http.MethodPost, "/v1/connections/"+string(c)+"/audits/"+string(a.ID)+"/cancel", nil, nil)
	}
	alone := s.connect(nil, map[string]any{"name": "alone"})
	begun(alone.ID, 1)
	set(http.MethodPut, "/v1/settings", map[string]any{"access_keys_allowed": false, "options": option(2)})
	begun(alone.ID, 2)
	set(http.MethodPost, "/v1/projects", map[string]any{"name": "shop", "options": option(3)})
	of := s.connect(nil, map[string]any{"name": "of-a-project", "project": "shop"})
	begun(of.ID, 3)
	own := s.connect(nil, map[string]any{"name": "its-own", "project": "shop", "options": option(4)})
	begun(own.ID, 4)
	set(http.MethodPatch, "/v1/projects/shop", map[string]any{"description": "x", "options": option(5)})
	begun(of.ID, 5)
	set(http.MethodPatch, "/v1/projects/shop", map[string]any{"description": "y"})
	begun(of.ID, 5)
	for what, options := range map[string]any{
		"no such check": map[string]any{"door-closed": map[string]any{"locks": 2}}, "no such option": map[string]any{"door-locked": map[string]any{"lock": 2}},
		"too many": option(10), "too few": option(0), "words": option([]string{"2"}), "half a lock": option(1.5), "a text": option("2"), "nothing": option(nil),
	} {
		for path, body := range map[string]map[string]any{
			"/v1/connections": {"name": "x", "role_arn": role}, "/v1/projects": {"name": "x"}, "/v1/settings": {"access_keys_allowed": false},
		} {
			method, h := http.MethodPost, header{}
			if path == "/v1/settings" {
				method, h = http.MethodPut, s.tag(path)
			}
			body["options"] = options
			problem(t, what+" for "+path, s.call(method, path, h, body), http.StatusUnprocessableEntity, "invalid")
		}
	}
}
