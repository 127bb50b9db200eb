package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// KindPurge is the kind of a message that has everything of a deleted connection
// purged. Its Audit and Task are "purge".
const KindPurge = "purge"

// purgeAgain is when the clock has a purge sent once more, unless it went on or
// ended by then: later than a function that purges can still run.
const purgeAgain = 15 * time.Minute

// Delete hides a connection and destroys its access keys at once, stops its audit, and
// has it purged when nothing that still runs can write about it any more. Deleting again does no
// harm.
func (p *Pipeline) Delete(ctx context.Context, by model.Change, orgID model.OrganizationID, c model.Connection) (model.Receipt, error) {
	org := p.Store.For(orgID)
	receipt, err := p.hide(ctx, by, org, c)
	if err == nil {
		c.State, c.Reason = model.ConnectionDeleted, "deleted"
		err = event.Tell(ctx, p.Events, event.OfConnection(orgID, event.ConnectionDeleted, c, receipt.DeletedAt))
	}
	if err != nil {
		return receipt, err
	}
	// What opens the account does not wait for the purge.
	if err := org.DestroyAccessKeys(ctx, c.ID); err != nil {
		return receipt, err
	}
	latest, err := org.LatestInShort(ctx, c.ID, func(model.Audit) bool { return true })
	if errors.Is(err, store.ErrNotFound) {
		return receipt, nil
	}
	if err != nil {
		return receipt, err
	}
	return receipt, p.Stop(ctx, model.Change{}, orgID, c.ID, latest.ID, model.AuditCancelled, "the connection was deleted")
}

func (p *Pipeline) hide(ctx context.Context, by model.Change, org *store.Organization, c model.Connection) (model.Receipt, error) {
	if c.State == model.ConnectionDeleted {
		// Its receipt may be counting what was purged.
		if receipt, err := org.Receipt(ctx, c.ID); !errors.Is(err, store.ErrNotFound) {
			return receipt, err
		}
	}
	now := p.Now().UTC()
	receipt := model.Receipt{Connection: c.ID, DeletedAt: now}
	// The moment of the purge before the deletion: what is hidden will be purged.
	if err := org.PutPurge(ctx, c.ID, now.Add(p.PurgeAfter)); err != nil {
		return receipt, err
	}
	if err := org.PutReceipt(ctx, receipt); err != nil {
		return receipt, err
	}
	// Said before it is done, so that whoever dies in between leaves an index that is looked
	// at again.
	if p.Index != nil {
		if err := org.BeginFindings(ctx, c.ID, "deletion", now, now.Add(writingFor)); err != nil {
			return receipt, err
		}
	}
	c.State, c.Reason, c.Since = model.ConnectionDeleted, "deleted", now
	err := org.ChangeConnection(ctx, by, &c)
	if err == nil && p.Index != nil {
		err = org.HideFindings(ctx, c.ID)
	}
	if err == nil { // the sums are without it from now on
		err = org.AskRollUp(ctx, now, rollUpEvery)
	}
	return receipt, err
}

// sendPurge has a deleted connection purged by who takes messages of KindPurge.
// The clock leaves it alone for a while, so that it is not queued again each minute.
func (p *Pipeline) sendPurge(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error {
	if err := p.Store.For(org).PutPurge(ctx, connection, p.Now().UTC().Add(purgeAgain)); err != nil {
		return err
	}
	m := Message{Kind: KindPurge, Version: messageVersion, Organization: org, Connection: connection, Audit: KindPurge, Task: KindPurge}
	if err := p.Purges.Send(ctx, m.body()); err != nil {
		return fmt.Errorf("have connection %s purged: %w", connection, err)
	}
	return nil
}

// RunPurge purges a deleted connection for as long as its context allows, and then
// sends itself on. It takes a message of KindPurge. One that comes twice, or while
// another purges the same, does no harm.
func (p *Pipeline) RunPurge(ctx context.Context, message queue.Message) error {
	m, err := ParseMessage(KindPurge, message.Body)
	if err != nil {
		return err
	}
	done, err := p.purgeSome(ctx, m.Organization, m.Connection)
	if done || err != nil {
		return err
	}
	return p.sendPurge(ctx, m.Organization, m.Connection)
}

// Purge purges a deleted connection at once. It is for where nothing runs that
// could still write about it.
func (p *Pipeline) Purge(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error {
	for {
		if done, err := p.purgeSome(ctx, org, connection); done || err != nil {
			return err
		}
	}
}

// purgeSome removes what is kept of a deleted connection, in the blob store and in
// the table, until nothing is left or time is nearly up; it gets further each time.
// Dying in between leaves the connection and the clock's moment, and the next try
// goes on.
func (p *Pipeline) purgeSome(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID) (done bool, err error) {
	if connection == wholeOrganization {
		return p.purgeOrganization(ctx, orgID)
	}
	org := p.Store.For(orgID)
	c, err := org.AnyConnection(ctx, connection)
	if errors.Is(err, store.ErrNotFound) {
		return true, org.DeletePurge(ctx, connection) // the rest of one who died at the very end
	}
	if err != nil {
		return false, err
	}
	if c.State != model.ConnectionDeleted {
		return false, fmt.Errorf("%w: connection %s is not deleted", queue.ErrPoison, c.ID)
	}
	return p.purgeConnection(ctx, orgID, c)
}

// purgeConnection is purgeSome of a connection about which nothing writes any more.
func (p *Pipeline) purgeConnection(ctx context.Context, orgID model.OrganizationID, c model.Connection) (done bool, err error) {
	org := p.Store.For(orgID)
	// What its records carry for the admin log, which outlives them.
	if _, err := org.SettleAdminLog(ctx, p.Now()); err != nil {
		return false, err
	}
	purge, err := org.Purge(ctx, c.ID)
	if err != nil {
		return false, err
	}
	if p.Index != nil {
		if err := p.Index.Forget(ctx, orgID, c.ID); err != nil {
			return false, err
		}
	}
	more := p.more(ctx)
	if done, err = p.purgeObjects(ctx, orgID, purge, c.ID, more); done {
		done, err = purge.Records(ctx, Scopes(p.Catalog), more)
	}
	if done {
		err = event.Tell(ctx, p.Events, event.Purged(orgID, purge.Receipt(), p.Now())) // while somebody is left to do it again
	}
	if done && err == nil {
		err = purge.Finish(ctx, p.Now().UTC())
	}
	if errors.Is(err, store.ErrConflict) {
		return true, nil // somebody else purges it, and the clock knows of it should he die
	}
	return done, err
}

// wholeOrganization stands where a connection does when all of an organization is purged.
// No connection has that id.
const wholeOrganization model.ConnectionID = "organization"

// DeleteOrganization closes an organization for good, and has all that is kept of it purged:
// its connections first, as Delete does, and when the last of those is purged all else.
// Deleting again changes nothing.
func (p *Pipeline) DeleteOrganization(ctx context.Context, by model.Change, id model.OrganizationID) (model.Organization, error) {
	org := p.Store.For(id)
	itself, err := org.Itself(ctx)
	if err != nil || !itself.DeletedAt.IsZero() {
		return itself, err
	}
	now := p.Now().UTC().Truncate(time.Second)
	// The moment of the purge before the deletion: what is closed will be purged.
	if err := org.PutPurge(ctx, wholeOrganization, now.Add(p.PurgeAfter)); err != nil {
		return itself, err
	}
	itself.DeletedAt = now
	return itself, org.ChangeItself(ctx, by, &itself)
}

// purgeOrganization purges a deleted organization, as far as it comes. While it has
// connections that are not purged, the clock has it come again.
func (p *Pipeline) purgeOrganization(ctx context.Context, id model.OrganizationID) (done bool, err error) {
	org := p.Store.For(id)
	itself, err := org.Itself(ctx)
	if errors.Is(err, store.ErrNotFound) || err == nil && itself.DeletedAt.IsZero() {
		return true, org.DeletePurge(ctx, wholeOrganization) // it is gone, or was never deleted
	}
	if err != nil {
		return false, err
	}
	more := p.more(ctx)
	left := 0
	for c, err := range org.EveryConnection(ctx) {
		if err != nil {
			return false, err
		}
		quiet, err := p.quieten(ctx, id, c)
		if err != nil {
			return false, err
		}
		if !quiet {
			if left++; !more() {
				return false, nil
			}
			continue
		}
		for done := false; !done; {
			if !more() {
				return false, nil
			}
			if done, err = p.purgeConnection(ctx, id, c); err != nil {
				return false, err
			}
		}
	}
	for _, err := range org.EveryConnection(ctx) { // also one that somebody else purges
		if err != nil {
			return false, err
		}
		left++
	}
	if left > 0 {
		return true, nil // and the clock has it come again
	}
	if err := blob.DeleteAll(ctx, p.Evidence, fmt.Sprintf("index/org=%s/", id)); err != nil { // what is kept of several connections together
		return false, fmt.Errorf("index of organization %s: %w", id, err)
	}
	if done, err = p.Store.Erase(ctx, itself, p.Now(), more); done && err == nil {
		err = org.DeletePurge(ctx, wholeOrganization)
	}
	return done, err
}

// quietAfter is when nothing writes about a connection any more whose last audit has ended.
const quietAfter = 20 * time.Minute

// quieten has a connection of a closed organization's come to rest: none of its audits goes
// on, and what opens its account is destroyed. It reports whether nothing can write about it
// any more.
func (p *Pipeline) quieten(ctx context.Context, id model.OrganizationID, c model.Connection) (bool, error) {
	org := p.Store.For(id)
	if err := org.DestroyAccessKeys(ctx, c.ID); err != nil {
		return false, err
	}
	latest, err := org.LatestInShort(ctx, c.ID, func(model.Audit) bool { return true })
	switch {
	case errors.Is(err, store.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case !latest.State.Ended():
		return false, p.Stop(ctx, model.Change{}, id, c.ID, latest.ID, model.AuditCancelled, "the organization was deleted")
	}
	return p.Now().Sub(latest.EndedAt) >= quietAfter, nil
}

// more tells whether there is time left to begin something.
func (p *Pipeline) more(ctx context.Context) func() bool {
	end, bounded := ctx.Deadline()
	return func() bool { return !bounded || time.Until(end) > p.Spare }
}

// objectsAtOnce is how many blobs are deleted at a time.
const objectsAtOnce = 1000

// purgeObjects deletes all blobs of a connection, and has them counted.
func (p *Pipeline) purgeObjects(ctx context.Context, org model.OrganizationID, purge *store.Purge, connection model.ConnectionID, more func() bool) (done bool, err error) {
	var page []string
	flush := func() error {
		err := purge.Objects(ctx, page)
		if err == nil {
			err = p.Evidence.DeleteMany(ctx, page)
		}
		page = page[:0]
		return err
	}
	for _, what := range []string{"changes", "evidence", "index", "ledger", "progress"} { // in the order of keys, as they are counted
		prefix := fmt.Sprintf("%s/org=%s/connection=%s/", what, org, connection)
		for info, err := range p.Evidence.List(ctx, prefix) {
			if err != nil {
				return false, fmt.Errorf("objects of connection %s: %w", connection, err)
			}
			if page = append(page, info.Key); len(page) < objectsAtOnce {
				continue
			}
			if err := flush(); err != nil {
				return false, err
			}
			if !more() {
				return false, nil
			}
		}
	}
	if len(page) > 0 {
		err = flush()
	}
	return err == nil, err
}

// ConnectionOf is whose object a key names, and false of a key that belongs to no
// connection.
func ConnectionOf(key string) (model.OrganizationID, model.ConnectionID, bool) {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) < 4 {
		return "", "", false
	}
	org, of := strings.CutPrefix(parts[1], "org=")
	connection, too := strings.CutPrefix(parts[2], "connection=")
	return model.OrganizationID(org), model.ConnectionID(connection), of && too
}
