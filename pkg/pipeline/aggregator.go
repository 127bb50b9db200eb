package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cloudarq/cloudarq/pkg/blob"
	"github.com/cloudarq/cloudarq/pkg/diff"
	"github.com/cloudarq/cloudarq/pkg/evidence"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Absorb turns the evidence of one task into findings, and closes the audit when
// it was the last. It takes a message of KindResult.
func (p *Pipeline) Absorb(ctx context.Context, message queue.Message) error {
	m, err := ParseMessage(KindResult, message.Body)
	if err != nil {
		return err
	}
	org := p.Store.For(m.Organization)
	audit, err := org.Audit(ctx, m.Connection, m.Audit)
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
		if task.Changes, err = p.absorb(ctx, org, audit, string(task.ID), task.Evidence); err != nil {
			return fmt.Errorf("absorb task %s of audit %s: %w", task.ID, audit.ID, err)
		}
		task.State = model.TaskAbsorbed
		if err := org.PutTask(ctx, &task); err != nil {
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

// absorb writes what the evidence of one scope changes in its findings.
func (p *Pipeline) absorb(ctx context.Context, org *store.Organization, audit model.Audit, scope, key string) (model.Changes, error) {
	var changes model.Changes
	latest, err := org.Absorbed(ctx, audit.Connection, scope)
	if err != nil {
		return changes, err
	}
	if latest.Audit > audit.ID {
		return changes, nil // a newer audit was here: what this one saw is history
	}
	// The claim comes before the findings, so that an older audit which comes
	// late sees it.
	latest.Audit = audit.ID
	if err := org.PutAbsorbed(ctx, audit.Connection, scope, latest); err != nil {
		return changes, err
	}
	known, err := org.Findings(ctx, audit.Connection, scope)
	if err != nil {
		return changes, err
	}
	life := diff.NewLifecycle(audit.ID, audit.Connection, audit.StartedAt, p.selected(audit), known)
	if err := ReadEvidence(ctx, p.Evidence, key, life.Observe); err != nil {
		return changes, err
	}
	all := life.Finish()
	if err := org.PutChanges(ctx, scope, all); err != nil {
		return changes, err
	}
	for _, c := range all {
		switch c.What {
		case model.EventNew:
			changes.New++
		case model.EventResolved:
			changes.Resolved++
		case model.EventReopened:
			changes.Reopened++
		case model.EventBlind, model.EventSeen, model.EventChanged:
		}
	}
	return changes, nil
}

// ReadEvidence calls visit for each line of a task's evidence. A damaged line is
// an error, never a silent end.
func ReadEvidence(ctx context.Context, from blob.Store, key string, visit func(evidence.Entry) error) error {
	r, err := from.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("open %s: %w", key, err)
	}
	defer func() { _ = r.Close() }()
	return readLines(r, key, visit)
}

func readLines(r io.Reader, key string, visit func(evidence.Entry) error) error {
	for entry, err := range blob.Read[evidence.Entry](r) {
		if err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		if err := visit(entry); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
	}
	return nil
}

// Stop ends a running audit without its open tasks: cancelled, or partial when
// its time is up. Findings stay as the finished tasks left them.
func (p *Pipeline) Stop(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID, state model.AuditState, why string) error {
	org := p.Store.For(orgID)
	for {
		audit, err := org.Audit(ctx, connection, id)
		if err != nil || audit.State.Ended() {
			return err
		}
		audit.State, audit.EndedAt = state, p.Now().UTC()
		audit.Problems = append(audit.Problems, why)
		if err := org.PutAudit(ctx, &audit); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Abandon ends a task that cannot be finished, after its last delivery: its
// checks are not assessed, for the reason given, and the audit ends partial.
func (p *Pipeline) Abandon(ctx context.Context, body []byte, problem string) error {
	m, err := ParseMessage(KindTask, body)
	if err != nil {
		return err
	}
	org := p.Store.For(m.Organization)
	task, err := org.Task(ctx, m.Audit, m.Task)
	if err != nil {
		return err
	}
	if task.State == model.TaskOpen {
		task.State, task.Problem = model.TaskFailed, problem
		if err := org.PutTask(ctx, &task); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	m.Kind = KindResult
	if err := p.Results.Send(ctx, m.body()); err != nil {
		return fmt.Errorf("send end of task %s: %w", task.ID, err)
	}
	return nil
}
