// Package batch sends many things by the batch calls that SQS, SNS and EventBridge have:
// all take ten entries, answer for each by itself, and say why they refused one.
package batch

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"github.com/cloudarq/cloudarq/internal/backoff"
)

// Limits of one batch, for all three.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
// (1 MiB there by now; what goes on to Lambda or was subscribed long ago may not be).
const (
	MaxEntries = 10
	MaxBytes   = 256 << 10
)

// idleTries is how often in a row a batch may be refused as a whole, about 20
// seconds, before Send gives up.
const idleTries = 10

// Answer is what a call said: which entries it took, by their ID, and why it
// refused others.
type Answer struct {
	Taken   []string
	Refused []Refusal
}

// Refusal is why one entry was not taken.
type Refusal struct {
	Code        string
	Message     string
	SenderFault bool // no repetition can help
}

// ID is how the entry at index i is named in calls and answers.
func ID(i int) string { return strconv.Itoa(i) }

// Send sends the entries 0 to n-1 in order, of size(i) bytes each, in as few
// calls as the limits allow. call is given the indexes of a batch. What it does
// not name as taken is sent again, with longer and longer waits; a sender's fault,
// an error of call and the context's end are errors at once. It returns how many
// entries were taken.
func Send(ctx context.Context, n int, size func(i int) int, call func(entries []int) (Answer, error)) (sent int, err error) {
	for entries := range split(n, size) {
		left, err := send(ctx, entries, call)
		sent += len(entries) - left
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// split cuts 0 to n-1 into batches. One entry too large for any goes alone, for
// the service to refuse.
func split(n int, size func(i int) int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		var entries []int
		bytes := 0
		for i := range n {
			if more := size(i); len(entries) == MaxEntries || len(entries) > 0 && bytes+more > MaxBytes {
				if !yield(entries) {
					return
				}
				entries, bytes = nil, 0
			}
			entries = append(entries, i)
			bytes += size(i)
		}
		if len(entries) > 0 {
			yield(entries)
		}
	}
}

func send(ctx context.Context, entries []int, call func([]int) (Answer, error)) (left int, err error) {
	for idle := 0; len(entries) > 0; {
		answer, err := call(entries)
		if err != nil {
			return len(entries), err
		}
		taken := make(map[string]bool, len(answer.Taken))
		for _, id := range answer.Taken {
			taken[id] = true
		}
		var again []int
		for _, i := range entries {
			if !taken[ID(i)] {
				again = append(again, i)
			}
		}
		if idle++; len(again) < len(entries) {
			idle = 0
		}
		entries = again
		if err := verdict(answer.Refused, idle); err != nil {
			return len(entries), err
		}
		if len(entries) > 0 {
			if err := backoff.Wait(ctx, idle+1); err != nil {
				return len(entries), err
			}
		}
	}
	return 0, nil
}

// verdict is the error that ends it, if any.
func verdict(refused []Refusal, idle int) error {
	for _, r := range refused {
		if r.SenderFault {
			return fmt.Errorf("refused: %s: %s", r.Code, r.Message)
		}
	}
	switch {
	case idle < idleTries:
		return nil
	case len(refused) > 0:
		return fmt.Errorf("refused %d times in a row: %s: %s", idle, refused[0].Code, refused[0].Message)
	default:
		return fmt.Errorf("not taken %d times in a row", idle)
	}
}
