// Package sqlite keeps a table in one SQLite file, for the command line and for
// tests. Several processes may use the file at once: readers never wait, and
// writers wait for each other.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Options of Open; the zero value is good.
type Options struct {
	// Clock tells which items have expired; nil means time.Now.
	Clock func() time.Time
	// Wait is how long an operation waits for another process's write before it
	// answers ErrLocked; 0 means 10 seconds.
	Wait time.Duration
}

// Table is a table.Table in a file. Make one with Open.
type Table struct {
	db     *sql.DB
	path   string
	clock  func() time.Time
	wait   time.Duration
	writer chan struct{} // holds a token while this process writes
	writes atomic.Int64
}

// slice is how long SQLite itself waits for a lock. It is short because that
// wait does not see the context; retry goes on until Options.Wait.
const slice = 200 * time.Millisecond

// Open opens the file at path or creates it, with mode 0600, and its directory
// with mode 0700. What exists keeps its mode, and a file that is not a CloudArq
// table of a known version is left as it is: ErrForeign, ErrNewer, ErrCorrupt,
// ErrReadOnly, ErrLocked, ErrFull or ErrDisk say what is the matter.
//
// The file must be on a local disk: SQLite's locks do not work on network mounts.
func Open(ctx context.Context, path string, o Options) (*Table, error) {
	t := &Table{path: path, clock: o.Clock, wait: o.Wait, writer: make(chan struct{}, 1)}
	if t.clock == nil {
		t.clock = time.Now
	}
	if t.wait <= 0 {
		t.wait = 10 * time.Second
	}
	if err := t.open(ctx); err != nil {
		return nil, fmt.Errorf("open table %s: %w", path, explain(err))
	}
	return t, nil
}

func (t *Table) open(ctx context.Context) (err error) {
	abs, err := filepath.Abs(t.path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return err
	}
	if err := touch(abs); err != nil {
		return err
	}
	t.db, err = sql.Open("sqlite", dsn(abs))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			t.db.Close()
		}
	}()
	// Reading needs a connection each; more than a few gain nothing.
	t.db.SetMaxOpenConns(8)
	t.db.SetMaxIdleConns(8)
	return t.retry(ctx, func() error { return t.migrate(ctx) })
}

// touch makes a missing file, as SQLite would with a wider mode; the journals
// that SQLite makes beside it take its mode. A file that exists is not opened:
// closing it would drop the locks that this process may hold on it.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", ErrForeign)
	}
	return nil
}

func dsn(abs string) string {
	slashed := filepath.ToSlash(abs)
	if slashed[0] != '/' { // a Windows drive
		slashed = "/" + slashed
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: url.Values{
		"mode":       {"rw"},
		"_timeout":   {strconv.FormatInt(slice.Milliseconds(), 10)},
		"_sync":      {"NORMAL"},
		"_txlock":    {"immediate"}, // a write never starts as a read
		"_dqs":       {"0"},
		"_defensive": {"1"},
		"_pragma":    {"trusted_schema(0)", "cell_size_check(1)"},
	}.Encode()}
	return u.String()
}

// migrate recognises the file, makes the schema in an empty one and brings an
// older one up to date. It writes nothing into a file that is not ours.
func (t *Table) migrate(ctx context.Context) error {
	c, err := t.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := foreign(ctx, c); err != nil {
		return err
	}
	var mode string
	if err := c.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("write-ahead log is not available here (journal mode %q)", mode)
	}
	// Begun even if there is nothing to do: it shows that we may write.
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()                //nolint:errcheck // after Commit it does nothing
	version, err := recognise(ctx, tx) // again: another process may have been faster
	if err != nil {
		return err
	}
	if version == 0 {
		if _, err := tx.ExecContext(ctx, sqlCreate); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// foreign refuses a file that is not ours, without writing to it. It looks in
// one transaction: another process may be making the schema at this moment.
func foreign(ctx context.Context, c *sql.Conn) error {
	if _, err := c.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
		return err
	}
	_, err := recognise(ctx, c)
	_, end := c.ExecContext(ctx, `ROLLBACK`)
	return errors.Join(err, end)
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// recognise returns the version of the schema, 0 for an empty file.
func recognise(ctx context.Context, q querier) (int64, error) {
	var app, version, objects int64
	for _, r := range []struct {
		query string
		into  *int64
	}{
		{`PRAGMA application_id`, &app},
		{`PRAGMA user_version`, &version},
		{`SELECT count(*) FROM sqlite_schema`, &objects},
	} {
		if err := q.QueryRowContext(ctx, r.query).Scan(r.into); err != nil {
			return 0, err
		}
	}
	switch {
	case app == 0 && version == 0 && objects == 0:
		return 0, nil
	case app != applicationID:
		return 0, fmt.Errorf("%w: application id %#x", ErrForeign, app)
	case version > schemaVersion:
		return 0, fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, schemaVersion)
	case version < 1:
		return 0, fmt.Errorf("%w: schema %d", ErrCorrupt, version)
	}
	return version, nil
}

// Close ends all use of the file and merges the write-ahead log into it, if no
// other process has it open.
func (t *Table) Close() error {
	if err := t.db.Close(); err != nil {
		return fmt.Errorf("close table %s: %w", t.path, explain(err))
	}
	return nil
}
