package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestARefusedRefreshTokenStaysGood: who is refused for a reason that passes is refused
// before the token is replaced, and is let in by the same one when it has passed.
func TestARefusedRefreshTokenStaysGood(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.now = s.now.Truncate(time.Hour).Add(time.Hour + time.Second) // a limit begins anew
	in := s.join("anna@example.com", model.RoleAdmin)
	token := in.RefreshToken
	refresh := func() *httptest.ResponseRecorder {
		t.Helper()
		w := s.post("/v1/session/refresh", nil, map[string]any{"refresh_token": token})
		if w.Code == http.StatusOK {
			token = decode[api.SignIn](t, w).RefreshToken
		}
		return w
	}
	suspension := "/operator/v1/organizations/default/suspension"
	s.call(http.MethodPost, suspension, nil, nil)
	problem(t, "while the organization is suspended", refresh(), http.StatusForbidden, "organization_suspended")
	s.call(http.MethodDelete, suspension, nil, nil)
	for range 59 { // the one that was refused is not counted: nobody got so far
		if w := refresh(); w.Code != http.StatusOK {
			t.Fatalf("status %d, %s", w.Code, w.Body)
		}
	}
	for refresh().Code == http.StatusOK {
	}
	problem(t, "too often", refresh(), http.StatusTooManyRequests, people.LimitedCode)
	s.now = s.now.Add(time.Hour)
	if w := refresh(); w.Code != http.StatusOK {
		t.Fatalf("an hour later: status %d, %s", w.Code, w.Body)
	}
	if w := s.call(http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": false, "second_factor_required": true}); w.Code != http.StatusOK {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	problem(t, "without a second factor, where one is required since", refresh(), http.StatusUnauthorized, "factor_required")
}
