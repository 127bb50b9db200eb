package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/bench/synthetic"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/api"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// audited are the services of the deployment that is fuzzed: few are enough for audits with
// evidence, calls and findings, and short enough to be made while requests come.
var audited = []string{"kms", "sqs", "cloudarq"}

const (
	organization = model.OrganizationID("acme")
	accountID    = "111122223333"
	auditRole    = synthetic.Role
)

// deployment is the handler of a deployment on real drivers, with workers that audit an
// account which is made up at the SDK's edge. It reaches nothing but its own files.
type deployment struct {
	api       *api.API
	store     *store.Store
	sessions  people.Sessions
	pipeline  *pipeline.Pipeline
	jobs      connect.Worker
	queues    map[*memory.Queue]queue.Handler
	log       *faults
	hold      sync.RWMutex // held while no worker shall do anything
	blobs     *dir.Store
	limited   atomic.Bool           // whether limits hold
	away      atomic.Pointer[error] // why no try can be counted, if so
	contested atomic.Bool           // whether somebody else writes each record first
	building  atomic.Bool           // whether indexes cannot be made in time
	close     []io.Closer
}

// newDeployment makes a deployment in a directory, by a clock.
func newDeployment(ctx context.Context, at string, now func() time.Time) (*deployment, error) {
	file, err := sqlite.Open(ctx, filepath.Join(at, "state.db"), sqlite.Options{Clock: now})
	if err != nil {
		return nil, err
	}
	blobs, err := dir.Open(filepath.Join(at, "blobs"))
	if err != nil {
		return nil, err
	}
	keys, err := keyring.Open(filepath.Join(at, "keyring"), keyring.Options{})
	if err != nil {
		return nil, err
	}
	catalog, err := check.NewCatalog(slices.DeleteFunc(services.All(), func(s check.Service) bool { return !slices.Contains(audited, s.Name) })...)
	if err != nil {
		return nil, err
	}
	catalog.WithFrameworks(framework.All)
	specs := map[string]collect.Spec{}
	for name, spec := range collectors.ByService() {
		if slices.Contains(audited, name) {
			specs[name] = spec
		}
	}
	d := &deployment{log: &faults{}, blobs: blobs, close: []io.Closer{file, blobs}}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelError}))
	d.store = store.New(forgetful{file, d}, catalog.Severity)
	broker := memory.New(memory.Options{MaxReceives: 3})
	tasks, results, jobs := broker.Queue("tasks"), broker.Queue("results"), broker.Queue("jobs")
	lists := &index.Keepers{Store: d.store, Blobs: slow{blobs, d}, Now: now, Tags: tags.Source{Store: d.store, Evidence: blobs}.Of}
	d.pipeline = &pipeline.Pipeline{
		Catalog: catalog, Specs: specs, Store: d.store, Evidence: blobs, Index: lists, Tasks: tasks, Results: results, Signings: jobs, Purges: jobs,
		Accounts: synthetic.Accounts{Account: &synthetic.Account{ID: accountID, Regions: []string{"eu-west-1"}, Plan: synthetic.PlanOf(40)}, Now: now},
		Signer:   connect.Signing{Store: d.store, Keys: keys, Now: now}, Progress: pipeline.Silent{}, Alerts: unheard{},
		Now: now, Bound: time.Hour, TempDir: at,
	}
	begun := connect.Jobs{Store: d.store, Queue: jobs, Now: now}
	d.jobs = connect.Worker{Jobs: begun, Rekeying: connect.Rekeying{Store: d.store, Keys: keys}, Indexing: d.pipeline, Log: log}
	d.queues = map[*memory.Queue]queue.Handler{tasks: d.pipeline.RunTask, results: d.pipeline.Ingest, jobs: d.jobs.Handler(d.pipeline)}
	d.sessions = people.Sessions{Store: d.store, Now: now, Tokens: people.NewAccessTokens(d.store, keys, "https://cloudarq.example.com", now, log)}
	d.api = &api.API{
		Operators: true, Store: d.store, Catalog: catalog, Pipeline: d.pipeline, Jobs: begun, Sessions: d.sessions,
		ExternalIDs: connect.ExternalIDs{Store: d.store, Keys: keys, Now: now}, AccessKeys: connect.AccessKeys{Store: d.store, Keys: keys, Now: now},
		// As little work as argon2 takes: it is not what is tried.
		People: people.Service{Keys: keys, Passwords: people.NewHasher(people.Params{Memory: 64, Passes: 1, Lanes: 1}), Relying: people.RelyingAt("https://cloudarq.example.com")},
		SSO:    sso.SignIn{Client: &http.Client{Transport: nowhere{}}},
		Now:    now, Log: log, Templates: shelf{now}, Evidence: blobs, Index: lists,
		CheckerRole: "arn:aws:iam::999999999999:role/checker", AuditRole: auditRole, Region: "eu-west-1", Version: "fuzz",
	}
	return d, nil
}

// work does what workers do, until the context ends.
func (d *deployment) work(ctx context.Context) {
	var all sync.WaitGroup
	for q, handle := range d.queues {
		all.Go(func() {
			_ = q.Receive(ctx, func(ctx context.Context, m queue.Message) error {
				d.hold.RLock()
				defer d.hold.RUnlock()
				return handle(ctx, m)
			}, queue.Options{Concurrency: 1})
		})
	}
	all.Wait()
	for _, c := range d.close {
		_ = c.Close()
	}
}

// faults are the lines that were logged as errors. Each stands for an answer of 500.
type faults struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

// Write implements io.Writer.
func (f *faults) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lines.Write(line)
}

// forget has what was logged be as it should.
func (f *faults) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines.Reset()
}

func (f *faults) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lines.String()
}

// forgetful is a table that counts no tries until it is told to, and then fails as it is told.
type forgetful struct {
	table.Table
	d *deployment
}

// Why no try can be counted.
var (
	errAway         = errors.New("the table is away")
	errDenied error = &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "UpdateItem", Err: &smithy.GenericAPIError{
		Code: "AccessDeniedException", Message: "User: arn:aws:sts::999999999999:assumed-role/api/x is not authorized to perform: dynamodb:UpdateItem on resource: x because no identity-based policy allows the dynamodb:UpdateItem action",
	}}
)

// Put implements table.Table.
func (f forgetful) Put(ctx context.Context, it table.Item) error {
	if f.d.contested.Load() {
		return table.ErrConflict
	}
	return f.Table.Put(ctx, it)
}

// Add implements table.Table.
func (f forgetful) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	if why := f.d.away.Load(); why != nil {
		return 0, *why
	}
	// A ticket is good for one use (see store.Limits.UseOnce), and marks tell lists that they are stale.
	if f.d.limited.Load() || strings.Contains(k.PK, "ticket") || strings.HasSuffix(k.PK, "#MARKS") {
		return f.Table.Add(ctx, k, n, expires)
	}
	return n, nil
}

// slow is where indexes lie, which make their readers wait for longer than these do.
type slow struct {
	blob.Store
	d *deployment
}

// Get implements blob.Store.
func (s slow) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if s.d.building.Load() {
		return nil, index.ErrBuilding
	}
	return s.Store.Get(ctx, key)
}

// nowhere is the way to everything that is not this machine: there is none.
type nowhere struct{}

var errNowhere = errors.New("there is nobody out there")

// RoundTrip implements http.RoundTripper.
func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNowhere }

// unheard takes alerts that could be sent.
type unheard struct{}

// Publish implements notify.Notifier.
func (unheard) Publish(_ context.Context, messages ...notify.Message) error {
	return notify.Check(messages...)
}

// shelf is where templates lie.
type shelf struct{ now func() time.Time }

// PutOnce implements api.Templates.
func (shelf) PutOnce(context.Context, string, string) (string, error) { return "v1", nil }

// Presign implements api.Templates.
func (s shelf) Presign(_ context.Context, key, version string, last time.Duration) (string, time.Time, error) {
	return "https://templates.s3.eu-west-1.amazonaws.com/" + key + "?versionId=" + version, s.now().Add(last).UTC(), nil
}
