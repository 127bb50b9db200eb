package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Recovered is what Recover took up again.
type Recovered struct {
	Audits     int // that ran, or whose end was not announced
	Statements int // that were asked for
}

// Recover sends again, by what the records say, everything that was on its way in queues
// that are gone with the process that held them: the tasks and results of audits that run,
// what follows from an audit's end, and requests for statements. It is for where no other
// process works on the same store; sending what is not lost does no harm. What is due by
// the clock, and purges, Tick finds. One audit's trouble does not hold up the others; the
// error tells of all of it.
func (p *Pipeline) Recover(ctx context.Context) (Recovered, error) {
	var done Recovered
	var problems []error
	for due, err := range p.Store.Running(ctx) {
		if err == nil {
			done.Audits++
			err = p.recoverAudit(ctx, due)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	for org, err := range p.Store.Organizations(ctx) {
		if err == nil {
			var n int
			n, err = p.recoverStatements(ctx, org)
			done.Statements += n
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	return done, errors.Join(problems...)
}

// recoverAudit takes up an audit that has a bound, which it has until its end is
// announced.
func (p *Pipeline) recoverAudit(ctx context.Context, due store.Due) error {
	org := p.Store.For(due.Organization)
	audit, err := org.Audit(ctx, due.Connection, due.Audit)
	switch {
	case errors.Is(err, store.ErrNotFound): // whoever began it died before it was one
		return org.DeleteBound(ctx, due.Audit)
	case err != nil:
		return err
	case audit.State == model.AuditCancelled:
		if err := p.askForStatement(ctx, due.Organization, audit); err != nil {
			return err
		}
		return org.DeleteBound(ctx, audit.ID)
	case audit.State.Ended():
		return p.announceEnd(ctx, due.Organization, audit)
	}
	tasks, err := org.Tasks(ctx, audit.ID)
	if err != nil {
		return err
	}
	known := map[model.TaskID]bool{}
	for _, t := range tasks {
		known[t.ID] = true
	}
	for _, t := range tasks {
		again := t.State == model.TaskOpen
		for _, part := range t.Next { // whoever left it may have died before it was written
			again = again || !known[part]
		}
		if again {
			err = p.send(ctx, due.Organization, audit, []model.Task{t})
		} else {
			err = p.report(ctx, Message{Kind: KindTask, Version: messageVersion, Organization: due.Organization, Connection: audit.Connection, Audit: audit.ID, Task: t.ID})
		}
		if err != nil {
			return fmt.Errorf("go on with audit %s: %w", audit.ID, err)
		}
	}
	return nil
}

// lateObjects is how long after an audit's end an attempt at one of its tasks may still
// store something, which asks for another statement: longer than any is under way.
const lateObjects = 24 * time.Hour

// recoverStatements asks for the statements of the audits of an organization that have
// none, and of those that may want another.
func (p *Pipeline) recoverStatements(ctx context.Context, id model.OrganizationID) (asked int, err error) {
	audits, err := p.Store.For(id).Audits(ctx)
	if err != nil {
		return 0, err
	}
	now := p.Now()
	for _, audit := range audits {
		if !audit.State.Ended() || audit.Forgotten(now) {
			continue
		}
		audit, err := p.Store.For(id).WholeAudit(ctx, audit)
		if errors.Is(err, store.ErrNotFound) {
			continue // purged meanwhile
		}
		if err != nil {
			return asked, err
		}
		if settled := audit.Statement != nil && now.Sub(audit.EndedAt) > lateObjects; settled {
			continue
		}
		if err := p.askForStatement(ctx, id, audit); err != nil {
			return asked, err
		}
		asked++
	}
	return asked, nil
}
