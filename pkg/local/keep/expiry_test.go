package keep_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// A kept role whose trust policy lost its condition is refused when a week is over.
func TestAKeptRoleIsVerifiedAgain(t *testing.T) {
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch r.Form.Get("Action") {
		case "AssumeRole": // whoever asks
			if r.Form.Get("ExternalId") != "the-id" {
				tries++
			}
			_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
				time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		case "GetCallerIdentity":
			_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/R/s</Arn><UserId>AROA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case "DescribeRegions":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error></Errors></Response>")
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
		}
	}))
	defer server.Close()
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
	open := func(age time.Duration) error {
		t.Helper()
		tries = 0
		if err := accounts.State.Records.ChangeVerified(t.Context(), c.ID, func(v *store.Verified) { v.Way, v.At = roleARN, time.Now().Add(-age) }); err != nil {
			t.Fatal(err)
		}
		if _, err := accounts.Open(t.Context(), c, "cloudarq-x", &ledger.Memory{}); err != nil {
			t.Fatal(err)
		}
		_, err := accounts.VerifyTrust(t.Context(), c, "cloudarq-x", connect.Looked{}, &ledger.Memory{})
		return err
	}
	if err := open(6 * 24 * time.Hour); err != nil || tries != 0 {
		t.Errorf("verified six days ago: %v, %d tries", err, tries)
	}
	var refused *pipeline.RefusedError
	if err := open(8 * 24 * time.Hour); !errors.As(err, &refused) || refused.Code != model.CodeMissingExternalID || tries != 1 {
		t.Errorf("verified eight days ago: %v, %d tries", err, tries)
	}
	if now, err := accounts.Find(t.Context(), string(c.ID)); err != nil || now.State != model.ConnectionPending || now.Reason == "" {
		t.Errorf("the connection is %s, %v", now.State, err)
	}
}
