package lambdahost_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// shared is what all tests use: the tests' function, and one emulator, in which each
// test has an account of its own.
var shared = sync.OnceValues(func() (*fixture, error) {
	dir, err := os.MkdirTemp("", "lambdahost-")
	if err != nil {
		return nil, err
	}
	f := &fixture{}
	if f.bootstrap, err = lambdahost.Build(context.Background(), "./testdata/bootstrap", dir); err != nil {
		return nil, err
	}
	f.emulator, err = emulator.Start(context.Background(), emulator.Options{Enforce: true, Stderr: os.Stderr})
	return f, err
})

type fixture struct {
	bootstrap string
	emulator  *emulator.Server
	accounts  atomic.Int64
}

func TestMain(m *testing.M) {
	code := m.Run()
	if f, err := shared(); err == nil {
		_ = os.RemoveAll(filepath.Dir(f.bootstrap))
		_ = f.emulator.Close()
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func theShared(t *testing.T) *fixture {
	t.Helper()
	f, err := shared()
	must(t, err)
	return f
}

// newAccount is the id of an account that no other test has.
func newAccount(t *testing.T) string { return fmt.Sprintf("%012d", theShared(t).accounts.Add(1)) }

// world is an emulator with a stack, and what its functions wrote.
type world struct {
	*seeder
	stack *stack.Stack

	mu    sync.Mutex
	more  *sync.Cond // there are more lines
	lines []string
}

// newWorld has a function named Probe behind a queue named Jobs, which redrives to
// Dead after two receives. Probe may write to the table and send to the queue.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{seeder: newSeeder(t, theShared(t).emulator.URL, newAccount(t))}
	w.more = sync.NewCond(&w.mu)
	w.stack = w.seed()
	return w
}

// start runs the world's function. A VisibilityOverride below 0 is none.
func (w *world) start(t *testing.T, o lambdahost.Options) *lambdahost.Host {
	t.Helper()
	o.Binaries = map[string]string{"Probe": theShared(t).bootstrap}
	o.Logs = func(_, line string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines = append(w.lines, line)
		w.more.Broadcast()
	}
	if o.VisibilityOverride == 0 {
		o.VisibilityOverride = 10 * time.Millisecond
	}
	o.VisibilityOverride = max(o.VisibilityOverride, 0)
	h, err := lambdahost.Start(t.Context(), w.stack, o)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	return h
}

// written lists the lines with a prefix, without it.
func (w *world) written(prefix string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
	for _, line := range w.lines {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			found = append(found, rest)
		}
	}
	return found
}

// await waits until a line with the prefix is written.
func (w *world) await(prefix string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !slices.ContainsFunc(w.lines, func(line string) bool { return strings.HasPrefix(line, prefix) }) {
		w.more.Wait()
	}
}

func idle(t *testing.T, h *lambdahost.Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	must(t, h.Idle(ctx))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
