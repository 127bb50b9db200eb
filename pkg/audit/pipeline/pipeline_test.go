package pipeline_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": shut, "b": open, "c": hidden}, guards: []bool{true}}
	m := newMachine(t, t.TempDir(), w, memory.Options{})
	a := m.audit(t)

	if a.State != model.AuditDone {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	want := model.Tally{
		"door-locked":  {Pass: 1, Fail: 1, NotAssessed: 1},
		"door-guarded": {Pass: 3},
	}
	if diff := cmp.Diff(want, a.Summary.Tally); diff != "" {
		t.Errorf("tally (-want +got):\n%s", diff)
	}
	if g := a.Summary.Gaps; len(g) != 1 || g[0].Action != "house:GetLock" || g[0].Count != 1 {
		t.Errorf("gaps %+v, want the one lock", g)
	}
	f := m.findings(t, "door-locked")
	if len(f) != 1 || f["b"].State != model.FindingOpen || string(f["b"].Evidence) != `[{"fact":"locked","content":{"value":false}}]` {
		t.Errorf("findings %+v, want the open door with its evidence", f)
	}
}

func TestNothingExists(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	want := model.Tally{"door-locked": {NotApplicable: 1}, "door-guarded": {NotApplicable: 1}}
	if diff := cmp.Diff(want, m.audit(t).Summary.Tally); diff != "" {
		t.Errorf("tally of an empty account (-want +got):\n%s", diff)
	}
}

func TestDeniedListingIsNotNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{denied: true}, memory.Options{})
	want := model.Tally{"door-locked": {NotAssessed: 1}, "door-guarded": {NotAssessed: 1}}
	if diff := cmp.Diff(want, m.audit(t).Summary.Tally); diff != "" {
		t.Errorf("tally of an account that cannot be listed (-want +got):\n%s", diff)
	}
}

// TestLifecycles lets accounts change and go dark at random, with messages
// doubled and reordered, and holds findings to a simple model: the last thing
// that was positively seen.
func TestLifecycles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{}
		dir, err := newDir(root)
		if err != nil {
			rt.Fatal(err)
		}
		m := newMachine(t, dir, w, memory.Options{
			Pick:  func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") },
			Twice: func(_ string, d queue.Message) bool { return d.Attempt < 3 && rapid.Bool().Draw(rt, "twice") },
		})
		type life struct {
			open     bool
			seen     string // audit of the first failure
			reopened int
			blind    bool
		}
		expected := map[string]life{}
		for range rapid.IntRange(1, 5).Draw(rt, "audits") {
			w.doors = map[string]sight{}
			for _, name := range []string{"a", "b", "c", "d"} {
				w.doors[name] = rapid.SampledFrom([]sight{gone, shut, open, hidden}).Draw(rt, name)
			}
			w.denied = rapid.IntRange(0, 4).Draw(rt, "denied") == 0
			w.partial = rapid.IntRange(0, 4).Draw(rt, "partial") == 0
			a := m.audit(t)
			if a.State != model.AuditDone {
				rt.Fatalf("audit is %s: %v", a.State, a.Problems)
			}
			cut := w.denied
			// The listing breaks off after its first door, if there is one.
			breaks := w.partial && slices.ContainsFunc([]string{"a", "b", "c", "d"}, func(name string) bool { return w.doors[name] != gone })
			for _, name := range []string{"a", "b", "c", "d"} {
				s, l := w.doors[name], expected[name]
				known := l.seen != ""
				switch {
				case cut: // after the listing broke off
					l.blind = l.blind || l.open
				case s == open && !known:
					l = life{open: true, seen: string(a.ID)}
				case s == open && !l.open:
					l.open, l.blind, l.reopened = true, false, l.reopened+1
				case s == open:
					l.blind = false
				case s == hidden:
					l.blind = l.blind || l.open
				default: // locked, or surely gone
					l.open, l.blind = false, false
				}
				if s != gone && breaks {
					cut = true
				}
				// A listing that breaks off says nothing of what it did not show.
				if s == gone && breaks && known && expected[name].open {
					l = expected[name]
					l.blind = true
				}
				if l.seen != "" {
					expected[name] = l
				}
			}
			got := map[string]life{}
			for name, f := range m.findings(t, "door-locked") {
				got[name] = life{f.State.Open(), string(f.History[0].Audit), f.Reopened, !f.BlindSince.IsZero()}
			}
			if diff := cmp.Diff(expected, got, cmp.AllowUnexported(life{})); diff != "" {
				rt.Fatalf("after %s, findings (-want +got):\n%s", a.ID, diff)
			}
		}
	})
}

func TestOlderAuditNeverOverwritesNewer(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := newMachine(t, t.TempDir(), w, memory.Options{})
	ctx := t.Context()
	older := m.request()
	if _, err := m.Plan(ctx, older); err != nil {
		t.Fatal(err)
	}
	// The older audit has collected, and its result is under way…
	if err := m.broker.Walk(ctx, memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
		t.Fatal(err)
	}
	// …when a newer one sees the door locked, all the way through.
	w.doors["a"] = shut
	newer := m.request()
	if _, err := m.Plan(ctx, newer); err != nil {
		t.Fatal(err)
	}
	if err := m.broker.Walk(ctx, memory.Worker{Queue: m.tasks, Handle: m.RunTask}); err != nil {
		t.Fatal(err)
	}
	var late []queue.Message
	hold := func(ctx context.Context, msg queue.Message) error {
		parsed, err := pipeline.ParseMessage(pipeline.KindResult, msg.Body)
		if err == nil && parsed.Audit == older.Audit {
			late = append(late, msg)
			return nil
		}
		return m.Ingest(ctx, msg)
	}
	if err := m.broker.Walk(ctx, memory.Worker{Queue: m.results, Handle: hold}); err != nil {
		t.Fatal(err)
	}
	for _, msg := range late {
		if err := m.Ingest(ctx, msg); err != nil {
			t.Fatal(err)
		}
	}
	if f := m.findings(t, "door-locked"); len(f) != 0 {
		t.Errorf("the older audit wrote %+v over what the newer had seen", f)
	}
	if a, err := m.records.Audit(ctx, account, older.Audit); err != nil || !a.State.Ended() {
		t.Errorf("the older audit is %s (%v), want it ended", a.State, err)
	}
}

// crashing stops the pipeline before its nth write.
type crashing struct {
	blob.Store
	left int
}

var errCrash = errors.New("crash")

func (c *crashing) Put(ctx context.Context, key string, r io.Reader) error {
	if c.left--; c.left == 0 {
		return errCrash
	}
	return c.Store.Put(ctx, key, r)
}

func TestStorageThatFailsOnceLosesNothing(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		w := &world{doors: map[string]sight{"a": open}, guards: []bool{false}}
		m := newMachine(t, t.TempDir(), w, memory.Options{})
		m.Evidence = &crashing{m.Evidence, n}
		a := m.audit(t)
		if a.State != model.AuditDone || a.Summary.Counts.Fail != 2 || a.Summary.Changes.New != 2 {
			t.Errorf("with write %d failing once: %s, %+v", n, a.State, a.Summary)
		}
	}
}

type full struct{ blob.Store }

func (full) Put(context.Context, string, io.Reader) error { return blob.ErrFull }

func TestFullDiskEndsTheAuditPartial(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := newMachine(t, t.TempDir(), w, memory.Options{MaxReceives: 2})
	if a := m.audit(t); a.State != model.AuditDone {
		t.Fatal(a.State)
	}
	disk := m.Evidence
	m.Evidence = full{disk}
	r := m.request()
	if _, err := m.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dead := m.results.Dead(); len(dead) != 1 || !errors.Is(dead[0].Err, blob.ErrFull) {
		t.Errorf("dead letters %+v, want the full disk", dead)
	}
	if f := m.findings(t, "door-locked"); f["a"].State != model.FindingOpen {
		t.Errorf("a full disk made the finding %s", f["a"].State)
	}
	m.Evidence = disk
	if a := m.audit(t); a.State != model.AuditDone {
		t.Errorf("the next audit is %s", a.State)
	}
}

func TestTaskThatCannotRunIsAbandoned(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := newMachine(t, t.TempDir(), w, memory.Options{MaxReceives: 2})
	m.audit(t)
	w.failing = errors.New("the role is gone")
	a := m.audit(t)
	if a.State != model.AuditPartial || len(a.Problems) != 1 {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	if a.Summary.Counts.NotAssessed == 0 || a.Summary.Score.Assessed != 0 {
		t.Errorf("counts %+v, want nothing assessed", a.Summary.Counts)
	}
	if f := m.findings(t, "door-locked"); f["a"].State != model.FindingOpen {
		t.Errorf("losing the role made the finding %s", f["a"].State)
	}
	if !slices.Contains(a.Summary.Changes.NewlyBlind, "door-locked") {
		t.Errorf("newly blind %v, want door-locked", a.Summary.Changes.NewlyBlind)
	}
}

// TestForgottenTasks: the tasks of an audit go when their evidence does. The audit
// stays, so do its findings, and later audits are none the wiser.
func TestForgottenTasks(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := newMachine(t, t.TempDir(), w, memory.Options{MaxReceives: 1})
	m.KeepDetail = 30 * 24 * time.Hour
	w.failing = errors.New("no way in")
	partial := m.audit(t)
	w.failing = nil
	a := m.audit(t)
	tasks, err := m.records.Tasks(t.Context(), a.ID)
	if err != nil || len(tasks) < 2 || !a.DetailUntil.Equal(a.StartedAt.Add(m.KeepDetail)) {
		t.Fatalf("%d tasks until %s, %v", len(tasks), a.DetailUntil, err)
	}
	m.now = a.DetailUntil.Add(-time.Hour)
	if tasks, err = m.records.Tasks(t.Context(), a.ID); err != nil || len(tasks) < 2 {
		t.Errorf("%d tasks before their time is over, %v", len(tasks), err)
	}
	if _, err := m.Resume(t.Context(), model.Change{}, organization, partial); !errors.Is(err, pipeline.ErrForgotten) {
		t.Errorf("an audit whose tasks are about to go is taken up again: %v", err)
	}
	m.now = a.DetailUntil.Add(time.Second)
	if tasks, err = m.records.Tasks(t.Context(), a.ID); err != nil || len(tasks) != 0 {
		t.Errorf("%d tasks after their time, %v", len(tasks), err)
	}
	if kept, err := m.records.Audit(t.Context(), a.Connection, a.ID); err != nil || kept.Summary == nil {
		t.Errorf("the audit itself: %+v, %v", kept, err)
	}
	next := m.audit(t)
	if f := m.findings(t, "door-locked"); next.State != model.AuditDone || next.Summary.Changes.Previous != a.ID || next.Summary.Changes.New != 0 || f["a"].State != model.FindingOpen {
		t.Errorf("the next audit is %s, with %+v; the finding is %s", next.State, next.Summary.Changes, f["a"].State)
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{}, memory.Options{})
	for _, body := range []string{
		`{`, `{}`, `{"kind":"task","v":2,"org":"acme","connection":"1","audit":"a","task":"t"}`,
		`{"kind":"other","v":1,"org":"acme","connection":"1","audit":"a","task":"t"}`, `{"kind":"task","v":1,"org":"acme"}`,
	} {
		if err := m.RunTask(t.Context(), queue.Message{Body: []byte(body)}); !errors.Is(err, queue.ErrPoison) {
			t.Errorf("%s: %v, want poison", body, err)
		}
		if err := m.Ingest(t.Context(), queue.Message{Body: []byte(body)}); !errors.Is(err, queue.ErrPoison) {
			t.Errorf("%s: %v, want poison", body, err)
		}
	}
}

// TestEvidenceJudgesAgain: what a rule read is in the evidence, the resources in
// lines of their own, so that each verdict follows from the files alone. What a
// verdict itself keeps of many guards is an excerpt.
func TestEvidenceJudgesAgain(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": shut, "b": open, "c": hidden}, guards: make([]bool, 500)}
	m := newMachine(t, t.TempDir(), w, memory.Options{})
	a := m.audit(t)
	tasks, err := m.records.Tasks(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	read := func(visit func(evidence.Entry)) {
		for _, task := range tasks {
			if task.Evidence == "" {
				continue
			}
			err := pipeline.ReadEvidence(t.Context(), m.Evidence, task.Object(task.Evidence), func(e evidence.Entry) error {
				visit(e)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	everything := check.NewWorld(door{}.Kind(), guard{}.Kind())
	resources := map[model.Ref]check.Resource{}
	read(func(e evidence.Entry) {
		switch kind, _ := m.Catalog.Kind(e.Kind); {
		case e.Resource != nil:
			r, err := kind.Decode(e.Resource)
			if err != nil {
				t.Fatal(err)
			}
			everything.Add(r)
			resources[e.Ref] = r
		case e.Listing != nil && e.Listing.Gap != nil:
			everything.AddGap(e.Kind, *e.Listing.Gap)
		}
	})
	again := map[model.CheckID]int{}
	read(func(e evidence.Entry) {
		for _, v := range e.Verdicts {
			again[v.Check]++
			rule, _ := m.Catalog.Check(v.Check)
			if got := check.NewJudge(a.StartedAt, everything).Judge(rule.Rule, resources[e.Ref]); !cmp.Equal(got, v.Verdict) {
				t.Errorf("%s judged again from the files: %+v, was %+v", v.Check, got, v.Verdict)
			}
			if v.Check == "door-guarded" && (len(v.Others) != 1 || !strings.Contains(string(v.Others[0].Content), `{"set":{"count":500,`)) {
				t.Errorf("500 guards are %d exhibits: %+v", len(v.Others), v.Others)
			}
		}
	})
	if again["door-locked"] != 3 || again["door-guarded"] != 3 {
		t.Errorf("judged %v verdicts again, want 3 of each", again)
	}
	for name, f := range m.findings(t, "door-guarded") {
		if len(f.Evidence) > 2*check.MaxEvidence {
			t.Errorf("the finding on door %s keeps %d bytes of evidence", name, len(f.Evidence))
		}
	}
}

// TestScoreBefore: an audit keeps the score before beside its own. A record from
// before scores had versions is of version 1, and nobody may take the break for a
// change of the account.
func TestScoreBefore(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	first := m.audit(t)
	if first.Summary.Changes.Score != nil || first.Summary.Score.Version != model.ScoreVersion {
		t.Errorf("the first audit: %+v after %+v", first.Summary.Score, first.Summary.Changes.Score)
	}
	second := m.audit(t)
	if c := second.Summary.Changes.Score; c == nil || c.Before != first.Summary.Score || len(c.Breaks) > 0 {
		t.Errorf("the second is held beside %+v", c)
	}
	old, err := m.records.Audit(t.Context(), second.Connection, second.ID)
	if err != nil {
		t.Fatal(err)
	}
	old.Summary.Score = model.Score{Value: 72, Assessed: 1}
	if err := m.records.PutAudit(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	c := m.audit(t).Summary.Changes.Score
	if c == nil || c.Before.Version != 1 || c.Before.Value != 72 || len(c.Breaks) != 1 {
		t.Errorf("the third is held beside %+v", c)
	}
}
