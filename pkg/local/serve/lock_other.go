//go:build !unix

package serve

import (
	"errors"
	"io/fs"
	"os"
)

// lock keeps another server from the same state, by a file that only one can make. One that
// a killed process left behind must be removed by hand: whether it is still needed, nobody
// can tell.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, errServed
	}
	if err != nil {
		return nil, err
	}
	return func() { f.Close(); _ = os.Remove(path) }, nil
}
