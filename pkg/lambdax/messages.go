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

// Messages handles the messages of the queues that invoke a function.
type Messages struct {
	// Max is how often the queues deliver a message before it is a dead letter.
	Max     int
	Sources []Source
	Meters  *metrics.EMF
	Log     *slog.Logger
}

// Source is a queue that invokes a function.
type Source struct {
	Queue  Hider
	Handle queue.Handler
	// Dead takes messages that can never be handled, at once.
	Dead queue.Sender
}

// Hider is what a function asks of its queue; sqs.Queue is one.
type Hider interface {
	// Name is the last part of the queue's ARN.
	Name() string
	// RedeliverAfter makes a message come again after a while, counted from now, in
	// place of what is left of its visibility timeout.
	RedeliverAfter(ctx context.Context, receipt string, wait time.Duration) error
}

// Batch handles the messages of one SQS event, one after the other, and answers
// which of them failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func (m Messages) Batch(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, record := range event.Records {
		source, err := m.source(record)
		if err != nil {
			return response, err
		}
		if !m.one(ctx, source, record) {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	if err := m.Meters.Flush(); err != nil {
		m.Log.ErrorContext(ctx, "metrics", slog.Any("error", err))
	}
	return response, nil
}

// one handles a message and reports whether it is done with.
func (m Messages) one(ctx context.Context, source Source, record events.SQSMessage) bool {
	start := time.Now()
	attempt, err := strconv.Atoi(record.Attributes["ApproximateReceiveCount"])
	if err != nil {
		attempt = 1
	}
	log := m.Log.With(ids(record.Body)...).With(slog.Int("attempt", attempt))
	stop := hold(ctx, source.Queue, record.ReceiptHandle, log)
	err = source.Handle(ctx, queue.Message{ID: record.MessageId, Body: []byte(record.Body), Attempt: attempt, Max: m.Max})
	stop()
	log = log.With(slog.Duration("duration", time.Since(start)))
	switch {
	case err == nil:
		log.InfoContext(ctx, "message handled")
		return true
	case errors.Is(err, queue.ErrPoison):
		m.Meters.Add(metrics.Poison, 1)
		if dead := source.Dead.Send(ctx, []byte(record.Body)); dead != nil {
			log.ErrorContext(ctx, "message can never be handled, and the dead letters do not take it", slog.Any("error", errors.Join(err, dead)))
			return false
		}
		log.ErrorContext(ctx, "message can never be handled", slog.Any("error", err))
		return true
	}
	log.WarnContext(ctx, "message failed and comes again", slog.Any("error", err))
	if err := source.Queue.RedeliverAfter(ctx, record.ReceiptHandle, max(queue.Backoff(attempt), queue.WaitOf(err))); err != nil {
		log.WarnContext(ctx, "it comes again only when it becomes visible by itself", slog.Any("error", err))
	}
	return false
}

// source is the queue that a message came from.
func (m Messages) source(record events.SQSMessage) (Source, error) {
	name := record.EventSourceARN[strings.LastIndex(record.EventSourceARN, ":")+1:]
	for _, s := range m.Sources {
		if s.Queue.Name() == name {
			return s, nil
		}
	}
	return Source{}, fmt.Errorf("a message of the queue %q, of which nothing is known", record.EventSourceARN)
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
