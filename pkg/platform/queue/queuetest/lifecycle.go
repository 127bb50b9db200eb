package queuetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// With concurrency 3, three handlers meet.
func testConcurrency(t *testing.T, d Driver) {
	const n = 3
	send(t, d.Queue, "1", "2", "3", "4", "5", "6")
	var l log
	var mu sync.Mutex
	running, most := 0, 0
	met := make(chan struct{})
	receive(t, d.Queue, queue.Options{Concurrency: n}, func(ctx context.Context, m queue.Message) error {
		mu.Lock()
		if running++; running > most {
			if most = running; most == n {
				close(met)
			}
		}
		mu.Unlock()
		select {
		case <-met:
		case <-ctx.Done():
			return ctx.Err()
		}
		mu.Lock()
		running--
		mu.Unlock()
		l.add(m.Body)
		return nil
	}, l.has(6))
	same(t, n, most)
}

func testItself(t *testing.T, d Driver) {
	send(t, d.Queue, "x")
	var l log
	receive(t, d.Queue, queue.Options{}, func(ctx context.Context, m queue.Message) error {
		l.add(m.Body)
		if len(m.Body) < 5 {
			return d.Queue.Send(ctx, append(m.Body, 'x'))
		}
		return nil
	}, l.has(5))
	same(t, []string{"x", "xx", "xxx", "xxxx", "xxxxx"}, l.bodies())
}

// A message whose handler is stopped by the context's end comes again later.
func testCancelled(t *testing.T, d Driver) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Queue.Send(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("send: %v, want context.Canceled", err)
	}
	send(t, d.Queue, "slow")
	stops := d.MaxReceives + 2 // being stopped does not use up attempts
	if d.StopsCount {
		stops = d.MaxReceives - 1
	}
	for range stops {
		ctx, cancel := context.WithCancel(t.Context())
		returned := false
		err := d.Queue.Receive(ctx, func(ctx context.Context, _ queue.Message) error {
			cancel()
			<-ctx.Done()
			time.Sleep(time.Millisecond)
			returned = true
			return ctx.Err()
		}, queue.Options{})
		if !errors.Is(err, context.Canceled) || !returned {
			t.Fatalf("receive: %v, handler returned: %t", err, returned)
		}
	}
	var l log
	receive(t, d.Queue, queue.Options{}, l.handle, l.has(1))
	same(t, []string{"slow"}, l.bodies())
}

func testCopies(t *testing.T, d Driver) {
	body := []byte("abc")
	if err := d.Queue.Send(t.Context(), body); err != nil {
		t.Fatal(err)
	}
	body[0] = 'X'
	var l log
	receive(t, d.Queue, queue.Options{}, func(_ context.Context, m queue.Message) error {
		if n := l.add(bytes.Clone(m.Body)); n == 1 {
			m.Body[1] = 'Y'
			return errors.New("again")
		}
		l.add([]byte("end"))
		return nil
	}, l.has(2))
	same(t, []string{"abc", "end"}, l.bodies())
}
