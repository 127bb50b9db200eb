package model

import (
	"strings"
	"testing"
	"time"
)

// TestWhatTheModelSays holds the model to what the documentation says of it.
func TestWhatTheModelSays(t *testing.T) {
	t.Parallel()
	all := map[string]Morning{}
	for _, s := range Settings() {
		all[s.Name] = Simulate(s)
	}
	if again := Simulate(Settings()[1]); again != all["message groups"] {
		t.Errorf("%+v, and again %+v", all["message groups"], again)
	}
	one, fair, both, spread, asked := all["one queue"], all["message groups"], all["and an urgent queue"], all["and an hour of jitter"], all["and two on demand a minute"]
	// work is what the large organization's audits take in any case.
	work := accounts * (connecting + long + (services-1)*quick) / concurrency
	within := func(what string, got, least, most time.Duration) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("%s: %s, want between %s and %s", what, got, least, most)
		}
	}
	within("one queue, another organization", one.Other.End, work-5*time.Minute, work)
	within("one queue, on demand", one.Demanded.End, work-10*time.Minute, work)
	within("with groups, another organization begins", fair.Other.First, 0, 10*time.Second)
	within("with groups, another organization ends", fair.Other.End, 0, time.Minute)
	within("with two a minute, on demand begins", asked.Demanded.First, 0, time.Minute)
	within("with two a minute, on demand ends", asked.Demanded.End, 0, time.Minute)
	// Within their own organization groups help nobody.
	within("with groups, on demand", fair.Demanded.End, work-10*time.Minute, work)
	within("with an urgent queue, on demand begins", both.Demanded.First, 0, time.Second)
	within("with an urgent queue, on demand ends", both.Demanded.End, 0, 30*time.Second)
	// And nobody pays much for it.
	for name, m := range map[string]Morning{"groups": fair, "an urgent queue": both} {
		within("the large organization, with "+name, m.Large.End, work, one.Large.End+time.Minute)
	}
	within("spread over an hour, the large organization's longest audit", spread.Large.End, 0, work/3)
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
