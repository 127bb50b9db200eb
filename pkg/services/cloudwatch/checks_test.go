package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
)

const topic = "arn:aws:sns:eu-west-1:111122223333:alarms"

// alarm is an alarm with an action, changed as a case needs.
func alarm(name string, change func(*cloudwatch.Detail)) cloudwatch.Alarm {
	d := cloudwatch.Detail{Metrics: []cloudwatch.Metric{{Namespace: "AWS/EC2", Name: "CPUUtilization"}}, Enabled: true, Actions: []string{topic}, State: "OK"}
	if change != nil {
		change(&d)
	}
	a := cloudwatch.Alarm{Resource: checktest.Ref("cloudwatch", "alarm:"+name), Detail: fact.Known(d)}
	a.Name = name
	return a
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := alarm("cpu", nil)
	silent := alarm("cpu", func(d *cloudwatch.Detail) { d.Actions = nil })
	composite := func(rule string) []check.Resource {
		return []check.Resource{alarm("all", func(d *cloudwatch.Detail) { d.Metrics, d.Rule = nil, rule })}
	}
	elsewhere := alarm("all", func(d *cloudwatch.Detail) { d.Rule = `ALARM("cpu")` })
	elsewhere.Region, elsewhere.ARN = "us-east-1", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:all"
	since := func(age time.Duration) cloudwatch.Alarm {
		return alarm("cpu", func(d *cloudwatch.Detail) { d.State, d.Since = "INSUFFICIENT_DATA", new(checktest.Now.Add(-age)) })
	}

	checktest.Run(t, cloudwatch.Service(), checktest.Table{
		"cloudwatch-alarm-actions-enabled": {
			{Name: "enabled", Resource: good, Want: check.Pass},
			{Name: "disabled", Resource: alarm("cpu", func(d *cloudwatch.Detail) { d.Enabled = false }), Want: check.Fail},
		},
		"cloudwatch-alarm-has-action": {
			{Name: "action", Resource: good, Want: check.Pass},
			{Name: "none", Resource: silent, Want: check.Fail},
			{Name: "part of a composite", Resource: silent, Others: composite(`ALARM("cpu") AND NOT OK(memory)`), Want: check.NotApplicable},
			{Name: "part of a composite by ARN", Resource: silent, Others: composite("ALARM(" + silent.ARN + ")"), Want: check.NotApplicable},
			{Name: "its name is part of another's", Resource: silent, Others: composite(`ALARM("cpu-2")`), Want: check.Fail},
			{Name: "composite of another region", Resource: silent, Others: []check.Resource{elsewhere}, Want: check.Fail},
		},
		"cloudwatch-alarm-has-data": {
			{Name: "ok", Resource: good, Want: check.Pass},
			{Name: "new", Resource: since(time.Hour), Want: check.Pass},
			{Name: "blind for a month", Resource: since(30 * 24 * time.Hour), Want: check.Fail},
		},
	})
}
