package keep_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// gate is a role as STS knows it, and what was tried with it.
type gate struct {
	asks     string // the External ID; empty lets in everybody
	noSource bool   // it allows no source identity
	tries    []string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	id, source := r.Form.Get("ExternalId"), r.Form.Get("SourceIdentity")
	switch r.Form.Get("Action") {
	case "AssumeRole":
		what := strings.TrimSpace(id + map[bool]string{true: " and source"}[source != ""])
		if strings.HasPrefix(id, "cloudarq-probe-") {
			what = "wrong"
		}
		g.tries = append(g.tries, what)
		if g.asks != "" && id != g.asks || source != "" && g.noSource {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
			return
		}
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case "GetCallerIdentity":
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/R/s</Arn><UserId>AROA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	default:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
	}
}

// tried are the tries since the last call.
func (g *gate) tried() string {
	tries := strings.Join(g.tries, ", ")
	g.tries = nil
	return tries
}

// gated keeps the account of a role, active.
func gated(t *testing.T, g *gate) (keep.Connections, model.Connection) {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": "", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s",
	} {
		t.Setenv(name, value)
	}
	accounts := connections(t, filepath.Join(t.TempDir(), "state"), "")
	accounts.Client = client.New(client.Options{Version: "test", MaxAttempts: 1})
	c, _, err := accounts.Add(t.Context(), keep.NewConnection{RoleARN: roleARN, ExternalID: secret.New("the-id")})
	if err != nil {
		t.Fatal(err)
	}
	c.State, c.Reason = model.ConnectionActive, ""
	if err := accounts.State.Records.PutConnection(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	return accounts, c
}

// A role that allows no source identity denies it once in a while, not in each audit.
func TestASourceIdentityThatIsRefusedIsRemembered(t *testing.T) {
	g := &gate{asks: "the-id", noSource: true}
	accounts, c := gated(t, g)
	for i, want := range []string{"the-id and source, the-id, , wrong", "the-id", "the-id"} {
		if _, err := accounts.Open(t.Context(), c, "cloudarq-x", &ledger.Memory{}); err != nil {
			t.Fatal(err)
		}
		if _, err := accounts.VerifyTrust(t.Context(), c, "cloudarq-x", connect.Looked{}, &ledger.Memory{}); err != nil {
			t.Fatal(err)
		}
		if got := g.tried(); got != want {
			t.Errorf("audit %d tried %q, want %q", i+1, got, want)
		}
	}
}

// Until the role asks for the new External ID both are good, whatever is asked for
// meanwhile; then the old one is forgotten.
func TestRotatedInStages(t *testing.T) {
	g := &gate{asks: "the-id"}
	accounts, c := gated(t, g)
	open := func(what string, replacing bool) {
		t.Helper()
		if _, err := accounts.Open(t.Context(), c, "cloudarq-x", &ledger.Memory{}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		access, err := accounts.State.Records.Access(t.Context(), c.ID)
		if err != nil || access.ExternalIDs().Staged() != replacing {
			t.Errorf("%s: it is being replaced: %v, %v", what, access.ExternalIDs().Staged(), err)
		}
	}
	rotate := func(id string) (secret.String, error) {
		return accounts.RotateExternalID(t.Context(), c, secret.New(id))
	}
	open("at first", false)
	next, err := rotate("")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := rotate(""); err != nil || again.Reveal() != next.Reveal() {
		t.Errorf("asked for again it is another one, %v", err)
	}
	var input *local.InputError
	if _, err := rotate("a-third"); !errors.As(err, &input) {
		t.Errorf("a third one: %v", err)
	}
	open("the role asks for the old one", true)
	if _, err := rotate("the-id"); err != nil {
		t.Fatal(err)
	}
	g.asks = next.Reveal()
	open("taken back, but the role asks for the new one by now", true)
	if _, err := rotate(next.Reveal()); err != nil {
		t.Fatal(err)
	}
	open("the role asks for the new one", false)
	g.asks = "the-id"
	if _, err := accounts.Open(t.Context(), c, "cloudarq-x", &ledger.Memory{}); err == nil {
		t.Error("the old one is still good")
	}
}

// A kept role that lets in others is refused when a week is over, at the latest.
func TestAKeptRoleIsVerifiedAgain(t *testing.T) {
	g := &gate{}
	accounts, c := gated(t, g)
	open := func(age time.Duration) error {
		t.Helper()
		if err := accounts.State.Records.ChangeVerified(t.Context(), c.ID, func(v *store.Verified) { v.Way, v.At = roleARN, time.Now().Add(-age) }); err != nil {
			t.Fatal(err)
		}
		if _, err := accounts.Open(t.Context(), c, "cloudarq-x", &ledger.Memory{}); err != nil {
			t.Fatal(err)
		}
		g.tried()
		_, err := accounts.VerifyTrust(t.Context(), c, "cloudarq-x", connect.Looked{}, &ledger.Memory{})
		return err
	}
	if err := open(6 * 24 * time.Hour); err != nil || len(g.tries) != 0 {
		t.Errorf("verified six days ago: %v, %d tries", err, len(g.tries))
	}
	var refused *pipeline.RefusedError
	if err := open(8 * 24 * time.Hour); !errors.As(err, &refused) || refused.Code != model.CodeMissingExternalID || len(g.tries) != 1 {
		t.Errorf("verified eight days ago: %v, %d tries", err, len(g.tries))
	}
	if now, err := accounts.Find(t.Context(), string(c.ID)); err != nil || now.State != model.ConnectionPending || now.Reason == "" {
		t.Errorf("the connection is %s, %v", now.State, err)
	}
}
