package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// How a change is logged, so that none is lost and none is there twice, whoever dies
// between two lines. There are no transactions; the record is what counts.
//
//  1. An intent is written: a record may soon carry this entry.
//  2. The record is written with the entry inside.
//  3. The entry is appended to the chain, under the next number.
//  4. The intent is removed.
//
// An entry that still has an intent may not be in the chain: before its record has another
// entry it is appended, or found there, and who changes the record without one carries it
// on. What nobody changes again is appended by SettleAdminLog, which goes through the
// intents: whoever reads the log calls it, and whoever purges a record.

// logField is the field of a logged record that carries its entry.
const logField = "$log"

// carried is an entry in its record, with the end of the chain when it was written: the
// entry, if it is in the chain, comes after that.
type carried struct {
	Entry     model.AdminEntry `json:"entry"`
	After     int64            `json:"after"`
	AfterHash string           `json:"after_hash,omitempty"`
}

// intent says which record may carry an entry.
type intent struct {
	PK string    `json:"pk"`
	SK string    `json:"sk"`
	At time.Time `json:"at"`
}

// intentAge is how old an intent is before nobody can write its record any more.
const intentAge = time.Hour

func (o *Organization) adminLogKey(seq int64) table.Key {
	return table.Key{PK: o.key("ADMINLOG"), SK: fmt.Sprintf("%012d", seq)}
}

func (o *Organization) intentKey(id string) table.Key {
	return table.Key{PK: o.key("LOGGING"), SK: id}
}

// putLogged writes a record, as Put does, with an entry of the admin log. object names
// it; redact gives what the log may say of a version of it. A change that has no action,
// or after which the log would say the same, has no entry.
func (o *Organization) putLogged(ctx context.Context, item table.Item, by model.Change, object string, redact func(body []byte) (json.RawMessage, error)) error {
	if by.Action == "" {
		return o.putCarrying(ctx, item)
	}
	entry := model.AdminEntry{
		ID: ulid.Make().String(), At: by.At.UTC(), Actor: by.Actor, Address: by.Address, Action: by.Action, Object: object,
	}
	stored, err := o.stored(ctx, item)
	if err != nil {
		return err
	}
	if entry.After, err = redacted(item.Body, redact); err != nil {
		return err
	}
	if stored != nil {
		if entry.Before, err = redacted(stored, redact); err != nil {
			return err
		}
		if bytes.Equal(entry.Before, entry.After) {
			return o.carryOn(ctx, item, stored)
		}
		if err := o.settle(ctx, stored); err != nil {
			return err
		}
	}
	last, err := o.lastEntry(ctx)
	if err != nil {
		return err
	}
	c := carried{Entry: entry, After: last.Seq, AfterHash: last.Hash}
	if item.Body, err = carry(item.Body, c); err != nil {
		return err
	}
	if err := item.Check(); err != nil {
		return err
	}
	wanted, err := encode(o.intentKey(entry.ID), table.Key{}, 0, intent{item.PK, item.SK, by.At.UTC()})
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, wanted); err != nil && !isConflict(err) { // there is none by its name but itself
		return err
	}
	if err := o.table.Put(ctx, item); errors.Is(err, table.ErrConflict) {
		if written, e := o.carries(ctx, item.Key, entry.ID); e != nil {
			return errors.Join(err, e)
		} else if !written { // nothing was changed
			return errors.Join(err, o.table.Delete(ctx, wanted.Key))
		} // a write whose answer was lost was repeated, and met itself
	} else if err != nil {
		return err
	}
	return o.append(ctx, c)
}

// putCarrying writes a record, changes of which others log, and carries on what of those
// may not be in the chain yet: whoever may not write the chain loses nothing of it.
func (o *Organization) putCarrying(ctx context.Context, item table.Item) error {
	stored, err := o.stored(ctx, item)
	if err != nil {
		return err
	}
	return o.carryOn(ctx, item, stored)
}

func (o *Organization) carryOn(ctx context.Context, item table.Item, stored []byte) error {
	if stored != nil {
		c, err := carriedBy(stored)
		if err != nil {
			return err
		}
		if c != nil {
			if item.Body, err = carry(item.Body, *c); err != nil {
				return err
			}
		}
	}
	return o.table.Put(ctx, item)
}

// stored is the record that an item is to replace; nil of a new one. ErrConflict says that
// there is another.
func (o *Organization) stored(ctx context.Context, item table.Item) ([]byte, error) {
	if item.Version == 0 {
		return nil, nil
	}
	stored, err := o.table.Get(ctx, item.Key)
	if isMissing(err) || err == nil && stored.Version != item.Version {
		return nil, table.ErrConflict
	}
	return stored.Body, err
}

// carries reports whether a record has an entry.
func (o *Organization) carries(ctx context.Context, key table.Key, id string) (bool, error) {
	record, err := o.table.Get(ctx, key)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c, err := carriedBy(record.Body)
	return c != nil && c.Entry.ID == id, err
}

// maxLogged is how many bytes of one field the log shows: an entry travels in its record,
// and both are to fit into an item.
const maxLogged = 4 << 10

// tooLong stands in the log for a field that is longer.
type tooLong struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// redacted is what the log says of a record: what redact gives, of which long fields are
// named by their size and digest.
func redacted(body []byte, redact func([]byte) (json.RawMessage, error)) (json.RawMessage, error) {
	if isGone(body) {
		return nil, nil
	}
	said, err := redact(body)
	if err != nil || len(said) <= maxLogged {
		return said, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(said, &fields); err != nil {
		return nil, err
	}
	for name, value := range fields {
		if len(value) > maxLogged {
			if fields[name], err = json.Marshal(tooLong{len(value), digest(string(value))}); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(fields)
}

// nothingSecret is what the log may say of a record that has no secrets: all of it.
func nothingSecret[T any](body []byte) (json.RawMessage, error) {
	var record T
	if err := json.Unmarshal(body, &record); err != nil {
		return nil, err
	}
	return json.Marshal(record)
}

// gone is what is written in the place of a record that is removed, so that there is
// something to carry the entry. Nothing of the record is left in it.
const gone = `{"$gone":true}`

// goneAge is how long that stays: SettleAdminLog comes by long before it is over.
const goneAge = 30 * 24 * time.Hour

// isGone reports whether a record was removed.
func isGone(body []byte) bool {
	var record struct {
		Gone bool `json:"$gone"`
	}
	return json.Unmarshal(body, &record) == nil && record.Gone
}

// carry puts an entry into the JSON of a record.
func carry(body []byte, c carried) ([]byte, error) {
	log, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	body = bytes.TrimSpace(body)
	if len(body) < 2 || body[0] != '{' {
		return nil, fmt.Errorf("a logged record is no JSON object")
	}
	out := append([]byte(`{"`+logField+`":`), log...)
	if rest := bytes.TrimSpace(body[1:]); rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, body[1:]...), nil
}

// carriedBy is the entry that a record carries; nil if none.
func carriedBy(body []byte) (*carried, error) {
	var record struct {
		Log *carried `json:"$log"`
	}
	if err := json.Unmarshal(body, &record); err != nil {
		return nil, err
	}
	return record.Log, nil
}

// settle makes sure that the entry which a record carries is in the chain.
func (o *Organization) settle(ctx context.Context, body []byte) error {
	c, err := carriedBy(body)
	if err != nil || c == nil {
		return err
	}
	_, err = o.table.Get(ctx, o.intentKey(c.Entry.ID))
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return o.append(ctx, *c)
}

// append gives an entry the next number of the chain, unless it has one, and removes its
// intent.
func (o *Organization) append(ctx context.Context, c carried) error {
	for {
		seq, hash, found := c.After, c.AfterHash, false
		for e, err := range o.AdminLog(ctx, c.After) {
			if err != nil {
				return err
			}
			if seq, hash = e.Seq, e.Hash; e.ID == c.Entry.ID {
				found = true
				break
			}
		}
		if found {
			break
		}
		e := c.Entry
		e.Seq, e.Prev = seq+1, hash
		var err error
		if e.Hash, err = e.Sum(); err != nil {
			return err
		}
		item, err := encode(o.adminLogKey(e.Seq), table.Key{}, 0, e)
		if err != nil {
			return err
		}
		if err = o.table.Put(ctx, item); err == nil {
			break
		}
		if !isConflict(err) {
			return fmt.Errorf("append to the admin log of organization %s: %w", o.id, err)
		}
	}
	if err := o.table.Delete(ctx, o.intentKey(c.Entry.ID)); err != nil {
		return fmt.Errorf("append to the admin log of organization %s: %w", o.id, err)
	}
	return nil
}

// lastEntry is the end of the chain; zero if there is none.
func (o *Organization) lastEntry(ctx context.Context) (e model.AdminEntry, err error) {
	page, err := o.table.Query(ctx, table.Query{PK: o.key("ADMINLOG"), Desc: true, Limit: 1})
	if err == nil && len(page.Items) > 0 {
		err = decode(page.Items[0], &e)
	}
	if err != nil {
		return e, fmt.Errorf("admin log of organization %s: %w", o.id, err)
	}
	return e, nil
}

// AdminLog yields the entries of the admin log after a number, the oldest first.
func (o *Organization) AdminLog(ctx context.Context, after int64) iter.Seq2[model.AdminEntry, error] {
	q := table.Query{PK: o.key("ADMINLOG")}
	if after > 0 {
		q.Cursor = q.CursorAfter(table.Item{Key: o.adminLogKey(after)})
	}
	return each[model.AdminEntry](ctx, o.table, q, nil)
}

// AdminLogPage is some entries, the newest first, that follow a cursor of an earlier
// page.
func (o *Organization) AdminLogPage(ctx context.Context, cursor string, limit int) (page []model.AdminEntry, next string, err error) {
	page, next, err = onePage[model.AdminEntry](ctx, o.table, table.Query{PK: o.key("ADMINLOG"), Desc: true, Cursor: cursor, Limit: limit}, nil)
	if err != nil {
		return nil, "", fmt.Errorf("admin log of organization %s: %w", o.id, err)
	}
	return page, next, nil
}

// SettleAdminLog appends what was changed by somebody who died before it was logged, and
// counts it. What it passes over, because its record may still be written, it finds the
// next time.
func (o *Organization) SettleAdminLog(ctx context.Context, now time.Time) (appended int, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("LOGGING")}) {
		if err != nil {
			return appended, fmt.Errorf("settle the admin log of organization %s: %w", o.id, err)
		}
		did, err := o.settleIntent(ctx, item, now)
		if err != nil {
			return appended, fmt.Errorf("settle the admin log of organization %s: %w", o.id, err)
		}
		if did {
			appended++
		}
	}
	return appended, nil
}

func (o *Organization) settleIntent(ctx context.Context, item table.Item, now time.Time) (appended bool, err error) {
	var i intent
	if err := decode(item, &i); err != nil {
		return false, err
	}
	record, err := o.table.Get(ctx, table.Key{PK: i.PK, SK: i.SK})
	if err != nil && !isMissing(err) {
		return false, err
	}
	if err == nil {
		c, err := carriedBy(record.Body)
		if err != nil {
			return false, err
		}
		if c != nil && c.Entry.ID == item.SK {
			return true, o.append(ctx, *c)
		}
	}
	if now.Sub(i.At) < intentAge {
		return false, nil
	}
	return false, o.table.Delete(ctx, item.Key)
}

// ErrBroken says that an admin log is not what was written.
var ErrBroken = errors.New("the admin log was altered")

// VerifyAdminLog goes through the chain, and gives its last entry. ErrBroken names
// the first number that is wrong.
func (o *Organization) VerifyAdminLog(ctx context.Context) (last model.AdminEntry, err error) {
	for e, err := range o.AdminLog(ctx, 0) {
		if err != nil {
			return last, err
		}
		if err := e.Follows(last); err != nil {
			return last, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		last = e
	}
	return last, nil
}
