package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Ingest turns the evidence of one task into findings, and closes the audit when
// it was the last. It takes a message of KindResult. What cannot be done at the last
// delivery is given up and said so: no audit waits for it. Who takes results takes messages
// of KindIndex and KindRollUp, too.
func (p *Pipeline) Ingest(ctx context.Context, message queue.Message) error {
	switch KindOf(message.Body) {
	case KindIndex:
		return p.reindex(ctx, message)
	case KindRollUp:
		return p.runRollUp(ctx, message)
	}
	m, err := ParseMessage(KindResult, message.Body)
	if err != nil {
		return err
	}
	err = p.takeIn(ctx, m)
	switch {
	case errors.Is(err, errMore):
		// A message of its own, since this one has only so many deliveries.
		return p.report(ctx, m)
	case err == nil, ctx.Err() != nil, errors.Is(err, queue.ErrPoison), errors.Is(err, errHeld), !message.Last():
		return err
	case errors.Is(err, blob.ErrFull): // giving up would need space, too
		return err
	}
	return p.settle(ctx, m, err)
}

func (p *Pipeline) takeIn(ctx context.Context, m Message) error {
	org := p.Store.For(m.Organization)
	audit, task, err := p.resultOf(ctx, m)
	if err != nil || task == nil {
		return err
	}
	if task.State == model.TaskOpen { // the message came before its evidence
		return fmt.Errorf("task %s of audit %s has no evidence yet", task.ID, audit.ID)
	}
	if task.Of != "" { // a part: what it is a part of is taken in as a whole
		root, err := org.Task(ctx, m.Audit, task.Of)
		if err != nil {
			return err
		}
		if root.State == model.TaskOpen { // it is done again, and its own result comes
			return nil
		}
		task = &root
	}
	if task.State == model.TaskCollected {
		parts, open, err := p.family(ctx, org, audit, *task)
		if err != nil || open { // the last part's result comes
			return err
		}
		if sources := sourcesOf(parts); len(sources) > 0 { // opening the account leaves none
			task.Changes, err = p.ingest(ctx, m.Organization, audit, string(task.ID), parts)
		}
		var altered *AlteredError
		switch {
		case errors.As(err, &altered): // it will be no better the next time
			err = p.disown(ctx, org, *task, altered)
		case err == nil:
			task.State = model.TaskIngested
			_, err = putTask(ctx, org, task, model.TaskCollected)
		}
		if err != nil {
			return fmt.Errorf("take in task %s of audit %s: %w", task.ID, audit.ID, err)
		}
	}
	last, err := org.TaskDone(ctx, audit.ID, task.ID)
	if err != nil {
		return err
	}
	if last {
		return p.Close(ctx, m.Organization, m.Connection, m.Audit)
	}
	return nil
}

// sourcesOf is the evidence of tasks.
func sourcesOf(tasks []model.Task) (all []model.Object) {
	for _, t := range tasks {
		if t.Evidence != "" {
			all = append(all, t.Object(t.Evidence))
		}
	}
	return all
}

// resultOf reads what a result is about; no task says that it is purged, or a part of
// what is done again.
func (p *Pipeline) resultOf(ctx context.Context, m Message) (model.Audit, *model.Task, error) {
	org := p.Store.For(m.Organization)
	audit, err := org.Audit(ctx, m.Connection, m.Audit)
	if errors.Is(err, store.ErrNotFound) {
		return audit, nil, nil
	}
	if err != nil {
		return audit, nil, err
	}
	task, err := org.Task(ctx, m.Audit, m.Task)
	if errors.Is(err, store.ErrNotFound) && isPart(m.Task) {
		return audit, nil, nil
	}
	if err != nil {
		return audit, nil, err
	}
	return audit, &task, nil
}

// settle ends what could not be taken in: the task fails with the reason, or if that
// is not it, the audit ends as it stands.
func (p *Pipeline) settle(ctx context.Context, m Message, cause error) error {
	org := p.Store.For(m.Organization)
	audit, task, err := p.resultOf(ctx, m)
	if err != nil || task == nil {
		return err
	}
	if task.Of != "" {
		root, err := org.Task(ctx, m.Audit, task.Of)
		if err != nil {
			return err
		}
		task = &root
	}
	if task.State == model.TaskOpen {
		return cause // its message is still to come, or the audit's bound
	}
	if task.State == model.TaskCollected {
		p.meter(metrics.TasksFailed, 1)
		task.State, task.Problem = model.TaskFailed, model.Cut(fmt.Sprintf("the findings of %s could not be written: %v", task.Service, cause), model.MaxReason)
		if _, err := putTask(ctx, org, task, model.TaskCollected); err != nil {
			return err
		}
	}
	last, err := org.TaskDone(ctx, audit.ID, task.ID)
	if err != nil || !last {
		return err
	}
	err = p.Close(ctx, m.Organization, m.Connection, m.Audit)
	switch {
	case errors.Is(err, errMore):
		return p.report(ctx, m)
	case err != nil && !errors.Is(err, errHeld):
		return p.endUnsummed(ctx, m.Organization, audit, fmt.Sprintf("the audit could not be summed up: %v", err))
	}
	return nil
}
