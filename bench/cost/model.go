package main

import (
	"fmt"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/bench/rig"
)

// What cannot be metered in one process is assumed, on the safe side. The page
// repeats it in words.
const (
	initSeconds = 0.15  // of each environment, several times what make size measures; every invocation is taken for a first one
	ownCall     = 0.008 // a call to DynamoDB, S3, SQS, SNS, EventBridge or KMS, one after the other
	latency     = 0.1   // a call to the audited account, over all regions
	chain       = 5     // calls of a task of which each needs the one before: opening the account, a listing, a description, its parts
	atOnce      = 64    // calls under way at once, client.CallsAtOnce
	// perCall is the processor time of a call with all that follows from it, as
	// make bench measures it for a whole audit on one core; a function of 1 GB has
	// 1024/1769 of one.
	perCall = 0.0007 * 1769 / 1024

	// Lambda polls each queue by five long polls of 20 seconds when there is
	// nothing in it.
	pollers     = 5
	pollSeconds = 20

	minutesOfMonth = 43800.0
	daysOfMonth    = minutesOfMonth / 60 / 24
	gb             = 1 << 30
)

// functionIDs are the functions' names in the template.
func functionIDs() map[string]string {
	return map[string]string{rig.Scheduler: "SchedulerFunction", rig.Checker: "CheckerFunction", rig.Aggregator: "AggregatorFunction"}
}

// model reckons.
type model struct {
	prices   priceList
	deployed deployment
}

// gbSeconds is how long the functions run for some work, times their memory.
func (m model) gbSeconds(work map[meter.Unit]float64) float64 {
	sum := 0.0
	for name, id := range functionIDs() {
		runs := work[meter.Invocations.Of(name)]
		seconds := work[meter.OwnCalls.Of(name)] * ownCall
		switch name {
		case rig.Checker:
			seconds += runs*(initSeconds+chain*latency) + work[meter.AWSCalls.Of(name)]*(latency/atOnce+perCall) + work[meter.PacedMillis.Of(name)]/1000
		case rig.Aggregator:
			seconds += runs * initSeconds
		}
		sum += seconds * m.deployed.memory[id]
	}
	return sum
}

func invocations(work map[meter.Unit]float64) float64 {
	n := 0.0
	for name := range functionIDs() {
		n += work[meter.Invocations.Of(name)]
	}
	return n
}

// line is a part of a bill.
type line struct {
	service string
	dollars float64
}

// bill is what some work costs by service, without what it leaves in storage.
func (m model) bill(work map[meter.Unit]float64) ([]line, float64, error) {
	counted := []struct {
		unit meter.Unit
		n    float64
	}{
		{"lambda.request", invocations(work)},
		{"lambda.gb_second", m.gbSeconds(work)},
		{meter.WriteUnits, work[meter.WriteUnits]},
		{meter.ReadUnits, work[meter.ReadUnits]},
		{meter.ObjectPuts, work[meter.ObjectPuts]},
		{meter.ObjectGets, work[meter.ObjectGets]},
		{meter.Messages, work[meter.Messages]},
		{meter.Publishes, work[meter.Publishes]},
		{meter.Events, work[meter.Events]},
		{meter.Keys, work[meter.Keys]},
		{"logs.gb", work[meter.LogBytes] / gb},
	}
	var lines []line
	total := 0.0
	for _, c := range counted {
		p, err := m.prices.find(c.unit)
		if err != nil {
			return nil, 0, err
		}
		dollars := c.n * p.dollars
		total += dollars
		if n := len(lines); n > 0 && lines[n-1].service == p.service {
			lines[n-1].dollars += dollars
		} else {
			lines = append(lines, line{p.service, dollars})
		}
	}
	return lines, total, nil
}

// dollars is what n units cost.
func (m model) dollars(u meter.Unit, n float64) (float64, error) {
	p, err := m.prices.find(u)
	if err != nil {
		return 0, fmt.Errorf("reckon %v of %s: %w", n, u, err)
	}
	return n * p.dollars, nil
}

// tableMonth is what a GB in the table costs a month: itself, its recovery to any
// second, and as many daily backups as are kept.
func (m model) tableMonth() (float64, error) {
	sum := 0.0
	for u, n := range map[meter.Unit]float64{"dynamodb.gb_month": 1, "dynamodb.pitr_gb_month": 1, "backup.gb_month": m.deployed.backups} {
		d, err := m.dollars(u, n)
		if err != nil {
			return 0, err
		}
		sum += d
	}
	return sum, nil
}

// blobMonth is what a GB of evidence costs a month.
func (m model) blobMonth() (float64, error) { return m.dollars("s3.gb_month", 1) }

// idleLine is something that costs although nobody uses it.
type idleLine struct {
	what    string
	how     string
	dollars float64
}

// idle is what a month costs in which nothing happens, with so many connections.
func (m model) idle(minute map[meter.Unit]float64) ([]idleLine, float64, error) {
	month := map[meter.Unit]float64{}
	for u, n := range minute {
		month[u] = n * minutesOfMonth
	}
	polls := float64(m.deployed.polled) * pollers * minutesOfMonth * 60 / pollSeconds
	all := []struct {
		what, how string
		unit      meter.Unit
		n         float64
	}{
		{"KMS keys", fmt.Sprintf("%d, the installation's; each yearly rotation adds one more, twice at most", m.deployed.keys), "kms.key", float64(m.deployed.keys)},
		{"CloudWatch alarms", fmt.Sprintf("%d metrics that alarms look at", m.deployed.alarms), "alarm", float64(m.deployed.alarms)},
		{"SQS, receives of empty queues", fmt.Sprintf("%d queues, %d polls of %d s each: %s requests", m.deployed.polled, pollers, pollSeconds, thousands(polls)), meter.Messages, polls},
		{"Lambda, the scheduler's requests", thousands(invocations(month)) + " invocations", "lambda.request", invocations(month)},
		{"Lambda, the scheduler's time", fmt.Sprintf("%s GB-seconds", thousands(m.gbSeconds(month))), "lambda.gb_second", m.gbSeconds(month)},
		{"DynamoDB, the scheduler's clock", thousands(month[meter.ReadUnits]) + " read units", meter.ReadUnits, month[meter.ReadUnits]},
		{"CloudWatch logs", fmt.Sprintf("%.0f MB of the scheduler", month[meter.LogBytes]/(1<<20)), "logs.gb", month[meter.LogBytes] / gb},
		{"EventBridge", "a scheduled rule", "events.scheduled", minutesOfMonth},
	}
	var lines []idleLine
	total := 0.0
	for _, a := range all {
		dollars, err := m.dollars(a.unit, a.n)
		if err != nil {
			return nil, 0, err
		}
		lines = append(lines, idleLine{a.what, a.how, dollars})
		total += dollars
	}
	return lines, total, nil
}
