package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestReadersSetNothingUp: who may only read learns nothing by which roles are set up: no
// External ID, and no link that has it.
func TestReadersSetNothingUp(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop", "project": "shop"})
	path := "/v1/connections/" + string(c.ID)
	client := s.people.session(t, "default", "carl", model.Member{Role: model.RoleClient, Projects: []string{"shop"}}).Reveal()
	reads := s.people.limited(t, "default", "reader", model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: []model.Scope{model.ScopeRead, model.ScopeAudit}}).Reveal()
	for _, token := range []string{client, reads} {
		for _, o := range s.operations() {
			if o.method != http.MethodGet || strings.Contains(o.path, "{") && !strings.Contains(o.path, "{connection}") || strings.Contains(o.path, "{audit}") {
				continue
			}
			w := s.as(nobody, o.method, strings.ReplaceAll(o.path, "{connection}", string(c.ID)), bearer(token), nil)
			if strings.Contains(w.Body.String(), c.ExternalID) {
				t.Errorf("%s tells the External ID: %s", o.ID, w.Body)
			}
		}
		w := s.as(nobody, http.MethodGet, path, bearer(token), nil)
		if got := decode[api.ConnectionOutput](t, w); w.Code != http.StatusOK || got.ID != c.ID || got.CheckerRole != "" || got.Links != nil {
			t.Errorf("%d, %s", w.Code, w.Body)
		}
	}
	if len(c.ExternalID) < 32 || c.Links == nil {
		t.Errorf("who sets roles up is told %+v", c)
	}
}
