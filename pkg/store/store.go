// Package store holds every key and every query: connections, audits, tasks and
// findings, each under its organization. It is the only package that knows how
// records are laid out in the table.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/table"
)

// ErrNotFound says that the organization has no such record.
var ErrNotFound = table.ErrNotFound

// ErrConflict says that somebody else changed the record first.
var ErrConflict = table.ErrConflict

// Store keeps the records of all organizations; For is the way to those of one.
type Store struct{ table table.Table }

// New makes a store on a table.
func New(t table.Table) *Store { return &Store{t} }

// For is the records of one organization.
func (s *Store) For(org model.OrganizationID) *Organization {
	return &Organization{table: s.table, prefix: table.Path("O", string(org))}
}

// Organization is the records of one tenant. Every key begins with the tenant,
// so that no method can reach another's.
type Organization struct {
	table  table.Table
	prefix string
}

// key joins parts under the organization: "O#acme#AUDIT#<connection>".
func (o *Organization) key(parts ...string) string {
	return o.prefix + "#" + table.Path(parts...)
}

func (o *Organization) get(ctx context.Context, k table.Key, into any) (table.Item, error) {
	item, err := o.table.Get(ctx, k)
	if err != nil {
		return table.Item{}, err
	}
	if err := json.Unmarshal(item.Body, into); err != nil {
		return table.Item{}, fmt.Errorf("decode record %s: %w", k, err)
	}
	return item, nil
}

func encode(k, index table.Key, version int64, record any) (table.Item, error) {
	body, err := json.Marshal(record)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode record %s: %w", k, err)
	}
	return table.Item{Key: k, Index: index, Version: version, Body: body}, nil
}

// list decodes all records of a query.
func list[T any](ctx context.Context, o *Organization, q table.Query) ([]T, error) {
	var all []T
	for item, err := range table.All(ctx, o.table, q) {
		if err != nil {
			return nil, err
		}
		var record T
		if err := json.Unmarshal(item.Body, &record); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", item.Key, err)
		}
		all = append(all, record)
	}
	return all, nil
}

// PutConnection writes a connection over what was there.
func (o *Organization) PutConnection(ctx context.Context, c model.Connection) error {
	item, err := encode(table.Key{PK: o.key("CONNECTION"), SK: string(c.ID)}, table.Key{}, 0, c)
	if err != nil {
		return err
	}
	if err := o.table.PutMany(ctx, []table.Item{item}); err != nil {
		return fmt.Errorf("write connection %s: %w", c.ID, err)
	}
	return nil
}

// Connection reads a connection.
func (o *Organization) Connection(ctx context.Context, id model.ConnectionID) (c model.Connection, err error) {
	if _, err = o.get(ctx, table.Key{PK: o.key("CONNECTION"), SK: string(id)}, &c); err != nil {
		return c, fmt.Errorf("connection %s: %w", id, err)
	}
	return c, nil
}

// Connections lists all connections by id.
func (o *Organization) Connections(ctx context.Context) ([]model.Connection, error) {
	all, err := list[model.Connection](ctx, o, table.Query{PK: o.key("CONNECTION")})
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	return all, nil
}

// isMissing reports whether the error says that a record is not there.
func isMissing(err error) bool { return errors.Is(err, ErrNotFound) }
