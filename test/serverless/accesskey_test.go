package serverless_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/test/estate"
)

// accessKey is an access key in an account, and how its owner switches it off.
type accessKey struct {
	id, secret string
	deactivate func()
}

// newUser makes a user who may do everything in an account, with an access key.
func (h *house) newUser(account, name string) accessKey {
	h.t.Helper()
	ctx, users := h.t.Context(), iam.NewFromConfig(estate.Owner(h.emulator.URL, account))
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		h.t.Fatal(err)
	}
	everything := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	if _, err := users.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("audit"), PolicyDocument: &everything}); err != nil {
		h.t.Fatal(err)
	}
	made, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		h.t.Fatal(err)
	}
	id := aws.ToString(made.AccessKey.AccessKeyId)
	return accessKey{id, aws.ToString(made.AccessKey.SecretAccessKey), func() {
		h.t.Helper()
		if _, err := users.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: &id, Status: types.StatusTypeInactive}); err != nil {
			h.t.Fatal(err)
		}
	}}
}

// allowKeys lets the organization have access keys, or not, which no token does.
func (h *house) allowKeys(allowed bool) {
	h.t.Helper()
	h.token() // whose organization it is
	org := h.records().For(model.OrganizationID(h.organization))
	settings, err := org.Settings(h.t.Context())
	if err == nil {
		settings.AccessKeysAllowed = allowed
		err = org.PutSettings(h.t.Context(), model.Change{At: time.Now()}, &settings)
	}
	if err != nil {
		h.t.Fatalf("settings: %v", err)
	}
}

// giveKey gives a connection an access key.
func (h *house) giveKey(c connection, k accessKey) (status int, body string) {
	h.t.Helper()
	status, answer, err := h.request(http.MethodPut, "/v1/connections/"+c.ID+"/access-key", map[string]string{"If-Match": h.tag(c)},
		map[string]any{"access_key_id": k.id, "secret_access_key": k.secret})
	if err != nil {
		h.t.Fatal(err)
	}
	return status, string(answer)
}

// connectByKey registers an account that an access key opens.
func (h *house) connectByKey(name string, k accessKey) connection {
	h.t.Helper()
	body := scope()
	body["name"] = name
	var c connection
	if status := h.call(http.MethodPost, "/v1/connections", nil, body, &c); status != http.StatusCreated {
		h.t.Fatalf("connect %s: status %d", name, status)
	}
	if status, answer := h.giveKey(c, k); status != http.StatusOK {
		h.t.Fatalf("give %s a key: status %d, %s", name, status, answer)
	}
	return c
}

// rekey wraps the data keys of the organization anew, and says how many.
func (h *house) rekey() (n int) {
	h.t.Helper()
	type job struct {
		ID      string
		EndedAt time.Time `json:"ended_at"`
		Done    int
		Damaged bool
	}
	var began, ended job
	if status := h.call(http.MethodPost, h.operatorPath()+"/rekey", nil, nil, &began); status != http.StatusAccepted {
		h.t.Fatalf("rekey: status %d", status)
	}
	h.idle()
	if status := h.call(http.MethodGet, h.operatorPath()+"/jobs/"+began.ID, nil, nil, &ended); status != http.StatusOK || ended.EndedAt.IsZero() || ended.Damaged {
		h.t.Fatalf("rekey: status %d, %+v", status, ended)
	}
	return ended.Done
}

// TestAccessKey: the fallback, from the setting that allows it to the key that its
// owner switches off.
func TestAccessKey(t *testing.T) {
	h := start(t, "access-key", nil)
	account := newSmall(t, h.install, "777777777731")
	account.rotate(t, false)
	key := h.newUser(account.ID, "scanner")
	var c connection
	if status := h.call(http.MethodPost, "/v1/connections", nil, scope(), &c); status != http.StatusCreated {
		t.Fatalf("connect: status %d", status)
	}
	if status, answer := h.giveKey(c, key); status != http.StatusForbidden || !strings.Contains(answer, "access_keys_disabled") {
		t.Errorf("while access keys are off: status %d, %s", status, answer)
	}
	h.allowKeys(true)
	if status, answer := h.giveKey(c, key); status != http.StatusOK || strings.Contains(answer, key.id) || strings.Contains(answer, key.secret) {
		t.Fatalf("give: status %d, %s", status, answer)
	}
	a, now := h.verify(c)
	if a.State != "done" || now.State != "active" || now.AccountID != account.ID || now.Kind != "access_key" {
		t.Fatalf("verification is %s: %v; connection is %+v", a.State, a.Problems, now)
	}
	if a := h.wait(c, h.begin(c, "by key").ID); a.State != "done" || a.CallerARN != fmt.Sprintf("arn:aws:iam::%s:user/scanner", account.ID) || a.Account != account.ID {
		t.Errorf("audit is %s: %v, by %s", a.State, a.Problems, a.CallerARN)
	}
	findings := h.list(c)
	if len(findings) == 0 {
		t.Error("the audit found nothing")
	}

	// What seals the key is changed, and the key still opens.
	if n := h.rekey(); n < 2 {
		t.Errorf("%d data keys were wrapped anew, want those of the key and of the External ID", n)
	}
	if a, now := h.verify(c); a.State != "done" || now.State != "active" {
		t.Errorf("rekeyed, the verification is %s: %v", a.State, a.Problems)
	}

	// A key of another account is refused, and the connection stays of its own.
	stranger := newSmall(t, h.install, "777777777732")
	h.giveKey(c, h.newUser(stranger.ID, "stranger"))
	if a, now := h.verify(c); a.State != "failed" || !strings.Contains(now.Reason, "account_mismatch") || now.AccountID != account.ID {
		t.Errorf("with a key of another account, the verification is %s: %v; connection %+v", a.State, a.Problems, now)
	}
	h.giveKey(c, key)
	if a, now := h.verify(c); a.State != "done" || now.State != "active" {
		t.Errorf("with its own key again, the verification is %s: %v", a.State, a.Problems)
	}

	// Switched off, no key is used: not even by an audit that the clock starts.
	h.allowKeys(false)
	if status := h.call(http.MethodPost, "/v1/connections/"+c.ID+"/verify", nil, nil, nil); status != http.StatusForbidden {
		t.Errorf("verify while access keys are off: status %d", status)
	}
	h.due(c)
	if a := h.wait(c, h.latest(c).ID); a.State != "failed" || len(a.Problems) != 1 || !strings.Contains(a.Problems[0], "access_keys_disabled") {
		t.Errorf("an audit that was due while access keys are off is %s: %v", a.State, a.Problems)
	}
	var off connection
	if h.call(http.MethodGet, "/v1/connections/"+c.ID, nil, nil, &off); off.State != "active" {
		t.Errorf("the connection is %s: %s; want it active, for nobody took the key away", off.State, off.Reason)
	}
	h.allowKeys(true)
	if a, now := h.verify(c); a.State != "done" || now.State != "active" {
		t.Errorf("allowed again, the verification is %s: %v", a.State, a.Problems)
	}

	// The owner takes the key away.
	key.deactivate()
	if a, now := h.verify(c); a.State != "failed" || now.State != "revoked" || !strings.Contains(now.Reason, "access_key_refused") {
		t.Errorf("with a key that is off, the verification is %s: %v; connection is %s: %s", a.State, a.Problems, now.State, now.Reason)
	}
	if left := h.list(c); len(left) != len(findings) {
		t.Errorf("%d findings are left of %d", len(left), len(findings))
	}
}
