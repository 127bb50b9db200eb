// Package backoff is the wait between two tries of the same thing.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	first = 50 * time.Millisecond
	most  = 5 * time.Second
)

// Wait waits before try n+1, after n failed ones (n from 1): a random time
// between half and all of 50 ms, 100 ms, 200 ms … 5 s, so that rivals spread out
// and none waits almost nothing. It returns the context's error if that ends first.
func Wait(ctx context.Context, n int) error {
	whole := first
	for ; n > 1 && whole < most; n-- {
		whole *= 2
	}
	whole = min(whole, most)
	t := time.NewTimer(whole/2 + rand.N(whole/2))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
