// Package recorded reads what audits recorded of what they saw: verdicts, resources, what is
// different between two of them, and tags.
package recorded

import (
	"cmp"
	"context"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// Audit is an audit with what reading its evidence takes.
type Audit struct {
	model.Audit
	Tasks    []model.Task // all of them, or those to be read
	Owner    shape.Owner  // the connection that it is of
	Evidence blob.Store
	Shaper   *shape.Shaper
}

// lines visits the evidence of an audit, task by task. What is altered is an error, and
// nothing that was visited of it is to be used.
func (a Audit) lines(ctx context.Context, visit func(model.Task, evidence.Entry) error) error {
	for _, task := range a.Tasks {
		if task.Evidence == "" {
			continue
		}
		err := pipeline.ReadEvidence(ctx, a.Evidence, task.Object(task.Evidence), func(e evidence.Entry) error { return visit(task, e) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Verdicts visits the verdicts of an audit that have one of some statuses, in the order of
// the evidence: no more than a line of it is in memory.
func (a Audit) Verdicts(ctx context.Context, of []check.Status, visit func(shape.Verdict) error) error {
	return a.lines(ctx, func(_ model.Task, e evidence.Entry) error {
		for _, v := range e.Verdicts {
			if !slices.Contains(of, v.Status) {
				continue
			}
			row, err := a.Shaper.Verdict(a.ID, e, v, a.Owner)
			if err == nil {
				err = visit(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sorted visits the verdicts of an audit, those of each task sorted by check, region and
// resource: a task is in memory at a time.
func (a Audit) Sorted(ctx context.Context, of []check.Status, visit func(shape.Verdict) error) error {
	for _, task := range a.Tasks {
		var rows []shape.Verdict
		one := a
		one.Tasks = []model.Task{task}
		err := one.Verdicts(ctx, of, func(v shape.Verdict) error {
			rows = append(rows, v)
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b shape.Verdict) int {
			return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Part, b.Part))
		})
		for _, row := range rows {
			if err := visit(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Failures are the verdicts of FAIL of an audit, as Gravest has them.
func (a Audit) Failures(ctx context.Context) ([]shape.Verdict, error) {
	var failed []shape.Verdict
	err := a.Sorted(ctx, []check.Status{check.Fail}, func(v shape.Verdict) error {
		failed = append(failed, v)
		return nil
	})
	return Gravest(failed), err
}

// Gravest puts failures in order, the gravest first. Those that only follow from another are
// named by it alone.
func Gravest(failures []shape.Verdict) []shape.Verdict {
	type subject struct {
		check          model.CheckID
		resource, part string
	}
	folded := map[subject][]model.CheckID{}
	var own []shape.Verdict
	for _, v := range failures {
		if v.Cause != "" {
			at := subject{v.Cause, v.Resource, v.Part}
			folded[at] = append(folded[at], v.Check)
		} else {
			own = append(own, v)
		}
	}
	for i, v := range own {
		own[i].Folded = folded[subject{v.Check, v.Resource, v.Part}]
		slices.Sort(own[i].Folded)
	}
	slices.SortStableFunc(own, func(a, b shape.Verdict) int {
		return cmp.Or(
			cmp.Compare(b.Severity.Weight(), a.Severity.Weight()), cmp.Compare(a.Check, b.Check),
			cmp.Compare(a.Region, b.Region), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Part, b.Part),
		)
	})
	return own
}

// Compare is what is different between two audits of an account, in the checks that both
// ran, what matters most first. One service is in memory at a time.
func Compare(ctx context.Context, older, newer Audit) ([]shape.Difference, error) {
	before := map[model.TaskID]model.Task{}
	for _, t := range older.Tasks {
		before[t.ID] = t
	}
	var all []diff.Difference
	for _, t := range newer.Tasks {
		if t.Evidence == "" || before[t.ID].Evidence == "" {
			continue
		}
		c := diff.NewComparison(older.Audit, newer.Audit)
		for _, step := range []struct {
			of    Audit
			task  model.Task
			visit func(evidence.Entry) error
		}{{older, before[t.ID], c.Before}, {newer, t, c.After}} {
			if err := pipeline.ReadEvidence(ctx, step.of.Evidence, step.task.Object(step.task.Evidence), step.visit); err != nil {
				return nil, err
			}
		}
		all = append(all, c.Finish()...)
	}
	diff.Sort(all)
	found := make([]shape.Difference, len(all))
	for i, d := range all {
		found[i] = newer.Shaper.Difference(d, newer.Owner)
	}
	return found, nil
}
