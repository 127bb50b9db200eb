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
	w := newWorld(t)
	for _, c := range []struct {
		name  string // also of the items
		at    int32
		phase lambdahost.Phase
		want  []string // in the table at the kill
	}{
		{"before-1", 1, lambdahost.BeforeSend, nil},
		{"after-1", 1, lambdahost.AfterAnswer, []string{"after-1-first"}},
		{"before-2", 2, lambdahost.BeforeSend, []string{"before-2-first"}},
		{"after-2", 2, lambdahost.AfterAnswer, []string{"after-2-first", "after-2-second"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			items := func() []string {
				return slices.DeleteFunc(w.items(), func(id string) bool { return !strings.HasPrefix(id, c.name) })
			}
			var effects atomic.Int32
			atKill := make(chan []string, 1)
			h := w.start(t, lambdahost.Options{Intercept: func(call lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
				if phase == lambdahost.BeforeSend && call.Effect {
					effects.Add(1)
				}
				if phase == c.phase && effects.Load() == c.at && len(atKill) == 0 {
					atKill <- items()
					return lambdahost.Kill()
				}
				return lambdahost.Continue()
			}})
			w.send("put " + c.name)
			idle(t, h)
			must(t, h.Close())
			if got := <-atKill; !slices.Equal(got, c.want) {
				t.Errorf("at the kill the table had %q, want %q", got, c.want)
			}
			if got := w.words(); !slices.Equal(got, []string{"1 put " + c.name, "2 put " + c.name}) {
				t.Errorf("delivered %q", got)
			}
			if got := items(); !slices.Equal(got, []string{c.name + "-first", c.name + "-second"}) {
				t.Errorf("in the end the table has %q", got)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	var verdict atomic.Pointer[lambdahost.Verdict]
	once := map[string]map[string]string{"Probe": {"AWS_MAX_ATTEMPTS": "1"}}
	h := w.start(t, lambdahost.Options{Environ: once, Intercept: func(_ lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
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
