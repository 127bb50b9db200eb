package model

import (
	"container/heap"
	"time"
)

// A queue delivers the oldest message first, to so many receivers at once. A fair one
// does as AWS says of a standard queue whose messages have message groups:
//
//   - A group is noisy while it has more than a tenth of the messages that are being
//     handled, and 30 of them at least. It stays so until it has no message left that
//     waits, or has sent none for five minutes.
//   - While a message of a group that is not noisy waits, it is delivered first.
//   - Among noisy groups the one with the fewest messages being handled is first.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
//
// AWS also calls a group noisy that has had more than a tenth of the receivers' time of
// late. That is left out: it says nothing else of a group as large as the one here. AWS
// says that its numbers are approximate, and promises no order within a queue.
type queue struct {
	fair   bool
	free   int // receivers
	busy   int
	groups []*group // in the order in which they came
}

const (
	noisyShare = 10 // a group is noisy above one in so many
	noisyLeast = 30
	calmAfter  = 5 * time.Minute
)

type group struct {
	name    string
	waiting []message // oldest first
	busy    int
	sent    time.Duration // last
	noisy   bool
}

type message struct {
	group string
	place int // of all messages
	takes time.Duration
	began func(now time.Duration)
	done  func(now time.Duration)
}

func newQueue(fair bool, receivers int) *queue { return &queue{fair: fair, free: receivers} }

func (q *queue) group(name string) *group {
	for _, g := range q.groups {
		if g.name == name {
			return g
		}
	}
	g := &group{name: name}
	q.groups = append(q.groups, g)
	return g
}

// next takes the message that is delivered next out of the queue.
func (q *queue) next(now time.Duration) (message, *group, bool) {
	var best *group
	for _, g := range q.groups {
		if g.noisy && (len(g.waiting) == 0 || now-g.sent >= calmAfter) {
			g.noisy = false
		}
		if g.busy >= noisyLeast && g.busy*noisyShare > q.busy && len(g.waiting) > 0 {
			g.noisy = true
		}
		if len(g.waiting) > 0 && (best == nil || q.before(g, best)) {
			best = g
		}
	}
	if best == nil {
		return message{}, nil, false
	}
	m := best.waiting[0]
	best.waiting = best.waiting[1:]
	return m, best, true
}

// before says which of two groups that have messages is served first.
func (q *queue) before(a, b *group) bool {
	if q.fair {
		if a.noisy != b.noisy {
			return b.noisy
		}
		if a.noisy && a.busy != b.busy {
			return a.busy < b.busy
		}
	}
	return a.waiting[0].place < b.waiting[0].place
}

// simulation is a clock and what is to happen.
type simulation struct {
	now    time.Duration
	agenda agenda
	events int
	placed int
}

// at lets something happen at a moment, after whatever else was to happen then.
func (s *simulation) at(when time.Duration, what func(now time.Duration)) {
	s.events++
	heap.Push(&s.agenda, event{when, s.events, what})
}

// run lets everything happen.
func (s *simulation) run() {
	for len(s.agenda) > 0 {
		e := heap.Pop(&s.agenda).(event)
		s.now = e.when
		e.what(s.now)
	}
}

// send puts a message into a queue, which delivers when everything else of the moment
// has happened.
func (s *simulation) send(q *queue, m message) {
	s.placed++
	m.place = s.placed
	g := q.group(m.group)
	g.waiting, g.sent = append(g.waiting, m), s.now
	s.at(s.now, func(time.Duration) { s.deliver(q) })
}

// deliver gives messages to all receivers that are free.
func (s *simulation) deliver(q *queue) {
	for q.free > 0 {
		m, g, ok := q.next(s.now)
		if !ok {
			return
		}
		q.free, q.busy, g.busy = q.free-1, q.busy+1, g.busy+1
		if m.began != nil {
			m.began(s.now)
		}
		s.at(s.now+m.takes, func(now time.Duration) {
			q.free, q.busy, g.busy = q.free+1, q.busy-1, g.busy-1
			m.done(now)
			s.at(now, func(time.Duration) { s.deliver(q) })
		})
	}
}

type event struct {
	when  time.Duration
	place int
	what  func(now time.Duration)
}

// agenda is what is to happen, the next first.
type agenda []event

func (a agenda) Len() int { return len(a) }

func (a agenda) Less(i, j int) bool {
	if a[i].when != a[j].when {
		return a[i].when < a[j].when
	}
	return a[i].place < a[j].place
}

func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(e any) { *a = append(*a, e.(event)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	*a = (*a)[:last]
	return e
}
