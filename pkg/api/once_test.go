package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// again are operations that take no Idempotency-Key, since to send them again changes
// nothing, or is a step that has a name of its own.
var again = map[string]string{
	"sign-in": "begins a challenge", "sign-in-second-factor": "a challenge is good once", "sign-in-passkey-options": "asks", "sign-in-enrolment": "shows what may be used", "sign-in-organization": "a challenge is good once",
	"hand-over-session": "a code is good for a minute, and its session is made by who has the verifier", "sign-in-handover": "a code is good once",
	"refresh-session": "a refresh token is good once", "change-organization": "takes the place of the session",
	"look-up-invitation": "asks", "accept-invitation": "a link is good once", "look-up-recovery": "asks", "use-recovery": "a link is good once",
	"change-password": "the password is that one", "change-email": "a link is good once", "change-address": "nobody has the former one", "enrol-totp": "the next takes its place", "confirm-totp": "a code is good once", "remove-totp": "it is gone",
	"renew-backup-codes": "the next take their place", "passkey-options": "asks", "register-passkey": "a challenge is good once", "remove-passkey": "it is gone",
	"cancel-audit": "it is cancelled", "cancel-audits": "they are cancelled", "update-connections": "they are as it says", "delete-connections": "they are gone", "suspend-organization": "it is suspended", "retire-external-id": "they are retired",
	"approve-attestation": "it is approved", "withdraw-attestation": "it is withdrawn",
}

// TestWhatIsMadeOnce holds every operation that makes or begins something to an
// Idempotency-Key.
func TestWhatIsMadeOnce(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, o := range newServer(t).operations() {
		if o.method != http.MethodPost {
			continue
		}
		key := false
		for _, p := range o.Parameters {
			key = key || p.Name == "Idempotency-Key"
		}
		if _, not := again[o.ID]; key == not {
			t.Errorf("%s takes an Idempotency-Key: %v; if it needs none, say why in this test", o.ID, key)
		}
		if key {
			seen++
		}
	}
	if seen < 10 {
		t.Errorf("%d operations take one", seen)
	}
}

// TestRepeatedRequests sends what makes something again: it makes nothing twice.
func TestRepeatedRequests(t *testing.T) {
	t.Parallel()
	key := header{"Idempotency-Key": "k"}
	for name, o := range map[string]struct {
		path   string
		body   map[string]any
		list   string // of what there is
		secret string // its part of the answer that is shown once
	}{
		"connection":          {path: "/v1/connections", body: map[string]any{"name": "shop"}, list: "/v1/connections"},
		"project":             {path: "/v1/projects", body: map[string]any{"name": "shop"}, list: "/v1/projects"},
		"organization":        {path: "/operator/v1/organizations", body: map[string]any{"id": "acme"}, list: "/operator/v1/organizations"},
		"invitation":          {path: "/v1/invitations", body: map[string]any{"email": "anna@example.com", "role": "client"}, list: "/v1/invitations", secret: "token"},
		"first administrator": {path: "/operator/v1/organizations/default/invitations", body: map[string]any{"email": "anna@example.com"}, list: "/v1/invitations", secret: "token"},
		"API token":           {path: "/v1/tokens", body: map[string]any{"name": "nightly", "scopes": []string{"read"}}, list: "/v1/tokens", secret: "token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			call := func(method, path string, h header, body any) (int, string, http.Header) {
				who := caller{person: "operator"}
				h2 := header{}
				for k, v := range h {
					h2[k] = v
				}
				if strings.HasPrefix(path, "/v1/tokens") {
					h2["Authorization"] = "Bearer " + s.people.session(t, "default", "anna", model.Member{Role: model.RoleAdmin}).Reveal()
				}
				w := s.as(who, method, path, h2, body)
				return w.Code, w.Body.String(), w.Header()
			}
			status, first, _ := call(http.MethodPost, o.path, key, o.body)
			if status != http.StatusCreated {
				t.Fatalf("%d, %s", status, first)
			}
			_, was, _ := call(http.MethodGet, o.list, nil, nil)
			s.now = s.now.Add(time.Minute)
			status, second, h := call(http.MethodPost, o.path, key, o.body)
			if o.secret == "" && (status != http.StatusCreated || second != first) {
				t.Errorf("again: %d, %s, want %s", status, second, first)
			}
			if o.secret != "" {
				var p struct{ Code string }
				_ = json.Unmarshal([]byte(second), &p)
				if status != http.StatusConflict || p.Code != "already_made" || h.Get("Location") == "" {
					t.Errorf("again: %d, %s, at %q", status, second, h.Get("Location"))
				}
			}
			if _, is, _ := call(http.MethodGet, o.list, nil, nil); is != was {
				t.Errorf("there was %s, and is, after another request with the key, %s", was, is)
			}
			other := map[string]any{}
			for k, v := range o.body {
				other[k] = v
			}
			for _, k := range []string{"name", "email"} {
				if _, ok := other[k]; ok {
					other[k] = "other@example.com"
				}
			}
			if o.list == "/v1/projects" {
				other["name"] = "other"
			}
			if _, ok := other["id"]; ok {
				other["name"] = "Another name"
			}
			status, text, _ := call(http.MethodPost, o.path, key, other)
			if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"idempotency_key_reused"`) {
				t.Errorf("another request with the key: %d, %s", status, text)
			}
			// Without the key it is another request, and told apart from the first.
			if o.list == "/v1/projects" || o.list == "/operator/v1/organizations" {
				if status, text, _ := call(http.MethodPost, o.path, header{"Idempotency-Key": "other"}, o.body); status != http.StatusConflict || !strings.Contains(text, "_exists") {
					t.Errorf("by another key: %d, %s", status, text)
				}
			}
		})
	}
}

// TestRequestsInFlight sends a request while the same one is worked on, and after who worked
// on it died.
func TestRequestsInFlight(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	body := map[string]any{"name": "shop"}
	post := func() (int, string) {
		w := s.call(http.MethodPost, "/v1/connections", header{"Idempotency-Key": "k"}, body)
		return w.Code, w.Body.String()
	}
	tried := false
	s.table.meanwhile = func() { // the first is about to write its connection
		code, text := post()
		tried = true
		if code != http.StatusConflict || !strings.Contains(text, `"request_in_flight"`) {
			t.Errorf("in flight: %d, %s", code, text)
		}
	}
	code, first := post()
	if code != http.StatusCreated || !tried {
		t.Fatalf("%d, %s; in flight: %v", code, first, tried)
	}
	if code, text := post(); code != http.StatusCreated || text != first {
		t.Errorf("afterwards: %d, %s, want %s", code, text, first)
	}
	// Somebody died, and the next one goes on when that one's time is over.
	attempt, err := s.store.For("default").Once(t.Context(), "audit", "dead", "", "id", s.now, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Duration{0, 29 * time.Second, 31 * time.Second} {
		a, err := s.store.For("default").Once(t.Context(), "audit", "dead", "", "other", s.now.Add(at), 30*time.Second)
		if alive := at < 30*time.Second; (err != nil) != alive || err == nil && a.Value != "id" {
			t.Errorf("after %s: %q, %v", at, a.Value, err)
		}
	}
	// Who died was slow instead: it ends nothing that another one works on.
	if err := s.store.For("default").Done(t.Context(), attempt); err != nil {
		t.Error(err)
	}
	if _, err := s.store.For("default").Once(t.Context(), "audit", "dead", "", "other", s.now.Add(32*time.Second), time.Second); err == nil {
		t.Error("two work on the same")
	}
}

// TestRetriedOnce resumes an audit by two requests with one key.
func TestRetriedOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"name": "shop", "role_arn": role})
	a := decode[api.AuditOutput](t, s.call(http.MethodPost, "/v1/audits", nil, map[string]any{"connection": c.ID}))
	at := "/v1/connections/" + string(c.ID) + "/audits/" + string(a.ID)
	s.call(http.MethodPost, at+"/cancel", nil, nil)
	for range 2 {
		w := s.call(http.MethodPost, at+"/retry", header{"Idempotency-Key": "k"}, nil)
		if got := decode[api.AuditOutput](t, w); w.Code != http.StatusAccepted || got.Retries != 1 {
			t.Errorf("%d, %s", w.Code, w.Body)
		}
	}
	problem(t, "by another key", s.call(http.MethodPost, at+"/retry", header{"Idempotency-Key": "other"}, nil), http.StatusConflict, "nothing_to_retry")
}
