// Package queuetest is the suite that every driver of queue.Queue passes. It
// never expects an order, nor that a message comes only once. A driver that only
// sends is tested with a small receiver of the test's own.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/google/go-cmp/cmp"
)

// Driver is an empty queue with what the suite must know of it.
type Driver struct {
	Queue queue.Queue
	// MaxReceives is how often a message is delivered at least before it is
	// given up.
	MaxReceives int
	// StopsCount says that a delivery which the context's end stopped uses up one
	// of MaxReceives: SQS counts when it hands a message out, whatever comes of it.
	StopsCount bool
	// Dead returns the bodies of the dead letters, in any order.
	Dead func() []string
}

// Open makes a driver and closes it in t.Cleanup. Failed messages should come
// again at once.
type Open func(t testing.TB) Driver

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for name, f := range map[string]func(*testing.T, Driver){
		"all arrive":        testArrive,
		"bodies":            testBodies,
		"refusals":          testRefusals,
		"again after error": testAgain,
		"dead letters":      testDead,
		"poison":            testPoison,
		"concurrency":       testConcurrency,
		"sends to itself":   testItself,
		"cancelled":         testCancelled,
		"bodies are copies": testCopies,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

const patience = 30 * time.Second

// receive handles messages until done says so (asked after each delivery, with
// the handler's answer given) and fails if that takes too long.
func receive(t *testing.T, q queue.Queue, o queue.Options, handle queue.Handler, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- q.Receive(ctx, handle, o) }()
	for !done() {
		select {
		case err := <-ended:
			t.Fatalf("receive ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("receive: %v, want context.Canceled", err)
	}
}

// log counts deliveries by body.
type log struct {
	mu   sync.Mutex
	seen map[string]int
}

func (l *log) add(body []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[string]int{}
	}
	l.seen[string(body)]++
	return l.seen[string(body)]
}

func (l *log) bodies() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.seen))
}

func (l *log) has(n int) func() bool {
	return func() bool { return len(l.bodies()) >= n }
}

func (l *log) handle(_ context.Context, m queue.Message) error {
	l.add(m.Body)
	return nil
}

func send(t *testing.T, q queue.Queue, bodies ...string) {
	t.Helper()
	raw := make([][]byte, len(bodies))
	for i, b := range bodies {
		raw[i] = []byte(b)
	}
	if err := q.Send(t.Context(), raw...); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("-want +got\n%s", d)
	}
}

// More than two of SQS's batches, by number and by bytes.
func testArrive(t *testing.T, d Driver) {
	var want []string
	for i := range 57 {
		want = append(want, fmt.Sprintf(`{"n":"%02d%s"}`, i, strings.Repeat("x", 40_000)))
	}
	send(t, d.Queue)
	send(t, d.Queue, want...)
	var l log
	receive(t, d.Queue, queue.Options{}, l.handle, l.has(57))
	same(t, want, l.bodies())
}

func testBodies(t *testing.T, d Driver) {
	want := []string{`{"a":"\u0000<&>é😀"}`, " ", "\t\r\n", "x", strings.Repeat("y", queue.MaxBody), "\U0010ffff", "\u2028"}
	slices.Sort(want)
	send(t, d.Queue, want...)
	var l log
	receive(t, d.Queue, queue.Options{}, l.handle, l.has(len(want)))
	same(t, want, l.bodies())
}

func testRefusals(t *testing.T, d Driver) {
	good := []byte("good")
	for what, c := range map[string]struct {
		body []byte
		want error
	}{
		"too large": {make([]byte, queue.MaxBody+1), queue.ErrTooLarge},
		"empty":     {nil, queue.ErrInvalid},
		"not UTF-8": {[]byte("\xff"), queue.ErrInvalid},
		"NUL":       {[]byte("a\x00"), queue.ErrInvalid},
		"non-char":  {[]byte("\uffff"), queue.ErrInvalid},
	} {
		if err := d.Queue.Send(t.Context(), good, c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	send(t, d.Queue, "marker")
	var l log
	receive(t, d.Queue, queue.Options{}, l.handle, l.has(1))
	same(t, []string{"marker"}, l.bodies()) // nothing of a refused call was sent
}

func testAgain(t *testing.T, d Driver) {
	send(t, d.Queue, "a", "b", "c")
	var tries, done log
	var mu sync.Mutex
	ids := map[string]string{}
	receive(t, d.Queue, queue.Options{Concurrency: 2}, func(_ context.Context, m queue.Message) error {
		mu.Lock()
		if ids[m.ID] == "" {
			ids[m.ID] = string(m.Body)
		} else if ids[m.ID] != string(m.Body) {
			t.Errorf("id %s of %q and %q", m.ID, ids[m.ID], m.Body)
		}
		mu.Unlock()
		n := tries.add(m.Body)
		if m.Attempt < 1 || m.Max != 0 && m.Max != d.MaxReceives {
			t.Errorf("attempt %d of %d", m.Attempt, m.Max)
		}
		if string(m.Body) == "b" && n < d.MaxReceives {
			return errors.New("not yet")
		}
		done.add(m.Body)
		return nil
	}, done.has(3))
	same(t, []string{"a", "b", "c"}, done.bodies())
	same(t, 3, len(ids))
	same(t, 0, len(d.Dead()))
}

func testDead(t *testing.T, d Driver) {
	send(t, d.Queue, "good", "bad")
	var tries log
	last := false
	receive(t, d.Queue, queue.Options{}, func(_ context.Context, m queue.Message) error {
		tries.add(m.Body)
		if string(m.Body) == "bad" {
			last = last || m.Last()
			return errors.New("always")
		}
		return nil
	}, func() bool { return len(d.Dead()) > 0 && len(tries.bodies()) == 2 })
	same(t, []string{"bad"}, slices.Compact(d.Dead()))
	if n := tries.seen["bad"]; n < d.MaxReceives {
		t.Errorf("%d deliveries before it was given up, want at least %d", n, d.MaxReceives)
	}
	if !last {
		t.Error("no delivery was announced as the last")
	}
}

func testPoison(t *testing.T, d Driver) {
	send(t, d.Queue, "poison", "good")
	var l log
	receive(t, d.Queue, queue.Options{}, func(_ context.Context, m queue.Message) error {
		l.add(m.Body)
		if string(m.Body) == "poison" {
			return fmt.Errorf("kind x: %w", queue.ErrPoison)
		}
		return nil
	}, func() bool { return len(d.Dead()) > 0 && len(l.bodies()) == 2 })
	same(t, []string{"poison"}, slices.Compact(d.Dead()))
}
