package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
)

// heard is a bus that keeps what it is told.
type heard struct {
	mu     sync.Mutex
	away   error
	events []bus.Event
}

func (h *heard) Publish(_ context.Context, events ...bus.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := errors.Join(bus.Check(events...), h.away); err != nil {
		return err
	}
	h.events = append(h.events, events...)
	return nil
}

// news are the types of what was told since the last call.
func (h *heard) news() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	types := []string{}
	for _, e := range h.events {
		types = append(types, e.Type)
	}
	h.events = nil
	return types
}

// TestEventsOfRequests: whatever a request changes is told, and nothing that is secret.
func TestEventsOfRequests(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	done := map[string]bool{}
	secrets := []string{}
	// does makes a request, and holds what was told to what should be.
	does := func(operation, path string, h header, body any, want ...string) []byte {
		t.Helper()
		method, _, _ := strings.Cut(operation, " ")
		w := s.call(method, path, h, body)
		if w.Code >= 300 {
			t.Fatalf("%s %s: status %d, %s", method, path, w.Code, w.Body)
		}
		s.events.mu.Lock()
		for _, e := range s.events.events {
			for _, secret := range secrets {
				if strings.Contains(string(e.Detail), secret) {
					t.Errorf("%s tells a secret: %s", e.Type, e.Detail)
				}
			}
		}
		s.events.mu.Unlock()
		if d := cmp.Diff(want, s.events.news()); d != "" {
			t.Errorf("events of %s (-want +got):\n%s", operation, d)
		}
		done[operation] = true
		return w.Body.Bytes()
	}
	var c api.ConnectionOutput
	create := map[string]any{"role_arn": role, "name": "shop"}
	if err := json.Unmarshal(does("POST /v1/connections", "/v1/connections", header{"Idempotency-Key": "k"}, create, "connection created"), &c); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, c.ExternalID)
	path := "/v1/connections/" + string(c.ID)
	does("PUT /v1/connections/{connection}", path, s.tag(path), map[string]any{"role_arn": role, "name": "shop 2"}, "connection updated")
	var audit struct{ ID model.AuditID }
	begun := does("POST /v1/audits", "/v1/audits", nil, map[string]any{"connection": c.ID}, "audit started")
	if err := json.Unmarshal(begun, &audit); err != nil {
		t.Fatal(err)
	}
	of := path + "/audits/" + string(audit.ID)
	does("POST /v1/connections/{connection}/audits/{audit}/cancel", of+"/cancel", nil, nil, "audit cancelled")
	does("POST /v1/connections/{connection}/audits/{audit}/retry", of+"/retry", nil, nil, "audit resumed")
	does("POST /v1/connections/{connection}/audits/{audit}/cancel", of+"/cancel", nil, nil, "audit cancelled")
	s.now = s.now.Add(time.Hour)
	if err := json.Unmarshal(does("POST /v1/connections/{connection}/verify", path+"/verify", nil, nil, "audit started"), &audit); err != nil {
		t.Fatal(err)
	}
	does("PUT /v1/settings", "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true}, "settings changed")
	key := map[string]any{"access_key_id": "AKIA" + strings.Repeat("X", 16), "secret_access_key": strings.Repeat("s", 40)}
	secrets = append(secrets, strings.Repeat("s", 40), "AKIA")
	does("PUT /v1/connections/{connection}/access-key", path+"/access-key", s.tag(path), key, "access_key given")
	does("POST /operator/v1/organizations/{organization}/rekey", rekeyPath, nil, nil, "job started")
	does("POST /operator/v1/organizations/{organization}/reindex", reindexPath, nil, nil, "job started")
	var rotated api.ExternalIDOutput
	if err := json.Unmarshal(does("POST /v1/external-id/rotate", "/v1/external-id/rotate", s.tag("/v1/external-id"), nil, "external_id rotated"), &rotated); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, rotated.ExternalID)
	does("POST /v1/external-id/retire", "/v1/external-id/retire", nil, nil, "external_id retired")
	does("POST /v1/external-id/retire", "/v1/external-id/retire", nil, nil, []string{}...)
	does("POST /v1/connections/{connection}/audits/{audit}/cancel", path+"/audits/"+string(audit.ID)+"/cancel", nil, nil, "audit cancelled")
	item := map[string]any{"connection": c.ID}
	items := map[string]any{"items": []any{item}}
	var out struct{ Results []api.BulkResult }
	if err := json.Unmarshal(does("POST /v1/bulk/audits", "/v1/bulk/audits", nil, items, "audit started"), &out); err != nil {
		t.Fatal(err)
	}
	item["audit"] = out.Results[0].Audit
	does("POST /v1/bulk/cancellations", "/v1/bulk/cancellations", nil, items, "audit cancelled")
	delete(item, "audit")
	s.now = s.now.Add(time.Hour)
	does("POST /v1/bulk/verifications", "/v1/bulk/verifications", nil, items, "audit started")
	item["if_match"], items["project"] = s.tag(path)["If-Match"], "p"
	does("POST /v1/bulk/connections", "/v1/bulk/connections", nil, items, "connection updated")
	item["if_match"] = s.tag(path)["If-Match"]
	delete(items, "project")
	does("POST /v1/bulk/deletions", "/v1/bulk/deletions", nil, items, "connection deleted", "audit cancelled")
	if err := json.Unmarshal(does("POST /v1/connections", "/v1/connections", nil, create, "connection created"), &c); err != nil {
		t.Fatal(err)
	}
	path = "/v1/connections/" + string(c.ID)
	does("DELETE /v1/connections/{connection}", path, s.tag(path), nil, "connection deleted")

	// Who may come in, what the organization is called, and what people attest, is told by the
	// admin log alone: a bus has other readers.
	untold := []string{"operators", "people", "sign-in", "session", "me", "members", "invitations", "projects", "tokens", "organization", "compliance"}
	var document struct {
		Paths map[string]map[string]struct{ Tags []string }
	}
	if err := json.Unmarshal(s.call(http.MethodGet, "/v1/openapi.json", nil, nil).Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method, o := range methods {
			operation := strings.ToUpper(method) + " " + path
			if slices.ContainsFunc(o.Tags, func(tag string) bool { return slices.Contains(untold, tag) }) {
				continue
			}
			if slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, strings.ToUpper(method)) && !done[operation] {
				t.Errorf("%s changes something, and nobody looks here whether that is told", operation)
			}
		}
	}
}

// A bus that is away is no reason to say that what was asked for is not done.
func TestABusThatIsAway(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.events.away = errors.New("the bus is away")
	s.connect(nil, map[string]any{"name": "shop"})
	if w := s.call(http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true}); w.Code != http.StatusOK {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	if !strings.Contains(s.log.String(), "an event was not published") {
		t.Errorf("the log does not say it: %s", s.log)
	}
}
