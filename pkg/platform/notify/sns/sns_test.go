package sns_test

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/notify/notifytest"
	"github.com/cloudarq/cloudarq/pkg/platform/notify/sns"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

// subscriber is a queue that a topic delivers to. It gets SNS's envelope and not
// the raw message, because a raw one has no subject.
type subscriber struct {
	client *awssqs.Client
	url    string

	mu   sync.Mutex
	seen []notify.Message
}

// topic makes one in the emulator, with a subscriber.
func topic(t testing.TB) (*sns.Topic, *subscriber) {
	t.Helper()
	s := &subscriber{client: awssqs.NewFromConfig(emulated.Config(t))}
	queue, err := s.client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: aws.String(emulated.Name("queue"))})
	if err != nil {
		t.Fatal(err)
	}
	s.url = aws.ToString(queue.QueueUrl)
	attributes, err := s.client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := awssns.NewFromConfig(emulated.Config(t))
	made, err := client.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: aws.String(emulated.Name("topic"))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Subscribe(t.Context(), &awssns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(attributes.Attributes["QueueArn"]),
	}); err != nil {
		t.Fatal(err)
	}
	return sns.New(client, aws.ToString(made.TopicArn)), s
}

// envelope is how SNS wraps a message for a queue.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type envelope struct {
	Subject           string
	Message           string
	MessageAttributes map[string]struct{ Type, Value string }
}

func (s *subscriber) published(t testing.TB) []notify.Message {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		out, err := s.client.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.url), MaxNumberOfMessages: 10, VisibilityTimeout: 3600,
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return s.seen
		}
		for _, raw := range out.Messages {
			var e envelope
			if err := json.Unmarshal([]byte(aws.ToString(raw.Body)), &e); err != nil {
				t.Fatal(err)
			}
			m := notify.Message{ID: e.MessageAttributes["id"].Value, Subject: e.Subject, Body: []byte(e.Message)}
			for name, a := range e.MessageAttributes {
				if a.Type != "String" {
					t.Errorf("attribute %s is of type %s", name, a.Type)
				}
				if name != "id" {
					if m.Attributes == nil {
						m.Attributes = map[string]string{}
					}
					m.Attributes[name] = a.Value
				}
			}
			s.seen = append(s.seen, m)
		}
	}
}

func TestConformance(t *testing.T) {
	notifytest.Run(t, func(t testing.TB) notifytest.Driver {
		topic, subscriber := topic(t)
		return notifytest.Driver{Notifier: topic, Published: func() []notify.Message { return subscriber.published(t) }}
	})
}

func some(ids ...string) (out []notify.Message) {
	for _, id := range ids {
		out = append(out, notify.Message{ID: id, Body: []byte("{}")})
	}
	return out
}

// cloud answers PublishBatch and counts what it took, by the messages' ids.
func cloud(t *testing.T, refuse func(call int, id string) *types.BatchResultErrorEntry) (*sns.Topic, *fake.Fake, map[string]int) {
	f, taken, calls := fake.New(), map[string]int{}, 0
	fake.On(f, func(in *awssns.PublishBatchInput) (*awssns.PublishBatchOutput, error) {
		calls++
		out := &awssns.PublishBatchOutput{}
		for _, e := range in.PublishBatchRequestEntries {
			id := aws.ToString(e.MessageAttributes["id"].StringValue)
			if no := refuse(calls, id); no != nil {
				no.Id = e.Id
				out.Failed = append(out.Failed, *no)
				continue
			}
			taken[id]++
			out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: e.Id})
		}
		return out, nil
	})
	return sns.New(awssns.NewFromConfig(f.Config(t)), "arn:aws:sns:eu-west-1:1:t"), f, taken
}

func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		topic, f, taken := cloud(t, func(call int, id string) *types.BatchResultErrorEntry {
			if id == "b" && call < 4 {
				return &types.BatchResultErrorEntry{Code: aws.String("InternalError")}
			}
			return nil
		})
		if err := topic.Publish(t.Context(), some("a", "b", "c")...); err != nil {
			t.Fatal(err)
		}
		if n := f.Calls("SNS.PublishBatch"); n != 4 || taken["a"] != 1 || taken["b"] != 1 || taken["c"] != 1 {
			t.Errorf("taken %v in %d calls, want each once in 4", taken, n)
		}
	})
}

func TestSenderFaultEndsAtOnce(t *testing.T) {
	topic, f, _ := cloud(t, func(_ int, id string) *types.BatchResultErrorEntry {
		if id == "b" {
			return &types.BatchResultErrorEntry{Code: aws.String("InvalidParameter"), SenderFault: true}
		}
		return nil
	})
	err := topic.Publish(t.Context(), some("a", "b", "c")...)
	if err == nil || !strings.Contains(err.Error(), "1 of 3 messages not sent") || !strings.Contains(err.Error(), "InvalidParameter") {
		t.Errorf("error %v, want how many were not sent and why", err)
	}
	if n := f.Calls("SNS.PublishBatch"); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestByProtocol: people who subscribed by e-mail are sent another form than programs.
func TestByProtocol(t *testing.T) {
	f := fake.New()
	var sent []types.PublishBatchRequestEntry
	fake.On(f, func(in *awssns.PublishBatchInput) (*awssns.PublishBatchOutput, error) {
		out := &awssns.PublishBatchOutput{}
		for _, e := range in.PublishBatchRequestEntries {
			sent = append(sent, e)
			out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: e.Id})
		}
		return out, nil
	})
	topic := sns.New(awssns.NewFromConfig(f.Config(t)), "arn:aws:sns:eu-west-1:1:t")
	if err := topic.Publish(t.Context(), notify.Message{ID: "a", Body: []byte(`{"a":1}`)}, notify.Message{ID: "b", Body: []byte(`{"b":"<2>"}`), Text: "two\n"}); err != nil {
		t.Fatal(err)
	}
	if s := aws.ToString(sent[0].MessageStructure); s != "" || aws.ToString(sent[0].Message) != `{"a":1}` {
		t.Errorf("without a text: structure %q of %s", s, *sent[0].Message)
	}
	if s := aws.ToString(sent[1].MessageStructure); s != "json" || aws.ToString(sent[1].Message) != `{"default":"{\"b\":\"<2>\"}","email":"two\n"}` {
		t.Errorf("with a text: structure %q of %s", s, *sent[1].Message)
	}
}
