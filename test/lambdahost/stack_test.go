package lambdahost_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// TestOnATemplate runs a whole stack: from HTTP into a queue, from there into the
// table, each function with its own role.
func TestOnATemplate(t *testing.T) {
	deployed, err := stack.Deploy(t.Context(), theShared(t).emulator.URL, "../stack/testdata/template.yaml", "sample-"+newAccount(t), nil)
	must(t, err)
	path := theShared(t).bootstrap
	h, err := lambdahost.Start(t.Context(), deployed, lambdahost.Options{
		Binaries:           map[string]string{"Front": path, "Worker": path, "Clock": path},
		Keys:               map[string]lambdahost.Key{"AKIAEXAMPLE": {Secret: "secret", ARN: "arn:aws:iam::" + stack.Account + ":user/ann"}},
		VisibilityOverride: 10 * time.Millisecond,
		Logs:               func(function, line string) { t.Log(function, line) },
	})
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })

	client := lambdahost.SignedClient("AKIAEXAMPLE", "secret", stack.Region)
	status, _, body := send(t, client, request(t, http.MethodPost, h.URL()+"/do/send%20put%20x", ""))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	idle(t, h)
	var made []string
	for _, c := range h.Calls() {
		if c.Effect {
			made = append(made, c.Function+" "+c.Operation)
		}
	}
	if want := []string{"Front SendMessage", "Worker PutItem", "Worker PutItem"}; !slices.Equal(made, want) {
		t.Errorf("calls %q, want %q", made, want)
	}
	t.Run("a function may do what its own policies say, not what another's do", func(t *testing.T) {
		if _, err := h.Invoke(t.Context(), "Front", []byte(`{"do":"put x"}`)); err == nil {
			t.Error("Front wrote to the table")
		}
	})
	t.Run("schedules are found by their logical id", func(t *testing.T) {
		fired, err := h.Fire(t.Context(), "ClockNightly", time.Now())
		must(t, err)
		if fired.Err() != nil || string(fired.Event) != `{"kind":"nightly"}` {
			t.Errorf("%s: %v", fired.Event, fired.Err())
		}
	})
}
