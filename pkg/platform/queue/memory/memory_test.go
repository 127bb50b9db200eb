package memory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/queuetest"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(b *memory.Broker, most int) queuetest.Driver {
	q := b.Queue("q")
	return queuetest.Driver{Queue: q, MaxReceives: most, Dead: func() (out []string) {
		for _, d := range q.Dead() {
			out = append(out, string(d.Body))
		}
		return out
	}}
}

func TestConformance(t *testing.T) {
	queuetest.Run(t, func(testing.TB) queuetest.Driver { return driver(memory.New(memory.Options{}), 5) })
}

func shuffled(seed uint64) memory.Options {
	r := rand.New(rand.NewPCG(seed, 1))
	return memory.Options{Pick: r.IntN, Twice: func(string, queue.Message) bool { return r.IntN(4) == 0 }}
}

// The suite holds with any order as well.
func TestConformanceReordered(t *testing.T) {
	queuetest.Run(t, func(testing.TB) queuetest.Driver {
		return driver(memory.New(memory.Options{Pick: shuffled(7).Pick, MaxReceives: 3}), 3)
	})
}

// pipeline is a tree of messages over two queues: each of a's sends two to b,
// each of b's one to a, to some depth; every third delivery fails.
func pipeline(b *memory.Broker, done func(body string)) []memory.Worker {
	var n atomic.Int64
	hop := func(to string, children int) queue.Handler {
		return func(ctx context.Context, m queue.Message) error {
			for i := range children {
				if len(m.Body) < 6 {
					if err := b.Queue(to).Send(ctx, fmt.Append(nil, string(m.Body), i)); err != nil {
						return err
					}
				}
			}
			if n.Add(1)%3 == 0 && !m.Last() {
				return errors.New("after its effects")
			}
			done(string(m.Body))
			return nil
		}
	}
	return []memory.Worker{
		{Queue: b.Queue("a"), Handle: hop("b", 2), Concurrency: 3},
		{Queue: b.Queue("b"), Handle: hop("a", 1), Concurrency: 2},
	}
}

func TestDrain(t *testing.T) {
	for seed := range uint64(20) {
		b := memory.New(shuffled(seed))
		got := make(chan string, 1_000_000)
		workers := pipeline(b, func(body string) { got <- body })
		if err := b.Queue("a").Send(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := b.Drain(t.Context(), workers...); err != nil {
			t.Fatal(err)
		}
		close(got)
		seen := map[string]bool{}
		for s := range got {
			seen[s] = true
		}
		// x, 2, 2, 4, 4, 8 of lengths 1 to 6
		if len(seen) != 21 || b.Queue("a").Len()+b.Queue("b").Len() != 0 || len(b.Queue("a").Dead()) != 0 {
			t.Fatalf("seed %d: %d messages, %d wait", seed, len(seen), b.Queue("a").Len()+b.Queue("b").Len())
		}
	}
}

func TestWalkRepeats(t *testing.T) {
	history := func(seed uint64) (out []string) {
		b := memory.New(shuffled(seed))
		workers := pipeline(b, func(body string) { out = append(out, body) })
		if err := b.Queue("a").Send(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := b.Walk(t.Context(), workers...); err != nil {
			t.Fatal(err)
		}
		return out
	}
	kinds := map[string]bool{}
	for seed := range uint64(8) {
		first := history(seed)
		if d := cmp.Diff(first, history(seed)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
		kinds[strings.Join(first, " ")] = true
	}
	if len(kinds) < 6 {
		t.Errorf("8 seeds make %d histories", len(kinds))
	}
}

// Whatever the order and the faults: a message ends handled or as a dead letter.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 3
		b := memory.New(memory.Options{
			MaxReceives: most,
			Pick:        func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") },
			Twice:       func(string, queue.Message) bool { return rapid.IntRange(0, 3).Draw(t, "twice") == 0 },
		})
		q := b.Queue("q")
		sent := rapid.IntRange(0, 8).Draw(t, "sent")
		for i := range sent {
			if err := q.Send(context.Background(), fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		ended := map[string]bool{}
		err := b.Walk(context.Background(), memory.Worker{Queue: q, Handle: func(_ context.Context, m queue.Message) error {
			if m.Attempt < 1 || m.Attempt > most {
				t.Fatalf("attempt %d", m.Attempt)
			}
			switch rapid.IntRange(0, 3).Draw(t, "answer") {
			case 0:
				return errors.New("no")
			case 1:
				return queue.ErrPoison
			}
			ended[string(m.Body)] = true
			return nil
		}})
		for _, d := range q.Dead() {
			if d.Err == nil {
				t.Fatal("dead for no reason")
			}
			ended[string(d.Body)] = true
		}
		if err != nil || len(ended) != sent || q.Len() != 0 {
			t.Fatalf("%v: %d of %d ended, %d wait", err, len(ended), sent, q.Len())
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New(memory.Options{Backoff: func(n int) time.Duration { return time.Duration(n) * time.Minute }})
		q := b.Queue("q")
		if err := q.Send(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var at []time.Duration
		err := b.Drain(t.Context(), memory.Worker{Queue: q, Concurrency: 2, Handle: func(context.Context, queue.Message) error {
			at = append(at, time.Since(start))
			return errors.New("always")
		}})
		if err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, time.Minute, 3 * time.Minute, 6 * time.Minute, 10 * time.Minute}
		if d := cmp.Diff(want, at); d != "" {
			t.Error(d)
		}
	})
}

func TestHeed(t *testing.T) {
	for heed, want := range map[bool]time.Duration{false: time.Second, true: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			b := memory.New(memory.Options{MaxReceives: 2, Heed: heed, Backoff: func(int) time.Duration { return time.Second }})
			q := b.Queue("q")
			if err := q.Send(t.Context(), []byte("x")); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			var last time.Duration
			err := b.Drain(t.Context(), memory.Worker{Queue: q, Handle: func(context.Context, queue.Message) error {
				last = time.Since(start)
				return queue.Later(errors.New("not yet"), time.Minute)
			}})
			if err != nil || last != want {
				t.Errorf("heed %t: the second try came after %s, want %s (%v)", heed, last, want, err)
			}
		})
	}
}

func TestDrainEndsWithContext(t *testing.T) {
	b := memory.New(memory.Options{Backoff: func(int) time.Duration { return time.Hour }})
	q := b.Queue("q")
	if err := q.Send(t.Context(), []byte("x"), []byte("y")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Drain(ctx, memory.Worker{Queue: q, Handle: func(context.Context, queue.Message) error {
		cancel()
		return errors.New("no")
	}})
	if !errors.Is(err, context.Canceled) || q.Len() != 2 {
		t.Errorf("%v, %d wait", err, q.Len())
	}
	for _, bad := range [][]memory.Worker{{{Queue: q}, {Queue: q}}, {{}}, {{Queue: memory.New(memory.Options{}).Queue("q")}}} {
		if err := b.Drain(t.Context(), bad...); err == nil {
			t.Error("bad workers are accepted")
		}
	}
}
