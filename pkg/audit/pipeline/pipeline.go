// Package pipeline is the whole audit: Plan writes what is to be done, RunTask
// collects and judges one task, Ingest turns its result into findings, Close
// ends the audit. The functions know neither Lambda nor SQL; each may be called
// again with the same message, in any order, after a crash between any two lines.
package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Account is an opened AWS account; aws/client has the real one.
type Account interface {
	// Config is the SDK's configuration for one region, whose calls are recorded.
	Config(region string, calls ledger.Ledger) aws.Config
	// HomeRegion is where services without regions are called.
	HomeRegion() string
	// Identity is whose account it is.
	Identity() model.Identity
	// Regions lists the account's enabled regions, and those it has not enabled.
	Regions(ctx context.Context, calls ledger.Ledger) (enabled, disabled []string, err error)
}

// Accounts opens the account that an audit looks at. That AWS refuses is a
// *RefusedError; any other error may pass.
type Accounts interface {
	// Open opens the account for a part of an audit that needs no more than a session
	// can do.
	Open(ctx context.Context, org model.OrganizationID, audit model.Audit, need policy.Session, calls ledger.Ledger) (Account, error)
	// Verify makes sure that nobody else can come into the account the same way, which it
	// may know from before, and looks at what the account allows, beside what the audit
	// needs. It is asked once an audit, when the account was opened. That the policies
	// cannot be read is no error.
	Verify(ctx context.Context, org model.OrganizationID, audit model.Audit, account Account, calls ledger.Ledger) (WayIn, error)
}

// WayIn is what is known of the way into an account, also of one that is refused.
type WayIn struct {
	Permissions model.Permissions
	Trust       *model.Trust // nil if nobody tried, or there is nothing to try
}

// RefusedError says that AWS does not let an audit into its account. Its text is one
// sentence for the user. Some refusals pass: see believe.
type RefusedError struct {
	Code    string // for programs: model.CodeRoleDenied and others
	Message string
	Cause   error
	// Check fails because of it: if the audit has that check, it looks for that alone.
	// Empty if there is none.
	Check model.CheckID

	noted bool // with the audit, by another of its tasks
}

func (e *RefusedError) Error() string { return e.Message }

func (e *RefusedError) Unwrap() error { return e.Cause }

// Progress hears how an audit goes on. It is called by several goroutines at
// once; Silent hears nothing.
type Progress interface {
	TaskStarted(task model.Task)
	Resource(service string)
	TaskEnded(task model.Task)
}

// Silent is a Progress without an audience.
type Silent struct{}

// TaskStarted implements Progress.
func (Silent) TaskStarted(model.Task) {}

// Resource implements Progress.
func (Silent) Resource(string) {}

// TaskEnded implements Progress.
func (Silent) TaskEnded(model.Task) {}

// Pipeline is an audit's machinery. A function that only plans, checks or
// aggregates leaves the fields that it does not use empty.
type Pipeline struct {
	Catalog  *check.Catalog
	Specs    map[string]collect.Spec // by service; for RunTask
	Store    *store.Store
	Evidence blob.Store
	Tasks    queue.Sender // to RunTask
	Urgent   queue.Sender // to RunTask, of audits that somebody waits for; nil sends them with the others
	Results  queue.Sender // to Ingest
	Signings queue.Sender // to RunTask, of ended audits; nil leaves them unsigned
	Purges   queue.Sender // to RunPurge
	Accounts Accounts
	Signer   Signer // for RunTask, of ended audits; nil leaves them unsigned
	Progress Progress
	Alerts   notify.Notifier  // hears of changes; nil if nobody shall
	Chat     notify.Notifier  // hears of them in the form of chats; nil if nobody shall
	Events   bus.Publisher    // hears of all else that happens, and of alerts where Alerts or Chat does; nil if nobody shall
	Meter    metrics.Recorder // counts; nil if nobody shall
	Index    Index            // of findings; nil if nobody lists them from one
	Now      func() time.Time
	// RollUp writes today's lines of the trends of an organization and its projects; nil if
	// this process does not. Who ends an audit asks for it, Tick sends a message for it, at
	// most once an hour, and Ingest does it.
	RollUp func(context.Context, model.OrganizationID) error
	// Deadline bounds the collecting of one audit, counted from its start; what
	// was not read by then is a gap. 0 means no bound.
	Deadline time.Duration
	// Spare is kept of the time that a task, a result or a purge is given by its context,
	// to store what was done and hand on the rest before the context ends.
	Spare time.Duration
	// WatchEvery is how often a running task looks whether its audit was
	// cancelled; 0 means never.
	WatchEvery time.Duration
	// Bound is how long an audit may take before Tick ends it; 0 means for ever.
	Bound time.Duration
	// KeepDetail is how long the tasks of an audit are kept from its start on, as long
	// as their evidence is; 0 means for ever.
	KeepDetail time.Duration
	// PurgeAfter is when a deleted connection is purged: later than anything that
	// still runs can end.
	PurgeAfter time.Duration
	// ContinueFor is how long after its start an audit may go on with what a task could
	// not read in its time; 0 means not at all.
	ContinueFor time.Duration
	// LeaseFor is how long a scope is held from each sign of life of who works on it:
	// whoever gave none for so long is taken for dead, and another goes on. 0 is for
	// where one process does all the work.
	LeaseFor time.Duration
	// TempDir is where evidence is sorted that is too large for memory, in files without
	// a name; empty leaves the choice to the system.
	TempDir string

	writers sync.Pool // of *blob.Writer, closed
}

// meter counts something.
func (p *Pipeline) meter(name metrics.Name, n int) {
	if p.Meter != nil && n > 0 {
		p.Meter.Add(name, float64(n))
	}
}

// Message is what queues carry: ids, never secrets, settings or bodies.
type Message struct {
	Kind         string               `json:"kind"` // "task", "result", "statement", "purge" or "job"
	Version      int                  `json:"v"`
	Organization model.OrganizationID `json:"org"`
	Connection   model.ConnectionID   `json:"connection"`
	Audit        model.AuditID        `json:"audit"`
	Task         model.TaskID         `json:"task"`
	Job          model.JobID          `json:"job,omitempty"` // of a "job", which has no other id but its organization
}

// The kinds of messages, and the version of their form.
const (
	KindTask       = "task"
	KindResult     = "result"
	KindJob        = "job"
	messageVersion = 1
)

// ParseMessage reads a message of the kind expected; any other is queue.ErrPoison.
func ParseMessage(kind string, body []byte) (Message, error) {
	m, err := parse(kind, body)
	if err != nil {
		return m, err
	}
	if m.Organization == "" || m.Connection == "" || m.Audit == "" || m.Task == "" {
		return m, fmt.Errorf("%w: an id is missing", queue.ErrPoison)
	}
	return m, nil
}

// JobMessage has a job done by who takes messages of KindJob.
func JobMessage(org model.OrganizationID, id model.JobID) []byte {
	return Message{Kind: KindJob, Version: messageVersion, Organization: org, Job: id}.body()
}

// ParseJob reads a message of KindJob; any other is queue.ErrPoison.
func ParseJob(body []byte) (model.OrganizationID, model.JobID, error) {
	m, err := parse(KindJob, body)
	if err == nil && (m.Organization == "" || m.Job == "") {
		err = fmt.Errorf("%w: an id is missing", queue.ErrPoison)
	}
	return m.Organization, m.Job, err
}

// KindOf is the kind of a message; empty of what is no message of ours.
func KindOf(body []byte) string {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return ""
	}
	return m.Kind
}

func parse(kind string, body []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("%w: %w", queue.ErrPoison, err)
	}
	if m.Kind != kind || m.Version != messageVersion {
		return m, fmt.Errorf("%w: kind %q version %d, want %q version %d", queue.ErrPoison, m.Kind, m.Version, kind, messageVersion)
	}
	return m, nil
}

// OrganizationOf is whose a message is: the group by which organizations share a
// queue fairly. It is empty of what is no message of ours.
func OrganizationOf(body []byte) string {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return ""
	}
	return string(m.Organization)
}

func (m Message) body() []byte {
	data, err := json.Marshal(m)
	if err != nil {
		panic(err) // a struct of strings always marshals
	}
	return data
}

// connect is the id of the task that opens the account, finds its regions and
// writes the other tasks.
const connect = "connect"

// across is the id of the task that runs the rules which look at the whole
// account, and the scope of their findings. The service of that name has some of
// them; other services have others.
const across = "across"

// scopeOf is the scope of a check's findings.
func scopeOf(c check.Check) string {
	if c.NeedsAccount() {
		return across
	}
	return c.Service
}

// Scopes lists all scopes of findings that a connection can have: its services,
// and the rules over several of them.
func Scopes(catalog *check.Catalog) []string {
	var scopes []string
	for _, s := range catalog.Services() {
		scopes = append(scopes, s.Name)
	}
	if !slices.Contains(scopes, across) {
		scopes = append(scopes, across)
	}
	return scopes
}
