package collect

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// ErrStopped says that a walk was left before its end, because its task's time is
// over: another task goes on where it stopped.
var ErrStopped = errors.New("the walk goes on in another task")

// Part is one task's share of the walks of a region that one task cannot finish. A walk
// lists everything again, and leaves out what is read already: listing is cheap, reading
// is not, and AWS's page markers may not outlive the task that was given them. A nil
// Part does everything, and is never stopped.
//
// What is read is known by a digest of the listed item. An item that changes between two
// listings is read twice, never left out.
type Part struct {
	stop context.Context //nolint:containedctx // when it ends, nothing more is begun; what is under way has the walk's own

	mu   sync.Mutex
	read map[uint64]bool // what no task need read any more
	new  []uint64        // what this one read
}

// NewPart makes a part that leaves out what was read, by its digests, and begins
// nothing any more once stop has ended. The walk's own context ends later, so that what
// is under way then can be finished.
func NewPart(stop context.Context, read []uint64) *Part {
	p := &Part{stop: stop, read: make(map[uint64]bool, len(read))}
	for _, digest := range read {
		p.read[digest] = true
	}
	return p
}

// Read lists the digests of what this part read.
func (p *Part) Read() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.new
}

func (p *Part) stopped() bool {
	if p == nil {
		return false
	}
	// On a busy machine the deadline may be over before its timer knows.
	end, bounded := p.stop.Deadline()
	return p.stop.Err() != nil || bounded && !time.Now().Before(end)
}

// stopping is closed when nothing more is to be begun; nil never is.
func (p *Part) stopping() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.stop.Done()
}

// digest names an item of a walk's listings; 0 names none.
func (p *Part) digest(walk string, item any) uint64 {
	if p == nil {
		return 0
	}
	data, err := json.Marshal(item)
	if err != nil {
		return 0
	}
	return sum(walk, data)
}

func sum(walk string, data []byte) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(walk))
	_, _ = hash.Write([]byte{0})
	_, _ = hash.Write(data)
	return hash.Sum64()
}

func (p *Part) has(digest uint64) bool {
	if p == nil || digest == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read[digest]
}

// add notes what was read, and reports whether it was not before.
func (p *Part) add(digest uint64) bool {
	if p == nil || digest == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read[digest] {
		return false
	}
	p.read[digest] = true
	p.new = append(p.new, digest)
	return true
}

// emitted notes that a resource was handed on, and reports whether it was not before:
// what is no item of a listing is read again by each task that its walk takes.
func (p *Part) emitted(walk, kind string, ref model.Ref) bool {
	if p == nil {
		return true
	}
	return p.add(sum(walk+" emitted", []byte(kind+" "+ref.String())))
}
