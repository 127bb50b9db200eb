package index

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ErrBuilding says that so much of an index has to be made that it took too long. What was
// made is kept: whoever comes again finds less to do.
var ErrBuilding = errors.New("the index of findings is being made")

// Lag is how long the index may lie at most: while somebody writes findings, and after
// somebody died over them. Otherwise it is as the table is.
const Lag = 30 * time.Second

// skew is how far the clocks of two processes may be apart.
const skew = 5 * time.Second

// Keeper keeps the index of one organization: the segments and shards in the blob store,
// and in memory what was loaded of them. All methods are safe for concurrent use, also by
// several processes.
//
// A segment says of which state of its connection's findings it was made, by their mark, and
// when. It is current if that is the state still, and nobody has said since that findings are
// being written; if somebody has, then for Lag. Whoever finds it stale makes it from the table,
// and whoever finds a shard stale makes it from the segments, the marks, and what connections
// are called. So no order of writes matters, and what was overwritten by something older, lost,
// or altered, is made again.
type Keeper struct {
	ID    model.OrganizationID
	Store *store.Organization
	Blobs blob.Store
	Now   func() time.Time
	// Tags are those of a connection's resources, as far as they are known; nil knows none.
	Tags func(context.Context, model.ConnectionID) (func(model.Ref) (map[string]string, bool), error)
	// Patience is how long View may take before it answers ErrBuilding; 0 is as long as its
	// context lasts.
	Patience time.Duration

	begin  sync.Once
	gate   chan struct{} // is full while somebody refreshes
	begun  atomic.Int64  // refreshes, of which the view is the result of one
	viewOf int64
	dict   *dictionary
	shards [store.Shards]*shard
	view   *View
	words  int                   // of the dictionary after it was begun
	loaded func(*View)           // is given each new view; nil if nobody counts them
	behind func(context.Context) // is told of ErrBuilding; nil if nobody is
}

// atOnce is how many shards are loaded at a time, and in each how many segments.
const atOnce = 8

// maxShard is the most bytes of a shard or segment that are read.
const maxShard = 512 << 20

// spareWords is by how much more than it doubles the dictionary may grow, before all is
// loaded again without the words that nobody uses any more.
const spareWords = 100_000

// shard is a part of the index, by the count of its marks' changes that was read before it.
type shard struct {
	count    int64
	segments map[model.ConnectionID]*segment
}

// old reports whether a shard has something that is to be read again.
func (s *shard) old(now time.Time) bool {
	for _, one := range s.segments {
		if !one.current(one.Head, now) || !one.known(now) {
			return true
		}
	}
	return false
}

// View is the index as it is now. If nothing changed it reads the counts of marks alone; a
// shard of which somebody made a new one costs one more read.
func (k *Keeper) View(ctx context.Context) (*View, error) {
	if k.Patience == 0 {
		return k.refreshed(ctx)
	}
	within, cancel := context.WithTimeout(ctx, k.Patience)
	defer cancel()
	v, err := k.refreshed(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		if k.behind != nil {
			k.behind(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrBuilding, err)
	}
	return v, err
}

// lock lets one at a time refresh, and nobody wait longer than the context lasts.
func (k *Keeper) lock(ctx context.Context) (unlock func(), err error) {
	k.begin.Do(func() { k.gate = make(chan struct{}, 1) })
	select {
	case k.gate <- struct{}{}:
		return func() { <-k.gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// counts are those of the marks, of an organization that has them all.
func (k *Keeper) counts(ctx context.Context) (counts [store.Shards]int64, err error) {
	marks, err := k.Store.MarkCounts(ctx)
	if err == nil && !marks.All {
		if err = k.Store.MarkAll(ctx, k.Now()); err == nil {
			marks, err = k.Store.MarkCounts(ctx)
		}
	}
	return marks.Shards, err
}

// refreshed is a view of some moment after it is asked for. Whoever waits for others shares
// what one of them refreshes meanwhile: while much is written each waits for two refreshes at
// most, however many wait.
func (k *Keeper) refreshed(ctx context.Context) (*View, error) {
	before := k.begun.Load()
	unlock, err := k.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if k.viewOf > before {
		return k.view, nil
	}
	number := k.begun.Add(1)
	counts, err := k.counts(ctx)
	if err != nil {
		return nil, err
	}
	if k.dict == nil || k.words > 0 && k.dict.len() > 2*k.words+spareWords {
		k.dict, k.words, k.shards = newDictionary(), 0, [store.Shards]*shard{}
	}
	var changed [store.Shards]bool
	group, loading := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n := range store.Shards {
		have := k.shards[n]
		if counts[n] == 0 && have == nil || have != nil && have.count == counts[n] && !have.old(k.Now()) {
			continue
		}
		changed[n] = true
		group.Go(func() error {
			fresh, err := k.refresh(loading, n, counts[n], have)
			if err == nil {
				k.shards[n] = fresh
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if k.view == nil || slices.Contains(changed[:], true) {
		k.view = k.assemble()
		if k.loaded != nil {
			k.loaded(k.view)
		}
	}
	if k.words == 0 {
		k.words = k.dict.len()
	}
	k.viewOf = number
	return k.view, nil
}

func (k *Keeper) assemble() *View {
	v := newView(k.dict)
	for _, s := range k.shards {
		if s == nil {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(s.segments)) {
			v.add(s.segments[id])
		}
	}
	return v
}

// refresh loads a shard, or makes it anew where it is stale.
func (k *Keeper) refresh(ctx context.Context, n int, count int64, have *shard) (*shard, error) {
	stored, err := k.readShard(ctx, n)
	if err != nil {
		return nil, err
	}
	if stored.count == count {
		if s, err := k.load(stored, have); err == nil && !s.old(k.Now()) {
			return s, nil
		}
	}
	next := storedShard{count: count}
	fresh := &shard{count: count, segments: map[model.ConnectionID]*segment{}}
	var mu sync.Mutex
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for mark, err := range k.Store.Marks(ctx, n) {
		if err != nil {
			_ = group.Wait()
			return nil, err
		}
		group.Go(func() error {
			one, seg, err := k.renewed(reading, mark, stored.segments[mark.Connection], have)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			next.put(mark.Connection, one)
			if seg != nil {
				fresh.segments[mark.Connection] = seg
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if len(stored.segments)+len(next.segments) > 0 { // else nothing is there, as it should be
		if err := k.put(ctx, k.shardKey(n), next.encode()); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// load brings a stored shard into memory, of which what is there already is taken over.
func (k *Keeper) load(stored storedShard, have *shard) (*shard, error) {
	s := &shard{count: stored.count, segments: map[model.ConnectionID]*segment{}}
	for id, one := range stored.segments {
		if one.Gone {
			continue
		}
		seg, err := k.open(id, one, have)
		if err != nil {
			return nil, err
		}
		s.segments[id] = seg
	}
	return s, nil
}

// open is a stored segment in memory, where it may be already.
func (k *Keeper) open(id model.ConnectionID, one storedSegment, have *shard) (*segment, error) {
	head, _, err := readHead(one.raw)
	if err != nil {
		return nil, err
	}
	if head.Connection != id {
		return nil, fmt.Errorf("%w: a segment of another connection", ErrDamaged)
	}
	var seg segment
	if have != nil && have.segments[id] != nil && have.segments[id].Head == head {
		seg = *have.segments[id]
	} else {
		read, err := k.dict.decode(one.raw)
		if err != nil {
			return nil, err
		}
		seg = *read
	}
	seg.member = one.member
	return &seg, nil
}

// renewed is what there is now of a marked connection, of which some is stored: the segment
// is the one that is in the shard, or the one that is stored by itself, or one that is made of
// the table. Of a connection that is gone there is none.
func (k *Keeper) renewed(ctx context.Context, mark store.Mark, stored storedSegment, have *shard) (one storedSegment, seg *segment, err error) {
	id := mark.Connection
	one.member, err = k.memberOf(ctx, mark, stored.member)
	if err != nil || one.Gone {
		return one, nil, err
	}
	current := func(raw []byte) bool {
		one.raw = raw
		seg, err = k.open(id, one, have)
		return err == nil && seg.Content == mark.Content && one.current(seg.Head, k.Now())
	}
	if current(stored.raw) {
		return one, seg, nil
	}
	raw, err := k.get(ctx, k.segmentKey(id))
	if err != nil {
		return one, nil, err
	}
	if current(raw) {
		return one, seg, nil
	}
	parts, err := k.make(ctx, mark, "")
	if err != nil {
		return one, nil, err
	}
	one.raw = slices.Concat(parts...)
	seg, err = k.open(id, one, have)
	return one, seg, err
}

// memberOf is what a mark says, and what its connection is called: as it is known, or as it is
// read again.
func (k *Keeper) memberOf(ctx context.Context, mark store.Mark, known member) (member, error) {
	m := known
	m.Called, m.Shown, m.Since, m.Writing, m.Moving = mark.Called, mark.Projects, mark.Since.UTC(), mark.Writing().UTC(), mark.Moving().UTC()
	if known.Called == mark.Called && m.known(k.Now()) {
		return m, nil
	}
	m.Read = k.Now().UTC()
	c, gone, err := k.connection(ctx, mark.Connection)
	m.Gone, m.Name, m.Account = gone, c.Name, c.AccountID
	return m, err
}

// connection reads a connection, or that it is gone.
func (k *Keeper) connection(ctx context.Context, id model.ConnectionID) (c model.Connection, gone bool, err error) {
	c, err = k.Store.AnyConnection(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.State == model.ConnectionDeleted {
		return c, true, nil
	}
	return c, false, err
}

// Prepare makes the segment of a connection from the table, so that nobody who reads has to.
// It is for somebody who has written all findings and not said so yet, which goes by
// store.EndPrepared; if others write, too, it makes none.
func (k *Keeper) Prepare(ctx context.Context, connection model.ConnectionID, by string) (p store.Prepared, err error) {
	mark, marked, err := k.Store.MarkOf(ctx, connection)
	if err != nil || !marked {
		return p, err
	}
	if _, gone, err := k.connection(ctx, connection); err != nil || gone {
		return p, err
	}
	if mark = mark.Without(by); len(mark.Writers) > 0 {
		return p, nil
	}
	from := mark.Content
	mark.Content = ulid.Make().String()
	if _, err := k.make(ctx, mark, by); err != nil {
		return p, err
	}
	return store.Prepared{From: from, Content: mark.Content}, nil
}

// Forget removes a deleted connection from what is kept of several together, whichever
// release wrote it. Who reads next makes the shard anew.
func (k *Keeper) Forget(ctx context.Context, connection model.ConnectionID) error {
	if err := k.Store.HideFindings(ctx, connection); err != nil {
		return err
	}
	if err := blob.DeleteAll(ctx, k.Blobs, k.shardPrefix(store.ShardOf(connection))); err != nil {
		return fmt.Errorf("forget connection %s: %w", connection, err)
	}
	return nil
}

// make reads the findings of a connection after its mark, and stores them as a segment. A
// writer who is done does not count; empty is nobody.
func (k *Keeper) make(ctx context.Context, mark store.Mark, done string) (parts [][]byte, err error) {
	head := Head{Connection: mark.Connection, Content: mark.Content, Read: k.Now().UTC()}
	how, err := k.standing(ctx, mark.Connection)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(mark.Connection, how)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := k.findings(ctx, mark.Connection, w.add); err != nil {
		return nil, err
	}
	// Who began meanwhile may have written some of it.
	after, _, err := k.Store.MarkOf(ctx, mark.Connection)
	if err != nil {
		return nil, err
	}
	head.Writing = latest(mark.Writing(), after.Without(done).Writing()).UTC()
	if parts, err = w.end(head); err == nil {
		err = k.put(ctx, k.segmentKey(mark.Connection), parts...)
	}
	return parts, err
}

// standing is how a connection stands by its newest whole audit; nil if it has none.
func (k *Keeper) standing(ctx context.Context, connection model.ConnectionID) (*Standing, error) {
	a, err := k.Store.LatestAudit(ctx, connection, Whole)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return StandingOf(a), nil
}

// findings gives the findings of a connection in the table to add, in the order of precedes.
// Those of each scope are in the order of their ids, so that a page of each is in memory, and
// no more.
func (k *Keeper) findings(ctx context.Context, connection model.ConnectionID, add func(Entry) error) (err error) {
	tags := func(model.Ref) (map[string]string, bool) { return nil, false }
	if k.Tags != nil {
		if tags, err = k.Tags(ctx, connection); err != nil {
			return err
		}
	}
	scopes, err := k.Store.Scopes(ctx, connection)
	if err != nil {
		return err
	}
	scopes = slices.DeleteFunc(scopes, func(scope string) bool { return strings.HasPrefix(scope, "end-") }) // what was announced, which has no findings
	all := make([]*stream, len(scopes))
	defer func() {
		for _, s := range all {
			s.close()
		}
	}()
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, scope := range scopes {
		group.Go(func() error {
			record, err := k.Store.Scope(reading, connection, scope)
			if err != nil {
				return err
			}
			// Under the context that lasts: pages are read on when the group is done.
			all[i] = newStream(i, k.Store.EachFinding(ctx, connection, scope, record.Parts))
			return all[i].advance()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var next streams
	for _, s := range all {
		if !s.over {
			next = append(next, s)
		}
	}
	heap.Init(&next)
	for len(next) > 0 {
		e := next[0].entry
		e.Tags, e.TagsKnown = tags(e.Resource)
		if err := add(e); err != nil {
			return err
		}
		if err := next[0].advance(); err != nil {
			return err
		}
		if next[0].over {
			heap.Pop(&next)
		} else {
			heap.Fix(&next, 0)
		}
	}
	return nil
}

// stream is the findings of a scope, the next of which is at hand.
type stream struct {
	scope int // which of all
	next  func() (model.Finding, error, bool)
	stop  func()
	entry Entry
	over  bool
}

func newStream(scope int, all iter.Seq2[model.Finding, error]) *stream {
	next, stop := iter.Pull2(all)
	return &stream{scope: scope, next: next, stop: stop}
}

func (s *stream) advance() error {
	f, err, more := s.next()
	f.Evidence, f.Source, f.History, f.Version = nil, "", nil, 0
	s.entry, s.over = Entry{Finding: f}, !more
	return err
}

func (s *stream) close() {
	if s != nil {
		s.stop()
	}
}

// streams is a heap of those that are not over.
type streams []*stream

func (h streams) Len() int { return len(h) }
func (h streams) Less(i, j int) bool {
	return cmp.Or(precedes(h[i].entry, h[j].entry), h[i].scope-h[j].scope) < 0
}
func (h streams) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *streams) Push(s any)   { *h = append(*h, s.(*stream)) } //nolint:forcetypeassert // ours
func (h *streams) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// Rebuild makes the whole index anew from the table: whatever it was, marks included. It
// says of how many connections.
func (k *Keeper) Rebuild(ctx context.Context) (connections int, err error) {
	if err := k.Store.MarkAll(ctx, k.Now()); err != nil {
		return 0, err
	}
	for n := range store.Shards {
		marks, err := k.renew(ctx, n)
		if err != nil {
			return connections, err
		}
		connections += marks
	}
	return connections, nil
}

// renew makes all segments of a shard anew, and hides whose connections are gone.
func (k *Keeper) renew(ctx context.Context, shard int) (connections int, err error) {
	group, writing := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for mark, err := range k.Store.Marks(ctx, shard) {
		if err != nil {
			return 0, errors.Join(err, group.Wait())
		}
		_, gone, err := k.connection(ctx, mark.Connection)
		switch {
		case gone:
			err = k.Store.HideFindings(ctx, mark.Connection)
		case err == nil:
			connections++
			group.Go(func() error { return k.Renew(writing, mark.Connection) })
		}
		if err != nil {
			return 0, errors.Join(err, group.Wait())
		}
	}
	return connections, group.Wait()
}

// Renew makes the segment of a connection anew, also one that is not stale.
func (k *Keeper) Renew(ctx context.Context, connection model.ConnectionID) error {
	const by = "rebuild"
	p, err := k.Prepare(ctx, connection, by)
	return errors.Join(err, k.Store.EndPrepared(ctx, connection, by, p, k.Now()))
}

func (k *Keeper) segmentKey(connection model.ConnectionID) string {
	return fmt.Sprintf("index/org=%s/connection=%s/findings.v%d", k.ID, connection, segmentVersion)
}

func (k *Keeper) shardPrefix(n int) string { return fmt.Sprintf("index/org=%s/shard=%02d/", k.ID, n) }

func (k *Keeper) shardKey(n int) string {
	return fmt.Sprintf("%sfindings.v%d", k.shardPrefix(n), segmentVersion)
}

// get reads an object; nothing if there is none, or it is too large to be one of ours.
func (k *Keeper) get(ctx context.Context, key string) ([]byte, error) {
	r, err := k.Blobs.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxShard+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	if len(raw) > maxShard {
		return nil, nil
	}
	return raw, nil
}

func (k *Keeper) put(ctx context.Context, key string, parts ...[]byte) error {
	readers := make([]io.Reader, len(parts))
	for i, part := range parts {
		readers[i] = bytes.NewReader(part)
	}
	if err := k.Blobs.Put(ctx, key, io.MultiReader(readers...)); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	return nil
}

// storedShard is a shard as it is stored: "CAQH", version, SHA-256 of what follows, the
// count, and for each connection what is known of it and its segment.
type storedShard struct {
	count    int64
	segments map[model.ConnectionID]storedSegment
}

type storedSegment struct {
	member
	raw []byte // none of a connection that is gone
}

func (s *storedShard) put(id model.ConnectionID, one storedSegment) {
	if s.segments == nil {
		s.segments = map[model.ConnectionID]storedSegment{}
	}
	s.segments[id] = one
}

const shardMagic = "CAQH"

func (s *storedShard) encode() []byte {
	var e encoder
	e.number(uint64(s.count)) //nolint:gosec // counted from 1
	e.number(uint64(len(s.segments)))
	for _, id := range slices.Sorted(maps.Keys(s.segments)) {
		e.string(string(id))
		e.member(s.segments[id].member)
		e.number(uint64(len(s.segments[id].raw)))
		e.out = append(e.out, s.segments[id].raw...)
	}
	sum := sha256.Sum256(e.out)
	return slices.Concat([]byte(shardMagic), []byte{segmentVersion}, sum[:], e.out)
}

func decodeShard(in []byte) (s storedShard, err error) {
	start := len(shardMagic) + 1 + sha256.Size
	if len(in) < start || string(in[:len(shardMagic)]) != shardMagic || in[len(shardMagic)] != segmentVersion {
		return s, fmt.Errorf("%w: it is no shard of this version", ErrDamaged)
	}
	sum := sha256.Sum256(in[start:])
	if !bytes.Equal(sum[:], in[len(shardMagic)+1:start]) {
		return s, fmt.Errorf("%w: its checksum is another", ErrDamaged)
	}
	d := &decoder{in: in[start:]}
	count := d.number()
	for range d.count(12) {
		id := model.ConnectionID(d.string())
		s.put(id, storedSegment{d.member(), d.bytes()})
	}
	if d.err == nil && len(d.in) > 0 {
		d.fail("more than it says")
	}
	s.count = int64(count) //nolint:gosec // compared alone
	return s, d.err
}

// readShard reads a shard; an empty one if there is none that can be read.
func (k *Keeper) readShard(ctx context.Context, n int) (storedShard, error) {
	raw, err := k.get(ctx, k.shardKey(n))
	if err != nil {
		return storedShard{}, err
	}
	s, err := decodeShard(raw)
	if err != nil {
		return storedShard{count: -1}, nil //nolint:nilerr // it is made anew
	}
	return s, nil
}
