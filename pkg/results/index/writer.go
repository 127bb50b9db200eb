package index

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// writer writes a segment as its findings come, in the order of precedes. What it keeps of a
// finding in memory is what the segment has of it: some tens of bytes, and as much again for
// each resource.
type writer struct {
	of       model.ConnectionID
	standing encoder

	last      model.FindingID
	rows      uint64
	ids       pieces
	words     map[string]uint64 // 0 is ""
	written   pieces            // words
	tagSets   map[string]uint64 // by what they are written as; 0 is unknown
	sets      pieces
	places    map[[16]byte]uint64 // resources, by a digest
	resources pieces
	columns   [10]pieces
	chunk     []Entry // of which the texts are not written yet
	texts     pieces
	z         *zstd.Encoder
}

func newWriter(of model.ConnectionID, how *Standing) (*writer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(128<<10))
	if err != nil {
		return nil, err
	}
	w := &writer{of: of, words: map[string]uint64{}, tagSets: map[string]uint64{}, places: map[[16]byte]uint64{}, z: z}
	w.word("")
	w.standing.standing(how)
	return w, nil
}

func (w *writer) close() { _ = w.z.Close() }

// add writes the next finding, unless it is another with the id of the one before.
func (w *writer) add(r Entry) error {
	if r.ID == w.last {
		return nil
	}
	id, err := hex.DecodeString(string(r.ID))
	if err != nil || len(id) != idBytes || hex.EncodeToString(id) != string(r.ID) {
		return fmt.Errorf("index of connection %s: %q is no finding's id", w.of, r.ID)
	}
	if r.ID < w.last {
		return fmt.Errorf("index of connection %s: finding %s comes after %s", w.of, r.ID, w.last)
	}
	w.last = r.ID
	w.rows++
	w.ids.append(id)
	for i, n := range [...]uint64{
		w.word(string(r.Check)), w.word(r.Service), w.word(r.Kind), w.word(string(r.Severity)), w.word(string(r.State)), w.word(string(r.Cause)),
		w.resource(r), uint64(seconds(r.FirstSeen)), uint64(seconds(r.ResolvedAt)), uint64(seconds(r.BlindSince)),
	} {
		w.columns[i].number(n)
	}
	if w.chunk = append(w.chunk, r); len(w.chunk) == chunkRows {
		return w.flush()
	}
	return nil
}

// word is the number of a short string.
func (w *writer) word(s string) uint64 {
	n, known := w.words[s]
	if !known {
		n = uint64(len(w.words))
		w.words[strings.Clone(s)] = n // of a longer one, which need not be kept for it
		w.written.string(s)
	}
	return n
}

// resource is the number of a finding's resource.
func (w *writer) resource(r Entry) uint64 {
	p := placeOf(r.Resource)
	var told encoder
	for _, part := range []string{p.arn, p.sub, p.name, p.account, p.region} {
		told.string(part)
	}
	sum := sha256.Sum256(told.out)
	key := [16]byte(sum[:])
	n, known := w.places[key]
	if !known {
		n = uint64(len(w.places))
		w.places[key] = n
		prefix, rest := cutARN(p)
		w.resources.number(w.word(prefix))
		w.resources.string(rest)
		w.resources.string(p.sub)
		w.resources.string(cutName(p.name, rest))
		w.resources.number(w.word(p.account))
		w.resources.number(w.word(p.region))
		w.resources.number(w.tags(r))
	}
	return n
}

// tags is the number of the set of a resource's tags.
func (w *writer) tags(r Entry) uint64 {
	if !r.TagsKnown {
		return 0
	}
	var set encoder
	set.number(uint64(len(r.Tags)))
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		set.number(w.word(key))
		set.number(w.word(r.Tags[key]))
	}
	n, known := w.tagSets[string(set.out)]
	if !known {
		w.sets.append(set.out)
		n = uint64(len(w.tagSets) + 1)
		w.tagSets[string(set.out)] = n
	}
	return n
}

// flush writes what only shown rows need of a chunk.
func (w *writer) flush() error {
	var text encoder
	for _, column := range []func(Entry){ // like beside like
		func(r Entry) { text.string(r.Reason) },
		func(r Entry) { text.string(r.Why) },
		func(r Entry) { text.time(r.FirstSeen) },
		func(r Entry) { text.time(r.ResolvedAt) },
		func(r Entry) { text.time(r.BlindSince) },
		func(r Entry) { text.number(uint64(max(0, r.Reopened))) }, //nolint:gosec // not negative
	} {
		for _, r := range w.chunk {
			column(r)
		}
	}
	if len(text.out) > maxTexts {
		return fmt.Errorf("index of connection %s: texts of %d findings have %d bytes, at most %d", w.of, len(w.chunk), len(text.out), maxTexts)
	}
	packed := w.z.EncodeAll(text.out, nil)
	w.texts.number(uint64(len(packed)))
	w.texts.append(packed)
	clear(w.chunk)
	w.chunk = w.chunk[:0]
	return nil
}

// end is the segment with its head, in parts that follow each other.
func (w *writer) end(head Head) (parts [][]byte, err error) {
	if len(w.chunk) > 0 {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	var told encoder
	told.string(string(head.Connection))
	told.string(head.Content)
	told.time(head.Read)
	told.time(head.Writing)
	begin := append([]byte(segmentMagic), segmentVersion)
	begin = append(begin, make([]byte, sha256.Size)...)
	parts = append(parts, begin, told.out, w.standing.out)
	section := func(count int, all pieces) {
		parts = append(append(parts, binary.AppendUvarint(nil, uint64(count))), all.all()...) //nolint:gosec // not negative
	}
	section(int(w.rows), w.ids) //nolint:gosec // counted
	section(len(w.words), w.written)
	section(len(w.tagSets), w.sets)
	section(len(w.places), w.resources)
	for _, column := range w.columns {
		parts = append(parts, column.all()...)
	}
	parts = append(parts, w.texts.all()...)
	sum := sha256.New()
	for _, part := range parts[1:] {
		_, _ = sum.Write(part)
	}
	copy(begin[len(segmentMagic)+1:], sum.Sum(nil))
	return parts, nil
}

// pieces are bytes that grow without being copied.
type pieces struct {
	full [][]byte
	open []byte
}

// piece is the most bytes of a piece, unless one thing takes more.
const piece = 64 << 10

func (p *pieces) append(b []byte) {
	if cap(p.open)-len(p.open) < len(b) {
		if len(p.open) > 0 {
			p.full = append(p.full, p.open)
		}
		p.open = make([]byte, 0, max(len(b), min(piece, cmp.Or(2*cap(p.open), 64))))
	}
	p.open = append(p.open, b...)
}

func (p *pieces) number(n uint64) {
	var b [binary.MaxVarintLen64]byte
	p.append(b[:binary.PutUvarint(b[:], n)])
}

func (p *pieces) string(s string) {
	p.number(uint64(len(s)))
	p.append([]byte(s))
}

func (p *pieces) all() [][]byte { return append(slices.Clip(p.full), p.open) }
