package serverless_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/stack"
)

// TestSameResult audits the sample estate by the command and by the functions,
// and compares what they say.
func TestSameResult(t *testing.T) {
	h := start(t, "same", nil)
	program := command(t)
	cloudarq := func(stdin string, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env, cmd.Stdin = h.estate.Environ(), strings.NewReader(stdin)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("cloudarq %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
		}
		return out
	}
	for _, account := range h.estate.Accounts {
		t.Run(account.Name, func(t *testing.T) {
			data := t.TempDir()
			// For the command, the role trusts whoever runs it.
			if err := trust(t.Context(), h.emulator.URL, account, "arn:aws:iam::"+stack.Account+":root", account.ExternalID); err != nil {
				t.Fatal(err)
			}
			cloudarq(account.ExternalID, "connections", "add", "--quiet", "--data-dir", data, "--name", "same", "--role-arn", account.RoleARN, "--external-id", "-")
			cloudarq("", "audit", "run", "--quiet", "--data-dir", data, "--connection", "same")
			var local audit
			if err := json.Unmarshal(cloudarq("", "audit", "show", "--data-dir", data, "-o", "json"), &local); err != nil {
				t.Fatal(err)
			}
			var listed []struct {
				found
				Check string
			}
			if err := json.Unmarshal(cloudarq("", "findings", "list", "--all", "--data-dir", data, "-o", "json"), &listed); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, f := range listed {
				want[f.ID] = f.Check + " " + f.State
			}

			c := h.connect(account, nil)
			remote := h.wait(c, h.begin(c, account.Name).ID)
			got := map[string]string{}
			for id, f := range h.list(c) {
				got[id] = f.Check + " " + f.State
			}
			if len(want) == 0 && account.Name != "well-kept" {
				t.Error("the command found nothing")
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("findings (-command +functions):\n%s", d)
			}
			var mine, theirs map[string]any
			if err := json.Unmarshal(local.Summary, &mine); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(remote.Summary, &theirs); err != nil {
				t.Fatal(err)
			}
			for _, once := range []string{"calls", "load", "changes"} { // each task opens the account; the first audit of each
				delete(mine, once)
				delete(theirs, once)
			}
			if d := cmp.Diff(mine, theirs); d != "" {
				t.Errorf("summary (-command +functions):\n%s", d)
			}
			if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/score", nil, nil, nil); status != http.StatusOK {
				t.Errorf("score: status %d", status)
			}
		})
	}
}
