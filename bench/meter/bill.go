// Package meter counts what AWS would bill for: it stands between the pipeline
// and its drivers, whatever those are, and counts requests as AWS rounds them.
// What cannot be counted here (how long a function runs, what polling an idle
// queue costs) is for package cost to reckon.
package meter

import (
	"context"
	"maps"
	"sync"
)

// Unit is something that is counted: a service and what it bills.
type Unit string

// The units. Those of a function are made by Of.
const (
	WriteUnits  Unit = "dynamodb.write" // write request units
	ReadUnits   Unit = "dynamodb.read"  // read request units
	TableBytes  Unit = "dynamodb.bytes" // that the table grew by
	ObjectPuts  Unit = "s3.put"
	ObjectGets  Unit = "s3.get"
	ObjectBytes Unit = "s3.bytes"
	Messages    Unit = "sqs.request" // sends, receives, deletes, changes of visibility
	Publishes   Unit = "sns.publish"
	Events      Unit = "events.custom"
	Keys        Unit = "kms.request"
	LogBytes    Unit = "logs.bytes"
)

// What is counted of each function.
const (
	Invocations Unit = "invocations" // billed
	OwnCalls    Unit = "own_calls"   // to DynamoDB, S3, SQS, SNS, EventBridge and KMS
	AWSCalls    Unit = "aws_calls"   // to the audited account
	PacedMillis Unit = "paced_ms"    // that the pace of calls to the audited account takes at least
)

// Of is the unit of one function.
func (u Unit) Of(function string) Unit { return Unit(function) + "." + u }

// Bill is what was counted. It is safe for concurrent use; the zero Bill is empty.
type Bill struct {
	mu    sync.Mutex
	units map[Unit]float64
}

// Add counts.
func (b *Bill) Add(u Unit, n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.units == nil {
		b.units = map[Unit]float64{}
	}
	b.units[u] += n
}

// Take is what was counted since the last Take.
func (b *Bill) Take() map[Unit]float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := maps.Clone(b.units)
	b.units = nil
	return taken
}

type functionKey struct{}

// In says which function does what is done with the context.
func In(ctx context.Context, function string) context.Context {
	return context.WithValue(ctx, functionKey{}, function)
}

// call counts a call to one of CloudArq's own services. Calls of nobody, as when
// a bench sets up its connections or looks at what came out, are not billed.
func (b *Bill) call(ctx context.Context, counts map[Unit]float64) {
	function, ok := ctx.Value(functionKey{}).(string)
	if !ok {
		return
	}
	b.Add(OwnCalls.Of(function), 1)
	for u, n := range counts {
		b.Add(u, n)
	}
}

// units is how many units of a size a number of bytes takes: at least one.
func units(bytes, size int) float64 { return float64(max(1, (bytes+size-1)/size)) }
