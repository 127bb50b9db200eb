package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func (o *Organization) connectionKey(id model.ConnectionID) table.Key {
	return table.Key{PK: o.key("CONNECTION"), SK: string(id)}
}

func connectionVersion(c *model.Connection, v int64) { c.Version = v }

// PutConnection writes what a connection is to be if it is unchanged since it was read, and
// moves its Version on; ErrConflict otherwise. A new one has version 0.
func (o *Organization) PutConnection(ctx context.Context, c *model.Connection) error {
	return o.ChangeConnection(ctx, model.Change{}, c)
}

// ChangeConnection is PutConnection for what somebody wants changed, which the admin log
// says. One that moves to another project takes its findings with it, and lists know at once
// what it is called.
func (o *Organization) ChangeConnection(ctx context.Context, by model.Change, c *model.Connection) error {
	item, err := encode(o.connectionKey(c.ID), table.Key{}, c.Version, c)
	if err == nil {
		err = o.move(ctx, c, by.At, func(ctx context.Context) error {
			return o.putLogged(ctx, item, by, "connection/"+string(c.ID), nothingSecret[model.Connection])
		})
	}
	if err != nil {
		return fmt.Errorf("write connection %s: %w", c.ID, err)
	}
	c.Version++
	return nil
}

// Connection reads a connection. A deleted one is not there any more.
func (o *Organization) Connection(ctx context.Context, id model.ConnectionID) (model.Connection, error) {
	c, err := o.AnyConnection(ctx, id)
	if err == nil && c.State == model.ConnectionDeleted {
		return model.Connection{}, fmt.Errorf("connection %s: %w", id, ErrNotFound)
	}
	return c, err
}

// AnyConnection reads a connection, also a deleted one that is not purged yet.
func (o *Organization) AnyConnection(ctx context.Context, id model.ConnectionID) (model.Connection, error) {
	c, err := o.connectionItself(ctx, id)
	if err != nil {
		return c, err
	}
	var found state
	if _, err := o.get(ctx, o.stateKey(id), &found); err != nil && !isMissing(err) {
		return c, fmt.Errorf("state of connection %s: %w", id, err)
	}
	found.of(&c)
	return c, nil
}

// connectionItself reads a connection without what was found of it.
func (o *Organization) connectionItself(ctx context.Context, id model.ConnectionID) (c model.Connection, err error) {
	item, err := o.get(ctx, o.connectionKey(id), &c)
	if err != nil {
		return c, fmt.Errorf("connection %s: %w", id, err)
	}
	c.Version = item.Version
	return c, nil
}

// Connections lists all connections by id.
func (o *Organization) Connections(ctx context.Context) ([]model.Connection, error) {
	all, err := list(ctx, o.table, table.Query{PK: o.key("CONNECTION")}, connectionVersion)
	if err == nil {
		err = o.withStates(ctx, all, table.Position{})
	}
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	return slices.DeleteFunc(all, func(c model.Connection) bool { return c.State == model.ConnectionDeleted }), nil
}

// ConnectionsPage lists some connections by id, those that come after a cursor of an
// earlier page. Deleted ones are left out, so that a page may be short.
func (o *Organization) ConnectionsPage(ctx context.Context, cursor string, limit int) (page []model.Connection, next string, err error) {
	q := table.Query{PK: o.key("CONNECTION"), Cursor: cursor, Limit: limit}
	after, _, err := q.Position()
	if err == nil {
		page, next, err = onePage(ctx, o.table, q, connectionVersion)
	}
	if err == nil {
		err = o.withStates(ctx, page, after)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list connections: %w", err)
	}
	return slices.DeleteFunc(page, func(c model.Connection) bool { return c.State == model.ConnectionDeleted }), next, nil
}

// Due is a moment at which something has to be done for a connection: an audit
// is to start, or one must have ended.
type Due struct {
	Organization model.OrganizationID `json:"organization"`
	Connection   model.ConnectionID   `json:"connection"`
	Audit        model.AuditID        `json:"audit,omitempty"` // that must have ended; of a start, which it waits for
	At           time.Time            `json:"at"`
}

// Clocks are lists of moments, each kept apart. A clock is read by an index path
// of which the first moments come first, over a few partitions so that none
// becomes hot. Since the one reader serves all organizations, the organization
// is in the sort key here, and in the partition of the record itself.
type clock string

const (
	startClock clock = "START" // an audit is due
	boundClock clock = "BOUND" // an audit must have ended
	purgeClock clock = "PURGE" // what is known of a deleted connection must go; or see Chores
)

// clockShards is how many partitions a clock has.
const clockShards = 8

func (o *Organization) clockItem(c clock, d Due) (table.Item, error) {
	sk := string(d.Connection)
	if c == boundClock {
		sk = string(d.Audit)
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(string(d.Organization) + "#" + sk))
	index := table.Key{
		PK: table.Path("CLOCK", string(c), strconv.Itoa(int(hash.Sum32()%clockShards))),
		SK: table.Path(d.At.UTC().Format(time.RFC3339), string(d.Organization), sk),
	}
	return encode(table.Key{PK: o.key("CLOCK", string(c)), SK: sk}, index, 0, d)
}

// PutNextAudit says when a connection is due next, in place of what was said
// before; the zero time says never.
func (o *Organization) PutNextAudit(ctx context.Context, connection model.ConnectionID, at time.Time) error {
	key := table.Key{PK: o.key("CLOCK", string(startClock)), SK: string(connection)}
	if at.IsZero() {
		if err := o.table.Delete(ctx, key); err != nil {
			return fmt.Errorf("end the schedule of connection %s: %w", connection, err)
		}
		return nil
	}
	return o.putClock(ctx, startClock, Due{Organization: o.id, Connection: connection, At: at})
}

// PutWaiting notes which audit a connection that is due waits for. It stays due.
func (o *Organization) PutWaiting(ctx context.Context, due Due, audit model.AuditID) error {
	due.Audit = audit
	return o.putClock(ctx, startClock, due)
}

// Bounded reports whether an audit has a bound, which it has until it ended. It reads
// a small record, where the audit's own is a large one.
func (o *Organization) Bounded(ctx context.Context, audit model.AuditID) (bool, error) {
	var d Due
	_, err := o.get(ctx, table.Key{PK: o.key("CLOCK", string(boundClock)), SK: string(audit)}, &d)
	if err != nil && !isMissing(err) {
		return false, fmt.Errorf("bound of audit %s: %w", audit, err)
	}
	return err == nil, nil
}

// NextAudit is when a connection is due next; the zero time is never.
func (o *Organization) NextAudit(ctx context.Context, connection model.ConnectionID) (time.Time, error) {
	var d Due
	_, err := o.get(ctx, table.Key{PK: o.key("CLOCK", string(startClock)), SK: string(connection)}, &d)
	if err != nil && !isMissing(err) {
		return time.Time{}, fmt.Errorf("schedule of connection %s: %w", connection, err)
	}
	return d.At, nil
}

// PutBound says when an audit must have ended.
func (o *Organization) PutBound(ctx context.Context, a model.Audit, at time.Time) error {
	return o.putClock(ctx, boundClock, Due{Organization: o.id, Connection: a.Connection, Audit: a.ID, At: at})
}

func (o *Organization) putClock(ctx context.Context, c clock, d Due) error {
	item, err := o.clockItem(c, d)
	if err != nil {
		return err
	}
	if err := o.table.PutMany(ctx, []table.Item{item}); err != nil {
		return fmt.Errorf("write the clock of connection %s: %w", d.Connection, err)
	}
	return nil
}

// DeleteBound forgets when an audit must have ended.
func (o *Organization) DeleteBound(ctx context.Context, audit model.AuditID) error {
	if err := o.table.Delete(ctx, table.Key{PK: o.key("CLOCK", string(boundClock)), SK: string(audit)}); err != nil {
		return fmt.Errorf("forget the bound of audit %s: %w", audit, err)
	}
	return nil
}

// AuditsDue yields the connections of all organizations that are due for an
// audit at a moment, the longest overdue of each partition first. It may yield
// one that was served a moment ago.
func (s *Store) AuditsDue(ctx context.Context, now time.Time) iter.Seq2[Due, error] {
	return s.due(ctx, startClock, now)
}

// Chores yields what is due in all organizations beside audits: deleted connections that are
// to be purged and, without a connection, that trends are to be brought up to date.
func (s *Store) Chores(ctx context.Context, now time.Time) iter.Seq2[Due, error] {
	return s.due(ctx, purgeClock, now)
}

// Overdue yields the audits of all organizations whose bound is over.
func (s *Store) Overdue(ctx context.Context, now time.Time) iter.Seq2[Due, error] {
	return s.due(ctx, boundClock, now)
}

func (s *Store) due(ctx context.Context, c clock, now time.Time) iter.Seq2[Due, error] {
	return func(yield func(Due, error) bool) {
		for shard := range clockShards {
			// The clock is read each minute: what is not due is not read at all.
			q := table.Query{
				Index: true, PK: table.Path("CLOCK", string(c), strconv.Itoa(shard)),
				Before: now.UTC().Add(time.Second).Format(time.RFC3339),
			}
			for d, err := range each[Due](ctx, s.table, q, nil) {
				if err != nil {
					yield(d, fmt.Errorf("read the clock: %w", err))
					return
				}
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

// OwnedConnection is a connection with the organization that it belongs to.
type OwnedConnection struct {
	Organization model.OrganizationID
	Connection   model.ConnectionID
}

// Connections are all connections of all organizations among the items of a whole table,
// but for those that are deleted.
func Connections(items iter.Seq2[table.Item, error]) (map[OwnedConnection]bool, error) {
	all := map[OwnedConnection]bool{}
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		org, kind := kindOf(item.PK)
		if kind != "CONNECTION" {
			continue
		}
		var c model.Connection
		if err := decode(item, &c); err != nil {
			return nil, err
		}
		if c.State != model.ConnectionDeleted {
			all[OwnedConnection{org, model.ConnectionID(item.SK)}] = true
		}
	}
	return all, nil
}
