package index

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// words is a dictionary that all segments of a process share, so that a filter is asked of
// each word once, and words of two segments are equal where their numbers are. It only
// grows: what was handed out stays right.
type words struct {
	mu     sync.RWMutex
	what   string
	most   int
	all    []string
	number map[string]uint32
	bytes  int // about how much memory they take
}

func newWords(what string, most int) *words {
	return &words{what: what, most: most, all: []string{""}, number: map[string]uint32{"": 0}}
}

// list is the words so far; number 0 is "".
func (w *words) list() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.all
}

// size is about how much memory the words take.
func (w *words) size() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.bytes
}

// find is the number of a word, if it has one.
func (w *words) find(word string) (n uint32, known bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	n, known = w.number[word]
	return n, known
}

// of is the number of a word, which gets one.
func (w *words) of(word string) (uint32, error) {
	if n, known := w.find(word); known {
		return n, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, known := w.number[word]; known {
		return n, nil
	}
	if len(w.all) >= w.most {
		return 0, fmt.Errorf("%w: more than %d %s", ErrDamaged, w.most, w.what)
	}
	n := uint32(len(w.all)) //nolint:gosec // most is less
	w.all = append(w.all, word)
	w.number[word] = n
	w.bytes += len(word) + 64
	return n, nil
}

// dictionary is all that segments name by number.
type dictionary struct {
	checks, services, kinds, regions *words // of at most 65,536
	severities, states               *words // of at most 256
	accounts, prefixes, tagWords     *words
	tagSets                          *words // pairs of tagWords, four bytes each; "" is unknown
	checkSets                        *words // of standings: numbers of checks, four bytes each

	sorting sync.Mutex
	sorted  sorted
}

func newDictionary() *dictionary {
	const most = math.MaxInt32
	return &dictionary{
		checks: newWords("checks", 1<<16), services: newWords("services", 1<<16), kinds: newWords("types", 1<<16), regions: newWords("regions", 1<<16),
		severities: newWords("severities", 1<<8), states: newWords("states", 1<<8),
		accounts: newWords("accounts", most), prefixes: newWords("prefixes", most), tagWords: newWords("tags", most), tagSets: newWords("sets of tags", most),
		checkSets: newWords("sets of checks", most),
	}
}

// len is how many words there are that come and go with resources.
func (dict *dictionary) len() int {
	return len(dict.prefixes.list()) + len(dict.accounts.list()) + len(dict.tagWords.list()) + len(dict.tagSets.list()) + len(dict.checkSets.list())
}

// noTags is the set of a resource that is known to have none: no pair is of one byte.
const noTags = "\x00"

// column is a number for each row. One that is the same for all takes no room.
type column[T uint8 | uint16 | uint32] struct {
	each []T
	same T
}

func (c *column[T]) at(row int) T {
	if c.each == nil {
		return c.same
	}
	return c.each[row]
}

func newColumn[T uint8 | uint16 | uint32](each []T) column[T] {
	for _, n := range each {
		if n != each[0] {
			return column[T]{each: each}
		}
	}
	if len(each) == 0 {
		return column[T]{}
	}
	return column[T]{same: each[0]}
}

// segment is the findings of one connection in memory.
type segment struct {
	Head
	member
	standing                    *standing
	ids                         []byte
	check, service, kind, cause column[uint16]
	severity, state             column[uint8]
	resource                    []uint32
	first, resolved, blind      column[uint32]

	// Of resources, by number.
	prefix, account, tags column[uint32]
	region                column[uint16]
	ends                  []uint32 // in names: of the rest of the ARN, the part and the name as it is cut
	names                 string

	texts   [][]byte // chunks of zstd
	firstOf *firsts
	size    int // about how much memory it takes, as read
}

func (s *segment) rows() int { return len(s.resource) }

// textsOfResource is how many texts of a resource are in names.
const textsOfResource = 3

// text is one of a resource's texts, from 0 on.
func (s *segment) text(resource, which int) string {
	at := textsOfResource*resource + which
	begin := uint32(0)
	if at > 0 {
		begin = s.ends[at-1]
	}
	return s.names[begin:s.ends[at]]
}

// rest is what cutARN leaves of a resource's ARN, and sub its part.
func (s *segment) rest(resource int) string { return s.text(resource, 0) }

func (s *segment) sub(resource int) string { return s.text(resource, 1) }

func (s *segment) name(resource int) string {
	return wholeName(s.text(resource, 2), s.rest(resource))
}

// resources is how many there are.
func (s *segment) resources() int { return len(s.ends) / textsOfResource }

// bytes is about how much memory the segment takes.
func (s *segment) bytes() int {
	n := len(s.ids) + len(s.names) + 4*len(s.ends) + 4*len(s.resource) + len(s.severity.each) + len(s.state.each)
	for _, c := range []*column[uint16]{&s.check, &s.service, &s.kind, &s.cause, &s.region} {
		n += 2 * len(c.each)
	}
	for _, c := range []*column[uint32]{&s.first, &s.resolved, &s.blind, &s.prefix, &s.account, &s.tags} {
		n += 4 * len(c.each)
	}
	for _, t := range s.texts {
		n += len(t) + 24
	}
	return n + s.standing.bytes() + 768
}

// decode reads a segment, whose words become those of the dictionary.
func (dict *dictionary) decode(in []byte) (*segment, error) {
	head, d, err := readHead(in)
	if err != nil {
		return nil, err
	}
	s := &segment{Head: head, firstOf: &firsts{}, standing: dict.readStanding(d)}
	rows := d.count(idBytes)
	s.ids = append([]byte(nil), d.in[:rows*idBytes]...)
	d.in = d.in[rows*idBytes:]
	local := make([]string, 0, d.peek())
	for range d.count(1) {
		local = append(local, d.string())
	}
	sets := dict.readTags(d, local)
	resources := s.readResources(d, dict, local, sets)
	s.readColumns(d, dict, local, rows, resources)
	for range (rows + chunkRows - 1) / chunkRows {
		s.texts = append(s.texts, append([]byte(nil), d.bytes()...))
	}
	if d.err == nil && len(d.in) > 0 {
		d.fail("more than it says")
	}
	if d.err != nil {
		return nil, fmt.Errorf("segment of %.64q: %w", head.Connection, d.err)
	}
	s.size = s.bytes()
	return s, nil
}

// peek is the count that comes next, as far as there are bytes for it.
func (d *decoder) peek() int {
	n, _ := binary.Uvarint(d.in)
	return int(min(n, uint64(len(d.in)))) //nolint:gosec // within bounds
}

func (dict *dictionary) readTags(d *decoder, local []string) []uint32 {
	count := d.count(1)
	sets := make([]uint32, 1, count+1)
	global := memo{d: d, words: dict.tagWords, local: local}
	for range count {
		var set []byte
		for range d.count(2) {
			set = binary.LittleEndian.AppendUint32(set, global.next())
			set = binary.LittleEndian.AppendUint32(set, global.next())
		}
		if set == nil {
			set = []byte(noTags)
		}
		n, err := dict.tagSets.of(string(set))
		if err != nil {
			d.fail(err.Error())
		}
		sets = append(sets, n)
	}
	return sets
}

// memo turns the numbers of a file's words into those of a dictionary.
type memo struct {
	d     *decoder
	words *words
	local []string
	known []uint32 // by the file's number, one more than the dictionary's
}

func (m *memo) next() uint32 {
	at := m.d.below(len(m.local))
	if m.d.err != nil {
		return 0
	}
	if m.known == nil {
		m.known = make([]uint32, len(m.local))
	}
	if m.known[at] == 0 {
		n, err := m.words.of(m.local[at])
		if err != nil {
			m.d.fail(err.Error())
			return 0
		}
		m.known[at] = n + 1
	}
	return m.known[at] - 1
}

func (s *segment) readResources(d *decoder, dict *dictionary, local []string, sets []uint32) int {
	count := d.count(7)
	prefix, account, tags := make([]uint32, count), make([]uint32, count), make([]uint32, count)
	region := make([]uint16, count)
	var names []byte
	s.ends = make([]uint32, 0, textsOfResource*count)
	prefixes, accounts, regions := memo{d: d, words: dict.prefixes, local: local}, memo{d: d, words: dict.accounts, local: local}, memo{d: d, words: dict.regions, local: local}
	for i := range count {
		prefix[i] = prefixes.next()
		for range textsOfResource {
			names = append(names, d.bytes()...)
			s.ends = append(s.ends, uint32(len(names))) //nolint:gosec // a file has less
		}
		account[i], region[i] = accounts.next(), uint16(regions.next()) //nolint:gosec // see dictionary
		if at := d.below(len(sets)); d.err == nil {
			tags[i] = sets[at]
		}
		if d.err != nil {
			return 0
		}
	}
	s.names = string(names)
	s.prefix, s.account, s.tags, s.region = newColumn(prefix), newColumn(account), newColumn(tags), newColumn(region)
	return count
}

func (s *segment) readColumns(d *decoder, dict *dictionary, local []string, rows, resources int) {
	s.check, s.service, s.kind = named[uint16](d, dict.checks, local, rows), named[uint16](d, dict.services, local, rows), named[uint16](d, dict.kinds, local, rows)
	s.severity, s.state = named[uint8](d, dict.severities, local, rows), named[uint8](d, dict.states, local, rows)
	s.cause = named[uint16](d, dict.checks, local, rows)
	s.resource = make([]uint32, rows)
	for i := range s.resource {
		s.resource[i] = uint32(d.below(resources)) //nolint:gosec // within bounds
	}
	for _, c := range []*column[uint32]{&s.first, &s.resolved, &s.blind} {
		each := make([]uint32, rows)
		for i := range each {
			each[i] = uint32(d.below(math.MaxUint32 + 1)) //nolint:gosec // within bounds
		}
		*c = newColumn(each)
	}
}

func named[T uint8 | uint16](d *decoder, of *words, local []string, rows int) column[T] {
	global := memo{d: d, words: of, local: local}
	each := make([]T, rows)
	for i := range each {
		each[i] = T(global.next()) //nolint:gosec // see dictionary
	}
	return newColumn(each)
}

// reader opens the texts of rows, a chunk at a time.
type reader struct {
	dict  *dictionary
	z     *zstd.Decoder
	of    *segment
	chunk int
	plain []byte // of the chunk, in which texts are
	texts []text
}

// text is what only a shown row needs, as it lies in its chunk: a page shows a row or two of
// the 512 of each.
type text struct {
	reason, why            []byte
	first, resolved, blind int64 // nanoseconds, see fromNanos
	reopened               int
}

func newReader(dict *dictionary) (*reader, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxTexts), zstd.WithDecoderMaxWindow(maxTexts), zstd.WithDecoderLowmem(true))
	return &reader{dict: dict, z: z}, err
}

func (r *reader) open(s *segment, row int) (text, error) {
	if at := row / chunkRows; r.of != s || r.chunk != at {
		r.of = nil // until it is read to its end
		plain, err := r.z.DecodeAll(s.texts[at], r.plain[:0])
		if err != nil {
			return text{}, fmt.Errorf("segment of %.64q: %w: %w", s.Connection, ErrDamaged, err)
		}
		d := &decoder{in: plain}
		texts := slices.Grow(r.texts[:0], chunkRows)[:min(chunkRows, s.rows()-at*chunkRows)]
		for _, column := range []func(*text){
			func(t *text) { t.reason = d.bytes() },
			func(t *text) { t.why = d.bytes() },
			func(t *text) { t.first = d.nanos() },
			func(t *text) { t.resolved = d.nanos() },
			func(t *text) { t.blind = d.nanos() },
			func(t *text) { t.reopened = d.below(math.MaxInt32) },
		} {
			for i := range texts {
				column(&texts[i])
			}
		}
		if d.err != nil {
			return text{}, fmt.Errorf("segment of %.64q: %w", s.Connection, d.err)
		}
		r.of, r.chunk, r.plain, r.texts = s, at, plain, texts
	}
	return r.texts[row%chunkRows], nil
}

// entry is a row as it was written.
func (r *reader) entry(s *segment, row int) (Entry, error) {
	t, err := r.open(s, row)
	if err != nil {
		return Entry{}, err
	}
	res := int(s.resource[row])
	e := Entry{Finding: model.Finding{
		ID:         model.FindingID(hex.EncodeToString(s.ids[row*idBytes : (row+1)*idBytes])),
		Check:      model.CheckID(r.dict.checks.list()[s.check.at(row)]),
		Service:    r.dict.services.list()[s.service.at(row)],
		Kind:       r.dict.kinds.list()[s.kind.at(row)],
		Severity:   model.Severity(r.dict.severities.list()[s.severity.at(row)]),
		Connection: s.Connection,
		Resource: model.Ref{
			ARN: arn(r.dict.prefixes.list(), r.dict.accounts.list(), s, res), Sub: s.sub(res),
			Account: r.dict.accounts.list()[s.account.at(res)], Region: r.dict.regions.list()[s.region.at(res)], Name: s.name(res),
		},
		State: model.FindingState(r.dict.states.list()[s.state.at(row)]), Reason: string(t.reason), Cause: model.CheckID(r.dict.checks.list()[s.cause.at(row)]),
		FirstSeen: fromNanos(t.first), ResolvedAt: fromNanos(t.resolved), BlindSince: fromNanos(t.blind), Why: string(t.why), Reopened: t.reopened,
	}}
	e.Tags, e.TagsKnown = r.dict.tagsOf(s.tags.at(res))
	return e, nil
}

// arnParts is the ARN of a resource, in parts.
func arnParts(prefixes, accounts []string, s *segment, resource int) [4]string {
	before, after, ok := strings.Cut(prefixes[s.prefix.at(resource)], accountMark)
	if !ok {
		return [4]string{before, s.rest(resource)}
	}
	return [4]string{before, accounts[s.account.at(resource)], after, s.rest(resource)}
}

func arn(prefixes, accounts []string, s *segment, resource int) string {
	parts := arnParts(prefixes, accounts, s, resource)
	return parts[0] + parts[1] + parts[2] + parts[3]
}

// tagsOf is a set of tags.
func (dict *dictionary) tagsOf(set uint32) (map[string]string, bool) {
	pairs := dict.tagSets.list()[set]
	if pairs == "" {
		return nil, false
	}
	tags, all := map[string]string{}, dict.tagWords.list()
	for b := []byte(pairs); len(b) >= 8; b = b[8:] {
		tags[all[binary.LittleEndian.Uint32(b)]] = all[binary.LittleEndian.Uint32(b[4:])]
	}
	return tags, true
}
