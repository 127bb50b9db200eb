package secret

import (
	"container/list"
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// Cached is the wrapper w with a memory for data keys, because every call of KMS
// is paid for. It keeps the size keys that were used last, each for at most maxAge
// since it was opened or made: for so long a master key that was taken away still
// opens what it opened before. A nil clock means time.Now. Errors are not kept.
func Cached(w Wrapper, size int, maxAge time.Duration, clock func() time.Time) Wrapper {
	if clock == nil {
		clock = time.Now
	}
	return &cached{w: w, size: max(size, 0), maxAge: maxAge, clock: clock, byID: map[cacheID]*list.Element{}}
}

type cached struct {
	w      Wrapper
	size   int
	maxAge time.Duration
	clock  func() time.Time

	mu   sync.Mutex
	byID map[cacheID]*list.Element // of *kept
	used list.List                 // the last used first
}

// cacheID is a digest of owner and wrapped key, so that nobody gets another
// owner's key.
type cacheID [sha256.Size]byte

type kept struct {
	id    cacheID
	key   DataKey
	until time.Time
}

// Generate implements Wrapper.
func (c *cached) Generate(ctx context.Context, owner Owner) (DataKey, error) {
	key, err := c.w.Generate(ctx, owner)
	if err == nil {
		c.keep(idOf(owner, key.Wrapped), key)
	}
	return key, err
}

// Unwrap implements Wrapper.
func (c *cached) Unwrap(ctx context.Context, owner Owner, wrapped []byte) (DataKey, error) {
	if err := ctx.Err(); err != nil {
		return DataKey{}, err
	}
	id := idOf(owner, wrapped)
	if key, ok := c.find(id); ok {
		return key, nil
	}
	key, err := c.w.Unwrap(ctx, owner, wrapped)
	if err == nil {
		c.keep(id, key)
	}
	return key, err
}

// Rewrap implements Wrapper.
func (c *cached) Rewrap(ctx context.Context, owner Owner, wrapped []byte) ([]byte, error) {
	return c.w.Rewrap(ctx, owner, wrapped)
}

// Hold holds the wrapper, if it can be held.
func (c *cached) Hold(ctx context.Context) (release func(), err error) { return Hold(ctx, c.w) }

func idOf(owner Owner, wrapped []byte) cacheID {
	return sha256.Sum256(append(owner.Bytes(), wrapped...))
}

func (c *cached) find(id cacheID) (DataKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byID[id]
	if e == nil {
		return DataKey{}, false
	}
	k := e.Value.(*kept)
	if !c.clock().Before(k.until) {
		c.drop(e)
		return DataKey{}, false
	}
	c.used.MoveToFront(e)
	return k.key.clone(), true
}

func (c *cached) keep(id cacheID, key DataKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[id]; e != nil {
		c.drop(e)
	}
	c.byID[id] = c.used.PushFront(&kept{id: id, key: key.clone(), until: c.clock().Add(c.maxAge)})
	for c.used.Len() > c.size {
		c.drop(c.used.Back())
	}
}

// drop forgets an entry; c.mu is held.
func (c *cached) drop(e *list.Element) {
	delete(c.byID, c.used.Remove(e).(*kept).id)
}

// clone is the key with a Wrapped of its own.
func (k DataKey) clone() DataKey {
	k.Wrapped = slices.Clone(k.Wrapped)
	return k
}
