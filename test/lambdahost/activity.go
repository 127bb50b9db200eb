package lambdahost

import "sync"

// activity counts what is under way, so that Idle can wait for its end.
type activity struct {
	mu      sync.Mutex
	running int
	begun   int           // ever; tells whether anything happened between two looks
	changed chan struct{} // closed at the next change
}

func newActivity() *activity { return &activity{changed: make(chan struct{})} }

func (a *activity) begin() { a.add(1) }

func (a *activity) end() { a.add(-1) }

func (a *activity) add(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running += n
	a.begun += max(n, 0)
	close(a.changed)
	a.changed = make(chan struct{})
}

// look returns how much is running, how much was ever begun, and a channel that
// closes when either changes.
func (a *activity) look() (running, begun int, changed <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.running, a.begun, a.changed
}
