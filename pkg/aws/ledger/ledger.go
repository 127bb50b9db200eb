// Package ledger is the record of every call that is made to AWS, so that a
// customer can hold it against their CloudTrail.
package ledger

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Entry is one call: what was asked of AWS and how it ended.
type Entry struct {
	At         time.Time `json:"at"`
	Service    string    `json:"service"` // the SDK's id, "CloudWatch Logs"
	Operation  string    `json:"operation"`
	Region     string    `json:"region"`
	Outcome    string    `json:"outcome"` // "ok", "refused", "timeout", "over budget", "error", or AWS's error code
	Attempts   int       `json:"attempts"`
	Throttles  int       `json:"throttles,omitempty"` // attempts that AWS refused for their rate
	DurationMS float64   `json:"duration_ms"`
	RequestID  string    `json:"request_id,omitempty"` // of the last attempt, as in the account's CloudTrail
	// EarlierIDs are the request ids of the attempts before the last.
	EarlierIDs []string `json:"earlier_ids,omitempty"`
}

// Ledger hears of every call. It is called by several goroutines at once.
type Ledger interface{ Record(Entry) }

// Budget is a Ledger of calls that are bounded. It is asked before each request, from
// several goroutines at once.
type Budget interface {
	Ledger
	// Allow takes a request from what is left. ErrSpent says that there is nothing.
	Allow(ctx context.Context) error
}

// ErrSpent says that as many calls were made as may be.
var ErrSpent = errors.New("the audit's call budget is used up")

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
