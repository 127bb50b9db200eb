// Package lambdax stands between AWS Lambda and the rest, which knows nothing of
// it: API Gateway's events become requests to an http.Handler, SQS's become
// messages for a queue.Handler.
package lambdax

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// Messages handles the messages of a queue.
type Messages struct {
	Handle queue.Handler
	// Max is how often the queue delivers a message before it is a dead letter.
	Max int
	// Dead takes messages that can never be handled, at once.
	Dead queue.Sender
	// Defer makes a message that failed come again after a while, instead of
	// after the queue's whole visibility timeout.
	Defer  func(ctx context.Context, receipt string, after time.Duration) error
	Meters *metrics.EMF
	Log    *slog.Logger
}

// Backoff is how long a message waits after its attempt failed.
func Backoff(attempt int) time.Duration {
	return min(time.Duration(attempt*attempt)*5*time.Second, 5*time.Minute)
}

// Batch handles the messages of one SQS event, one after the other, and answers
// which of them failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func (m Messages) Batch(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, record := range event.Records {
		if !m.one(ctx, record) {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	if err := m.Meters.Flush(); err != nil {
		m.Log.ErrorContext(ctx, "metrics", slog.Any("error", err))
	}
	return response, nil
}

// Queues handles the messages of several queues, each by its name.
type Queues map[string]Messages

// Batch handles the messages of one SQS event, which are of one queue.
func (q Queues) Batch(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	if len(event.Records) == 0 {
		return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, nil
	}
	source := event.Records[0].EventSourceARN
	messages, ok := q[source[strings.LastIndexByte(source, ':')+1:]]
	if !ok {
		return events.SQSEventResponse{}, fmt.Errorf("messages of the queue %q, of which nothing is known", source)
	}
	return messages.Batch(ctx, event)
}

// one handles a message and reports whether it is done with.
func (m Messages) one(ctx context.Context, record events.SQSMessage) bool {
	start := time.Now()
	attempt, err := strconv.Atoi(record.Attributes["ApproximateReceiveCount"])
	if err != nil {
		attempt = 1
	}
	err = m.Handle(ctx, queue.Message{ID: record.MessageId, Body: []byte(record.Body), Attempt: attempt, Max: m.Max})
	log := m.Log.With(ids(record.Body)...).With(slog.Int("attempt", attempt), slog.Duration("duration", time.Since(start)))
	switch {
	case err == nil:
		log.InfoContext(ctx, "message handled")
		return true
	case errors.Is(err, queue.ErrPoison):
		m.Meters.Add(metrics.Poison, 1)
		if dead := m.Dead.Send(ctx, []byte(record.Body)); dead != nil {
			log.ErrorContext(ctx, "message can never be handled, and the dead letters do not take it", slog.Any("error", errors.Join(err, dead)))
			return false
		}
		log.ErrorContext(ctx, "message can never be handled", slog.Any("error", err))
		return true
	}
	log.WarnContext(ctx, "message failed and comes again", slog.Any("error", err))
	if err := m.Defer(ctx, record.ReceiptHandle, Backoff(attempt)); err != nil {
		log.WarnContext(ctx, "it comes again only after the queue's visibility timeout", slog.Any("error", err))
	}
	return false
}

// ids are what a log line tells of a message.
func ids(body string) []any {
	var m struct {
		Kind, Org, Audit, Task string
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return nil
	}
	return []any{slog.String("kind", m.Kind), slog.String("org", m.Org), slog.String("audit", m.Audit), slog.String("task", m.Task)}
}
