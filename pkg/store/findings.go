package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/diff"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/table"
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
	all, err := list[model.Finding](ctx, o, table.Query{PK: o.scope(connection, scope), Limit: table.MaxLimit})
	if err != nil {
		return nil, fmt.Errorf("list findings of %s, %s: %w", connection, scope, err)
	}
	return all, nil
}

// Finding reads a finding by its id.
func (o *Organization) Finding(ctx context.Context, id model.FindingID) (model.Finding, error) {
	index := o.findingIndex(id)
	found, err := list[model.Finding](ctx, o, table.Query{Index: true, PK: index.PK, Prefix: index.SK})
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

// PutChanges writes the findings that an audit changed. Writing them again does
// no harm.
func (o *Organization) PutChanges(ctx context.Context, scope string, changes []diff.Change) error {
	items := make([]table.Item, 0, len(changes))
	for _, c := range changes {
		key := table.Key{PK: o.scope(c.Finding.Connection, scope), SK: string(c.Finding.ID)}
		item, err := encode(key, o.findingIndex(c.Finding.ID), 0, c.Finding)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if len(items) > 0 {
		if err := o.table.PutMany(ctx, items); err != nil {
			return fmt.Errorf("write %d findings of %s: %w", len(items), scope, err)
		}
	}
	for _, c := range changes {
		if c.Replaces == "" {
			continue
		}
		if err := o.table.Delete(ctx, table.Key{PK: o.scope(c.Finding.Connection, scope), SK: string(c.Replaces)}); err != nil {
			return fmt.Errorf("replace finding %s: %w", c.Replaces, err)
		}
	}
	return nil
}

// Absorbed says which audit a scope last took in. It orders audits: an older one
// never writes over a newer one.
type Absorbed struct {
	Audit model.AuditID `json:"audit"`

	version int64
}

// Absorbed reads the record of a scope; the zero Absorbed before the first audit.
func (o *Organization) Absorbed(ctx context.Context, connection model.ConnectionID, scope string) (Absorbed, error) {
	var a Absorbed
	item, err := o.get(ctx, o.absorbedKey(connection, scope), &a)
	if isMissing(err) {
		return Absorbed{}, nil
	}
	if err != nil {
		return a, fmt.Errorf("scope %s of %s: %w", scope, connection, err)
	}
	a.version = item.Version
	return a, nil
}

// PutAbsorbed writes the record of a scope if it is unchanged since it was read;
// ErrConflict otherwise.
func (o *Organization) PutAbsorbed(ctx context.Context, connection model.ConnectionID, scope string, a Absorbed) error {
	item, err := encode(o.absorbedKey(connection, scope), table.Key{}, a.version, a)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write scope %s of %s: %w", scope, connection, err)
	}
	return nil
}

func (o *Organization) absorbedKey(connection model.ConnectionID, scope string) table.Key {
	return table.Key{PK: o.key("SCOPE", string(connection)), SK: table.Path(scope)}
}
