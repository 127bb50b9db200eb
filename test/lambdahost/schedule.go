package lambdahost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cloudarq/cloudarq/test/stack"
)

// Fired is what became of a schedule's event.
type Fired struct {
	RequestID string // the same at each attempt, as Lambda has it
	Event     []byte
	Attempts  []Attempt
}

// Attempt is one invocation.
type Attempt struct {
	Answer []byte
	Err    error
}

// Err is nil if an attempt succeeded, else the last one's error.
func (f Fired) Err() error {
	if len(f.Attempts) == 0 {
		return nil
	}
	return f.Attempts[len(f.Attempts)-1].Err
}

// Fire lets a schedule, named by its logical id or its name, fire as if it were
// that time, and waits until its function has done it or given up. The error is of
// the firing; that of the function is in what it returns.
func (h *Host) Fire(ctx context.Context, schedule string, at time.Time) (Fired, error) {
	s, ok := h.stack.Schedule(schedule)
	if !ok {
		return Fired{}, fmt.Errorf("lambdahost: no schedule %q", schedule)
	}
	f, err := h.function(s.Function)
	if err != nil {
		return Fired{}, err
	}
	fired := Fired{RequestID: newUUID(), Event: scheduledEvent(h.stack, s, at)}
	for range 1 + f.spec.Retries {
		answer, err := h.invoke(ctx, f, fired.RequestID, fired.Event)
		fired.Attempts = append(fired.Attempts, Attempt{Answer: answer, Err: err})
		if err == nil {
			return fired, nil
		}
		if failed := (*FunctionError)(nil); !errors.As(err, &failed) {
			return fired, err
		}
	}
	return fired, h.bury(ctx, f, fired)
}

// scheduledEvent is what the function gets.
func scheduledEvent(in *stack.Stack, s stack.Schedule, at time.Time) []byte {
	id, when := newUUID(), at.UTC().Format(time.RFC3339)
	if s.Input != "" {
		if s.Kind != stack.Scheduler {
			return []byte(s.Input)
		}
		return []byte(strings.NewReplacer(
			"<aws.scheduler.schedule-arn>", s.ARN, "<aws.scheduler.scheduled-time>", when,
			"<aws.scheduler.execution-id>", id, "<aws.scheduler.attempt-number>", "1",
		).Replace(s.Input))
	}
	var detail any = map[string]any{}
	source := "aws.events"
	if s.Kind == stack.Scheduler {
		source, detail = "aws.scheduler", "{}"
	}
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": "Scheduled Event", "source": source, "account": in.Account,
		"time": when, "region": in.Region, "resources": []string{s.ARN}, "detail": detail,
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return event
}

// bury puts an event that failed for good into the function's dead-letter queue.
func (h *Host) bury(ctx context.Context, f *function, fired Fired) error {
	if f.spec.DeadLetterARN == "" {
		return nil
	}
	q, ok := h.stack.QueueByARN(f.spec.DeadLetterARN)
	if !ok {
		return fmt.Errorf("lambdahost: the dead-letter queue of %s is no queue of the stack: %s", f.spec.LogicalID, f.spec.DeadLetterARN)
	}
	keys, err := f.credentials()
	if err != nil {
		return err
	}
	attribute := func(kind, value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(value)}
	}
	_, err = sqs.NewFromConfig(h.aws(&keys)).SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:    &q.URL,
		MessageBody: aws.String(string(fired.Event)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"RequestID":    attribute("String", fired.RequestID),
			"ErrorCode":    attribute("Number", strconv.Itoa(200)),
			"ErrorMessage": attribute("String", fired.Err().Error()),
		},
	})
	if err != nil {
		return fmt.Errorf("bury the event of %s: %w", f.spec.LogicalID, err)
	}
	return nil
}
