package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func isConflict(err error) bool { return errors.Is(err, ErrConflict) }

// A scope is what one task absorbs findings into: a service of a connection, or
// all rules that look across services. Its findings share a partition; the index
// path leads from a finding's id alone to its record, over 256 partitions.

func (o *Organization) scope(connection model.ConnectionID, scope string) string {
	return o.key("FINDING", string(connection), scope)
}

func (o *Organization) findingIndex(id model.FindingID) table.Key {
	shard := string(id)
	if len(shard) > 2 {
		shard = shard[:2]
	}
	return table.Key{PK: o.key("FINDINGS", shard), SK: string(id)}
}

// Findings lists the findings of a scope, open and resolved.
func (o *Organization) Findings(ctx context.Context, connection model.ConnectionID, scope string) ([]model.Finding, error) {
	q := table.Query{PK: o.scope(connection, scope), Limit: table.MaxLimit}
	all, err := list(ctx, o.table, q, findingVersion)
	if err != nil {
		return nil, fmt.Errorf("list findings of %s, %s: %w", connection, scope, err)
	}
	return all, nil
}

func findingVersion(f *model.Finding, v int64) { f.Version = v }

// FindingsPage lists some findings of a scope, those that come after a cursor of
// an earlier page.
func (o *Organization) FindingsPage(ctx context.Context, connection model.ConnectionID, scope, cursor string, limit int) (page []model.Finding, next string, err error) {
	q := table.Query{PK: o.scope(connection, scope), Cursor: cursor, Limit: limit}
	page, next, err = onePage[model.Finding](ctx, o.table, q)
	if err != nil {
		return nil, "", fmt.Errorf("list findings of %s, %s: %w", connection, scope, err)
	}
	return page, next, nil
}

// Finding reads a finding by its id.
func (o *Organization) Finding(ctx context.Context, id model.FindingID) (model.Finding, error) {
	index := o.findingIndex(id)
	found, err := list(ctx, o.table, table.Query{Index: true, PK: index.PK, Prefix: index.SK}, findingVersion)
	if err != nil {
		return model.Finding{}, fmt.Errorf("finding %s: %w", id, err)
	}
	for _, f := range found {
		if f.ID == id {
			return f, nil
		}
	}
	return model.Finding{}, fmt.Errorf("finding %s: %w", id, ErrNotFound)
}

// PutFinding writes a finding if it is unchanged since it was read; ErrConflict
// otherwise. A new one has version 0.
func (o *Organization) PutFinding(ctx context.Context, scope string, f model.Finding) error {
	key := table.Key{PK: o.scope(f.Connection, scope), SK: string(f.ID)}
	item, err := encode(key, o.findingIndex(f.ID), f.Version, f)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write finding %s: %w", f.ID, err)
	}
	return nil
}

// FindingOf reads a finding of a scope, with certainty: Finding, which needs no
// scope, may lag behind.
func (o *Organization) FindingOf(ctx context.Context, connection model.ConnectionID, scope string, id model.FindingID) (f model.Finding, err error) {
	item, err := o.get(ctx, table.Key{PK: o.scope(connection, scope), SK: string(id)}, &f)
	if err != nil {
		return f, fmt.Errorf("finding %s: %w", id, err)
	}
	f.Version = item.Version
	return f, nil
}

// DeleteFinding removes a finding that another one has replaced.
func (o *Organization) DeleteFinding(ctx context.Context, connection model.ConnectionID, scope string, id model.FindingID) error {
	if err := o.table.Delete(ctx, table.Key{PK: o.scope(connection, scope), SK: string(id)}); err != nil {
		return fmt.Errorf("delete finding %s: %w", id, err)
	}
	return nil
}

// Scope is the record of a scope: which audit it last took in. It orders audits,
// an older one never writes over a newer one, and it is where the changes of an
// audit are committed: from the moment that Log names them they will be
// written and announced, by whoever comes next.
type Scope struct {
	Audit   model.AuditID `json:"audit"`
	Retry   int           `json:"retry,omitempty"` // which of the audit's tries
	Log     string        `json:"log,omitempty"`   // key of the committed changes in the blob store; empty once all is done
	First   bool          `json:"first,omitempty"`
	Changes model.Changes `json:"changes,omitzero"` // counts of that audit

	version int64
}

// Scope reads the record of a scope; the zero Scope before the first audit.
func (o *Organization) Scope(ctx context.Context, connection model.ConnectionID, scope string) (Scope, error) {
	var s Scope
	item, err := o.get(ctx, o.scopeKey(connection, scope), &s)
	if isMissing(err) {
		return Scope{}, nil
	}
	if err != nil {
		return s, fmt.Errorf("scope %s of %s: %w", scope, connection, err)
	}
	s.version = item.Version
	return s, nil
}

// PutScope writes next in place of what was read; ErrConflict if somebody else
// wrote the record since.
func (o *Organization) PutScope(ctx context.Context, connection model.ConnectionID, scope string, read, next Scope) error {
	item, err := encode(o.scopeKey(connection, scope), table.Key{}, read.version, next)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write scope %s of %s: %w", scope, connection, err)
	}
	return nil
}

func (o *Organization) scopeKey(connection model.ConnectionID, scope string) table.Key {
	return table.Key{PK: o.key("SCOPE", string(connection)), SK: table.Path(scope)}
}

// Outbox says how far the alerts of a part of an audit have been published.
type Outbox struct {
	Published int       `json:"published"` // of the part's alerts, which have a fixed order
	Claimed   time.Time `json:"claimed"`   // when somebody last began to publish

	version int64
}

// outboxAge is how long an outbox is kept: longer than any message can come
// again.
const outboxAge = 30 * 24 * time.Hour

func (o *Organization) outboxKey(audit model.AuditID, part string) table.Key {
	return table.Key{PK: o.key("OUTBOX", string(audit)), SK: table.Path(part)}
}

// Outbox reads the outbox of a part of an audit; the zero Outbox before the
// first alert.
func (o *Organization) Outbox(ctx context.Context, audit model.AuditID, part string) (Outbox, error) {
	var out Outbox
	item, err := o.get(ctx, o.outboxKey(audit, part), &out)
	if isMissing(err) {
		return Outbox{}, nil
	}
	if err != nil {
		return out, fmt.Errorf("outbox %s of audit %s: %w", part, audit, err)
	}
	out.version = item.Version
	return out, nil
}

// PutOutbox writes an outbox if it is unchanged since it was read, and moves its
// version on; ErrConflict otherwise.
func (o *Organization) PutOutbox(ctx context.Context, audit model.AuditID, part string, out *Outbox) error {
	item, err := encode(o.outboxKey(audit, part), table.Key{}, out.version, out)
	if err != nil {
		return err
	}
	item.Expires = out.Claimed.Add(outboxAge)
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write outbox %s of audit %s: %w", part, audit, err)
	}
	out.version++
	return nil
}
