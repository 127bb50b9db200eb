package emulator_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/test/emulator"
)

func TestClose(t *testing.T) {
	s, err := emulator.Start(context.Background(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	get(t, s.URL+"/emulator/ready")
	pid := emulator.Pid(s)
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("signal to process %d: %v, want it gone", pid, err)
	}
}

func TestCancelEndsTheProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := emulator.Start(ctx, emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Close(); err == nil {
		t.Error("close after a kill reports success")
	}
	if err := syscall.Kill(emulator.Pid(s), 0); err != syscall.ESRCH {
		t.Errorf("signal after cancel: %v, want the process gone", err)
	}
}

func TestControl(t *testing.T) {
	s := emulator.ForTest(t, emulator.Options{Enforce: true})

	if code := listKeys(t, s); code != "" {
		t.Fatalf("ListKeys: %s", code)
	}
	must(t, s.SCP("123456789012", `{"Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}`))
	if code := listKeys(t, s); code != "AccessDeniedException" {
		t.Errorf("ListKeys under an SCP: %q, want AccessDeniedException", code)
	}
	must(t, s.SCP("123456789012", ""))

	must(t, s.Fault(emulator.Fault{Service: "kms", Kind: emulator.Throttle, Times: 1}, emulator.Fault{Operation: "ListKeys", Kind: emulator.Error500}))
	if code := listKeys(t, s); code != "ThrottlingException" {
		t.Errorf("ListKeys when throttled: %q", code)
	}
	if code := listKeys(t, s); code != "InternalFailure" {
		t.Errorf("ListKeys after the throttle is spent: %q", code)
	}
	must(t, s.ClearFaults())

	later := emulator.Answer{Service: "kms", Operation: "ListKeys", Status: 400, Code: "DependencyTimeoutException", Body: "later"}
	must(t, s.Answer(later))
	must(t, s.Retract(emulator.Answer{Service: "kms", Operation: "ListAliases"}))
	if code := listKeys(t, s); code != "DependencyTimeoutException" {
		t.Errorf("ListKeys with an answer laid down, and another taken back: %q", code)
	}
	must(t, s.Retract(later))

	calls, err := s.Calls()
	must(t, err)
	var outcomes []string
	for _, c := range calls {
		outcomes = append(outcomes, c.Outcome)
	}
	if got := strings.Join(outcomes, " "); got != "ok denied throttle error500 canned" {
		t.Errorf("outcomes: %s", got)
	}
	must(t, s.ResetCalls())
	if calls, err := s.Calls(); err != nil || len(calls) != 0 {
		t.Errorf("calls after reset: %v, %v", calls, err)
	}
}

func TestRefusesRulesThatMakeNoSense(t *testing.T) {
	s := emulator.ForTest(t, emulator.Options{})
	if err := s.Fault(emulator.Fault{Kind: "earthquake"}); err == nil {
		t.Error("an unknown kind of fault was accepted")
	}
	if err := s.SCP("123456789012", `{"Statement":{"Effect":"Deny","Action":"*","Condition":{"NoSuch":{"a":"b"}}}}`); err == nil {
		t.Error("an SCP the emulator cannot evaluate was accepted")
	}
}

// listKeys makes a signed call by hand, so that this package needs no SDK, and returns the error code.
func listKeys(t *testing.T, s *emulator.Server) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.URL, bytes.NewBufferString("{}"))
	must(t, err)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=0")
	req.Header.Set("X-Amz-Target", "TrentService.ListKeys")
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	return resp.Header.Get("X-Amzn-Errortype")
}

func get(t *testing.T, url string) {
	t.Helper()
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(url)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, resp.Status)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
