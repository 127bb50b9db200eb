// Package table is the one way to records: seven methods that DynamoDB does well
// and SQLite can mirror exactly. There are no filters, scans or transactions;
// what a key cannot answer is written in advance.
//
// Drivers live in sub-packages; tabletest holds the suite that each one passes.
package table

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits that every driver enforces, whatever its engine could hold; they are
// DynamoDB's, so that what works on a laptop works when deployed.
const (
	MaxPK    = 2048       // bytes in a partition key
	MaxSK    = 1024       // bytes in a sort key
	MaxItem  = 400 * 1024 // bytes in an item, as Item.Size counts them
	MaxPage  = 1 << 20    // bytes after which a page ends early
	MaxLimit = 1000       // items in a page
	defLimit = 100        // items in a page when Query.Limit is 0
	overhead = 100        // bytes allowed for attribute names, version and expiry
)

// What a driver answers; compare with errors.Is. Anything else is the engine's.
var (
	// ErrNotFound says that no live item has the key.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the item's version is not the stored one: somebody
	// else wrote, created or deleted it. Read again, decide again, or use Update.
	ErrConflict = errors.New("version conflict")
	// ErrCursor says that a cursor is damaged or belongs to another query.
	ErrCursor = errors.New("cursor does not belong to this query")
	// ErrTooLarge says that an item is larger than MaxItem.
	ErrTooLarge = errors.New("item too large")
	// ErrInvalid says that a key, a limit or a batch can never be accepted: an
	// error of the program, not of the moment.
	ErrInvalid = errors.New("invalid")
)

// Table stores items under two-part keys. All methods are safe for concurrent
// use and return errors that wrap this package's sentinels where they apply.
//
// Get and a Query of the primary path see every write that was acknowledged
// before they began. A Query of the index path may lag behind (DynamoDB's
// indexes are eventually consistent, usually within a second): an item may be
// missing, stale or still listed under its old index key. Whoever needs
// certainty reads the item again by its key.
type Table interface {
	// Get returns the item under k, or ErrNotFound if there is none or it expired.
	Get(ctx context.Context, k Key) (Item, error)

	// Put writes the item if it.Version is the stored version, and answers
	// ErrConflict otherwise. Version 0 means that no live item may exist (an
	// expired one counts as absent). The stored version is then it.Version + 1;
	// it is not returned, as the caller can only have that one. Nothing of it
	// is retained.
	Put(ctx context.Context, it Item) error

	// PutMany writes all items unconditionally, over whatever is there: it is
	// for rows whose content follows from their inputs, so that writing them
	// again is harmless. The stored versions are it.Version + 1, as with Put.
	// Do not use Put on such keys: an overwrite may bring back an old version.
	//
	// Invalid items, and two items with one key, are refused before anything is
	// written. After any other error some of the items may be written; repeat
	// the whole call. It is not a transaction: readers may see a part.
	PutMany(ctx context.Context, its []Item) error

	// Delete removes the item under k, of whatever version. Deleting what does
	// not exist is no error.
	Delete(ctx context.Context, k Key) error

	// DeleteMany removes the items under all keys, of whatever versions. Keys
	// under which there is nothing are no error.
	//
	// Invalid keys, and a key that is there twice, are refused before anything is
	// deleted. After any other error some of the items may be gone; repeat the
	// whole call. It is not a transaction: readers may see a part.
	DeleteMany(ctx context.Context, ks []Key) error

	// Add counts: it adds n, at least 1, to the version of the item under k, whatever that
	// is, and returns the sum. An item that is not there, or expired, begins with n and
	// expires when it is said; one that has a moment to expire keeps it. Counters have no body,
	// and nothing but Add writes them. A sum may be too high by a call whose answer was
	// lost and that was made again; it is never too low.
	Add(ctx context.Context, k Key, n int64, expires time.Time) (sum int64, err error)

	// Query returns one page of live items. A page without items has an empty
	// cursor and nothing follows it; a page with items may be shorter than the
	// limit (MaxPage) and still have a cursor. Use All to follow cursors.
	Query(ctx context.Context, q Query) (Page, error)
}

// Key names an item: a partition, and a place in the partition's order. Both
// parts are non-empty valid UTF-8 without NUL, ordered by bytes. Partitions are
// the unit of load and of tenancy: never use a constant one.
type Key struct {
	PK string // at most MaxPK bytes
	SK string // at most MaxSK bytes
}

// String shows the key for messages.
func (k Key) String() string { return fmt.Sprintf("%q/%q", k.PK, k.SK) }

// IsZero says whether both parts are empty.
func (k Key) IsZero() bool { return k == Key{} }

// Check returns ErrInvalid with the reason if no driver would accept the key.
func (k Key) Check() error {
	if err := checkPart("partition key", k.PK, MaxPK); err != nil {
		return err
	}
	return checkPart("sort key", k.SK, MaxSK)
}

func checkPart(what, s string, limit int) error {
	if s == "" {
		return fmt.Errorf("%w: %s is empty", ErrInvalid, what)
	}
	return checkText(what, s, limit)
}

func checkText(what, s string, limit int) error {
	switch {
	case len(s) > limit:
		return fmt.Errorf("%w: %s has %d bytes, at most %d", ErrInvalid, what, len(s), limit)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: %s %q is not UTF-8", ErrInvalid, what, s)
	case strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("%w: %s %q contains NUL", ErrInvalid, what, s)
	}
	return nil
}

// Item is one record.
type Item struct {
	Key

	// Index is a second path to the item, found by Query.Index; the zero Key
	// means none. Many items may share one index key; among those the order is
	// the driver's, but each appears once.
	Index Key

	// Version counts writes: 0 has never been written, 1 after the first Put.
	Version int64

	// Body is JSON by convention; drivers carry it unread, byte for byte.
	// Empty and nil are the same.
	Body []byte

	// Expires is when the item ceases to exist for all readers, in whole
	// seconds (fractions are cut off); the zero time means never.
	Expires time.Time
}

// Size counts the item's bytes against MaxItem: keys, body and a constant.
func (it Item) Size() int {
	return len(it.PK) + len(it.SK) + len(it.Index.PK) + len(it.Index.SK) + len(it.Body) + overhead
}

// Check returns ErrInvalid or ErrTooLarge with the reason if no driver would
// accept the item.
func (it Item) Check() error {
	if err := it.Key.Check(); err != nil {
		return err
	}
	if !it.Index.IsZero() {
		if err := it.Index.Check(); err != nil {
			return fmt.Errorf("index of %s: %w", it.Key, err)
		}
	}
	if it.Version < 0 {
		return fmt.Errorf("%w: version %d of %s", ErrInvalid, it.Version, it.Key)
	}
	if n := it.Size(); n > MaxItem {
		return fmt.Errorf("%w: %s has %d bytes, at most %d", ErrTooLarge, it.Key, n, MaxItem)
	}
	return nil
}

// ExpiresUnix is Expires as drivers store it: seconds since 1970, 0 for never.
func (it Item) ExpiresUnix() int64 {
	if it.Expires.IsZero() {
		return 0
	}
	return max(it.Expires.Unix(), 1)
}

// ExpiresAt is the inverse of Item.ExpiresUnix, in UTC.
func ExpiresAt(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

// Counter is the item that Add makes of a key where there is none, and the check that it
// makes before.
func Counter(k Key, n int64, expires time.Time) (Item, error) {
	if n < 1 {
		return Item{}, fmt.Errorf("%w: %d is not at least 1", ErrInvalid, n)
	}
	it := Item{Key: k, Version: n - 1, Expires: expires}
	return it, it.Check()
}

// CheckMany is the check that PutMany makes before it writes: each item by
// itself, and no key twice.
func CheckMany(its []Item) error {
	seen := make(map[Key]struct{}, len(its))
	for _, it := range its {
		if err := it.Check(); err != nil {
			return err
		}
		if _, dup := seen[it.Key]; dup {
			return fmt.Errorf("%w: %s twice in one batch", ErrInvalid, it.Key)
		}
		seen[it.Key] = struct{}{}
	}
	return nil
}

// CheckKeys is the check that DeleteMany makes before it deletes: each key by
// itself, and none twice.
func CheckKeys(ks []Key) error {
	seen := make(map[Key]struct{}, len(ks))
	for _, k := range ks {
		if err := k.Check(); err != nil {
			return err
		}
		if _, dup := seen[k]; dup {
			return fmt.Errorf("%w: %s twice in one batch", ErrInvalid, k)
		}
		seen[k] = struct{}{}
	}
	return nil
}
