package connect_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// role is a role as STS knows it, and what was tried with it.
type role struct {
	externalID string // that it asks for; empty asks for none
	noSource   bool   // it allows no source identity
	trust      string // what more its trust policy says
	unread     bool   // it may not be read
	tries      []string
}

// document is the role's trust policy as IAM has it.
func (r *role) document() string {
	return url.PathEscape(fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":%q}}}%s]}`, r.externalID, r.trust))
}

func (r *role) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_ = request.ParseForm()
	if request.Form.Get("Action") == "GetCallerIdentity" {
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/R/s</Arn><UserId>AROA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		return
	}
	if request.Form.Get("Action") == "GetAccountAuthorizationDetails" && !r.unread {
		_, _ = fmt.Fprintf(w, `<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><RoleDetailList><member><RoleName>R</RoleName><AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument><RolePolicyList/><AttachedManagedPolicies/></member></RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>`, r.document())
		return
	}
	if request.Form.Get("Action") != "AssumeRole" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
		return
	}
	id, source := request.Form.Get("ExternalId"), request.Form.Get("SourceIdentity") != ""
	what := map[bool]string{true: "right id", false: "wrong id"}[id == r.externalID]
	if id == "" {
		what = "no id"
	}
	if source {
		what += " and source"
	}
	if r.externalID != "" && id != r.externalID || source && r.noSource {
		r.tries = append(r.tries, what+": denied")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
		return
	}
	r.tries = append(r.tries, what+": allowed")
	_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// entrance is a connection with a role, and the way into it.
type entrance struct {
	*role
	accounts connect.Accounts
	audit    model.Audit
	now      time.Time
}

func newEntrance(t *testing.T) *entrance {
	t.Helper()
	e := &entrance{role: &role{}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), audit: model.Audit{ID: "audit", Connection: "c", AccountID: "111122223333"}}
	server := httptest.NewServer(e.role)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": "", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s",
	} {
		t.Setenv(name, value)
	}
	ids, _ := externalIDs(t)
	external, err := ids.ExternalID(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	e.externalID = external.Reveal()
	c := model.Connection{ID: "c", AccountID: "111122223333", RoleARN: "arn:aws:iam::111122223333:role/R"}
	if err := ids.Store.For("acme").PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	e.accounts = connect.Accounts{
		Catalog:     catalog,
		ExternalIDs: ids, Client: client.New(client.Options{Version: "test", MaxAttempts: 1}),
		VerifyEvery: 7 * 24 * time.Hour, Now: func() time.Time { return e.now },
	}
	return e
}

// tried are the tries since the last call.
func (e *entrance) tried() string {
	tries := strings.Join(e.tries, ", ")
	e.tries = nil
	return tries
}

// open is what a task does, and verify what the first one does besides.
func (e *entrance) open(t *testing.T) pipeline.Account {
	t.Helper()
	account, err := e.accounts.Open(t.Context(), "acme", e.audit, policy.Session{Actions: []string{"kms:ListKeys"}}, &ledger.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func (e *entrance) verify(t *testing.T, account pipeline.Account) (*model.Trust, error) {
	t.Helper()
	v, err := e.accounts.Verify(t.Context(), "acme", e.audit, account, &ledger.Memory{})
	return v.Trust, err
}

// audited is what comes of the trust in an audit, and what was tried for it.
func (e *entrance) audited(t *testing.T) (trust *model.Trust, tried string, err error) {
	t.Helper()
	account := e.open(t)
	e.tried()
	trust, err = e.verify(t, account)
	return trust, e.tried(), err
}

const both = "no id: denied, wrong id: denied"

// A role is tried again when a week is over, also one whose trust policy cannot be read.
func TestARoleIsVerifiedAgain(t *testing.T) {
	for _, unread := range []bool{false, true} {
		e := newEntrance(t)
		e.unread = unread
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, both}, {time.Hour, ""}, {6 * 24 * time.Hour, ""}, {24 * time.Hour, both}, {time.Minute, ""}} {
			e.now = e.now.Add(step.after)
			trust, tried, err := e.audited(t)
			if err != nil || tried != step.want {
				t.Errorf("%s: tried %q, want %q: %v", e.now, tried, step.want, err)
			}
			if trust == nil || trust.Open != "" || (trust.Unread != "") != unread || step.want != "" && !trust.TriedAt.Equal(e.now) {
				t.Errorf("%s: %+v", e.now, trust)
			}
		}
		if !unread {
			continue
		}
		e.externalID = ""
		if _, tried, err := e.audited(t); err != nil || tried != "" {
			t.Errorf("nobody can know before the week is over: tried %q, %v", tried, err)
		}
		e.now = e.now.Add(7 * 24 * time.Hour)
		for range 2 { // it stays refused
			trust, _, err := e.audited(t)
			var refused *pipeline.RefusedError
			if !errors.As(err, &refused) || refused.Code != model.CodeMissingExternalID || trust == nil || trust.Open == "" {
				t.Errorf("after it: %+v, %v", trust, err)
			}
		}
	}
}

// A role whose trust policy was loosened is refused by the next audit, and one whose
// policy was changed otherwise is tried for it, and once more when AWS knows it everywhere.
func TestTrustThatIsLoosenedLater(t *testing.T) {
	for name, loosen := range map[string]func(*role){
		"the condition is gone": func(r *role) { r.externalID = "" },
		"a second statement without it": func(r *role) {
			r.externalID, r.trust = "", `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntrance(t)
			step := func(what, want string) {
				t.Helper()
				e.now = e.now.Add(time.Minute)
				if trust, tried, err := e.audited(t); err != nil || tried != want || trust == nil || trust.Open != "" {
					t.Errorf("%s: tried %q, want %q: %+v, %v", what, tried, want, trust, err)
				}
			}
			step("at first", both)
			step("the same", "")
			e.trust = `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:TagSession"}`
			step("changed", both)
			step("changed a moment ago", both)
			step("the same again", "")
			right := *e.role
			loosen(e.role)
			for range 2 {
				trust, tried, err := e.audited(t)
				var refused *pipeline.RefusedError
				if !errors.As(err, &refused) || refused.Code != model.CodeMissingExternalID || refused.Check != "cloudarq-access-external-id" {
					t.Errorf("loosened: %v", err)
				}
				if tried != "no id: allowed" || trust == nil || trust.Open != "without an External ID" {
					t.Errorf("loosened: tried %q, %+v", tried, trust)
				}
			}
			e.externalID, e.trust = right.externalID, right.trust
			step("mended", both)
			step("mended, the same", "")
		})
	}
}

// A trust policy that asks for a source identity is tried with one, too.
func TestTrustThatAsksForASourceIdentity(t *testing.T) {
	e := newEntrance(t)
	e.trust = `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"STS:SourceIdentity":"*"}}}`
	if _, tried, err := e.audited(t); err != nil || tried != both+", no id and source: denied, wrong id and source: denied" {
		t.Errorf("tried %q, %v", tried, err)
	}
}

// A role without sts:SetSourceIdentity denies one attempt a week, not one a task.
func TestASourceIdentityThatIsRefusedIsRemembered(t *testing.T) {
	e := newEntrance(t)
	e.noSource = true
	audit := func(tasks int) string {
		if _, err := e.verify(t, e.open(t)); err != nil {
			t.Fatal(err)
		}
		for range tasks {
			e.open(t)
		}
		return e.tried()
	}
	verified := "no id: denied, wrong id: denied"
	plain, source := "right id: allowed", "right id and source: allowed"
	refused := "right id and source: denied"
	week := 7 * 24 * time.Hour
	for _, step := range []struct {
		what  string
		after time.Duration
		role  func()
		want  []string
	}{
		{"the first audit", 0, nil, []string{refused, plain, verified, plain, plain}},
		{"the next one", 24 * time.Hour, nil, []string{plain, plain, plain}},
		{"a week later", week, nil, []string{refused, plain, verified, plain, plain}},
		{"it allows one", week, func() { e.noSource = false }, []string{source, verified, source, source}},
		{"and does not", time.Hour, func() { e.noSource = true }, []string{refused, plain, plain, plain}},
	} {
		e.now = e.now.Add(step.after)
		if step.role != nil {
			step.role()
		}
		if d := cmp.Diff(strings.Join(step.want, ", "), audit(2)); d != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, d)
		}
	}
}
