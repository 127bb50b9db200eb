package cloudwatch

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudwatch-alarm-actions-enabled", model.Medium, actionsEnabled),
		check.Across("cloudwatch-alarm-has-action", model.Medium, hasAction, check.Using[Alarm]()),
		check.For("cloudwatch-alarm-has-data", model.Low, hasData),
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
	alarms, gaps := check.Some[Alarm](e)
	for _, other := range alarms {
		if other.Region == a.Region && mentions(check.Read(e, other.Detail).Rule, a) {
			return check.Inapplicable("composite alarm " + other.Name + " looks at this one")
		}
	}
	for _, gap := range gaps {
		if gap.Region == a.Region || gap.Region == "" { // a composite looks at its own region only
			return check.Unassessed(gaps...)
		}
	}
	return check.Failed("the alarm has no action for the state ALARM")
}

// mentions reports whether the rule of a composite alarm names the alarm, which
// it does by name or ARN, in quotes or not: ALARM("name").
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
func mentions(rule string, a Alarm) bool {
	for part := range strings.FieldsFuncSeq(rule, func(r rune) bool { return r == '(' || r == ')' }) {
		if name := strings.Trim(strings.TrimSpace(part), `"'`); name == a.Name || name == a.ARN {
			return true
		}
	}
	return false
}

// patience is how long an alarm may wait for data.
const patience = 7 * 24 * time.Hour

func hasData(e *check.Evidence, a Alarm) check.Verdict {
	d := check.Read(e, a.Detail)
	if d.State != "INSUFFICIENT_DATA" || d.Since == nil {
		return check.Passed("the alarm is in state " + d.State)
	}
	return check.Must(e.Age(*d.Since) <= patience, "the alarm waits for data since a few days only",
		fmt.Sprintf("the alarm has no data since %s", d.Since.UTC().Format(time.DateOnly)))
}
