package serverless_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

// executioner kills the function that makes the nth side effect of a run, before
// the effect or after it.
type executioner struct {
	mu      sync.Mutex
	at      int
	phase   lambdahost.Phase
	seq     int // of the call that is to die
	effects int
	victim  string
}

func (e *executioner) next(at int, phase lambdahost.Phase) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at, e.phase, e.effects, e.victim, e.seq = at, phase, 0, "", 0
}

func (e *executioner) intercept(c lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
	if !c.Effect {
		return lambdahost.Continue()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if phase == lambdahost.BeforeSend {
		if e.effects++; e.effects == e.at {
			e.seq = c.Seq
		}
	}
	if e.seq == 0 || c.Seq != e.seq || phase != e.phase || e.victim != "" {
		return lambdahost.Continue()
	}
	e.victim = c.Function + " " + c.Service + ":" + c.Operation + " " + c.Resource
	return lambdahost.Kill()
}

// died tells who died in this run, and how many effects it had.
func (e *executioner) died() (victim string, effects int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.victim, e.effects
}

// sample is how many kill points are tried of all there are: one in so many. The
// whole matrix takes minutes and is for make e2e.
func sample() int {
	if n, err := strconv.Atoi(os.Getenv("CLOUDARQ_E2E_SAMPLE")); err == nil && n > 0 {
		return n
	}
	return 12
}

// TestKillMatrix kills each function before and after every call with a side
// effect, one a run: a table write, an object, a message, a publication, an event.
// In every run the audit ends, and says and tells the same as if nobody had died. Every second
// audit sees the account's key rotate, every other one sees that it does not.
func TestKillMatrix(t *testing.T) {
	reaper := &executioner{}
	h := start(t, "kill", func(o *lambdahost.Options) {
		o.Intercept = reaper.intercept
		o.MaxEnvironments = 2
	})
	account := newSmall(t, h.install, "444444444444")
	mail := subscribe(t, h.install, "kill-alerts", `{"organization":["kill"]}`)
	news := h.hear("kill-events")
	c := h.connect(account.Account, scope())
	run := 0
	// told are the events of a run, each once, but for those of setting it up.
	told := func() []string {
		ctx, cancel := contextWithin(t, time.Minute)
		defer cancel()
		if err := h.Idle(ctx); err != nil {
			t.Error(err)
		}
		return slices.DeleteFunc(news(), func(e string) bool { return strings.HasPrefix(e, "connection ") })
	}
	// one makes an audit, which somebody may not survive, and returns what it says.
	one := func(scheduled bool) (map[string]found, string, []letter) {
		run++
		account.rotate(t, run%2 == 0)
		key := fmt.Sprintf("run-%d", run)
		if scheduled {
			h.due(c)
		} else {
			h.persist(http.MethodPost, "/v1/audits", map[string]string{"Idempotency-Key": key}, map[string]string{"connection": c.ID})
		}
		a := h.latest(c)
		if a = h.wait(c, a.ID); !a.ended() {
			victim, _ := reaper.died()
			t.Errorf("after the death of %s the audit is %s, %d of %d tasks done", victim, a.State, a.Progress.Done, a.Progress.Total)
		}
		return h.list(c), a.State + " " + score(t, a), mail.empty(t)
	}
	reaper.next(0, 0)
	one(false)                                                      // whose alerts are those of a first audit
	want, verdict := map[bool]map[string]found{}, map[bool]string{} // by whether the key rotates
	alerts, events, points := map[bool][]string{}, map[bool][]string{}, 0
	told()
	for range 2 {
		reaper.next(0, 0)
		findings, says, letters := one(false)
		on := run%2 == 0
		want[on], verdict[on], alerts[on] = findings, says, words(letters)
		events[on] = told()
		_, points = reaper.died()
	}
	if cmp.Equal(want[true], want[false]) || len(alerts[true]) != 2 || len(alerts[false]) != 2 {
		t.Fatalf("rotation makes no difference: alerts %v", alerts)
	}

	tried, repeated, untouched := 0, 0, 0
	began := time.Now()
	judge := func(scheduled bool) (died bool) {
		findings, says, letters := one(scheduled)
		happened := told()
		victim, _ := reaper.died()
		if victim == "" {
			untouched++
			return false
		}
		tried++
		on := run%2 == 0
		if d := cmp.Diff(want[on], findings); d != "" {
			t.Errorf("after the death of %s, findings (-want +got):\n%s", victim, d)
		}
		if says != verdict[on] {
			t.Errorf("after the death of %s the audit says %s, want %s", victim, says, verdict[on])
		}
		if d := cmp.Diff(events[on], happened); d != "" {
			t.Errorf("after the death of %s, events (-want +got):\n%s", victim, d)
		}
		seen := map[string]letter{}
		var once []letter
		for _, l := range letters {
			if _, twice := seen[l.ID]; twice {
				repeated++
				continue
			}
			seen[l.ID] = l
			once = append(once, l)
		}
		if d := cmp.Diff(alerts[on], words(once)); d != "" {
			t.Errorf("after the death of %s, alerts (-want +got):\n%s", victim, d)
		}
		return true
	}
	for at := 1; at <= points; at++ {
		for _, phase := range []lambdahost.Phase{lambdahost.BeforeSend, lambdahost.AfterAnswer} {
			if (2*at+int(phase))%sample() == 0 {
				reaper.next(at, phase)
				judge(false)
			}
		}
	}
	// The scheduler's own effects come first when it starts the audit.
	for at := 1; at <= schedulerEffects; at++ {
		for _, phase := range []lambdahost.Phase{lambdahost.BeforeSend, lambdahost.AfterAnswer} {
			if (2*at+int(phase))%sample() == 0 {
				reaper.next(at, phase)
				judge(true)
			}
		}
	}
	fmt.Printf("kill matrix: %d of %d points tried in %s, %d runs in which the point was not reached, %d alerts twice with the same id, failed: %t\n",
		tried, 2*(points+schedulerEffects), time.Since(began).Round(time.Second), untouched, repeated, t.Failed())
	if tried == 0 {
		t.Error("nobody died")
	}
}

// schedulerEffects is how many side effects making an audit due and starting it
// has: the connection and its date; which audit the moment got; a task and its marker,
// the bound, the audit, the message, the event, the next date.
const schedulerEffects = 10
