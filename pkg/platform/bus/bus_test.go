package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/bus"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	good := bus.Event{ID: "1", Type: "audit finished", At: time.Unix(1, 0), Detail: []byte(`{"a": 1}`)}
	for what, change := range map[string]func(*bus.Event){
		"no id":           func(e *bus.Event) { e.ID = "" },
		"no type":         func(e *bus.Event) { e.Type = "" },
		"long type":       func(e *bus.Event) { e.Type = strings.Repeat("t", bus.MaxType+1) },
		"no time":         func(e *bus.Event) { e.At = time.Time{} },
		"no detail":       func(e *bus.Event) { e.Detail = nil },
		"no object":       func(e *bus.Event) { e.Detail = []byte(`[1]`) },
		"no JSON":         func(e *bus.Event) { e.Detail = []byte(`{`) },
		"no UTF-8":        func(e *bus.Event) { e.Detail = []byte("{\"\xff\": 1}") },
		"detail too long": func(e *bus.Event) { e.Detail = []byte(`{"a": "` + strings.Repeat("x", bus.MaxDetail) + `"}`) },
	} {
		bad := good
		change(&bad)
		if err := bus.Check(good, bad); !errors.Is(err, bus.ErrInvalid) || !strings.Contains(err.Error(), "event 2 of 2") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := bus.Check(good, good); err != nil {
		t.Error(err)
	}
}

type broken struct{ err error }

func (b broken) Publish(context.Context, ...bus.Event) error { return b.err }

func TestLenient(t *testing.T) {
	t.Parallel()
	var failed error
	l := bus.Lenient{Publisher: broken{bus.ErrInvalid}, Within: time.Minute, Failed: func(_ context.Context, err error) { failed = err }}
	if err := l.Publish(t.Context(), bus.Event{}); err != nil || !errors.Is(failed, bus.ErrInvalid) {
		t.Errorf("publish: %v, and %v was said", err, failed)
	}
}
