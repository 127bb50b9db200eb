package serverless_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// hear makes a rule on the default bus, as a customer would, that brings a queue what is
// told of an organization. It returns what takes out the types that came since.
func (h *house) hear(name string) func() []string {
	h.t.Helper()
	ctx, cfg := h.t.Context(), estate.Owner(h.emulator.URL, stack.Account)
	queues, events := sqs.NewFromConfig(cfg), eventbridge.NewFromConfig(cfg)
	q, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		h.t.Fatal(err)
	}
	pattern := fmt.Sprintf(`{"source": ["cloudarq"], "detail": {"organization": [%q]}}`, h.organization)
	if _, err := events.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern}); err != nil {
		h.t.Fatal(err)
	}
	target := eventtypes.Target{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":" + name)}
	if _, err := events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []eventtypes.Target{target}}); err != nil {
		h.t.Fatal(err)
	}
	seen := map[string]bool{}
	return func() []string {
		h.t.Helper()
		types := []string{}
		for {
			out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3600})
			if err != nil {
				h.t.Fatal(err)
			}
			if len(out.Messages) == 0 {
				slices.Sort(types)
				return types
			}
			for _, m := range out.Messages {
				var e struct {
					Type   string `json:"detail-type"`
					Detail struct{ ID string }
				}
				if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &e); err != nil {
					h.t.Fatal(err)
				}
				if !seen[e.Detail.ID] { // an event may come twice
					types = append(types, e.Type)
				}
				seen[e.Detail.ID] = true
			}
		}
	}
}

// TestEvents follows an account from its connection to its purge by the events that the
// deployed functions send, each with its own role.
func TestEvents(t *testing.T) {
	h := start(t, "events", nil)
	news := h.hear("events-all")
	chats := subscribeTo(t, h.install, "ChatTopic", "events-chats", `{"organization":["events"]}`)
	account := newSmall(t, h.install, "555555555511")
	account.rotate(t, true)
	c := h.connect(account.Account, scope())
	told := func(what string, want ...string) {
		t.Helper()
		ctx, cancel := contextWithin(t, time.Minute)
		defer cancel()
		if err := h.Idle(ctx); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, news()); d != "" {
			t.Errorf("events of %s (-want +got):\n%s", what, d)
		}
	}
	told("a new account", "connection created")
	h.wait(c, h.begin(c, "a").ID)
	told("the first audit", "audit finished", "audit signed", "audit started", "connection state")
	account.rotate(t, false)
	h.due(c)
	h.wait(c, h.latest(c).ID)
	// Chats get the same alerts, in their own form.
	if got := len(chats.empty(t)); got != 3 {
		t.Errorf("%d alerts for chats, want the ends of two audits and a finding", got)
	}
	told("an audit by the clock", "audit finished", "audit signed", "audit started", "connection updated", "finding new")
	if status := h.call(http.MethodPost, h.operatorPath()+"/rekey", nil, nil, nil); status != http.StatusAccepted {
		t.Fatalf("rekey: status %d", status)
	}
	told("a rekeying", "job ended", "job started")
}

// TestABusThatIsGone: audits end, and people hear of them, where the bus refuses all.
func TestABusThatIsGone(t *testing.T) {
	h := start(t, "gone", func(o *lambdahost.Options) {
		for _, function := range []string{"ApiFunction", "SchedulerFunction", "AggregatorFunction", "WorkerFunction"} {
			variables := map[string]string{"EVENT_BUS": "gone"} // of which no role may tell anything, either
			maps.Copy(variables, o.Environ[function])
			o.Environ[function] = variables
		}
	})
	mail := subscribe(t, h.install, "gone", `{"organization":["gone"]}`)
	account := newSmall(t, h.install, "555555555512")
	c := h.connect(account.Account, scope())
	if a := h.wait(c, h.begin(c, "a").ID); a.State != "done" {
		t.Errorf("the audit is %s", a.State)
	}
	if got := words(mail.empty(t)); !slices.Equal(got, []string{"audit finished"}) {
		t.Errorf("alerts %v, want the end once", got)
	}
}
