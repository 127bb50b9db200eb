// Package rig is a deployment in one process, for benches: the three functions
// that do audits, queues between them, a table and a blob store in memory, all of
// it metered, over synthetic accounts that have resources of every type in the
// catalogue.
package rig

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/bench/meter"
	blobs "github.com/cloudarq/cloudarq/internal/memblob"
	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	queues "github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// The functions, as they are metered.
const (
	Scheduler  = "scheduler"
	Checker    = "checker"
	Aggregator = "aggregator"
)

// Options of New.
type Options struct {
	Connections   int
	Organizations int  // the connections are spread over them
	Regions       int  // of each account
	Resources     int  // of each account, but for the settings that every region has
	Changed       int  // of a thousand resources, from one round to the next
	Twice         int  // of a thousand messages are delivered once more
	Over          int  // minutes over which the connections are due in each round; 0 means all in one minute
	Demanded      int  // audits that are asked for in each of these minutes
	Lean          bool // one check of each resource type, instead of all
	Workers       int  // messages of each queue handled at once; 0 means one message at a time, in a fixed order
}

// The settings of template.yaml that matter here.
const (
	taskReceives   = 4
	resultReceives = 12
	bound          = 8 * time.Hour
	leaseFor       = time.Minute
)

// interval is how often every connection is audited.
const interval = 24 * time.Hour

// Rig is the deployment. Make one with New.
type Rig struct {
	Estate *Estate
	Bill   *meter.Bill

	o                         Options
	store                     *store.Store
	checks                    []string // of each connection; none means all
	table                     *tables.Table
	blobs                     *blobs.Store
	broker                    *queues.Broker
	tasks, urgent, results    *queues.Queue
	purges                    *queues.Queue
	checker, aggregator, tick *pipeline.Pipeline
	meters                    map[string]*function
	heard                     *ears
	now                       atomic.Int64 // in seconds
	rounds                    int
	random                    *rand.Rand                 // whose audits are asked for
	ids                       *rand.ChaCha8              // of those audits
	demanded                  map[model.ConnectionID]int // how often the connection's audit was asked for and began
}

// began is when the connections were made.
func began() time.Time { return time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC) }

// New makes a deployment with connections that are all due in the minute in which
// the first round is.
func New(ctx context.Context, o Options) (*Rig, error) {
	catalog, err := services.Catalog()
	if err != nil {
		return nil, err
	}
	r := &Rig{Bill: &meter.Bill{}, o: o, heard: &ears{}, meters: map[string]*function{}, random: rand.New(rand.NewPCG(3, 4)), ids: rand.NewChaCha8([32]byte{}), demanded: map[model.ConnectionID]int{}}
	r.now.Store(began().Unix())
	r.table, r.blobs = tables.New(r.clock), blobs.New()
	r.store = store.New(meter.NewTable(r.table, r.Bill), nil)
	if o.Lean {
		r.checks = lean(catalog)
	}
	selected, err := catalog.Select(r.checks)
	if err != nil {
		return nil, err
	}
	if r.Estate, err = newEstate(catalog, selected, r.store, r.Bill, o.Regions, o.Resources); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(1, 2)) // only used with the broker locked
	r.broker = queues.New(queues.Options{
		MaxReceives: resultReceives,
		Backoff:     func(attempt int) time.Duration { return time.Duration(attempt*attempt) * 5 * time.Millisecond },
		Twice:       func(string, queue.Message) bool { return random.IntN(1000) < o.Twice },
	})
	r.tasks, r.urgent, r.results, r.purges = r.broker.Queue("tasks"), r.broker.Queue("urgent"), r.broker.Queue("results"), r.broker.Queue("purges")
	evidence := meter.NewBlobs(r.blobs, r.Bill)
	tasks, urgent, results, purges := meter.NewSender(r.tasks, r.Bill), meter.NewSender(r.urgent, r.Bill), meter.NewSender(r.results, r.Bill), meter.NewSender(r.purges, r.Bill)
	// Each function has what its main gives it.
	r.tick = &pipeline.Pipeline{
		Catalog: catalog, Store: r.store, Tasks: tasks, Urgent: urgent, Results: results, Signings: tasks, Purges: purges, Events: meter.NewBus(r.Bill), Meter: r.function(Scheduler), Now: r.clock, Bound: bound,
	}
	r.checker = &pipeline.Pipeline{
		Catalog: catalog, Specs: r.Estate.specs(), Store: r.store, Evidence: evidence, Tasks: tasks, Urgent: urgent, Results: results,
		Accounts: r.Estate, Signer: signer{r.Estate}, Progress: pipeline.Silent{}, Meter: r.function(Checker), Now: r.clock, ContinueFor: bound * 3 / 4,
	}
	lists := &index.Keepers{Store: r.store, Blobs: evidence, Now: r.clock, Tags: tags.Source{Store: r.store, Evidence: evidence}.Of}
	r.aggregator = &pipeline.Pipeline{
		Catalog: catalog, Store: r.store, Evidence: evidence, Results: results, Signings: tasks, Purges: purges, Alerts: meter.NewNotifier(r.heard, r.Bill),
		Chat: meter.NewNotifier(nobody{}, r.Bill), Events: meter.NewBus(r.Bill),
		Index: lists, RollUp: trend.Maker{Index: lists, Store: r.store, Catalog: catalog, Now: r.clock}.RollUp,
		Progress: pipeline.Silent{}, Meter: r.function(Aggregator), Now: r.clock, LeaseFor: leaseFor,
	}
	return r, r.connect(ctx)
}

func (r *Rig) clock() time.Time { return time.Unix(r.now.Load(), 0).UTC() }

// connect registers all connections.
func (r *Rig) connect(ctx context.Context) error {
	for org, connections := range r.connections() {
		records := r.store.For(org)
		if err := records.PutExternalIDs(ctx, model.Change{}, &store.ExternalIDs{Sealed: [][]byte{make([]byte, 80)}}); err != nil {
			return err
		}
		for _, record := range []string{dataKey, signingKey} {
			if err := records.PutDataKey(ctx, record, make([]byte, 180)); err != nil {
				return err
			}
		}
		if err := records.PutSigningKey(ctx, store.SigningKey{Public: make([]byte, ed25519.PublicKeySize), Private: make([]byte, 75)}); err != nil {
			return err
		}
		for i, id := range connections {
			c := model.Connection{
				ID: id, AccountID: fmt.Sprintf("%012d", 100000000000+i), Name: "account " + string(id), CreatedAt: began(),
				RoleARN:  "arn:aws:iam::111122223333:role/CloudArqAuditRole",
				Schedule: model.Schedule{Expression: "rate(1 day)", JitterMinutes: new(r.o.Over)}, AuditOptions: model.AuditOptions{Checks: r.checks}, State: model.ConnectionPending, Since: began(),
			}
			if err := records.PutConnection(ctx, &c); err != nil {
				return err
			}
			next, err := schedule.Parse(c.Schedule, c.CreatedAt)
			if err != nil {
				return err
			}
			if err := records.PutNextAudit(ctx, c.ID, next.Next(c.ID, began())); err != nil {
				return err
			}
		}
	}
	return nil
}

// lean is one check of each resource type, so that every service is collected.
func lean(catalog *check.Catalog) []string {
	var ids []string
	seen := map[string]bool{}
	for _, c := range catalog.Checks() {
		if !seen[c.Kind] {
			seen[c.Kind] = true
			ids = append(ids, string(c.ID))
		}
	}
	return ids
}

// connections are the connections of each organization.
func (r *Rig) connections() map[model.OrganizationID][]model.ConnectionID {
	all := map[model.OrganizationID][]model.ConnectionID{}
	for i := range r.o.Connections {
		org := model.OrganizationID(fmt.Sprintf("organization-%02d", i%r.o.Organizations))
		all[org] = append(all[org], model.ConnectionID(fmt.Sprintf("connection-%08d", i)))
	}
	return all
}

// Round lets a day pass and the minutes come in which the connections are due, and
// works until nothing is left to do in each. Of a thousand resources, so many are set to
// something else than in the round before. It returns what the clock brought about.
func (r *Rig) Round(ctx context.Context, changed int) (pipeline.Ticked, error) {
	r.Estate.changed = append(r.Estate.changed, uint64(changed))
	r.rounds++
	var sum pipeline.Ticked
	for minute := range r.o.Over + 1 {
		r.now.Store(began().Add(time.Duration(r.rounds)*interval + time.Duration(minute)*time.Minute).Unix())
		ticked, err := r.Tick(ctx)
		sum.Started, sum.Delayed, sum.Skipped, sum.Expired = sum.Started+ticked.Started, sum.Delayed+ticked.Delayed, sum.Skipped+ticked.Skipped, sum.Expired+ticked.Expired
		for range r.o.Demanded {
			if err == nil {
				err = r.demand(ctx)
			}
		}
		if err == nil {
			err = r.work(ctx)
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// demand has somebody ask for an audit of some connection. One that is being audited is
// left alone, as the API leaves it.
func (r *Rig) demand(ctx context.Context) error {
	org := model.OrganizationID(fmt.Sprintf("organization-%02d", r.random.IntN(r.o.Organizations)))
	all := r.connections()[org]
	connection, err := r.store.For(org).Connection(ctx, all[r.random.IntN(len(all))])
	if err != nil {
		return err
	}
	id := model.AuditID(ulid.MustNew(ulid.Timestamp(r.clock()), r.ids).String())
	claimed, err := r.store.For(org).Claim(ctx, connection.ID, id, r.clock())
	if err != nil || claimed != id {
		return err
	}
	r.demanded[connection.ID]++
	return r.tick.BeginFor(ctx, model.Change{}, org, connection, id)
}

// work handles messages until nothing is left to do.
func (r *Rig) work(ctx context.Context) error {
	workers := []queues.Worker{
		{Queue: r.tasks, Concurrency: r.o.Workers, Handle: r.handler(Checker, taskReceives, r.checker.RunTask)},
		{Queue: r.urgent, Concurrency: r.o.Workers, Handle: r.handler(Checker, taskReceives, r.checker.RunTask)},
		{Queue: r.results, Concurrency: r.o.Workers, Handle: r.handler(Aggregator, resultReceives, r.aggregator.Ingest)},
		{Queue: r.purges, Concurrency: min(r.o.Workers, 2), Handle: r.handler(Aggregator, resultReceives, r.aggregator.RunPurge)},
	}
	if r.o.Workers == 0 {
		return r.broker.Walk(ctx, workers...)
	}
	return r.broker.Drain(ctx, workers...)
}

// Tick is one minute's run of the scheduler.
func (r *Rig) Tick(ctx context.Context) (pipeline.Ticked, error) {
	r.Bill.Add(meter.Invocations.Of(Scheduler), 1)
	r.Bill.Add(meter.LogBytes, meter.LinesOfInvocation)
	ticked, err := r.tick.Tick(meter.In(ctx, Scheduler))
	if e := r.meters[Scheduler].Flush(); e != nil && err == nil {
		err = e
	}
	return ticked, err
}

func (r *Rig) handler(name string, receives int, handle queue.Handler) queue.Handler {
	return meter.Handler(name, func(ctx context.Context, m queue.Message) error {
		m.Max = receives
		return handle(ctx, m)
	}, r.Bill, r.meters[name].Flush)
}

// function is the recorder of one function, which remembers what it was told.
type function struct {
	*metrics.EMF
	mu    sync.Mutex
	names map[metrics.Name]float64
}

func (r *Rig) function(name string) *function {
	f := &function{EMF: metrics.NewEMF(r.Bill.Log(), name, r.clock), names: map[metrics.Name]float64{}}
	r.meters[name] = f
	return f
}

// Add implements metrics.Recorder.
func (f *function) Add(name metrics.Name, n float64) {
	f.mu.Lock()
	f.names[name] += n
	f.mu.Unlock()
	f.EMF.Add(name, n)
}

// Metrics is what a function counted since the rig was made.
func (r *Rig) Metrics(name string) map[metrics.Name]float64 {
	f := r.meters[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[metrics.Name]float64{}
	for metric, n := range f.names {
		all[metric] = n
	}
	return all
}

// Weight is the bytes that the table and the blobs hold.
func (r *Rig) Weight(ctx context.Context) (table, blobs int, err error) {
	for info, err := range r.blobs.List(ctx, "") {
		if err != nil {
			return 0, 0, err
		}
		blobs += int(info.Size)
	}
	return r.table.Bytes(), blobs, nil
}

// ears count what is published, by id.
type ears struct {
	mu    sync.Mutex
	heard map[string]int
	kinds map[string]int
}

// nobody is a topic to which nobody subscribed.
type nobody struct{}

// Publish implements notify.Notifier.
func (nobody) Publish(_ context.Context, messages ...notify.Message) error {
	return notify.Check(messages...)
}

// Publish implements notify.Notifier.
func (e *ears) Publish(_ context.Context, messages ...notify.Message) error {
	if err := notify.Check(messages...); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.heard == nil {
		e.heard, e.kinds = map[string]int{}, map[string]int{}
	}
	for _, m := range messages {
		e.heard[m.ID]++
		e.kinds[m.Attributes["kind"]]++
	}
	return nil
}
