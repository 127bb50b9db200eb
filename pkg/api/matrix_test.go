package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// needs are what each route asks of who calls it, said once more: whoever adds a route says
// here whom it is for, and a route that lets others in fails. What "lets in" people, or
// loosens how, is for an administrator's session, and no token.
var needs = map[string]string{
	"create-connection": "connections", "update-connection": "connections", "delete-connection": "connections", "give-access-key": "connections", "get-external-id": "connections",
	"list-connections": "read", "get-connection": "read", "get-receipt": "read", "get-drift": "read",
	"list-audits": "read", "get-audit": "read", "list-calls": "read", "verify-audit": "read",
	"list-findings": "read", "list-findings-of-connection": "read", "get-finding": "read", "get-score": "read",
	"list-checks": "read", "get-check": "read", "list-resources": "read", "list-newest-audits": "read", "list-verdicts": "read", "compare-audits": "read",
	"list-compliance": "read", "get-compliance": "read", "get-requirement": "read", "list-attestations": "read", "attest-requirement": "lets in", "approve-attestation": "lets in", "withdraw-attestation": "lets in",
	"get-total-score": "read", "list-scores": "read", "get-coverage": "read", "get-trend": "read",
	"start-audits": "audit", "verify-connections": "audit", "cancel-audits": "audit", "update-connections": "connections", "delete-connections": "connections",
	"start-audit": "audit", "verify-connection": "audit", "cancel-audit": "audit", "retry-audit": "audit",
	"rotate-external-id": "admin", "retire-external-id": "admin", "get-settings": "admin", "put-settings": "lets in", "list-admin-log": "admin", "verify-admin-log": "admin",
	"create-organization": "operator", "list-organizations": "operator", "get-organization": "operator", "suspend-organization": "operator", "resume-organization": "operator", "delete-organization": "operator",
	"rekey": "operator", "reindex": "operator", "get-job": "operator", "doctor": "operator", "invite-administrator": "operator", "recover-person": "operator", "change-address": "operator",
	"get-policy": "anybody", "get-document": "anybody", "get-security-contact": "anybody",
	"sign-in": "anybody", "sign-in-second-factor": "anybody", "sign-in-passkey-options": "anybody", "sign-in-enrolment": "anybody", "sign-in-organization": "anybody", "sign-in-handover": "anybody",
	"refresh-session": "anybody", "renew-session": "anybody", "look-up-invitation": "anybody", "accept-invitation": "anybody", "look-up-recovery": "anybody", "use-recovery": "anybody",
	"get-own-organization": "read", "update-own-organization": "admin",
	"get-sso": "admin", "put-sso": "lets in", "delete-sso": "lets in", "start-sso": "anybody", "finish-sso": "anybody",
	"get-session": "known", "sign-out": "session", "change-organization": "session", "hand-over-session": "session",
	"get-me": "session", "update-me": "session", "change-password": "session", "change-email": "session", "enrol-totp": "session", "confirm-totp": "session", "remove-totp": "session",
	"renew-backup-codes": "session", "list-passkeys": "session", "passkey-options": "session", "register-passkey": "session", "remove-passkey": "session",
	"list-my-sessions": "session", "end-my-session": "session", "end-my-other-sessions": "session",
	"list-tokens": "session", "get-token": "session", "create-token": "session", "end-token": "session",
	"list-members": "admin", "get-member": "admin", "update-member": "admin", "remove-member": "admin", "recover-member": "lets in", "list-member-sessions": "admin", "end-member-sessions": "admin",
	"list-invitations": "admin", "create-invitation": "lets in", "withdraw-invitation": "admin",
	"list-projects": "read", "get-project": "read", "create-project": "admin", "update-project": "admin", "remove-project": "admin",
}

// knocks is somebody of the matrix: how a request becomes theirs, which scopes they have,
// and what they see.
type knocks struct {
	as       func(*http.Request) *http.Request
	scopes   []string // "operator" is one, "session" is of people
	stranger bool     // known, but of another organization or of no project of the things
	unknown  bool     // nobody whom we know
}

func bearing(token secret.String) func(*http.Request) *http.Request {
	return func(r *http.Request) *http.Request {
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
		return r
	}
}

// TestMatrix tries each route as everybody.
func TestMatrix(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	made := s.now
	c := s.connect(nil, map[string]any{"name": "shop", "project": "shop"})
	a := decode[struct{ ID string }](t, s.call(http.MethodPost, "/v1/audits", nil, map[string]string{"connection": string(c.ID)}))
	ref := model.Ref{ARN: "arn:aws:house:::door/a"}
	f := model.Finding{ID: model.NewFindingID("door-locked", ref), Check: "door-locked", Severity: model.High, Connection: c.ID, Resource: ref, State: model.FindingOpen, History: []model.Event{}}
	s.found("default", "house", f)
	job := decode[model.Job](t, s.call(http.MethodPost, rekeyPath, nil, nil))
	s.people.token(t, "spare", "nobody")
	nobodys := newULID()
	fill := strings.NewReplacer("{person}", nobodys, "{invitation}", nobodys, "{token}", nobodys, "{session}", nobodys, "{passkey}", nobodys, "{project}", "nothing",
		"{organization}/suspension", "spare/suspension", "{organization}", "default", "{job}", string(job.ID), "{connection}", string(c.ID), "{audit}", a.ID, "{check}", "door-locked", "{finding}", string(f.ID), "{framework}", "house-1", "{requirement}", "1.1", "{attestation}", nobodys)

	all := []string{"read", "audit", "connections", "admin"}
	granted := model.Member{Role: model.RoleClient, Projects: []string{"shop"}}
	late := s.people.session(t, "default", "late", model.Member{Role: model.RoleAdmin})
	s.now = made.Add(time.Hour) // when its access token is over
	who := map[string]knocks{
		"nobody":                  {as: func(r *http.Request) *http.Request { return r }, unknown: true},
		"an expired access token": {as: bearing(late), unknown: true},
		"an expired API token":    {as: bearing(s.people.expired(t, "default", "expired")), unknown: true},
		"somebody's signature": {as: func(r *http.Request) *http.Request {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
			return r
		}, unknown: true},
		"another's administrator":  {as: bearing(s.people.session(t, "other", "bert", model.Member{Role: model.RoleAdmin})), scopes: append(all, "session"), stranger: true},
		"a client without a grant": {as: bearing(s.people.session(t, "default", "carl", model.Member{Role: model.RoleClient})), scopes: []string{"read", "session"}, stranger: true},
		"a client of other things": {as: bearing(s.people.session(t, "default", "dora", model.Member{Role: model.RoleClient, Projects: []string{"other"}})), scopes: []string{"read", "session"}, stranger: true},
		"a client with a grant":    {as: bearing(s.people.session(t, "default", "emil", granted)), scopes: []string{"read", "session"}},
		"an administrator":         {as: bearing(s.people.session(t, "default", "frida", model.Member{Role: model.RoleAdmin})), scopes: append(all, "session")},
		"an operator": {as: func(r *http.Request) *http.Request {
			return r.WithContext(auth.WithOperator(r.Context(), "arn:aws:iam::999999999999:user/o"))
		}, scopes: []string{"operator"}},
		"a client's token for more": {as: bearing(s.people.limited(t, "default", "gustav", granted, model.APIToken{Scopes: model.RoleAdmin.Scopes()})), scopes: []string{"read"}},
		"a token of other projects": {as: bearing(s.people.limited(t, "default", "hilde", model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: []model.Scope{model.ScopeRead, model.ScopeAudit, model.ScopeConnections}, Projects: []string{"other"}})), scopes: all[:3], stranger: true},
	}
	for _, scope := range model.RoleAdmin.Scopes() {
		who["a token for "+string(scope)] = knocks{as: bearing(s.people.limited(t, "default", "of-"+string(scope), model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: []model.Scope{scope}})), scopes: []string{string(scope)}}
	}

	seen := map[string]bool{}
	operations := s.operations()
	slices.SortStableFunc(operations, func(a, b operation) int { // nobody comes in after that
		return strings.Compare(fmt.Sprint(a.ID == "sign-out"), fmt.Sprint(b.ID == "sign-out"))
	})
	for _, o := range operations {
		need, ok := needs[o.ID]
		if !ok {
			t.Errorf("%s %s (%s): say in this test whom it is for", o.method, o.path, o.ID)
			continue
		}
		seen[o.ID] = true
		for name, k := range who {
			path := o.path
			if o.ID == "delete-organization" {
				path = "/operator/v1/organizations/spare"
			}
			r := httptest.NewRequestWithContext(t.Context(), o.method, fill.Replace(path), strings.NewReader(samples[o.ID]))
			r.Header.Set("Content-Type", "application/json")
			r.RemoteAddr = "192.0.2.200:1"
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, k.as(r))
			operators := slices.Contains(k.scopes, "operator")
			want := "in"
			switch {
			case need == "anybody":
			case (need == "operator") != operators:
				want = "401"
				if need != "operator" && !k.unknown && !operators {
					want = "403"
				}
			case k.unknown:
				want = "401"
			case need == "lets in" && (!slices.Contains(k.scopes, "admin") || !slices.Contains(k.scopes, "session")):
				want = "403"
			case need != "known" && need != "lets in" && !slices.Contains(k.scopes, need):
				want = "403"
			case k.stranger && strings.Contains(o.path, "{") && !strings.HasPrefix(o.path, "/v1/me/") && !strings.HasPrefix(o.path, "/v1/checks/") && !strings.HasPrefix(o.path, "/v1/compliance/"): // what is one's own, or everybody's
				want = "404"
			}
			got := map[int]string{http.StatusUnauthorized: "401", http.StatusForbidden: "403", http.StatusNotFound: "404"}[w.Code]
			var p struct{ Code string }
			_ = json.Unmarshal(w.Body.Bytes(), &p)
			if got == "" || want == "in" && (slices.Contains(within, p.Code) || o.ID == "update-member" && p.Code == people.CodeNotByToken) { // which the sample's role is
				got = "in"
			}
			if k.stranger && want == "404" && (w.Code == http.StatusUnprocessableEntity || w.Code == http.StatusBadRequest) {
				got = "404" // refused before anybody looked
			}
			if got != want || w.Code >= 500 {
				t.Errorf("%s, %s: status %d (%s), want %s", name, o.ID, w.Code, p.Code, want)
			}
		}
	}
	for id := range maps.Keys(needs) {
		if !seen[id] {
			t.Errorf("there is no %s any more", id)
		}
	}
}

// within are problems that only those get who were let in.
var within = []string{
	"sso_off",
	"access_keys_disabled", "not_found", "sign_in_refused", "challenge_over", "link_over", "token_invalid", "password_wrong", "not_a_member", "beyond_owner", "code_wrong",
}

// session is an access token of somebody's session.
func (c *crowd) session(t testing.TB, org model.OrganizationID, name string, m model.Member) secret.String {
	c.limited(t, org, name, m, model.APIToken{Scopes: []model.Scope{model.ScopeRead}})
	return c.again(t, org, name)
}

// again is an access token of another session of somebody's who was made.
func (c *crowd) again(t testing.TB, org model.OrganizationID, name string) secret.String {
	who, err := c.store.People().ByEmail(context.Background(), name+"@"+string(org)+".example")
	if err != nil {
		t.Fatal(err)
	}
	return c.begin(t, org, who)
}

func (c *crowd) begin(t testing.TB, org model.OrganizationID, who model.Person) secret.String {
	id := newULID()
	_, hash, err := people.NewToken(people.RefreshToken, id)
	if err != nil {
		t.Fatal(err)
	}
	session, err := c.sessions.Begin(context.Background(), who, model.Session{ID: model.SessionID(id), Organization: org, Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	access, _, err := c.sessions.Tokens.Issue(context.Background(), session)
	if err != nil {
		t.Fatal(err)
	}
	return access
}

// expired is an API token that was good until a moment ago.
func (c *crowd) expired(t testing.TB, org model.OrganizationID, name string) secret.String {
	return c.limited(t, org, name, model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: model.RoleAdmin.Scopes(), CreatedAt: c.now().Add(-2 * time.Hour), ExpiresAt: c.now()})
}
