package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// samples are bodies that operations accept.
var samples = map[string]string{
	"invite-administrator":    `{"email":"zoe@example.com"}`,
	"change-address":          `{"email":"zoe@example.com","new_email":"zoe@example.org"}`,
	"recover-person":          `{"email":"zoe@example.com"}`,
	"create-organization":     `{"id":"acme","name":"Acme"}`,
	"create-connection":       `{"name":"shop","project":"p","regions":["eu-west-1"],"schedule":{"timezone":"UTC"}}`,
	"update-connection":       `{"name":"shop","project":"p","schedule":{"timezone":"UTC"}}`,
	"give-access-key":         `{"access_key_id":"` + keyID + `","secret_access_key":"` + keySecret + `"}`,
	"update-own-organization": `{"name":"Acme"}`,
	"put-settings":            `{"access_keys_allowed":true}`,
	"put-sso":                 `{"enabled":true,"issuer":"https://acme.okta.com","client_id":"c","client_secret":"s","domains":["acme.com"],"groups":[{"group":"g","role":"client","projects":["p"]}],"otherwise":{"role":"client"}}`,
	"attest-requirement":      `{"covers":"manual","project":"p","why":"it was looked at","evidence":"https://example.com/1","until":"2027-01-31T00:00:00Z"}`,
	"start-audit":             `{"connection":"c"}`,
	"start-audits":            `{"items":[{"connection":"c"}]}`,
	"verify-connections":      `{"items":[{"connection":"c"}]}`,
	"cancel-audits":           `{"items":[{"connection":"c","audit":"a"}]}`,
	"update-connections":      `{"items":[{"connection":"c","if_match":"\"v1\""}],"project":"p","schedule":{"timezone":"UTC"}}`,
	"delete-connections":      `{"items":[{"connection":"c","if_match":"\"v1\""}]}`,

	"sign-in":                 `{"email":"a@b.cd","password":"x","organization":"acme","browser":true}`,
	"sign-in-second-factor":   `{"challenge":"x","code":"1"}`,
	"sign-in-passkey-options": `{"challenge":"x"}`,
	"sign-in-enrolment":       `{"challenge":"x"}`,
	"sign-in-organization":    `{"challenge":"x","organization":"acme"}`,
	"sign-in-handover":        `{"code":"x","verifier":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}`,
	"hand-over-session":       `{"challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}`,
	"refresh-session":         `{"refresh_token":"x"}`,
	"change-organization":     `{"organization":"acme"}`,
	"update-me":               `{"name":"x"}`,
	"change-password":         `{"current":"x","new":"y"}`,
	"change-email":            `{"password":"x","token":"y"}`,
	"enrol-totp":              `{"password":"x"}`,
	"confirm-totp":            `{"code":"1"}`,
	"remove-totp":             `{"password":"x"}`,
	"renew-backup-codes":      `{"password":"x"}`,
	"passkey-options":         `{"password":"x"}`,
	"register-passkey":        `{"challenge":"x","name":"y","passkey":{}}`,
	"remove-passkey":          `{"password":"x"}`,
	"update-member":           `{"role":"client","projects":["shop"],"suspended":true}`,
	"create-invitation":       `{"email":"a@b.cd","role":"client","projects":["shop"]}`,
	"look-up-invitation":      `{"token":"x"}`,
	"accept-invitation":       `{"token":"x","name":"y","password":"z"}`,
	"look-up-recovery":        `{"token":"x"}`,
	"use-recovery":            `{"token":"x","password":"z"}`,
	"create-project":          `{"name":"shop","description":"x"}`,
	"update-project":          `{"description":"x"}`,
	"create-token":            `{"name":"x","scopes":["read"],"projects":["shop"]}`,
}

// TestBodiesAreReadAsTheyAreWritten: in no body of any route may a name come twice, in
// whatever spelling, or be one that nobody reads; what was validated would not be what
// is kept.
func TestBodiesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	session := s.join("anna@example.com", model.RoleAdmin)
	fill := strings.NewReplacer("{organization}", "default", "{connection}", string(c.ID), "{person}", string(session.Session.Person), "{project}", "shop", "{passkey}", "none", "{framework}", "house-1", "{requirement}", "1.1")
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			RequestBody *struct{}
		}
	}
	if err := json.Unmarshal(s.call(http.MethodGet, "/v1/openapi.json", nil, nil).Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, methods := range document.Paths {
		for method, operation := range methods {
			if operation.RequestBody == nil {
				continue
			}
			sample := samples[operation.OperationID]
			if sample == "" {
				t.Errorf("%s takes a body: give a sample", operation.OperationID)
				continue
			}
			for name, body := range misspelt(t, sample) {
				w := s.call(strings.ToUpper(method), fill.Replace(path), header{"If-Match": `"v1"`, "Authorization": "Bearer " + session.AccessToken}, body)
				if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
					t.Errorf("%s, %s: status %d for %q", operation.OperationID, name, w.Code, body)
				}
				tried++
			}
		}
	}
	if tried < 40 {
		t.Errorf("%d bodies were tried", tried)
	}
}

// TestNull: no name of any body may be null, wherever it stands. What a passkey says is the
// browser's.
func TestNull(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
	session := s.join("anna@example.com", model.RoleAdmin)
	fill := strings.NewReplacer("{organization}", "default", "{connection}", string(c.ID), "{person}", string(session.Session.Person), "{project}", "shop", "{passkey}", "none", "{framework}", "house-1", "{requirement}", "1.1")
	tried := 0
	for _, o := range s.operations() {
		for name := range decoded(t, samples[o.ID]) {
			members := decoded(t, samples[o.ID])
			members[name] = nil
			w := s.call(o.method, fill.Replace(o.path), header{"If-Match": `"v1"`, "Authorization": "Bearer " + session.AccessToken}, members)
			problem(t, o.ID+", "+name, w, http.StatusUnprocessableEntity, "invalid")
			tried++
		}
	}
	if tried < 40 {
		t.Errorf("%d bodies were tried", tried)
	}
	problem(t, "within", s.call(http.MethodPost, "/v1/connections", nil, `{"schedule":{"timezone":null}}`), http.StatusUnprocessableEntity, "invalid")
	problem(t, "all of it", s.call(http.MethodPost, "/v1/connections", nil, `null`), http.StatusUnprocessableEntity, "invalid")
}

func decoded(t *testing.T, body string) map[string]any {
	t.Helper()
	members := map[string]any{}
	if body != "" {
		if err := json.Unmarshal([]byte(body), &members); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

// misspelt is a body in all the ways in which two readers may read two things.
func misspelt(t *testing.T, body string) map[string]string {
	t.Helper()
	bodies := map[string]string{
		"an unknown name":          body[:len(body)-1] + `,"nobody_reads_this":1}`,
		"more after the end":       body + body,
		"a character that is none": strings.Replace(body, `":"`, "\":\"\xff", 1),
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatal(err)
	}
	var add func(path string, members map[string]any)
	add = func(path string, members map[string]any) {
		for name, value := range members {
			if inner, ok := value.(map[string]any); ok {
				add(path+name+".", inner)
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			quoted := fmt.Sprintf("%q:%s", name, text)
			spellings := []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]}
			for _, spelling := range slices.Compact(spellings) {
				bodies[path+name+" and "+spelling] = strings.Replace(body, quoted, quoted+fmt.Sprintf(",%q:%s", spelling, text), 1)
				if spelling != name {
					bodies[path+spelling] = strings.Replace(body, quoted, fmt.Sprintf("%q:%s", spelling, text), 1)
				}
			}
		}
	}
	add("", members)
	maps.DeleteFunc(bodies, func(_, other string) bool { return other == body }) // without a text, there is none to break
	return bodies
}
