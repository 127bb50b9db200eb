package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/notify/log"
	"github.com/cloudarq/cloudarq/pkg/platform/notify/notifytest"
)

// stream keeps what is written, one entry a call.
type stream struct {
	mu     sync.Mutex
	writes []string
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, string(p))
	return len(p), nil
}

func TestConformance(t *testing.T) {
	notifytest.Run(t, func(t testing.TB) notifytest.Driver {
		s := &stream{}
		return notifytest.Driver{Notifier: log.New(s), Published: func() (out []notify.Message) {
			for text := range strings.Lines(strings.Join(s.writes, "")) {
				var l log.Line
				if err := json.Unmarshal([]byte(text), &l); err != nil {
					t.Fatalf("line %q: %v", text, err)
				}
				out = append(out, notify.Message{ID: l.ID, Subject: l.Subject, Attributes: l.Attributes, Body: l.Body})
			}
			return out
		}}
	})
}

func TestLines(t *testing.T) {
	s := &stream{}
	err := log.New(s).Publish(t.Context(),
		notify.Message{ID: "1", Subject: "a & b", Attributes: map[string]string{"k": "v"}, Body: []byte("{\n  \"a\": \"<b>\"\n}")},
		notify.Message{ID: "2", Body: []byte("null")})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"1","subject":"a & b","attributes":{"k":"v"},"body":{"a":"<b>"}}` + "\n" + `{"id":"2","body":null}` + "\n"
	if len(s.writes) != 1 || s.writes[0] != want {
		t.Errorf("%q, want one write of %q", s.writes, want)
	}
}

type full struct{ bytes.Buffer }

var errFull = errors.New("full")

func (*full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	err := log.New(&full{}).Publish(t.Context(), notify.Message{ID: "1", Body: []byte("{}")})
	if !errors.Is(err, errFull) {
		t.Errorf("%v, want the stream's error", err)
	}
}
