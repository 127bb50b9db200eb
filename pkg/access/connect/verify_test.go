package connect_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
)

// role is a role as STS knows it, and what was tried with it.
type role struct {
	externalID string // that it asks for; empty asks for none
	noSource   bool   // it allows no source identity
	tries      []string
}

func (r *role) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_ = request.ParseForm()
	if request.Form.Get("Action") == "GetCallerIdentity" {
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/R/s</Arn><UserId>AROA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
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
	e.accounts = connect.Accounts{
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
func (e *entrance) open(t *testing.T) {
	t.Helper()
	if _, err := e.accounts.Open(t.Context(), "acme", e.audit, policy.Session{Actions: []string{"kms:ListKeys"}}, &ledger.Memory{}); err != nil {
		t.Fatal(err)
	}
}

func (e *entrance) verify(t *testing.T) error {
	t.Helper()
	return e.accounts.Verify(t.Context(), "acme", e.audit, &ledger.Memory{})
}

// A trust policy that loses its condition later is noticed within a week.
func TestARoleIsVerifiedAgain(t *testing.T) {
	e := newEntrance(t)
	const both = "no id: denied, wrong id: denied"
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, both}, {time.Hour, ""}, {6 * 24 * time.Hour, ""}, {24 * time.Hour, both}, {time.Minute, ""}} {
		e.now = e.now.Add(step.after)
		if err := e.verify(t); err != nil {
			t.Fatal(err)
		}
		if got := e.tried(); got != step.want {
			t.Errorf("%s: tried %q, want %q", e.now, got, step.want)
		}
	}
	e.externalID = ""
	e.now = e.now.Add(6 * 24 * time.Hour)
	if err := e.verify(t); err != nil {
		t.Errorf("before the week is over: %v", err)
	}
	e.now = e.now.Add(24 * time.Hour)
	for range 2 { // it stays refused
		var refused *pipeline.RefusedError
		if err := e.verify(t); !errors.As(err, &refused) || refused.Code != model.CodeMissingExternalID {
			t.Errorf("after it: %v", err)
		}
	}
}

// A role without sts:SetSourceIdentity denies one attempt a week, not one a task.
func TestASourceIdentityThatIsRefusedIsRemembered(t *testing.T) {
	e := newEntrance(t)
	e.noSource = true
	audit := func(tasks int) string {
		e.open(t)
		if err := e.verify(t); err != nil {
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
