package lambdax

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A queue's visibility timeout must not be shorter than its function may run, and AWS
// advises six times that; a function that is killed, or runs out of memory, would cost
// all of it. So a message that is being worked on is hidden for a short while only, and
// again and again.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
const (
	// hidden is how long a message stays hidden whose function says no more.
	hidden = 2 * time.Minute
	// beat is how often the function says that it works on it: two may be lost.
	beat = 40 * time.Second
	// beatWithin is how long one may take; the message's answer waits for it.
	beatWithin = 10 * time.Second
	// longest is how long SQS keeps a message hidden in all, less the moment that it
	// took to get here; it refuses to hide one for longer.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
	longest = 12*time.Hour - time.Minute
)

// hold keeps a message hidden while it is worked on. Whoever calls stop may be sure
// that nothing of this comes after it: the answer decides when the message comes
// again. The first call is made before hold returns, so that a function that dies in
// its first moments costs no more. An error is no reason not to work: then the
// message comes again earlier or later than it should, and may do so any time.
func hold(ctx context.Context, queue Hider, receipt string, log *slog.Logger) (stop func()) {
	received := time.Now()
	var once sync.Once
	hide := func() (more bool) {
		left := longest - time.Since(received)
		if left <= 0 {
			return false
		}
		one, cancel := context.WithTimeout(ctx, beatWithin)
		defer cancel()
		if err := queue.RedeliverAfter(one, receipt, min(hidden, left)); err != nil && ctx.Err() == nil {
			once.Do(func() {
				log.WarnContext(ctx, "a message that is worked on could not be kept hidden", slog.Any("error", err))
			})
		}
		return true
	}
	hide()
	stopped := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// Both may be ready.
			select {
			case <-stopped:
				return
			default:
			}
			if ctx.Err() != nil || !hide() {
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(stopped)
		beating.Wait()
	})
}
