package pipeline_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// pen signs for every organization by one key.
type pen struct{ ed25519.PrivateKey }

func newPen(fill byte) pen {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = fill
	return pen{ed25519.NewKeyFromSeed(seed)}
}

func (p pen) public() ed25519.PublicKey {
	k, _ := p.Public().(ed25519.PublicKey)
	return k
}

// Sign implements pipeline.Signer.
func (p pen) Sign(_ context.Context, _ model.OrganizationID, s statement.Statement) (model.Envelope, error) {
	return statement.Sign(s, p.PrivateKey)
}

// signing makes a machine whose audits are signed.
func signing(t testing.TB, path string, w *world) *machine {
	t.Helper()
	m := newMachine(t, path, w, memory.Options{})
	m.Signer, m.Signings = newPen(1), m.tasks
	if err := m.records.PutSigningKey(t.Context(), store.SigningKey{Public: newPen(1).public(), MadeAt: m.now}); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) verify(t testing.TB, id model.AuditID, key ed25519.PublicKey) pipeline.Verification {
	t.Helper()
	a, err := m.records.Audit(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	v, err := pipeline.Verifier{Store: m.Store, Blobs: m.Evidence, Now: m.Now, Key: key}.Verify(t.Context(), organization, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (m *machine) task(t testing.TB, audit model.AuditID, id model.TaskID) model.Task {
	t.Helper()
	task, err := m.records.Task(t.Context(), audit, id)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// change changes the record of a task, as somebody may who can write the table.
func (m *machine) change(t testing.TB, audit model.AuditID, id model.TaskID, change func(*model.Task)) {
	t.Helper()
	task := m.task(t, audit, id)
	change(&task)
	if err := m.records.PutTask(t.Context(), &task); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) changeAudit(t testing.TB, id model.AuditID, change func(*model.Audit)) {
	t.Helper()
	a, err := m.records.Audit(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	change(&a)
	if err := m.records.PutAudit(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyWholeAudit(t *testing.T) {
	t.Parallel()
	m := signing(t, t.TempDir(), &world{doors: map[string]sight{"a": open}})
	a := m.audit(t)
	for _, key := range []ed25519.PublicKey{nil, newPen(1).public()} {
		v := m.verify(t, a.ID, key)
		if v.Verdict != pipeline.VerdictWhole || v.Signature != pipeline.SignatureValid || len(v.Problems)+len(v.Remarks) > 0 || len(v.Objects) != 3 || v.Fingerprint != statement.Fingerprint(newPen(1).public()) {
			t.Errorf("%+v", v)
		}
	}
	if v := m.verify(t, a.ID, newPen(2).public()); v.Verdict != pipeline.VerdictAltered || v.Signature != pipeline.SignatureInvalid {
		t.Errorf("held to another key: %+v", v)
	}
	// To ask for the signature again changes nothing.
	before, err := m.records.Audit(t.Context(), account, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.now = m.now.Add(time.Hour)
	if err := m.Sign(t.Context(), organization, account, a.ID); err != nil {
		t.Fatal(err)
	}
	if after, err := m.records.Audit(t.Context(), account, a.ID); err != nil || after.Version != before.Version {
		t.Errorf("it was signed again: %v", err)
	}
}

func TestVerifyUnsignedAudit(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	a := m.audit(t)
	if v := m.verify(t, a.ID, nil); v.Verdict != pipeline.VerdictWhole || v.Signature != pipeline.SignatureNone || len(v.Remarks) != 1 {
		t.Errorf("%+v", v)
	}
	if v := m.verify(t, a.ID, newPen(1).public()); v.Verdict != pipeline.VerdictAltered {
		t.Errorf("that a key has to have signed: %+v", v)
	}
}

// TestVerifyAuditFromBeforeDigests: of what an older version stored nobody can tell.
func TestVerifyAuditFromBeforeDigests(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir(), &world{doors: map[string]sight{"a": open}}, memory.Options{})
	a := m.audit(t)
	for _, id := range []model.TaskID{"house", "across"} {
		m.change(t, a.ID, id, func(task *model.Task) { task.Objects = nil })
	}
	v := m.verify(t, a.ID, nil)
	if v.Verdict != pipeline.VerdictUnknown || len(v.Problems) > 0 || len(v.Objects) != 3 {
		t.Errorf("%+v", v)
	}
	for _, o := range v.Objects {
		if o.State != pipeline.ObjectUndigested {
			t.Errorf("%+v", o)
		}
	}
	// Stripping an audit of its digests does not make it one of before.
	s := signing(t, t.TempDir(), &world{doors: map[string]sight{"a": open}})
	a = s.audit(t)
	for _, id := range []model.TaskID{"house", "across"} {
		s.change(t, a.ID, id, func(task *model.Task) { task.Objects = nil })
	}
	if v := s.verify(t, a.ID, nil); v.Verdict != pipeline.VerdictAltered {
		t.Errorf("stripped of its digests: %+v", v)
	}
}

// TestVerifyForgottenAudit: when its evidence and its tasks are gone as they should be,
// what was signed of its result still holds.
func TestVerifyForgottenAudit(t *testing.T) {
	t.Parallel()
	m := signing(t, t.TempDir(), &world{doors: map[string]sight{"a": open}})
	m.KeepDetail = 24 * time.Hour
	a := m.audit(t)
	keys := checkRecorded(t, m.records, m.Evidence, a, "before")
	m.now = m.now.Add(25 * time.Hour) // the table forgets the tasks
	if err := m.Evidence.DeleteMany(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	if v := m.verify(t, a.ID, nil); v.Verdict != pipeline.VerdictForgotten || v.Signature != pipeline.SignatureValid {
		t.Errorf("%+v", v)
	}
	m.changeAudit(t, a.ID, func(a *model.Audit) { a.Summary.Counts.Fail-- })
	if v := m.verify(t, a.ID, nil); v.Verdict != pipeline.VerdictAltered {
		t.Errorf("with another result: %+v", v)
	}
}

// TestLateAttemptsAreSigned: a task that was under way when its audit was cancelled
// stores its calls after that, and they are signed, too.
func TestLateAttemptsAreSigned(t *testing.T) {
	t.Parallel()
	var n *noted
	n = note(t, &caller{walk: func(ctx context.Context, call func(string)) error {
		call("ListDoors")
		// By somebody else: the task's own context ends as soon as it sees that.
		if err := n.Stop(t.Context(), model.Change{}, organization, account, n.audit.ID, model.AuditCancelled, "enough"); err != nil {
			t.Error(err)
		}
		if err := n.Sign(t.Context(), organization, account, n.audit.ID); err != nil {
			t.Error(err)
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	asked := memory.New(memory.Options{}).Queue("signings")
	n.WatchEvery, n.Signer, n.Signings = time.Millisecond, newPen(1), asked
	if err := n.RunTask(t.Context(), n.message); err != nil {
		t.Fatal(err)
	}
	if got := asked.Len(); got != 2 {
		t.Errorf("asked %d times, want at the end and when the attempt had stored its calls", got)
	}
	verdict := func() string {
		a, err := n.Store.For(organization).Audit(t.Context(), account, n.audit.ID)
		if err != nil {
			t.Fatal(err)
		}
		v, err := pipeline.Verifier{Store: n.Store, Blobs: n.Evidence, Now: time.Now, Key: newPen(1).public()}.Verify(t.Context(), organization, a)
		if err != nil {
			t.Fatal(err)
		}
		return v.Verdict
	}
	if got := verdict(); got != pipeline.VerdictAltered {
		t.Errorf("before it is signed anew: %s", got)
	}
	if err := n.Sign(t.Context(), organization, account, n.audit.ID); err != nil {
		t.Fatal(err)
	}
	if got := verdict(); got != pipeline.VerdictWhole {
		t.Errorf("signed anew: %s", got)
	}
}

// TestSignatureOfARetriedAudit: what was signed before an audit is taken up again is
// signed anew when it has ended again.
func TestSignatureOfARetriedAudit(t *testing.T) {
	t.Parallel()
	w := &world{doors: map[string]sight{"a": open}}
	m := signing(t, t.TempDir(), w)
	a := m.audit(t)
	m.changeAudit(t, a.ID, func(a *model.Audit) { a.State = model.AuditCancelled })
	a, err := m.records.Audit(t.Context(), account, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = m.Resume(t.Context(), model.Change{}, organization, a); err != nil || a.Statement != nil {
		t.Fatalf("taken up again: %+v, %v", a.Statement, err)
	}
	if v := m.verify(t, a.ID, nil); v.Verdict != pipeline.VerdictWhole || v.Signature != pipeline.SignatureNone {
		t.Errorf("while it runs: %+v", v)
	}
	if err := m.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := m.verify(t, a.ID, nil)
	if v.Verdict != pipeline.VerdictWhole || v.Signature != pipeline.SignatureValid || len(v.Objects) != 4 { // the rules over the account ran twice
		t.Errorf("%+v", v)
	}
}

// anEdit is something that somebody does to an audit whose account was whole; other is
// another audit of the account. It reports whether it changed anything.
type anEdit struct {
	name string
	do   func(t testing.TB, m *machine, a, other model.AuditID)
}

// edits are all that can be done to an audit, by who can write blobs, records or both.
func edits() (all []anEdit) {
	add := func(name string, do func(t testing.TB, m *machine, a, other model.AuditID)) {
		all = append(all, anEdit{name, do})
	}
	// key is an object of an audit: house or across, evidence or ledger.
	type which struct {
		task model.TaskID
		of   func(model.Task) string
	}
	objects := map[string]which{
		"evidence":            {"house", func(t model.Task) string { return t.Evidence }},
		"ledger":              {"house", func(t model.Task) string { return t.Ledger }},
		"evidence of account": {"across", func(t model.Task) string { return t.Evidence }},
	}
	for what, w := range objects {
		key := func(t testing.TB, m *machine, a model.AuditID) string { return w.of(m.task(t, a, w.task)) }
		for name, how := range alterations(nil) {
			if name == "another audit's" {
				continue // below
			}
			add(what+": "+name, func(t testing.TB, m *machine, a, _ model.AuditID) { alter(t, m.Evidence, key(t, m, a), how) })
			if name == "taken away" {
				add(what+": object and digest taken away", func(t testing.TB, m *machine, a, _ model.AuditID) {
					k := key(t, m, a)
					alter(t, m.Evidence, k, how)
					m.change(t, a, w.task, func(task *model.Task) {
						task.Objects = slices.DeleteFunc(task.Objects, func(o model.Object) bool { return o.Key == k })
					})
				})
				continue
			}
			add(what+": "+name+", and the digest", func(t testing.TB, m *machine, a, _ model.AuditID) {
				k := key(t, m, a)
				alter(t, m.Evidence, k, how)
				o := model.Object{Key: k, Digest: digestOf(contentOf(t, m.Evidence, k))}
				m.change(t, a, w.task, func(task *model.Task) { task.Objects = model.WithObjects(task.Objects, o) })
			})
		}
		add(what+": swapped with another audit's", func(t testing.TB, m *machine, a, other model.AuditID) {
			ours, theirs := key(t, m, a), key(t, m, other)
			one, two := contentOf(t, m.Evidence, ours), contentOf(t, m.Evidence, theirs)
			put(t, m.Evidence, ours, two)
			put(t, m.Evidence, theirs, one)
		})
		add(what+": the record names another audit's", func(t testing.TB, m *machine, a, other model.AuditID) {
			k := key(t, m, other)
			o := m.task(t, other, w.task).Object(k)
			ours := key(t, m, a)
			m.change(t, a, w.task, func(task *model.Task) {
				task.Objects = append(slices.DeleteFunc(task.Objects, func(o model.Object) bool { return o.Key == ours }), o)
			})
		})
		add(what+": another digest", func(t testing.TB, m *machine, a, _ model.AuditID) {
			k := key(t, m, a)
			m.change(t, a, w.task, func(task *model.Task) {
				task.Objects = model.WithObjects(task.Objects, model.Object{Key: k, Digest: digestOf([]byte("x"))})
			})
		})
		add(what+": a second digest that fits, too", func(t testing.TB, m *machine, a, _ model.AuditID) {
			k := key(t, m, a)
			m.change(t, a, w.task, func(task *model.Task) {
				o := task.Object(k)
				d := digestOf([]byte("x"))
				o.Before = &d
				task.Objects = model.WithObjects(task.Objects, o)
			})
		})
	}
	for _, id := range []model.TaskID{"house", "across"} {
		add("the record of "+string(id)+" taken away", func(t testing.TB, m *machine, a, _ model.AuditID) {
			if err := m.records.DeleteTask(t.Context(), a, id); err != nil {
				t.Fatal(err)
			}
		})
		add("the digests of "+string(id)+" taken away", func(t testing.TB, m *machine, a, _ model.AuditID) {
			m.change(t, a, id, func(task *model.Task) { task.Objects = nil })
		})
	}
	for _, what := range []string{"evidence", "ledger"} {
		add(what+" added", func(t testing.TB, m *machine, a, _ model.AuditID) {
			put(t, m.Evidence, addedKey(t, m, a, what), rewritten())
		})
		add(what+" added, and a record of it", func(t testing.TB, m *machine, a, _ model.AuditID) {
			k := addedKey(t, m, a, what)
			put(t, m.Evidence, k, rewritten())
			m.change(t, a, "house", func(task *model.Task) {
				task.Objects = append(task.Objects, model.Object{Key: k, Digest: digestOf(rewritten())})
			})
		})
	}
	for name, change := range map[string]func(*model.Audit){
		"another state":     func(a *model.Audit) { a.State = model.AuditPartial },
		"another end":       func(a *model.Audit) { a.EndedAt = a.EndedAt.Add(-time.Second) },
		"another account":   func(a *model.Audit) { a.AccountID = "444455556666" },
		"fewer failures":    func(a *model.Audit) { a.Summary.Counts.Fail = 0 },
		"a better score":    func(a *model.Audit) { a.Summary.Score.Value = 100 },
		"no statement":      func(a *model.Audit) { a.Statement = nil },
		"another statement": func(a *model.Audit) { a.Statement.Payload[20] ^= 1 },
		"another signature": func(a *model.Audit) { a.Statement.Signatures[0].Sig[0] ^= 1 },
		"no signature":      func(a *model.Audit) { a.Statement.Signatures = nil },
	} {
		add("the audit: "+name, func(t testing.TB, m *machine, a, _ model.AuditID) { m.changeAudit(t, a, change) })
	}
	add("another audit's statement", func(t testing.TB, m *machine, a, other model.AuditID) {
		theirs, err := m.records.Audit(t.Context(), account, other)
		if err != nil {
			t.Fatal(err)
		}
		m.changeAudit(t, a, func(a *model.Audit) { a.Statement = theirs.Statement })
	})
	add("all of it, signed by another key", func(t testing.TB, m *machine, a, _ model.AuditID) {
		k := m.task(t, a, "house").Evidence
		put(t, m.Evidence, k, rewritten())
		m.change(t, a, "house", func(task *model.Task) {
			task.Objects = model.WithObjects(task.Objects, model.Object{Key: k, Digest: digestOf(rewritten())})
		})
		m.Signer = newPen(2)
		if err := m.Sign(t.Context(), organization, account, a); err != nil {
			t.Fatal(err)
		}
		m.Signer = newPen(1)
	})
	return all
}

func addedKey(t testing.TB, m *machine, id model.AuditID, what string) string {
	t.Helper()
	a, err := m.records.Audit(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.Key(what, organization, a, "house."+ulid.Make().String())
}

// two makes two audits that are signed, and say different things.
func two(t testing.TB, path string) (m *machine, a, other model.AuditID) {
	t.Helper()
	w := &world{doors: map[string]sight{"a": open, "b": shut}, guards: []bool{false}}
	m = signing(t, path, w)
	m.Accounts = talkative{w}
	other = m.audit(t).ID
	w.doors, w.guards = map[string]sight{"a": open, "b": open, "c": shut}, []bool{false, true}
	return m, m.audit(t).ID, other
}

// talkative is an account of which each audit makes a call of its own.
type talkative struct{ *world }

// Open implements pipeline.Accounts.
func (a talkative) Open(ctx context.Context, org model.OrganizationID, audit model.Audit, need policy.Session, calls ledger.Ledger) (pipeline.Account, error) {
	calls.Record(ledger.Entry{Operation: string(audit.ID)})
	return a.world.Open(ctx, org, audit, need, calls)
}

// TestEveryEditIsFound: whatever is done to an audit that was signed is found, held to
// the key that signed it.
func TestEveryEditIsFound(t *testing.T) {
	t.Parallel()
	for _, e := range edits() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			m, a, other := two(t, t.TempDir())
			e.do(t, m, a, other)
			v := m.verify(t, a, newPen(1).public())
			if v.Verdict != pipeline.VerdictAltered || len(v.Problems) == 0 {
				t.Errorf("%+v", v)
			}
			for _, p := range v.Problems {
				if strings.Contains(p, "%!") || len(p) < 20 {
					t.Errorf("problem %q", p)
				}
			}
		})
	}
}

// kept is everything that is kept of an audit, so that edits that undo each other are
// known.
func everything(t testing.TB, m *machine, id model.AuditID) string {
	t.Helper()
	var out bytes.Buffer
	for info, err := range m.Evidence.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(info.Key, "audit="+string(id)+"/") {
			fmt.Fprintf(&out, "%s %+v\n", info.Key, digestOf(contentOf(t, m.Evidence, info.Key)))
		}
	}
	a, err := m.records.Audit(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := m.records.Tasks(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%s %s %s %+v %+v\n", a.State, a.EndedAt, a.AccountID, statement.ResultOf(a), a.Statement)
	for _, task := range tasks {
		fmt.Fprintf(&out, "%s\n", task.ID)
		for _, o := range task.Objects {
			fmt.Fprintf(&out, "%s %+v %v\n", o.Key, o.Digest, o.Before != nil)
		}
	}
	return out.String()
}

// TestRandomEditsAreFound: any edits, one after the other, are found, unless they come
// to nothing.
func TestRandomEditsAreFound(t *testing.T) {
	t.Parallel()
	root, all := t.TempDir(), edits()
	rapid.Check(t, func(rt *rapid.T) {
		path, err := newDir(root)
		if err != nil {
			rt.Fatal(err)
		}
		m, a, other := two(t, path)
		whole := everything(t, m, a)
		for range rapid.IntRange(0, 4).Draw(rt, "edits") {
			e := rapid.SampledFrom(all).Draw(rt, "edit")
			rt.Log(e.name)
			if possible(func() { e.do(quiet{t}, m, a, other) }) == nil && everything(t, m, a) == whole {
				rt.Log("came to nothing")
			}
		}
		v := m.verify(t, a, newPen(1).public())
		if changed := everything(t, m, a) != whole; changed != (v.Verdict == pipeline.VerdictAltered) || !changed && v.Verdict != pipeline.VerdictWhole {
			rt.Fatalf("changed: %v, and the verdict is %s: %q", changed, v.Verdict, v.Problems)
		}
	})
}

// quiet is a test in which what fails is an edit that an earlier one made impossible.
type quiet struct{ testing.TB }

var errImpossible = errors.New("not possible any more")

func (quiet) Fatal(...any)          { panic(errImpossible) }
func (quiet) Fatalf(string, ...any) { panic(errImpossible) }
func (quiet) Helper()               {}

func possible(do func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errImpossible
		}
	}()
	do()
	return nil
}

// TestVerifyByLength: who may not read the evidence finds by its lengths what it can,
// and says that it did no more.
func TestVerifyByLength(t *testing.T) {
	t.Parallel()
	m, id, _ := two(t, t.TempDir())
	a, err := m.records.Audit(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	verify := func() pipeline.Verification {
		v, err := pipeline.Verifier{Store: m.Store, Blobs: onlyLedgers{m.Evidence}, Now: m.Now, Contents: []string{"ledger"}}.Verify(t.Context(), organization, a)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(); v.Verdict != pipeline.VerdictWhole || !slices.Equal(v.Contents, []string{"ledger"}) {
		t.Errorf("%+v", v)
	}
	key := m.task(t, id, "house").Evidence
	whole := contentOf(t, m.Evidence, key)
	for _, content := range [][]byte{whole[1:], append(bytes.Clone(whole), 0), nil} {
		alter(t, m.Evidence, key, func([]byte) []byte { return content })
		if v := verify(); v.Verdict != pipeline.VerdictAltered {
			t.Errorf("evidence of %d bytes in place of %d: %+v", len(content), len(whole), v)
		}
	}
}

// TestVerifyTakesLittleMemory: as much for large evidence as for small.
func TestVerifyTakesLittleMemory(t *testing.T) {
	const size, most = 64 << 20, 4 << 20 // bytes
	m := signing(t, t.TempDir(), &world{doors: map[string]sight{"a": open}})
	id := m.audit(t).ID
	key := m.task(t, id, "house").Evidence
	sum := sha256.New()
	err := m.Evidence.Put(t.Context(), key, io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), sum))
	if err != nil {
		t.Fatal(err)
	}
	m.change(t, id, "house", func(task *model.Task) {
		task.Objects = model.WithObjects(task.Objects, model.Object{Key: key, Digest: model.Digest{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}})
	})
	if err := m.Sign(t.Context(), organization, account, id); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	v := m.verify(t, id, nil)
	runtime.ReadMemStats(&after)
	if v.Verdict != pipeline.VerdictWhole {
		t.Fatalf("%+v", v)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("%d bytes of evidence took %d bytes of memory, want at most %d", size, took, most)
	}
}

// onlyLedgers is a blob store for who may read ledgers alone.
type onlyLedgers struct{ blob.Store }

func (o onlyLedgers) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if !strings.HasPrefix(key, "ledger/") {
		return nil, errors.New("denied")
	}
	return o.Store.Get(ctx, key)
}
