package table

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// All yields every item of the query, following cursors from q.Cursor on;
// q.Limit is the size of a page. An error is yielded last, with a zero item.
func All(ctx context.Context, t Table, q Query) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for {
			page, err := t.Query(ctx, q)
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, it := range page.Items {
				if !yield(it, nil) {
					return
				}
			}
			if page.Cursor == "" {
				return
			}
			if page.Cursor == q.Cursor {
				yield(Item{}, fmt.Errorf("query %s: cursor does not advance", q))
				return
			}
			q.Cursor = page.Cursor
		}
	}
}

// ErrSkip ends Update without a write and without an error, when the function
// given to it returns it.
var ErrSkip = errors.New("leave the item as it is")

const updateTries = 40

// Update reads the item under k, lets change alter it and puts it back, and
// does so again when somebody else wrote meanwhile. A missing item is given as
// one with version 0. It returns the item as stored (the one read, after
// ErrSkip); change's own error as it is; ErrConflict after 40 lost races.
// Change may run several times and must not alter Key or Version.
func Update(ctx context.Context, t Table, k Key, change func(it *Item) error) (Item, error) {
	for try := 0; ; try++ {
		it, err := t.Get(ctx, k)
		if errors.Is(err, ErrNotFound) {
			it, err = Item{Key: k}, nil
		}
		if err != nil {
			return Item{}, err
		}
		read := it
		if err := change(&it); errors.Is(err, ErrSkip) {
			return read, nil
		} else if err != nil {
			return Item{}, err
		}
		if it.Key != k || it.Version != read.Version {
			return Item{}, fmt.Errorf("update %s: %w: key or version changed", k, ErrInvalid)
		}
		err = t.Put(ctx, it)
		if err == nil {
			it.Version++
			it.Expires = ExpiresAt(it.ExpiresUnix())
			return it, nil
		}
		if !errors.Is(err, ErrConflict) || try+1 == updateTries {
			return Item{}, err
		}
		if err := pause(ctx, try); err != nil {
			return Item{}, fmt.Errorf("update %s: %w", k, err)
		}
	}
}

// pause waits a random time below 2, 4, 8 … 64 ms, so that rivals spread out.
func pause(ctx context.Context, try int) error {
	most := time.Millisecond << min(try+1, 6)
	select {
	case <-time.After(rand.N(most)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
