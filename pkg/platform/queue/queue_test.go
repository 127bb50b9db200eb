package queue_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

func TestLast(t *testing.T) {
	for m, want := range map[[2]int]bool{{1, 5}: false, {4, 5}: false, {5, 5}: true, {6, 5}: true, {1, 1}: true, {9, 0}: false} {
		if got := (queue.Message{Attempt: m[0], Max: m[1]}).Last(); got != want {
			t.Errorf("attempt %d of %d: %t", m[0], m[1], got)
		}
	}
}
