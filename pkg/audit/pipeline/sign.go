package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// KindStatement is the kind of a message that has the statement of an ended audit
// signed. Its Task is "statement".
//
// Whoever does tasks signs. It stored the evidence and the calls, so that nobody has to
// trust it more than before; and it can open what is sealed, which those who end audits
// cannot: the aggregator reads what accounts made of their names, and may write findings
// of all organizations, so it is given no key for that. The API is in the internet. So
// who ends an audit only asks, and can do no more with a stolen role than ask again.
const KindStatement = "statement"

// Signer signs the statements of an organization's audits.
type Signer interface {
	Sign(ctx context.Context, org model.OrganizationID, s statement.Statement) (model.Envelope, error)
}

// askForStatement has an ended audit signed by whoever does tasks. Where nobody is to be
// asked it stays unsigned. Asking again does no harm.
func (p *Pipeline) askForStatement(ctx context.Context, org model.OrganizationID, audit model.Audit) error {
	if p.Signings == nil {
		return nil
	}
	m := Message{KindStatement, version, org, audit.Connection, audit.ID, KindStatement}
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
		if err := org.PutAudit(ctx, &audit); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// signAsked does what a message of KindStatement asks for, if it is one.
func (p *Pipeline) signAsked(ctx context.Context, message queue.Message) (is bool, err error) {
	m, err := ParseMessage(KindStatement, message.Body)
	if err != nil {
		return false, nil // of another kind, or none: whoever takes tasks says what is wrong with it
	}
	return true, p.Sign(ctx, m.Organization, m.Connection, m.Audit)
}
