package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/api/auth"
)

// walk goes through all operations of a deployment as somebody would who uses it, and
// provokes each problem that a client can; what it is answered are the examples of the
// document.
type walk struct {
	ctx      context.Context //nolint:containedctx // of the one walk
	d        *deployment
	handler  http.Handler
	routes   []route
	examples examples
	bearer   string // who makes requests; nobody if empty
	operator bool
	failed   error

	mu  sync.Mutex
	now time.Time
}

// examples are of requests and of answers.
type examples struct {
	Operations map[string]example         `json:"operations"`
	Problems   map[string]json.RawMessage `json:"problems"` // by "status code"
}

type example struct {
	Request json.RawMessage `json:"request,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

// answer is what a request was answered.
type answer struct {
	status int
	etag   string
	body   map[string]any
}

func (a answer) text(path ...string) string {
	var v any = a.body
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	s, _ := v.(string)
	return s
}

func (w *walk) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *walk) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

type fields = map[string]string

type object = map[string]any

// try makes a request, and notes the first answer of its kind.
func (w *walk) try(method, path string, h fields, body any) answer {
	var text []byte
	switch body := body.(type) {
	case nil:
	case string:
		text = []byte(body)
	default:
		text, _ = json.Marshal(body)
	}
	r := httptest.NewRequestWithContext(w.ctx, method, "https://cloudarq.example.com"+path, bytes.NewReader(text))
	r.RemoteAddr = "192.0.2.1:443"
	r.Header.Set("User-Agent", "Firefox")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if w.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+w.bearer)
	}
	for name, value := range h {
		if value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Set(name, value)
	}
	if w.operator {
		r.Header.Del("Authorization")
		r = r.WithContext(auth.WithOperator(r.Context(), "arn:aws:iam::999999999999:user/fuzz"))
	}
	got := httptest.NewRecorder()
	w.handler.ServeHTTP(got, r)
	a := answer{status: got.Code, etag: got.Header().Get("ETag"), body: object{}}
	if got.Body.Len() > 0 {
		_ = json.Unmarshal(got.Body.Bytes(), &a.body)
	}
	if got.Code >= http.StatusBadRequest {
		code, _ := a.body["code"].(string)
		name := fmt.Sprint(got.Code, " ", code)
		if _, ok := w.examples.Problems[name]; !ok && code != "" {
			w.examples.Problems[name] = json.RawMessage(bytes.TrimSpace(got.Body.Bytes()))
		}
		return a
	}
	for _, o := range w.routes {
		if o.method != method || !o.path.MatchString(r.URL.Path) {
			continue
		}
		if _, ok := w.examples.Operations[o.id]; !ok {
			w.examples.Operations[o.id] = example{Request: text, Answer: json.RawMessage(bytes.TrimSpace(got.Body.Bytes()))}
		}
		break
	}
	return a
}

// do makes a request that has to be answered well.
func (w *walk) do(method, path string, h fields, body any) answer {
	a := w.try(method, path, h, body)
	if a.status >= http.StatusBadRequest && w.failed == nil {
		w.failed = fmt.Errorf("%s %s: status %d, %v", method, path, a.status, a.body)
	}
	return a
}

func (w *walk) get(path string) answer            { return w.do(http.MethodGet, path, nil, nil) }
func (w *walk) post(path string, body any) answer { return w.do(http.MethodPost, path, nil, body) }
func (w *walk) tag(path string) fields {
	return fields{"If-Match": w.try(http.MethodGet, path, nil, nil).etag}
}

func (w *walk) edit(method, path string, body any) {
	w.do(method, path, w.tag(path), body)
}

// refused makes a request that has to be answered by a code.
func (w *walk) refused(code, method, path string, h fields, body any) {
	if a := w.try(method, path, h, body); a.text("code") != code && w.failed == nil {
		w.failed = fmt.Errorf("%s %s: status %d, %v; want %s", method, path, a.status, a.body, code)
	}
}

// as has somebody make what follows.
func (w *walk) as(bearer string, follows func()) {
	was, operator := w.bearer, w.operator
	w.bearer, w.operator = bearer, false
	follows()
	w.bearer, w.operator = was, operator
}

func (w *walk) nobody(follows func()) { w.as("", follows) }

// alone makes requests while no worker does anything.
func (w *walk) alone(requests func()) {
	w.d.hold.Lock()
	defer w.d.hold.Unlock()
	requests()
}

func (w *walk) operates(follows func()) {
	w.nobody(func() { w.operator = true; follows() })
}

// until asks until an answer is as it is to be.
func (w *walk) until(path string, is func(answer) bool) {
	known := maps.Clone(w.examples.Operations)
	for range 600 {
		w.examples.Operations = maps.Clone(known) // the last answer is the one to show
		if is(w.try(http.MethodGet, path, nil, nil)) || w.failed != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.failed = fmt.Errorf("GET %s does not come to an end: %s", path, w.d.log)
}

const (
	annas   = "four words of hers"
	another = "four other words"
)

// invited makes somebody a member, who signs in.
func (w *walk) invited(email, role string, projects ...string) (in answer) {
	link := w.post("/v1/invitations", object{"email": email, "role": role, "projects": append([]string{}, projects...)})
	w.nobody(func() {
		w.post("/v1/invitations/lookup", object{"token": link.text("token")})
		in = w.post("/v1/invitations/acceptance", object{"token": link.text("token"), "name": "Anna", "password": annas})
		w.refused("link_over", http.MethodPost, "/v1/invitations/acceptance", nil, object{"token": link.text("token"), "password": annas})
	})
	return in
}

func (w *walk) code(secret string) string {
	text, err := totp.GenerateCode(secret, w.clock())
	if err != nil && w.failed == nil {
		w.failed = err
	}
	return text
}

// whole is all of it.
func (w *walk) whole() error {
	w.now = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	w.examples = examples{Operations: map[string]example{}, Problems: map[string]json.RawMessage{}}
	for _, step := range []func(){w.operators, w.connections, w.findings, w.people, w.factors, w.passkeys, w.providers, w.wrong, w.ends} {
		if step(); w.failed != nil {
			return w.failed
		}
	}
	return nil
}

func (w *walk) operators() {
	w.operates(func() {
		w.post("/operator/v1/organizations", object{"id": "acme", "name": "Acme"})
		w.refused("organization_exists", http.MethodPost, "/operator/v1/organizations", nil, object{"id": "acme"})
		w.get("/operator/v1/organizations")
		w.get("/operator/v1/organizations/acme")
		w.post("/operator/v1/organizations/acme/suspension", nil)
		w.do(http.MethodDelete, "/operator/v1/organizations/acme/suspension", nil, nil)
		w.get("/operator/v1/doctor")
		link := w.post("/operator/v1/organizations/acme/invitations", object{"email": "anna@example.com"})
		w.nobody(func() {
			in := w.post("/v1/invitations/acceptance", object{"token": link.text("token"), "name": "Anna", "password": annas})
			w.bearer = in.text("access_token")
		})
		w.post("/operator/v1/organizations/acme/recovery", object{"email": "anna@example.com"})
		var job answer
		w.alone(func() {
			job = w.do(http.MethodPost, "/operator/v1/organizations/acme/rekey", fields{"Idempotency-Key": "1"}, nil)
		})
		w.until("/operator/v1/organizations/acme/jobs/"+job.text("id"), func(a answer) bool { return a.text("ended_at") != "" })
		w.alone(func() { w.post("/operator/v1/organizations/acme/reindex", nil) })
	})
	w.refused("not_signed", http.MethodGet, "/operator/v1/doctor", nil, nil)
	w.enter("anna@example.com", annas)
}

// enter has somebody sign in, who makes what follows.
func (w *walk) enter(email, password string) answer {
	in := w.signIn(email, password)
	w.bearer = in.text("access_token")
	return in
}

func (w *walk) signIn(email, password string) (in answer) {
	w.nobody(func() { in = w.post("/v1/sign-in", object{"email": email, "password": password}) })
	return in
}

const auditable = "arn:aws:iam::" + accountID + ":role/" + auditRole

func (w *walk) connections() {
	w.refused("project_exists", http.MethodPost, "/v1/projects", nil, object{"name": w.post("/v1/projects", object{"name": "shop", "description": "What customers see"}).text("name")})
	w.get("/v1/projects")
	w.edit(http.MethodPatch, "/v1/projects/shop", object{"description": "What customers see, and pay in"})
	body := object{"name": "shop production", "project": "shop", "role_arn": auditable, "regions": []string{"eu-west-1"}, "services": audited, "schedule": object{"expression": "cron(0 6 * * ? *)", "timezone": "Europe/Helsinki", "jitter_minutes": 0}}
	c := w.do(http.MethodPost, "/v1/connections", fields{"Idempotency-Key": "shop"}, body)
	path := "/v1/connections/" + c.text("id")
	w.refused("idempotency_key_reused", http.MethodPost, "/v1/connections", fields{"Idempotency-Key": "shop"}, object{"name": "bank"})
	w.refused("schedule_too_often", http.MethodPost, "/v1/connections", nil, object{"role_arn": auditable, "schedule": object{"expression": "rate(1 minute)"}})
	w.refused("precondition_required", http.MethodPut, path, nil, body)
	w.refused("stale", http.MethodPut, path, fields{"If-Match": `"v99"`}, body)
	w.get("/v1/connections")
	w.get(path)
	w.edit(http.MethodPut, path, body)
	w.alone(func() {
		w.post(path+"/verify", nil)
		w.refused("audit_running", http.MethodPost, "/v1/audits", nil, object{"connection": c.text("id")})
	})
	ended := func(a answer) bool {
		audits, _ := a.body["audits"].([]any)
		for _, one := range audits {
			if state, _ := one.(object)["state"].(string); state != "done" && state != "partial" && state != "cancelled" && state != "failed" {
				return false
			}
		}
		return len(audits) > 0
	}
	w.until(path+"/audits?limit=2", ended)
	w.pass(time.Minute)
	var a answer
	w.alone(func() {
		a = w.do(http.MethodPost, "/v1/audits", fields{"Idempotency-Key": "first"}, object{"connection": c.text("id")})
	})
	w.until(path+"/audits?limit=1", ended)
	at := path + "/audits/" + a.text("id")
	w.until(at, func(a answer) bool { return a.body["statement"] != nil })
	delete(w.examples.Operations, "get-audit") // of one that ran
	delete(w.examples.Operations, "list-audits")
	w.get(at)
	w.get(path + "/audits?limit=1")
	w.get(at + "/calls?service=kms&limit=1")
	w.get(at + "/verification")
	w.refused("nothing_to_retry", http.MethodPost, at+"/retry", nil, nil)
	w.pass(time.Minute)
	w.alone(func() {
		again := w.post("/v1/audits", object{"connection": c.text("id")})
		w.refused("audit_not_ended", http.MethodGet, "/v1/compliance/cis-aws-5.0?connection="+c.text("id")+"&audit="+again.text("id"), nil, nil)
		w.post(path+"/audits/"+again.text("id")+"/cancel", nil)
		w.post(path+"/audits/"+again.text("id")+"/retry", nil)
	})
	w.until(path+"/audits?limit=1", ended)
	none := w.post("/v1/connections", object{"name": "bank"})
	w.refused("connection_pending", http.MethodPost, "/v1/audits", nil, object{"connection": none.text("id")})
	key := object{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "account_id": accountID} //nolint:gosec // of AWS's documentation
	keys := "/v1/connections/" + none.text("id") + "/access-key"
	tagged := w.tag("/v1/connections/" + none.text("id"))
	w.refused("access_keys_disabled", http.MethodPut, keys, tagged, key)
	w.edit(http.MethodPut, "/v1/settings", object{"access_keys_allowed": true, "second_factor_required": false})
	w.do(http.MethodPut, keys, tagged, key)
	key["account_id"] = "444455556666"
	w.refused("account_mismatch", http.MethodPut, keys, w.tag("/v1/connections/"+none.text("id")), key)
	w.edit(http.MethodDelete, "/v1/connections/"+none.text("id"), nil)
	w.refused("not_found", http.MethodGet, "/v1/connections/"+none.text("id"), nil, nil)
	w.do(http.MethodPost, "/v1/external-id/rotate", w.tag("/v1/external-id"), nil)
}

// findings reads what audits found.
func (w *walk) findings() {
	list := w.get("/v1/connections")
	connections, _ := list.body["connections"].([]any)
	var id string
	for _, c := range connections {
		if one, _ := c.(object); one["name"] == "shop production" {
			id, _ = one["id"].(string)
		}
	}
	path := "/v1/connections/" + id
	w.get(path + "/findings?limit=1")
	found, _ := w.get("/v1/findings?state=open&limit=2&count=exact&group=severity").body["findings"].([]any)
	if len(found) == 0 {
		w.failed = fmt.Errorf("the audit found nothing: %s", w.d.log)
		return
	}
	first, _ := found[0].(object)
	w.get(fmt.Sprint("/v1/findings/", first["id"]))
	w.get("/v1/checks?service=kms&fields=id,title,counts,failing_accounts")
	w.get("/v1/checks/kms-key-rotation")
	w.get("/v1/resources?service=kms&limit=1")
	w.get("/v1/audits?limit=1")
	audits, _ := w.get(path + "/audits?limit=2").body["audits"].([]any)
	for i, a := range audits {
		one, _ := a.(object)
		of := fmt.Sprint(path, "/audits/", one["id"])
		w.get(of + "/verdicts?status=FAIL&limit=1")
		if i < len(audits)-1 {
			w.get(of + "/diff?limit=1")
		}
	}
	w.get(path + "/score")
	w.get("/v1/score")
	w.get("/v1/scores?sort=-critical,score&limit=1")
	w.get("/v1/coverage?limit=1")
	w.get("/v1/trend?step=audit&connection=" + id)
	w.get(path + "/drift")
	w.compliance(id)
	w.get("/v1/external-id")
	w.refused("external_id_replacing", http.MethodPost, "/v1/external-id/rotate", w.tag("/v1/external-id"), nil)
	w.refused("external_id_in_use", http.MethodPost, "/v1/external-id/retire", nil, nil)
	w.alter(path)
	w.inBulk(connections)
	for _, c := range connections {
		one, _ := c.(object)
		path := fmt.Sprint("/v1/connections/", one["id"])
		w.edit(http.MethodDelete, path, nil)
		w.get(fmt.Sprint("/v1/receipts/", one["id"]))
	}
	w.post("/v1/external-id/retire", nil)
	w.get("/v1/settings")
	w.get("/v1/admin-log?limit=2")
	w.get("/v1/admin-log/verification")
}

// compliance reads how accounts stand by frameworks, and attests what is not looked at.
func (w *walk) compliance(connection string) {
	w.get("/v1/compliance?limit=1&connection=" + connection)
	w.get("/v1/compliance/cis-aws-5.0?state=failing&limit=1")
	w.edit(http.MethodPut, "/v1/settings", object{"access_keys_allowed": true, "second_factor_required": false, "attestations_approved": true})
	said := w.post("/v1/compliance/cis-aws-7.0/requirements/2.1.2/attestations", object{"covers": "requirement", "why": "The policies were reviewed in May.", "evidence": "https://wiki.example.com/policies", "until": w.clock().AddDate(1, 0, 0)})
	at := "/v1/compliance/cis-aws-7.0/attestations/" + said.text("id")
	w.refused("own_request", http.MethodPost, at+"/approval", nil, nil)
	gerda := w.invited("gerda@example.com", "admin")
	w.as(gerda.text("access_token"), func() { w.post(at+"/approval", nil) })
	w.edit(http.MethodDelete, "/v1/members/"+gerda.text("session", "person"), nil)
	w.refused("not_requested", http.MethodPost, at+"/approval", nil, nil)
	w.get("/v1/compliance/cis-aws-7.0/requirements/2.1.2")
	w.get("/v1/attestations?framework=cis-aws-7.0")
	w.post(at+"/withdrawal", nil)
	w.edit(http.MethodPut, "/v1/settings", object{"access_keys_allowed": true, "second_factor_required": false})
}

// inBulk does to many connections what was done to one.
func (w *walk) inBulk(connections []any) {
	var items, tagged []object
	for _, c := range connections[:1] {
		one, _ := c.(object)
		items = append(items, object{"connection": one["id"]})
		tagged = append(tagged, object{"connection": one["id"], "if_match": w.version(fmt.Sprint("/v1/connections/", one["id"]))})
	}
	w.post("/v1/bulk/connections", object{"items": tagged, "schedule": object{"expression": "rate(1 day)"}})
	for _, begin := range []string{"verifications", "audits"} {
		w.alone(func() {
			begun, _ := w.post("/v1/bulk/"+begin, object{"items": items}).body["results"].([]any)
			one, _ := begun[0].(object)
			w.post("/v1/bulk/cancellations", object{"items": []object{{"connection": one["connection"], "audit": one["audit"]}}})
		})
		w.pass(time.Minute)
	}
	spare := w.post("/v1/connections", object{"name": "spare"})
	w.post("/v1/bulk/deletions", object{"items": []object{{"connection": spare.text("id"), "if_match": w.version("/v1/connections/" + spare.text("id"))}}})
}

// version is the part of an ETag that is the same in each walk.
func (w *walk) version(path string) string {
	version, _, _ := strings.Cut(w.tag(path)["If-Match"], ".")
	return strings.TrimSuffix(version, `"`) + `"`
}

// alter writes over what is kept of the calls of an audit.
func (w *walk) alter(connection string) {
	audits, _ := w.get(connection + "/audits?limit=100").body["audits"].([]any)
	var keys []string
	for info, err := range w.d.blobs.List(w.ctx, "ledger/") {
		if err != nil {
			w.failed = err
			return
		}
		keys = append(keys, info.Key)
	}
	for _, key := range keys {
		if err := w.d.blobs.Put(w.ctx, key, strings.NewReader("altered")); err != nil {
			w.failed = err
		}
	}
	for _, a := range audits {
		one, _ := a.(object)
		w.try(http.MethodGet, fmt.Sprint(connection, "/audits/", one["id"], "/calls"), nil, nil)
	}
	w.d.log.forget()
}

// people are invited, changed and removed, and make tokens.
func (w *walk) people() {
	admin := w.bearer
	w.get("/v1/session")
	me := w.get("/v1/me").text("id")
	w.do(http.MethodPatch, "/v1/me", nil, object{"name": "Anna Virtanen"})
	w.get("/v1/organization")
	w.edit(http.MethodPatch, "/v1/organization", object{"name": "Acme Corporation"})
	w.hands()
	w.post("/v1/projects", object{"name": "old"})
	w.edit(http.MethodDelete, "/v1/projects/old", nil)
	w.get("/v1/projects/shop")
	bob := w.invited("bob@example.com", "client", "shop")
	w.refused("project_in_use", http.MethodDelete, "/v1/projects/shop", w.tag("/v1/projects/shop"), nil)
	w.refused("already_member", http.MethodPost, "/v1/invitations", nil, object{"email": "bob@example.com", "role": "client"})
	spare := w.post("/v1/invitations", object{"email": "carl@example.com", "role": "client", "projects": []string{"shop"}})
	w.get("/v1/invitations")
	w.do(http.MethodDelete, "/v1/invitations/"+spare.text("id"), nil, nil)
	member := "/v1/members/" + bob.text("session", "person")
	w.get("/v1/members")
	w.get(member)
	w.edit(http.MethodPatch, member, object{"projects": []string{"shop", "bank"}})
	w.get(member + "/sessions")
	w.refused("last_administrator", http.MethodDelete, "/v1/members/"+me, w.tag("/v1/members/"+me), nil)
	w.refused("own_recovery", http.MethodPost, "/v1/members/"+me+"/recovery", nil, nil)
	recovery := w.post(member+"/recovery", nil)
	w.nobody(func() {
		w.post("/v1/recovery/lookup", object{"token": recovery.text("token")})
		w.post("/v1/recovery", object{"token": recovery.text("token"), "password": annas})
	})
	w.as(w.signIn("bob@example.com", annas).text("access_token"), func() {
		w.refused("forbidden", http.MethodGet, "/v1/members", nil, nil)
		w.refused("beyond_owner", http.MethodPost, "/v1/tokens", nil, object{"name": "x", "scopes": []string{"admin"}})
	})
	w.as(w.signIn("bob@example.com", annas).text("access_token"), func() {
		bearer := w.bearer
		w.as(admin, func() { w.edit(http.MethodPatch, member, object{"suspended": true}) })
		w.bearer = bearer
		w.refused("member_suspended", http.MethodGet, "/v1/session", nil, nil)
	})
	made := w.post("/v1/tokens", object{"name": "nightly pipeline", "scopes": []string{"read", "audit"}, "projects": []string{"shop"}})
	w.get("/v1/tokens")
	w.get("/v1/tokens/" + made.text("api_token", "id"))
	w.as(made.text("token"), func() { w.refused("session_needed", http.MethodGet, "/v1/me", nil, nil) })
	all := w.post("/v1/tokens", object{"name": "all", "scopes": []string{"admin"}})
	w.as(all.text("token"), func() {
		w.refused("not_by_token", http.MethodPost, member+"/recovery", nil, nil)
	})
	for range 2 { // the second of a client that lost the answer
		w.try(http.MethodPost, "/v1/tokens", fields{"Idempotency-Key": "weekly"}, object{"name": "weekly", "scopes": []string{"read"}})
	}
	w.do(http.MethodDelete, "/v1/tokens/"+made.text("api_token", "id"), nil, nil)
	w.do(http.MethodDelete, member+"/sessions", nil, nil)
	w.edit(http.MethodDelete, member, nil)
	// Somebody of two organizations.
	w.operates(func() {
		w.post("/operator/v1/organizations", object{"id": "beta", "name": "Beta"})
		link := w.post("/operator/v1/organizations/beta/invitations", object{"email": "anna@example.com"})
		w.nobody(func() {
			w.post("/v1/invitations/acceptance", object{"token": link.text("token"), "password": annas})
		})
	})
	w.operates(func() {
		dora := w.post("/operator/v1/organizations/beta/invitations", object{"email": "dora@example.com"})
		w.nobody(func() {
			w.post("/v1/invitations/acceptance", object{"token": dora.text("token"), "name": "Dora", "password": annas})
		})
	})
	gina := w.invited("gina@example.com", "admin")
	w.as(gina.text("access_token"), func() {
		w.refused("member_of_others", http.MethodPost, "/v1/members/"+me+"/recovery", nil, nil)
	})
	choice := w.signIn("anna@example.com", annas)
	w.nobody(func() {
		in := w.post("/v1/sign-in/organization", object{"challenge": choice.text("challenge"), "organization": "acme"})
		w.bearer = in.text("access_token")
		over := w.post("/v1/session/organization", object{"organization": "beta"})
		w.bearer = over.text("access_token")
		w.refused("not_a_member", http.MethodPost, "/v1/session/organization", nil, object{"organization": "gamma"})
	})
	w.get("/v1/me/sessions")
}

// hands gives a program a session, by a browser that has one; and renews one's own.
func (w *walk) hands() {
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636, appendix B
	code := w.post("/v1/session/handover", object{"challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"})
	w.nobody(func() {
		w.post("/v1/sign-in/handover", object{"code": code.text("code"), "verifier": verifier})
		w.get("/v1/session/renewal?return=/me")
	})
}

// factors are set up, used and removed.
func (w *walk) factors() {
	in := w.invited("emil@example.com", "client")
	admin := w.bearer
	move := func(email string) object {
		var link answer
		w.as(admin, func() { link = w.post("/v1/invitations", object{"email": email, "role": "client"}) })
		return object{"password": another, "token": link.text("token")}
	}
	taken := func() {
		w.refused("email_taken", http.MethodPost, "/v1/me/email", nil, move("dora@example.com"))
		link := move("dora@example.com")["token"]
		w.nobody(func() {
			w.refused("address_of_another", http.MethodPost, "/v1/invitations/acceptance", nil, object{"token": link, "password": another})
		})
		w.operates(func() {
			w.post("/operator/v1/addresses", object{"email": "dora@example.com", "new_email": "dora@example.org"})
		})
	}
	w.as(in.text("access_token"), func() {
		w.refused("no_second_factor", http.MethodPost, "/v1/me/backup-codes", nil, object{"password": annas})
		w.refused("nothing_to_confirm", http.MethodPost, "/v1/me/totp/confirmation", nil, object{"code": "123456"})
		w.refused("password_wrong", http.MethodPost, "/v1/me/totp", nil, object{"password": "wrong wrong wrong"})
		secret := w.post("/v1/me/totp", object{"password": annas}).text("secret")
		code := w.code(secret)
		w.refused("code_wrong", http.MethodPost, "/v1/me/totp/confirmation", nil, object{"code": "x"})
		w.post("/v1/me/totp/confirmation", object{"code": code})
		w.post("/v1/me/backup-codes", object{"password": annas})
		w.pass(time.Minute)
		first := w.signIn("emil@example.com", annas)
		w.nobody(func() {
			step := object{"challenge": first.text("challenge"), "code": w.code(secret)}
			in := w.post("/v1/sign-in/second-factor", step)
			w.refused("code_used", http.MethodPost, "/v1/sign-in/second-factor", nil, step)
			w.refused("challenge_over", http.MethodPost, "/v1/sign-in/second-factor", nil, object{"challenge": "caqc_x", "code": "123456"})
			w.post("/v1/session/refresh", object{"refresh_token": in.text("refresh_token")})
			w.refused("refresh_raced", http.MethodPost, "/v1/session/refresh", nil, object{"refresh_token": in.text("refresh_token")})
			w.pass(time.Minute)
			w.refused("refresh_reused", http.MethodPost, "/v1/session/refresh", nil, object{"refresh_token": in.text("refresh_token")})
			w.bearer = in.text("access_token")
			w.refused("session_ended", http.MethodGet, "/v1/session", nil, nil)
		})
		next := w.post("/v1/me/totp/removal", object{"password": annas})
		w.bearer = next.text("access_token")
		for code, weak := range map[string]string{ //nolint:gosec // of nobody
			"password_too_short": "short", "password_too_long": strings.Repeat("long ", 30), "password_too_common": "password1234", "password_personal": "cloudarq is nice",
			"password_repetitive": "aaaaaaaaaaaaaa", "password_characters": "four words\u0007 of hers",
		} {
			w.refused(code, http.MethodPost, "/v1/me/password", nil, object{"current": annas, "new": weak})
		}
		next = w.post("/v1/me/password", object{"current": annas, "new": another})
		w.bearer = next.text("access_token")
		w.post("/v1/me/email", move("emil@example.org"))
		taken()
		w.do(http.MethodDelete, "/v1/me/sessions", nil, nil)
		other := w.signIn("emil@example.org", another)
		w.do(http.MethodDelete, "/v1/me/sessions/"+other.text("session", "id"), nil, nil)
		w.do(http.MethodDelete, "/v1/session", nil, nil)
	})
	// An organization that requires one.
	refreshed := w.signIn("emil@example.org", another)
	w.edit(http.MethodPut, "/v1/settings", object{"access_keys_allowed": true, "second_factor_required": true})
	w.nobody(func() {
		w.refused("factor_required", http.MethodPost, "/v1/session/refresh", nil, object{"refresh_token": refreshed.text("refresh_token")})
	})
	step := w.signIn("emil@example.org", another)
	w.nobody(func() {
		secret := w.post("/v1/sign-in/enrolment", object{"challenge": step.text("challenge")}).text("secret")
		done := w.post("/v1/sign-in/second-factor", object{"challenge": step.text("challenge"), "code": w.code(secret)})
		w.bearer = done.text("access_token")
		w.refused("second_factor_required", http.MethodPost, "/v1/me/totp/removal", nil, object{"password": another})
	})
	w.edit(http.MethodPut, "/v1/settings", object{"access_keys_allowed": true, "second_factor_required": false})
}

// passkeys are registered, used and removed, by an authenticator in software.
func (w *walk) passkeys() {
	party := virtualwebauthn.RelyingParty{ID: "cloudarq.example.com", Name: "CloudArq", Origin: "https://cloudarq.example.com"}
	device, key := virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	in := w.invited("frida@example.com", "client")
	w.as(in.text("access_token"), func() {
		begun := w.post("/v1/me/passkeys/options", object{"password": annas})
		asked, err := json.Marshal(begun.body["options"])
		if err != nil {
			w.failed = err
			return
		}
		options, err := virtualwebauthn.ParseAttestationOptions(string(asked))
		if err != nil {
			w.failed = err
			return
		}
		made := virtualwebauthn.CreateAttestationResponse(party, device, key, *options)
		kept := w.post("/v1/me/passkeys", object{"challenge": begun.text("challenge"), "name": "Frida's laptop", "passkey": json.RawMessage(made)})
		device.AddCredential(key)
		w.get("/v1/me/passkeys")
		sign := func(counter uint32) {
			step := w.signIn("frida@example.com", annas)
			w.nobody(func() {
				begun := w.post("/v1/sign-in/passkey-options", object{"challenge": step.text("challenge")})
				asked, _ := json.Marshal(begun.body["options"])
				options, err := virtualwebauthn.ParseAssertionOptions(string(asked))
				if err != nil {
					w.failed = err
					return
				}
				key.Counter = counter
				w.try(http.MethodPost, "/v1/sign-in/second-factor", nil, object{"challenge": begun.text("challenge"), "passkey": json.RawMessage(virtualwebauthn.CreateAssertionResponse(party, device, key, *options))})
				begun = w.post("/v1/sign-in/passkey-options", object{"challenge": step.text("challenge")})
				w.refused("passkey_refused", http.MethodPost, "/v1/sign-in/second-factor", nil, object{"challenge": begun.text("challenge"), "passkey": object{}})
			})
		}
		sign(5)
		sign(3) // of a copy
		w.post("/v1/me/passkeys/"+kept.text("passkey", "id")+"/removal", object{"password": annas})
	})
}

// providers sign people in.
func (w *walk) providers() {
	w.refused("sso_off", http.MethodGet, "/v1/sso", nil, nil)
	w.do(http.MethodPut, "/v1/sso", nil, object{
		"enabled": true, "issuer": "https://acme.okta.com", "client_id": "0oa1b2c3d4E5f6G7h8i9", "client_secret": "shown to nobody", "domains": []string{"acme.com"},
		"groups": []object{{"group": "auditors", "role": "client", "projects": []string{"shop"}}}, "otherwise": object{"role": "client"},
	})
	w.get("/v1/sso")
	w.nobody(func() {
		w.get("/v1/sso/acme/start")
		w.get("/v1/sso/callback?state=x&code=x")
	})
	w.edit(http.MethodDelete, "/v1/sso", nil)
}

// wrong is what is said before anybody looks at what a request is about.
func (w *walk) wrong() {
	w.nobody(func() {
		w.refused("not_signed_in", http.MethodGet, "/v1/connections", nil, nil)
		w.refused("sign_in_refused", http.MethodPost, "/v1/sign-in", nil, object{"email": "anna@example.com", "password": "wrong wrong wrong"})
		w.refused("cross_origin", http.MethodPost, "/v1/sign-in", fields{"Origin": "https://evil.example"}, object{"email": "anna@example.com", "password": annas})
		w.refused("csrf_token", http.MethodPatch, "/v1/me", fields{"Cookie": "__Host-caq=x"}, object{"name": "x"})
		w.refused("token_invalid", http.MethodGet, "/v1/session", fields{"Authorization": "Bearer x"}, nil)
	})
	w.refused("invalid", http.MethodPost, "/v1/connections", nil, object{"role_arn": "CloudArqAuditRole"})
	w.refused("invalid", http.MethodPost, "/v1/connections", nil, "{")
	w.refused("too_large", http.MethodPost, "/v1/connections", nil, `{"name":"`+strings.Repeat("x", 2<<20)+`"}`)
	w.refused("unsupported_media_type", http.MethodPost, "/v1/connections", fields{"Content-Type": "text/csv"}, "x")
	w.refused("uri_too_long", http.MethodGet, "/v1/connections?cursor="+strings.Repeat("x", 9<<10), nil, nil)
	w.refused("header_too_large", http.MethodGet, "/v1/connections", fields{"X-Long": strings.Repeat("x", 17<<10)}, nil)
}

// caps are reached, and the table is away, and others are faster.
func (w *walk) caps() {
	session, err := w.d.bySSO(w.ctx, w.get("/v1/me").text("id"))
	if err != nil {
		w.failed = err
		return
	}
	w.as(session, func() {
		w.refused("not_by_sso", http.MethodPost, "/v1/me/password", nil, object{"current": annas, "new": another})
	})
	for range 1000 {
		if a := w.try(http.MethodPost, "/v1/tokens", nil, object{"name": "x", "scopes": []string{"read"}}); a.status >= http.StatusBadRequest {
			break
		}
	}
	w.d.building.Store(true)
	c := w.post("/v1/connections", object{"name": "kept", "role_arn": auditable, "services": audited}) // which lists are to have
	w.refused("index_building", http.MethodGet, "/v1/findings", nil, nil)
	w.d.building.Store(false)
	a := w.post("/v1/audits", object{"connection": c.text("id")})
	at := "/v1/connections/" + c.text("id") + "/audits/" + a.text("id")
	w.post(at+"/cancel", nil)
	if err := w.d.working(w.ctx, "held", w.clock()); err != nil {
		w.failed = err
		return
	}
	w.operates(func() {
		w.refused("request_in_flight", http.MethodPost, "/operator/v1/organizations/acme/rekey", fields{"Idempotency-Key": "held"}, nil)
	})
	whole := w.handler
	w.d.api.Caps, w.d.api.People.Relying = api.Caps{Connections: 1, Organizations: 1, Projects: 1, Attestations: 1}, people.Relying{}
	w.handler = w.d.api.Handler()
	w.refused("too_many_connections", http.MethodPost, "/v1/connections", nil, object{"name": "one more"})
	w.refused("too_many_projects", http.MethodPost, "/v1/projects", nil, object{"name": "one-more"})
	w.refused("too_many_attestations", http.MethodPost, "/v1/compliance/cis-aws-7.0/requirements/2.1.3/attestations", nil, object{"why": "One more.", "until": w.clock().AddDate(1, 0, 0)})
	w.refused("passkeys_off", http.MethodPost, "/v1/me/passkeys/options", nil, object{"password": annas})
	w.operates(func() {
		w.refused("too_many_organizations", http.MethodPost, "/operator/v1/organizations", nil, object{"id": "gamma"})
	})
	w.handler = whole
	tag := w.tag("/v1/projects/shop")
	w.d.contested.Store(true)
	w.refused("conflict", http.MethodPatch, "/v1/projects/shop", tag, object{"description": "contested"})
	w.d.contested.Store(false)
	for code, why := range map[string]error{"internal": errAway, "installation_denied": errDenied} {
		w.d.away.Store(&why)
		w.refused(code, http.MethodPost, "/v1/audits", nil, object{"connection": c.text("id")})
		w.d.away.Store(nil)
	}
	w.d.log.forget()
	if err := w.d.age(w.ctx, c.text("id"), a.text("id"), w.clock()); err != nil {
		w.failed = err
		return
	}
	w.refused("audit_forgotten", http.MethodPost, at+"/retry", nil, nil)
}

// ends are of sessions and of organizations.
func (w *walk) ends() {
	w.d.limited.Store(true)
	for range 10 {
		w.nobody(func() {
			w.try(http.MethodPost, "/v1/sign-in", nil, object{"email": "nobody@example.com", "password": "wrong wrong wrong"})
		})
	}
	w.d.limited.Store(false)
	w.caps()
	w.operates(func() { w.post("/operator/v1/organizations/acme/suspension", nil) })
	w.refused("organization_suspended", http.MethodGet, "/v1/session", nil, nil)
	w.operates(func() { w.edit(http.MethodDelete, "/operator/v1/organizations/acme", nil) })
	w.refused("organization_gone", http.MethodGet, "/v1/session", nil, nil)
	w.pass(time.Hour)
	w.refused("token_expired", http.MethodGet, "/v1/session", nil, nil)
}
