package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"modernc.org/sqlite"
)

// What can be the matter with the file; compare with errors.Is. None of them
// ever alters or removes it.
var (
	// ErrForeign says that the file is something else than a CloudArq table.
	ErrForeign = errors.New("not a CloudArq table")
	// ErrNewer says that a newer version of CloudArq made the file.
	ErrNewer = errors.New("written by a newer version of CloudArq")
	// ErrCorrupt says that the file is damaged; restore it from a copy, or
	// move it away to begin anew.
	ErrCorrupt = errors.New("table file is damaged")
	// ErrLocked says that another process held the file for all of Options.Wait.
	ErrLocked = errors.New("table file is in use by another process")
	// ErrReadOnly says that the file or its directory must not be written.
	ErrReadOnly = errors.New("table file is not writable")
	// ErrFull says that the disk (or quota) is full; what was stored is intact.
	ErrFull = errors.New("no space left for the table file")
	// ErrDisk says that the system failed to read or write; SQLite does not tell
	// why. A limit on the size of files is met as this, too.
	ErrDisk = errors.New("table file could not be read or written")
)

// Primary result codes, https://sqlite.org/rescode.html.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
	// SQLITE_IOERR_SHMSIZE: the index of the log could not grow. The system's
	// reason is lost on the way; it is nearly always a full disk.
	codeSHMSize = codeIO | 19<<8
)

// explain adds the sentinel that belongs to an error of SQLite or the system.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if s := sentinel(err); s != nil {
		return fmt.Errorf("%w: %w", s, err)
	}
	return err
}

func sentinel(err error) error {
	for _, ours := range []error{ErrForeign, ErrNewer, ErrCorrupt, ErrLocked, ErrReadOnly, ErrFull, ErrDisk} {
		if errors.Is(err, ours) {
			return nil
		}
	}
	var e *sqlite.Error
	switch {
	case errors.As(err, &e):
		return byCode(e.Code())
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return ErrFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ErrReadOnly
	}
	return nil
}

func byCode(code int) error {
	if code == codeSHMSize {
		return ErrFull
	}
	switch code & 0xff {
	case codeBusy, codeLocked:
		return ErrLocked
	case codeReadOnly, codeCantOpen:
		return ErrReadOnly
	case codeIO:
		return ErrDisk
	case codeCorrupt:
		return ErrCorrupt
	case codeFull:
		return ErrFull
	case codeNotADB:
		return ErrForeign
	}
	return nil
}

// retry repeats op while another process holds a lock, for at most t.wait.
// SQLite's own waiting would not end with the context.
func (t *Table) retry(ctx context.Context, op func() error) error {
	began := time.Now()
	for {
		err := op()
		if ctx.Err() != nil && err != nil {
			return ctx.Err() // SQLite says "interrupted"
		}
		if !isBusy(err) || time.Since(began) >= t.wait {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && byCode(e.Code()) == ErrLocked
}

// write runs op alone among the writers of this process, so that only other
// processes are met as locks.
func (t *Table) write(ctx context.Context, op func() error) error {
	select {
	case t.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.writer }()
	return t.retry(ctx, op)
}
