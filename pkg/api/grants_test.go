package api_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestNothingOfOtherProjects reads everything there is to read as those who may read one
// project: of another one's connections nothing is in an answer, and nothing in a cursor.
func TestNothingOfOtherProjects(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	n := newTenant(t, s, "left")
	const hiddenRole = "arn:aws:iam::444455556666:role/TheirAuditRole"
	var own []string
	for _, name := range []string{"hidden vault", "hidden till"} {
		c := n.makes("/v1/connections", map[string]any{"name": name, "role_arn": hiddenRole, "project": "bank"})
		a := n.makes("/v1/audits", map[string]any{"connection": c["id"]})
		ref := model.Ref{ARN: "arn:aws:house:::door/" + name}
		f := model.Finding{ID: model.NewFindingID("door-locked", ref), Check: "door-locked", Severity: model.High, Connection: model.ConnectionID(c["id"].(string)), Resource: ref, State: model.FindingOpen, History: []model.Event{}}
		s.found("left", "house", f)
		own = append(own, name, c["id"].(string), a["id"].(string), string(f.ID))
	}
	// While an External ID is replaced, whoever sets roles up reads which connections wait.
	w := n.by(http.MethodPost, "/v1/external-id/rotate", header{"If-Match": n.by(http.MethodGet, "/v1/external-id", nil, nil).Header().Get("ETag")}, nil)
	if rotated := decode[api.ExternalIDOutput](t, w); w.Code != http.StatusOK || rotated.Waiting != 4 {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	own = append(own, "444455556666", hiddenRole)
	others := maps.Clone(n.ids)
	others["connection"], others["audit"], others["finding"], others["project"] = own[1], own[2], own[3], "bank"

	tokens := map[string]string{
		"a client":              s.people.session(t, "left", "clara", model.Member{Role: model.RoleClient, Projects: []string{"shop"}}).Reveal(),
		"a token of one":        s.people.limited(t, "left", "tom", model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: []model.Scope{model.ScopeRead, model.ScopeAudit, model.ScopeConnections}, Projects: []string{"shop"}}).Reveal(),
		"a client's token":      s.people.limited(t, "left", "carol", model.Member{Role: model.RoleClient, Projects: []string{"shop"}}, model.APIToken{Scopes: model.RoleAdmin.Scopes()}).Reveal(),
		"a client without any":  s.people.session(t, "left", "nora", model.Member{Role: model.RoleClient}).Reveal(),
		"an administrator's of": s.people.limited(t, "left", "adam", model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: []model.Scope{model.ScopeRead, model.ScopeConnections}, Projects: []string{"shop"}}).Reveal(),
	}
	answered, cursors := 0, 0
	for who, token := range tokens {
		for _, o := range s.operations() {
			if o.method != http.MethodGet || needs[o.ID] == "operator" || needs[o.ID] == "anybody" {
				continue
			}
			for _, ids := range []map[string]string{n.ids, others} {
				path := o.path
				for name, id := range ids {
					path = strings.ReplaceAll(path, "{"+name+"}", id)
				}
				next := path
				for pages := 0; next != "" && pages < 20; pages++ {
					w := s.as(nobody, http.MethodGet, next, header{"Authorization": "Bearer " + token}, nil)
					text := w.Body.String()
					for _, word := range own {
						if strings.Contains(text, word) && !strings.Contains(path, word) {
							t.Errorf("%s, %s: status %d tells %q: %s", who, next, w.Code, word, text)
						}
					}
					if w.Code == http.StatusOK {
						answered++
					}
					if next = ""; slices.ContainsFunc(o.Parameters, func(p parameterOf) bool {
						return p.Name == "cursor"
					}) && w.Code == http.StatusOK {
						cursor, _ := decode[map[string]any](t, w)["cursor"].(string)
						if raw, _ := base64.RawURLEncoding.DecodeString(cursor); cursor != "" {
							cursors++
							for _, word := range own {
								if strings.Contains(string(raw), word) {
									t.Errorf("%s, %s: the cursor tells %q", who, o.ID, word)
								}
							}
							next = path + "?limit=1&cursor=" + url.QueryEscape(cursor)
						} else if pages == 0 {
							next = path + "?limit=1"
						}
					}
				}
			}
		}
	}
	if answered < 50 || cursors < 10 {
		t.Errorf("%d answers and %d cursors were looked at", answered, cursors)
	}
}

// TestCursorsAreBound: a cursor is good for one list, with its filters, and one reader; and
// the same each time.
func TestCursorsAreBound(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	n := newTenant(t, s, "left")
	first := decode[map[string]any](t, n.by(http.MethodGet, "/v1/connections?limit=1", nil, nil))["cursor"].(string)
	if again := decode[map[string]any](t, n.by(http.MethodGet, "/v1/connections?limit=1", nil, nil))["cursor"]; again != first {
		t.Errorf("%v and %v", first, again)
	}
	at := "?cursor=" + url.QueryEscape(first)
	if w := n.by(http.MethodGet, "/v1/connections"+at+"&limit=7", nil, nil); w.Code != http.StatusOK {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
	problem(t, "another list", n.by(http.MethodGet, "/v1/projects"+at, nil, nil), http.StatusUnprocessableEntity, "invalid")
	problem(t, "another list of the same kind", n.by(http.MethodGet, "/v1/connections/"+n.ids["connection"]+"/audits"+at, nil, nil), http.StatusUnprocessableEntity, "invalid")
	bert := s.people.session(t, "left", "bert", model.Member{Role: model.RoleAdmin}).Reveal()
	problem(t, "another reader", s.as(nobody, http.MethodGet, "/v1/connections"+at, header{"Authorization": "Bearer " + bert}, nil), http.StatusUnprocessableEntity, "invalid")
	findings := "/v1/connections/" + n.ids["connection"] + "/findings"
	found := decode[map[string]any](t, n.by(http.MethodGet, findings+"?limit=1", nil, nil))["cursor"].(string)
	problem(t, "other filters", n.by(http.MethodGet, findings+"?folded=true&cursor="+url.QueryEscape(found), nil, nil), http.StatusUnprocessableEntity, "invalid")
}

// TestProjectsInUse are not removed: a grant of the name would be one of the next project.
func TestProjectsInUse(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.call(http.MethodPost, "/v1/projects", nil, map[string]any{"name": "shop"})
	remove := func() (int, string) {
		w := s.call(http.MethodDelete, "/v1/projects/shop", s.tag("/v1/projects/shop"), nil)
		return w.Code, w.Body.String()
	}
	refused := func(says string) {
		t.Helper()
		if code, text := remove(); code != http.StatusConflict || !strings.Contains(text, `"project_in_use"`) || !strings.Contains(text, says) {
			t.Errorf("%d, %s, want %s", code, text, says)
		}
	}
	c := s.connect(nil, map[string]any{"name": "web", "project": "shop"})
	refused("1 connections")
	s.call(http.MethodDelete, "/v1/connections/"+string(c.ID), s.tag("/v1/connections/"+string(c.ID)), nil)
	link := decode[api.Link](t, s.call(http.MethodPost, "/v1/invitations", nil, map[string]any{"email": "new@example.com", "role": "client", "projects": []string{"shop"}}))
	refused("1 invitations")
	s.call(http.MethodDelete, "/v1/invitations/"+link.ID, nil, nil)
	in := s.join("anna@example.com", model.RoleClient, "shop")
	refused("1 members")
	member := "/v1/members/" + string(in.Session.Person)
	s.call(http.MethodPatch, member, s.tag(member), map[string]any{"projects": []string{}})
	if code, text := remove(); code != http.StatusNoContent {
		t.Errorf("%d, %s", code, text)
	}
}
