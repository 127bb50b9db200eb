package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// RunTask does one task of an audit: it opens the account and plans, or collects
// and judges one service, all regions side by side, and stores the evidence. It
// takes a message of KindTask, or one of KindStatement, for which it signs. Run again
// it only reports its result again. A task that fails on its last delivery is
// abandoned: whatever it could not read becomes a gap, never silence.
func (p *Pipeline) RunTask(ctx context.Context, message queue.Message) error {
	if is, err := p.signAsked(ctx, message); is {
		return err
	}
	err := p.runTask(ctx, message.Body)
	var refused *RefusedError
	switch {
	case err == nil || ctx.Err() != nil || errors.Is(err, queue.ErrPoison):
		return err
	case errors.As(err, &refused):
		if err := p.believe(ctx, message, refused); err != nil {
			return err
		}
		return p.refuse(ctx, message.Body, refused)
	case errors.Is(err, ledger.ErrSpent): // which no other delivery changes
		return p.fail(ctx, message.Body, model.Task{Problem: ledger.ErrSpent.Error(), Spent: true})
	case message.Last():
		return p.Abandon(ctx, message.Body, err.Error())
	}
	return err
}

func (p *Pipeline) runTask(ctx context.Context, body []byte) error {
	m, err := ParseMessage(KindTask, body)
	if err != nil {
		return err
	}
	org := p.Store.For(m.Organization)
	audit, err := org.Audit(ctx, m.Connection, m.Audit)
	if errors.Is(err, store.ErrNotFound) {
		return nil // purged meanwhile
	}
	if err != nil {
		return err
	}
	if audit.State.Ended() {
		return nil
	}
	task, err := org.Task(ctx, m.Audit, m.Task)
	if errors.Is(err, store.ErrNotFound) && isPart(m.Task) {
		return nil // what it is a part of is done again
	}
	if err != nil {
		return err
	}
	if task.State == model.TaskOpen {
		if audit.Refused != "" && !audit.Distrusted() {
			return &RefusedError{Code: audit.RefusedCode, Message: audit.Refused, noted: true}
		}
		p.Progress.TaskStarted(task)
		if err := p.try(ctx, m, org, audit, &task); err != nil {
			if errors.Is(err, errStopped) {
				return nil
			}
			return fmt.Errorf("task %s of audit %s: %w", task.ID, audit.ID, err)
		}
		p.Progress.TaskEnded(task)
		p.meter(metrics.Tasks, 1)
		p.meter(metrics.Calls, task.Calls)
	}
	if err := p.handOn(ctx, m.Organization, audit, task); err != nil {
		return err
	}
	return p.report(ctx, m)
}

// try makes one attempt at a task and writes its record: with the result, unless that of
// another delivery was first, and with what the attempt stored whatever became of it.
func (p *Pipeline) try(ctx context.Context, m Message, org *store.Organization, audit model.Audit, task *model.Task) (err error) {
	mine, written := *task, false
	mine.Objects = nil
	defer func() { // after a panic, too
		if !written {
			err = errors.Join(err, p.noteAttempt(ctx, m, org, mine))
		}
	}()
	if err := p.work(ctx, m, audit, &mine); err != nil {
		return err
	}
	done := mine
	done.Objects = model.WithObjects(task.Objects, mine.Objects...)
	// If another delivery was first, its result counts, and what it left.
	written, err = putTask(ctx, org, &done, model.TaskOpen, mine.Objects...)
	*task = done
	return err
}

// noteAttempt notes what an attempt stored that came to nothing. If its audit was ended
// meanwhile, what was signed of that is not all.
func (p *Pipeline) noteAttempt(ctx context.Context, m Message, org *store.Organization, task model.Task) error {
	if len(task.Objects) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if err := p.noteObjects(ctx, org, m.Audit, m.Task, task.Objects...); err != nil {
		return err
	}
	audit, err := org.Audit(ctx, m.Connection, m.Audit)
	if errors.Is(err, store.ErrNotFound) || err == nil && !audit.State.Ended() {
		return nil
	}
	if err != nil {
		return err
	}
	return p.askForStatement(ctx, m.Organization, audit)
}

// report tells the aggregator that a task came to its end.
func (p *Pipeline) report(ctx context.Context, m Message) error {
	m.Kind = KindResult
	if err := p.Results.Send(ctx, m.body()); err != nil {
		return fmt.Errorf("send result of task %s: %w", m.Task, err)
	}
	return nil
}

// attempt tells the evidence of one delivery from that of another of the same task,
// where both may run at once: what one read, and the other did not, must not be taken
// for gone.
func (p *Pipeline) attempt() string {
	if p.ContinueFor == 0 {
		return ""
	}
	return "." + ulid.Make().String()
}

// errStopped is the cause of a task's end when its audit was cancelled.
var errStopped = errors.New("the audit was ended while the task ran")

// work does a task while it watches whether its audit goes on.
func (p *Pipeline) work(ctx context.Context, m Message, audit model.Audit, task *model.Task) error {
	if task.ID == connect {
		return p.connect(ctx, m, audit, task)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if p.WatchEvery > 0 {
		go p.watch(ctx, m, stop)
	}
	err := p.collect(ctx, m, audit, task)
	if errors.Is(context.Cause(ctx), errStopped) {
		return errStopped
	}
	return err
}

// watch stops a task whose audit was ended by somebody else.
func (p *Pipeline) watch(ctx context.Context, m Message, stop context.CancelCauseFunc) {
	tick := time.NewTicker(p.WatchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// An error of this look is met by the task's own next step.
			if a, err := p.Store.For(m.Organization).Audit(ctx, m.Connection, m.Audit); err == nil && a.State.Ended() {
				stop(errStopped)
				return
			}
		}
	}
}

// collect makes the task's walks and stores what they find. An error means that
// nothing is known to be stored but the calls that were made; that something could
// not be read is no error.
func (p *Pipeline) collect(ctx context.Context, m Message, audit model.Audit, task *model.Task) (err error) {
	spec, ok := p.Specs[task.Service]
	if !ok {
		return fmt.Errorf("%w: no collector for service %q", queue.ErrPoison, task.Service)
	}
	calls := p.record(ctx, m.Organization, audit, task.ID)
	defer func() { err = errors.Join(err, calls.end(ctx, task, err)) }() // after a panic, too
	account, err := p.Accounts.Open(ctx, m.Organization, audit, p.need(spec, audit), calls)
	if err != nil {
		return err
	}
	pieces, err := p.pieces(ctx, m.Organization, spec, audit, task)
	if err != nil {
		return err
	}
	attempt := p.attempt()
	task.Evidence = Key("evidence", m.Organization, audit, string(task.ID)+attempt)
	task.Ledger = calls.key
	ev := newEvaluator(p, audit, task.Service)
	var digests map[string][]collect.Digest
	stored, err := p.write(ctx, task.Evidence, func(w *blob.Writer) error {
		ev.out = w
		var rest map[string]*left
		var late bool
		rest, late = p.walk(ctx, pieces, account, calls, audit, ev)
		task.Late = late && ev.timedOut() // it may have been over just after the end
		digests = p.handOver(m.Organization, audit, task, attempt, rest, ev)
		// A stopped audit must not leave gaps that look like AWS's.
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return ev.finish()
	})
	if err != nil {
		return err
	}
	task.Objects = model.WithObjects(task.Objects, stored)
	for key, all := range digests {
		if err := p.putDigests(ctx, key, all, task); err != nil {
			return err
		}
	}
	task.State, task.Load, task.Spent = model.TaskCollected, loadOf(calls.Entries()), calls.spent
	p.meter(metrics.Throttles, task.Throttled)
	p.meter(metrics.Verdicts, ev.tally.Sum().Total())
	task.Resources, task.Listings, task.Tally, task.Wanted, task.Gaps = ev.resources, ev.counts(), ev.tally, ev.wanted, ev.gaps.list()
	return nil
}

// walkUntil is when walks have to end: at the audit's deadline, or shortly
// before the context's, whichever comes first.
func (p *Pipeline) walkUntil(ctx context.Context, audit model.Audit) (end time.Time, bounded bool) {
	if end, bounded = ctx.Deadline(); bounded {
		end = end.Add(-p.Spare)
	}
	if p.Deadline > 0 {
		if d := audit.StartedAt.Add(p.Deadline); !bounded || d.Before(end) {
			end, bounded = d, true
		}
	}
	return end, bounded
}

// need is what a task of an audit can need: nothing else is possible while it runs.
// What has no region of its own is called where its partition has it, and buckets are
// read where they are.
func (p *Pipeline) need(spec collect.Spec, audit model.Audit) policy.Session {
	var actions []string
	wanted := p.kinds(audit)
	for _, w := range spec.Walks {
		if !slices.ContainsFunc(w.Kinds, func(kind string) bool { return wanted[kind] }) {
			continue
		}
		for _, id := range w.Operations {
			sdk, operation, _ := strings.Cut(id, ".")
			actions = append(actions, policy.Action(sdk, operation))
		}
	}
	slices.Sort(actions)
	need := policy.Session{Actions: slices.Compact(actions)}
	if !spec.Global {
		need.Regions = audit.Regions
	}
	return need
}

// kinds are the resource types that the audit's checks look at: nothing else is
// asked of AWS.
func (p *Pipeline) kinds(audit model.Audit) map[string]bool {
	wanted := map[string]bool{}
	for _, c := range p.selected(audit) {
		for _, kind := range append([]string{c.Kind}, c.Uses...) {
			wanted[kind] = true
		}
	}
	return wanted
}

// selected are the checks that an audit runs.
func (p *Pipeline) selected(audit model.Audit) []check.Check {
	var checks []check.Check
	seen := map[model.CheckID]bool{}
	for _, id := range audit.Checks {
		if c, ok := p.Catalog.Today(id); ok && !seen[c.ID] {
			seen[c.ID] = true
			checks = append(checks, c)
		}
	}
	return checks
}

// Key is where a part of an audit lies in the blob store. The form of the path
// is that of a lake which Athena can query.
func Key(what string, org model.OrganizationID, audit model.Audit, part string) string {
	return fmt.Sprintf("%s/org=%s/connection=%s/date=%s/audit=%s/service=%s.ndjson.zst",
		what, org, audit.Connection, audit.StartedAt.UTC().Format(time.DateOnly), audit.ID, part)
}

// WriteLedger stores the calls of a part of an audit.
func (p *Pipeline) WriteLedger(ctx context.Context, key string, calls []ledger.Entry) (model.Object, error) {
	return p.write(ctx, key, each(calls))
}

// each writes values as a line each.
func each[T any](values []T) func(*blob.Writer) error {
	return func(w *blob.Writer) error {
		for _, v := range values {
			if err := w.Write(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// write stores compressed JSON lines as they are produced, and gives their digest.
// Nothing is stored when fill fails; when write returns, fill has ended.
func (p *Pipeline) write(ctx context.Context, key string, fill func(*blob.Writer) error) (model.Object, error) {
	reader, writer := io.Pipe()
	written := newDigester(nil)
	var filling sync.WaitGroup
	filling.Go(func() { writer.CloseWithError(p.fill(io.MultiWriter(writer, written), fill)) })
	err := p.Evidence.Put(ctx, key, reader)
	_ = reader.CloseWithError(err) // ends fill if the store gave up first
	filling.Wait()                 // a second attempt must not meet the first
	if err != nil {
		return model.Object{}, fmt.Errorf("store %s: %w", key, err)
	}
	return model.Object{Key: key, Digest: written.digest()}, nil
}

// fill writes compressed JSON lines.
func (p *Pipeline) fill(to io.Writer, fill func(*blob.Writer) error) error {
	lines := p.lines(to)
	err := fill(lines)
	if err == nil {
		err = lines.Close()
	}
	if err == nil {
		p.writers.Put(lines)
	}
	return err
}

// lines is a writer of compressed lines, one that was used before if there is any:
// its tables are a megabyte, and most files are a few kilobytes.
func (p *Pipeline) lines(to io.Writer) *blob.Writer {
	if used, ok := p.writers.Get().(*blob.Writer); ok {
		used.Reset(to)
		return used
	}
	return blob.NewWriter(to)
}

// unlisted is the gap of everything in a task that never got to AWS.
func unlisted(problem string) fact.Gap { return fact.Gap{Reason: fact.Failed, Detail: problem} }
