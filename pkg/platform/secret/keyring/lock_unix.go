//go:build unix

package keyring

import (
	"os"
	"syscall"
)

// lock keeps other processes from changing the keyring until unlock. The system
// lets go of it when the process dies. The lock's file stays: it is empty, and
// removing it would let two processes lock two files of one name.
func lock(path string) (unlock func(), err error) { return flock(path, syscall.LOCK_EX) }

// share is lock for many at a time, none of whom changes the keyring.
func share(path string) (unlock func(), err error) { return flock(path, syscall.LOCK_SH) }

func flock(path string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return func() { f.Close() }, nil
}
