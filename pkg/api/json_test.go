package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// samples are bodies that operations accept.
var samples = map[string]string{
	"create-organization": `{"id":"acme","name":"Acme"}`,
	"create-connection":   `{"name":"shop","project":"p","regions":["eu-west-1"],"schedule":{"timezone":"UTC"}}`,
	"update-connection":   `{"name":"shop","project":"p","schedule":{"timezone":"UTC"}}`,
	"give-access-key":     `{"access_key_id":"` + keyID + `","secret_access_key":"` + keySecret + `"}`,
	"put-settings":        `{"access_keys_allowed":true}`,
	"start-audit":         `{"connection":"c"}`,
}

// TestBodiesAreReadAsTheyAreWritten: in no body of any route may a name come twice, in
// whatever spelling, or be one that nobody reads; what was validated would not be what
// is kept.
func TestBodiesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{})
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
				w := s.call(strings.ToUpper(method), strings.ReplaceAll(path, "{connection}", string(c.ID)), header{"If-Match": `"v1"`}, body)
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
