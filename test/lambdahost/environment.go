package lambdahost

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	initLimit = 10 * time.Second
	// pipeGrace is how long a grandchild may hold a dead process's output open.
	pipeGrace = 2 * time.Second
)

// errGone says that an environment ended without an answer.
var errGone = errors.New("environment ended")

// environment is one execution environment: a process and the two servers it
// talks to, which are its alone, so that a call tells whose it is.
type environment struct {
	fn      *function
	process *exec.Cmd
	output  *output
	runtime *server // the Runtime API
	proxy   *server // to AWS

	ready  chan struct{} // closed by the first request for an invocation
	work   chan *invocation
	exited chan struct{}
	status error       // how the process ended; read after exited
	dying  atomic.Bool // killed: nothing it still asks is answered
	asked  sync.Once   // closes ready

	mu      sync.Mutex
	current *invocation
	initErr *FunctionError
}

// startEnvironment starts a process and waits until it asks for work.
func (f *function) startEnvironment() (*environment, error) {
	e := &environment{
		fn:     f,
		ready:  make(chan struct{}),
		work:   make(chan *invocation),
		exited: make(chan struct{}),
	}
	if err := e.start(); err != nil {
		return nil, err
	}
	timer := time.NewTimer(initLimit)
	defer timer.Stop()
	select {
	case <-e.ready:
		return e, nil
	case <-e.exited:
		return nil, e.initError(e.exitError(""))
	case <-timer.C:
		e.kill()
		<-e.exited
		return nil, e.initError(f.failure(TimedOut, "init timed out after %s", initLimit))
	}
}

// initError is what the runtime said of its start, or else what the host saw.
func (e *environment) initError(seen *FunctionError) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initErr != nil {
		return e.initErr
	}
	return seen
}

func (e *environment) start() (err error) {
	defer func() {
		if err != nil {
			e.closeServers()
		}
	}()
	if e.runtime, err = serve(e.runtimeAPI()); err != nil {
		return err
	}
	if e.proxy, err = serve(e.awsProxy()); err != nil {
		return err
	}
	vars, err := e.environ()
	if err != nil {
		return err
	}
	if e.output, err = newOutput(e.fn.log); err != nil {
		return err
	}
	e.process = exec.Command(e.fn.binary)
	e.process.Dir = filepath.Dir(e.fn.binary)
	e.process.Env = vars
	e.process.Stdout, e.process.Stderr = e.output.write, e.output.write
	go e.output.run()
	if err := e.process.Start(); err != nil {
		e.output.close(0)
		return fmt.Errorf("start %s: %w", e.fn.spec.LogicalID, err)
	}
	if !e.fn.host.adopt(e) {
		e.kill()
	}
	e.fn.host.background.Go(e.reap)
	return nil
}

// reap waits for the process's end and clears up after it.
func (e *environment) reap() {
	e.status = e.process.Wait()
	e.output.close(pipeGrace)
	e.fn.host.forget(e)
	close(e.exited)
	e.closeServers()
}

func (e *environment) closeServers() {
	for _, s := range []*server{e.runtime, e.proxy} {
		if s != nil {
			s.close()
		}
	}
}

// kill ends the process at once, as Lambda does.
func (e *environment) kill() {
	e.dying.Store(true)
	_ = e.process.Process.Kill() // it may have ended by itself
}

// do hands over an invocation and waits for its end. It was not taken if the
// environment had ended before.
func (e *environment) do(inv *invocation) (o outcome, taken bool) {
	timer := time.NewTimer(e.fn.spec.Limit())
	defer timer.Stop()
	select {
	case e.work <- inv:
	case <-e.exited:
		return outcome{}, false
	case <-timer.C: // it answered its last invocation and never asked for another
		e.kill()
		<-e.exited
		return outcome{}, false
	}
	select {
	case o := <-inv.answer:
		e.output.sync() // a test that looks at the lines finds them
		return o, true
	case <-e.exited:
		select {
		case o := <-inv.answer: // it ended after it had answered
			return o, true
		default:
			return outcome{err: errGone}, true
		}
	case <-timer.C:
		e.kill()
		<-e.exited
		seconds := e.fn.spec.Limit().Seconds()
		e.fn.log(fmt.Sprintf("%s %s Task timed out after %.2f seconds", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), inv.id, seconds))
		return outcome{err: e.fn.failure(TimedOut, "RequestId: %s Error: Task timed out after %.2f seconds", inv.id, seconds)}, true
	}
}

// exitError says how a process ended that should not have.
func (e *environment) exitError(requestID string) *FunctionError {
	how := "Runtime exited without providing a reason"
	if e.status != nil {
		how = "Runtime exited with error: " + e.status.Error()
	}
	if requestID != "" {
		how = "RequestId: " + requestID + " Error: " + how
	}
	return e.fn.failure(ExitError, "%s", how)
}
