package lambdax_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

type letters struct {
	bodies []string
	err    error
}

func (l *letters) Send(_ context.Context, bodies ...[]byte) error {
	for _, b := range bodies {
		l.bodies = append(l.bodies, string(b))
	}
	return l.err
}

// hider is a queue that notes what is asked of it, and when.
type hider struct {
	name  string
	began time.Time
	err   error
	slow  time.Duration

	mu    sync.Mutex
	asked []string
}

func newHider(name string) *hider { return &hider{name: name, began: time.Now()} }

func (h *hider) Name() string { return h.name }

func (h *hider) RedeliverAfter(ctx context.Context, receipt string, wait time.Duration) error {
	if h.slow > 0 {
		select {
		case <-time.After(h.slow):
		case <-ctx.Done():
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, fmt.Sprintf("%s: %s for %s", time.Since(h.began), receipt[:4], wait))
	return errors.Join(h.err, ctx.Err())
}

// tasksQueue is where events/tasks.json comes from.
const tasksQueue = "cloudarq-TasksQueue-A1B2C3D4E5F6"

func TestBatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer   error
		dead     error
		failed   bool
		deferred string
		buried   bool
	}{
		"handled":                             {},
		"failed":                              {answer: errors.New("not yet"), failed: true, deferred: "5s"},
		"failed, and not so soon again":       {answer: queue.Later(errors.New("not yet"), time.Minute), failed: true, deferred: "1m0s"},
		"poison":                              {answer: fmt.Errorf("version 9: %w", queue.ErrPoison), buried: true},
		"poison that cannot be buried either": {answer: queue.ErrPoison, dead: errors.New("no"), failed: true, buried: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := event[events.SQSEvent](t, "tasks.json")
			synctest.Test(t, func(t *testing.T) {
				dead, other := &letters{err: c.dead}, &letters{}
				here, there := newHider(tasksQueue), newHider("another")
				meters, log := quiet()
				var got queue.Message
				response, err := lambdax.Messages{
					Max: 4, Meters: meters, Log: log, Sources: []lambdax.Source{
						{Queue: there, Dead: other}, {Queue: here, Dead: dead, Handle: func(_ context.Context, m queue.Message) error { got = m; return c.answer }},
					},
				}.Batch(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				if failed := len(response.BatchItemFailures) == 1; failed != c.failed {
					t.Errorf("failures %+v, want %t", response.BatchItemFailures, c.failed)
				}
				receipt := e.Records[0].ReceiptHandle[:4]
				want := []string{"0s: " + receipt + " for 2m0s"}
				if c.deferred != "" {
					want = append(want, "0s: "+receipt+" for "+c.deferred)
				}
				if d := cmp.Diff(want, here.asked); d != "" || len(there.asked) != 0 || len(other.bodies) != 0 {
					t.Errorf("asked of its queue (-want +got):\n%s; of another %v, %v", d, there.asked, other.bodies)
				}
				if len(dead.bodies) == 1 != c.buried {
					t.Errorf("buried %d", len(dead.bodies))
				}
				if _, err := pipeline.ParseMessage(pipeline.KindTask, got.Body); err != nil || got.Attempt != 1 || got.Max != 4 {
					t.Errorf("message %+v: %v", got, err)
				}
			})
		})
	}
}

// work handles the one message of a fixture for a while, and returns what was asked
// of its queue, and logged.
func work(ctx context.Context, t *testing.T, h *hider, handle queue.Handler) (asked []string, logged string) {
	t.Helper()
	e := event[events.SQSEvent](t, "tasks.json")
	var out bytes.Buffer
	meters, _ := quiet()
	_, err := lambdax.Messages{
		Max: 4, Sources: []lambdax.Source{{Queue: h, Handle: handle, Dead: &letters{}}}, Meters: meters, Log: slog.New(slog.NewTextHandler(&out, nil)),
	}.Batch(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait() // whoever still runs would say more
	time.Sleep(time.Hour)
	for _, one := range h.asked {
		asked = append(asked, strings.Replace(one, e.Records[0].ReceiptHandle[:4], "it", 1))
	}
	return asked, out.String()
}

func taking(d time.Duration, answer error) queue.Handler {
	return func(context.Context, queue.Message) error {
		time.Sleep(d)
		return answer
	}
}

// A message is hidden for two minutes at a time while it is worked on, and the answer
// has the last word.
func TestAMessageStaysHiddenWhileItIsWorkedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got, _ := work(t.Context(), t, newHider(tasksQueue), taking(100*time.Second, errors.New("not yet")))
		want := []string{"0s: it for 2m0s", "40s: it for 2m0s", "1m20s: it for 2m0s", "1m40s: it for 5s"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("asked of the queue (-want +got):\n%s", d)
		}
	})
}

// The answer waits for a beat that is under way: after it, nothing hides the message.
func TestTheAnswerComesAfterTheLastBeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHider(tasksQueue)
		h.slow = 3 * time.Second
		got, _ := work(t.Context(), t, h, taking(41*time.Second, errors.New("not yet"))) // begun after the first 3 seconds
		want := []string{"3s: it for 2m0s", "46s: it for 2m0s", "49s: it for 5s"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("asked of the queue (-want +got):\n%s", d)
		}
	})
}

// A queue that does not answer holds up neither the work nor, for long, the answer;
// the trouble is told once.
func TestTroubleWithHidingIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHider(tasksQueue)
		h.err = errors.New("throttled")
		worked := false
		got, logged := work(t.Context(), t, h, func(context.Context, queue.Message) error {
			time.Sleep(3 * time.Minute)
			worked = true
			return nil
		})
		if !worked || len(got) != 5 || strings.Count(logged, "throttled") != 1 || !strings.Contains(logged, "message handled") {
			t.Errorf("worked %t, asked %v, logged\n%s", worked, got, logged)
		}
	})
}

// After the function's deadline nobody says that it works, whether or not the
// handler heard of it.
func TestNobodyHidesAMessageAfterTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		h := newHider(tasksQueue)
		got, _ := work(ctx, t, h, taking(10*time.Minute, nil))
		if d := cmp.Diff([]string{"0s: it for 2m0s", "40s: it for 2m0s"}, got); d != "" {
			t.Errorf("asked of the queue (-want +got):\n%s", d)
		}
	})
}

// SQS hides a message for twelve hours in all, and refuses more.
func TestHidingEndsBeforeTwelveHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got, logged := work(t.Context(), t, newHider(tasksQueue), taking(13*time.Hour, nil))
		if last := got[len(got)-1]; last != "11h58m40s: it for 20s" {
			t.Errorf("the last of %d is %s", len(got), last)
		}
		if strings.Contains(logged, "WARN") {
			t.Error(logged)
		}
	})
}
