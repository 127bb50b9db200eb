package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
)

var anna = caller{person: "anna", address: "192.0.2.7"}

type adminLog struct {
	Entries []model.AdminEntry
	Cursor  string
}

// mutates reports whether a method changes something.
func mutates(method string) bool {
	return slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, strings.ToUpper(method))
}

// operation is one of the OpenAPI document.
type parameterOf struct {
	Name, In string
	Required bool
	Filter   bool `json:"x-filter"` // a word of a filter
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []parameterOf
	Body       *struct {
		Content map[string]any
	} `json:"requestBody"`

	method, path string
}

// operations are all that the OpenAPI document names.
func (s *server) operations() (all []operation) {
	s.t.Helper()
	document := decode[struct {
		Paths map[string]map[string]operation
	}](s.t, s.call(http.MethodGet, "/v1/openapi.json", nil, nil))
	for path, methods := range document.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), path
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// TestAdminLogOfRequests: each operation that changes something writes one entry when it
// does, and none when it fails or there is nothing to change; and no secret is in any.
func TestAdminLogOfRequests(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	logged := map[string]bool{}
	var secrets []string
	seq := int64(0)
	last := func() model.AdminEntry {
		t.Helper()
		list := decode[adminLog](t, s.call(http.MethodGet, "/v1/admin-log?limit=1", nil, nil))
		if len(list.Entries) == 0 {
			return model.AdminEntry{}
		}
		return list.Entries[0]
	}
	quiet := func(what, method, path string, h header, body any) {
		t.Helper()
		w := s.as(anna, method, path, h, body)
		if e := last(); e.Seq != seq {
			t.Errorf("%s (status %d) is logged: %+v", what, w.Code, e)
		}
	}
	does := func(action, object, method, path string, h header, body any) []byte {
		t.Helper()
		w := s.as(anna, method, path, h, body)
		if w.Code >= 300 {
			t.Fatalf("%s: status %d, %s", action, w.Code, w.Body)
		}
		seq++
		e := last()
		kind, name := model.ActorToken, anna.person
		if needs[action] == "lets in" {
			kind, name = model.ActorPerson, anna.person+"@default.example"
		}
		if e.Seq != seq || e.Action != action || e.Object != object || e.Actor.Kind != kind || e.Actor.ID == "" || e.Actor.Name != name || e.Address != anna.address || !e.At.Equal(s.now) {
			t.Errorf("%s is logged as %+v, want entry %d of %s", action, e, seq, object)
		}
		logged[action] = true
		return w.Body.Bytes()
	}
	into := func(text []byte, v any) {
		t.Helper()
		if err := json.Unmarshal(text, v); err != nil {
			t.Fatal(err)
		}
	}

	create := map[string]any{"role_arn": role, "name": "shop"}
	quiet("a connection that is refused", http.MethodPost, "/v1/connections", nil, map[string]any{"role_arn": "x"})
	w := s.as(anna, http.MethodPost, "/v1/connections", header{"Idempotency-Key": "k"}, create)
	var c api.ConnectionOutput
	into(w.Body.Bytes(), &c)
	seq = 1
	if e := last(); e.Action != "create-connection" || e.Object != "connection/"+string(c.ID) || e.Before != nil || e.Seq != 1 {
		t.Errorf("the first connection is logged as %+v", e)
	}
	logged["create-connection"] = true
	quiet("a repeated request", http.MethodPost, "/v1/connections", header{"Idempotency-Key": "k"}, create)
	secrets = append(secrets, c.ExternalID)

	path, object := "/v1/connections/"+string(c.ID), "connection/"+string(c.ID)
	does("update-connection", object, http.MethodPut, path, s.tag(path), map[string]any{"role_arn": role, "name": "shop 2"})
	if e := last(); !strings.Contains(string(e.Before), `"shop"`) || !strings.Contains(string(e.After), `"shop 2"`) {
		t.Errorf("before %s, after %s", e.Before, e.After)
	}
	quiet("the same again", http.MethodPut, path, s.tag(path), map[string]any{"role_arn": role, "name": "shop 2"})
	quiet("a change of what it was not", http.MethodPut, path, header{"If-Match": `"v99"`}, create)

	var audit struct{ ID model.AuditID }
	quiet("an audit of nothing", http.MethodPost, "/v1/audits", nil, map[string]any{"connection": "none"})
	w = s.as(anna, http.MethodPost, "/v1/audits", header{"Idempotency-Key": "a"}, map[string]any{"connection": c.ID})
	into(w.Body.Bytes(), &audit)
	seq++
	of := object + "/audit/" + string(audit.ID)
	if e := last(); e.Action != "start-audit" || e.Object != of || e.Seq != seq {
		t.Errorf("the audit is logged as %+v", e)
	}
	logged["start-audit"] = true
	quiet("a repeated request", http.MethodPost, "/v1/audits", header{"Idempotency-Key": "a"}, map[string]any{"connection": c.ID})
	quiet("another audit", http.MethodPost, "/v1/audits", nil, map[string]any{"connection": c.ID})
	at := path + "/audits/" + string(audit.ID)
	quiet("a retry of what runs", http.MethodPost, at+"/retry", nil, nil)
	does("cancel-audit", of, http.MethodPost, at+"/cancel", nil, nil)
	quiet("what is cancelled already", http.MethodPost, at+"/cancel", nil, nil)
	does("retry-audit", of, http.MethodPost, at+"/retry", nil, nil)
	does("cancel-audit", of, http.MethodPost, at+"/cancel", nil, nil)
	s.now = s.now.Add(time.Hour)
	w = s.as(anna, http.MethodPost, path+"/verify", nil, nil)
	into(w.Body.Bytes(), &audit)
	seq++
	if e := last(); e.Action != "verify-connection" || e.Object != object+"/audit/"+string(audit.ID) || e.Seq != seq {
		t.Errorf("the verification is logged as %+v", e)
	}
	logged["verify-connection"] = true

	key := map[string]any{"access_key_id": "AKIA" + strings.Repeat("X", 16), "secret_access_key": strings.Repeat("s", 40)}
	secrets = append(secrets, strings.Repeat("s", 40), "AKIA")
	quiet("a key that is not allowed", http.MethodPut, path+"/access-key", s.tag(path), key)
	does("put-settings", "settings", http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true})
	quiet("the same settings", http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true})
	does("update-own-organization", "organization", http.MethodPatch, "/v1/organization", s.tag("/v1/organization"), map[string]any{"name": "Acme"})
	quiet("the same name", http.MethodPatch, "/v1/organization", s.tag("/v1/organization"), map[string]any{"name": "Acme"})
	does("give-access-key", object, http.MethodPut, path+"/access-key", s.tag(path), key)
	w = s.as(anna, http.MethodPost, rekeyPath, header{"Idempotency-Key": "r"}, nil)
	var job model.Job
	into(w.Body.Bytes(), &job)
	seq++
	if e := last(); e.Action != "rekey" || e.Actor != (model.Actor{Kind: model.ActorOperator, ID: "arn:aws:iam::999999999999:user/anna"}) || e.Object != "job/"+string(job.ID) || e.Seq != seq {
		t.Errorf("the job is logged as %+v", e)
	}
	logged["rekey"] = true
	quiet("a repeated request", http.MethodPost, rekeyPath, header{"Idempotency-Key": "r"}, nil)
	w = s.as(anna, http.MethodPost, reindexPath, header{"Idempotency-Key": "i"}, nil)
	into(w.Body.Bytes(), &job)
	seq++
	if e := last(); e.Action != "reindex" || e.Object != "job/"+string(job.ID) || e.Seq != seq {
		t.Errorf("the job is logged as %+v", e)
	}
	logged["reindex"] = true

	var rotated api.ExternalIDOutput
	tag := s.tag("/v1/external-id")
	tag["Idempotency-Key"] = "e"
	into(does("rotate-external-id", "external-id", http.MethodPost, "/v1/external-id/rotate", tag, nil), &rotated)
	secrets = append(secrets, rotated.ExternalID)
	quiet("a repeated request", http.MethodPost, "/v1/external-id/rotate", tag, nil)
	quiet("a second rotation", http.MethodPost, "/v1/external-id/rotate", s.tag("/v1/external-id"), nil)
	does("retire-external-id", "external-id", http.MethodPost, "/v1/external-id/retire", nil, nil)
	quiet("nothing to retire", http.MethodPost, "/v1/external-id/retire", nil, nil)
	s.now = s.now.Add(time.Hour)
	does("cancel-audit", object+"/audit/"+string(audit.ID), http.MethodPost, path+"/audits/"+string(audit.ID)+"/cancel", nil, nil)
	items := func(more map[string]any) map[string]any {
		item := map[string]any{"connection": c.ID}
		maps.Copy(item, more)
		return map[string]any{"items": []any{item}}
	}
	inBulk := func(action, path string, body map[string]any, object func(api.BulkResult) string) {
		t.Helper()
		var out struct{ Results []api.BulkResult }
		into(s.as(anna, http.MethodPost, path, nil, body).Body.Bytes(), &out)
		seq++
		if e := last(); len(out.Results) != 1 || e.Action != action || e.Object != object(out.Results[0]) || e.Seq != seq {
			t.Errorf("%s is logged as %+v, of %+v", action, e, out)
		}
		logged[action] = true
		if len(out.Results) == 1 && out.Results[0].Audit != "" {
			audit.ID = out.Results[0].Audit
		}
	}
	begun := func(r api.BulkResult) string { return object + "/audit/" + string(r.Audit) }
	inBulk("start-audits", "/v1/bulk/audits", items(nil), begun)
	inBulk("cancel-audits", "/v1/bulk/cancellations", items(map[string]any{"audit": audit.ID}), begun)
	quiet("what is cancelled already", http.MethodPost, "/v1/bulk/cancellations", nil, items(map[string]any{"audit": audit.ID}))
	s.now = s.now.Add(time.Hour)
	inBulk("verify-connections", "/v1/bulk/verifications", items(nil), begun)
	changed := items(map[string]any{"if_match": s.tag(path)["If-Match"]})
	changed["project"] = "p"
	inBulk("update-connections", "/v1/bulk/connections", changed, func(api.BulkResult) string { return object })
	quiet("a change of what it was not", http.MethodPost, "/v1/bulk/connections", nil, changed)
	var spare api.ConnectionOutput
	into(s.as(anna, http.MethodPost, "/v1/connections", nil, map[string]any{"role_arn": role, "name": "spare"}).Body.Bytes(), &spare)
	seq++
	of = "connection/" + string(spare.ID)
	gone := map[string]any{"items": []any{map[string]any{"connection": spare.ID, "if_match": s.tag("/v1/connections/" + string(spare.ID))["If-Match"]}}}
	inBulk("delete-connections", "/v1/bulk/deletions", gone, func(api.BulkResult) string { return of })
	does("delete-connection", object, http.MethodDelete, path, s.tag(path), nil)
	quiet("what is deleted already", http.MethodDelete, path, header{"If-Match": `"v1"`}, nil)
	quiet("an audit of what is deleted", http.MethodPost, at+"/retry", nil, nil)

	provider := map[string]any{"enabled": true, "issuer": "https://acme.okta.com", "client_id": "c", "client_secret": "told-to-nobody", "domains": []string{"acme.com"}}
	secrets = append(secrets, "told-to-nobody")
	does("put-sso", "sso/configuration", http.MethodPut, "/v1/sso", nil, provider)
	quiet("a change of what it was not", http.MethodPut, "/v1/sso", header{"If-Match": `"v99"`}, provider)
	provider["client_id"], provider["client_secret"] = "other", ""
	quiet("a client without its secret", http.MethodPut, "/v1/sso", s.tag("/v1/sso"), provider)
	provider["client_id"], provider["enabled"] = "c", false
	does("put-sso", "sso/configuration", http.MethodPut, "/v1/sso", s.tag("/v1/sso"), provider)
	does("delete-sso", "sso/configuration", http.MethodDelete, "/v1/sso", s.tag("/v1/sso"), nil)
	quiet("what is deleted already", http.MethodDelete, "/v1/sso", header{"If-Match": `"v1"`}, nil)

	saying := map[string]any{"why": "it was looked at", "until": s.now.AddDate(0, 1, 0)}
	does("put-settings", "settings", http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true, "attestations_approved": true})
	var said compliance.Attestation
	into(s.as(anna, http.MethodPost, "/v1/compliance/house-1/requirements/1.1/attestations", header{"Idempotency-Key": "said"}, saying).Body.Bytes(), &said)
	seq++
	attestation, at := "attestation/house-1#"+string(said.ID), "/v1/compliance/house-1/attestations/"+string(said.ID)
	if e := last(); e.Seq != seq || e.Action != "attest-requirement" || e.Object != attestation {
		t.Errorf("an attestation is logged as %+v", e)
	}
	logged["attest-requirement"] = true
	quiet("a repeated request", http.MethodPost, "/v1/compliance/house-1/requirements/1.1/attestations", header{"Idempotency-Key": "said"}, saying)
	quiet("one's own approval", http.MethodPost, at+"/approval", nil, nil)
	s.as(caller{person: "berta"}, http.MethodPost, at+"/approval", nil, nil)
	seq++
	if e := last(); e.Seq != seq || e.Action != "approve-attestation" || e.Object != attestation {
		t.Errorf("an approval is logged as %+v", e)
	}
	logged["approve-attestation"] = true
	does("withdraw-attestation", attestation, http.MethodPost, at+"/withdrawal", nil, nil)
	quiet("what is withdrawn already", http.MethodPost, at+"/withdrawal", nil, nil)

	fresh := "/operator/v1/organizations/fresh"
	for i, o := range []struct {
		action, method, path, object string
		body                         map[string]any
		times                        int
	}{
		{"create-organization", http.MethodPost, "/operator/v1/organizations", "organization", map[string]any{"id": "fresh"}, 2},
		{"suspend-organization", http.MethodPost, fresh + "/suspension", "organization", nil, 2}, // the second changes nothing
		{"resume-organization", http.MethodDelete, fresh + "/suspension", "organization", nil, 2},
		{"invite-administrator", http.MethodPost, fresh + "/invitations", "invitation/", map[string]any{"email": "new@example.com"}, 1},
		{"recover-person", http.MethodPost, fresh + "/recovery", "recovery/", map[string]any{"email": "zoe@fresh.example"}, 1},
		{"change-address", http.MethodPost, "/operator/v1/addresses", "person/", map[string]any{"email": "zoe@fresh.example", "new_email": "zoe@fresh.example.org"}, 1},
		{"delete-organization", http.MethodDelete, fresh, "organization", nil, 2},
	} {
		if o.action == "recover-person" {
			s.people.token(t, "fresh", "zoe")
		}
		for range o.times {
			s.as(anna, o.method, o.path, s.tag(fresh), o.body)
		}
		entries, _, err := s.store.For("fresh").AdminLogPage(t.Context(), "", 10)
		if err != nil || len(entries) != i+1 || entries[0].Action != o.action || entries[0].Actor.Kind != model.ActorOperator || !strings.HasPrefix(entries[0].Object, o.object) {
			t.Errorf("%s is logged as %+v, %v", o.action, entries, err)
		}
		logged[o.action] = true
	}

	for _, o := range s.operations() {
		if _, people := loggedOfPeople[o.ID]; mutates(o.method) && !logged[o.ID] && !people {
			t.Errorf("%s changes something, and nobody looks here whether that is in the admin log", o.ID)
		}
	}
	sealed, err := s.store.For("default").ExternalIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := s.call(http.MethodGet, "/v1/admin-log", nil, nil).Body.String()
	for _, ciphertext := range sealed.Sealed {
		text, _ := json.Marshal(ciphertext)
		secrets = append(secrets, strings.Trim(string(text), `"`))
	}
	for _, word := range append(secrets, sealed.By, `"sealed"`) {
		if word != "" && strings.Contains(all, word) {
			t.Errorf("the log tells a secret: %s", word)
		}
	}
	v := decode[api.AdminLogVerification](t, s.call(http.MethodGet, "/v1/admin-log/verification", nil, nil))
	if e := last(); !v.Intact || v.Seq != seq || v.Hash != e.Hash || v.Reason != "" {
		t.Errorf("verification %+v of a log that ends with %+v", v, e)
	}
}

// TestAdminLogPages: the log comes in pages, the newest first, and as lines, whose hashes
// whoever has them computes anew; of another organization it has nothing.
func TestAdminLogPages(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for i := range 7 {
		s.connect(nil, map[string]any{"name": fmt.Sprintf("<account> & %d", i)})
	}
	var seqs []int64
	cursor := ""
	for pages := 0; pages == 0 || cursor != ""; pages++ {
		w := s.call(http.MethodGet, "/v1/admin-log?limit=3&cursor="+cursor, header{"Accept": "application/x-ndjson"}, nil)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("status %d, %s", w.Code, w.Body)
		}
		lines := bufio.NewScanner(w.Body)
		for lines.Scan() {
			var e model.AdminEntry
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			if sum, err := e.Sum(); err != nil || sum != e.Hash {
				t.Errorf("entry %d has hash %s, and should have %s", e.Seq, e.Hash, sum)
			}
			seqs = append(seqs, e.Seq)
		}
		cursor = w.Header().Get("CloudArq-Cursor")
	}
	if !slices.Equal(seqs, []int64{7, 6, 5, 4, 3, 2, 1}) {
		t.Errorf("entries %v", seqs)
	}
	other := header{in: "other"}
	if list := decode[adminLog](t, s.call(http.MethodGet, "/v1/admin-log", other, nil)); len(list.Entries) != 0 {
		t.Errorf("another organization sees %+v", list)
	}
	problem(t, "a cursor of another organization", s.call(http.MethodGet, "/v1/admin-log?cursor="+cursorOf(t, s), other, nil), http.StatusUnprocessableEntity, "invalid")

	item, err := s.table.Get(t.Context(), table.Key{PK: "O#default#ADMINLOG", SK: "000000000003"})
	if err != nil {
		t.Fatal(err)
	}
	item.Body = []byte(strings.Replace(string(item.Body), "account", "amount", 1))
	if err := s.table.Put(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	if v := decode[api.AdminLogVerification](t, s.call(http.MethodGet, "/v1/admin-log/verification", nil, nil)); v.Intact || v.Seq != 2 || v.Reason == "" {
		t.Errorf("verification of what was altered: %+v", v)
	}
}

func cursorOf(t *testing.T, s *server) string {
	t.Helper()
	return decode[adminLog](t, s.call(http.MethodGet, "/v1/admin-log?limit=1", nil, nil)).Cursor
}

// TestAdminLogOfWhoDied: what was changed by somebody who could not write the chain is in
// the log as soon as somebody reads it.
func TestAdminLogOfWhoDied(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.table.fails = "#ADMINLOG"
	if w := s.call(http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true}); w.Code != http.StatusInternalServerError {
		t.Fatalf("status %d", w.Code)
	}
	s.table.fails = ""
	if list := decode[adminLog](t, s.call(http.MethodGet, "/v1/admin-log", nil, nil)); len(list.Entries) != 1 || list.Entries[0].Action != "put-settings" {
		t.Errorf("the log has %+v", list)
	}
}

// TestNoChangeWithoutItsEntry: where the log cannot be written at all, nothing is changed.
func TestNoChangeWithoutItsEntry(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.table.fails = "#LOGGING"
	s.call(http.MethodPut, "/v1/settings", s.tag("/v1/settings"), map[string]any{"access_keys_allowed": true})
	if settings, err := s.store.For("default").Settings(t.Context()); err != nil || settings.AccessKeysAllowed {
		t.Errorf("settings %+v, %v", settings, err)
	}
}
