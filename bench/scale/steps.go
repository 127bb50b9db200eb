package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/bench/synthetic"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/lambdax"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	organization = model.OrganizationID("acme")
	accountID    = "111122223333"
	connectionID = model.ConnectionID("connection-1")
)

// What template.yaml gives the functions.
const (
	checkerTime    = 900 * time.Second
	aggregatorTime = 300 * time.Second
	taskReceives   = 4
	resultReceives = 12
	functionMemory = 512 // megabytes
	leaseFor       = time.Minute
	spare          = time.Minute
	continueFor    = 6 * time.Hour
)

// The steps of an audit, each of which is a process: the work of the two functions is
// so measured apart. Messages wait between them in a file.
const (
	stepBegin  = "begin"  // registers the account if nobody did, and begins an audit
	stepCheck  = "check"  // the checker, until no task is left
	stepIngest = "ingest" // the aggregator, until no result is left
	stepDelete = "delete" // deletes the connection; the aggregator purges it
)

// step is what one process does.
type step struct {
	Name      string
	Dir       string
	Resources int
	Rounds    []uint64 // see synthetic.Account; one audit more than there are rounds
}

func (s step) audit() model.AuditID { return model.AuditID(fmt.Sprintf("audit-%03d", len(s.Rounds)+1)) }

// measured is what a step took and came to.
type measured struct {
	Wall      time.Duration
	Processor time.Duration
	Memory    int64 // peak, in bytes
	Calls     int
	Alerts    int
	Waiting   int // messages to the other function
	Audit     *model.Audit
	Receipt   *model.Receipt
	Evidence  int64 // bytes in the blob store
	Objects   int   // in the blob store
	Table     int64 // bytes of the table's file
}

func (m *measured) add(o measured) {
	m.Wall += o.Wall
	m.Processor += o.Processor
	m.Memory = max(m.Memory, o.Memory)
	m.Calls += o.Calls
	m.Alerts += o.Alerts
	m.Waiting, m.Audit, m.Evidence, m.Table, m.Objects = o.Waiting, o.Audit, o.Evidence, o.Table, o.Objects
}

// regions are those that the account uses.
func regions() []string { return []string{"eu-west-1", "eu-west-2"} }

// run does the step in this process.
func (s step) run(ctx context.Context) (measured, error) {
	// As a function of the smallest size is told how much it has.
	lambdax.BoundMemory(functionMemory)
	start, before := time.Now(), processor()
	m, err := s.work(ctx)
	m.Wall, m.Processor, m.Memory = time.Since(start), processor()-before, peak()
	return m, err
}

func (s step) work(ctx context.Context) (m measured, err error) {
	catalog, err := services.Catalog()
	if err != nil {
		return m, err
	}
	file := filepath.Join(s.Dir, "state.db")
	table, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	blobs, err := dir.Open(filepath.Join(s.Dir, "blobs"))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, blobs.Close()) }()
	account := &synthetic.Account{ID: accountID, Regions: regions(), Plan: synthetic.PlanOf(s.Resources), Rounds: s.Rounds}
	heard := &ears{}
	records := store.New(table, catalog.Severity)
	p := &pipeline.Pipeline{
		Catalog: catalog, Specs: collectors.ByService(), Store: records, Evidence: blobs, Accounts: synthetic.Accounts{Account: account, Now: time.Now},
		Index:    &index.Keepers{Store: records, Blobs: blobs, Now: time.Now, Tags: tags.Source{Store: records, Evidence: blobs}.Of},
		Progress: pipeline.Silent{}, Alerts: heard, Now: time.Now, LeaseFor: leaseFor, Spare: spare, ContinueFor: continueFor, TempDir: s.Dir,
	}
	tasks, results := &waiting{path: filepath.Join(s.Dir, "tasks.json")}, &waiting{path: filepath.Join(s.Dir, "results.json")}
	switch s.Name {
	case stepBegin:
		p.Tasks, p.Results = tasks, results
		err = s.begin(ctx, p)
	case stepCheck:
		p.Results = results
		err = drain(ctx, tasks, taskReceives, checkerTime, func(q queue.Sender) queue.Handler { p.Tasks = q; return p.RunTask })
	case stepIngest:
		p.Tasks = tasks
		err = drain(ctx, results, resultReceives, aggregatorTime, func(q queue.Sender) queue.Handler { p.Results = q; return p.Ingest })
	case stepDelete:
		p.Tasks = tasks
		err = s.remove(ctx, p, results)
		if receipt, e := records.For(organization).Receipt(ctx, connectionID); e == nil {
			m.Receipt = &receipt
		}
	default:
		err = fmt.Errorf("no step %q", s.Name)
	}
	for _, q := range []*waiting{tasks, results} {
		err = errors.Join(err, q.save())
		m.Waiting += q.len()
	}
	if audit, e := records.For(organization).Audit(ctx, connectionID, s.audit()); e == nil {
		m.Audit = &audit
	}
	m.Calls, m.Alerts = account.Calls(), heard.count
	for info, e := range blobs.List(ctx, "") {
		if e != nil {
			return m, errors.Join(err, e)
		}
		m.Objects++
		if strings.HasPrefix(info.Key, "evidence/") {
			m.Evidence += info.Size
		}
	}
	if info, e := os.Stat(file); e == nil {
		m.Table = info.Size()
	}
	return m, err
}

func (s step) begin(ctx context.Context, p *pipeline.Pipeline) error {
	org := p.Store.For(organization)
	c, err := org.Connection(ctx, connectionID)
	if errors.Is(err, store.ErrNotFound) {
		c = model.Connection{
			ID: connectionID, AccountID: accountID, RoleARN: "arn:aws:iam::" + accountID + ":role/" + synthetic.Role,
			CreatedAt: time.Now().UTC(), State: model.ConnectionPending, Since: time.Now().UTC(),
		}
		err = org.PutConnection(ctx, &c)
	}
	if err != nil {
		return err
	}
	_, err = p.Begin(ctx, pipeline.Request{
		Organization: organization, Audit: s.audit(), Connection: c, Partition: "aws", Checks: p.Catalog.Checks(),
	})
	return err
}

// remove deletes the connection, and lets the clock have it purged as when deployed.
func (s step) remove(ctx context.Context, p *pipeline.Pipeline, results *waiting) error {
	org := p.Store.For(organization)
	c, err := org.Connection(ctx, connectionID)
	if err != nil {
		return err
	}
	return drain(ctx, results, resultReceives, aggregatorTime, func(q queue.Sender) queue.Handler {
		p.Purges, p.Results = q, q
		if _, err = p.Delete(ctx, model.Change{}, organization, c); err == nil {
			_, err = p.Tick(ctx)
		}
		if err != nil {
			return func(context.Context, queue.Message) error { return err }
		}
		return func(ctx context.Context, m queue.Message) error {
			if pipeline.KindOf(m.Body) == pipeline.KindRollUp {
				return p.Ingest(ctx, m)
			}
			return p.RunPurge(ctx, m)
		}
	})
}

// drain handles what waits, and what that brings about, until nothing is left. A message
// is given the time that its function has.
func drain(ctx context.Context, from *waiting, receives int, limit time.Duration, handler func(queue.Sender) queue.Handler) error {
	broker := memory.New(memory.Options{MaxReceives: receives})
	q := broker.Queue("queue")
	handle := handler(q)
	bodies, err := from.take()
	if err != nil {
		return err
	}
	if err := q.Send(ctx, bodies...); err != nil {
		return err
	}
	err = broker.Drain(ctx, memory.Worker{Queue: q, Handle: func(ctx context.Context, m queue.Message) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return handle(ctx, m)
	}})
	for _, dead := range q.Dead() {
		err = errors.Join(err, fmt.Errorf("given up: %s: %w", dead.Body, dead.Err))
	}
	return err
}

// waiting is messages between two processes.
type waiting struct {
	path string

	mu     sync.Mutex
	bodies []string
}

// Send implements queue.Sender.
func (w *waiting) Send(_ context.Context, bodies ...[]byte) error {
	if err := queue.Check(bodies...); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, body := range bodies {
		w.bodies = append(w.bodies, string(body))
	}
	return nil
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.bodies)
}

// take reads what an earlier process left, and removes it.
func (w *waiting) take() ([][]byte, error) {
	data, err := os.ReadFile(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var left []string
	if err == nil {
		err = json.Unmarshal(data, &left)
	}
	if err != nil {
		return nil, fmt.Errorf("messages of %s: %w", w.path, err)
	}
	bodies := make([][]byte, len(left))
	for i, body := range left {
		bodies[i] = []byte(body)
	}
	return bodies, os.Remove(w.path)
}

// save leaves what was sent to the next process, behind what waits already.
func (w *waiting) save() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.bodies) == 0 {
		return nil
	}
	bodies, err := w.take()
	if err != nil {
		return err
	}
	var all []string
	for _, body := range bodies {
		all = append(all, string(body))
	}
	data, err := json.Marshal(append(all, w.bodies...))
	if err != nil {
		return err
	}
	return os.WriteFile(w.path, data, 0o600)
}

// ears count the alerts.
type ears struct {
	mu    sync.Mutex
	count int
}

// Publish implements notify.Notifier.
func (e *ears) Publish(_ context.Context, messages ...notify.Message) error {
	if err := notify.Check(messages...); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count += len(messages)
	return nil
}

// processor is the processor time that this process used.
func processor() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peak is the most memory that this process had. What getrusage says of that may be its
// parent's.
func peak() int64 { return status("VmHWM:") }

func status(name string) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			var kilobytes int64
			if _, err := fmt.Sscan(rest, &kilobytes); err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
