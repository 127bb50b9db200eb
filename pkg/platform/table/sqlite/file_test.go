//go:build linux

package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
)

func item(sk, body string) table.Item {
	return table.Item{Key: table.Key{PK: "p", SK: sk}, Body: []byte(body)}
}

func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "x", "y ?#%20é")
	path := filepath.Join(dir, "t?mode=memory#1%41.db")
	tb := open(t, path, sqlite.Options{})
	if err := tb.Put(t.Context(), item("1", "x")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		st, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", p, st.Mode())
		}
	}
	for _, p := range []string{dir, filepath.Dir(dir)} {
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", p, st.Mode(), err)
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	for i := range 3 {
		tb, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		it := item("1", fmt.Sprint(i))
		it.Version = int64(i)
		if err := tb.Put(t.Context(), it); err != nil {
			t.Fatal(err)
		}
		if err := tb.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("log left after close: %v", err)
		}
		if _, err := tb.Get(t.Context(), it.Key); err == nil {
			t.Error("get after close has no error")
		}
	}
}

// A file that we cannot use is refused by its reason, and not a byte changes.
func TestRefused(t *testing.T) {
	execute := func(statement string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	content := func(s string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	damaged := func(damage func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			tb, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 20 {
				if err := tb.Put(t.Context(), item(fmt.Sprint(i), strings.Repeat("x", 5000))); err != nil {
					t.Fatal(err)
				}
			}
			tb.Close()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			content(string(damage(b)))(t, path)
		}
	}
	for name, c := range map[string]struct {
		make func(*testing.T, string)
		want error
	}{
		"text":            {content("dear diary"), sqlite.ErrForeign},
		"two bytes":       {content("xy"), sqlite.ErrForeign},
		"long text":       {content(strings.Repeat("dear diary\n", 9999)), sqlite.ErrForeign},
		"other database":  {execute(`CREATE TABLE item (a)`), sqlite.ErrForeign},
		"other id":        {execute(`PRAGMA application_id = 7`), sqlite.ErrForeign},
		"other version":   {execute(`PRAGMA user_version = 1`), sqlite.ErrForeign},
		"newer":           {execute(`PRAGMA application_id = 0x43417271; PRAGMA user_version = 2; CREATE TABLE item2 (a)`), sqlite.ErrNewer},
		"version 0":       {execute(`PRAGMA application_id = 0x43417271`), sqlite.ErrCorrupt},
		"header is zero":  {damaged(func(b []byte) []byte { clear(b[:100]); return b }), sqlite.ErrForeign},
		"schema is noise": {damaged(func(b []byte) []byte { copy(b[100:], bytes.Repeat([]byte{0xa5}, 3996)); return b }), sqlite.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.db")
			c.make(t, path)
			before, _ := os.ReadFile(path)
			for range 2 {
				tb, err := sqlite.Open(t.Context(), path, sqlite.Options{})
				if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), path) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if tb != nil {
					t.Error("a table beside the error")
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
	t.Run("damage found later", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "t.db")
		damaged(func(b []byte) []byte { copy(b[4096*5:], bytes.Repeat([]byte{0xa5}, len(b)-4096*5)); return b })(t, path)
		tb := open(t, path, sqlite.Options{})
		_, err := tb.Query(t.Context(), table.Query{PK: "p"})
		if !errors.Is(err, sqlite.ErrCorrupt) {
			t.Fatalf("%v, want ErrCorrupt", err)
		}
	})
	t.Run("directory", func(t *testing.T) {
		if _, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{}); !errors.Is(err, sqlite.ErrForeign) {
			t.Fatalf("%v, want ErrForeign", err)
		}
	})
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	tb := open(t, path, sqlite.Options{Wait: 300 * time.Millisecond})
	if err := tb.Put(t.Context(), item("1", "x")); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"put":      tb.Put(t.Context(), item("2", "x")),
		"put many": tb.PutMany(t.Context(), []table.Item{item("2", "x")}),
		"delete":   tb.Delete(t.Context(), item("1", "").Key),
	} {
		if !errors.Is(err, sqlite.ErrLocked) {
			t.Errorf("%s: %v, want ErrLocked", what, err)
		}
	}
	if _, err := tb.Get(t.Context(), item("1", "").Key); err != nil {
		t.Errorf("readers need not wait: %v", err)
	}
	patient := open2(t, path, c)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, _ = c.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
	if err := patient.Put(ctx, item("2", "x")); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
		t.Errorf("%v after %v, want the context's end", err, time.Since(began))
	}
	if _, err := c.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if err := tb.Put(t.Context(), item("2", "x")); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// open2 opens a second table in the same process, letting go of c's lock for it.
func open2(t *testing.T, path string, c *sql.Conn) *sqlite.Table {
	t.Helper()
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Wait: time.Millisecond}); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("open beside a writer: %v, want ErrLocked", err)
	}
	if _, err := c.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	return open(t, path, sqlite.Options{})
}

// On a tmpfs of 1 MB the disk is full soon; needs root, as in CI's container.
func TestFull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("no mount: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) }) // after the table's own cleanup
	tb := open(t, filepath.Join(dir, "t.db"), sqlite.Options{})
	var err error
	n := 0
	for ; n < 100 && err == nil; n++ {
		err = tb.Put(t.Context(), item(fmt.Sprint(n), strings.Repeat("x", 50_000)))
	}
	if !errors.Is(err, sqlite.ErrFull) {
		t.Fatalf("%v, want ErrFull", err)
	}
	for i := range n - 1 {
		if _, err := tb.Get(t.Context(), item(fmt.Sprint(i), "").Key); err != nil {
			t.Errorf("what was stored: %v", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 1<<20), 0o600); err == nil {
		t.Error("the disk was not full")
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "new.db"), sqlite.Options{}); !errors.Is(err, sqlite.ErrFull) {
		t.Errorf("open a new file: %v, want ErrFull", err)
	}
	// With room again, all is well.
	_ = os.Remove(filepath.Join(dir, "fill"))
	if err := tb.Delete(t.Context(), item("0", "").Key); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ro")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("no mount: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	tb, err := sqlite.Open(t.Context(), filepath.Join(dir, "t.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tb.Close()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip("no remount: ", err)
	}
	for _, name := range []string{"t.db", "new.db", "sub/new.db"} {
		if _, err := sqlite.Open(t.Context(), filepath.Join(dir, name), sqlite.Options{}); !errors.Is(err, sqlite.ErrReadOnly) {
			t.Errorf("%s: %v, want ErrReadOnly", name, err)
		}
	}
}
