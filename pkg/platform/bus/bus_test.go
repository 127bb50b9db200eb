package bus_test

import (
	"context"
	"errors"
	"fmt"
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
	gone, away := fmt.Errorf("%w: it is gone", bus.ErrRefused), errors.New("throttled")
	for what, c := range map[string]struct {
		always     bool
		err        error
		told, lost error
	}{
		"a bus that is gone":                       {false, gone, nil, gone},
		"one that is away, to who does it again":   {false, away, away, nil},
		"one that is away, to who could not":       {true, away, nil, away},
		"one that takes everything":                {false, nil, nil, nil},
		"one that takes everything, from everyone": {true, nil, nil, nil},
	} {
		var lost error
		l := bus.Lenient{Publisher: broken{c.err}, Always: c.always, Within: time.Minute, Lost: func(_ context.Context, n int, err error) {
			if lost = err; n != 2 {
				t.Errorf("%s: %d events are lost, want 2", what, n)
			}
		}}
		if err := l.Publish(t.Context(), bus.Event{}, bus.Event{}); !errors.Is(err, c.told) || !errors.Is(lost, c.lost) {
			t.Errorf("%s: %v is told, and %v lost", what, err, lost)
		}
	}
}
