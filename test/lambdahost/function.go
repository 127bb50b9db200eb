package lambdahost

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cloudarq/cloudarq/test/stack"
)

// function is a Lambda function with its execution environments.
type function struct {
	host        *Host
	spec        stack.Function
	binary      string
	credentials func() (credentials, error) // of its role; asked for once

	slots chan struct{} // one for each environment there may be
	mu    sync.Mutex
	idle  []*environment
}

func newFunction(h *Host, spec stack.Function, binary string) *function {
	n := h.options.MaxEnvironments
	if spec.Concurrency > 0 {
		n = min(n, spec.Concurrency)
	}
	f := &function{host: h, spec: spec, binary: binary, slots: make(chan struct{}, n)}
	f.credentials = sync.OnceValues(f.assumeRole)
	return f
}

// fruitless bounds the environments that one invocation starts and that end
// before they take it.
const fruitless = 3

// run does one invocation, in an environment that is idle or in a new one.
func (f *function) run(inv *invocation) outcome {
	select {
	case f.slots <- struct{}{}:
	case <-f.host.life.Done():
		return outcome{err: ErrClosed}
	}
	defer func() { <-f.slots }()
	for range fruitless + cap(f.slots) {
		e := f.takeIdle()
		if e == nil {
			var err error
			if e, err = f.startEnvironment(); err != nil {
				return outcome{err: err}
			}
		}
		o, taken := e.do(inv)
		if !taken {
			continue // it ended while it was idle, which is no fault of this invocation
		}
		if !errors.Is(o.err, errGone) {
			f.giveBack(e)
			return o
		}
		return outcome{err: e.exitError(inv.id)}
	}
	return outcome{err: f.failure(ExitError, "the runtime ends before it takes an invocation")}
}

func (f *function) takeIdle() *environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) == 0 {
		return nil
	}
	e := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	return e
}

func (f *function) giveBack(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, e)
}

func (f *function) failure(kind, format string, args ...any) *FunctionError {
	return newFunctionError(f.spec.LogicalID, kind, fmt.Sprintf(format, args...))
}

func (f *function) log(line string) {
	if f.host.options.Logs != nil {
		f.host.options.Logs(f.spec.LogicalID, line)
	}
}
