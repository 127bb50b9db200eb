package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/dir"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// door is a resource of a service that needs no AWS: it should be locked, and
// there should be a guard in the account.
type door struct {
	model.Resource
	Locked fact.Of[bool] `json:"locked"`
}

func (door) Kind() string { return "Test::House::Door" }

type guard struct {
	model.Resource
	Awake fact.Of[bool] `json:"awake"`
}

func (guard) Kind() string { return "Test::House::Guard" }

const texts = `
door-locked: {title: Doors are locked, pillar: security, risk: Thieves., remediation: {console: Lock it.}, references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}
door-guarded: {title: Doors are guarded, pillar: reliability, risk: Thieves., remediation: {console: Wake the guard.}, references: ["https://docs.aws.amazon.com/"], since: 0.1.0, aliases: {}}
`

func locked(e *check.Evidence, d door) check.Verdict {
	return check.Must(check.Read(e, d.Locked), "it is locked", "it is open")
}

func guarded(e *check.Evidence, _ door) check.Verdict {
	for _, g := range check.All[guard](e) {
		if check.Read(e, g.Awake) {
			return check.Passed("a guard is awake")
		}
	}
	return check.Failed("no guard is awake")
}

func house() *check.Catalog {
	c, err := check.NewCatalog(check.Service{
		Name: "house", Title: "House", Texts: []byte(texts),
		Kinds: []check.Kind{check.KindOf[door](), check.KindOf[guard]()},
		Rules: []check.Rule{
			check.For("door-locked", model.High, locked),
			check.Across("door-guarded", model.Low, guarded, check.Using[guard]()),
		},
	})
	if err != nil {
		panic(err)
	}
	return c
}

// sight is what an audit can see of one door.
type sight int

const (
	gone   sight = iota // it does not exist
	shut                // locked
	open                // not locked
	hidden              // it exists, and the lock cannot be read
)

// world is the account as the next audit finds it.
type world struct {
	doors       map[string]sight // by name; the region is the same
	denied      bool             // doors cannot be listed
	partial     bool             // the listing breaks off after the first door
	guards      []bool
	failing     error // the account cannot be opened
	permissions model.Permissions
	unsafe      error // others could come in the same way
	trust       *model.Trust
	walks       int
}

func (w *world) spec() collect.Spec {
	return collect.Spec{Service: "house", Walks: []collect.Walk{
		{Kinds: []string{door{}.Kind()}, Run: w.walkDoors},
		{Kinds: []string{guard{}.Kind()}, Run: w.walkGuards},
	}}
}

var errDenied = errors.New("denied")

func (w *world) walkDoors(_ context.Context, s *collect.Session) error {
	w.walks++
	if w.denied {
		return errDenied
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		d := door{Resource: s.Resource(s.ARN("house", "door/"+name), name)}
		switch w.doors[name] {
		case gone:
			continue
		case shut:
			d.Locked = fact.Known(true)
		case open:
			d.Locked = fact.Known(false)
		case hidden:
			d.Locked = fact.Missing[bool](fact.Denied, "house:GetLock")
		}
		s.Emit(d)
		if w.partial {
			return errDenied
		}
	}
	return nil
}

func (w *world) walkGuards(_ context.Context, s *collect.Session) error {
	for i, awake := range w.guards {
		s.Emit(guard{Resource: s.Resource(s.ARN("house", fmt.Sprintf("guard/%d", i)), ""), Awake: fact.Known(awake)})
	}
	return nil
}

// Open implements pipeline.Accounts.
func (w *world) Open(context.Context, model.OrganizationID, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error) {
	return w, w.failing
}

// Verify implements pipeline.Accounts.
func (w *world) Verify(context.Context, model.OrganizationID, model.Audit, pipeline.Account, ledger.Ledger) (pipeline.WayIn, error) {
	return pipeline.WayIn{Permissions: w.permissions, Trust: w.trust}, w.unsafe
}

// Identity implements pipeline.Account.
func (w *world) Identity() model.Identity {
	return model.Identity{Account: account, Partition: "aws", CallerARN: "arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/cloudarq"}
}

// Regions implements pipeline.Account.
func (w *world) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return []string{"eu-west-1"}, []string{"af-south-1"}, nil
}

// Config implements pipeline.Account.
func (w *world) Config(region string, _ ledger.Ledger) aws.Config { return aws.Config{Region: region} }

// HomeRegion implements pipeline.Account.
func (w *world) HomeRegion() string { return "us-east-1" }

const (
	organization = model.OrganizationID("acme")
	account      = "111122223333"
)

// machine is a pipeline on real drivers.
type machine struct {
	*pipeline.Pipeline
	records        *store.Organization
	table          table.Table
	broker         *memory.Broker
	tasks, results *memory.Queue
	alerts         *ears
	now            time.Time
	audits         int
}

// ears hears what is announced.
type ears struct {
	mu    sync.Mutex
	heard []alert.Alert
}

// Publish implements notify.Notifier.
func (e *ears) Publish(_ context.Context, messages ...notify.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range messages {
		var a alert.Alert
		if err := json.Unmarshal(m.Body, &a); err != nil {
			return err
		}
		e.heard = append(e.heard, a)
	}
	return nil
}

// words are the alerts by their ids, in a few words each.
func (e *ears) words() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	words := map[string]string{}
	for _, a := range e.heard {
		words[a.ID] = a.Kind + " " + a.Change
		if a.Finding != nil {
			words[a.ID] += " " + string(a.Finding.Check)
		}
	}
	return words
}

func newMachine(t testing.TB, path string, w *world, o memory.Options) *machine {
	t.Helper()
	m := &machine{broker: memory.New(o), alerts: &ears{}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return m.now }
	file, err := sqlite.Open(t.Context(), path+"/state.db", sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	blobs, err := dir.Open(path + "/blobs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	m.tasks, m.results = m.broker.Queue("tasks"), m.broker.Queue("results")
	m.table = file
	records := store.New(file, nil)
	m.records = records.For(organization)
	m.Pipeline = &pipeline.Pipeline{
		Catalog: house(), Specs: map[string]collect.Spec{"house": w.spec()}, Store: records, Evidence: blobs,
		Tasks: m.tasks, Results: m.results, Accounts: w, Progress: pipeline.Silent{},
		Alerts: m.alerts, Now: clock,
	}
	return m
}

func (m *machine) request() pipeline.Request {
	m.audits++
	m.now = m.now.Add(time.Hour)
	return pipeline.Request{
		Organization: organization, Audit: model.AuditID(fmt.Sprintf("audit-%03d", m.audits)),
		Connection: model.Connection{ID: account, AccountID: account}, Partition: "aws",
		Regions: []string{"eu-west-1"}, Checks: m.Catalog.Checks(),
	}
}

func (m *machine) drain(ctx context.Context) error {
	return m.broker.Walk(ctx, memory.Worker{Queue: m.tasks, Handle: m.RunTask}, memory.Worker{Queue: m.results, Handle: m.Ingest})
}

// audit makes one audit and returns it as it ended.
func (m *machine) audit(t testing.TB) model.Audit {
	t.Helper()
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), r.Connection.ID, r.Audit)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// findings are the findings of a check by the name of the door.
func (m *machine) findings(t testing.TB, id model.CheckID) map[string]model.Finding {
	t.Helper()
	byName := map[string]model.Finding{}
	for _, scope := range pipeline.Scopes(m.Catalog) {
		all, err := m.records.Findings(t.Context(), account, scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.Check != id {
				continue
			}
			if _, twice := byName[f.Resource.Name]; twice {
				t.Fatalf("two findings of %s on %s", id, f.Resource)
			}
			byName[f.Resource.Name] = f
		}
	}
	return byName
}

// newDir makes a folder of its own for each run of a property.
func newDir(root string) (string, error) { return os.MkdirTemp(root, "run-") }
