package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// tenant is an organization with all that there can be of one. Two of them look the same,
// but for ids and what is drawn at random.
type tenant struct {
	s       *server
	org     model.OrganizationID
	ids     map[string]string // of a path's parameters
	own     []string          // what stands in no answer to another
	cursors map[string]string // of lists, by operation
}

// by makes a request as the tenant's administrator.
func (n *tenant) by(method, path string, h header, body any) *httptest.ResponseRecorder {
	n.s.t.Helper()
	all := header{in: string(n.org), "Authorization": "Bearer " + n.s.people.session(n.s.t, n.org, "anna", model.Member{Role: model.RoleAdmin}).Reveal()}
	for name, value := range h {
		all[name] = value
	}
	return n.s.as(caller{person: "anna"}, method, path, all, body)
}

func (n *tenant) makes(path string, body any) map[string]any {
	n.s.t.Helper()
	w := n.by(http.MethodPost, path, nil, body)
	if w.Code >= 300 {
		n.s.t.Fatalf("%s: POST %s: status %d, %s", n.org, path, w.Code, w.Body)
	}
	out := map[string]any{}
	if w.Body.Len() > 0 {
		out = decode[map[string]any](n.s.t, w)
	}
	return out
}

func newTenant(t *testing.T, s *server, org model.OrganizationID) *tenant {
	t.Helper()
	n := &tenant{s: s, org: org, cursors: map[string]string{}}
	text := func(m map[string]any, name string) string {
		t.Helper()
		found, _ := m[name].(string)
		if found == "" {
			t.Fatalf("no %s in %v", name, m)
		}
		return found
	}
	for _, name := range []string{"shop", "bank"} {
		n.makes("/v1/projects", map[string]any{"name": name})
	}
	n.makes("/v1/connections", map[string]any{"name": "first", "role_arn": role, "project": "shop"})
	c := n.makes("/v1/connections", map[string]any{"name": "second", "role_arn": role, "project": "shop"})
	a := n.makes("/v1/audits", map[string]any{"connection": c["id"]})
	n.makes("/v1/connections/"+text(c, "id")+"/audits/"+text(a, "id")+"/cancel", nil)
	later := n.makes("/v1/audits", map[string]any{"connection": c["id"]})
	for _, arn := range []string{"arn:aws:house:::door/a", "arn:aws:house:::door/b"} {
		ref := model.Ref{ARN: arn}
		f := model.Finding{ID: model.NewFindingID("door-locked", ref), Check: "door-locked", Severity: model.High, Connection: model.ConnectionID(text(c, "id")), Resource: ref, State: model.FindingOpen, History: []model.Event{}}
		s.found(org, "house", f)
		n.ids = map[string]string{"finding": string(f.ID)}
	}
	i := n.makes("/v1/invitations", map[string]any{"email": "new@example.com", "role": "client", "projects": []string{"shop"}})
	n.makes("/v1/invitations", map[string]any{"email": "newer@example.com", "role": "client"})
	token := n.makes("/v1/tokens", map[string]any{"name": "nightly", "scopes": []string{"read"}})
	n.makes("/v1/tokens", map[string]any{"name": "weekly", "scopes": []string{"read"}})
	s.people.session(t, org, "carl", model.Member{Role: model.RoleClient, Projects: []string{"shop"}})
	carl, err := s.store.People().ByEmail(t.Context(), "carl@"+string(org)+".example")
	if err != nil {
		t.Fatal(err)
	}
	until := s.now.AddDate(0, 1, 0)
	said := n.makes("/v1/compliance/house-1/requirements/2.1/attestations", map[string]any{"why": "the roof was looked at", "until": until})
	n.makes("/v1/compliance/house-1/requirements/1.2/attestations", map[string]any{"why": "all is painted", "until": until, "connection": c["id"], "covers": "manual"})
	external := decode[map[string]any](t, n.by(http.MethodGet, "/v1/external-id", nil, nil))
	made, _ := token["api_token"].(map[string]any)
	session := decode[struct {
		Session model.Session `json:"session"`
	}](t, n.by(http.MethodGet, "/v1/session", nil, nil))
	for name, id := range map[string]string{
		"connection": text(c, "id"), "audit": text(a, "id"), "invitation": text(i, "id"), "token": text(made, "id"), "person": string(carl.ID), "session": string(session.Session.ID),
		"attestation": text(said, "id"),
	} {
		n.ids[name] = id
		n.own = append(n.own, id)
	}
	n.ids["project"], n.ids["passkey"], n.ids["framework"], n.ids["requirement"] = "bank", "none", "house-1", "1.2"
	n.own = append(n.own, text(external, "external_id"), text(i, "token"), text(token, "token"), text(later, "id"), carl.Email)
	return n
}

func (n *tenant) path(o operation, of *tenant) string {
	path := o.path
	for name, id := range of.ids {
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	return path
}

// state is all that the tenant reads of itself.
func (n *tenant) state(t *testing.T, operations []operation) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range operations {
		if o.method != http.MethodGet || needs[o.ID] == "operator" || needs[o.ID] == "anybody" || o.ID == "list-my-sessions" || strings.Contains(o.path, "sso") {
			continue
		}
		w := n.by(o.method, n.path(o, n), nil, nil)
		if w.Code >= 500 {
			t.Errorf("%s: %d, %s", o.ID, w.Code, w.Body)
		}
		body := map[string]any{}
		_ = json.Unmarshal(w.Body.Bytes(), &body)
		delete(body, "session")    // whoever asks
		delete(body, "request_id") // of this request
		delete(body, "links")
		said, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		all[o.ID] = string(said)
		if cursor, ok := decode[map[string]any](t, n.by(o.method, n.path(o, n)+"?limit=1", nil, nil))["cursor"].(string); ok && cursor != "" {
			n.cursors[o.ID] = cursor
		}
	}
	return all
}

// TestNothingCrosses walks all routes of an organization with the ids, and all its lists
// with the cursors, of another that looks the same: nothing of the other's is in an answer,
// and nothing of the other's changes.
func TestNothingCrosses(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	left, right := newTenant(t, s, "left"), newTenant(t, s, "right")
	operations := s.operations()
	tried, cursors := 0, 0
	for _, pair := range [][2]*tenant{{left, right}, {right, left}} {
		one, other := pair[0], pair[1]
		before := other.state(t, operations)
		look := func(what string, w *httptest.ResponseRecorder) {
			t.Helper()
			tried++
			for _, word := range other.own {
				if strings.Contains(w.Body.String(), word) || strings.Contains(w.Header().Get("Location"), word) {
					t.Errorf("%s tells %s of %s: status %d, %s", what, one.org, other.org, w.Code, w.Body)
				}
			}
			if w.Code >= 500 {
				t.Errorf("%s: status %d, %s", what, w.Code, w.Body)
			}
		}
		for _, o := range operations {
			if needs[o.ID] == "operator" || needs[o.ID] == "anybody" {
				continue
			}
			foreign := one.path(o, other)
			if foreign == one.path(o, one) {
				if o.method == http.MethodGet {
					look(o.ID, one.by(o.method, foreign, nil, nil))
				}
				continue
			}
			w := one.by(o.method, foreign, header{"If-Match": `"v1"`}, samples[o.ID])
			look(o.ID+" with another's ids", w)
			if ok := w.Code == http.StatusNotFound || w.Code == http.StatusUnprocessableEntity; !ok && (w.Code >= 300 || !strings.Contains(o.path, "{finding}")) && (o.ID != "end-my-session" || w.Code != http.StatusNoContent) {
				t.Errorf("%s with another's ids: status %d, %s", o.ID, w.Code, w.Body)
			}
			if strings.Contains(o.path, "{audit}") { // one's own connection, another's audit
				mixed := strings.NewReplacer("{connection}", one.ids["connection"], "{audit}", other.ids["audit"]).Replace(o.path)
				if w := one.by(o.method, mixed, nil, nil); w.Code != http.StatusNotFound {
					t.Errorf("%s of another's audit: status %d, %s", o.ID, w.Code, w.Body)
				}
			}
		}
		w := one.by(http.MethodPost, "/v1/audits", nil, map[string]any{"connection": other.ids["connection"]})
		look("start-audit of another's connection", w)
		problem(t, "an audit of another's connection", w, http.StatusNotFound, "not_found")
		for _, o := range operations {
			cursor, ok := other.cursors[o.ID]
			if !ok {
				continue
			}
			cursors++
			for _, path := range []string{one.path(o, one), one.path(o, other)} {
				w := one.by(o.method, path+"?limit=100&cursor="+url.QueryEscape(cursor), nil, nil)
				look(o.ID+" with another's cursor", w)
			}
		}
		for id, was := range before {
			if is := other.state(t, operations)[id]; is != was {
				t.Errorf("%s of %s was\n%s\nand is, after what %s did,\n%s", id, other.org, was, one.org, is)
			}
		}
	}
	if tried < 100 || cursors < 8 {
		t.Errorf("%d requests and %d cursors were tried", tried, cursors)
	}
}
