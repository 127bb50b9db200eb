package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// A task that cannot finish in its time hands on what is left as further tasks, one for
// each region, which go on side by side. Each knows what is read already, so that
// nothing is read twice, and may hand on again, until the time that an audit may collect
// is over. What is unread then is a gap, and the next audit begins with it.

// mostParts bounds how often a task is handed on, whatever the clocks say.
const mostParts = 200

// isPart reports whether an id is that of a part.
func isPart(id model.TaskID) bool { return strings.Contains(string(id), "~") }

// piece is one walk of one region, as far as a task has to do it.
type piece struct {
	walk   collect.Walk
	region string
	read   []collect.Digest // digests of what earlier tasks of this audit read
	avoid  []collect.Digest // of what the audit before read, when it could not read all: comes last
}

// pieces are what a task has to do.
func (p *Pipeline) pieces(ctx context.Context, orgID model.OrganizationID, spec collect.Spec, audit model.Audit, task *model.Task) ([]piece, error) {
	rests := []model.Rest{}
	regions := task.Regions
	if spec.Global {
		regions = []string{model.Global}
	}
	if task.Rest != nil {
		rests, regions = []model.Rest{*task.Rest}, []string{task.Rest.Region}
	} else if p.ContinueFor > 0 {
		record, err := p.Store.For(orgID).Scope(ctx, audit.Connection, task.Service)
		if err != nil {
			return nil, err
		}
		for _, unread := range record.Unread {
			rests = append(rests, model.Rest{Region: unread.Region, Avoid: unread.Read, AvoidDigest: unread.ReadDigest})
		}
	}
	read, avoid := map[string][]collect.Digest{}, map[string][]collect.Digest{}
	for _, rest := range rests {
		var err error
		if read[rest.Region], err = p.digests(ctx, model.Object{Key: rest.Read, Digest: rest.ReadDigest}); err != nil {
			return nil, err
		}
		if avoid[rest.Region], err = p.digests(ctx, model.Object{Key: rest.Avoid, Digest: rest.AvoidDigest}); err != nil {
			return nil, err
		}
	}
	wanted := p.kinds(audit)
	var all []piece
	for _, region := range regions {
		for _, w := range spec.Walks {
			if task.Rest != nil && !slices.Contains(task.Rest.Walks, w.Name()) {
				continue
			}
			if slices.ContainsFunc(w.Kinds, func(kind string) bool { return wanted[kind] }) {
				all = append(all, piece{w, region, read[region], avoid[region]})
			}
		}
	}
	return all, nil
}

// digests reads a set that putDigests stored. One that is forgotten meanwhile, or was
// changed, is empty: then everything is read again. What it names is left out, and would
// be taken for gone.
func (p *Pipeline) digests(ctx context.Context, set model.Object) ([]collect.Digest, error) {
	if set.Key == "" {
		return nil, nil
	}
	var all []collect.Digest
	err := readObject(ctx, p.Evidence, set, func(some []collect.Digest) error {
		all = append(all, some...)
		return nil
	})
	var altered *AlteredError
	if errors.Is(err, blob.ErrNotFound) || errors.As(err, &altered) {
		return nil, nil
	}
	return all, err
}

// putDigests stores a set of what was read, and notes its digest where the task names it.
func (p *Pipeline) putDigests(ctx context.Context, key string, all []collect.Digest, task *model.Task) error {
	o, err := p.write(ctx, key, each(slices.Collect(slices.Chunk(all, 1000))))
	if err != nil {
		return err
	}
	for _, rests := range [][]model.Rest{task.Left, task.Unread} {
		for i := range rests {
			if rests[i].Read == key {
				rests[i].ReadDigest = o.Digest
			}
			if rests[i].Avoid == key {
				rests[i].AvoidDigest = o.Digest
			}
		}
	}
	return nil
}

// left is what walks left of a region when they were stopped.
type left struct {
	walks []string
	kinds []string
	read  []collect.Digest
	avoid []collect.Digest
}

// walk makes the walks of a task all at once; how fast they go is the account's
// limiter's affair. It gives what is left, by region, where the task may hand on, and
// says whether time was up before the walks ended.
func (p *Pipeline) walk(ctx context.Context, pieces []piece, account Account, calls ledger.Ledger, audit model.Audit, sink collect.Sink) (rest map[string]*left, late bool) {
	var stop context.Context
	if end, bounded := p.walkUntil(ctx, audit); bounded {
		if p.ContinueFor > 0 {
			// What is under way then may end in its own time.
			var cancel context.CancelFunc
			stop, cancel = context.WithDeadline(ctx, end.Add(-min(30*time.Second, time.Until(end)/5)))
			defer cancel()
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	var mu sync.Mutex
	rest = map[string]*left{}
	sessions := map[string]*collect.Session{}
	var group errgroup.Group
	for _, piece := range pieces {
		session := sessions[piece.region]
		if session == nil {
			home := piece.region
			if home == model.Global {
				home = account.HomeRegion()
			}
			session = collect.NewSession(account.Config(home, calls), audit.AccountID, audit.Partition, piece.region, sink)
			session.Audited, session.Trusted, session.Caller, session.Trust = audit.Regions, audit.TrustedAccounts, account.Identity(), audit.Trust
			sessions[piece.region] = session
		}
		group.Go(func() error {
			read, ended := piece.run(ctx, stop, session)
			if ended {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			l := rest[piece.region]
			if l == nil {
				l = &left{avoid: piece.avoid, read: slices.Clone(piece.read)}
				rest[piece.region] = l
			}
			l.walks, l.kinds, l.read = append(l.walks, piece.walk.Name()), append(l.kinds, piece.walk.Kinds...), append(l.read, read...)
			return nil
		})
	}
	_ = group.Wait() // walks report to the sink
	return rest, errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// run makes one walk: first what the audit before could not read, then the rest. It
// gives what was read, where that has to be known.
func (c piece) run(ctx, stop context.Context, session *collect.Session) (read []collect.Digest, ended bool) {
	if stop == nil {
		return nil, session.Run(ctx, c.walk)
	}
	if len(c.avoid) > 0 {
		part := collect.NewPart(stop, append(slices.Clone(c.read), c.avoid...))
		if !session.In(part).Quiet().Run(ctx, c.walk) {
			return part.Read(), false
		}
		read = part.Read()
	}
	part := collect.NewPart(stop, append(slices.Clone(c.read), read...))
	ended = session.In(part).Run(ctx, c.walk)
	return append(read, part.Read()...), ended
}

// handOver settles what becomes of what a task left: tasks that go on with it, or where
// the audit's time is over, gaps that say so. The evidence may still be written to. What
// was read is kept under keys of this attempt: another may read other things.
func (p *Pipeline) handOver(orgID model.OrganizationID, audit model.Audit, task *model.Task, attempt string, rest map[string]*left, sink collect.Sink) (digests map[string][]collect.Digest) {
	digests = map[string][]collect.Digest{}
	over := p.Now().Sub(audit.StartedAt) >= p.ContinueFor || task.Part >= mostParts
	for _, region := range slices.Sorted(maps.Keys(rest)) {
		l := rest[region]
		id := model.TaskID(fmt.Sprintf("%s~%s~%d", wholeOf(*task), region, task.Part+1))
		r := model.Rest{Region: region, Walks: l.walks, Kinds: l.kinds, Read: Key("progress", orgID, audit, string(id)+attempt)}
		digests[r.Read] = l.read
		if len(l.avoid) > 0 {
			r.Avoid = Key("progress", orgID, audit, string(id)+"~before"+attempt)
			digests[r.Avoid] = l.avoid
		}
		if over {
			gap := fact.Gap{Reason: fact.Timeout, Region: region, Detail: fmt.Sprintf("not all was read within the %s that an audit may collect; the next audit begins with the rest", p.ContinueFor)}
			for _, kind := range l.kinds {
				sink.Listed(kind, region, &gap, false)
			}
			task.Late = true
			task.Unread = append(task.Unread, r)
			continue
		}
		task.Next, task.Left = append(task.Next, id), append(task.Left, r)
	}
	return digests
}

// wholeOf is the task that a task is a part of, or itself.
func wholeOf(task model.Task) model.TaskID {
	if task.Of != "" {
		return task.Of
	}
	return task.ID
}

// partsOf are the tasks that go on with what a task left. They follow from its record, so
// that of two deliveries the one whose result counts says what is left.
func partsOf(audit model.Audit, task model.Task) (next []model.Task) {
	for i, r := range task.Left {
		t := taskOf(audit, task.Service)
		t.ID, t.Of, t.Part, t.Regions, t.Rest = task.Next[i], wholeOf(task), task.Part+1, []string{r.Region}, &r
		next = append(next, t)
	}
	return next
}

// handOn writes and sends the tasks that go on with what a task left. They have no
// markers: the audit waits for the task that they are parts of.
func (p *Pipeline) handOn(ctx context.Context, orgID model.OrganizationID, audit model.Audit, task model.Task) error {
	if len(task.Next) == 0 {
		return nil
	}
	next := partsOf(audit, task)
	for _, t := range next {
		if err := p.Store.For(orgID).PutTask(ctx, &t); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return p.send(ctx, orgID, audit, next)
}

// family is a task with all that it was handed on to, and whether any is still open.
func (p *Pipeline) family(ctx context.Context, org *store.Organization, audit model.Audit, root model.Task) (all []model.Task, open bool, err error) {
	all = []model.Task{root}
	for i := 0; i < len(all); i++ {
		open = open || all[i].State == model.TaskOpen
		unwritten := partsOf(audit, all[i])
		for n, id := range all[i].Next {
			t, err := org.Task(ctx, audit.ID, id)
			if errors.Is(err, store.ErrNotFound) && n < len(unwritten) {
				t = unwritten[n]
			} else if err != nil {
				return nil, false, err
			}
			all = append(all, t)
		}
	}
	return all, open, nil
}
