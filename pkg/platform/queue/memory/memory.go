// Package memory has queues within one process, for the command line and for
// tests. Queues of one Broker know of each other, so that it can run a whole
// pipeline until nothing is left to do. What waits when the process ends is
// lost: the tables say what was open.
package memory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// Options of New; the zero value is good for production.
type Options struct {
	// MaxReceives is how often a failing message is delivered before it is a
	// dead letter; 0 means 5.
	MaxReceives int
	// Backoff is how long a message waits after its attempt failed (1 the
	// first); nil means not at all. Walk does not wait.
	Backoff func(attempt int) time.Duration
	// Heed has a message wait as long as its handler's error asks (queue.Later), where
	// that is longer than Backoff: for a process that serves, and has nobody wait for it.
	Heed bool
	// Pick chooses which of n deliverable messages (n > 0, oldest first) comes
	// next, for tests of reordering; nil means the oldest. It is called with the
	// broker locked, one call at a time, and must not use it.
	Pick func(n int) int
	// Twice says that the message, now being delivered, shall be delivered once
	// more whatever comes of it, for tests of duplicates; it may say so of the
	// duplicate again. Called as Pick is.
	Twice func(queueName string, m queue.Message) bool
}

// Broker holds queues. Make one with New. All is safe for concurrent use.
type Broker struct {
	o Options

	mu      sync.Mutex
	queues  map[string]*Queue
	running int // deliveries whose handler has not returned
	next    int
	placed  int           // letters that were ever put into a queue, for their order
	changed chan struct{} // closed, and made anew, at every change
}

type letter struct {
	q     *Queue
	place int // of all letters that wait, the oldest has the lowest
	id    string
	body  []byte
	tries int       // deliveries begun
	after time.Time // not to be delivered before
}

// New makes a broker without queues.
func New(o Options) *Broker {
	if o.MaxReceives <= 0 {
		o.MaxReceives = 5
	}
	return &Broker{o: o, queues: map[string]*Queue{}, changed: make(chan struct{})}
}

// Queue is one queue of a broker. Make one with Broker.Queue.
type Queue struct {
	b    *Broker
	name string

	// Guarded by b.mu.
	waiting []*letter // oldest first
	dead    []DeadLetter
}

var _ queue.Queue = (*Queue)(nil)

// DeadLetter is a message that was given up, with its last error.
type DeadLetter struct {
	queue.Message
	Err error
}

// Queue returns the queue of this name, always the same one.
func (b *Broker) Queue(name string) *Queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[name]
	if q == nil {
		q = &Queue{b: b, name: name}
		b.queues[name] = q
	}
	return q
}

// Send implements queue.Sender. A handler may send to its own queue.
func (q *Queue) Send(ctx context.Context, bodies ...[]byte) error {
	err := queue.Check(bodies...)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("send to queue %s: %w", q.name, err)
	}
	b := q.b
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range bodies {
		b.next++
		b.wait(&letter{q: q, id: strconv.Itoa(b.next), body: slices.Clone(body)})
	}
	b.notify()
	return nil
}

// Len is how many messages of the queue wait for delivery, now or later.
func (q *Queue) Len() int {
	q.b.mu.Lock()
	defer q.b.mu.Unlock()
	return len(q.waiting)
}

// Dead returns the queue's dead letters, oldest first.
func (q *Queue) Dead() []DeadLetter {
	q.b.mu.Lock()
	defer q.b.mu.Unlock()
	out := slices.Clone(q.dead)
	for i := range out {
		out[i].Body = slices.Clone(out[i].Body)
	}
	return out
}

// notify wakes all that wait for a change; b.mu is held.
func (b *Broker) notify() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// wait puts a letter behind all others of its queue; b.mu is held.
func (b *Broker) wait(l *letter) {
	b.placed++
	l.place = b.placed
	l.q.waiting = append(l.q.waiting, l)
}

// take picks the next deliverable message of the queues, or says when the first
// will be (zero if none waits); b.mu is held.
func (b *Broker) take(wanted []*Queue, now time.Time) (l *letter, due time.Time) {
	var ready []*letter
	for _, q := range wanted {
		for _, l := range q.waiting {
			if !l.after.After(now) {
				ready = append(ready, l)
				if b.o.Pick == nil {
					break // the oldest of its queue
				}
			} else if due.IsZero() || l.after.Before(due) {
				due = l.after
			}
		}
	}
	if len(ready) == 0 {
		return nil, due
	}
	slices.SortFunc(ready, func(a, b *letter) int { return a.place - b.place })
	l = ready[0]
	if b.o.Pick != nil {
		l = ready[b.o.Pick(len(ready))]
	}
	l.q.remove(l)
	b.running++
	l.tries++
	if b.o.Twice != nil && b.o.Twice(l.q.name, b.message(l)) {
		again := *l
		again.tries--
		b.wait(&again)
	}
	return l, time.Time{}
}

// remove takes a letter out of its queue. Mostly it is the oldest, and then no
// other is moved.
func (q *Queue) remove(l *letter) {
	at := slices.Index(q.waiting, l)
	if at == 0 {
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		return
	}
	q.waiting = slices.Delete(q.waiting, at, at+1)
}

func (b *Broker) message(l *letter) queue.Message {
	return queue.Message{ID: l.id, Body: slices.Clone(l.body), Attempt: l.tries, Max: b.o.MaxReceives}
}
