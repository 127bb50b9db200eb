package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
)

const maxReceives = 5

// whole is the driver with what Lambda does when deployed: it receives, deletes
// what was handled, and lets SQS move to the dead letters what failed too often.
type whole struct {
	*sqs.Queue
	client    *awssqs.Client
	url, dead string

	mu   sync.Mutex
	gone []string // dead letters seen so far
}

var _ queue.Queue = (*whole)(nil)

func open(t testing.TB) *whole {
	t.Helper()
	w := &whole{client: awssqs.NewFromConfig(emulated.Config(t))}
	w.dead = w.create(t, nil)
	arn, err := w.client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: aws.String(w.dead), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.url = w.create(t, map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arn.Attributes["QueueArn"], maxReceives),
	})
	// All of one group: fairness needs it, and nothing else may depend on it.
	w.Queue = sqs.New(w.client, w.url, func([]byte) string { return "acme" })
	return w
}

func (w *whole) create(t testing.TB, attributes map[string]string) string {
	t.Helper()
	out, err := w.client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: aws.String(emulated.Name("queue")), Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.QueueUrl)
}

// Receive implements queue.Receiver. Calls do not end with the context, as one
// that was given up may have hidden a message already.
func (w *whole) Receive(ctx context.Context, handle queue.Handler, o queue.Options) error {
	failed := make(chan error, max(o.Concurrency, 1))
	var all sync.WaitGroup
	for range cap(failed) {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := w.one(ctx, handle); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// one receives and handles a message, if there is one.
func (w *whole) one(ctx context.Context, handle queue.Handler) error {
	going := context.WithoutCancel(ctx)
	out, err := w.client.ReceiveMessage(going, &awssqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(w.url),
		MaxNumberOfMessages:         1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil || len(out.Messages) == 0 {
		time.Sleep(5 * time.Millisecond) // the emulator's own long poll looks once a second
		return err
	}
	m := out.Messages[0]
	attempt, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return err
	}
	err = handle(ctx, queue.Message{ID: aws.ToString(m.MessageId), Body: []byte(aws.ToString(m.Body)), Attempt: attempt, Max: maxReceives})
	if err != nil && !errors.Is(err, queue.ErrPoison) {
		return w.RedeliverAfter(going, aws.ToString(m.ReceiptHandle), 0)
	}
	if err != nil {
		if _, err := w.client.SendMessage(going, &awssqs.SendMessageInput{QueueUrl: aws.String(w.dead), MessageBody: m.Body}); err != nil {
			return err
		}
	}
	_, err = w.client.DeleteMessage(going, &awssqs.DeleteMessageInput{QueueUrl: aws.String(w.url), ReceiptHandle: m.ReceiptHandle})
	return err
}

// deadLetters are the bodies of all dead letters so far.
func (w *whole) deadLetters(t testing.TB) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.client.ReceiveMessage(context.WithoutCancel(t.Context()), &awssqs.ReceiveMessageInput{
		QueueUrl: aws.String(w.dead), MaxNumberOfMessages: 10, VisibilityTimeout: 3600,
	})
	if err != nil {
		t.Error(err)
		return w.gone
	}
	for _, m := range out.Messages {
		w.gone = append(w.gone, aws.ToString(m.Body))
	}
	return append([]string(nil), w.gone...)
}
