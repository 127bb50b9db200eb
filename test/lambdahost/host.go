package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/test/stack"
)

// ErrClosed is what an invocation gets that the host's end cut off.
var ErrClosed = errors.New("lambdahost: the host is closed")

// Options say how the functions run. Binaries is needed, the rest is not.
type Options struct {
	Binaries        map[string]string            // logical id of a function: the path of its bootstrap
	Environ         map[string]map[string]string // logical id of a function: variables over those of the template
	Logs            func(function, line string)  // gets each line a function writes; calls may overlap
	MaxEnvironments int                          // per function, below its reserved concurrency; 0 means 10
	Keys            map[string]Key               // access keys that may call routes with AWS_IAM

	// VisibilityOverride is how long after it was received a message that failed
	// becomes visible again, whatever the queue or the function says; 0 leaves it to
	// them. See the package's text.
	VisibilityOverride time.Duration
	Duplicate          bool   // deliver each message of a standard queue twice
	Shuffle            uint64 // seed of the order in which standard queues deliver; 0 keeps theirs

	// Intercept sees each call of a function to AWS, before it is sent and after
	// it was answered, and decides what becomes of it. Calls may overlap.
	Intercept func(Call, Phase) Verdict
}

const defaultEnvironments = 10

// Host runs the functions of one stack.
type Host struct {
	stack     *stack.Stack
	options   Options
	functions map[string]*function // by logical id
	front     *server
	recorder  *recorder
	activity  *activity
	pollers   []*poller
	upstream  *http.Transport // to the emulator

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup // invocations, pollers, processes
	mu         sync.Mutex
	closed     bool
	running    map[*environment]struct{}
}

// Start runs the stack's functions until Close: queues are polled and the HTTP
// front answers when it returns. Processes start with the first invocations.
func Start(ctx context.Context, s *stack.Stack, o Options) (*Host, error) {
	if o.MaxEnvironments == 0 {
		o.MaxEnvironments = defaultEnvironments
	}
	h := &Host{
		stack:     s,
		options:   o,
		functions: map[string]*function{},
		recorder:  &recorder{},
		activity:  newActivity(),
		upstream:  &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		running:   map[*environment]struct{}{},
	}
	h.life, h.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Host) start(ctx context.Context) error {
	for _, f := range h.stack.Functions {
		binary, ok := h.options.Binaries[f.LogicalID]
		if !ok {
			return fmt.Errorf("lambdahost: function %s has no binary", f.LogicalID)
		}
		h.functions[f.LogicalID] = newFunction(h, f, binary)
	}
	var err error
	if h.front, err = h.newFront(); err != nil {
		return err
	}
	for _, m := range h.stack.Mappings {
		p, err := h.newPoller(ctx, m)
		if err != nil {
			return err
		}
		h.pollers = append(h.pollers, p)
	}
	for _, p := range h.pollers {
		h.spawn(p.run)
	}
	return nil
}

// URL is the address of the HTTP APIs.
func (h *Host) URL() string { return h.front.url() }

// Calls lists what the functions asked of AWS, in the order they asked.
func (h *Host) Calls() []Call { return h.recorder.all() }

// Close ends every process that the host started, and waits for all of it to be
// over. What was under way fails as in a crash, and its messages become visible.
func (h *Host) Close() error {
	h.end()
	h.mu.Lock()
	h.closed = true
	for e := range h.running {
		e.kill()
	}
	h.mu.Unlock()
	if h.front != nil {
		h.front.close()
	}
	h.background.Wait()
	h.upstream.CloseIdleConnections()
	return nil
}

// spawn runs f in the background unless the host is closed.
func (h *Host) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.background.Go(f)
	return true
}

// adopt takes a process into the host's care. A host that is closed takes none.
func (h *Host) adopt(e *environment) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.running[e] = struct{}{}
	return true
}

func (h *Host) forget(e *environment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.running, e)
}
