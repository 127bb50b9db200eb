package lambdahost_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

func TestCallsAreRecorded(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{})
	_, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"put x"}`))
	must(t, err)
	_, err = h.Invoke(t.Context(), "Probe", []byte(`{"do":"send say x"}`))
	must(t, err)
	var got []string
	for _, c := range h.Calls() {
		got = append(got, fmt.Sprint(c.Seq, c.Function, c.Service, c.Operation, c.Resource, c.Effect, c.Sent, c.Status, c.RequestID != ""))
	}
	want := []string{
		fmt.Sprint(1, "Probe", "dynamodb", "PutItem", "probe", true, true, 200, true),
		fmt.Sprint(2, "Probe", "dynamodb", "PutItem", "probe", true, true, 200, true),
		fmt.Sprint(3, "Probe", "sqs", "SendMessage", "jobs", true, true, 200, true),
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}

// TestKillsBetweenSideEffects kills the function at each side effect in turn, before
// and after: the table then holds exactly what was sent, and the next delivery
// finishes the work.
func TestKillsBetweenSideEffects(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    int32
		phase lambdahost.Phase
		want  string // in the table after the kill
	}{
		{"before the first", 1, lambdahost.BeforeSend, ""},
		{"after the first", 1, lambdahost.AfterAnswer, "x-first"},
		{"before the second", 2, lambdahost.BeforeSend, "x-first"},
		{"after the second", 2, lambdahost.AfterAnswer, "x-first x-second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			var effects, kills atomic.Int32
			seen := make(chan string, 1)
			h := w.start(t, lambdahost.Options{Intercept: func(call lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
				if !call.Effect {
					return lambdahost.Continue()
				}
				if phase == lambdahost.BeforeSend {
					effects.Add(1)
				}
				if effects.Load() == c.at && phase == c.phase && kills.CompareAndSwap(0, 1) {
					seen <- strings.Join(w.items(), " ")
					return lambdahost.Kill()
				}
				return lambdahost.Continue()
			}})
			w.send("put x")
			idle(t, h)
			if got := <-seen; got != c.want {
				t.Errorf("at the kill the table had %q, want %q", got, c.want)
			}
			if got := w.words(); !slices.Equal(got, []string{"1 put x", "2 put x"}) {
				t.Errorf("delivered %q", got)
			}
			if got := w.items(); !slices.Equal(got, []string{"x-first", "x-second"}) {
				t.Errorf("in the end the table has %q", got)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	var verdict atomic.Pointer[lambdahost.Verdict]
	h := w.start(t, lambdahost.Options{Intercept: func(_ lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
		if v := verdict.Load(); v != nil && phase == lambdahost.BeforeSend {
			return *v
		}
		return lambdahost.Continue()
	}})
	for _, c := range []struct {
		name    string
		verdict lambdahost.Verdict
		do      string
		want    string
	}{
		{"a throttled table", lambdahost.Throttle(), "put x", "ProvisionedThroughputExceededException"},
		{"a denied table", lambdahost.Fail(400, "AccessDeniedException"), "put x", "AccessDeniedException"},
		{"a failed condition", lambdahost.Fail(400, "ConditionalCheckFailedException"), "put x", "ConditionalCheckFailedException"},
		{"a queue that is away", lambdahost.Fail(500, "InternalError"), "send say x", "InternalError"},
		{"a throttled queue", lambdahost.Throttle(), "send say x", "RequestThrottled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict.Store(&c.verdict)
			_, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"`+c.do+`"}`))
			verdict.Store(nil)
			var failed *lambdahost.FunctionError
			if !errors.As(err, &failed) || !strings.Contains(failed.Message, c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if got := w.items(); len(got) != 0 {
		t.Errorf("the table has %q", got)
	}
}
