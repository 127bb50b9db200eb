package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Stop ends a running audit without its open tasks: somebody cancelled it.
// Findings stay as the finished tasks left them.
func (p *Pipeline) Stop(ctx context.Context, by model.Change, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID, state model.AuditState, why string) error {
	org := p.Store.For(orgID)
	err := p.changeAudit(ctx, by, orgID, connection, id, func(a *model.Audit) {
		a.State, a.EndedAt = state, p.Now().UTC()
		a.AddProblem(why)
	})
	if err != nil {
		return err
	}
	audit, err := org.Audit(ctx, connection, id)
	if err != nil {
		return err
	}
	if audit.State.Ended() {
		if err := p.askForStatement(ctx, orgID, audit); err != nil {
			return err
		}
	}
	if audit.State == model.AuditCancelled {
		if err := event.Tell(ctx, p.Events, event.OfAudit(orgID, event.AuditCancelled, audit, audit.EndedAt)); err != nil {
			return err
		}
	}
	return org.DeleteBound(ctx, id)
}

// updateAudit changes a running audit, and does so again when somebody else
// wrote it meanwhile. An ended one is left as it is.
func (p *Pipeline) updateAudit(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID, change func(*model.Audit)) error {
	return p.changeAudit(ctx, model.Change{}, orgID, connection, id, change)
}

// changeAudit is updateAudit for what somebody wants.
func (p *Pipeline) changeAudit(ctx context.Context, by model.Change, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID, change func(*model.Audit)) error {
	org := p.Store.For(orgID)
	for {
		audit, err := org.Audit(ctx, connection, id)
		if err != nil || audit.State.Ended() {
			return err
		}
		change(&audit)
		if err := org.ChangeAudit(ctx, by, &audit); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Abandon ends a task that cannot be finished, after its last delivery: its
// checks are not assessed, for the reason given, and the audit ends partial.
func (p *Pipeline) Abandon(ctx context.Context, body []byte, problem string) error {
	return p.fail(ctx, body, model.Task{Problem: problem})
}

// refuse ends a task that AWS did not let into the account, and notes it in the
// audit so that the tasks after it do not try.
func (p *Pipeline) refuse(ctx context.Context, body []byte, refused *RefusedError) error {
	m, err := ParseMessage(KindTask, body)
	if err != nil {
		return err
	}
	err = p.updateAudit(ctx, m.Organization, m.Connection, m.Audit, func(a *model.Audit) { a.Refused, a.RefusedCode = refused.Message, refused.Code })
	if err != nil {
		return err
	}
	return p.fail(ctx, body, model.Task{Problem: refused.Message, Refused: true})
}

func (p *Pipeline) fail(ctx context.Context, body []byte, how model.Task) error {
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
		task.State, task.Problem, task.Refused, task.Spent = model.TaskFailed, model.Cut(how.Problem, model.MaxReason), how.Refused, how.Spent
		p.meter(metrics.TasksFailed, 1)
		if _, err := putTask(ctx, org, &task, model.TaskOpen); err != nil {
			return err
		}
	}
	return p.report(ctx, m)
}

// Expire ends an audit whose bound is over: what is still open is given up, and the
// rest is summed up. That has expireAgain to happen; then the audit ends as partial
// as it stands, so that nothing that cannot be summed up holds up the audits after it.
func (p *Pipeline) Expire(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID) error {
	org := p.Store.For(orgID)
	audit, err := org.Audit(ctx, connection, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && audit.State.Ended() {
		return org.DeleteBound(ctx, id)
	}
	if err != nil {
		return err
	}
	p.meter(metrics.AuditsOverdue, 1)
	if audit.Overdue {
		return p.endUnsummed(ctx, orgID, audit, fmt.Sprintf("the audit was not finished within the %s that it may take, and could not be summed up", p.Bound))
	}
	tasks, err := org.Tasks(ctx, id)
	if err != nil {
		return err
	}
	known := map[model.TaskID]bool{}
	for _, t := range tasks {
		known[t.ID] = true
	}
	for _, t := range slices.Clone(tasks) { // parts that whoever left them did not write any more
		for _, part := range partsOf(audit, t) {
			if !known[part.ID] {
				tasks = append(tasks, part)
			}
		}
	}
	for _, t := range tasks {
		if t.State == model.TaskOpen {
			t.State, t.Problem = model.TaskFailed, fmt.Sprintf("%s was not finished within the %s that an audit may take", t.Service, p.Bound)
			if err := org.PutTask(ctx, &t); errors.Is(err, store.ErrConflict) {
				return fmt.Errorf("end audit %s: its task %s has just ended: %w", id, t.ID, err)
			} else if err != nil {
				return err
			}
		}
		// Results of tasks that did finish may wait behind a dead letter; the
		// aggregator takes them in, and closes the audit with the last one.
		m := Message{Kind: KindTask, Version: messageVersion, Organization: orgID, Connection: connection, Audit: id, Task: t.ID}
		if err := p.report(ctx, m); err != nil {
			return err
		}
	}
	if err := org.PutBound(ctx, audit, p.Now().Add(expireAgain)); err != nil {
		return err
	}
	return p.updateAudit(ctx, orgID, connection, id, func(a *model.Audit) { a.Overdue = true })
}

// endUnsummed ends an audit as it stands, partial and without a score.
func (p *Pipeline) endUnsummed(ctx context.Context, orgID model.OrganizationID, audit model.Audit, why string) error {
	err := p.updateAudit(ctx, orgID, audit.Connection, audit.ID, func(a *model.Audit) {
		a.State, a.EndedAt = model.AuditPartial, p.Now().UTC()
		a.AddProblem(why)
	})
	if err != nil {
		return err
	}
	if audit, err = p.Store.For(orgID).Audit(ctx, audit.Connection, audit.ID); err != nil {
		return err
	}
	p.meterEnd(audit)
	return p.announceEnd(ctx, orgID, audit)
}

// expireAgain is how long the results of an audit whose bound is over have to end it.
const expireAgain = 15 * time.Minute
