package serverless_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/test/alarm"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

func (in *install) alarm(t testing.TB, name string) alarm.Alarm {
	t.Helper()
	deployed, ok := in.stack.Alarm(name)
	if !ok {
		t.Fatalf("the stack has no %s", name)
	}
	a, err := alarm.Parse(deployed.Properties)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

// TestSilenceIsHeard stops the scheduler's rule and lets the minutes pass: the alarm on
// its silence, by its own definition, rings within 20 minutes, and not while it runs; and
// is over when it runs again.
func TestSilenceIsHeard(t *testing.T) {
	h := start(t, "silence", nil)
	silence := h.alarm(t, "SchedulerSilentAlarm")
	function, _ := h.stack.Function("SchedulerFunction")
	// Lambda counts what it is asked to run. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
	invocations := alarm.Metric{Namespace: "AWS/Lambda", Name: "Invocations", Dimensions: map[string]string{"FunctionName": function.Name}}
	rule, _ := h.stack.Schedule("SchedulerFunctionEveryMinute")
	events := eventbridge.NewFromConfig(estate.Owner(h.emulator.URL, stack.Account))
	data, now := alarm.Data{}, time.Now().UTC().Truncate(time.Hour)
	// pass lets minutes pass and says after how many the alarm was first in a state, -1
	// for never.
	pass := func(minutes int, state string) int {
		first := -1
		for i := range minutes {
			r, err := events.DescribeRule(t.Context(), &eventbridge.DescribeRuleInput{Name: &rule.Name})
			if err != nil {
				t.Fatal(err)
			}
			if r.State == eventtypes.RuleStateEnabled {
				fired, err := h.Fire(t.Context(), rule.Name, now)
				if err != nil || fired.Err() != nil {
					t.Fatal(err, fired.Err())
				}
				for range fired.Attempts {
					data.Put(invocations, now.Add(time.Second), 1)
				}
			}
			now = now.Add(time.Minute)
			got, err := silence.Evaluate(data, now)
			if err != nil {
				t.Fatal(err)
			}
			if got == state && first < 0 {
				first = i + 1
			}
		}
		return first
	}
	pass(15, "") // it has run before
	if after := pass(30, alarm.Ringing); after >= 0 {
		t.Errorf("the alarm rings after %d minutes of a scheduler that runs", after)
	}
	if _, err := events.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: &rule.Name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := events.EnableRule(context.WithoutCancel(t.Context()), &eventbridge.EnableRuleInput{Name: &rule.Name}); err != nil {
			t.Error(err)
		}
	})
	if after := pass(30, alarm.Ringing); after < 15 || after > 20 {
		t.Errorf("the alarm rings after %d minutes of a scheduler that is stopped, want 15 to 20", after)
	} else {
		fmt.Printf("silence: a stopped scheduler rings after %d minutes\n", after)
	}
	if _, err := events.EnableRule(t.Context(), &eventbridge.EnableRuleInput{Name: &rule.Name}); err != nil {
		t.Fatal(err)
	}
	if after := pass(10, alarm.OK); after < 0 || after > 5 {
		t.Errorf("the alarm is over after %d minutes of a scheduler that runs again", after)
	}
}

// given are values of an alarm's metrics, by their ids in its definition, for each of its
// periods, the oldest first: "3 - 0", where "-" is nothing.
type given map[string]string

// TestEveryAlarm holds each alarm of the stack to what makes it ring and what does not.
func TestEveryAlarm(t *testing.T) {
	in, err := deployed()
	if err != nil {
		t.Fatal(err)
	}
	one := func(values string) given { return given{"": values} }
	counts := func(threshold string) (rings, silent []given) { // of one period
		return []given{one(threshold)}, []given{{}, one("0")}
	}
	type row struct{ rings, silent []given }
	atOnce := func(threshold string, silent ...string) row {
		r, s := counts(threshold)
		for _, values := range silent {
			s = append(s, one(values))
		}
		return row{r, s}
	}
	rows := map[string]row{
		"TasksDeadLettersAlarm":   atOnce("1"),
		"UrgentDeadLettersAlarm":  atOnce("1"),
		"ResultsDeadLettersAlarm": atOnce("1"),
		"JobsDeadLettersAlarm":    atOnce("1"),
		"TasksAgeAlarm":           atOnce("7200", "7199"),
		"UrgentAgeAlarm":          atOnce("1200", "1199"),
		"ResultsAgeAlarm":         atOnce("3600", "3599"),
		"SchedulerErrorsAlarm":    atOnce("3", "2"),
		"CheckerErrorsAlarm":      atOnce("3", "2"),
		"AggregatorErrorsAlarm":   atOnce("3", "2"),
		"WorkerErrorsAlarm":       atOnce("3", "2"),
		"ApiServerErrorsAlarm":    atOnce("5", "4"),
		"AuditsFailedAlarm":       atOnce("1"),
		"AuditsPartialAlarm":      atOnce("1"),
		"StuckAuditsAlarm":        atOnce("1"),
		"DeliveriesFailedAlarm":   atOnce("1"),
		"ThrottlesAlarm":          {[]given{one("1 1 1")}, []given{{}, one("- - 9"), one("1 1 0"), one("- 1 1")}},
		"SchedulerSilentAlarm": {
			[]given{{}, {"invocations": "5 5 - - -"}, {"invocations": "5 5 0 0 0"}},
			[]given{{"invocations": "5 5 5 5 5"}, {"invocations": "5 - - 5 - -"}, {"invocations": "- - - - 1"}, {"invocations": "5 - -"}},
		},
		"DeliveriesMissingAlarm": {
			[]given{{"published": "3"}, {"published": "3", "delivered": "0"}, {"published": "- 3 -", "delivered": "1 - -"}},
			[]given{{}, {"published": "3", "delivered": "3"}, {"published": "30", "delivered": "1"}, {"delivered": "1"}, {"published": "0"}},
		},
	}
	for _, deployed := range in.stack.Alarms {
		name := deployed.LogicalID
		r, ok := rows[name]
		if !ok {
			t.Errorf("%s has no row here", name)
			continue
		}
		delete(rows, name)
		a := in.alarm(t, name)
		for _, rings := range r.rings {
			if got := in.state(t, a, rings); got != alarm.Ringing {
				t.Errorf("%s is %s of %v, want it to ring", name, got, rings)
			}
		}
		for _, silent := range r.silent {
			if got := in.state(t, a, silent); got != alarm.OK {
				t.Errorf("%s is %s of %v, want it silent", name, got, silent)
			}
		}
		in.exist(t, name, a)
	}
	for name := range rows {
		t.Errorf("there is no %s", name)
	}
}

// state is that of an alarm whose last periods have the given values.
func (in *install) state(t *testing.T, a alarm.Alarm, values given) string {
	t.Helper()
	now, data := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), alarm.Data{}
	reads := a.Reads()
	for id, row := range values {
		m, ok := reads[id]
		if !ok {
			t.Fatalf("the alarm reads %v, not %q", slices.Collect(maps.Keys(reads)), id)
		}
		all := strings.Fields(row)
		for i, word := range all {
			var v float64
			if _, err := fmt.Sscan(word, &v); err == nil {
				data.Put(m, now.Add(-time.Duration(len(all)-i)*a.Step()+time.Second), v)
			}
		}
	}
	got, err := a.Evaluate(data, now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// exist holds an alarm to metrics that somebody publishes: of this stack's own functions,
// queues and topics, under the names that they have.
func (in *install) exist(t *testing.T, name string, a alarm.Alarm) {
	t.Helper()
	of := map[string]bool{}
	for _, f := range in.stack.Functions {
		of["FunctionName="+f.Name], of["Function="+f.Name] = true, true
	}
	for _, q := range in.stack.Queues {
		of["QueueName="+q.Name] = true
	}
	for _, topic := range in.stack.Topics {
		of["TopicName="+topic.Name] = true
	}
	of["ApiId="+in.stack.Resources["HttpApi"].ID] = true
	for _, m := range a.Reads() {
		for dimension, value := range m.Dimensions {
			if !of[dimension+"="+value] {
				t.Errorf("%s looks at %s of %s %q, which is nothing of the stack", name, m.Name, dimension, value)
			}
		}
		counted := []metrics.Name{metrics.AuditsFailed, metrics.AuditsPartial, metrics.AuditsOverdue}
		if m.Namespace == metrics.Namespace && !slices.Contains(counted, metrics.Name(m.Name)) {
			t.Errorf("%s looks at %s, which nobody counts", name, m.Name)
		}
	}
	if !slices.Equal(a.AlarmActions, []string{in.stack.Outputs["OperationsTopicArn"]}) {
		t.Errorf("%s rings at %v", name, a.AlarmActions)
	}
}
