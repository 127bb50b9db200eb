package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// KindPurge is the kind of a message that has everything of a deleted connection
// purged. Its Audit and Task are "purge".
const KindPurge = "purge"

// Delete hides a connection at once, stops its audit, and has it purged when
// nothing that still runs can write about it any more. Deleting again does no
// harm.
func (p *Pipeline) Delete(ctx context.Context, orgID model.OrganizationID, c model.Connection) (model.Receipt, error) {
	org := p.Store.For(orgID)
	now := p.Now().UTC()
	receipt := model.Receipt{Connection: c.ID, DeletedAt: now}
	// The moment of the purge before the deletion: what is hidden will be purged.
	if err := org.PutPurge(ctx, c.ID, now.Add(p.PurgeAfter)); err != nil {
		return receipt, err
	}
	if err := org.PutReceipt(ctx, receipt); err != nil {
		return receipt, err
	}
	c.State, c.Reason, c.Since = model.ConnectionDeleted, "deleted", now
	if err := org.PutConnection(ctx, &c); err != nil {
		return receipt, err
	}
	latest, err := org.LatestAudit(ctx, c.ID, func(model.Audit) bool { return true })
	if errors.Is(err, store.ErrNotFound) {
		return receipt, nil
	}
	if err != nil {
		return receipt, err
	}
	return receipt, p.Stop(ctx, orgID, c.ID, latest.ID, model.AuditCancelled, "the connection was deleted")
}

// sendPurge has a deleted connection purged by the aggregator.
func (p *Pipeline) sendPurge(ctx context.Context, due store.Due) error {
	m := Message{KindPurge, version, due.Organization, due.Connection, KindPurge, KindPurge}
	if err := p.Results.Send(ctx, m.body()); err != nil {
		return fmt.Errorf("have connection %s purged: %w", due.Connection, err)
	}
	return nil
}

// Purge purges a deleted connection at once. It is for where nothing runs that
// could still write about it.
func (p *Pipeline) Purge(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error {
	return p.purge(ctx, Message{KindPurge, version, org, connection, KindPurge, KindPurge})
}

// purge removes everything that is kept of a deleted connection, in the table
// and in the blob store. Dying in between leaves the connection, and the next
// try goes on; what was there is counted before anything is removed.
func (p *Pipeline) purge(ctx context.Context, m Message) error {
	org := p.Store.For(m.Organization)
	c, err := org.AnyConnection(ctx, m.Connection)
	if errors.Is(err, store.ErrNotFound) {
		return org.Purge(ctx, m.Connection, nil) // the rest of one who died at the very end
	}
	if err != nil {
		return err
	}
	if c.State != model.ConnectionDeleted {
		return fmt.Errorf("%w: connection %s is not deleted", queue.ErrPoison, c.ID)
	}
	scopes := Scopes(p.Catalog)
	receipt, err := org.Receipt(ctx, c.ID)
	if err != nil {
		return err
	}
	if receipt.Records == 0 {
		if receipt.Records, err = org.CountRecords(ctx, c.ID, scopes); err != nil {
			return err
		}
		if receipt.Objects, err = p.objects(ctx, m, func(string) error { return nil }); err != nil {
			return err
		}
		receipt.Records++ // the connection
		if err := org.PutReceipt(ctx, receipt); err != nil {
			return err
		}
	}
	if _, err := p.objects(ctx, m, func(key string) error { return p.Evidence.Delete(ctx, key) }); err != nil {
		return err
	}
	receipt.PurgedAt = p.Now().UTC()
	if err := org.PutReceipt(ctx, receipt); err != nil {
		return err
	}
	return org.Purge(ctx, c.ID, scopes)
}

// objects visits all blobs of a connection and counts them.
func (p *Pipeline) objects(ctx context.Context, m Message, visit func(key string) error) (n int, err error) {
	for _, what := range []string{"evidence", "ledger", "changes"} {
		prefix := fmt.Sprintf("%s/org=%s/connection=%s/", what, m.Organization, m.Connection)
		for info, err := range p.Evidence.List(ctx, prefix) {
			if err == nil {
				n++
				err = visit(info.Key)
			}
			if err != nil {
				return n, fmt.Errorf("objects of connection %s: %w", m.Connection, err)
			}
		}
	}
	return n, nil
}
