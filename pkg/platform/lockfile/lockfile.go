// Package lockfile lets one process at a time do what several must not do at once, by a
// file that the system lets go of when the process dies. The file stays: it is empty, and
// removing it would let two processes lock two files of one name.
package lockfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrHeld says that another process has the lock.
var ErrHeld = errors.New("another process holds the lock")

// every is how often a lock that is held is tried again.
const every = 10 * time.Millisecond

// Lock waits until nobody else has the lock, and holds it until unlock.
func Lock(ctx context.Context, path string) (unlock func(), err error) { return wait(ctx, path, true) }

// Share is Lock for many at a time, beside none that Lock.
func Share(ctx context.Context, path string) (unlock func(), err error) {
	return wait(ctx, path, false)
}

// Try is Lock that does not wait: ErrHeld.
func Try(path string) (unlock func(), err error) { return try(path, true) }

func wait(ctx context.Context, path string, alone bool) (unlock func(), err error) {
	for {
		unlock, err := try(path, alone)
		if !errors.Is(err, ErrHeld) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w: %w", path, ErrHeld, ctx.Err())
		case <-time.After(every):
		}
	}
}

func try(path string, alone bool) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := hold(f, alone); err != nil {
		_ = f.Close()
		if errors.Is(err, ErrHeld) {
			return nil, err
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { _ = f.Close() }, nil // which lets go of it
}
