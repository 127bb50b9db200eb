package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// mortal is a process that dies before or after its nth side effect. From then
// on nothing that it does has an effect, until it is started again.
type mortal struct {
	mu      sync.Mutex
	at      int  // the effect at which it dies; 0 never
	after   bool // right after it, instead of right before
	effects []string
	dead    bool
}

var errKilled = errors.New("killed")

func (m *mortal) effect(what string, do func() error) error {
	m.mu.Lock() // effects come one after the other, so that one is the nth
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	m.effects = append(m.effects, what)
	if len(m.effects) != m.at {
		return do()
	}
	m.dead = true
	if m.after {
		_ = do()
	}
	return errKilled
}

func (m *mortal) read() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	return nil
}

// restart brings the process back to life, and reports whether it was dead.
func (m *mortal) restart() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.dead
	m.dead = false
	return was
}

// killed is what was being done when the process died.
func (m *mortal) killed() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == 0 || m.at > len(m.effects) {
		return ""
	}
	return m.effects[m.at-1]
}

type mortalTable struct {
	table.Table
	m *mortal
}

func (t mortalTable) Get(ctx context.Context, k table.Key) (table.Item, error) {
	if err := t.m.read(); err != nil {
		return table.Item{}, err
	}
	return t.Table.Get(ctx, k)
}

func (t mortalTable) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := t.m.read(); err != nil {
		return table.Page{}, err
	}
	return t.Table.Query(ctx, q)
}

func (t mortalTable) Put(ctx context.Context, it table.Item) error {
	return t.m.effect("put "+it.PK, func() error { return t.Table.Put(ctx, it) })
}

func (t mortalTable) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (sum int64, err error) {
	err = t.m.effect("add "+k.PK, func() (err error) { sum, err = t.Table.Add(ctx, k, n, expires); return err })
	return sum, err
}

func (t mortalTable) PutMany(ctx context.Context, its []table.Item) error {
	return t.m.effect("put many", func() error { return t.Table.PutMany(ctx, its) })
}

func (t mortalTable) Delete(ctx context.Context, k table.Key) error {
	return t.m.effect("delete "+k.PK, func() error { return t.Table.Delete(ctx, k) })
}

func (t mortalTable) DeleteMany(ctx context.Context, ks []table.Key) error {
	return t.m.effect("delete many", func() error { return t.Table.DeleteMany(ctx, ks) })
}

type mortalBlobs struct {
	blob.Store
	m *mortal
}

func (b mortalBlobs) Put(ctx context.Context, key string, r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return b.m.effect("store "+key, func() error { return b.Store.Put(ctx, key, strings.NewReader(string(content))) })
}

func (b mortalBlobs) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := b.m.read(); err != nil {
		return nil, err
	}
	return b.Store.Get(ctx, key)
}

func (b mortalBlobs) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return b.Store.List(ctx, prefix)
}

func (b mortalBlobs) Delete(ctx context.Context, key string) error {
	return b.m.effect("remove "+key, func() error { return b.Store.Delete(ctx, key) })
}

func (b mortalBlobs) DeleteMany(ctx context.Context, keys []string) error {
	return b.m.effect("remove many", func() error { return b.Store.DeleteMany(ctx, keys) })
}

type mortalQueue struct {
	queue.Sender
	name string
	m    *mortal
}

func (q mortalQueue) Send(ctx context.Context, bodies ...[]byte) error {
	return q.m.effect("send to "+q.name, func() error { return q.Sender.Send(ctx, bodies...) })
}

type mortalEars struct {
	notify.Notifier
	m *mortal
}

func (e mortalEars) Publish(ctx context.Context, messages ...notify.Message) error {
	return e.m.effect("publish", func() error { return e.Notifier.Publish(ctx, messages...) })
}

// attemptOf is what tells the objects of attempts apart.
var attemptOf = regexp.MustCompile(`\.[0-9A-Z]{26}`)

// outcome is what two audits come to, without the times and attempts.
type outcome struct {
	Audits   []model.Audit
	Findings map[string]model.Finding
	Alerts   map[string]string
}

// history makes two audits of an account that changes in between, in a process
// that may die, and is started again, at one point. Its queues outlive it, or are of the
// one process that does everything, and gone with it.
func history(t *testing.T, m *mortal, alone bool) (outcome, []string) {
	t.Helper()
	w := &world{doors: map[string]sight{"a": open, "b": shut, "c": open}, guards: []bool{false}}
	x := newMachine(t, t.TempDir(), w, memory.Options{MaxReceives: 20})
	x.Bound = 24 * time.Hour
	evidence := x.Evidence
	x.Evidence = mortalBlobs{x.Evidence, m}
	x.Alerts = mortalEars{x.alerts, m}
	x.Signer = newPen(1)
	x.Store = store.New(mortalTable{x.table, m}, nil)
	x.Index = indexOf{func() *index.Keeper {
		return &index.Keeper{ID: organization, Store: x.Store.For(organization), Blobs: x.Evidence, Now: x.Now}
	}}
	wire := func() {
		x.tasks, x.results = x.broker.Queue("tasks"), x.broker.Queue("results")
		x.Tasks, x.Results = mortalQueue{x.tasks, "tasks", m}, mortalQueue{x.results, "results", m}
		x.Signings = x.Tasks
	}
	wire()
	if !alone {
		x.LeaseFor = time.Minute
	}
	if err := store.New(x.table, nil).CreateOrganization(t.Context(), model.Change{}, &model.Organization{ID: organization}, 1); err != nil {
		t.Fatal(err)
	}
	restart := func() {
		switch {
		case !m.restart():
		case alone:
			x.broker = memory.New(memory.Options{MaxReceives: 20})
			wire()
			if _, err := x.Recover(t.Context()); err != nil {
				t.Fatalf("recover after %s: %v", m.killed(), err)
			}
		default: // later than anybody may still be waited for
			x.now = x.now.Add(2 * time.Minute)
		}
	}
	mortally := func(handle queue.Handler) queue.Handler {
		return func(ctx context.Context, message queue.Message) error {
			defer restart()
			return handle(ctx, message)
		}
	}
	first := x.request().Connection
	first.State = model.ConnectionPending
	if err := x.records.PutConnection(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	var out outcome
	for range 2 {
		r := x.request()
		r.Regions, r.Partition = nil, ""
		for try := 0; ; try++ {
			_, err := x.Begin(t.Context(), r)
			restart()
			if err == nil {
				break
			}
			if try > 0 {
				t.Fatalf("begin again after %s: %v", m.killed(), err)
			}
		}
		for more := true; more; { // of a broker that restart may have put in the place of another
			var err error
			more, err = x.broker.Step(t.Context(),
				memory.Worker{Queue: x.tasks, Handle: mortally(x.RunTask)}, memory.Worker{Queue: x.results, Handle: mortally(x.Ingest)})
			if err != nil {
				t.Fatal(err)
			}
		}
		if dead := append(x.tasks.Dead(), x.results.Dead()...); len(dead) > 0 {
			t.Fatalf("dead letter after %s: %v", m.killed(), dead[0].Err)
		}
		a, err := x.records.Audit(t.Context(), account, r.Audit)
		if err != nil {
			t.Fatal(err)
		}
		checkRecorded(t, x.records, x.Evidence, a, "after "+m.killed())
		if v := x.verify(t, a.ID, newPen(1).public()); v.Verdict != pipeline.VerdictWhole {
			t.Errorf("after %s the audit is %s: %q", m.killed(), v.Verdict, v.Problems)
		}
		a.Statement = nil
		a.StartedAt, a.EndedAt, a.Version, a.Detail = time.Time{}, time.Time{}, 0, model.AuditDetail{}
		out.Audits = append(out.Audits, a)
		w.doors = map[string]sight{"a": shut, "b": open, "c": hidden}
	}
	checkIndexed(t, x, evidence)
	checkTrend(t, x)
	out.Findings = map[string]model.Finding{}
	for _, id := range []model.CheckID{"door-locked", "door-guarded"} {
		for name, f := range x.findings(t, id) {
			f.Source = attemptOf.ReplaceAllString(f.Source, "")
			f.FirstSeen, f.ResolvedAt, f.BlindSince, f.Version = time.Time{}, time.Time{}, time.Time{}, 0
			for i := range f.History {
				f.History[i].At = time.Time{}
			}
			out.Findings[string(id)+" "+name] = f
		}
	}
	out.Alerts = x.alerts.words()
	var repeated []string
	seen := map[string]bool{}
	for _, a := range x.alerts.heard {
		if seen[a.ID] {
			repeated = append(repeated, a.ID)
		}
		seen[a.ID] = true
	}
	return out, repeated
}

// TestDeathAtEveryPoint kills the pipeline before and after every side effect
// of two audits. Nothing may be lost, and nothing may be there twice but alerts
// whose publisher died before it could note them.
func TestDeathAtEveryPoint(t *testing.T) {
	t.Parallel()
	for name, alone := range map[string]bool{"queues that stay": false, "queues that die, too": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deathAtEveryPoint(t, alone)
		})
	}
}

func deathAtEveryPoint(t *testing.T, alone bool) {
	t.Helper()
	undisturbed := &mortal{}
	want, repeated := history(t, undisturbed, alone)
	if len(repeated) > 0 || len(want.Alerts) < 4 {
		t.Fatalf("alerts %v, repeated %v", want.Alerts, repeated)
	}
	twice := 0
	for at := 1; at <= len(undisturbed.effects); at++ {
		for _, after := range []bool{false, true} {
			m := &mortal{at: at, after: after}
			got, repeated := history(t, m, alone)
			point := fmt.Sprintf("killed before %s", m.killed())
			if after {
				point = fmt.Sprintf("killed after %s", m.killed())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-undisturbed +killed):\n%s", point, diff)
			}
			unnoted := m.killed() == "publish" && after || strings.Contains(m.killed(), "SCOPE") && !after
			if len(repeated) > 0 && !unnoted {
				t.Errorf("%s: alerts twice: %v", point, repeated)
			}
			twice += len(repeated)
		}
	}
	t.Logf("%d points, %d alerts twice", 2*len(undisturbed.effects), twice)
	kinds := slices.Collect(func(yield func(string) bool) {
		for _, k := range want.Alerts {
			if !yield(k) {
				return
			}
		}
	})
	slices.Sort(kinds)
	expected := []string{
		"audit finished", "audit finished", "blind blind", "finding blind door-locked",
		"finding new door-locked", "finding resolved door-locked",
	}
	if diff := cmp.Diff(expected, kinds); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}
