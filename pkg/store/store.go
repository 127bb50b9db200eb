// Package store holds every key and every query: connections, audits, tasks and
// findings, each under its organization. It is the only package that knows how
// records are laid out in the table.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ErrNotFound says that the organization has no such record.
var ErrNotFound = table.ErrNotFound

// ErrConflict says that somebody else changed the record first.
var ErrConflict = table.ErrConflict

// Refused reports whether an error says that the record, as it is, can never be
// written.
func Refused(err error) bool {
	return errors.Is(err, table.ErrTooLarge) || errors.Is(err, table.ErrInvalid)
}

// Store keeps the records of all organizations; For is the way to those of one.
type Store struct {
	table    table.Table
	severity func(model.CheckID) (model.Severity, bool)
}

// New makes a store on a table. severity is how grave a check's failures are today,
// if it is known: findings are read with that, whatever it was when they were written;
// nil leaves them as they are.
func New(t table.Table, severity func(model.CheckID) (model.Severity, bool)) *Store {
	if severity == nil {
		severity = func(model.CheckID) (model.Severity, bool) { return "", false }
	}
	return &Store{t, severity}
}

// For is the records of one organization.
func (s *Store) For(org model.OrganizationID) *Organization {
	o := &Organization{id: org, table: s.table, prefix: table.Path("O", string(org)), severity: s.severity}
	o.DataKeyRecords = DataKeyRecords{s.table, o.key(keyKind)}
	return o
}

// Organization is the records of one tenant. Every key begins with the tenant,
// so that no method can reach another's.
type Organization struct {
	id     model.OrganizationID
	table  table.Table
	prefix string

	DataKeyRecords
	severity func(model.CheckID) (model.Severity, bool)
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
	return item, decode(item, into)
}

func encode(k, index table.Key, version int64, record any) (table.Item, error) {
	body, err := json.Marshal(record)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode record %s: %w", k, err)
	}
	return table.Item{Key: k, Index: index, Version: version, Body: body}, nil
}

// list decodes all records of a query.
func list[T any](ctx context.Context, t table.Table, q table.Query, version func(*T, int64)) ([]T, error) {
	var all []T
	for record, err := range each(ctx, t, q, version) {
		if err != nil {
			return nil, err
		}
		all = append(all, record)
	}
	return all, nil
}

// each decodes the records of a query one after the other, so that a reader who
// has seen enough stops the paging. version notes the version that was read.
func each[T any](ctx context.Context, t table.Table, q table.Query, version func(*T, int64)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range table.All(ctx, t, q) {
			var record T
			if err == nil {
				err = decode(item, &record)
			}
			if err == nil && version != nil {
				version(&record, item.Version)
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// onePage decodes the records of one page, and says what continues it.
func onePage[T any](ctx context.Context, t table.Table, q table.Query, version func(*T, int64)) (all []T, next string, err error) {
	page, err := t.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, item := range page.Items {
		var record T
		if err := decode(item, &record); err != nil {
			return nil, "", err
		}
		if version != nil {
			version(&record, item.Version)
		}
		all = append(all, record)
	}
	return all, page.Cursor, nil
}

func decode(item table.Item, into any) error {
	if err := json.Unmarshal(item.Body, into); err != nil {
		return fmt.Errorf("decode record %s: %w", item.Key, err)
	}
	return nil
}

// isMissing reports whether the error says that a record is not there.
func isMissing(err error) bool { return errors.Is(err, ErrNotFound) }
