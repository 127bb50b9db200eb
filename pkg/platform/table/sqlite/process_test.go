package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
)

const helperEnv = "CLOUDARQ_TEST_TABLE"

// helper is what the test binary does when it plays another process: it counts
// one shared item up and writes rows of its own.
func helper() bool {
	path := os.Getenv(helperEnv)
	if path == "" {
		return false
	}
	if err := work(context.Background(), path, os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

const rounds = 40

func work(ctx context.Context, path, name string) error {
	tb, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	defer tb.Close()
	endless := name == "endless"
	for i := 0; i < rounds || endless; i++ {
		_, err := table.Update(ctx, tb, table.Key{PK: "p", SK: "count"}, func(it *table.Item) error {
			n, _ := strconv.Atoi(string(it.Body))
			it.Body = strconv.AppendInt(nil, int64(n+1), 10)
			return nil
		})
		if err != nil {
			return err
		}
		var its []table.Item
		for j := range 100 { // all of one round, or none
			its = append(its, table.Item{Key: table.Key{PK: name, SK: fmt.Sprintf("%06d#%03d", i, j)}})
		}
		if err := tb.PutMany(ctx, its); err != nil {
			return err
		}
	}
	return nil
}

func start(t *testing.T, path, name string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=none", name)
	c.Env = append(os.Environ(), helperEnv+"="+path)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Several processes make the file and write to it at the same time.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "t.db")
	var all []*exec.Cmd
	for i := range 3 {
		all = append(all, start(t, path, fmt.Sprint("w", i)))
	}
	for _, c := range all {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	tb := open(t, path, sqlite.Options{})
	it, err := tb.Get(t.Context(), table.Key{PK: "p", SK: "count"})
	if err != nil || string(it.Body) != strconv.Itoa(3*rounds) {
		t.Fatalf("count %s, %v", it.Body, err)
	}
	for i := range 3 {
		if n := count(t, tb, fmt.Sprint("w", i)); n != rounds*100 {
			t.Errorf("w%d has %d rows", i, n)
		}
	}
}

// A process killed in the middle leaves a table that opens and has no half batch.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	for i := range 3 {
		c := start(t, path, "endless")
		time.Sleep(time.Duration(300+100*i) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		tb, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, tb, "endless"); n == 0 || n%100 != 0 {
			t.Errorf("%d rows", n)
		}
		tb.Close()
	}
}

func count(t *testing.T, tb table.Table, pk string) (n int) {
	t.Helper()
	for _, err := range table.All(t.Context(), tb, table.Query{PK: pk, Limit: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
