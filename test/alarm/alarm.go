// Package alarm evaluates CloudWatch alarms by their own definitions, since no emulator
// does: over the metrics that a test gives, at a moment that it chooses. What of a
// definition it does not know is an error, so that no alarm is taken for one that rings.
//
// How missing data counts, and that an alarm looks at more periods than it evaluates:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
// (29 November 2026).
package alarm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The states of an alarm.
const (
	OK               = "OK"
	Ringing          = "ALARM"
	InsufficientData = "INSUFFICIENT_DATA"
)

// Metric is what data is of. Dimensions are a map, so that their order does not count.
type Metric struct {
	Namespace, Name string
	Dimensions      map[string]string
}

func (m Metric) key() string {
	key, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(key)
}

// Data is what was put into metrics.
type Data map[string][]point

type point struct {
	at    time.Time
	value float64
}

// Put notes a value of a metric at a moment.
func (d Data) Put(m Metric, at time.Time, value float64) {
	d[m.key()] = append(d[m.key()], point{at, value})
}

// Alarm is a definition, in CloudFormation's form.
type Alarm struct {
	AlarmDescription        string
	AlarmActions, OKActions []string
	Namespace, MetricName   string
	Dimensions              []dimension
	Statistic               string
	Period                  int
	Metrics                 []query
	EvaluationPeriods       int
	DatapointsToAlarm       int
	Threshold               float64
	ComparisonOperator      string
	TreatMissingData        string
}

type dimension struct{ Name, Value string }

// query is a part of metric math: a metric, or an expression over others by their ids.
type query struct {
	ID         string `json:"Id"`
	Label      string
	Expression string
	ReturnData *bool // true if it is not said
	MetricStat *struct {
		Metric struct {
			Namespace, MetricName string
			Dimensions            []dimension
		}
		Stat   string
		Period int
	}
}

// Parse reads a definition.
func Parse(properties []byte) (Alarm, error) {
	var a Alarm
	d := json.NewDecoder(bytes.NewReader(properties))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, fmt.Errorf("read alarm: %w", err)
	}
	if a.Namespace == "AWS/DynamoDB" {
		return a, fmt.Errorf("alarms on AWS/DynamoDB keep their state when data is missing, which is not modelled")
	}
	if a.DatapointsToAlarm == 0 {
		a.DatapointsToAlarm = a.EvaluationPeriods
	}
	if a.EvaluationPeriods < 1 || a.DatapointsToAlarm > a.EvaluationPeriods {
		return a, fmt.Errorf("%d of %d data points", a.DatapointsToAlarm, a.EvaluationPeriods)
	}
	_, err := a.Evaluate(Data{}, time.Unix(0, 0)) // refuses what it does not know
	return a, err
}

// Reads lists the metrics that the alarm looks at, by the ids that its expression has
// for them; one without an expression has the id "".
func (a Alarm) Reads() map[string]Metric {
	all := map[string]Metric{}
	if len(a.Metrics) == 0 {
		all[""] = metric(a.Namespace, a.MetricName, a.Dimensions)
	}
	for _, q := range a.Metrics {
		if s := q.MetricStat; s != nil {
			all[q.ID] = metric(s.Metric.Namespace, s.Metric.MetricName, s.Metric.Dimensions)
		}
	}
	return all
}

func metric(namespace, name string, dimensions []dimension) Metric {
	m := Metric{namespace, name, map[string]string{}}
	for _, d := range dimensions {
		m.Dimensions[d.Name] = d.Value
	}
	return m
}

// Step is the alarm's period.
func (a Alarm) Step() time.Duration {
	period := a.Period
	for _, q := range a.Metrics {
		if q.MetricStat != nil {
			period = q.MetricStat.Period
		}
	}
	return time.Duration(period) * time.Second
}

// beyond is how many periods an alarm looks at beside those that it evaluates. AWS says
// that the number varies; in its examples it is two.
const beyond = 2

// Evaluate is the state in which the data puts the alarm at a moment, which ends the
// last of its periods.
func (a Alarm) Evaluate(data Data, now time.Time) (string, error) {
	values, err := a.values(data, now)
	if err != nil {
		return "", err
	}
	breaches, err := a.comparison()
	if err != nil {
		return "", err
	}
	var there []bool // whether each point that there is breaches, the oldest first
	for _, v := range values {
		if v != nil {
			there = append(there, breaches(*v))
		}
	}
	return a.judge(there)
}

// judge is the state by the points that there are, and by how missing ones count if
// there are fewer than are evaluated.
func (a Alarm) judge(there []bool) (string, error) {
	missing := a.EvaluationPeriods - len(there)
	if missing <= 0 {
		there, missing = there[-missing:], 0
	}
	breaching := len(slices.DeleteFunc(slices.Clone(there), func(breaches bool) bool { return !breaches }))
	need := a.DatapointsToAlarm
	switch a.TreatMissingData {
	case "breaching":
		breaching += missing
	case "notBreaching":
	case "missing", "":
		if len(there) == 0 {
			return InsufficientData, nil
		}
		need = min(need, len(there)) // "prematurely", rather than not at all
	default: // "ignore" would need the state before
		return "", fmt.Errorf("TreatMissingData %q is not modelled", a.TreatMissingData)
	}
	if breaching >= need {
		return Ringing, nil
	}
	return OK, nil
}

func (a Alarm) comparison() (func(float64) bool, error) {
	switch a.ComparisonOperator {
	case "GreaterThanOrEqualToThreshold":
		return func(v float64) bool { return v >= a.Threshold }, nil
	case "GreaterThanThreshold":
		return func(v float64) bool { return v > a.Threshold }, nil
	case "LessThanThreshold":
		return func(v float64) bool { return v < a.Threshold }, nil
	case "LessThanOrEqualToThreshold":
		return func(v float64) bool { return v <= a.Threshold }, nil
	}
	return nil, fmt.Errorf("ComparisonOperator %q is not modelled", a.ComparisonOperator)
}

// values are the data points that the alarm looks at, the oldest first; nil is a missing
// one.
func (a Alarm) values(data Data, now time.Time) (series, error) {
	periods := a.EvaluationPeriods + beyond
	if len(a.Metrics) == 0 {
		return data.read(metric(a.Namespace, a.MetricName, a.Dimensions), a.Statistic, a.Step(), periods, now)
	}
	known := map[string]series{}
	var returned []query
	for _, q := range a.Metrics {
		if s := q.MetricStat; s != nil {
			if q.Expression != "" || time.Duration(s.Period)*time.Second != a.Step() {
				return nil, fmt.Errorf("metric %s: both a metric and an expression, or of another period than the others", q.ID)
			}
			read, err := data.read(metric(s.Metric.Namespace, s.Metric.MetricName, s.Metric.Dimensions), s.Stat, a.Step(), periods, now)
			if err != nil {
				return nil, err
			}
			known[q.ID] = read
		}
		if q.ReturnData == nil || *q.ReturnData {
			returned = append(returned, q)
		}
	}
	if len(returned) != 1 || returned[0].Expression == "" {
		return nil, fmt.Errorf("%d parts return data, want one expression", len(returned))
	}
	return calculate(returned[0].Expression, known, periods)
}

// read is the statistic of a metric in each of the periods that end now.
func (d Data) read(m Metric, statistic string, step time.Duration, periods int, now time.Time) (series, error) {
	if step <= 0 {
		return nil, fmt.Errorf("metric %s has no period", m.Name)
	}
	if statistic != "Sum" && statistic != "Maximum" {
		return nil, fmt.Errorf("statistic %q is not modelled", statistic)
	}
	all := make(series, periods)
	for _, p := range d[m.key()] {
		ago := now.Sub(p.at)
		if ago <= 0 || ago > step*time.Duration(periods) {
			continue
		}
		i := periods - 1 - int((ago-1)/step)
		switch {
		case all[i] == nil:
			all[i] = &p.value
		case statistic == "Sum":
			all[i] = number(*all[i] + p.value)
		default:
			all[i] = number(max(*all[i], p.value))
		}
	}
	return all, nil
}
