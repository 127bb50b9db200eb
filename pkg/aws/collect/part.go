package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	read map[Digest]bool // what no task need read any more
	new  []Digest        // what this one read
}

// Digest names an item of a walk's listings. What is read is left out by it, so two
// items of one digest would hide one from the audit: it is a hash of which nobody who
// owns the items' names can make two alike. The zero Digest names none.
type Digest [16]byte

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("a digest of %d characters", len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// NewPart makes a part that leaves out what was read, by its digests, and begins
// nothing any more once stop has ended. The walk's own context ends later, so that what
// is under way then can be finished.
func NewPart(stop context.Context, read []Digest) *Part {
	p := &Part{stop: stop, read: make(map[Digest]bool, len(read))}
	for _, digest := range read {
		p.read[digest] = true
	}
	return p
}

// Read lists the digests of what this part read.
func (p *Part) Read() []Digest {
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

func (p *Part) digest(walk string, item any) Digest {
	if p == nil {
		return Digest{}
	}
	data, err := json.Marshal(item)
	if err != nil {
		return Digest{}
	}
	return sum(walk, data)
}

func sum(walk string, data []byte) (d Digest) {
	whole := sha256.Sum256(append([]byte(walk+"\x00"), data...))
	copy(d[:], whole[:])
	return d
}

func (p *Part) has(digest Digest) bool {
	if p == nil || digest == (Digest{}) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read[digest]
}

// add notes what was read, and reports whether it was not before.
func (p *Part) add(digest Digest) bool {
	if p == nil || digest == (Digest{}) {
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
