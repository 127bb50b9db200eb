package main

import (
	"strings"
	"testing"
	"time"
)

// TestWhatTheModelSays holds the model to what the documentation says of it.
func TestWhatTheModelSays(t *testing.T) {
	t.Parallel()
	all := map[string]morning{}
	for _, s := range settings() {
		all[s.name] = simulate(s)
	}
	if again := simulate(settings()[1]); again != all["message groups"] {
		t.Errorf("%+v, and again %+v", all["message groups"], again)
	}
	one, fair, both, spread := all["one queue"], all["message groups"], all["and an urgent queue"], all["and an hour of jitter"]
	// work is what the large organization's audits take in any case.
	work := accounts * (connecting + long + (services-1)*quick) / concurrency
	within := func(what string, got, least, most time.Duration) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("%s: %s, want between %s and %s", what, got, least, most)
		}
	}
	within("one queue, another organization", one.other.end, work-5*time.Minute, work)
	within("one queue, on demand", one.demanded.end, work-10*time.Minute, work)
	within("with groups, another organization begins", fair.other.first, 0, 10*time.Second)
	within("with groups, another organization ends", fair.other.end, 0, time.Minute)
	// Within their own organization groups help nobody.
	within("with groups, on demand", fair.demanded.end, work-10*time.Minute, work)
	within("with an urgent queue, on demand begins", both.demanded.first, 0, time.Second)
	within("with an urgent queue, on demand ends", both.demanded.end, 0, 30*time.Second)
	// And nobody pays much for it.
	for name, m := range map[string]morning{"groups": fair, "an urgent queue": both} {
		within("the large organization, with "+name, m.large.end, work, one.large.end+time.Minute)
	}
	within("spread over an hour, the large organization's longest audit", spread.large.end, 0, work/3)
}

// Where nobody is noisy a fair queue is a queue.
func TestAQuietQueueKeepsItsOrder(t *testing.T) {
	t.Parallel()
	for _, fair := range []bool{false, true} {
		sim, q := &simulation{}, newQueue(fair, 1)
		var order []string
		for _, name := range []string{"a", "b", "a", "c"} {
			sim.send(q, message{group: name, takes: time.Second, done: func(time.Duration) { order = append(order, name) }})
		}
		sim.run()
		if got := strings.Join(order, ""); got != "abac" {
			t.Errorf("fair %t: %s", fair, got)
		}
	}
}
