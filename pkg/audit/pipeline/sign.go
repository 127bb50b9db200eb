package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// KindStatement is the kind of a message that has the statement of an ended audit
// signed. Its Task is "statement".
//
// Who ends an audit only asks, and can do no more with a stolen role than ask again. In a
// deployment the worker signs: it alone may open the signing key, and it parses nothing
// that an account returned. The checker and the aggregator do, and a taken-over one must
// not sign what it likes; the API is in the internet. Where one process does everything
// it signs, too.
const KindStatement = "statement"

// Signer signs the statements of an organization's audits.
type Signer interface {
	Sign(ctx context.Context, org model.OrganizationID, s statement.Statement) (model.Envelope, error)
}

// askForStatement has an ended audit signed. Where nobody is to be
// asked it stays unsigned. Asking again does no harm.
func (p *Pipeline) askForStatement(ctx context.Context, org model.OrganizationID, audit model.Audit) error {
	if p.Signings == nil {
		return nil
	}
	m := Message{Kind: KindStatement, Version: messageVersion, Organization: org, Connection: audit.Connection, Audit: audit.ID, Task: KindStatement}
	if err := p.Signings.Send(ctx, m.body()); err != nil {
		return fmt.Errorf("have audit %s signed: %w", audit.ID, err)
	}
	return nil
}

// Sign signs what an ended audit stored, and keeps that with the audit. An audit that
// runs again, or has a statement that says the same, is left as it is; a new statement
// takes the place of one that others have stored after, such as a task that was under
// way when its audit was cancelled.
func (p *Pipeline) Sign(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID, id model.AuditID) error {
	if p.Signer == nil {
		return nil
	}
	org := p.Store.For(orgID)
	for {
		audit, err := org.Audit(ctx, connection, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil // purged meanwhile
		}
		if err != nil {
			return err
		}
		if !audit.State.Ended() {
			return nil
		}
		tasks, err := org.Tasks(ctx, id)
		if err != nil {
			return err
		}
		kept, err := keptOf(ctx, p.Evidence, orgID, audit, tasks)
		if err != nil {
			return err
		}
		s := kept.statement(orgID, audit)
		if audit.Statement != nil {
			if before, err := statement.Peek(*audit.Statement); err == nil && before.Differs(s) == nil {
				return nil
			}
		}
		s.SignedAt = p.Now().UTC()
		envelope, err := p.Signer.Sign(ctx, orgID, s)
		if err != nil {
			return fmt.Errorf("sign audit %s: %w", id, err)
		}
		audit.Statement = &envelope
		if err := event.Tell(ctx, p.Events, event.OfAudit(orgID, event.AuditSigned, audit, s.SignedAt)); err != nil {
			return err
		}
		if err := org.PutAudit(ctx, &audit); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// RunStatement signs an audit. It takes a message of KindStatement.
func (p *Pipeline) RunStatement(ctx context.Context, message queue.Message) error {
	m, err := ParseMessage(KindStatement, message.Body)
	if err != nil {
		return err
	}
	return p.Sign(ctx, m.Organization, m.Connection, m.Audit)
}

// signAsked does what a message of KindStatement asks for, if it is one.
func (p *Pipeline) signAsked(ctx context.Context, message queue.Message) (is bool, err error) {
	m, err := ParseMessage(KindStatement, message.Body)
	if err != nil {
		return false, nil // of another kind, or none: whoever takes tasks says what is wrong with it
	}
	return true, p.Sign(ctx, m.Organization, m.Connection, m.Audit)
}
