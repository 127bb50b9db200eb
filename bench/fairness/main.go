// Command fairness prints who waits how long in the tasks queues on the morning of a
// large organization: with one queue for all, with SQS's fair queues, and with a queue
// of their own for those who wait in person. It is a model: the emulator knows no
// fairness, and AWS cannot be asked for an hour of 10,000 accounts in a test.
package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
)

// The morning. Six o'clock is 0.
const (
	accounts    = 10_000 // of the large organization, due at six
	few         = 5      // of another one, due a minute later
	fewAt       = time.Minute
	onDemandAt  = 5 * time.Minute // somebody of the large organization asks for one more
	concurrency = 100             // CheckerConcurrency
	hurried     = 20              // UrgentConcurrency
)

// An audit is 41 seconds of work, as docs/cost.md meters one of 1,000 resources: one
// task that opens the account and then sends those of 34 services, one of them long.
const (
	connecting = 4 * time.Second
	services   = 34
	quick      = 800 * time.Millisecond
	long       = 10600 * time.Millisecond
)

// setting is what the deployment has of what is compared.
type setting struct {
	name   string
	groups bool          // messages have a message group, their organization
	urgent bool          // audits on demand have a queue and functions of their own
	jitter time.Duration // over which the large organization's schedules are spread
}

func settings() []setting {
	return []setting{
		{name: "one queue"},
		{name: "message groups", groups: true},
		{name: "and an urgent queue", groups: true, urgent: true},
		{name: "and an hour of jitter", groups: true, urgent: true, jitter: time.Hour},
	}
}

// waits are how long the audits of somebody took, from when they were due.
type waits struct {
	first time.Duration // the longest until an account is opened
	end   time.Duration // the longest until the end
}

// morning is what came of it.
type morning struct{ large, other, demanded waits }

// simulate lets the morning happen.
func simulate(s setting) morning {
	sim := &simulation{}
	ordinary := newQueue(s.groups, concurrency)
	urgent := ordinary
	if s.urgent {
		urgent = newQueue(s.groups, hurried)
	}
	var m morning
	for i := range accounts {
		sim.audit(s.jitter*time.Duration(i)/accounts, "large", ordinary, &m.large)
	}
	for range few {
		sim.audit(fewAt, "other", ordinary, &m.other)
	}
	sim.audit(onDemandAt, "large", urgent, &m.demanded)
	sim.run()
	return m
}

// audit makes one audit due at a moment.
func (s *simulation) audit(at time.Duration, group string, q *queue, w *waits) {
	left := services
	s.at(at, func(time.Duration) {
		s.send(q, message{group: group, takes: connecting, began: func(now time.Duration) {
			w.first = max(w.first, now-at)
		}, done: func(time.Duration) {
			for i := range services {
				takes := quick
				if i == 0 {
					takes = long
				}
				s.send(q, message{group: group, takes: takes, done: func(now time.Duration) {
					if left--; left == 0 {
						w.end = max(w.end, now-at)
					}
				}})
			}
		}})
	})
}

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fairness:", err)
		os.Exit(1)
	}
}

func write(out io.Writer) error {
	fmt.Fprintf(out, "%d accounts of one organization are due at 06:00, %d of another at 06:01; at 06:05 somebody of the\n", accounts, few)
	fmt.Fprintf(out, "first asks for an audit. %d tasks at once, and %d urgent ones where they have a queue. A model of\n", concurrency, hurried)
	fmt.Fprintf(out, "what AWS documents of fair queues: see bench/fairness/queue.go.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	var table io.Writer = w
	fmt.Fprintln(table, "\tthe other organization\t\ton demand\t\tthe large organization\t")
	fmt.Fprintln(table, "\tbegins\tends\tbegins\tends\tends\t")
	for _, s := range settings() {
		m := simulate(s)
		fmt.Fprintf(table, "%s\t", s.name)
		for _, d := range []time.Duration{m.other.first, m.other.end, m.demanded.first, m.demanded.end, m.large.end} {
			fmt.Fprintf(table, "%s\t", d.Round(time.Second))
		}
		fmt.Fprintln(table)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "\nEach is the longest of its audits, counted from when that one was due.")
	return err
}
