package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// PutPurge says when a deleted connection is to be purged.
func (o *Organization) PutPurge(ctx context.Context, connection model.ConnectionID, at time.Time) error {
	return o.putClock(ctx, purgeClock, Due{Organization: o.id, Connection: connection, At: at})
}

// DeletePurge forgets that a connection is to be purged.
func (o *Organization) DeletePurge(ctx context.Context, connection model.ConnectionID) error {
	if err := o.table.Delete(ctx, table.Key{PK: o.key("CLOCK", string(purgeClock)), SK: string(connection)}); err != nil {
		return fmt.Errorf("end the purge of connection %s: %w", connection, err)
	}
	return nil
}

// receipt is a receipt with what only the purge has to know.
type receipt struct {
	model.Receipt
	Purging *purging `json:"purging,omitempty"` // while the purge goes on
}

// purging is how far a purge has come. What is counted is named before it is
// deleted, so that whoever goes on after a death deletes it again, and counts
// nothing twice.
type purging struct {
	// Page is the records that were counted last; some may still be there.
	Page []part `json:"page,omitempty"`
	// Objects is the key up to which blobs were counted, in the order of their keys.
	Objects string `json:"objects,omitempty"`
}

// part is some records of one partition. It does not repeat the partition's key,
// since a page of a thousand is written as often as one is deleted.
type part struct {
	PK string   `json:"pk"`
	SK []string `json:"sk"`
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

// PutReceipt writes the receipt of a deletion over that of any before. A purge
// that is under way ends with ErrConflict.
func (o *Organization) PutReceipt(ctx context.Context, r model.Receipt) error {
	_, err := table.Update(ctx, o.table, o.receiptKey(r.Connection), func(item *table.Item) error {
		written, err := encode(item.Key, item.Index, item.Version, receipt{Receipt: r})
		item.Body = written.Body
		return err
	})
	if err != nil {
		return fmt.Errorf("write the receipt of connection %s: %w", r.Connection, err)
	}
	return nil
}

// Bounds of one page of a purge: how many records are counted at once, and how
// many bytes of keys the receipt may have to name them by.
const (
	purgePage  = 1000
	purgeBytes = 128 << 10
)

// Purge is the purge of a deleted connection, as far as it has come. Of several
// that do the same one goes on; the others get ErrConflict when they count, and
// may leave it to that one.
type Purge struct {
	org        *Organization
	connection model.ConnectionID
	record     receipt
	version    int64
}

// Purge begins the purge of a connection, or goes on with it.
func (o *Organization) Purge(ctx context.Context, connection model.ConnectionID) (*Purge, error) {
	p := &Purge{org: o, connection: connection, record: receipt{Receipt: model.Receipt{Connection: connection}}}
	item, err := o.get(ctx, o.receiptKey(connection), &p.record)
	if err != nil && !isMissing(err) {
		return nil, fmt.Errorf("receipt of connection %s: %w", connection, err)
	}
	p.version = item.Version
	return p, nil
}

// note counts, and remembers what is counted.
func (p *Purge) note(ctx context.Context, records, objects int, change func(*purging)) error {
	next, progress := p.record, purging{}
	if p.record.Purging != nil {
		progress = *p.record.Purging
	}
	change(&progress)
	next.Purging = &progress
	if next.PurgedAt.IsZero() { // else all was counted before
		next.Records += records
		next.Objects += objects
	}
	return p.put(ctx, next)
}

func (p *Purge) put(ctx context.Context, next receipt) error {
	item, err := encode(p.org.receiptKey(p.connection), table.Key{}, p.version, next)
	if err != nil {
		return err
	}
	if err := p.org.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write the receipt of connection %s: %w", p.connection, err)
	}
	p.record, p.version = next, p.version+1
	return nil
}

// Objects counts blobs that are about to be deleted: some of the connection's, in
// the order of their keys, that come after those of the call before. Those that
// were counted before somebody died are not counted again.
func (p *Purge) Objects(ctx context.Context, keys []string) error {
	n, last := 0, ""
	if p.record.Purging != nil {
		last = p.record.Purging.Objects
	}
	for _, key := range keys {
		if key > last {
			n, last = n+1, key
		}
	}
	if n == 0 {
		return nil
	}
	return p.note(ctx, 0, n, func(u *purging) { u.Objects = last })
}

// errPaused ends a walk that is gone on with later.
var errPaused = errors.New("the purge goes on later")

// Records deletes everything that is kept of the connection in the table, but for
// the connection itself, its receipt, and that it is to be purged. Scopes are those
// that it may have findings in, beside those that it has a record of. After each
// page more is asked whether to go on; done says that nothing is left.
func (p *Purge) Records(ctx context.Context, scopes []string, more func() bool) (done bool, err error) {
	w := &sweep{purge: p, more: more}
	err = w.redo(ctx)
	if err == nil {
		err = w.walk(ctx, scopes)
	}
	if err == nil {
		err = w.flush(ctx)
	}
	switch {
	case errors.Is(err, errPaused):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("purge connection %s: %w", p.connection, err)
	}
	return true, nil
}

// Receipt is what the receipt will say at the end, if nothing more is found to purge.
func (p *Purge) Receipt() model.Receipt {
	r := p.record.Receipt
	if r.PurgedAt.IsZero() {
		r.Records++ // the connection
	}
	return r
}

// Finish is the end of a purge of which all records and objects are gone: the
// receipt says so, and the connection goes, after that its moment to be purged.
func (p *Purge) Finish(ctx context.Context, now time.Time) error {
	if p.record.PurgedAt.IsZero() || p.record.Purging != nil {
		next := p.record
		next.Purging = nil
		if next.PurgedAt.IsZero() {
			next.Records++ // the connection
			next.PurgedAt = now
		}
		if err := p.put(ctx, next); err != nil {
			return err
		}
	}
	if err := p.org.table.Delete(ctx, p.org.connectionKey(p.connection)); err != nil {
		return fmt.Errorf("purge connection %s: %w", p.connection, err)
	}
	return p.org.DeletePurge(ctx, p.connection)
}

// sweep gathers records until they are a page, and deletes them.
type sweep struct {
	purge *Purge
	more  func() bool
	keys  []table.Key
	bytes int
}

// redo deletes what was counted last: whoever did may have died over it.
func (w *sweep) redo(ctx context.Context) error {
	if w.purge.record.Purging == nil {
		return nil
	}
	var keys []table.Key
	for _, p := range w.purge.record.Purging.Page {
		for _, sk := range p.SK {
			keys = append(keys, table.Key{PK: p.PK, SK: sk})
		}
	}
	return w.purge.org.table.DeleteMany(ctx, keys)
}

func (w *sweep) add(ctx context.Context, keys ...table.Key) error {
	for _, k := range keys {
		w.keys = append(w.keys, k)
		w.bytes += len(k.PK) + len(k.SK)
		if len(w.keys) < purgePage && w.bytes < purgeBytes {
			continue
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
		if !w.more() { // after a page, so that every run has one
			return errPaused
		}
	}
	return nil
}

// flush counts what is gathered, and deletes it.
func (w *sweep) flush(ctx context.Context) error {
	if len(w.keys) == 0 {
		return nil
	}
	var page []part
	for _, k := range w.keys {
		if n := len(page); n == 0 || page[n-1].PK != k.PK {
			page = append(page, part{PK: k.PK})
		}
		last := &page[len(page)-1]
		last.SK = append(last.SK, k.SK)
	}
	if err := w.purge.note(ctx, len(w.keys), 0, func(u *purging) { u.Page = page }); err != nil {
		return err
	}
	if err := w.purge.org.table.DeleteMany(ctx, w.keys); err != nil {
		return err
	}
	w.keys, w.bytes = w.keys[:0], 0
	return nil
}

// walk gathers everything. What leads to others comes after them, an audit after
// its tasks and a scope after its findings, so that nothing is orphaned by who dies
// in between.
func (w *sweep) walk(ctx context.Context, scopes []string) error {
	// Whoever has an index hid it before; each connection has a mark from its beginning.
	if err := w.purge.org.table.Delete(ctx, w.purge.org.markKey(w.purge.connection)); err != nil {
		return err
	}
	if err := w.bounds(ctx); err != nil {
		return err
	}
	if err := w.audits(ctx); err != nil {
		return err
	}
	if err := w.findings(ctx, scopes); err != nil {
		return err
	}
	o, connection := w.purge.org, w.purge.connection
	for _, kind := range []string{"SCOPE", "CALLS", "TREND"} {
		if err := w.partition(ctx, o.key(kind, string(connection))); err != nil {
			return err
		}
	}
	sealed, err := o.AccessKeyIDs(ctx, connection)
	if err != nil {
		return err
	}
	var keys []table.Key
	for _, id := range sealed { // the data key first: what it sealed leads to it
		keys = append(keys, o.dataKeyKey(DataKeyOf(connection, id)), o.sealedKey(connection, id))
	}
	for _, key := range append(keys, []table.Key{
		{PK: o.key("CLOCK", string(startClock)), SK: string(connection)}, o.claimKey(connection), o.stateKey(connection), o.verifiedKey(connection), o.accessRecord(connection), o.dataKeyKey(string(connection)),
	}...) {
		_, err := o.table.Get(ctx, key)
		if err == nil {
			err = w.add(ctx, key)
		}
		if err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}

// findings gathers the findings of all scopes: of those given, wherever they may
// lie, and of those that the connection has a record of, which may be of a service
// that this version does not have any more.
func (w *sweep) findings(ctx context.Context, scopes []string) error {
	o, connection := w.purge.org, w.purge.connection
	partitions := map[string]bool{}
	for _, scope := range scopes {
		for _, parts := range []int{1, manyParts} {
			for _, pk := range o.partitions(connection, scope, parts) {
				partitions[pk] = true
			}
		}
	}
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("SCOPE", string(connection)), Limit: table.MaxLimit}) {
		var scope Scope
		if err == nil {
			err = decode(item, &scope)
		}
		if err != nil {
			return err
		}
		for _, pk := range o.partitions(connection, item.SK, scope.Parts) {
			partitions[pk] = true
		}
	}
	for _, pk := range slices.Sorted(maps.Keys(partitions)) {
		if err := w.partition(ctx, pk); err != nil {
			return err
		}
	}
	return nil
}

// partition gathers all records of a partition.
func (w *sweep) partition(ctx context.Context, pk string) error {
	for item, err := range table.All(ctx, w.purge.org.table, table.Query{PK: pk, Limit: table.MaxLimit}) {
		if err == nil {
			err = w.add(ctx, item.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keys are those of a small partition.
func (o *Organization) keys(ctx context.Context, parts ...string) (keys []table.Key, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key(parts...), Limit: table.MaxLimit}) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, item.Key)
	}
	return keys, nil
}

// bounds gathers the connection's among the organization's moments at which
// audits must have ended. Only audits that run have one, so they are few.
func (w *sweep) bounds(ctx context.Context) error {
	for item, err := range table.All(ctx, w.purge.org.table, table.Query{PK: w.purge.org.key("CLOCK", string(boundClock)), Limit: table.MaxLimit}) {
		var due Due
		if err == nil {
			err = decode(item, &due)
		}
		if err == nil && due.Connection == w.purge.connection {
			err = w.add(ctx, item.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// How many audits are gathered at a time, and of how many of them is asked at
// once: years of audits are four queries each.
const (
	purgeAudits  = 48
	auditsAtOnce = 8
)

// audits gathers all audits of the connection, each after what belongs to it.
func (w *sweep) audits(ctx context.Context) error {
	o := w.purge.org
	q := table.Query{PK: o.key("AUDIT", string(w.purge.connection)), Limit: purgeAudits}
	for {
		page, err := o.table.Query(ctx, q)
		if err != nil {
			return err
		}
		found := make([][]table.Key, len(page.Items))
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(auditsAtOnce)
		for i, audit := range page.Items {
			group.Go(func() error {
				for _, of := range [][]string{{"TASK", audit.SK}, {"OPEN", audit.SK}, {"OUTBOX", audit.SK}, {"AUDIT", string(w.purge.connection), audit.SK}} {
					keys, err := o.keys(gctx, of...)
					if err != nil {
						return err
					}
					found[i] = append(found[i], keys...)
				}
				found[i] = append(found[i], audit.Key)
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for _, keys := range found {
			if err := w.add(ctx, keys...); err != nil {
				return err
			}
		}
		if page.Cursor == "" {
			return nil
		}
		q.Cursor = page.Cursor
	}
}
