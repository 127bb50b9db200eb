package serverless_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

// TestWhichWayAnAuditGoes: what somebody asked for has a queue of its own, from the API
// to the last task, and what the clock began has the other. Whoever works on a message
// hides it for two minutes first of all.
func TestWhichWayAnAuditGoes(t *testing.T) {
	var mu sync.Mutex
	ways := map[string]bool{}
	hides := map[string]int{}
	h := start(t, "ways", func(o *lambdahost.Options) {
		o.Intercept = func(c lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
			if phase != lambdahost.BeforeSend || c.Service != "sqs" {
				return lambdahost.Continue()
			}
			mu.Lock()
			defer mu.Unlock()
			for _, name := range []string{"UrgentTasksQueue", "TasksQueue", "ResultsQueue"} {
				if !strings.Contains(c.Resource, name) {
					continue
				}
				if strings.HasPrefix(c.Operation, "SendMessage") {
					ways[c.Function+" to "+name] = true
				}
				if c.Operation == "ChangeMessageVisibility" && c.Seconds == 120 {
					hides[name]++
				}
				break
			}
			return lambdahost.Continue()
		}
	})
	went := func() (map[string]bool, map[string]int) {
		mu.Lock()
		defer mu.Unlock()
		w, n := ways, hides
		ways, hides = map[string]bool{}, map[string]int{}
		return w, n
	}
	account := newSmall(t, h.install, "777777777795")
	c := h.connect(account.Account, scope())
	urgent := map[string]bool{"ApiFunction to UrgentTasksQueue": true, "CheckerFunction to UrgentTasksQueue": true, "CheckerFunction to ResultsQueue": true}

	if a, now := h.verify(c); a.State != "done" || now.State != "active" {
		t.Fatalf("verification is %s: %v", a.State, a.Problems)
	}
	verified := map[string]bool{"ApiFunction to UrgentTasksQueue": true, "CheckerFunction to ResultsQueue": true}
	got, _ := went()
	delete(got, "CheckerFunction to UrgentTasksQueue") // of no tasks, if at all
	if d := cmp.Diff(verified, got); d != "" {
		t.Errorf("verification (-want +got):\n%s", d)
	}
	if a := h.wait(c, h.begin(c, "by hand").ID); a.State != "done" {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	got, hidden := went()
	if d := cmp.Diff(urgent, got); d != "" {
		t.Errorf("on demand (-want +got):\n%s", d)
	}
	// A message that comes again is hidden again.
	if hidden["UrgentTasksQueue"] < 2 || hidden["ResultsQueue"] < 2 || hidden["TasksQueue"] > 0 {
		t.Errorf("on demand messages were hidden %v", hidden)
	}
	h.due(c)
	if a := h.wait(c, h.latest(c).ID); a.State != "done" {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	scheduled := map[string]bool{"SchedulerFunction to TasksQueue": true, "CheckerFunction to TasksQueue": true, "CheckerFunction to ResultsQueue": true}
	got, _ = went()
	delete(got, "SchedulerFunction to ResultsQueue") // of the sums over accounts, once an hour
	if d := cmp.Diff(scheduled, got); d != "" {
		t.Errorf("by the clock (-want +got):\n%s", d)
	}
}
