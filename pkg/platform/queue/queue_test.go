package queue_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

func TestLast(t *testing.T) {
	for m, want := range map[[2]int]bool{{1, 5}: false, {4, 5}: false, {5, 5}: true, {6, 5}: true, {1, 1}: true, {9, 0}: false} {
		if got := (queue.Message{Attempt: m[0], Max: m[1]}).Last(); got != want {
			t.Errorf("attempt %d of %d: %t", m[0], m[1], got)
		}
	}
}

func TestLater(t *testing.T) {
	cause := errors.New("not yet")
	err := fmt.Errorf("task: %w", queue.Later(cause, time.Minute))
	if !errors.Is(err, cause) || err.Error() != "task: not yet" || queue.WaitOf(err) != time.Minute || queue.WaitOf(cause) != 0 {
		t.Errorf("%v waits %s", err, queue.WaitOf(err))
	}
}
