package cloudwatch

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudwatch-alarm-actions-enabled", model.Medium, actionsEnabled),
		check.Across("cloudwatch-alarm-has-action", model.Medium, hasAction, check.Using[Alarm]()),
		check.For("cloudwatch-alarm-has-data", model.Low, hasData).With(patience),
	}
}

func actionsEnabled(e *check.Evidence, a Alarm) check.Verdict {
	return check.Must(check.Read(e, a.Detail).Enabled, "the alarm's actions are enabled", "the alarm's actions are disabled")
}

// hasAction lets alarms be without an action that a composite alarm looks at:
// it acts for them.
func hasAction(e *check.Evidence, a Alarm) check.Verdict {
	if actions := check.Read(e, a.Detail).Actions; len(actions) > 0 {
		return check.Passed("the alarm has an action, " + actions[0])
	}
	var gaps []fact.Gap
	for _, name := range []string{a.Name, a.ARN} {
		// A composite looks at its own region only.
		composites, unknown := byAlarm.SomeIn(e, a.Region, name)
		if len(composites) > 0 {
			check.Read(e, composites[0].Detail)
			return check.Inapplicable("composite alarm " + composites[0].Name + " looks at this one")
		}
		gaps = unknown
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("the alarm has no action for the state ALARM")
}

// byAlarm finds composite alarms by what their rules name: the names or ARNs of
// alarms, in quotes or not, as in ALARM("name").
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
var byAlarm = check.NewIndex(func(e *check.Evidence, a Alarm) []string {
	var names []string
	for part := range strings.FieldsFuncSeq(check.Read(e, a.Detail).Rule, func(r rune) bool { return r == '(' || r == ')' }) {
		names = append(names, strings.Trim(strings.TrimSpace(part), `"'`))
	}
	return names
})

var patience = check.NewNumber("days", "days", "For how many days an alarm may wait for data", 7, 1, 90)

func hasData(e *check.Evidence, a Alarm) check.Verdict {
	d := check.Read(e, a.Detail)
	switch {
	case d.State != "INSUFFICIENT_DATA":
		return check.Passed("the alarm is in state " + d.State)
	case d.Since == nil:
		return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "cloudwatch:DescribeAlarms", Detail: "AWS does not tell since when the alarm has no data"})
	}
	return check.Must(e.Age(*d.Since) <= time.Duration(patience.Of(e))*24*time.Hour, "the alarm waits for data since a few days only",
		fmt.Sprintf("the alarm has no data since %s", d.Since.UTC().Format(time.DateOnly)))
}
