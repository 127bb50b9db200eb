package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// evaluator is the sink of a task's walks: it judges each resource as it comes,
// writes the line and forgets the resource.
type evaluator struct {
	mu        sync.Mutex
	out       *blob.Writer
	err       error // of the first line that could not be written
	judge     *check.Judge
	catalog   *check.Catalog
	rules     map[string][]check.Rule // by kind, those that need no more than the resource
	service   string
	audit     model.Audit
	progress  Progress
	found     map[string]map[string]int // resources by kind and region
	resources int
	listings  map[string]model.Listing
	tally     model.Tally
	gaps      gapCounts
	// beside are checks that frameworks want by values of their own, by check, and wanted
	// what came of them.
	beside map[model.CheckID][]check.Wanted
	wanted model.Tally
}

func newEvaluator(p *Pipeline, audit model.Audit, service string) *evaluator {
	ev := &evaluator{
		catalog: p.Catalog, judge: check.NewJudge(audit.StartedAt, nil).WithUnused(audit.Unused).WithOptions(audit.Options), rules: map[string][]check.Rule{},
		service: service, audit: audit, progress: p.Progress,
		found: map[string]map[string]int{}, listings: map[string]model.Listing{}, tally: model.Tally{}, gaps: gapCounts{}, beside: map[model.CheckID][]check.Wanted{}, wanted: model.Tally{},
	}
	wanted, err := p.Catalog.Wanted()
	ev.fail(err)
	for _, w := range wanted {
		if slices.Contains(audit.Checks, w.Check) {
			ev.beside[w.Check] = append(ev.beside[w.Check], w)
		}
	}
	for _, c := range p.selected(audit) {
		if !c.NeedsAccount() {
			ev.rules[c.Kind] = append(ev.rules[c.Kind], c.Rule)
		}
	}
	return ev
}

// Resource implements collect.Sink.
func (ev *evaluator) Resource(r check.Resource) {
	data, err := json.Marshal(r) // outside of the lock: it is most of the work
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if err != nil {
		ev.fail(fmt.Errorf("encode %s: %w", r.Reference(), err))
		return
	}
	ref := r.Reference().Bounded()
	entry := evidence.Entry{Kind: r.Kind(), Ref: ref, Resource: data}
	for _, rule := range ev.rules[r.Kind()] {
		verdict := ev.judge.Judge(rule, r)
		v, err := evidence.Of(rule.ID, verdict, ev.judge.Evidence().Exhibits(r))
		if err != nil {
			ev.fail(err)
			return
		}
		entry.Verdicts = append(entry.Verdicts, v)
		ev.judgeBeside(ev.judge, rule, r, verdict)
	}
	evidence.Fold(ev.catalog, entry.Verdicts, evidence.Failed(entry.Verdicts))
	ev.write(entry)
	ev.resources++
	if ev.found[r.Kind()] == nil {
		ev.found[r.Kind()] = map[string]int{}
	}
	ev.found[r.Kind()][ref.Region]++
	ev.progress.Resource(ev.service)
}

// Listed implements collect.Sink. A listing that is incomplete leaves every rule
// over its type unassessed in that region.
func (ev *evaluator) Listed(kind, region string, gap *fact.Gap, elsewhere bool) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	count := ev.found[kind][region]
	if region == model.Global { // one listing for all regions
		count = 0
		for _, n := range ev.found[kind] {
			count += n
		}
	}
	entry := evidence.Entry{
		Kind: kind, Ref: model.Everything(ev.audit.Partition, ev.service, ev.audit.AccountID, region),
		Listing: &evidence.Listing{Region: region, Count: count, Gap: gap, Elsewhere: elsewhere},
	}
	total := ev.listings[kind]
	if gap != nil {
		total.Gaps++
		for _, rule := range ev.rules[kind] {
			entry.Verdicts = append(entry.Verdicts, evidence.Verdict{Check: rule.ID, Verdict: check.Unassessed(*gap)})
			ev.countBeside(rule.ID, check.NotAssessed)
		}
	}
	ev.listings[kind] = total
	ev.write(entry)
}

func (ev *evaluator) write(entry evidence.Entry) {
	for _, v := range entry.Verdicts {
		ev.count(v, entry.Ref.Region)
	}
	if ev.err == nil {
		ev.fail(ev.out.Write(entry))
	}
}

// judgeBeside judges a resource by the values that frameworks want, where they are not those
// that the audit judges by. verdict is by these.
func (ev *evaluator) judgeBeside(judge *check.Judge, rule check.Rule, r check.Resource, verdict check.Verdict) {
	for _, w := range ev.beside[rule.ID] {
		status := verdict.Status
		for name, v := range w.Options {
			if !v.Equal(ev.audit.Options[rule.ID][name]) {
				status = judge.JudgeBy(rule, r, w.Options).Status
				break
			}
		}
		ev.wanted[w.ID] = counted(ev.wanted[w.ID], status)
	}
}

// countBeside counts what is said of no resource, whatever the values are.
func (ev *evaluator) countBeside(id model.CheckID, status check.Status) {
	for _, w := range ev.beside[id] {
		ev.wanted[w.ID] = counted(ev.wanted[w.ID], status)
	}
}

func counted(c model.Counts, status check.Status) model.Counts {
	switch status {
	case check.Pass:
		c.Pass++
	case check.Fail:
		c.Fail++
	case check.NotApplicable:
		c.NotApplicable++
	case check.NotAssessed:
		c.NotAssessed++
	}
	return c
}

func (ev *evaluator) count(v evidence.Verdict, region string) {
	counts := counted(ev.tally[v.Check], v.Status)
	switch {
	case v.Status == check.Fail && v.Cause != "":
		counts.Folded++
	case v.Status == check.NotAssessed:
		ev.gaps.add(v, region)
	}
	ev.tally[v.Check] = counts
}

func (ev *evaluator) fail(err error) {
	if ev.err == nil {
		ev.err = err
	}
}

// counts are how many resources were found of each type, and how the listings ended,
// also of types whose listing another task ends.
func (ev *evaluator) counts() map[string]model.Listing {
	for kind, regions := range ev.found {
		l := ev.listings[kind]
		for _, n := range regions {
			l.Count += n
		}
		ev.listings[kind] = l
	}
	return ev.listings
}

// timedOut reports whether something was not read for want of time.
func (ev *evaluator) timedOut() bool {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for at := range ev.gaps {
		if at.reason == string(fact.Timeout) {
			return true
		}
	}
	return false
}

// finish reports the first failure to write.
func (ev *evaluator) finish() error {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	return ev.err
}

// gapCounts gathers the causes of NOT_ASSESSED.
type gapCounts map[cause]*model.GapCount

// cause is what makes two gaps one line of a report: the same thing would close
// both.
type cause struct{ reason, operation, action string }

// add counts a verdict once for each thing that stood in its way.
func (g gapCounts) add(v evidence.Verdict, region string) {
	causes := gapCounts{}
	for _, gap := range v.Gaps {
		where := region
		if gap.Region != "" {
			where = gap.Region
		}
		causes.merge(model.GapCount{
			Reason: string(gap.Reason), Operation: gap.Operation, Action: gap.Action, Detail: gap.Detail,
			Regions: []string{where}, Checks: []model.CheckID{v.Check},
		})
	}
	for _, one := range causes {
		one.Count = 1
		g.merge(*one)
	}
}

func (g gapCounts) merge(m model.GapCount) {
	at := cause{m.Reason, m.Operation, m.Action}
	sum := g[at]
	if sum == nil {
		sum = &model.GapCount{Reason: m.Reason, Operation: m.Operation, Action: m.Action, Detail: m.Detail}
		g[at] = sum
	}
	sum.Regions = union(sum.Regions, m.Regions)
	sum.Checks = union(sum.Checks, m.Checks)
	sum.Count += m.Count
	sum.Detail = min(sum.Detail, m.Detail) // one example, the same in every run
}

// union keeps a sorted set.
func union[T cmp.Ordered](set, more []T) []T {
	for _, m := range more {
		if at, found := slices.BinarySearch(set, m); !found {
			set = slices.Insert(set, at, m)
		}
	}
	return set
}

// list is the causes, the one with most verdicts first.
func (g gapCounts) list() []model.GapCount {
	all := make([]model.GapCount, 0, len(g))
	for _, one := range g {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b model.GapCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}
