package lambdahost_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// bootstrap builds the tests' function once.
var bootstrap = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lambdahost-")
	if err != nil {
		return "", err
	}
	return lambdahost.Build(context.Background(), "./testdata/bootstrap", dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := bootstrap(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// world is an emulator with a stack, and what its functions wrote.
type world struct {
	*seeder
	stack *stack.Stack

	mu    sync.Mutex
	lines []string
}

// newWorld has a function named Probe behind a queue named Jobs, which redrives to
// Dead after two receives. Probe may write to the table and send to the queue.
func newWorld(t *testing.T) *world {
	t.Helper()
	server := emulator.ForTest(t, emulator.Options{Enforce: true})
	w := &world{seeder: newSeeder(t, server.URL)}
	w.stack = w.seed()
	return w
}

// start runs the world's function.
func (w *world) start(t *testing.T, o lambdahost.Options) *lambdahost.Host {
	t.Helper()
	t.Setenv("AWS_CA_BUNDLE", "")
	path, err := bootstrap()
	must(t, err)
	o.Binaries = map[string]string{"Probe": path}
	o.Logs = func(_, line string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines = append(w.lines, line)
	}
	if o.VisibilityOverride == 0 {
		o.VisibilityOverride = 10 * time.Millisecond
	}
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
