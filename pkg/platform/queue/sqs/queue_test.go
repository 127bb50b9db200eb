package sqs_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/queuetest"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/sqs"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

func TestConformance(t *testing.T) {
	queuetest.Run(t, func(t testing.TB) queuetest.Driver {
		w := open(t)
		return queuetest.Driver{Queue: w, MaxReceives: maxReceives, StopsCount: true, Dead: func() []string { return w.deadLetters(t) }}
	})
}

// cloud answers SendMessageBatch and counts what it took.
func cloud(t *testing.T, refuse func(call int, body string) *types.BatchResultErrorEntry) (*sqs.Queue, *fake.Fake, map[string]int) {
	f, taken, calls := fake.New(), map[string]int{}, 0
	fake.On(f, func(in *awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error) {
		calls++
		out := &awssqs.SendMessageBatchOutput{}
		for _, e := range in.Entries {
			if no := refuse(calls, aws.ToString(e.MessageBody)); no != nil {
				no.Id = e.Id
				out.Failed = append(out.Failed, *no)
				continue
			}
			taken[aws.ToString(e.MessageBody)]++
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id, MessageId: e.Id})
		}
		return out, nil
	})
	// The fake's answers carry no digests of the messages, which the SDK would check.
	client := awssqs.NewFromConfig(f.Config(t), func(o *awssqs.Options) { o.DisableMessageChecksumValidation = true })
	return sqs.New(client, "https://sqs/1/q", nil), f, taken
}

func bodies(s ...string) (out [][]byte) {
	for _, b := range s {
		out = append(out, []byte(b))
	}
	return out
}

func refusal(code string, senderFault bool) *types.BatchResultErrorEntry {
	return &types.BatchResultErrorEntry{Code: aws.String(code), SenderFault: senderFault}
}

func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, f, taken := cloud(t, func(call int, body string) *types.BatchResultErrorEntry {
			if body == "b" && call < 4 {
				return refusal("InternalError", false)
			}
			return nil
		})
		if err := q.Send(t.Context(), bodies("a", "b", "c")...); err != nil {
			t.Fatal(err)
		}
		if n := f.Calls("SQS.SendMessageBatch"); n != 4 || taken["a"] != 1 || taken["b"] != 1 || taken["c"] != 1 {
			t.Errorf("taken %v in %d calls, want each once in 4", taken, n)
		}
	})
}

func TestSenderFaultEndsAtOnce(t *testing.T) {
	q, f, taken := cloud(t, func(_ int, body string) *types.BatchResultErrorEntry {
		if body == "b" {
			return refusal("InvalidMessageContents", true)
		}
		return nil
	})
	err := q.Send(t.Context(), bodies("a", "b", "c")...)
	if err == nil || !strings.Contains(err.Error(), "1 of 3 messages not sent") || !strings.Contains(err.Error(), "InvalidMessageContents") {
		t.Errorf("error %v, want how many were not sent and why", err)
	}
	if n := f.Calls("SQS.SendMessageBatch"); n != 1 || len(taken) != 2 {
		t.Errorf("taken %v in %d calls, want a and c in one", taken, n)
	}
}

func TestErrorsSayHowManyWereNotSent(t *testing.T) {
	q, _, taken := cloud(t, func(int, string) *types.BatchResultErrorEntry { return nil })
	big := strings.Repeat("x", 60<<10)
	if err := q.Send(t.Context(), bodies(big, big+"1", big+"2", big+"3", big+"4")...); err != nil || len(taken) != 5 {
		t.Fatalf("%d taken, %v", len(taken), err)
	}
	f := fake.New()
	fake.Fail[awssqs.SendMessageBatchInput](f, "AWS.SimpleQueueService.NonExistentQueue")
	err := sqs.New(awssqs.NewFromConfig(f.Config(t)), "https://sqs/1/q", nil).Send(t.Context(), bodies("a", "b")...)
	if err == nil || !strings.Contains(err.Error(), "2 of 2 messages not sent") || !strings.Contains(err.Error(), "NonExistentQueue") {
		t.Errorf("error %v, want how many were not sent and why", err)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _, _ := cloud(t, func(int, string) *types.BatchResultErrorEntry { return refusal("InternalError", false) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := q.Send(ctx, []byte("a")); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestRedeliverAfterRounds(t *testing.T) {
	for wait, want := range map[time.Duration]int32{
		-time.Second: 0, 0: 0, time.Millisecond: 1, time.Second: 1, 90 * time.Second: 90, 100 * time.Hour: 43200,
	} {
		f := fake.New()
		got := int32(-1)
		fake.On(f, func(in *awssqs.ChangeMessageVisibilityInput) (*awssqs.ChangeMessageVisibilityOutput, error) {
			got = in.VisibilityTimeout
			return &awssqs.ChangeMessageVisibilityOutput{}, nil
		})
		q := sqs.New(awssqs.NewFromConfig(f.Config(t)), "https://sqs/1/q", nil)
		if err := q.RedeliverAfter(t.Context(), "handle", wait); err != nil || got != want {
			t.Errorf("%s: %d seconds, %v; want %d", wait, got, err, want)
		}
	}
}

// Each message is of the group that its body names. A body of which nobody can say
// whose it is, and a name that SQS would not take, cost nothing but the fairness.
func TestGroups(t *testing.T) {
	f := fake.New()
	got := map[string]string{}
	fake.On(f, func(in *awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error) {
		out := &awssqs.SendMessageBatchOutput{}
		for _, e := range in.Entries {
			got[aws.ToString(e.MessageBody)] = aws.ToString(e.MessageGroupId)
			if e.MessageDeduplicationId != nil {
				t.Error("a standard queue refuses deduplication ids")
			}
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id, MessageId: e.Id})
		}
		return out, nil
	})
	client := awssqs.NewFromConfig(f.Config(t), func(o *awssqs.Options) { o.DisableMessageChecksumValidation = true })
	long := strings.Repeat("x", 129)
	group := func(body []byte) string { return strings.TrimPrefix(string(body), "of ") }
	if err := sqs.New(client, "https://sqs/1/q", group).Send(t.Context(), bodies("of acme", "of globex", "of ", "of a b", "of "+long)...); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"of acme": "acme", "of globex": "globex", "of ": "", "of a b": "", "of " + long: ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("groups (-want +got):\n%s", d)
	}
}
