// Package sqs sends to an SQS queue, where CloudArq is deployed. What is sent is
// received by Lambda's own poller, so there is no queue.Receiver here. Queues are
// standard ones; a FIFO queue would refuse the messages.
//
// A standard queue whose messages have a message group is a fair queue: a group with
// more than a tenth of what is being handled waits while others have messages, and
// nobody else waits for its backlog. It promises no order within a group, and takes
// no more of its receivers.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
package sqs

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/cloudarq/cloudarq/internal/batch"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// Queue is a queue.Sender. Make one with New.
type Queue struct {
	client *sqs.Client
	url    string
	group  Group
}

// Group says whose a message is, by its body: all of one group share the queue
// fairly with the others. A message of which it says "" is a group by itself.
//
// It is asked of the body, and not told to Send, because the body says it already: a
// second copy could be another, and whoever sends a message on would have to know it.
type Group func(body []byte) string

var _ queue.Sender = (*Queue)(nil)

// New makes the sender of the queue at this URL; without a group no message has one.
// Attempts of single calls are the client's to repeat; give it a retryer for that.
func New(client *sqs.Client, queueURL string, group Group) *Queue {
	return &Queue{client: client, url: queueURL, group: group}
}

// Name is the queue's name, with which its ARN ends too.
func (q *Queue) Name() string { return path.Base(q.url) }

// maxGroup is the most characters that SQS takes for a message group.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
const maxGroup = 128

// groupOf is the message group of a body; nil for none, or for one that SQS would
// refuse the message for.
func (q *Queue) groupOf(body []byte) *string {
	if q.group == nil {
		return nil
	}
	group := q.group(body)
	if group == "" || len(group) > maxGroup || strings.ContainsFunc(group, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	return &group
}

// Send implements queue.Sender. Its errors say how many messages were not sent.
func (q *Queue) Send(ctx context.Context, bodies ...[]byte) error {
	err := queue.Check(bodies...)
	sent := 0
	if err == nil {
		sent, err = batch.Send(ctx, len(bodies), func(i int) int { return len(bodies[i]) }, func(entries []int) (batch.Answer, error) {
			return q.send(ctx, bodies, entries)
		})
	}
	if err != nil {
		return fmt.Errorf("send to queue %s: %d of %d messages not sent: %w", q.url, len(bodies)-sent, len(bodies), err)
	}
	return nil
}

func (q *Queue) send(ctx context.Context, bodies [][]byte, entries []int) (batch.Answer, error) {
	in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.url)}
	for _, i := range entries {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{
			Id:          aws.String(batch.ID(i)),
			MessageBody: aws.String(string(bodies[i])),

			MessageGroupId: q.groupOf(bodies[i]),
		})
	}
	out, err := q.client.SendMessageBatch(ctx, in)
	if err != nil {
		return batch.Answer{}, err
	}
	var a batch.Answer
	for _, e := range out.Successful {
		a.Taken = append(a.Taken, aws.ToString(e.Id))
	}
	for _, e := range out.Failed {
		a.Refused = append(a.Refused, batch.Refusal{
			Code: aws.ToString(e.Code), Message: aws.ToString(e.Message), SenderFault: e.SenderFault,
		})
	}
	return a, nil
}

// MaxWait is the longest that SQS hides a message.
const MaxWait = 12 * time.Hour

// RedeliverAfter makes SQS deliver a message, received under the handle and not
// deleted, again after wait, counted from now, in place of what is left of its
// visibility timeout: a handler that failed for a moment need not wait for all of
// it, and one that was throttled can wait longer. Wait is rounded up to seconds
// and cut to MaxWait; with 0 it comes at once. A delivery counts all the same.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (q *Queue) RedeliverAfter(ctx context.Context, receiptHandle string, wait time.Duration) error {
	wait = min(max(wait, 0), MaxWait)
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl:          aws.String(q.url),
		ReceiptHandle:     aws.String(receiptHandle),
		VisibilityTimeout: int32((wait + time.Second - 1) / time.Second),
	})
	if err != nil {
		return fmt.Errorf("redeliver a message of queue %s: %w", q.url, err)
	}
	return nil
}
