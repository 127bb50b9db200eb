package lambdahost_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

func TestSchedules(t *testing.T) {
	w := newWorld(t)
	fails := filepath.Join(t.TempDir(), "fails")
	h := w.start(t, lambdahost.Options{Environ: map[string]map[string]string{"Probe": {"FAILS": fails}}})
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

	for name, c := range map[string]struct {
		failures string
		attempts int
		fails    bool
	}{
		"at the first attempt": {"", 1, false},
		"at the third":         {"..", 3, false},
		"never":                {"...", 3, true},
	} {
		t.Run("the function does it "+name, func(t *testing.T) {
			must(t, os.WriteFile(fails, []byte(c.failures), 0o600))
			fired, err := h.Fire(t.Context(), "Tick", at)
			must(t, err)
			if len(fired.Attempts) != c.attempts || (fired.Err() != nil) != c.fails {
				t.Fatalf("%d attempts, %v", len(fired.Attempts), fired.Err())
			}
			dead := w.dead()
			if c.fails != slices.Equal(dead, []string{string(fired.Event)}) {
				t.Errorf("dead: %q", dead)
			}
			var event events.CloudWatchEvent
			must(t, json.Unmarshal(fired.Event, &event))
			if event.DetailType != "Scheduled Event" || event.Source != "aws.events" || !event.Time.Equal(at) || event.Resources[0] != w.stack.Schedules[0].ARN {
				t.Errorf("event %s", fired.Event)
			}
		})
	}
	t.Run("an input of its own", func(t *testing.T) {
		fired, err := h.Fire(t.Context(), "told", at)
		must(t, err)
		if got := string(fired.Attempts[0].Answer); got != `"2026-11-25T12:00:00Z"` {
			t.Errorf("%s, %v", got, fired.Err())
		}
	})
}
