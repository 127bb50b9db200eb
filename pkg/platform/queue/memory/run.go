package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// Worker says who handles the messages of a queue, and how many at once.
type Worker struct {
	Queue       *Queue
	Handle      queue.Handler
	Concurrency int // 0 means 1
}

// Receive implements queue.Receiver.
func (q *Queue) Receive(ctx context.Context, handle queue.Handler, o queue.Options) error {
	return q.b.run(ctx, []Worker{{Queue: q, Handle: handle, Concurrency: o.Concurrency}}, false)
}

// Drain runs the workers side by side until none of their queues has a message
// and none of their handlers runs, what handlers send included; messages that
// wait for their next attempt are waited for. It returns the context's error if
// that ends first, after the handlers that run. Dead letters are no error: see
// Queue.Dead. Every queue has at most one worker, and nobody else receives.
func (b *Broker) Drain(ctx context.Context, workers ...Worker) error {
	return b.run(ctx, workers, true)
}

// Walk does as Drain, but one message at a time in the caller's goroutine and
// without waiting for second attempts: the same Pick and Twice make the same
// history.
func (b *Broker) Walk(ctx context.Context, workers ...Worker) error {
	for {
		more, err := b.Step(ctx, workers...)
		if err != nil || !more {
			return err
		}
	}
}

// Step delivers one message as Walk does, and says whether there was one.
func (b *Broker) Step(ctx context.Context, workers ...Worker) (bool, error) {
	byQueue, err := b.index(workers)
	if err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("walk queues: %w", err)
	}
	b.mu.Lock()
	l, _ := b.take(slices.Collect(maps.Keys(byQueue)), endOfTime)
	b.mu.Unlock()
	if l == nil {
		return false, nil
	}
	b.deliver(ctx, l, byQueue[l.q].Handle)
	return true, nil
}

var endOfTime = time.Unix(math.MaxInt32*100, 0)

func (b *Broker) index(workers []Worker) (map[*Queue]*Worker, error) {
	byQueue := map[*Queue]*Worker{}
	for i, w := range workers {
		switch {
		case w.Queue == nil || w.Queue.b != b:
			return nil, errors.New("worker of another broker's queue")
		case byQueue[w.Queue] != nil:
			return nil, fmt.Errorf("two workers for queue %s", w.Queue.name)
		}
		byQueue[w.Queue] = &workers[i]
	}
	return byQueue, nil
}

func (b *Broker) run(ctx context.Context, workers []Worker, untilIdle bool) error {
	byQueue, err := b.index(workers)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, w := range workers {
		for range max(w.Concurrency, 1) {
			all.Go(func() { b.loop(ctx, w, byQueue, untilIdle) })
		}
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("run queues: %w", err)
	}
	return nil
}

// loop delivers messages of one queue, one after the other, until the context
// ends or, if asked for, all queues are idle.
func (b *Broker) loop(ctx context.Context, w Worker, byQueue map[*Queue]*Worker, untilIdle bool) {
	own := []*Queue{w.Queue}
	for ctx.Err() == nil {
		b.mu.Lock()
		l, due := b.take(own, time.Now())
		idle := l == nil && untilIdle && b.idle(byQueue)
		changed := b.changed
		b.mu.Unlock()
		switch {
		case idle:
			return
		case l != nil:
			b.deliver(ctx, l, w.Handle)
		default:
			wait(ctx, changed, due)
		}
	}
}

// idle says that no message of the queues waits and no handler runs; b.mu is
// held. What a handler sends counts before the handler stops to count.
func (b *Broker) idle(byQueue map[*Queue]*Worker) bool {
	if b.running > 0 {
		return false
	}
	for q := range byQueue {
		if len(q.waiting) > 0 {
			return false
		}
	}
	return true
}

func wait(ctx context.Context, changed <-chan struct{}, due time.Time) {
	var timer <-chan time.Time
	if !due.IsZero() {
		t := time.NewTimer(time.Until(due))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer:
	}
}

// deliver runs the handler and does with the message what it answers.
func (b *Broker) deliver(ctx context.Context, l *letter, handle queue.Handler) {
	m := b.message(l)
	answered := false
	var err error
	defer func() {
		// A handler that panics takes the process down, unless a test catches
		// it; either way the message is not lost before.
		if !answered {
			err = errors.New("handler did not return")
		}
		b.settle(ctx, l, err)
	}()
	err = handle(ctx, m)
	answered = true
}

func (b *Broker) settle(ctx context.Context, l *letter, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.notify()
	b.running--
	switch {
	case err == nil:
	case ctx.Err() != nil && !errors.Is(err, queue.ErrPoison):
		l.tries--
		b.wait(l)
	case errors.Is(err, queue.ErrPoison), l.tries >= b.o.MaxReceives:
		m := b.message(l)
		l.q.dead = append(l.q.dead, DeadLetter{Message: m, Err: err})
	default:
		var pause time.Duration
		if b.o.Backoff != nil {
			pause = b.o.Backoff(l.tries)
		}
		if b.o.Heed {
			pause = max(pause, queue.WaitOf(err))
		}
		l.after = time.Now().Add(pause)
		b.wait(l)
	}
}
