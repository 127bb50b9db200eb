// Package local is the whole of CloudArq in one process: the same pipeline as
// deployed, on an SQLite file, a directory and queues in memory.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Organization is the one tenant of a local state directory.
const Organization model.OrganizationID = "local"

// State is a directory that holds audits, findings and evidence.
type State struct {
	Catalog  *check.Catalog
	Store    *store.Store
	Records  *store.Organization // of Organization, in Store
	Evidence blob.Store

	table *sqlite.Table
	blobs *dir.Store
	index *index.Keepers
	lists *findings.Lists
	path  string
}

// DefaultDir is where state is kept unless the user says otherwise:
// $XDG_DATA_HOME/cloudarq, or ~/.local/share/cloudarq.
func DefaultDir() (string, error) {
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "cloudarq"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for state: %w; name one with --data-dir", err)
	}
	return filepath.Join(home, ".local", "share", "cloudarq"), nil
}

// Open opens a state directory, or makes it.
func Open(ctx context.Context, path string, catalog *check.Catalog) (*State, error) {
	if err := own(path); err != nil {
		return nil, err
	}
	table, err := sqlite.Open(ctx, filepath.Join(path, "state.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	blobs, err := dir.Open(filepath.Join(path, "blobs"))
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	s := store.New(table, catalog.Severity)
	keepers := &index.Keepers{Store: s, Blobs: blobs.Hasty(), Now: time.Now, Tags: tags.Source{Store: s, Evidence: blobs}.Of}
	return &State{
		Catalog: catalog, Store: s, Records: s.For(Organization), Evidence: blobs, table: table, blobs: blobs, path: path,
		index: keepers, lists: &findings.Lists{Index: keepers, Store: s, Catalog: catalog},
	}, nil
}

// Trends are how accounts stood over time.
func (s *State) Trends() trend.Maker {
	return trend.Maker{Index: s.index, Store: s.Store, Catalog: s.Catalog, Now: time.Now}
}

// Index is what lists of findings are answered from.
func (s *State) Index() *index.Keepers { return s.index }

// Close releases the files.
func (s *State) Close() error { return errors.Join(s.table.Close(), s.blobs.Close()) }

// Run is one audit to be made in this process.
type Run struct {
	Request pipeline.Request // its Organization is chosen here, and its Audit if there is none
	Resume  *model.Audit     // an interrupted audit to go on with, instead of a new one
	// Open opens the account for a part of the audit, as pipeline.Accounts does.
	Open     func(ctx context.Context, audit model.Audit, need policy.Session, calls ledger.Ledger) (pipeline.Account, error)
	Connect  []ledger.Entry // the calls that connecting took
	Specs    map[string]collect.Spec
	Progress pipeline.Progress
	Signer   pipeline.Signer // signs the audit when it has ended; nil leaves it unsigned
	Timeout  time.Duration   // 0 means none
}

// ErrCancelled is the cause of an audit's end when somebody stopped it.
var ErrCancelled = errors.New("the audit was cancelled")

// tasksAtOnce bounds how many services are collected at a time. Each holds an
// open evidence file, whose compressor takes two megabytes.
const tasksAtOnce = 12

// Audit makes one audit and returns it as it ended. When ctx ends the audit is
// cancelled and can be resumed; so it is when another process cancels it. The
// error is then ErrCancelled.
func (s *State) Audit(ctx context.Context, run Run) (model.Audit, error) {
	broker := memory.New(memory.Options{MaxReceives: 3, Backoff: func(attempt int) time.Duration {
		return time.Duration(attempt) * time.Second
	}})
	tasks, results := broker.Queue("tasks"), broker.Queue("results")
	p := &pipeline.Pipeline{
		Catalog: s.Catalog, Specs: run.Specs, Store: s.Store, Evidence: s.Evidence, Index: s.index,
		Tasks: tasks, Results: results, Accounts: opened{run.Open}, Progress: run.Progress,
		RollUp: s.Trends().RollUp, Now: time.Now, Deadline: run.Timeout, WatchEvery: watchEvery, TempDir: s.path,
	}
	audit, err := s.begin(ctx, p, run)
	if err != nil {
		return audit, err
	}
	audit, err = s.work(ctx, p, audit, run, broker, tasks, results)
	err = errors.Join(err, p.RollUps(context.WithoutCancel(ctx)))
	p.Signer = run.Signer // not before: an audit that cannot be signed is one all the same
	if signed := p.Sign(context.WithoutCancel(ctx), Organization, audit.Connection, audit.ID); signed != nil {
		err = errors.Join(err, signed)
	}
	return audit, err
}

// work does an audit that was begun, to its end.
func (s *State) work(ctx context.Context, p *pipeline.Pipeline, audit model.Audit, run Run, broker *memory.Broker, tasks, results *memory.Queue) (model.Audit, error) {
	// The calls were made, also if the user has enough of it by now.
	if err := p.RecordConnect(context.WithoutCancel(ctx), Organization, &audit, run.Connect); err != nil {
		return audit, err
	}
	err := broker.Drain(ctx,
		memory.Worker{Queue: tasks, Handle: p.RunTask, Concurrency: min(tasksAtOnce, 4*runtime.NumCPU())},
		// One at a time: the store is one file, and scopes have one writer.
		memory.Worker{Queue: results, Handle: p.Ingest})
	after := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		if err := p.Stop(after, model.Change{}, Organization, audit.Connection, audit.ID, model.AuditCancelled, ErrCancelled.Error()); err != nil {
			return audit, err
		}
		audit, err = s.Records.Audit(after, audit.Connection, audit.ID)
		return audit, errors.Join(ErrCancelled, err)
	}
	if err != nil {
		return audit, err
	}
	if dead := append(tasks.Dead(), results.Dead()...); len(dead) > 0 {
		why := dead[0].Err
		if err := p.Stop(after, model.Change{}, Organization, audit.Connection, audit.ID, model.AuditPartial, why.Error()); err != nil {
			return audit, errors.Join(why, err)
		}
		return audit, fmt.Errorf("audit %s: %w", audit.ID, why)
	}
	audit, err = s.Records.Audit(after, audit.Connection, audit.ID)
	if err == nil && audit.State == model.AuditCancelled { // by another process
		err = ErrCancelled
	}
	return audit, err
}

func (s *State) begin(ctx context.Context, p *pipeline.Pipeline, run Run) (model.Audit, error) {
	if run.Resume != nil {
		return p.Resume(ctx, model.Change{}, Organization, *run.Resume)
	}
	r := run.Request
	r.Organization = Organization
	if r.Audit == "" {
		r.Audit = NewAuditID()
	}
	r.Connection.ID = ConnectionOf(r.Connection.AccountID)
	known, err := s.Records.Connection(ctx, r.Connection.ID)
	if errors.Is(err, store.ErrNotFound) {
		r.Connection.CreatedAt = time.Now().UTC()
		err = s.Records.PutConnection(ctx, &r.Connection)
	}
	if err != nil {
		return model.Audit{}, err
	}
	// What it asks for by itself: this audit may be a part of that.
	r.Connection.Schedule, r.Connection.Checks, r.Connection.Services, r.Connection.Regions = known.Schedule, known.Checks, known.Services, known.Regions
	return p.Plan(ctx, r)
}

// NewAuditID is the id of an audit that begins now.
func NewAuditID() model.AuditID { return model.AuditID(ulid.Make().String()) }

// ConnectionOf is the connection of an account: a local state has one each.
func ConnectionOf(account string) model.ConnectionID { return model.ConnectionID(account) }

// watchEvery is how soon a running audit sees that another process cancelled it.
const watchEvery = time.Second

// opened is the account that the command opened before it planned.
type opened struct {
	open func(context.Context, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error)
}

func (o opened) Open(ctx context.Context, _ model.OrganizationID, audit model.Audit, need policy.Session, calls ledger.Ledger) (pipeline.Account, error) {
	return o.open(ctx, audit, need, calls)
}

// Verify implements pipeline.Accounts: the command looked before it planned.
func (o opened) Verify(context.Context, model.OrganizationID, model.Audit, pipeline.Account, ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{}, nil
}
