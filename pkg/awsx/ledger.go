package awsx

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Entry is one call in the ledger: what was asked of AWS and how it ended.
type Entry struct {
	At         time.Time `json:"at"`
	Service    string    `json:"service"` // the SDK's id, "CloudWatch Logs"
	Operation  string    `json:"operation"`
	Region     string    `json:"region"`
	Outcome    string    `json:"outcome"` // "ok", "refused", or AWS's error code
	Attempts   int       `json:"attempts"`
	DurationMS float64   `json:"duration_ms"`
	RequestID  string    `json:"request_id,omitempty"` // as in the account's CloudTrail
}

// Ledger hears of every call. It is called by several goroutines at once.
type Ledger interface{ Record(Entry) }

// Counter is a Ledger that only counts.
type Counter struct{ calls, attempts, throttles atomic.Int64 }

// Record implements Ledger.
func (c *Counter) Record(e Entry) {
	c.calls.Add(1)
	c.attempts.Add(int64(e.Attempts))
	if isThrottle(e.Outcome) {
		c.throttles.Add(1)
	}
}

// Calls is how many calls were recorded.
func (c *Counter) Calls() int { return int(c.calls.Load()) }

// Ledgers passes every entry on to all of them.
type Ledgers []Ledger

// Record implements Ledger.
func (l Ledgers) Record(e Entry) {
	for _, one := range l {
		one.Record(e)
	}
}

// Memory is a Ledger that keeps all entries.
type Memory struct {
	mu      sync.Mutex
	entries []Entry
}

// Record implements Ledger.
func (m *Memory) Record(e Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, e)
}

// Entries is a copy of what was recorded so far.
func (m *Memory) Entries() []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Entry(nil), m.entries...)
}

// record adds the ledger to a client's middleware, outside of the retries: one
// entry a call, however often it was attempted.
func record(ledger Ledger, now func() time.Time) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("cloudarq.CallLedger",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				start := now()
				out, metadata, err := next.HandleInitialize(ctx, in)
				entry := Entry{
					At: start.UTC(), DurationMS: float64(now().Sub(start).Microseconds()) / 1000,
					Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx),
					Region: awsmiddleware.GetRegion(ctx), Outcome: outcome(err), Attempts: 1,
				}
				if results, ok := retry.GetAttemptResults(metadata); ok {
					entry.Attempts = len(results.Results)
				}
				entry.RequestID, _ = awsmiddleware.GetRequestIDMetadata(metadata)
				var response interface{ ServiceRequestID() string }
				if entry.RequestID == "" && errors.As(err, &response) {
					entry.RequestID = response.ServiceRequestID()
				}
				ledger.Record(entry)
				return out, metadata, err
			}), middleware.Before)
	}
}

func outcome(err error) string {
	var api smithy.APIError
	var refused *RefusedError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "timeout"
	default:
		return "error"
	}
}

func isThrottle(code string) bool {
	_, throttle := retry.DefaultThrottleErrorCodes[code]
	return throttle
}
