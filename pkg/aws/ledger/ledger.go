// Package ledger is the record of every call that is made to AWS, so that a
// customer can hold it against their CloudTrail.
package ledger

import (
	"sync"
	"time"
)

// Entry is one call: what was asked of AWS and how it ended.
type Entry struct {
	At         time.Time `json:"at"`
	Service    string    `json:"service"` // the SDK's id, "CloudWatch Logs"
	Operation  string    `json:"operation"`
	Region     string    `json:"region"`
	Outcome    string    `json:"outcome"` // "ok", "refused", "timeout", "error", or AWS's error code
	Attempts   int       `json:"attempts"`
	Throttles  int       `json:"throttles,omitempty"` // attempts that AWS refused for their rate
	DurationMS float64   `json:"duration_ms"`
	RequestID  string    `json:"request_id,omitempty"` // of the last attempt, as in the account's CloudTrail
	// EarlierIDs are the request ids of the attempts before the last.
	EarlierIDs []string `json:"earlier_ids,omitempty"`
}

// Ledger hears of every call. It is called by several goroutines at once.
type Ledger interface{ Record(Entry) }

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
