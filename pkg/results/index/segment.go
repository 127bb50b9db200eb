package index

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// A segment is the findings of one connection. As bytes it is
//
//	"CAQS", version, SHA-256 of what follows,
//	head:      connection, state of the findings, when they were read, when their writers are over
//	standing:  whether it was audited, and what the newest whole audit counted
//	ids:       16 bytes a finding, in order
//	words:     every short string once, in order; columns name them by number
//	tags:      sets of tags, each once
//	resources: ARN (see cutARN), part, name (see cutName), account, region, set of tags
//	columns:   check, service, type, severity, state, cause, resource, three times
//	texts:     what only shown rows need, in chunks of zstd: reason, exact times …
//
// Numbers are varints. Whatever a file says of how much there is, it has to have the bytes
// for: what reading it takes of memory is a small multiple of its length, and a chunk of
// texts is opened when one of its rows is shown, up to maxTexts.
const (
	segmentMagic   = "CAQS"
	segmentVersion = 1
	chunkRows      = 512
	idBytes        = 16
	maxTexts       = 8 << 20 // of one chunk, opened
)

// ErrDamaged says that a segment or a shard is cut off, altered, or of another version. It
// is made anew from the table.
var ErrDamaged = errors.New("damaged index")

// Head says of what, and of when, a segment is.
type Head struct {
	Connection model.ConnectionID
	// Content is that of the connection's mark (store.Mark) when its findings were read, and
	// Read when that began.
	Content string
	Read    time.Time
	// Writing is until when writers that had begun before all was read may have gone on; zero
	// is none.
	Writing time.Time
}

// Encode writes the findings of one connection, and how it stands, as a segment; a nil
// standing is of one that was never audited as a whole. Of two findings with one id, which
// a check that moved to another scope leaves, the open one counts, and then the newer one.
func Encode(head Head, how *Standing, entries []Entry) ([]byte, error) {
	w, err := newWriter(head.Connection, how)
	if err != nil {
		return nil, err
	}
	defer w.close()
	rows := slices.Clone(entries)
	slices.SortStableFunc(rows, precedes)
	for _, r := range rows {
		if err := w.add(r); err != nil {
			return nil, err
		}
	}
	parts, err := w.end(head)
	return slices.Concat(parts...), err
}

// precedes orders findings by id, and of those with one id the one first that counts.
func precedes(a, b Entry) int {
	rank := func(e Entry) int {
		if e.State.Open() {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.ID, b.ID), rank(a)-rank(b), b.ResolvedAt.Compare(a.ResolvedAt), b.FirstSeen.Compare(a.FirstSeen))
}

// place is what a resource is told by in a segment.
type place struct{ arn, sub, name, account, region string }

func placeOf(r model.Ref) place { return place{r.ARN, r.Sub, r.Name, r.Account, r.Region} }

// accountMark stands for the resource's account in what its ARN begins with: so that is the
// same in all accounts.
const accountMark = "\x01"

// cutARN parts an ARN into what many others begin with, and the rest.
func cutARN(r place) (prefix, rest string) {
	if strings.Contains(r.arn, accountMark) {
		return "", r.arn
	}
	at := strings.LastIndexAny(r.arn, ":/") + 1
	prefix, rest = r.arn[:at], r.arn[at:]
	if before, after, ok := strings.Cut(prefix, ":"+r.account+":"); ok && r.account != "" {
		prefix = before + ":" + accountMark + ":" + after
	}
	return prefix, rest
}

// sameName stands for a name that is what cutARN leaves of the ARN, as most names are. What
// begins with it has one more.
const sameName = "\x01"

func cutName(name, rest string) string {
	switch {
	case name == rest:
		return sameName
	case strings.HasPrefix(name, sameName):
		return sameName + name
	}
	return name
}

func wholeName(cut, rest string) string {
	switch name, marked := strings.CutPrefix(cut, sameName); {
	case !marked:
		return cut
	case name == "":
		return rest
	default:
		return name
	}
}

type encoder struct{ out []byte }

func (e *encoder) number(n uint64) { e.out = binary.AppendUvarint(e.out, n) }

func (e *encoder) truth(is bool) {
	n := uint64(0)
	if is {
		n = 1
	}
	e.number(n)
}

func (e *encoder) string(s string) {
	e.number(uint64(len(s)))
	e.out = append(e.out, s...)
}

// time writes a time to the nanosecond; zero is none.
func (e *encoder) time(t time.Time) { e.out = binary.AppendVarint(e.out, nanos(t)) }

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// seconds is a time as columns have it: 1970 to 2106, 0 is none.
func seconds(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return uint32(min(max(t.Unix(), 1), math.MaxUint32)) //nolint:gosec // within bounds
}

// decoder reads numbers and strings; what is not there is ErrDamaged, once and for all.
type decoder struct {
	in  []byte
	err error
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrDamaged, why)
	}
	d.in = nil
}

func (d *decoder) number() uint64 {
	n, w := binary.Uvarint(d.in)
	if w <= 0 {
		d.fail("cut off in a number")
		return 0
	}
	d.in = d.in[w:]
	return n
}

func (d *decoder) time() time.Time { return fromNanos(d.nanos()) }

// nanos reads a time as fromNanos takes it.
func (d *decoder) nanos() int64 {
	n, w := binary.Varint(d.in)
	if w <= 0 {
		d.fail("cut off in a time")
		return 0
	}
	d.in = d.in[w:]
	return n
}

func (d *decoder) bytes() []byte {
	n := d.number()
	if n > uint64(len(d.in)) {
		d.fail("cut off in a text")
		return nil
	}
	out := d.in[:n]
	d.in = d.in[n:]
	return out
}

func (d *decoder) string() string { return string(d.bytes()) }

// count reads how many things follow, each of at least so many bytes.
func (d *decoder) count(least int) int {
	n := d.number()
	if n > uint64(len(d.in)/least) { //nolint:gosec // not negative
		d.fail("fewer things than it says")
		return 0
	}
	return int(n) //nolint:gosec // within bounds
}

// below reads a number that must be less than a bound.
func (d *decoder) below(bound int) int {
	n := d.number()
	if n >= uint64(bound) { //nolint:gosec // not negative
		d.fail("a number that names nothing")
		return 0
	}
	return int(n) //nolint:gosec // within bounds
}

func (d *decoder) truth() bool { return d.below(2) == 1 }

// readHead reads what a segment is of, after its checksum is found to be right.
func readHead(in []byte) (Head, *decoder, error) {
	start := len(segmentMagic) + 1 + sha256.Size
	if len(in) < start || string(in[:len(segmentMagic)]) != segmentMagic {
		return Head{}, nil, fmt.Errorf("%w: it is no segment", ErrDamaged)
	}
	if v := in[len(segmentMagic)]; v != segmentVersion {
		return Head{}, nil, fmt.Errorf("%w: version %d, not %d", ErrDamaged, v, segmentVersion)
	}
	sum := sha256.Sum256(in[start:])
	if !bytes.Equal(sum[:], in[len(segmentMagic)+1:start]) {
		return Head{}, nil, fmt.Errorf("%w: its checksum is another", ErrDamaged)
	}
	d := &decoder{in: in[start:]}
	head := Head{Connection: model.ConnectionID(d.string()), Content: d.string(), Read: d.time(), Writing: d.time()}
	return head, d, d.err
}
