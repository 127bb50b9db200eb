package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Absorb turns the evidence of one task into findings, and closes the audit when
// it was the last. It takes a message of KindResult.
func (p *Pipeline) Absorb(ctx context.Context, message queue.Message) error {
	m, err := ParseMessage(KindResult, message.Body)
	if err != nil {
		return err
	}
	if m.Kind == KindPurge {
		return p.purge(ctx, m)
	}
	org := p.Store.For(m.Organization)
	audit, err := org.Audit(ctx, m.Connection, m.Audit)
	if errors.Is(err, store.ErrNotFound) {
		return nil // purged meanwhile
	}
	if err != nil {
		return err
	}
	task, err := org.Task(ctx, m.Audit, m.Task)
	if err != nil {
		return err
	}
	if task.State == model.TaskOpen { // the message came before its evidence
		return fmt.Errorf("task %s of audit %s has no evidence yet", task.ID, audit.ID)
	}
	if task.State == model.TaskCollected {
		if task.Evidence != "" { // opening the account leaves none
			if task.Changes, err = p.absorb(ctx, m.Organization, audit, string(task.ID), task.Evidence); err != nil {
				return fmt.Errorf("absorb task %s of audit %s: %w", task.ID, audit.ID, err)
			}
		}
		task.State = model.TaskAbsorbed
		if err := org.PutTask(ctx, &task); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
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

// ReadEvidence calls visit for each line of a task's evidence. A damaged line is
// an error, never a silent end.
func ReadEvidence(ctx context.Context, from blob.Store, key string, visit func(evidence.Entry) error) error {
	return readBlob(ctx, from, key, visit)
}

// ReadLedger calls visit for each call of a part of an audit.
func ReadLedger(ctx context.Context, from blob.Store, key string, visit func(ledger.Entry) error) error {
	return readBlob(ctx, from, key, visit)
}

func readBlob[T any](ctx context.Context, from blob.Store, key string, visit func(T) error) error {
	r, err := from.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("open %s: %w", key, err)
	}
	defer func() { _ = r.Close() }()
	for line, err := range blob.Read[T](r) {
		if err == nil {
			err = visit(line)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
	}
	return nil
}
