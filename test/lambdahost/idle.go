package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// recheck is how soon queues that wait for a time of their own are looked at again.
const recheck = 50 * time.Millisecond

// Idle waits until nothing would happen any more by itself: no invocation runs and
// no queue with a mapping holds a message, be it visible, in flight or delayed.
func (h *Host) Idle(ctx context.Context) error {
	for {
		running, begun, changed := h.activity.look()
		var pending string
		if running == 0 {
			var err error
			if pending, err = h.pending(ctx); err != nil {
				return err
			}
			// A queue's counts are not of one moment: what just changed from one to the
			// other may be in none.
			if pending == "" {
				if pending, err = h.pending(ctx); err != nil {
					return err
				}
			}
			r, b, _ := h.activity.look()
			if pending == "" && r == 0 && b == begun {
				return nil
			}
		}
		timer := time.NewTimer(recheck)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("lambdahost: not idle: %d under way, %s: %w", running, pending, h.why(ctx.Err()))
		case <-h.life.Done():
			timer.Stop()
			return ErrClosed
		}
		timer.Stop()
	}
}

// pending names a mapped queue that holds messages, "" if none does.
func (h *Host) pending(ctx context.Context) (string, error) {
	counts := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	for _, p := range h.pollers {
		out, err := p.account.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &p.queue.URL, AttributeNames: counts})
		if err != nil {
			return "", fmt.Errorf("look at queue %s: %w", p.queue.LogicalID, err)
		}
		for _, name := range counts {
			if n, err := strconv.Atoi(out.Attributes[string(name)]); err != nil || n > 0 {
				return fmt.Sprintf("%s of %s is %s", name, p.queue.LogicalID, out.Attributes[string(name)]), nil
			}
		}
	}
	return "", nil
}

// why adds the pollers' own troubles to an error.
func (h *Host) why(err error) error {
	all := []error{err}
	for _, p := range h.pollers {
		all = append(all, p.lastFailure())
	}
	return errors.Join(all...)
}
