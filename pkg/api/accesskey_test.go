package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	keyID     = "AKIASENTINELOFTHEID1"
	keySecret = "Sentinel/Of+The/Secret/Access/Key/000001"
)

// allow lets the organization have access keys, or not.
func (s *server) allow(allowed bool) {
	s.t.Helper()
	tag := s.call(http.MethodGet, "/v1/settings", nil, nil).Header().Get("ETag")
	w := s.call(http.MethodPut, "/v1/settings", header{"If-Match": tag}, map[string]any{"access_keys_allowed": allowed})
	if got := decode[model.Settings](s.t, w); w.Code != http.StatusOK || got.AccessKeysAllowed != allowed || w.Header().Get("ETag") == tag {
		s.t.Fatalf("settings: status %d, %s", w.Code, w.Body)
	}
}

func (s *server) tag(path string) header {
	s.t.Helper()
	return header{"If-Match": s.call(http.MethodGet, path, nil, nil).Header().Get("ETag")}
}

// give gives a connection an access key.
func (s *server) give(path string, more map[string]any) *httptest.ResponseRecorder {
	s.t.Helper()
	body := map[string]any{"access_key_id": keyID, "secret_access_key": keySecret}
	for name, value := range more {
		body[name] = value
	}
	return s.call(http.MethodPut, path+"/access-key", s.tag(path), body)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.call(http.MethodGet, "/v1/settings", nil, nil)
	if got := decode[map[string]any](t, w); w.Code != http.StatusOK || got["access_keys_allowed"] != false {
		t.Errorf("settings at first: status %d, %s", w.Code, w.Body)
	}
	body := map[string]any{"access_keys_allowed": true}
	problem(t, "without If-Match", s.call(http.MethodPut, "/v1/settings", nil, body), http.StatusPreconditionRequired, "precondition_required")
	problem(t, "of another state", s.call(http.MethodPut, "/v1/settings", header{"If-Match": `"v7"`}, body), http.StatusPreconditionFailed, "stale")
	problem(t, "nothing said", s.call(http.MethodPut, "/v1/settings", header{"If-Match": `"v0"`}, map[string]any{}), http.StatusUnprocessableEntity, "invalid")
	s.allow(true)
	s.allow(false)
	s.allow(true)
	if other := s.call(http.MethodGet, "/v1/settings", header{in: "other"}, nil); decode[model.Settings](t, other).AccessKeysAllowed {
		t.Error("another organization's settings changed, too")
	}
	if !strings.Contains(s.log.String(), "settings were changed") || !strings.Contains(s.log.String(), "organization=default caller=0") {
		t.Errorf("the log does not say who changed settings: %s", s.log)
	}
}

func TestAccessKey(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(nil, map[string]any{"role_arn": ""})
	path := "/v1/connections/" + string(c.ID)
	problem(t, "while access keys are off", s.give(path, nil), http.StatusForbidden, "access_keys_disabled")
	s.allow(true)
	key := map[string]any{"access_key_id": keyID, "secret_access_key": keySecret}
	problem(t, "without If-Match", s.call(http.MethodPut, path+"/access-key", nil, key), http.StatusPreconditionRequired, "precondition_required")
	problem(t, "of another state", s.call(http.MethodPut, path+"/access-key", header{"If-Match": `"v9"`}, key), http.StatusPreconditionFailed, "stale")

	w := s.give(path, nil)
	got := decode[api.ConnectionOutput](t, w)
	if w.Code != http.StatusOK || got.Kind != model.KindAccessKey || got.AccessKey.Suffix != "EID1" || got.AccountID != "" || got.KeyAge.State != model.KeyFresh {
		t.Fatalf("given: status %d, %s", w.Code, w.Body)
	}
	if opened, err := s.keys.Open(t.Context(), "default", got.Connection); err != nil || opened.ID.Reveal() != keyID || opened.Secret.Reveal() != keySecret {
		t.Errorf("what is sealed opens to another key, %v", err)
	}
	w = s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)})
	audit := decode[api.AuditOutput](t, w)
	if w.Code != http.StatusAccepted {
		t.Errorf("audit: status %d, %s", w.Code, w.Body)
	}
	s.call(http.MethodPost, path+"/audits/"+string(audit.ID)+"/cancel", nil, nil)

	// What is said of the connection besides does not touch the key.
	w = s.call(http.MethodPut, path, s.tag(path), map[string]any{"name": "legacy", "schedule": map[string]any{"expression": "rate(1 day)"}})
	if changed := decode[api.ConnectionOutput](t, w); w.Code != http.StatusOK || changed.Kind != model.KindAccessKey || changed.NextAudit == nil {
		t.Errorf("changed: status %d, %s", w.Code, w.Body)
	}

	s.allow(false)
	for _, what := range []struct {
		path string
		body any
	}{{"/v1/audits", map[string]string{"connection": string(c.ID)}}, {path + "/verify", nil}} {
		problem(t, what.path+" while access keys are off", s.call(http.MethodPost, what.path, nil, what.body), http.StatusForbidden, "access_keys_disabled")
	}
	if kept := decode[api.ConnectionOutput](t, s.call(http.MethodGet, path, nil, nil)); kept.AccessKey == nil {
		t.Error("switching access keys off threw the key away")
	}
	s.allow(true)

	// Another key, of a known account, in its place; and a role in that's.
	first := got.AccessKey.ID
	w = s.give(path, map[string]any{"access_key_id": "AKIASENTINELOFTHEID2", "account_id": "111122223333"})
	second := decode[api.ConnectionOutput](t, w)
	if w.Code != http.StatusOK || second.AccessKey.Suffix != "EID2" || second.AccountID != "111122223333" || second.AccessKey.ID == first {
		t.Errorf("replaced: status %d, %s", w.Code, w.Body)
	}
	problem(t, "of another account", s.give(path, map[string]any{"account_id": "444455556666"}), http.StatusUnprocessableEntity, "account_mismatch")
	w = s.call(http.MethodPut, path, s.tag(path), map[string]any{"role_arn": role, "name": "legacy", "schedule": map[string]any{}})
	if changed := decode[api.ConnectionOutput](t, w); w.Code != http.StatusOK || changed.Kind != model.KindRole || changed.AccessKey != nil {
		t.Errorf("a role in place of the key: status %d, %s", w.Code, w.Body)
	}
	for _, id := range []string{first, second.AccessKey.ID} {
		if _, err := s.store.For("default").AccessKey(t.Context(), c.ID, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("sealed key %s of a connection with a role: %v", id, err)
		}
	}
	if w := s.give(path, nil); w.Code != http.StatusOK || decode[api.ConnectionOutput](t, w).RoleARN != "" {
		t.Errorf("a key in place of the role: status %d, %s", w.Code, w.Body)
	}
}

// A key that can never work is refused in a sentence that does not quote it.
func TestInvalidAccessKeys(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.allow(true)
	c := s.connect(nil, map[string]any{"role_arn": ""})
	path := "/v1/connections/" + string(c.ID)
	for name, body := range map[string]any{
		"temporary":       map[string]any{"access_key_id": "ASIASENTINELOFTHEID1", "secret_access_key": keySecret},
		"swapped":         map[string]any{"access_key_id": keySecret, "secret_access_key": keyID},
		"no secret":       map[string]any{"access_key_id": keyID},
		"no id":           map[string]any{"secret_access_key": keySecret},
		"nothing":         map[string]any{},
		"an endless one":  map[string]any{"access_key_id": keyID, "secret_access_key": strings.Repeat(keySecret, 10)},
		"a list":          map[string]any{"access_key_id": []string{keyID}, "secret_access_key": []string{keySecret}},
		"a session token": map[string]any{"access_key_id": keyID, "secret_access_key": keySecret, "session_token": keySecret},
		"the future":      map[string]any{"access_key_id": keyID, "secret_access_key": keySecret, "created_at": s.now.Add(time.Hour)},
		"no account":      map[string]any{"access_key_id": keyID, "secret_access_key": keySecret, "account_id": "12"},
		"broken":          `{"access_key_id":"` + keyID + `","secret_access_key":"` + keySecret,
		"no JSON":         keyID + " " + keySecret,
	} {
		w := s.call(http.MethodPut, path+"/access-key", s.tag(path), body)
		if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
			continue
		}
		problem(t, name, w, w.Code, "invalid")
		if strings.Contains(w.Body.String(), "SENTINEL") || strings.Contains(w.Body.String(), "Sentinel") {
			t.Errorf("%s: the answer quotes the key: %s", name, w.Body)
		}
	}
	if strings.Contains(s.log.String(), "entinel") || strings.Contains(s.log.String(), "SENTINEL") {
		t.Errorf("the log quotes a key: %s", s.log)
	}
}

// A key that was given is in no answer and in no log, and the schema says so.
func TestAccessKeyIsWriteOnly(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.allow(true)
	c := s.connect(nil, map[string]any{"role_arn": ""})
	path := "/v1/connections/" + string(c.ID)
	said := s.log
	for _, w := range []*httptest.ResponseRecorder{
		s.give(path, nil),
		s.call(http.MethodGet, path, nil, nil),
		s.call(http.MethodGet, "/v1/connections", nil, nil),
		s.call(http.MethodGet, path+"/access-key", nil, nil),
		s.call(http.MethodPut, path, s.tag(path), map[string]any{"name": "x"}),
		s.call(http.MethodPost, rekeyPath, nil, nil),
		s.call(http.MethodPost, path+"/verify", nil, nil),
		s.call(http.MethodGet, path+"/audits", nil, nil),
		s.call(http.MethodDelete, path, s.tag(path), nil),
		s.call(http.MethodGet, "/v1/receipts/"+string(c.ID), nil, nil),
	} {
		said.Write(w.Body.Bytes())
	}
	for _, part := range []string{keyID, keySecret, keyID[:12], keySecret[:12]} {
		if strings.Contains(said.String(), part) {
			t.Errorf("%s was said: %s", part, said)
		}
	}
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					WriteOnly bool `json:"writeOnly"`
				}
			}
		}
	}
	if err := json.Unmarshal(s.call(http.MethodGet, "/v1/openapi.json", nil, nil).Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"access_key_id", "secret_access_key"} {
		if !document.Components.Schemas["AccessKeyInput"].Properties[name].WriteOnly {
			t.Errorf("the schema does not say that %s is write-only", name)
		}
		for schema, x := range document.Components.Schemas {
			if _, there := x.Properties[name]; there && schema != "AccessKeyInput" {
				t.Errorf("%s is in %s, too", name, schema)
			}
		}
	}
}

// Clock forward: warning, then overdue, in both places; a new key begins anew.
func TestAccessKeyAge(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.allow(true)
	c := s.connect(nil, map[string]any{"role_arn": ""})
	plain := s.connect(nil, map[string]any{})
	path := "/v1/connections/" + string(c.ID)
	if w := s.give(path, nil); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	age := func(what string, days int, want model.KeyAgeState) {
		t.Helper()
		one := decode[api.ConnectionOutput](t, s.call(http.MethodGet, path, nil, nil))
		var list struct{ Connections []api.ListedConnection }
		if err := json.Unmarshal(s.call(http.MethodGet, "/v1/connections", nil, nil).Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		for _, l := range list.Connections {
			if l.ID == plain.ID && (l.KeyAge != nil || l.Kind != model.KindRole) {
				t.Errorf("a role is shown as %+v", l)
			}
			if l.ID == c.ID && *l.KeyAge != *one.KeyAge {
				t.Errorf("%s: listed %+v, shown %+v", what, l.KeyAge, one.KeyAge)
			}
		}
		if len(list.Connections) != 2 || *one.KeyAge != (model.KeyAge{Days: days, State: want}) {
			t.Errorf("%s: %+v, want %d days, %s", what, one.KeyAge, days, want)
		}
	}
	given := s.now
	age("given", 0, model.KeyFresh)
	s.now = given.Add(75*24*time.Hour - time.Second)
	age("before the 75th day", 74, model.KeyFresh)
	s.now = given.Add(75 * 24 * time.Hour)
	age("on the 75th day", 75, model.KeyWarning)
	s.now = given.Add(90 * 24 * time.Hour)
	age("on the 90th day", 90, model.KeyOverdue)
	if w := s.give(path, nil); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	age("replaced", 0, model.KeyFresh)
	if w := s.give(path, map[string]any{"created_at": s.now.Add(-80 * 24 * time.Hour)}); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	age("by one that was made before", 80, model.KeyWarning)
}

// TestReindex has lists made anew from what is in the table, whatever they were: by a job that
// says of how many connections.
func TestReindex(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	org, lists := s.store.For("default"), s.lists.For("default")
	ref := model.Ref{ARN: "arn:aws:house:::door/a"}
	for i := range 3 {
		c := s.connect(nil, map[string]any{"name": fmt.Sprint("shop-", i), "role_arn": ""})
		if err := org.EndFindings(t.Context(), c.ID, "house", s.now); err != nil {
			t.Fatal(err)
		}
		f := model.Finding{ID: model.NewFindingID("door-locked", ref), Connection: c.ID, Resource: ref, History: []model.Event{}, State: model.FindingOpen}
		record := store.Scope{Parts: 1, Try: 1}
		if err := errors.Join(org.PutScope(t.Context(), c.ID, "house", &record), lists.Renew(t.Context(), c.ID)); err != nil {
			t.Fatal(err)
		}
		if err := org.PutFinding(t.Context(), "house", 1, f); err != nil { // and said to nobody
			t.Fatal(err)
		}
	}
	listed := func(want int) {
		t.Helper()
		view, err := lists.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if view.Len() != want {
			t.Errorf("%d findings are listed, want %d", view.Len(), want)
		}
	}
	listed(0)
	w := s.call(http.MethodPost, reindexPath, nil, nil)
	job := decode[model.Job](t, w)
	if w.Code != http.StatusAccepted || w.Header().Get("Location") != jobsPath+string(job.ID) || job.Kind != model.JobReindex {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	if err := s.broker.Drain(t.Context(), memory.Worker{Queue: s.jobs, Handle: s.worker.Run}, memory.Worker{Queue: s.results, Handle: s.ingest}); err != nil {
		t.Fatal(err)
	}
	if dead := append(s.jobs.Dead(), s.results.Dead()...); len(dead) > 0 {
		t.Fatal(dead)
	}
	if job = decode[model.Job](t, s.call(http.MethodGet, jobsPath+string(job.ID), nil, nil)); job.Done != 3 || job.EndedAt.IsZero() {
		t.Errorf("the job is %+v", job)
	}
	listed(3)
}

func TestRekey(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.allow(true)
	var all []model.Connection
	for range 5 {
		c := s.connect(nil, map[string]any{"role_arn": ""})
		w := s.give("/v1/connections/"+string(c.ID), nil)
		all = append(all, decode[api.ConnectionOutput](t, w).Connection)
	}
	org := s.store.For("default")
	before, _, err := org.DataKeysPage(t.Context(), "", 100)
	if err != nil || len(before) != len(all)+1 { // and that of the External ID
		t.Fatalf("%d data keys, %v", len(before), err)
	}
	if err := org.PutDataKey(t.Context(), "damaged", []byte("x")); err != nil {
		t.Fatal(err)
	}
	s.join("anna@example.com", model.RoleClient) // by a token that the installation's key signs
	own, _, err := s.store.DataKeysOf(store.InstallationOwner).DataKeysPage(t.Context(), "", 10)
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	w := s.call(http.MethodPost, rekeyPath, header{"Idempotency-Key": "once"}, nil)
	job := decode[model.Job](t, w)
	if w.Code != http.StatusAccepted || w.Header().Get("Location") != jobsPath+string(job.ID) || !job.EndedAt.IsZero() || job.Done > 0 {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	if again := decode[model.Job](t, s.call(http.MethodPost, rekeyPath, header{"Idempotency-Key": "once"}, nil)); again.ID != job.ID {
		t.Errorf("the request repeated made job %s, want %s", again.ID, job.ID)
	}
	if err := s.broker.Drain(t.Context(), memory.Worker{Queue: s.jobs, Handle: s.worker.Run}); err != nil {
		t.Fatal(err)
	}
	if dead := s.jobs.Dead(); len(dead) > 0 {
		t.Fatal(dead)
	}
	job = decode[model.Job](t, s.call(http.MethodGet, jobsPath+string(job.ID), nil, nil))
	for _, k := range own {
		now, err := s.store.DataKeysOf(store.InstallationOwner).DataKey(t.Context(), k.Record)
		if err != nil || string(now.Wrapped) == string(k.Wrapped) {
			t.Errorf("the installation's data key of %s is as it was: %v", k.Record, err)
		}
	}
	if job.Done != len(before)+len(own) || !job.Damaged || job.EndedAt.IsZero() || !strings.Contains(s.log.String(), "data key of damaged") {
		t.Errorf("%+v; log: %s", job, s.log)
	}
	s.call(http.MethodPost, "/operator/v1/organizations", nil, map[string]any{"id": "other"})
	problem(t, "another organization's job", s.call(http.MethodGet, strings.Replace(jobsPath, "default", "other", 1)+string(job.ID), nil, nil), http.StatusNotFound, "not_found")
	for _, k := range before {
		now, err := org.DataKey(t.Context(), k.Record)
		if err != nil || string(now.Wrapped) == string(k.Wrapped) {
			t.Errorf("%s is wrapped as before, %v", k.Record, err)
		}
	}
	for _, c := range all {
		if key, err := s.keys.Open(t.Context(), "default", c); err != nil || key.Secret.Reveal() != keySecret {
			t.Errorf("%s: %v", c.ID, err)
		}
	}
}

// A secret prints as nothing wherever a request's input may be printed.
func TestSecretInput(t *testing.T) {
	t.Parallel()
	var in api.AccessKeyInput
	if err := json.Unmarshal([]byte(`{"access_key_id":"`+keyID+`","secret_access_key":"`+keySecret+`"}`), &in); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(in)
	if err != nil || strings.Contains(string(out), "entinel") || in.SecretAccessKey.Reveal() != keySecret {
		t.Errorf("marshalled %s, %v", out, err)
	}
	if k := (secret.AccessKey{ID: in.AccessKeyID.String, Secret: in.SecretAccessKey.String}); k.Check() != nil {
		t.Error(k.Check())
	}
}
