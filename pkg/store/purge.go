package store

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// PutPurge says when a deleted connection is to be purged.
func (o *Organization) PutPurge(ctx context.Context, connection model.ConnectionID, at time.Time) error {
	return o.putClock(ctx, purgeClock, Due{Organization: o.id, Connection: connection, At: at})
}

func (o *Organization) receiptKey(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.key("RECEIPT"), SK: string(connection)}
}

// Receipt reads the receipt of a deleted connection.
func (o *Organization) Receipt(ctx context.Context, connection model.ConnectionID) (r model.Receipt, err error) {
	if _, err = o.get(ctx, o.receiptKey(connection), &r); err != nil {
		return r, fmt.Errorf("receipt of connection %s: %w", connection, err)
	}
	return r, nil
}

// PutReceipt writes a receipt over what was there.
func (o *Organization) PutReceipt(ctx context.Context, r model.Receipt) error {
	item, err := encode(o.receiptKey(r.Connection), table.Key{}, 0, r)
	if err != nil {
		return err
	}
	if err := o.table.PutMany(ctx, []table.Item{item}); err != nil {
		return fmt.Errorf("write the receipt of connection %s: %w", r.Connection, err)
	}
	return nil
}

// records yields the key of everything that is kept of a connection, but for the
// connection itself, its moment to be purged and its receipt. scopes are all that
// it can have findings in. An audit comes after what belongs to it, so that
// nothing is orphaned by who dies in between.
func (o *Organization) records(ctx context.Context, connection model.ConnectionID, scopes []string, visit func(table.Key) error) error {
	partition := func(parts ...string) error {
		for item, err := range table.All(ctx, o.table, table.Query{PK: o.key(parts...), Limit: table.MaxLimit}) {
			if err != nil {
				return err
			}
			if err := visit(item.Key); err != nil {
				return err
			}
		}
		return nil
	}
	audits, err := o.AuditsOf(ctx, connection)
	if err != nil {
		return err
	}
	for _, a := range audits {
		for _, what := range []string{"TASK", "OPEN", "OUTBOX"} {
			if err := partition(what, string(a.ID)); err != nil {
				return err
			}
		}
		if err := visit(table.Key{PK: o.key("CLOCK", string(boundClock)), SK: string(a.ID)}); err != nil {
			return err
		}
		key, _ := o.auditKey(connection, a.ID)
		if err := visit(key); err != nil {
			return err
		}
	}
	for _, scope := range scopes {
		if err := partition("FINDING", string(connection), scope); err != nil {
			return err
		}
	}
	for _, what := range []string{"SCOPE", accessKeyPart} {
		if err := partition(what, string(connection)); err != nil {
			return err
		}
	}
	for _, key := range []table.Key{
		{PK: o.key("CLOCK", string(startClock)), SK: string(connection)}, o.verifiedKey(connection), o.accessRecord(connection), o.dataKeyKey(string(connection)),
	} {
		if err := visit(key); err != nil {
			return err
		}
	}
	return nil
}

// CountRecords counts what Purge would delete.
func (o *Organization) CountRecords(ctx context.Context, connection model.ConnectionID, scopes []string) (n int, err error) {
	err = o.records(ctx, connection, scopes, func(k table.Key) error {
		if _, err := o.table.Get(ctx, k); isMissing(err) {
			return nil
		} else if err != nil {
			return err
		}
		n++
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count what is kept of connection %s: %w", connection, err)
	}
	return n, nil
}

// Purge deletes everything that is kept of a connection but its receipt, the
// connection itself last. Purging again does no harm.
func (o *Organization) Purge(ctx context.Context, connection model.ConnectionID, scopes []string) error {
	err := o.records(ctx, connection, scopes, func(k table.Key) error { return o.table.Delete(ctx, k) })
	for _, k := range []table.Key{o.connectionKey(connection), {PK: o.key("CLOCK", string(purgeClock)), SK: string(connection)}} {
		if err == nil {
			err = o.table.Delete(ctx, k)
		}
	}
	if err != nil {
		return fmt.Errorf("purge connection %s: %w", connection, err)
	}
	return nil
}
