package lockfile_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/lockfile"
)

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			unlock, err := lockfile.Lock(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			inside.Add(-1)
			unlock()
		})
	}
	all.Wait()
}

func TestHeld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockfile.Share(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := lockfile.Share(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	second()
	if _, err := lockfile.Try(path); !errors.Is(err, lockfile.ErrHeld) {
		t.Errorf("beside one who shares: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lockfile.Lock(over, path); !errors.Is(err, lockfile.ErrHeld) || !errors.Is(err, context.Canceled) {
		t.Errorf("waited for in vain: %v", err)
	}
	first()
	unlock, err := lockfile.Try(path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
