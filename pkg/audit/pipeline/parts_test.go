package pipeline_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// slow is a house of so many doors in each region, each of which takes a moment to look
// at, behind a listing of pages.
type slow struct {
	mu     sync.Mutex
	doors  int
	page   int
	looked map[string]int // how often at each
	rooms  func(region string) int
	takes  time.Duration // to look at one; 0 is two milliseconds
}

func (h *slow) spec() collect.Spec {
	return collect.Spec{Service: "house", Walks: []collect.Walk{
		{Kinds: []string{door{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
			n := h.doors
			if h.rooms != nil {
				n = h.rooms(s.Region)
			}
			return collect.Each(ctx, s, &pages{n: n, size: h.page}, func(p *[]int) []int { return *p }, func(_ *collect.Reading, i int) *door {
				time.Sleep(cmp.Or(h.takes, 2*time.Millisecond)) // what a call takes
				name := fmt.Sprintf("%s-%06d", s.Region, i)
				h.mu.Lock()
				h.looked[name]++
				h.mu.Unlock()
				return &door{Resource: s.Resource(s.ARN("house", "door/"+name), name), Locked: fact.Known(i%2 == 0)}
			})
		}},
		{Kinds: []string{guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
			s.Emit(guard{Resource: s.Resource(s.ARN("house", "guard"), "guard"), Awake: fact.Known(true)})
			return nil
		}},
	}}
}

// pages lists n numbers.
type pages struct{ n, size, at int }

func (p *pages) HasMorePages() bool { return p.at < p.n }

func (p *pages) NextPage(context.Context, ...func(*struct{})) (*[]int, error) {
	var page []int
	for ; p.at < p.n && len(page) < p.size; p.at++ {
		page = append(page, p.at)
	}
	return &page, nil
}

// hurried gives each task so much time.
func (m *machine) hurried(d time.Duration) queue.Handler {
	return func(ctx context.Context, message queue.Message) error {
		ctx, cancel := context.WithTimeout(ctx, d+m.Spare)
		defer cancel()
		return m.RunTask(ctx, message)
	}
}

func (m *machine) hurry(t *testing.T, d time.Duration, regions ...string) model.Audit {
	t.Helper()
	r := m.request()
	r.Regions = regions
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.hurried(d)}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	if err != nil {
		t.Fatal(err)
	}
	if dead := append(m.tasks.Dead(), m.results.Dead()...); len(dead) > 0 {
		t.Fatalf("dead letter: %v", dead[0].Err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// seen counts the lines of doors in an audit's evidence, and how its listings ended.
func (m *machine) seen(t *testing.T, a model.Audit) (lines map[string]int, listings []string) {
	t.Helper()
	tasks, err := m.records.Tasks(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	lines = map[string]int{}
	for _, task := range tasks {
		if task.Service != "house" {
			continue
		}
		err := pipeline.ReadEvidence(t.Context(), m.Evidence, task.Object(task.Evidence), func(e evidence.Entry) error {
			switch {
			case e.Kind != door{}.Kind():
			case e.Listing != nil:
				listings = append(listings, fmt.Sprintf("%s %v", e.Listing.Region, e.Listing.Gap == nil))
			default:
				lines[e.Ref.Name]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(listings)
	return lines, listings
}

// TestTasksGoOn: a service that one task cannot finish is read by several, each thing
// once, region by region, and taken in as a whole.
func TestTasksGoOn(t *testing.T) {
	t.Parallel()
	const n = 5_000
	// A task gets through a third at most, and on a machine that is ten times as slow, too,
	// in far fewer tasks than there may be.
	const hurry = 300 * time.Millisecond
	h := &slow{page: 1_000, takes: 6 * time.Millisecond, looked: map[string]int{}, rooms: func(region string) int { return map[string]int{"eu-west-1": n, "us-east-1": 10}[region] }}
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 3})
	m.ContinueFor, m.Spare = 24*time.Hour, 10*time.Second
	m.Specs["house"] = h.spec()
	a := m.hurry(t, hurry, "eu-west-1", "us-east-1")
	lines, listings := m.seen(t, a)
	tasks, err := m.records.Tasks(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if a.State != model.AuditDone || len(lines) != n+10 || !slices.Equal(listings, []string{"eu-west-1 true", "us-east-1 true"}) || len(tasks) < 3 {
		t.Fatalf("audit %s %v: %d doors in %d tasks, listings %v", a.State, a.Problems, len(lines), len(tasks), listings)
	}
	looks := 0
	for name, times := range lines {
		if looks += h.looked[name]; times != 1 {
			t.Fatalf("%s has %d lines", name, times)
		}
	}
	if looks > 2*n { // more than once only what was under way when a task's time was over
		t.Errorf("%d doors were looked at %d times", n, looks)
	}
	if c := a.Summary.Tally["door-locked"]; c.Fail != n/2+5 || c.Pass != n/2+5 || a.Summary.Changes.New != n/2+5 || a.Summary.Resources != n+10+2 {
		t.Errorf("%+v, changes %+v, %d resources", c, a.Summary.Changes, a.Summary.Resources)
	}
	// What is gone is known to be gone although no one task saw all.
	h.rooms = func(region string) int { return map[string]int{"eu-west-1": n - 2, "us-east-1": 10}[region] }
	if a := m.hurry(t, hurry, "eu-west-1", "us-east-1"); a.Summary.Changes.Resolved != 1 || a.Summary.Changes.New != 0 {
		t.Errorf("changes %+v", a.Summary.Changes)
	}
}

// TestTasksGoOnUntilTheBudgetIsOver: what is unread then is a gap, changes nothing, and
// is what the next audit begins with.
func TestTasksGoOnUntilTheBudgetIsOver(t *testing.T) {
	t.Parallel()
	const n = 4_000
	h := &slow{doors: n, page: 500, looked: map[string]int{}}
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 3})
	m.ContinueFor, m.Spare = time.Nanosecond, 10*time.Second
	clock := m.Now
	m.Now = func() time.Time { m.now = m.now.Add(time.Nanosecond); return clock() }
	m.Specs["house"] = h.spec()
	a := m.hurry(t, 60*time.Millisecond, "eu-west-1")
	first, listings := m.seen(t, a)
	if a.State != model.AuditPartial || len(first) == 0 || len(first) == n || !slices.Equal(listings, []string{"eu-west-1 false"}) {
		t.Fatalf("audit %s %v: %d doors, listings %v", a.State, a.Problems, len(first), listings)
	}
	if g := a.Summary.Gaps; len(g) == 0 || g[0].Reason != string(fact.Timeout) || !strings.Contains(g[0].Detail, "the next audit begins with the rest") {
		t.Errorf("gaps %+v", g)
	}
	known := len(m.findings(t, "door-locked"))
	a = m.hurry(t, 60*time.Millisecond, "eu-west-1")
	second, _ := m.seen(t, a)
	again := 0
	for name := range second {
		again += first[name]
	}
	if len(second) == 0 || again > 0 && len(first)+len(second)-again < n {
		t.Errorf("the second audit looked at %d doors, %d of them again, before it had seen the rest", len(second), again)
	}
	if a.Summary.Changes.Resolved != 0 || len(m.findings(t, "door-locked")) <= known {
		t.Errorf("changes %+v", a.Summary.Changes)
	}
	for _, f := range m.findings(t, "door-locked") {
		if !f.State.Open() || !f.BlindSince.IsZero() {
			t.Fatalf("finding %+v", f)
		}
	}
}

// TestPartThatFails: a part that cannot be done is a gap of its own region, and does
// not end anything.
func TestPartThatFails(t *testing.T) {
	t.Parallel()
	h := &slow{doors: 4_000, page: 500, looked: map[string]int{}}
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 2})
	m.ContinueFor, m.Spare = 24*time.Hour, 10*time.Second
	m.Specs["house"] = h.spec()
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	handle := m.hurried(60 * time.Millisecond)
	err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, message queue.Message) error {
		if !strings.Contains(string(message.Body), "~") {
			return handle(ctx, message)
		}
		if message.Last() {
			return m.Abandon(ctx, message.Body, "out of memory")
		}
		return errSNS
	}}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil || a.State != model.AuditPartial || !slices.Contains(a.Problems, "out of memory") {
		t.Fatalf("audit %s %v, %v", a.State, a.Problems, err)
	}
	c := a.Summary.Tally["door-locked"]
	if c.NotAssessed != 1 || c.Fail == 0 || len(m.findings(t, "door-locked")) != c.Fail {
		t.Errorf("%+v, %d findings", c, len(m.findings(t, "door-locked")))
	}
}

// TestWholeThatFailsWithItsParts: when a service that took several tasks cannot be taken
// in, rules over the account do not take what its parts show for all there is.
func TestWholeThatFailsWithItsParts(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 2})
	m.ContinueFor, m.LeaseFor = 24*time.Hour, time.Minute
	var read atomic.Int64
	m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
		var left atomic.Bool
		err := collect.EachOf(ctx, s, []string{"a", "b"}, func(_ *collect.Reading, name string) *door {
			if read.Add(1)%2 == 0 { // one at a time
				left.Store(true)
				return nil
			}
			return &door{Resource: s.Resource(s.ARN("house", "door/"+name), name), Locked: fact.Known(false)}
		})
		if left.Load() {
			return collect.ErrStopped
		}
		return err
	}}}}
	if a := m.hurry(t, time.Hour, "eu-west-1"); a.State != model.AuditDone || len(m.findings(t, "door-guarded")) != 2 {
		t.Fatalf("audit %s: %+v", a.State, m.findings(t, "door-guarded"))
	}
	m.Store = store.New(&mute{Table: m.table, scopes: 1}, m.Catalog.Severity)
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.hurried(time.Hour)}, memory.Worker{Queue: m.results, Handle: func(ctx context.Context, message queue.Message) error {
		m.now = m.now.Add(2 * time.Minute)
		return m.Ingest(ctx, message)
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil || a.State != model.AuditPartial {
		t.Fatalf("audit %s %v, %v", a.State, a.Problems, err)
	}
	for name, f := range m.findings(t, "door-guarded") {
		if !f.State.Open() {
			t.Errorf("%s: %s, %s", name, f.State, f.Why)
		}
	}
	// Taken up again, it is done as a whole, and read otherwise than before. The results
	// of its parts come first.
	m.Store = store.New(m.table, m.Catalog.Severity)
	read.Store(1)
	if _, err := m.Resume(t.Context(), model.Change{}, organization, a); err != nil {
		t.Fatal(err)
	}
	var whole []queue.Message
	err = m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, message queue.Message) error {
		if !strings.Contains(string(message.Body), "~") && whole == nil {
			whole = append(whole, message)
			return nil
		}
		return m.hurried(time.Hour)(ctx, message)
	}}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.hurried(time.Hour)(t.Context(), whole[0]); err != nil {
		t.Fatal(err)
	}
	err = m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: m.hurried(time.Hour)}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	if err != nil {
		t.Fatal(err)
	}
	if a, err = m.records.Audit(t.Context(), account, r.Audit); err != nil || a.State != model.AuditDone || a.Summary.Resources != 2 {
		t.Errorf("audit %s %v, %v: %+v", a.State, a.Problems, err, a.Summary)
	}
	// What the parts stored that are forgotten is recorded still.
	if v := m.verify(t, r.Audit, nil); v.Verdict != pipeline.VerdictWhole {
		t.Errorf("%+v", v)
	}
	for _, id := range []model.CheckID{"door-locked", "door-guarded"} {
		for name, f := range m.findings(t, id) {
			if !f.State.Open() {
				t.Errorf("%s of %s: %s, %s", id, name, f.State, f.Why)
			}
		}
	}
}

// TestAlteredPartOfATask: of a service that took several tasks nothing is believed when
// the evidence of one was changed; and a part whose list of what is read already was
// changed reads everything.
func TestAlteredPartOfATask(t *testing.T) {
	t.Parallel()
	handOver := func(between func(m *machine, r pipeline.Request), before func(m *machine, r pipeline.Request)) (*machine, model.Audit) {
		m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 2})
		m.ContinueFor = 24 * time.Hour
		var whole atomic.Bool
		m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
			err := collect.EachOf(ctx, s, []string{"a", "b"}, func(_ *collect.Reading, name string) *door {
				if name == "b" && !whole.Load() {
					return nil
				}
				return &door{Resource: s.Resource(s.ARN("house", "door/"+name), name), Locked: fact.Known(false)}
			})
			if !whole.Load() {
				return collect.ErrStopped
			}
			return err
		}}}}
		whole.Store(true)
		m.hurry(t, time.Hour, "eu-west-1")
		whole.Store(false)
		r := m.request()
		if _, err := m.Plan(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, message queue.Message) error {
			if strings.Contains(string(message.Body), "~") {
				whole.Store(true)
				between(m, r)
			}
			return m.hurried(time.Hour)(ctx, message)
		}})
		if err != nil {
			t.Fatal(err)
		}
		before(m, r)
		if err := m.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := m.records.Audit(t.Context(), account, r.Audit)
		if err != nil {
			t.Fatal(err)
		}
		return m, a
	}
	nothing := func(*machine, pipeline.Request) {}
	all := func(m *machine, prefix string, how func([]byte) []byte) (n int) {
		for info, err := range m.Evidence.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			alter(t, m.Evidence, info.Key, how)
			n++
		}
		return n
	}
	open := func(m *machine, what string) {
		for name, f := range m.findings(t, "door-locked") {
			if !f.State.Open() {
				t.Errorf("%s: %s became %s", what, name, f.State)
			}
		}
	}
	m, a := handOver(nothing, nothing)
	open(m, "undisturbed")
	if a.State != model.AuditDone || a.Summary.Tally["door-locked"].Fail != 2 {
		t.Fatalf("undisturbed: %s %+v", a.State, a.Summary.Tally)
	}
	m, a = handOver(func(m *machine, _ pipeline.Request) {
		if all(m, "progress/", alterations(nil)["a flipped bit"]) == 0 {
			t.Fatal("the part was given no list")
		}
	}, nothing)
	open(m, "another list of what is read")
	if a.State != model.AuditDone {
		t.Errorf("another list of what is read: %s %v", a.State, a.Problems)
	}
	for _, part := range []model.TaskID{"house", "house~eu-west-1~1"} {
		m, a := handOver(nothing, func(m *machine, r pipeline.Request) {
			put(t, m.Evidence, m.task(t, r.Audit, part).Evidence, rewritten())
		})
		open(m, "evidence of "+string(part))
		if c := a.Summary.Tally["door-locked"]; a.State != model.AuditPartial || c.Pass+c.Fail != 0 || c.NotAssessed == 0 {
			t.Errorf("evidence of %s: %s %+v", part, a.State, c)
		}
	}
}

// rival runs something right before a task's result is written for the first time; what
// that would write of the same task is lost.
type rival struct {
	table.Table
	do         func()
	busy, done bool
}

func (r *rival) Put(ctx context.Context, it table.Item) error {
	if strings.Contains(it.PK, "TASK") && it.SK == "house" && it.Version > 0 {
		if r.busy {
			return errSNS
		}
		if !r.done {
			r.done, r.busy = true, true
			r.do()
			r.busy = false
		}
	}
	return r.Table.Put(ctx, it)
}

// TestTwoWhoHandOn: of two deliveries of one task that run at once and read different
// things, the one whose result counts says what is left.
func TestTwoWhoHandOn(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{MaxReceives: 3})
	m.ContinueFor = 24 * time.Hour
	var only atomic.Pointer[string] // what is read before time is up
	m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(ctx context.Context, s *collect.Session) error {
		stop := only.Load()
		err := collect.EachOf(ctx, s, []string{"a", "b", "c"}, func(_ *collect.Reading, name string) *door {
			if stop != nil && name != *stop {
				return nil
			}
			return &door{Resource: s.Resource(s.ARN("house", "door/"+name), name), Locked: fact.Known(false)}
		})
		if stop != nil {
			return collect.ErrStopped
		}
		return err
	}}}}
	if a := m.hurry(t, time.Hour, "eu-west-1"); a.State != model.AuditDone || len(m.findings(t, "door-locked")) != 3 {
		t.Fatalf("audit %s: %+v", a.State, m.findings(t, "door-locked"))
	}
	only.Store(new("a"))
	records := &rival{Table: m.table}
	m.Store = store.New(records, m.Catalog.Severity)
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	handle := m.hurried(time.Hour)
	err := m.broker.Walk(t.Context(), memory.Worker{Queue: m.tasks, Handle: func(ctx context.Context, message queue.Message) error {
		records.do = func() {
			only.Store(new("b"))
			if err := handle(ctx, message); !errors.Is(err, errSNS) {
				t.Errorf("the other delivery: %v", err)
			}
			only.Store(nil)
		}
		return handle(ctx, message)
	}}, memory.Worker{Queue: m.results, Handle: m.Ingest})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.records.Audit(t.Context(), account, r.Audit)
	if err != nil || a.State != model.AuditDone || a.Summary.Resources != 3 {
		t.Errorf("audit %s %v, %v: %+v", a.State, a.Problems, err, a.Summary)
	}
	for name, f := range m.findings(t, "door-locked") {
		if !f.State.Open() {
			t.Errorf("%s: %s, %s", name, f.State, f.Why)
		}
	}
}

// TestUnreadIsKept: an audit of some regions does not forget what of the others is still
// to be read.
func TestUnreadIsKept(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	m.ContinueFor = time.Nanosecond
	clock := m.Now
	m.Now = func() time.Time { m.now = m.now.Add(time.Nanosecond); return clock() }
	m.Specs["house"] = collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind(), guard{}.Kind()}, Run: func(_ context.Context, s *collect.Session) error {
		if s.Region == "us-east-1" {
			return collect.ErrStopped
		}
		return nil
	}}}}
	regions := func() (all []string) {
		record, err := m.records.Scope(t.Context(), account, "house")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range record.Unread {
			all = append(all, r.Region)
		}
		return all
	}
	m.hurry(t, time.Hour, "eu-west-1", "us-east-1")
	before := regions()
	m.hurry(t, time.Hour, "eu-west-1")
	if after := regions(); !slices.Equal(before, []string{"us-east-1"}) || !slices.Equal(after, before) {
		t.Errorf("unread are %v, and after an audit of another region %v", before, after)
	}
	m.hurry(t, time.Hour, "us-east-1")
	if after := regions(); !slices.Equal(after, before) {
		t.Errorf("after an audit of it %v", after)
	}
}
