// Package model says who waits how long in the tasks queues. It is a model: the emulator
// knows no fairness, and AWS cannot be asked for an hour of 10,000 accounts in a test.
package model

import (
	"fmt"
	"io"
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

// Setting is what the deployment has of what is compared.
type Setting struct {
	Name    string
	Groups  bool          // messages have a message group, their organization
	Urgent  bool          // audits on demand have a queue and functions of their own
	Jitter  time.Duration // over which the large organization's schedules are spread
	Demands int           // a minute for an hour are asked for, instead of one in all
}

// Settings are those that are compared, from the simplest to that of the deployment.
func Settings() []Setting {
	return []Setting{
		{Name: "one queue"},
		{Name: "message groups", Groups: true},
		{Name: "and an urgent queue", Groups: true, Urgent: true},
		{Name: "and an hour of jitter", Groups: true, Urgent: true, Jitter: time.Hour},
		Deployed(),
	}
}

// Deployed is the deployment's setting, on a morning on which two audits a minute are
// asked for.
func Deployed() Setting {
	return Setting{Name: "and two on demand a minute", Groups: true, Urgent: true, Jitter: time.Hour, Demands: 2}
}

// Waits are how long the audits of somebody took, from when they were due.
type Waits struct {
	First time.Duration // the longest until an account is opened
	End   time.Duration // the longest until the end
}

// Morning is what came of it.
type Morning struct{ Large, Other, Demanded Waits }

// Simulate lets the morning happen.
func Simulate(s Setting) Morning {
	sim := &simulation{}
	ordinary := newQueue(s.Groups, concurrency)
	urgent := ordinary
	if s.Urgent {
		urgent = newQueue(s.Groups, hurried)
	}
	var m Morning
	for i := range accounts {
		sim.audit(s.Jitter*time.Duration(i)/accounts, "large", ordinary, &m.Large)
	}
	for range few {
		sim.audit(fewAt, "other", ordinary, &m.Other)
	}
	if s.Demands == 0 {
		sim.audit(onDemandAt, "large", urgent, &m.Demanded)
	}
	for i := range s.Demands * int(time.Hour/time.Minute) {
		sim.audit(time.Duration(i)*time.Minute/time.Duration(s.Demands), "large", urgent, &m.Demanded)
	}
	sim.run()
	return m
}

// audit makes one audit due at a moment.
func (s *simulation) audit(at time.Duration, group string, q *queue, w *Waits) {
	left := services
	s.at(at, func(time.Duration) {
		s.send(q, message{group: group, takes: connecting, began: func(now time.Duration) {
			w.First = max(w.First, now-at)
		}, done: func(time.Duration) {
			for i := range services {
				takes := quick
				if i == 0 {
					takes = long
				}
				s.send(q, message{group: group, takes: takes, done: func(now time.Duration) {
					if left--; left == 0 {
						w.End = max(w.End, now-at)
					}
				}})
			}
		}})
	})
}

// Write prints the mornings of some settings as a table.
func Write(out io.Writer, settings ...Setting) error {
	fmt.Fprintf(out, "%d accounts of one organization are due at 06:00, %d of another at 06:01; at 06:05 somebody of the\n", accounts, few)
	fmt.Fprintf(out, "first asks for an audit. %d tasks at once, and %d urgent ones where they have a queue. A model of\n", concurrency, hurried)
	fmt.Fprintf(out, "what AWS documents of fair queues: see bench/fairness/model.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	var table io.Writer = w
	fmt.Fprintln(table, "\tthe other organization\t\ton demand\t\tthe large organization\t")
	fmt.Fprintln(table, "\tbegins\tends\tbegins\tends\tends\t")
	for _, s := range settings {
		m := Simulate(s)
		fmt.Fprintf(table, "%s\t", s.Name)
		for _, d := range []time.Duration{m.Other.First, m.Other.End, m.Demanded.First, m.Demanded.End, m.Large.End} {
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
