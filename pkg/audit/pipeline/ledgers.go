package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Ledger is where the calls of one attempt at a task of an audit lie.
type Ledger struct {
	Task    model.TaskID
	Attempt string // a ULID; empty in audits of before attempts were kept apart
	model.Object
	// Unrecorded says that no record of the audit names it, though they name what was
	// stored: whoever stored it died at that moment, or somebody else put it there.
	Unrecorded bool
}

// objectEnd is how the keys of objects end, as Key makes them.
const objectEnd = ".ndjson.zst"

// LedgerKey is where a new attempt at a part of an audit puts its calls. No other
// attempt has the same key, so that none writes over what another one did.
func LedgerKey(org model.OrganizationID, audit model.Audit, part string) string {
	return Key("ledger", org, audit, part+"."+ulid.Make().String())
}

// Ledgers are those of an audit, in an order that stays: of connecting, then of
// each of its tasks by name, the attempts at each as they began. Besides those that
// are stored they are those that records name, which may be gone.
func Ledgers(ctx context.Context, from blob.Store, org model.OrganizationID, audit model.Audit, tasks []model.Task) ([]Ledger, error) {
	var all []Ledger
	recorded := map[string]bool{}
	add := func(o model.Object) {
		recorded[o.Key] = true
		all = append(all, ledgerAt(prefixOf("ledger", org, audit), o))
	}
	for _, o := range objectsOf(audit, tasks) {
		if placeOf(o.Key).what == "ledger" {
			add(o)
		}
	}
	digests := len(all) > 0
	for _, t := range tasks {
		if t.Ledger != "" && !recorded[t.Ledger] {
			add(model.Object{Key: t.Ledger})
		}
	}
	prefix := prefixOf("ledger", org, audit)
	for info, err := range from.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("ledgers of audit %s: %w", audit.ID, err)
		}
		if !recorded[info.Key] {
			l := ledgerAt(prefix, model.Object{Key: info.Key})
			l.Unrecorded = digests
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Ledger) int {
		if first := (a.Task == connect); first != (b.Task == connect) {
			if first {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Attempt, b.Attempt))
	})
	return all, nil
}

// prefixOf is how the keys of all objects of a kind of an audit begin.
func prefixOf(what string, org model.OrganizationID, audit model.Audit) string {
	return strings.TrimSuffix(Key(what, org, audit, ""), objectEnd)
}

// objectsOf are the objects that the records of an audit name with a digest.
func objectsOf(audit model.Audit, tasks []model.Task) []model.Object {
	all := slices.Clone(audit.Objects)
	for _, t := range tasks {
		all = append(all, t.Objects...)
	}
	return all
}

// ledgerAt takes the key of a ledger apart.
func ledgerAt(prefix string, o model.Object) Ledger {
	task, attempt := partAt(strings.TrimPrefix(o.Key, prefix))
	return Ledger{Task: task, Attempt: attempt, Object: o}
}

// partAt takes the end of an object's key apart, which is a task's id, an attempt's if
// there is one, and objectEnd.
func partAt(end string) (task model.TaskID, attempt string) {
	part := strings.TrimSuffix(end, objectEnd)
	if at := strings.LastIndexByte(part, '.'); at >= 0 {
		if _, err := ulid.ParseStrict(part[at+1:]); err == nil {
			return model.TaskID(part[:at]), part[at+1:]
		}
	}
	return model.TaskID(part), ""
}

// RecordConnect stores the calls by which somebody opened the account before there was
// an audit, and notes them with the audit.
func (p *Pipeline) RecordConnect(ctx context.Context, orgID model.OrganizationID, audit *model.Audit, calls []ledger.Entry) error {
	stored, err := p.WriteLedger(ctx, LedgerKey(orgID, *audit, connect), calls)
	if err != nil {
		return err
	}
	if audit.CallBudget > 0 {
		if _, err := p.Store.For(orgID).TakeCalls(ctx, *audit, loadOf(calls).Attempts); err != nil {
			return err
		}
	}
	err = p.updateAudit(ctx, orgID, audit.Connection, audit.ID, func(a *model.Audit) { a.Objects = model.WithObjects(a.Objects, stored) })
	if err != nil {
		return err
	}
	*audit, err = p.Store.For(orgID).Audit(ctx, audit.Connection, audit.ID)
	return err
}

// How often the calls of a task that runs are stored, which is what a function
// that is killed can lose of them; and how long it may take to store them when the
// task has ended, also if it ended because its time was over.
const (
	ledgerEvery   = 30 * time.Second
	ledgerTimeout = 10 * time.Second
)

// recording is the ledger of one attempt at a task, which is stored whatever
// becomes of the attempt.
type recording struct {
	ledger.Memory
	pipeline *Pipeline
	org      *store.Organization
	audit    model.AuditID
	task     model.TaskID
	key      string
	stop     context.CancelFunc
	storing  sync.WaitGroup
	stored   int          // how many calls were stored
	object   model.Object // that they are
	doubtful model.Object // that which may be stored in its place, whose storing failed

	budget model.Audit // of what it has a share of, if its CallBudget is not 0
	mu     sync.Mutex
	share  int  // requests that were taken of the budget, and are not made yet
	spent  bool // there was nothing left to take
}

// shares is how many times an audit's budget is divided: each share is a write to the
// table, and what one task has taken and does not need others do without until it ends.
const shares = 200

// Allow implements ledger.Budget.
func (r *recording) Allow(ctx context.Context) error {
	if r.budget.CallBudget == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.share == 0 && !r.spent {
		taken, err := r.org.TakeCalls(ctx, r.budget, max(1, r.budget.CallBudget/shares))
		if err != nil {
			return err
		}
		r.share, r.spent = taken, taken == 0
	}
	if r.share == 0 {
		return ledger.ErrSpent
	}
	r.share--
	return nil
}

// giveBack leaves to other tasks what this one does not need.
func (r *recording) giveBack(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.share == 0 {
		return nil
	}
	_, err := r.org.TakeCalls(ctx, r.budget, -r.share)
	r.share = 0
	return err
}

// loadOf is what calls were for the account.
func loadOf(calls []ledger.Entry) (l model.Load) {
	for _, e := range calls {
		l = l.Add(model.Load{Calls: 1, Attempts: e.Attempts, Throttled: e.Throttles})
	}
	return l
}

// record begins the ledger of an attempt at a task. Whoever calls it must call end.
func (p *Pipeline) record(ctx context.Context, org model.OrganizationID, audit model.Audit, task model.TaskID) *recording {
	r := &recording{pipeline: p, org: p.Store.For(org), audit: audit.ID, task: task, key: LedgerKey(org, audit, string(task)), budget: audit}
	ctx, r.stop = context.WithCancel(ctx)
	r.storing.Go(func() {
		tick := time.NewTicker(ledgerEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = r.store(ctx, true, false) // what is not stored now is stored later
			}
		}
	})
	return r
}

// end stores all calls and gives the object that they are to the task. Of an attempt
// that failed before its first call there is nothing to store; of one that came to its
// end a ledger without calls says so.
func (r *recording) end(ctx context.Context, task *model.Task, failed error) error {
	r.stop()
	r.storing.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTimeout)
	defer cancel()
	err := errors.Join(r.store(ctx, false, failed == nil), r.giveBack(ctx))
	if o := cmp.Or(r.doubtful, r.object); o.Known() {
		task.Objects = model.WithObjects(task.Objects, o)
	}
	return err
}

// store stores all calls so far. While others may be made, and over those that were
// stored before, the task's record says so first: whoever is killed in between leaves a
// ledger that is one of the two that the record knows.
func (r *recording) store(ctx context.Context, more, always bool) error {
	calls := r.Entries()
	if len(calls) == r.stored && !always {
		return nil
	}
	var content bytes.Buffer
	written := newDigester(nil)
	if err := r.pipeline.fill(io.MultiWriter(&content, written), each(calls)); err != nil {
		return err
	}
	o := model.Object{Key: r.key, Digest: written.digest()}
	either := o
	either.Before = &model.Digest{SHA256: r.object.SHA256, Size: r.object.Size}
	if more || r.object.Known() {
		if err := r.pipeline.noteObjects(ctx, r.org, r.audit, r.task, either); err != nil {
			return err
		}
	}
	if err := r.pipeline.Evidence.Put(ctx, r.key, &content); err != nil {
		r.doubtful = either // it may be that only the answer was lost
		return fmt.Errorf("store %s: %w", r.key, err)
	}
	r.stored, r.object, r.doubtful = len(calls), o, model.Object{}
	return nil
}
