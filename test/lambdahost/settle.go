package lambdahost

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// deliver invokes the function with a batch and deletes what it has done.
func (p *poller) deliver(batch []*delivery) {
	event, err := json.Marshal(p.event(batch))
	if err != nil {
		panic(err) // strings always marshal
	}
	answer, err := p.host.invoke(p.host.life, p.fn, newUUID(), event)
	failed, all := map[string]bool{}, err != nil
	if err == nil && p.mapping.PartialFailures {
		failed, err = reported(answer, batch)
		if err != nil {
			all = true
			p.fn.log(fmt.Sprintf("event source mapping %s: the whole batch failed: %v", p.mapping.LogicalID, err))
		}
	}
	for _, d := range batch {
		p.settle(d, !all && !failed[aws.ToString(d.MessageId)])
	}
}

// event is the batch as Lambda hands it over:
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func (p *poller) event(batch []*delivery) events.SQSEvent {
	var e events.SQSEvent
	for _, d := range batch {
		attributes := map[string]events.SQSMessageAttribute{}
		for name, a := range d.MessageAttributes {
			attributes[name] = events.SQSMessageAttribute{
				StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType),
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
		e.Records = append(e.Records, events.SQSMessage{
			MessageId:              aws.ToString(d.MessageId),
			ReceiptHandle:          aws.ToString(d.ReceiptHandle),
			Body:                   aws.ToString(d.Body),
			Md5OfBody:              aws.ToString(d.MD5OfBody),
			Md5OfMessageAttributes: aws.ToString(d.MD5OfMessageAttributes),
			Attributes:             d.Attributes,
			MessageAttributes:      attributes,
			EventSourceARN:         p.queue.ARN,
			EventSource:            "aws:sqs",
			AWSRegion:              p.host.stack.Region,
		})
	}
	return e
}

// reported reads which messages a function says have failed. An empty report is
// success; one that cannot be true is an error, and then the whole batch has failed:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func reported(answer []byte, batch []*delivery) (map[string]bool, error) {
	failed := map[string]bool{}
	if len(answer) == 0 {
		return failed, nil
	}
	var report struct {
		BatchItemFailures []map[string]any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &report); err != nil {
		return nil, fmt.Errorf("batchItemFailures: %w", err)
	}
	for _, item := range report.BatchItemFailures {
		id, _ := item["itemIdentifier"].(string)
		known := slices.ContainsFunc(batch, func(d *delivery) bool { return aws.ToString(d.MessageId) == id })
		if !known {
			return nil, fmt.Errorf("batchItemFailures name a message that was not in the batch: %v", item)
		}
		failed[id] = true
	}
	return failed, nil
}

// settle notes the end of one delivery; the last one decides. A message that was
// done once is done.
func (p *poller) settle(d *delivery, ok bool) {
	d.mu.Lock()
	d.copies--
	d.done = d.done || ok
	last, done := d.copies == 0, d.done
	d.mu.Unlock()
	switch {
	case !last:
		return
	case done:
		p.delete(d.message)
	default:
		p.giveBackLater(d.message)
	}
	p.host.activity.end()
}

func (p *poller) delete(m *message) {
	ctx, cancel := p.host.afterwards()
	defer cancel()
	_, err := p.role.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &p.queue.URL, ReceiptHandle: m.ReceiptHandle})
	if err != nil {
		p.fn.log(fmt.Sprintf("event source mapping %s: %v", p.mapping.LogicalID, err))
	}
}

// giveBackLater makes a failed message visible when Options say so, at once if the
// host closes. Where they do not say, it is up to the queue and the function.
func (p *poller) giveBackLater(m *message) {
	override := p.host.options.VisibilityOverride
	if override == 0 && p.host.life.Err() == nil {
		return
	}
	timer := time.NewTimer(time.Until(m.received.Add(override)))
	waiting := p.host.spawn(func() {
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.host.life.Done():
		}
		p.giveBack(m)
	})
	if !waiting {
		p.giveBack(m)
	}
}

// giveBack makes a message visible. While the host closes it waits until no poller could
// receive the message once more, which counts toward its queue's limit.
func (p *poller) giveBack(m *message) {
	if p.host.life.Err() != nil {
		<-p.done
	}
	ctx, cancel := p.host.afterwards()
	defer cancel()
	_, err := p.account.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &p.queue.URL, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0,
	})
	if err != nil {
		p.fn.log(fmt.Sprintf("event source mapping %s: %v", p.mapping.LogicalID, err))
	}
	p.look()
}

// giveBackBuffer returns what the host received and never delivered.
func (p *poller) giveBackBuffer() {
	for _, d := range p.buffer {
		d.mu.Lock()
		d.copies--
		last, done := d.copies == 0, d.done
		d.mu.Unlock()
		if !last {
			continue
		}
		if done {
			p.delete(d.message)
		} else {
			p.giveBack(d.message)
		}
		p.host.activity.end()
	}
	p.buffer = nil
}
