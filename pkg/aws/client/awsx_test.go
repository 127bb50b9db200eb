package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"golang.org/x/time/rate"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// reply answers every request of a test server.
func serve(t *testing.T, handler http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_CA_BUNDLE", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

const identity = `<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/me</Arn><UserId>AIDA</UserId><Account>111122223333</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`

func isIdentity(r *http.Request) bool {
	body, _ := io.ReadAll(r.Body)
	return strings.Contains(string(body), "GetCallerIdentity")
}

func TestOpenAndLedger(t *testing.T) {
	var agent atomic.Value
	throttled := atomic.Int32{}
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent())
		if isIdentity(r) {
			w.Header().Set("X-Amzn-Requestid", "r-1")
			_, _ = io.WriteString(w, identity)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Requestid", "r-2")
		if throttled.Add(1) == 1 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ThrottlingException","message":"slow down"}`)
			return
		}
		_, _ = io.WriteString(w, `{"Keys":[]}`)
	})
	connect, task := &ledger.Memory{}, &ledger.Memory{}
	limiter := NewLimiter(0)
	limiter.rest = time.Millisecond
	account, err := New(Options{Version: "1.2.3", Limiter: limiter}).Open(t.Context(), Target{}, connect)
	if err != nil {
		t.Fatal(err)
	}
	if who := account.Identity(); who.Account != "111122223333" || who.Partition != "aws" {
		t.Errorf("opened %+v", account)
	}
	client := kms.NewFromConfig(account.Config("eu-west-3", task))
	if _, err := client.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
		t.Fatal(err)
	}
	if got, want := limiter.bucket("111122223333", "eu-west-3", "KMS", "ListKeys").limit(), rate.Limit(500/2/2); got != want {
		t.Errorf("after a throttled call KMS is called at %v a second, want %v", got, want)
	}
	var refused *RefusedError
	if _, err := client.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: []byte("x")}); !errors.As(err, &refused) {
		t.Errorf("kms:Decrypt gave %v, want the guard's refusal", err)
	}
	if got := agent.Load().(string); !strings.Contains(got, "cloudarq/1.2.3") {
		t.Errorf("user agent %q", got)
	}
	if e := connect.Entries(); len(e) != 1 || e[0].Operation != "GetCallerIdentity" || e[0].RequestID != "r-1" {
		t.Errorf("connecting recorded %+v", e)
	}
	e := task.Entries()
	if len(e) != 2 {
		t.Fatalf("recorded %d calls, want 2", len(e))
	}
	if e[0].Service != "KMS" || e[0].Operation != "ListKeys" || e[0].Region != "eu-west-3" || e[0].Outcome != "ok" ||
		e[0].Attempts != 2 || e[0].Throttles != 1 || e[0].RequestID != "r-2" || e[0].DurationMS <= 0 {
		t.Errorf("recorded %+v", e[0])
	}
	if e[1].Outcome != "refused" {
		t.Errorf("the refused call is recorded as %q", e[1].Outcome)
	}
}

func TestBarrierStopsClientsWithoutTheGuard(t *testing.T) {
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !isIdentity(r) {
			t.Error("a request without the guard's mark was sent")
		}
		_, _ = io.WriteString(w, identity)
	})
	account, err := New(Options{}).Open(t.Context(), Target{}, &ledger.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	client := kms.NewFromConfig(account.Config("eu-west-1", &ledger.Memory{}), func(o *kms.Options) { o.APIOptions = nil })
	var refused *RefusedError
	if _, err := client.ListKeys(t.Context(), &kms.ListKeysInput{}); !errors.As(err, &refused) {
		t.Errorf("a client without middleware gave %v, want the refusal", err)
	}
}

func TestOpenRefused(t *testing.T) {
	xml := func(code string) string {
		return "<ErrorResponse><Error><Code>" + code + "</Code><Message>m</Message></Error></ErrorResponse>"
	}
	for name, c := range map[string]struct {
		status int
		body   string
		target Target
		want   string
	}{
		"no such key":     {403, xml("InvalidClientTokenId"), Target{AccessKey: accessKey}, "the access key that ends in MPLE (InvalidClientTokenId)"},
		"another secret":  {403, xml("SignatureDoesNotMatch"), Target{AccessKey: accessKey}, "the access key that ends in MPLE"},
		"expired":         {403, xml("ExpiredToken"), Target{}, "expired"},
		"wrong key":       {403, xml("InvalidClientTokenId"), Target{}, "does not accept"},
		"wrong secret":    {403, xml("SignatureDoesNotMatch"), Target{}, "does not accept"},
		"role":            {403, xml("AccessDenied"), Target{RoleARN: "arn:aws:iam::111122223333:role/X", SessionName: "s"}, "cannot assume arn:aws:iam::111122223333:role/X"},
		"not a role":      {200, identity, Target{RoleARN: "X"}, "not the ARN of an IAM role"},
		"unknown profile": {200, identity, Target{Profile: "nobody"}, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := New(Options{MaxAttempts: 1}).Open(t.Context(), c.target, &ledger.Memory{})
			var access *AccessError
			if !errors.As(err, &access) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want an AccessError with %q", err, c.want)
			}
			if unknown := strings.Contains(c.want, "does not accept") || !c.target.AccessKey.Empty(); access.Unknown() != unknown {
				t.Errorf("%v: AWS knows the credentials: %v", err, !access.Unknown())
			}
		})
	}
}

var accessKey = secret.AccessKey{ID: secret.New("AKIAIOSFODNN7EXAMPLE"), Secret: secret.New("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")}

// An access key opens its account by itself, whatever else this machine has, and is
// not printed with what it opened.
func TestOpenWithAnAccessKey(t *testing.T) {
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "Credential="+accessKey.ID.Reveal()+"/") || r.Header.Get("X-Amz-Security-Token") != "" {
			t.Errorf("signed by %q", signed)
		}
		_, _ = io.WriteString(w, identity)
	})
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHISMACHINE000")
	t.Setenv("AWS_SESSION_TOKEN", "of this machine")
	target := Target{AccessKey: accessKey}
	account, err := New(Options{}).Open(t.Context(), target, &ledger.Memory{})
	if err != nil || account.Identity().Account != "111122223333" {
		t.Fatalf("opened %+v, %v", account, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", target, target, target); strings.Contains(text, "wJalr") || strings.Contains(text, "AKIA") {
		t.Errorf("printed %s", text)
	}
}

func TestOpenGarbage(t *testing.T) {
	serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<x/>") })
	if _, err := New(Options{MaxAttempts: 1}).Open(t.Context(), Target{}, &ledger.Memory{}); err == nil || !strings.Contains(err.Error(), "is not AWS") {
		t.Errorf("%v, want a word about the endpoint", err)
	}
}

func TestOpenWithoutCredentials(t *testing.T) {
	serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := New(Options{}).Open(t.Context(), Target{}, &ledger.Memory{})
	var access *AccessError
	if !errors.As(err, &access) || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("%v, want a word about credentials", err)
	}
}

func TestOpenGivesUpOnSilence(t *testing.T) {
	release := make(chan struct{})
	serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	_, err := New(Options{CallTimeout: 50 * time.Millisecond}).Open(t.Context(), Target{}, &ledger.Memory{})
	if err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("%v, want a word about time", err)
	}
}

func TestLimiterPaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter([]Quota{{Service: "IAM", Operation: "GetRole", Limit: Limit{2, 2}}, {Service: "KMS", Limit: Limit{20, 10}}, {Service: "EC2", Operation: "*", Limit: Limit{2, 2}}}, 0.5, 64)
		took := func(account, service, operation string, calls int) time.Duration {
			start := time.Now()
			for range calls {
				done, err := l.wait(t.Context(), account, "eu-west-1", service, operation)
				if err != nil {
					t.Fatal(err)
				}
				done()
			}
			return time.Since(start)
		}
		if d := took("1", "KMS", "ListKeys", 25); d != 2*time.Second {
			t.Errorf("25 calls at 10 a second with a burst of 5 took %s, want 2s", d)
		}
		if d := took("2", "KMS", "ListKeys", 5); d != 0 {
			t.Errorf("another account waited %s", d)
		}
		if d := took("1", "KMS", "GetKeyPolicy", 10); d != time.Second {
			t.Errorf("10 calls that share the quota of 25 before took %s, want 1s", d)
		}
		if a, b := took("1", "EC2", "DescribeVpcs", 2), took("1", "EC2", "DescribeHosts", 2); a != time.Second || b != time.Second {
			t.Errorf("operations with quotas of their own took %s and %s, want 1s each", a, b)
		}
		if d := took("1", "IAM", "GetRole", 4); d != 3*time.Second {
			t.Errorf("4 calls of an operation limited to 1 a second took %s, want 3s", d)
		}
	})
}

// TestLimiterTimeUp: who would wait for longer than there is time does not wait at
// all, and what was not read for that is a matter of time, not an error.
func TestLimiterTimeUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter([]Quota{{Service: "KMS", Limit: Limit{1, 1}}}, 1, 64)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		for range 2 {
			done, err := l.wait(ctx, "1", "eu-west-1", "KMS", "ListKeys")
			if err == nil {
				done()
				continue
			}
			gap := collect.GapOf(&smithy.OperationError{ServiceID: "KMS", OperationName: "ListKeys", Err: err})
			if gap.Reason != fact.Timeout || time.Since(start) != 0 {
				t.Errorf("%v is the gap %+v, after %s", err, gap, time.Since(start))
			}
			return
		}
		t.Error("a call a second goes twice in half a second")
	})
}

// TestLimiterGivesWay: AWS's word that it is too much halves a bucket's rate, once
// for all calls that were under way, and the rate comes back little by little.
func TestLimiterGivesWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter([]Quota{{Service: "KMS", Limit: Limit{32, 32}}}, 0.5, 64)
		rateOf := func(account string) rate.Limit { return l.bucket(account, "eu-west-1", "KMS", "ListKeys").limit() }
		throttle := func() { l.bucket("1", "eu-west-1", "KMS", "ListKeys").giveWay() }
		for i, want := range []rate.Limit{8, 4, 2, 1, 0.5, 0.5} {
			throttle()
			throttle() // was sent before the rate was halved
			if got := rateOf("1"); got != want {
				t.Errorf("after %d throttles %v a second, want %v", i+1, got, want)
			}
			time.Sleep(giveWayOnce)
		}
		if got := rateOf("2"); got != 16 {
			t.Errorf("another account goes at %v a second", got)
		}
		for before := rateOf("1"); before < 16; {
			time.Sleep(restoreAfter)
			got := rateOf("1")
			if got <= before || got > before+16*restoreBy {
				t.Fatalf("from %v a second to %v", before, got)
			}
			before = got
		}
		throttle()
		time.Sleep(time.Hour)
		if got := rateOf("1"); got != 16 {
			t.Errorf("after an hour %v a second", got)
		}

		free := Unlimited()
		free.bucket("1", "eu-west-1", "KMS", "ListKeys").giveWay()
		if got := free.bucket("1", "eu-west-1", "KMS", "ListKeys").limit(); got != rate.Inf {
			t.Errorf("what is not paced goes at %v a second", got)
		}
	})
}

func TestLimiterBoundsCallsUnderWay(t *testing.T) {
	t.Parallel()
	l := newLimiter(nil, 0, 2)
	var held []func()
	for range 2 {
		done, err := l.wait(t.Context(), "1", "r", "S3", "ListBuckets")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, done)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.wait(ctx, "1", "r", "S3", "ListBuckets"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third call was let through (%v)", err)
	}
	held[0]()
	if _, err := l.wait(t.Context(), "1", "r", "S3", "ListBuckets"); err != nil {
		t.Errorf("a freed place was not given on: %v", err)
	}
}

func TestEmulatorIsOnlyThisMachine(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:5000": "127.0.0.1:5000", "http://localhost:5000": "localhost:5000", "http://[::1]:80": "[::1]:80",
		"https://vpce-1.kms.eu-west-1.vpce.amazonaws.com": "", "http://10.0.0.1:5000": "", "": "", "::": "",
	} {
		if got := emulator(aws.Config{BaseEndpoint: &endpoint}); got != want {
			t.Errorf("emulator(%q) = %q, want %q", endpoint, got, want)
		}
	}
}
