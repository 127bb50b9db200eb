package index

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Standing is what the newest whole audit of a connection amounts to, in counts alone. What
// they are worth is worked out when somebody asks, by the checks of today (Rules).
type Standing struct {
	Audit model.AuditID
	At    time.Time // when the audit began
	// Version is of the score that the audit was given.
	Version   int
	Resources int
	// Tally has the counts of checks by values that frameworks ask for, too.
	Tally   model.Tally
	Missing []Missing
}

// Missing is an IAM action that was missing in an audit, and what that blinded.
type Missing struct {
	Action   string
	DeniedBy string // drift.ByRole and its like
	Verdicts int    // that could not be given for it
	Checks   []model.CheckID
	Services []string // that those are of; a segment does not have them, and a View does
}

// Whole reports whether an audit says how its account stands: it has a summary, and was to
// look at no less than the connection asks for.
func Whole(a model.Audit) bool { return a.Summary != nil && !a.Verification && !a.Part }

// StandingOf is what an audit amounts to that is Whole.
func StandingOf(a model.Audit) *Standing {
	s := &Standing{Audit: a.ID, At: a.StartedAt.UTC(), Version: a.Summary.Score.Version, Resources: a.Summary.Resources, Tally: a.Summary.Tally}
	if len(a.Summary.Wanted) > 0 {
		s.Tally = maps.Clone(s.Tally)
		maps.Copy(s.Tally, a.Summary.Wanted)
	}
	for _, m := range drift.Of([]model.Audit{a}).Missing {
		s.Missing = append(s.Missing, Missing{Action: m.Action, DeniedBy: m.DeniedBy, Verdicts: m.Verdicts, Checks: m.Checks})
	}
	return s
}

// A standing has a number of each check instead of its id, which would be ten times as long:
// four bytes of a hash. Whoever knows the ids knows the numbers (NewRules, which refuses
// two ids with one number).
func numberOf(id model.CheckID) uint32 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint32(sum[:])
}

// numbers are those of checks, in order, each once.
func numbers(ids []model.CheckID) []uint32 {
	all := make([]uint32, len(ids))
	for i, id := range ids {
		all[i] = numberOf(id)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// standing is how a connection stands, in memory. Most checks of an account have one verdict
// or none, so counts stay packed: see packCounts.
type standing struct {
	whole     bool // it was audited as a whole; else nothing of this is set
	audit     model.AuditID
	at        time.Time
	version   int
	resources int
	set       uint32 // of dictionary.checkSets: the numbers of the checks, four bytes each
	counts    []byte
	missing   []missingAction

	scored scoredOnce
}

type missingAction struct {
	action, deniedBy string
	verdicts         int
	checks           []uint32
}

func (s *standing) bytes() int {
	n := len(s.audit) + len(s.counts) + 128
	for _, m := range s.missing {
		n += len(m.action) + len(m.deniedBy) + 4*len(m.checks) + 64
	}
	return n
}

// standing writes how a connection stands.
func (e *encoder) standing(s *Standing) {
	e.truth(s != nil)
	if s == nil {
		return
	}
	e.string(string(s.Audit))
	e.time(s.At)
	e.number(natural(s.Version))
	e.number(natural(s.Resources))
	counts := map[uint32]model.Counts{}
	var ids []model.CheckID
	for id, c := range s.Tally {
		ids = append(ids, id)
		counts[numberOf(id)] = counts[numberOf(id)].Add(c)
	}
	e.checks(ids)
	for _, n := range numbers(ids) {
		e.out = packCounts(e.out, counts[n])
	}
	e.number(natural(len(s.Missing)))
	for _, m := range s.Missing {
		e.string(m.Action)
		e.string(m.DeniedBy)
		e.number(natural(m.Verdicts))
		e.checks(m.Checks)
	}
}

func natural(n int) uint64 { return uint64(max(0, n)) } //nolint:gosec // not negative

// checks writes which checks, each by how far its number is from the one before.
func (e *encoder) checks(ids []model.CheckID) {
	all := numbers(ids)
	e.number(natural(len(all)))
	last := uint32(0)
	for _, n := range all {
		e.number(uint64(n - last))
		last = n
	}
}

// packCounts appends the counts of a check: a byte that says which of them there are, in its
// lower five bits, and then those. A lone count of at most seven stands in its upper three.
func packCounts(out []byte, c model.Counts) []byte {
	each := countsOf(c)
	which, lone := byte(0), -1
	for i, n := range each {
		if n == 0 {
			continue
		}
		if which == 0 && n <= maxLone {
			lone = n
		} else {
			lone = -1
		}
		which |= 1 << i
	}
	if lone > 0 {
		return append(out, which|byte(lone)<<countBits) //nolint:gosec // at most maxLone
	}
	out = append(out, which)
	for _, n := range each {
		if n > 0 {
			out = binary.AppendUvarint(out, uint64(n))
		}
	}
	return out
}

const (
	countBits = 5
	maxLone   = 7
)

func countsOf(c model.Counts) [countBits]int {
	return [countBits]int{max(0, c.Pass), max(0, c.Fail), max(0, c.NotApplicable), max(0, c.NotAssessed), max(0, c.Folded)}
}

// unpackCounts reads what packCounts wrote; nothing is left of what it did not write.
func unpackCounts(in []byte) (c model.Counts, rest []byte) {
	if len(in) == 0 {
		return c, nil
	}
	head := in[0]
	in = in[1:]
	var each [countBits]int
	lone := int(head >> countBits)
	if which := head & (1<<countBits - 1); lone > 0 && bits.OnesCount8(which) != 1 {
		return model.Counts{}, nil
	}
	for i := range each {
		if head&(1<<i) == 0 {
			continue
		}
		each[i] = lone
		if lone > 0 {
			continue
		}
		if len(in) > 0 && in[0] < 0x80 { // as most are
			each[i], in = int(in[0]), in[1:]
			continue
		}
		n, w := binary.Uvarint(in)
		if w <= 0 || n > math.MaxInt32 {
			return model.Counts{}, nil
		}
		each[i], in = int(n), in[w:]
	}
	return model.Counts{Pass: each[0], Fail: each[1], NotApplicable: each[2], NotAssessed: each[3], Folded: each[4]}, in
}

// packedSum is the sum of what packCounts wrote of a check.
type packedSum struct {
	each    [countBits]int
	failing int // of how many
}

func (s packedSum) counts() model.Counts {
	return model.Counts{Pass: s.each[0], Fail: s.each[1], NotApplicable: s.each[2], NotAssessed: s.each[3], Folded: s.each[4]}
}

const failBit = 1 << 1 // of countsOf

// addPacked adds the counts of as many checks as there are sums. It goes through all checks
// of all accounts each time that somebody asks, and says what unpackCounts does.
func addPacked(in []byte, sums []packedSum) {
	for i := range sums {
		head := in[0]
		in = in[1:]
		if head&failBit != 0 {
			sums[i].failing++
		}
		if lone := head >> countBits; lone > 0 {
			sums[i].each[bits.TrailingZeros8(head)] += int(lone)
			continue
		}
		for ; head != 0; head &= head - 1 {
			n, w := uint64(in[0]), 1
			if n >= 0x80 {
				n, w = binary.Uvarint(in)
			}
			sums[i].each[bits.TrailingZeros8(head)] += int(n) //nolint:gosec // as it was read
			in = in[w:]
		}
	}
}

// readStanding reads how a connection stands.
func (dict *dictionary) readStanding(d *decoder) *standing {
	s := &standing{whole: d.truth()}
	if !s.whole {
		return s
	}
	s.audit = model.AuditID(d.string())
	s.at = d.time()
	s.version = d.below(math.MaxInt32)
	s.resources = d.below(math.MaxInt32)
	checks := d.checks()
	set := make([]byte, 0, 4*len(checks))
	for _, n := range checks {
		set = binary.BigEndian.AppendUint32(set, n)
	}
	var err error
	if s.set, err = dict.checkSets.of(string(set)); err != nil {
		d.fail(err.Error())
	}
	begin := d.in
	for range checks {
		if len(d.in) == 0 {
			d.fail("cut off in the counts of checks")
			return s
		}
		_, d.in = unpackCounts(d.in)
		if d.in == nil {
			d.fail("counts of checks that cannot be")
			return s
		}
	}
	s.counts = slices.Clone(begin[:len(begin)-len(d.in)])
	for range d.count(4) {
		s.missing = append(s.missing, missingAction{d.string(), d.string(), d.below(math.MaxInt32), d.checks()})
	}
	return s
}

// checks reads what encoder.checks wrote.
func (d *decoder) checks() []uint32 {
	all := make([]uint32, 0, d.peek())
	at := uint64(0)
	for i := range d.count(1) {
		n := d.number()
		if at += n; at > math.MaxUint32 || n > math.MaxUint32 || i > 0 && n == 0 {
			d.fail("a check that cannot be")
			return nil
		}
		all = append(all, uint32(at)) //nolint:gosec // within bounds
	}
	return all
}
