package lambdahost_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

func TestQueue(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{})

	t.Run("what failed comes again, what succeeded does not", func(t *testing.T) {
		w.send("say a", "once fail", "say b")
		idle(t, h)
		if said := w.words(); !slices.Equal(said, []string{"1 once fail", "1 say a", "1 say b", "2 once fail"}) {
			t.Errorf("delivered %q", said)
		}
	})
	t.Run("what fails too often is dead", func(t *testing.T) {
		w.send("fail", "exit")
		idle(t, h)
		if dead := w.dead(); !slices.Equal(dead, []string{"exit", "fail"}) {
			t.Errorf("dead: %q", dead)
		}
	})
	t.Run("a crash costs one delivery", func(t *testing.T) {
		w.words()
		w.send("once exit")
		idle(t, h)
		if said := w.words(); !slices.Equal(said, []string{"1 once exit", "2 once exit"}) {
			t.Errorf("delivered %q", said)
		}
	})
	for name, report := range map[string]string{
		"a message that was not in the batch": `{"batchItemFailures":[{"itemIdentifier":"other"}]}`,
		"an empty identifier":                 `{"batchItemFailures":[{"itemIdentifier":""}]}`,
		"another key":                         `{"batchItemFailures":[{"messageId":"x"}]}`,
		"no report":                           `"done"`,
	} {
		t.Run("the batch failed if the report has "+name, func(t *testing.T) {
			w.words()
			w.send("once report " + report)
			idle(t, h)
			if said := w.words(); len(said) != 2 {
				t.Errorf("delivered %q", said)
			}
		})
	}
	for _, report := range []string{`{}`, `null`, `{"batchItemFailures":null}`, `{"batchItemFailures":[]}`} {
		t.Run("nothing failed if the report is "+report, func(t *testing.T) {
			w.words()
			w.send("report " + report)
			idle(t, h)
			if said := w.words(); len(said) != 1 {
				t.Errorf("delivered %q", said)
			}
		})
	}
	t.Run("a record is as Lambda's", func(t *testing.T) {
		w.send("entry")
		idle(t, h)
		var record events.SQSMessage
		must(t, json.Unmarshal([]byte(w.written("entry ")[0]), &record))
		if record.EventSourceARN != w.stack.Mappings[0].QueueARN || record.EventSource != "aws:sqs" || record.AWSRegion != region ||
			record.Attributes["SentTimestamp"] == "" || *record.MessageAttributes["Kind"].StringValue != "test" || record.Md5OfBody == "" {
			t.Errorf("record %+v", record)
		}
	})
	t.Run("messages sent by functions are delivered at once", func(t *testing.T) {
		start := time.Now()
		_, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"send say sent"}`))
		must(t, err)
		idle(t, h)
		if said := w.words(); !slices.Contains(said, "1 say sent") {
			t.Errorf("delivered %q after %s", said, time.Since(start))
		}
	})
}

func TestDuplicatesInRandomOrder(t *testing.T) {
	w := newWorld(t)
	var bodies, want []string
	for i := range 20 {
		bodies = append(bodies, fmt.Sprintf("say %02d", i))
		want = append(want, fmt.Sprintf("1 say %02d", i), fmt.Sprintf("1 say %02d", i))
	}
	w.send(append(bodies, "once fail")...)
	want = append([]string{"1 once fail", "1 once fail", "2 once fail", "2 once fail"}, want...)
	slices.Sort(want)
	h := w.start(t, lambdahost.Options{Duplicate: true, Shuffle: 7})
	idle(t, h)
	inOrder := w.written("record ")
	if got := w.words(); !slices.Equal(got, want) {
		t.Errorf("delivered (-want +got):\n%s", cmp.Diff(want, got))
	}
	if slices.IsSortedFunc(inOrder, func(a, b string) int { return strings.Compare(body(a), body(b)) }) {
		t.Error("delivered in order")
	}
}

func TestMessagesSurviveTheHost(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{VisibilityOverride: time.Hour, Shuffle: 1})
	w.send("once sleep")
	w.await("record ")
	must(t, h.Close())
	w.words()
	next := w.start(t, lambdahost.Options{})
	w.await("record ") // the message was given back, which its queue may count a moment later
	idle(t, next)
	if said := w.words(); !slices.Equal(said, []string{"2 once sleep"}) {
		t.Errorf("delivered %q", said)
	}
}

// The message of a function that dies comes again when the function said, though its
// queue would keep it for an hour.
func TestADeadFunctionsMessageIsHiddenAsItSaid(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{VisibilityOverride: -1})
	w.send("once hide and die")
	idle(t, h)
	if said := w.words(); !slices.Equal(said, []string{"1 once hide and die", "2 once hide and die"}) {
		t.Errorf("delivered %q", said)
	}
}

func TestNeedsPermissionToRead(t *testing.T) {
	w := newWorld(t)
	w.stack.Functions[0].RoleARN = w.role("kms:Decrypt")
	_, err := lambdahost.Start(t.Context(), w.stack, lambdahost.Options{Binaries: map[string]string{"Probe": theShared(t).bootstrap}})
	if err == nil || !strings.Contains(err.Error(), "sqs:GetQueueAttributes") {
		t.Errorf("%v", err)
	}
}

// words takes the deliveries since the last time: receive count and body, sorted.
func (w *world) words() []string {
	words := w.written("record ")
	for i := range words {
		words[i] = body(words[i])
	}
	slices.Sort(words)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = slices.DeleteFunc(w.lines, func(line string) bool { return strings.HasPrefix(line, "record ") })
	return words
}

// body cuts off a record's id.
func body(record string) string {
	_, rest, _ := strings.Cut(record, " ")
	return rest
}
