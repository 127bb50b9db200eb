package meter

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// nowhere takes everything.
type nowhere struct{}

func (nowhere) Send(context.Context, ...[]byte) error { return nil }

func (nowhere) Publish(context.Context, ...notify.Message) error { return nil }

func TestServices(t *testing.T) {
	bill := &Bill{}
	many := func(n, size int) (all [][]byte) {
		for range n {
			all = append(all, []byte(strings.Repeat("x", size)))
		}
		return all
	}
	blobs := NewBlobs(memblob.New(), bill)
	put := func(size int64) func(context.Context) error {
		return func(ctx context.Context) error {
			return blobs.Put(ctx, "key", io.LimitReader(endless{}, size))
		}
	}
	send := func(n, size int) func(context.Context) error {
		return func(ctx context.Context) error { return NewSender(nowhere{}, bill).Send(ctx, many(n, size)...) }
	}
	for name, c := range map[string]struct {
		do   func(context.Context) error
		unit Unit
		want float64
	}{
		"messages go ten at a time": {send(31, 100), Messages, 4},
		"no message, no request":    {send(0, 100), Messages, 0},
		"64 KB are a request":       {send(10, 10<<10), Messages, 2},
		"an alert is a publish": {func(ctx context.Context) error {
			return NewNotifier(nowhere{}, bill).Publish(ctx, notify.Message{ID: "1"})
		}, Publishes, 1},
		"events are counted one by one": {func(ctx context.Context) error {
			return NewBus(bill).Publish(ctx, told(12, 100)...)
		}, Events, 12},
		"64 KB of an event are one": {func(ctx context.Context) error {
			return NewBus(bill).Publish(ctx, told(1, bus.MaxDetail-100)...)
		}, Events, 1},
		"a small blob is a PUT":                          {put(100), ObjectPuts, 1},
		"a large one goes in parts":                      {put(20 << 20), ObjectPuts, 5},
		"a message is received, hidden and deleted":      {handle(bill, nil), Messages, 3},
		"one that fails is received, hidden and put off": {handle(bill, context.Canceled), Messages, 3},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.do(In(t.Context(), "f"))
			if got := bill.Take()[c.unit]; got != c.want {
				t.Errorf("%v %s, want %v (%v)", got, c.unit, c.want, err)
			}
		})
	}
}

func handle(bill *Bill, answer error) func(context.Context) error {
	return func(ctx context.Context) error {
		h := Handler("f", func(context.Context, queue.Message) error { return answer }, bill, func() error { return nil })
		return h(ctx, queue.Message{})
	}
}

func told(n, size int) (events []bus.Event) {
	for range n {
		events = append(events, bus.Event{ID: "1", Type: "audit finished", At: time.Unix(1, 0), Detail: fmt.Appendf(nil, `{"a":%q}`, strings.Repeat("x", size))})
	}
	return events
}

// endless is a reader that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestCallsOfFunctions(t *testing.T) {
	bill := &Bill{}
	sender := NewSender(nowhere{}, bill)
	if err := sender.Send(In(t.Context(), "f"), []byte("x")); err != nil {
		t.Fatal(err)
	}
	want := map[Unit]float64{"f.own_calls": 1, Messages: 1}
	if d := cmp.Diff(want, bill.Take()); d != "" {
		t.Errorf("units (-want +got):\n%s", d)
	}
}
