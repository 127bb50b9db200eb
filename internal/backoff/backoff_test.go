package backoff_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudarq/cloudarq/internal/backoff"
)

func TestWaitDoubles(t *testing.T) {
	for n, whole := range map[int]time.Duration{
		1: 50 * time.Millisecond, 2: 100 * time.Millisecond, 3: 200 * time.Millisecond, 8: 5 * time.Second, 1 << 40: 5 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			if err := backoff.Wait(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(began); d < whole/2 || d > whole {
				t.Errorf("after %d tries it waits %s, want %s-%s", n, d, whole/2, whole)
			}
		})
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := backoff.Wait(ctx, 20); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}
