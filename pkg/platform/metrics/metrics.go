// Package metrics counts what happens, for CloudWatch: as lines of the embedded
// metric format, which CloudWatch takes from a function's log.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Name is a metric.
type Name string

// The metrics. All are counts but for those whose names end with a unit.
const (
	AuditsStarted  Name = "AuditsStarted"
	AuditsFinished Name = "AuditsFinished"
	AuditsPartial  Name = "AuditsPartial"
	AuditsFailed   Name = "AuditsFailed"
	// AuditsOverdue counts audits that did not end within their bound, and those that have
	// not begun when they should have ended: these once at each tick.
	AuditsOverdue   Name = "AuditsOverdue"
	AuditDuration   Name = "AuditDurationSeconds"
	Tasks           Name = "Tasks"
	TasksFailed     Name = "TasksFailed"
	Calls           Name = "Calls"
	Throttles       Name = "Throttles"
	Verdicts        Name = "Verdicts"
	BlindChecks     Name = "BlindChecks"
	AlertsPublished Name = "AlertsPublished"
	// EventsLost counts events that were not published, and will not be.
	EventsLost      Name = "EventsLost"
	FindingsWritten Name = "FindingsWritten"
	// FindingsShortened counts findings that could not be written with their evidence.
	FindingsShortened Name = "FindingsShortened"
	Poison            Name = "PoisonMessages"
)

// Recorder hears of what happens. It is called by several goroutines at once.
type Recorder interface {
	Add(name Name, n float64)
}

// Namespace is CloudWatch's name for where the metrics are.
const Namespace = "CloudArq"

// EMF is a Recorder that adds up until it is flushed.
type EMF struct {
	out      io.Writer
	function string
	now      func() time.Time

	mu     sync.Mutex
	values map[Name]float64
}

// NewEMF makes a recorder for one function, whose name is the metrics'
// dimension.
func NewEMF(out io.Writer, function string, now func() time.Time) *EMF {
	return &EMF{out: out, function: function, now: now, values: map[Name]float64{}}
}

// Add implements Recorder.
func (e *EMF) Add(name Name, n float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.values[name] += n
}

// Flush writes what was added since the last flush, as one line. Nothing added,
// nothing written.
func (e *EMF) Flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.values) == 0 {
		return nil
	}
	type metric struct {
		Name string
		Unit string
	}
	var defined []metric
	line := map[string]any{"Function": e.function}
	for _, name := range slices.Sorted(maps.Keys(e.values)) {
		unit := "Count"
		if name == AuditDuration {
			unit = "Seconds"
		}
		defined = append(defined, metric{string(name), unit})
		line[string(name)] = e.values[name]
	}
	line["_aws"] = map[string]any{
		"Timestamp": e.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{{"Function"}}, "Metrics": defined,
		}},
	}
	data, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("encode metrics: %w", err)
	}
	if _, err := e.out.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	clear(e.values)
	return nil
}
