package alarm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/test/alarm"
)

var (
	midnight = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	load     = alarm.Metric{Namespace: "Test", Name: "Load", Dimensions: map[string]string{"A": "1", "B": "2"}}
)

func definition(change string) string {
	return `{"Namespace": "Test", "MetricName": "Load", "Dimensions": [{"Name": "B", "Value": "2"}, {"Name": "A", "Value": "1"}],
		"Statistic": "Sum", "Period": 60, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", ` + change + `}`
}

func parsed(t *testing.T, properties string) alarm.Alarm {
	t.Helper()
	a, err := alarm.Parse([]byte(properties))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestMissingData are AWS's own tables, of alarms that evaluate three periods and look at
// five: 0 is a point within the threshold, X one beyond it, - a missing one.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
// (29 November 2026), without "ignore".
func TestMissingData(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		datapoints                       int
		points                           string
		missing, breaching, notBreaching string
	}{
		{3, "0 - X - X", alarm.OK, alarm.OK, alarm.OK},
		{3, "0 - - - -", alarm.OK, alarm.OK, alarm.OK},
		{3, "- - - - -", alarm.InsufficientData, alarm.Ringing, alarm.OK},
		{3, "0 X X - X", alarm.Ringing, alarm.Ringing, alarm.Ringing},
		{3, "- - X - -", alarm.Ringing, alarm.Ringing, alarm.OK},
		{2, "0 - X - X", alarm.Ringing, alarm.Ringing, alarm.Ringing},
		{2, "0 0 X 0 X", alarm.Ringing, alarm.Ringing, alarm.Ringing},
		{2, "0 - X - -", alarm.OK, alarm.Ringing, alarm.OK},
		{2, "- - - - 0", alarm.OK, alarm.Ringing, alarm.OK},
		{2, "- - - X -", alarm.Ringing, alarm.Ringing, alarm.OK},
	} {
		data, now := alarm.Data{}, midnight.Add(5*time.Minute)
		for i, point := range strings.Fields(c.points) {
			if point != "-" {
				data.Put(load, midnight.Add(time.Duration(i)*time.Minute), map[string]float64{"0": 0, "X": 1}[point])
			}
		}
		for treat, want := range map[string]string{"missing": c.missing, "breaching": c.breaching, "notBreaching": c.notBreaching} {
			a := parsed(t, definition(fmt.Sprintf(`"EvaluationPeriods": 3, "DatapointsToAlarm": %d, "TreatMissingData": %q`, c.datapoints, treat)))
			if got, err := a.Evaluate(data, now); err != nil || got != want {
				t.Errorf("%d of 3, %s, missing data as %s: %s (%v), want %s", c.datapoints, c.points, treat, got, err, want)
			}
		}
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	data := alarm.Data{}
	for i, v := range []float64{0.3, 0.3, 0.5} {
		data.Put(load, midnight.Add(time.Duration(i)*20*time.Second), v)
	}
	data.Put(alarm.Metric{Namespace: "Test", Name: "Load", Dimensions: map[string]string{"A": "1"}}, midnight, 100) // another metric
	one := `"EvaluationPeriods": 1, "TreatMissingData": "notBreaching"`
	for name, c := range map[string]struct{ definition, want string }{
		"sum":                  {definition(one), alarm.Ringing},
		"maximum":              {strings.Replace(definition(one), "Sum", "Maximum", 1), alarm.OK},
		"greater":              {strings.Replace(definition(one), "ThanOrEqualTo", "Than", 1), alarm.Ringing},
		"less":                 {strings.Replace(definition(one), "GreaterThanOrEqualTo", "LessThan", 1), alarm.OK},
		"of another dimension": {strings.Replace(definition(one), `"Value": "2"`, `"Value": "3"`, 1), alarm.OK},
	} {
		if got, err := parsed(t, c.definition).Evaluate(data, midnight.Add(time.Minute)); err != nil || got != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
}

func expression(e string) string {
	metric := func(id, name string) string {
		return fmt.Sprintf(`{"Id": %q, "ReturnData": false, "MetricStat": {"Metric": {"Namespace": "Test", "MetricName": %q}, "Stat": "Sum", "Period": 60}}`, id, name)
	}
	return fmt.Sprintf(`{"Metrics": [{"Id": "e", "Expression": %q}, %s, %s], "EvaluationPeriods": 1, "Threshold": 1,
		"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "missing"}`, e, metric("m1", "One"), metric("m2", "Two"))
}

func TestMath(t *testing.T) {
	t.Parallel()
	data := alarm.Data{}
	data.Put(alarm.Metric{Namespace: "Test", Name: "One", Dimensions: map[string]string{}}, midnight, 3)
	for e, want := range map[string]string{
		"m1":                         alarm.Ringing,
		"m2":                         alarm.InsufficientData,
		"m1 + m2":                    alarm.InsufficientData,
		"FILL(m2, 1)":                alarm.Ringing,
		"FILL(m2, 0)":                alarm.OK,
		"FILL(m1, 0) - 2":            alarm.Ringing,
		"m1 * 0":                     alarm.OK,
		"m1 > 2 && FILL(m2, 0) == 0": alarm.Ringing,
		"m1 > 3 || m1 != 3":          alarm.OK,
		"IF(m1 >= 3, 0, 1)":          alarm.OK,
		"IF((m1 < 3), 0, 1)":         alarm.Ringing,
		"m1 <= 2":                    alarm.OK,
	} {
		// FILL fills the periods before, too, as it should: one alone is evaluated.
		if got, err := parsed(t, expression(e)).Evaluate(data, midnight.Add(time.Minute)); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", e, got, err, want)
		}
	}
}

// What is not known is refused, rather than taken for an alarm that is silent.
func TestRefusals(t *testing.T) {
	t.Parallel()
	one := `"EvaluationPeriods": 1`
	for name, properties := range map[string]string{
		"state of before":    definition(one + `, "TreatMissingData": "ignore"`),
		"statistic":          strings.Replace(definition(one), "Sum", "p99", 1),
		"comparison":         strings.Replace(definition(one), "GreaterThanOrEqualToThreshold", "GreaterThanUpperThreshold", 1),
		"property":           definition(one + `, "EvaluateLowSampleCountPercentile": "ignore"`),
		"no periods":         definition(`"EvaluationPeriods": 0`),
		"more than there is": definition(one + `, "DatapointsToAlarm": 2`),
		"DynamoDB":           strings.Replace(definition(one), "Test", "AWS/DynamoDB", 1),
		"no period":          strings.Replace(definition(one), `"Period": 60`, `"Period": 0`, 1),
		"function":           expression("RATE(m1)"),
		"fill":               expression("FILL(m1, REPEAT)"),
		"word":               expression("m1 AND m2"),
		"id":                 expression("m3"),
		"operator":           expression("m1 % 2"),
		"string":             expression(`m1 == "x"`),
		"two returned":       strings.Replace(expression("m1"), `"ReturnData": false`, `"ReturnData": true`, 1),
		"two periods":        strings.Replace(expression("m1"), `"Period": 60`, `"Period": 300`, 1),
	} {
		if _, err := alarm.Parse([]byte(properties)); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
