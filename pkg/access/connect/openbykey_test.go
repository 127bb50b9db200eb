package connect_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// TestOpenByKey: what AWS says of a key, and what that says of the connection.
func TestOpenByKey(t *testing.T) {
	const mine = "111122223333"
	identity := `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/me</Arn><UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
	refusal := func(code string) string {
		return "<ErrorResponse><Error><Code>" + code + "</Code><Message>m</Message></Error></ErrorResponse>"
	}
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		forbidden bool
		account   string // of the audit
		status    int
		answer    string
		code      string // of the refusal; "-" is an error that says nothing of the key
		calls     int
	}{
		"accepted":               {false, mine, 200, identity, "", 1},
		"account not known yet":  {false, "", 200, identity, "", 1},
		"of another account":     {false, "444455556666", 200, identity, "account_mismatch", 1},
		"forbidden":              {true, mine, 200, identity, "access_keys_disabled", 0},
		"deleted or deactivated": {false, mine, 403, refusal("InvalidClientTokenId"), "access_key_refused", 1},
		"another secret":         {false, mine, 403, refusal("SignatureDoesNotMatch"), "access_key_refused", 1},
		"AWS in trouble":         {false, mine, 500, refusal("InternalFailure"), "-", 1},
		"a session that ended":   {false, mine, 403, refusal("ExpiredToken"), "-", 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if !strings.Contains(r.Header.Get("Authorization"), given.ID.Reveal()) {
					t.Errorf("signed by %s", r.Header.Get("Authorization"))
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			t.Setenv("AWS_ENDPOINT_URL", server.URL)
			t.Setenv("AWS_CA_BUNDLE", "")
			k, _, _ := accessKeys(t)
			connection := give(t, k, "acme", "a", given)
			if err := k.Store.For("acme").PutSettings(t.Context(), model.Change{}, &model.Settings{AccessKeysAllowed: !c.forbidden}); err != nil {
				t.Fatal(err)
			}
			accounts := connect.Accounts{
				Catalog:     catalog,
				ExternalIDs: connect.ExternalIDs{Store: k.Store, Keys: k.Keys, Now: time.Now}, Client: client.New(client.Options{Version: "test", MaxAttempts: 1}),
			}
			audit := model.Audit{ID: "audit", Connection: connection.ID, AccountID: c.account}
			account, err := accounts.Open(t.Context(), "acme", audit, policy.Session{Actions: []string{"kms:ListKeys"}}, &ledger.Memory{})
			if calls != c.calls {
				t.Errorf("%d calls of AWS, want %d", calls, c.calls)
			}
			var refused *pipeline.RefusedError
			switch {
			case c.code == "":
				if err != nil || account.Identity().Account != mine {
					t.Fatalf("%v, want it opened", err)
				}
				if v, err := accounts.Verify(t.Context(), "acme", audit, account, &ledger.Memory{}); err != nil || v.Trust != nil || v.Permissions.Principal == "" {
					t.Errorf("verify: %+v, %v; there is nothing to try", v, err)
				}
			case c.code == "-":
				if err == nil || errors.As(err, &refused) {
					t.Errorf("%v, want an error that may pass", err)
				}
			case !errors.As(err, &refused) || refused.Code != c.code || !strings.HasPrefix(refused.Message, c.code+": "):
				t.Errorf("%v, want a refusal with the code %s", err, c.code)
			}
		})
	}
}
