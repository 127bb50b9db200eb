package eventbridge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/bus/eventbridge"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

func some(n int, fill string) (events []bus.Event) {
	for i := range n {
		id := fmt.Sprint(i)
		events = append(events, bus.Event{ID: id, Type: "audit finished", At: time.Unix(1_800_000_000, 0), Detail: fmt.Appendf(nil, `{"id":%q,"fill":%q}`, id, fill)})
	}
	return events
}

// More than two of EventBridge's batches, by number and by bytes, reach a queue by a rule.
func TestAllArrive(t *testing.T) {
	cfg := emulated.Config(t)
	events, queues, name := sdk.NewFromConfig(cfg), sqs.NewFromConfig(cfg), emulated.Name("bus")
	q, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutRule(t.Context(), &sdk.PutRuleInput{Name: &name, EventBusName: &name, EventPattern: aws.String(`{"source": ["cloudarq"], "detail-type": ["audit finished"]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: &name, EventBusName: &name, Targets: []types.Target{{Id: aws.String("q"), Arn: aws.String(attributes.Attributes["QueueArn"])}}}); err != nil {
		t.Fatal(err)
	}
	all := some(23, strings.Repeat("x", 40_000))
	if err := eventbridge.New(events, name).Publish(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for {
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3600})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			var e struct {
				Source string
				Type   string `json:"detail-type"`
				Detail struct{ ID string }
			}
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &e); err != nil {
				t.Fatal(err)
			}
			if e.Source != "cloudarq" || e.Type != "audit finished" {
				t.Errorf("an event is from %s, of type %s", e.Source, e.Type)
			}
			got[e.Detail.ID] = true
		}
	}
	if len(got) != len(all) {
		t.Errorf("%d of %d events arrived", len(got), len(all))
	}
}

// cloud answers PutEvents, and counts what it took, by the details' ids.
func cloud(t *testing.T, refuse func(call int, id string) string) (*eventbridge.Bus, *fake.Fake, map[string]int) {
	f, taken, calls := fake.New(), map[string]int{}, 0
	fake.On(f, func(in *sdk.PutEventsInput) (*sdk.PutEventsOutput, error) {
		calls++
		out := &sdk.PutEventsOutput{}
		for _, e := range in.Entries {
			var detail struct{ ID string }
			if err := json.Unmarshal([]byte(aws.ToString(e.Detail)), &detail); err != nil {
				t.Error(err)
			}
			if code := refuse(calls, detail.ID); code != "" {
				out.FailedEntryCount++
				out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: aws.String("no")})
				continue
			}
			taken[detail.ID]++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String("e")})
		}
		return out, nil
	})
	return eventbridge.New(sdk.NewFromConfig(f.Config(t)), "default"), f, taken
}

func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f, taken := cloud(t, func(call int, id string) string {
			if id == "1" && call < 4 {
				return []string{"ThrottlingException", "InternalFailure"}[call%2]
			}
			return ""
		})
		if err := b.Publish(t.Context(), some(3, "")...); err != nil {
			t.Fatal(err)
		}
		if n := f.Calls("EventBridge.PutEvents"); n != 4 || taken["0"] != 1 || taken["1"] != 1 || taken["2"] != 1 {
			t.Errorf("taken %v in %d calls, want each once in 4", taken, n)
		}
	})
}

func TestWhatIsRefusedForGoodEndsAtOnce(t *testing.T) {
	b, f, _ := cloud(t, func(_ int, id string) string {
		if id == "1" {
			return "NotAuthorizedForSourceException"
		}
		return ""
	})
	err := b.Publish(t.Context(), some(3, "")...)
	if !errors.Is(err, bus.ErrRefused) || !strings.Contains(err.Error(), "1 of 3 events not sent") || !strings.Contains(err.Error(), "NotAuthorizedForSourceException") {
		t.Errorf("error %v, want how many were not sent and why", err)
	}
	if n := f.Calls("EventBridge.PutEvents"); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// A bus that is gone, and one that may be told nothing, are not asked again; one that is
// throttled for long is no refusal.
func TestWhatIsARefusal(t *testing.T) {
	for code, refused := range map[string]bool{"ResourceNotFoundException": true, "AccessDeniedException": true, "InternalException": false} {
		f := fake.New()
		fake.On(f, func(*sdk.PutEventsInput) (*sdk.PutEventsOutput, error) {
			return nil, &smithy.GenericAPIError{Code: code, Message: "no"}
		})
		err := eventbridge.New(sdk.NewFromConfig(f.Config(t)), "default").Publish(t.Context(), some(1, "")...)
		if err == nil || errors.Is(err, bus.ErrRefused) != refused {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestNothingOfABadCallIsSent(t *testing.T) {
	b, f, _ := cloud(t, func(int, string) string { return "" })
	if err := b.Publish(t.Context(), append(some(1, ""), bus.Event{ID: "x"})...); err == nil {
		t.Error("a bad event was published")
	}
	if n := f.Calls("EventBridge.PutEvents"); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}
