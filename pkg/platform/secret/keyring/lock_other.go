//go:build !unix

package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lock keeps other processes from changing the keyring until unlock, by a file
// that only one can make. One that a killed process left behind must be removed by
// hand: whether it is still needed, nobody can tell.
func lock(path string) (unlock func(), err error) {
	name := path + ".lock"
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return func() { f.Close(); _ = os.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) || time.Now().After(end) {
			return nil, fmt.Errorf("another process may be changing the keyring: %w", err)
		}
	}
}

// share is lock: such a file knows no sharing, and is held for milliseconds.
func share(path string) (unlock func(), err error) { return lock(path) }
