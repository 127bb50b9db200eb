// Package sns publishes notifications to an SNS topic, where CloudArq is
// deployed. The topic is a standard one; a FIFO topic would refuse the messages.
package sns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/cloudarq/cloudarq/internal/batch"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// Topic is a notify.Notifier. Make one with New.
type Topic struct {
	client *sns.Client
	arn    string
}

var _ notify.Notifier = (*Topic)(nil)

// New makes the notifier of the topic with this ARN. Attempts of single calls are
// the client's to repeat; give it a retryer for that.
func New(client *sns.Client, topicARN string) *Topic { return &Topic{client: client, arn: topicARN} }

// Publish implements notify.Notifier. Its errors say how many messages were not sent.
func (t *Topic) Publish(ctx context.Context, messages ...notify.Message) error {
	err := notify.Check(messages...)
	sent := 0
	if err == nil {
		sent, err = batch.Send(ctx, len(messages), func(i int) int { return messages[i].Size() }, func(entries []int) (batch.Answer, error) {
			return t.publish(ctx, messages, entries)
		})
	}
	if err != nil {
		return fmt.Errorf("publish to topic %s: %d of %d messages not sent: %w", t.arn, len(messages)-sent, len(messages), err)
	}
	return nil
}

func (t *Topic) publish(ctx context.Context, messages []notify.Message, entries []int) (batch.Answer, error) {
	in := &sns.PublishBatchInput{TopicArn: aws.String(t.arn)}
	for _, i := range entries {
		in.PublishBatchRequestEntries = append(in.PublishBatchRequestEntries, entry(batch.ID(i), messages[i]))
	}
	out, err := t.client.PublishBatch(ctx, in)
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

func entry(id string, m notify.Message) types.PublishBatchRequestEntry {
	payload, byProtocol := m.Payload()
	e := types.PublishBatchRequestEntry{
		Id:                aws.String(id),
		Message:           aws.String(payload),
		MessageAttributes: map[string]types.MessageAttributeValue{notify.IDAttribute: text(m.ID)},
	}
	if byProtocol {
		e.MessageStructure = aws.String("json")
	}
	if m.Subject != "" {
		e.Subject = aws.String(m.Subject)
	}
	for name, value := range m.Attributes {
		e.MessageAttributes[name] = text(value)
	}
	return e
}

func text(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(s)}
}
