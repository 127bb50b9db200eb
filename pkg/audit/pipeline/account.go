package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// judgeAccount runs what needs all of the account's snapshots: the rules over
// several resources, and the verdict that a check does not apply because nothing
// exists that it could look at.
func (p *Pipeline) judgeAccount(ctx context.Context, org model.OrganizationID, audit model.Audit, tasks []model.Task) (model.Task, error) {
	task := taskOf(audit, across)
	task.State = model.TaskCollected
	// Of two who close at once each has its own: what the record names is what was written.
	task.Evidence = Key("evidence", org, audit, across+"."+ulid.Make().String())
	ev := newEvaluator(p, audit, across)
	ev.rules = map[string][]check.Rule{}
	stored, err := p.write(ctx, task.Evidence, func(w *blob.Writer) error {
		ev.out = w
		var rules []check.Check
		for _, c := range p.selected(audit) {
			if c.NeedsAccount() {
				rules = append(rules, c)
			}
			ev.nothingExists(c, p.Catalog.ServiceOf(c.Kind), tasks)
		}
		causes := newCauses(p.Catalog, rules)
		var ordered []batch // causes first
		for depth, rest := 0, rules; len(rest) > 0; depth++ {
			now := func(c check.Check) bool { return depthOf(p.Catalog, c.ID) == depth }
			ordered = append(ordered, batches(only(rest, now), tasks)...)
			rest = without(rest, now)
		}
		for _, b := range ordered {
			if err := p.judgeBatch(ctx, ev, b, tasks, causes); err != nil {
				return err
			}
		}
		return ev.finish()
	})
	if err != nil {
		return task, err
	}
	task.Tally, task.Wanted, task.Gaps, task.Objects = ev.tally, ev.wanted, ev.gaps.list(), []model.Object{stored}
	return task, nil
}

// batch is rules over the account that are run together: the resources that they look
// at beside the one that they judge are in memory at once.
type batch struct {
	rules []check.Check
	held  map[string]bool // resource types
	size  int             // resources of these
}

// heldAtOnce bounds the resources of a batch, as long as it has more than one rule: some
// hundred megabytes.
const heldAtOnce = 30_000

// batches divides the rules so that not the whole account has to be in memory. Those
// that look at the same types come together; a small account is one batch.
func batches(rules []check.Check, tasks []model.Task) []batch {
	counts := map[string]int{}
	for _, t := range tasks {
		for kind, l := range t.Listings {
			counts[kind] += l.Count
		}
	}
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, b check.Check) int {
		return strings.Compare(strings.Join(slices.Sorted(slices.Values(a.Uses)), " "), strings.Join(slices.Sorted(slices.Values(b.Uses)), " "))
	})
	var all []batch
	for _, c := range rules {
		fits := false
		if n := len(all); n > 0 {
			more := 0
			for _, kind := range c.Uses {
				if !all[n-1].held[kind] {
					more += counts[kind]
				}
			}
			fits = all[n-1].size+more <= heldAtOnce
		}
		if !fits {
			all = append(all, batch{held: map[string]bool{}})
		}
		b := &all[len(all)-1]
		b.rules = append(b.rules, c)
		for _, kind := range c.Uses {
			if !b.held[kind] {
				b.held[kind], b.size = true, b.size+counts[kind]
			}
		}
	}
	// What is judged is held as well where there is room, so that it is read once.
	for i := range all {
		b := &all[i]
		for _, c := range b.rules {
			if !b.held[c.Kind] && b.size+counts[c.Kind] <= heldAtOnce {
				b.held[c.Kind], b.size = true, b.size+counts[c.Kind]
			}
		}
	}
	return all
}

// judgeBatch runs the rules of a batch over all of their resources.
func (p *Pipeline) judgeBatch(ctx context.Context, ev *evaluator, b batch, tasks []model.Task, causes *causes) error {
	world := check.NewWorld(slices.Collect(maps.Keys(b.held))...)
	streamed := map[string][]check.Check{}
	for _, c := range b.rules {
		if !b.held[c.Kind] {
			streamed[c.Kind] = append(streamed[c.Kind], c)
		}
	}
	listings, err := p.read(ctx, ev.audit, tasks, func(kind string) bool { return b.held[kind] }, func(e evidence.Entry, r check.Resource) {
		causes.note(r.Reference(), e.Verdicts)
		world.Add(r)
	})
	if err != nil {
		return err
	}
	for _, l := range listings {
		if gap := l.Listing.Gap; gap != nil {
			world.AddGap(l.Kind, *gap)
		}
		if l.Listing.Elsewhere || ev.audit.Narrowed && l.Listing.Region != model.Global {
			world.AddElsewhere(l.Kind, ev.audit.Regions)
		}
	}
	for _, gap := range p.failures(tasks) {
		world.AddGap(gap.kind, gap.Gap)
	}
	judge := check.NewJudge(ev.audit.StartedAt, world).WithUnused(ev.audit.Unused).WithOptions(ev.audit.Options) // of this batch alone, whose world goes with it
	for _, c := range b.rules {
		for _, r := range world.Resources(c.Kind) {
			ev.judgeOne(judge, c, r, causes)
		}
	}
	more, err := p.read(ctx, ev.audit, tasks, func(kind string) bool { return streamed[kind] != nil }, func(e evidence.Entry, r check.Resource) {
		causes.note(r.Reference(), e.Verdicts)
		for _, c := range streamed[e.Kind] {
			ev.judgeOne(judge, c, r, causes)
		}
	})
	if err != nil {
		return err
	}
	for _, listing := range append(listings, more...) {
		for _, c := range b.rules {
			if c.Kind != listing.Kind {
				continue
			}
			listing.Verdicts = nil
			if gap := listing.Listing.Gap; gap != nil {
				listing.Verdicts = []evidence.Verdict{{Check: c.ID, Verdict: check.Unassessed(*gap)}}
				ev.countBeside(c.ID, check.NotAssessed)
			}
			ev.write(listing)
		}
	}
	return nil
}

func (ev *evaluator) judgeOne(judge *check.Judge, c check.Check, r check.Resource, causes *causes) {
	verdict := judge.Judge(c.Rule, r)
	v, err := evidence.Apart(c.ID, verdict, judge.Evidence().Exhibits(r))
	if err != nil {
		ev.fail(err)
		return
	}
	ev.judgeBeside(judge, c.Rule, r, verdict)
	verdicts := []evidence.Verdict{v}
	evidence.Fold(ev.catalog, verdicts, func(id model.CheckID) bool { return causes.failedFor(id, r.Reference()) })
	causes.note(r.Reference(), verdicts)
	ev.write(evidence.Entry{Kind: c.Kind, Ref: r.Reference().Bounded(), Verdicts: verdicts})
}

// causes knows where the checks failed that other checks of the account name as the
// cause of their failures: those are judged later.
type causes struct {
	failed map[model.CheckID]map[model.Ref]bool
	once   map[model.CheckID]bool // checks of what an account has once
}

func newCauses(catalog *check.Catalog, rules []check.Check) *causes {
	c := &causes{map[model.CheckID]map[model.Ref]bool{}, map[model.CheckID]bool{}}
	for _, r := range rules {
		for _, id := range r.Causes {
			cause, _ := catalog.Check(id)
			kind, _ := catalog.Kind(cause.Kind)
			c.failed[id], c.once[id] = map[model.Ref]bool{}, kind.Once
		}
	}
	return c
}

// failedFor reports whether a check failed for a resource, or for the account.
func (c *causes) failedFor(id model.CheckID, ref model.Ref) bool {
	return c.failed[id][ref] || c.once[id] && len(c.failed[id]) > 0
}

func (c *causes) note(ref model.Ref, verdicts []evidence.Verdict) {
	for _, v := range verdicts {
		if at := c.failed[v.Check]; at != nil && v.Status == check.Fail {
			at[ref] = true
		}
	}
}

// depthOf is how many causes a check has above it.
func depthOf(catalog *check.Catalog, id model.CheckID) int {
	c, _ := catalog.Check(id)
	deepest := 0
	for _, cause := range c.Causes {
		deepest = max(deepest, 1+depthOf(catalog, cause))
	}
	return deepest
}

func only(rules []check.Check, these func(check.Check) bool) []check.Check {
	return slices.DeleteFunc(slices.Clone(rules), func(c check.Check) bool { return !these(c) })
}

func without(rules []check.Check, these func(check.Check) bool) []check.Check {
	return slices.DeleteFunc(slices.Clone(rules), these)
}

// read goes through the resources of some types in the evidence of an audit, and gives
// how their listings ended. Evidence that is gone is a listing that says so.
func (p *Pipeline) read(ctx context.Context, audit model.Audit, tasks []model.Task, wanted func(kind string) bool, visit func(evidence.Entry, check.Resource)) (listings []evidence.Entry, err error) {
	for _, t := range tasks {
		var kinds []string
		for kind := range t.Listings {
			if wanted(kind) {
				kinds = append(kinds, kind)
			}
		}
		if len(kinds) == 0 || t.Evidence == "" || t.State == model.TaskFailed {
			continue
		}
		err := ReadEvidence(ctx, p.Evidence, t.Object(t.Evidence), func(e evidence.Entry) error {
			if !wanted(e.Kind) {
				return nil
			}
			if e.Listing != nil {
				listings = append(listings, evidence.Entry{Kind: e.Kind, Ref: e.Ref, Listing: e.Listing})
				return nil
			}
			kind, known := p.Catalog.Kind(e.Kind)
			if !known {
				return nil
			}
			r, err := kind.Decode(e.Resource)
			if err != nil {
				return err
			}
			visit(e, r)
			return nil
		})
		if errors.Is(err, blob.ErrNotFound) {
			gap := unlisted("what was read of " + t.Service + " is not kept any more")
			for _, kind := range kinds {
				listings = append(listings, evidence.Entry{
					Kind: kind, Ref: model.Everything(audit.Partition, t.Service, audit.AccountID, model.Global),
					Listing: &evidence.Listing{Region: model.Global, Gap: &gap},
				})
			}
		} else if err != nil {
			return nil, err
		}
	}
	return listings, nil
}

// kindGap is the gap of all resources of a type.
type kindGap struct {
	kind string
	fact.Gap
}

// failures are the gaps that tasks left which came to nothing.
func (p *Pipeline) failures(tasks []model.Task) (gaps []kindGap) {
	for _, t := range tasks {
		if t.State != model.TaskFailed {
			continue
		}
		for _, s := range p.Catalog.Services() {
			for _, k := range s.Kinds {
				if s.Name == t.Service && (t.Rest == nil || slices.Contains(t.Rest.Kinds, k.Name)) {
					gaps = append(gaps, kindGap{k.Name, unlisted(t.Problem)})
				}
			}
		}
	}
	return gaps
}

// nothingExists gives a check its verdict when there is nothing to judge: not
// applicable if every listing was complete, not assessed if a task failed.
func (ev *evaluator) nothingExists(c check.Check, service string, tasks []model.Task) {
	var listing model.Listing
	found := false
	for _, t := range tasks {
		if t.Service != service {
			continue
		}
		found = true
		if t.State == model.TaskFailed && (t.Rest == nil || slices.Contains(t.Rest.Kinds, c.Kind)) {
			region := model.Global
			if t.Rest != nil {
				region = t.Rest.Region
			}
			ref := model.Everything(ev.audit.Partition, service, ev.audit.AccountID, region)
			ev.write(evidence.Entry{Kind: c.Kind, Ref: ref, Verdicts: []evidence.Verdict{{Check: c.ID, Verdict: check.Unassessed(unlisted(t.Problem))}}})
			ev.countBeside(c.ID, check.NotAssessed)
			listing.Gaps++
		}
		one := t.Listings[c.Kind]
		listing.Count, listing.Gaps = listing.Count+one.Count, listing.Gaps+one.Gaps
	}
	if found && listing == (model.Listing{}) {
		ref := model.Everything(ev.audit.Partition, service, ev.audit.AccountID, model.Global)
		verdict := check.Inapplicable("nothing of this type exists in the regions audited")
		ev.write(evidence.Entry{Kind: c.Kind, Ref: ref, Verdicts: []evidence.Verdict{{Check: c.ID, Verdict: verdict}}})
		ev.countBeside(c.ID, check.NotApplicable)
	}
}
