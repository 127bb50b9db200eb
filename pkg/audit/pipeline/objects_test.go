package pipeline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// contentOf is what is stored under a key; nil is nothing.
func contentOf(t testing.TB, from blob.Store, key string) []byte {
	t.Helper()
	r, err := from.Get(t.Context(), key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func put(t testing.TB, to blob.Store, key string, content []byte) {
	t.Helper()
	if err := to.Put(t.Context(), key, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

func digestOf(content []byte) model.Digest {
	if content == nil {
		return model.Digest{}
	}
	sum := sha256.Sum256(content)
	return model.Digest{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// recorded are the objects that the records of an audit name.
func recorded(t testing.TB, records *store.Organization, a model.Audit) (all []model.Object) {
	t.Helper()
	tasks, err := records.Tasks(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.Clone(a.Objects)
	for _, task := range tasks {
		all = append(all, task.Objects...)
		for _, key := range []string{task.Evidence, task.Ledger} {
			if key != "" && !task.Object(key).Known() {
				t.Errorf("task %s names %s without a digest", task.ID, key)
			}
		}
	}
	return all
}

// checkRecorded holds what is stored of an audit to its records.
func checkRecorded(t testing.TB, records *store.Organization, from blob.Store, a model.Audit, when string) (keys []string) {
	t.Helper()
	for _, o := range recorded(t, records, a) {
		keys = append(keys, o.Key)
		if found := digestOf(contentOf(t, from, o.Key)); !o.Is(found) {
			t.Errorf("%s: the record says %+v, and stored is %+v", when, o, found)
		}
	}
	return keys
}

// TestWhatIsStoredIsRecorded: each object that an audit stored is named by its records,
// with the digest of what is stored.
func TestWhatIsStoredIsRecorded(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	a := m.audit(t)
	keys := checkRecorded(t, m.records, m.Evidence, a, "ended")
	for info, err := range m.Evidence.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(keys, info.Key) {
			t.Errorf("no record names %s", info.Key)
		}
	}
	if len(keys) != 3 { // evidence and ledger of the service, evidence of the rules over the account
		t.Errorf("recorded are %q", keys)
	}
}

// TestAttemptsThatFailAreRecorded: also what a failed attempt stored is named, and by
// what takes its place when the audit is taken up again.
func TestAttemptsThatFailAreRecorded(t *testing.T) {
	t.Parallel()
	n := note(t, &caller{})
	n.Evidence = &brittle{n.Evidence, 2}
	for range 2 {
		if err := n.RunTask(t.Context(), n.message); !errors.Is(err, errStorage) {
			t.Fatal(err)
		}
	}
	records := n.Store.For(organization)
	if keys := checkRecorded(t, records, n.Evidence, n.audit, "after two attempts"); len(keys) != 2 {
		t.Errorf("recorded are %q", keys)
	}
	if err := n.Abandon(t.Context(), n.message.Body, "given up"); err != nil {
		t.Fatal(err)
	}
	if err := n.Stop(t.Context(), model.Change{}, organization, account, n.audit.ID, model.AuditCancelled, "enough"); err != nil {
		t.Fatal(err)
	}
	audit, err := records.Audit(t.Context(), account, n.audit.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Resume(t.Context(), model.Change{}, organization, audit); err != nil {
		t.Fatal(err)
	}
	if err := n.RunTask(t.Context(), n.message); err != nil {
		t.Fatal(err)
	}
	if keys := checkRecorded(t, records, n.Evidence, n.audit, "after the third"); len(keys) != 4 {
		t.Errorf("recorded are %q", keys)
	}
}

// jammed is a blob store that takes so many ledgers and no more.
type jammed struct {
	blob.Store
	left int
}

func (j *jammed) Put(ctx context.Context, key string, r io.Reader) error {
	if strings.HasPrefix(key, "ledger/") {
		if j.left--; j.left < 0 {
			return errStorage
		}
	}
	return j.Store.Put(ctx, key, r)
}

// TestRunningTasksAreRecorded: at any moment of a task that runs for long the ledger that
// is stored is one that its record knows, also if nothing can be stored any more.
func TestRunningTasksAreRecorded(t *testing.T) {
	for left := range 5 {
		synctest.Test(t, func(t *testing.T) {
			var n *noted
			look := func(when string) {
				checkRecorded(t, n.Store.For(organization), n.Evidence, n.audit, fmt.Sprintf("%s, %d ledgers taken", when, left))
			}
			n = note(t, &caller{walk: func(_ context.Context, call func(string)) error {
				for _, name := range []string{"ListDoors", "ListWindows", "ListRoofs"} {
					call(name)
					look("between")
					time.Sleep(31 * time.Second)
					look("after half a minute")
				}
				return nil
			}})
			n.Evidence = &jammed{n.Evidence, left}
			if err := n.RunTask(t.Context(), n.message); (err != nil) != (left < 4) {
				t.Fatal(err)
			}
			look("ended")
		})
	}
}

// alterations are what somebody may do to an object; other is another audit's.
func alterations(other []byte) map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"a flipped bit":     func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 4; return b },
		"the last byte":     func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b },
		"cut off":           func(b []byte) []byte { return b[:len(b)-1] },
		"half of it":        func(b []byte) []byte { return b[:len(b)/2] },
		"nothing in it":     func([]byte) []byte { return []byte{} },
		"something added":   func(b []byte) []byte { return append(bytes.Clone(b), b...) },
		"another audit's":   func([]byte) []byte { return other },
		"rewritten":         func([]byte) []byte { return rewritten() },
		"an endless one":    func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, 1<<20)...) },
		"some other file":   func([]byte) []byte { return []byte("{}\n") },
		"taken away":        func([]byte) []byte { return nil },
		"skippable appends": func(b []byte) []byte { return append(bytes.Clone(b), 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7) },
	}
}

// rewritten is well-formed evidence in which all is well.
func rewritten() []byte {
	var out bytes.Buffer
	w := blob.NewWriter(&out)
	if err := errors.Join(w.Write(evidence.Entry{Kind: door{}.Kind()}), w.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func alter(t testing.TB, in blob.Store, key string, how func([]byte) []byte) {
	t.Helper()
	content := how(contentOf(t, in, key))
	if content != nil {
		put(t, in, key, content)
	} else if err := in.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// TestAlteredObjectsAreNotRead: whatever was done to an object, who reads it is told so.
func TestAlteredObjectsAreNotRead(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open, "b": shut}}
	m := newMachine(t, t.TempDir(), w, memory.Options{})
	first := m.audit(t)
	w.doors = map[string]sight{"a": shut, "b": shut}
	second := m.audit(t)
	evidenceOf := func(a model.Audit) model.Object {
		task, err := m.records.Task(t.Context(), a.ID, "house")
		if err != nil {
			t.Fatal(err)
		}
		return task.Object(task.Evidence)
	}
	o, whole := evidenceOf(first), contentOf(t, m.Evidence, evidenceOf(first).Key)
	for name, how := range alterations(contentOf(t, m.Evidence, evidenceOf(second).Key)) {
		alter(t, m.Evidence, o.Key, how)
		err := pipeline.ReadEvidence(t.Context(), m.Evidence, o, func(evidence.Entry) error { return nil })
		var altered *pipeline.AlteredError
		if !errors.As(err, &altered) || !strings.Contains(err.Error(), "evidence of house in audit "+string(first.ID)) {
			t.Errorf("%s: %v", name, err)
		}
		// Whoever has seen enough is told, too.
		enough := errors.New("enough")
		if err := pipeline.ReadEvidence(t.Context(), m.Evidence, o, func(evidence.Entry) error { return enough }); !errors.As(err, &altered) {
			t.Errorf("%s, read in part: %v", name, err)
		}
		put(t, m.Evidence, o.Key, whole)
	}
	if err := pipeline.ReadEvidence(t.Context(), m.Evidence, o, func(evidence.Entry) error { return nil }); err != nil {
		t.Errorf("what was written: %v", err)
	}
	// Before digests were kept, what is there was read, and is.
	put(t, m.Evidence, o.Key, rewritten())
	if err := pipeline.ReadEvidence(t.Context(), m.Evidence, model.Object{Key: o.Key}, func(evidence.Entry) error { return nil }); err != nil {
		t.Errorf("an object of which no digest is kept: %v", err)
	}
}

// later is a blob store in which evidence of a task changes after it was read so often.
type later struct {
	blob.Store
	reads int
	alter func(key string)
}

func (l *later) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.HasPrefix(key, "evidence/") {
		if l.reads--; l.reads == -1 {
			l.alter(key)
		}
	}
	return l.Store.Get(ctx, key)
}

// TestAlteredEvidenceIsNotAssessed: an audit whose evidence was changed before it was
// taken in, or before the rules over the account have read it, says nothing by it: no
// check passes or fails, no finding is opened or resolved.
func TestAlteredEvidenceIsNotAssessed(t *testing.T) {
	t.Parallel()
	for reads, when := range []string{"before it is taken in", "before the audit is closed"} {
		for name, how := range alterations(rewritten()) {
			if name == "taken away" && reads == 1 {
				continue // that is evidence which is not kept any more
			}
			t.Run(fmt.Sprint(when, " ", name), func(t *testing.T) {
				t.Parallel()
				w := &world{doors: map[string]sight{"a": open, "b": shut}, guards: []bool{false}}
				m := newMachine(t, t.TempDir(), w, memory.Options{})
				m.audit(t)
				before := m.findings(t, "door-locked")
				guardedBefore := m.findings(t, "door-guarded")
				w.doors, w.guards = map[string]sight{"a": shut, "b": open}, []bool{true}
				shelf := &later{Store: m.Evidence, reads: reads}
				shelf.alter = func(key string) { alter(t, shelf.Store, key, how) }
				m.Evidence = shelf
				a := m.audit(t)
				if a.State != model.AuditPartial || len(a.Problems) != 1 || !strings.Contains(a.Problems[0], "evidence of house") {
					t.Fatalf("the audit is %s: %q", a.State, a.Problems)
				}
				if sum := a.Summary.Tally.Sum(); sum.Pass != 0 || sum.Fail != 0 || sum.NotAssessed == 0 {
					t.Errorf("verdicts %+v", sum)
				}
				if reads == 0 { // else it was whole when it was taken in
					after := m.findings(t, "door-locked")
					if before["a"].State != after["a"].State || len(after) != len(before) {
						t.Errorf("findings %+v became %+v", before, after)
					}
				}
				for name, f := range m.findings(t, "door-guarded") {
					if f.State != guardedBefore[name].State {
						t.Errorf("door-guarded %s became %s", name, f.State)
					}
				}
			})
		}
	}
}
