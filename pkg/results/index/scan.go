package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
)

// moment is what all numbers mean while one query is answered.
type moment struct {
	dict                                              *dictionary
	checks                                            Checks
	checkIDs, services, kinds, regions, states        []string
	accounts, prefixes, tagWords, tagSets, severities []string
	today                                             []uint8 // the severity of a check; own is that of the finding
}

// own says that a finding's own severity counts.
const own = 255

func newMoment(d *dictionary, checks Checks) *moment {
	m := &moment{
		dict: d, checks: checks,
		checkIDs: d.checks.list(), services: d.services.list(), kinds: d.kinds.list(), regions: d.regions.list(), states: d.states.list(),
		accounts: d.accounts.list(), prefixes: d.prefixes.list(), tagWords: d.tagWords.list(), tagSets: d.tagSets.list(),
		severities: slices.Clone(d.severities.list()),
	}
	m.today = make([]uint8, len(m.checkIDs))
	for i, id := range m.checkIDs {
		m.today[i] = own
		if checks.Severity == nil {
			continue
		}
		severity, known := checks.Severity(model.CheckID(id))
		if !known {
			continue
		}
		at := slices.Index(m.severities, string(severity))
		if at < 0 {
			at = len(m.severities)
			m.severities = append(m.severities, string(severity))
		}
		if at < own {
			m.today[i] = uint8(at)
		}
	}
	return m
}

func (m *moment) severityOf(s *segment, at int) uint8 {
	if today := m.today[s.check.at(at)]; today != own {
		return today
	}
	return s.severity.at(at)
}

// field is what a field is in columns: a number for each row, of one of so many things,
// and the values that each of them has.
type field struct {
	things int
	number func(s *segment, at int) uint32
	values func(thing uint32) []string
}

func fieldOf[T uint8 | uint16 | uint32](words []string, column func(*segment, int) T, values func(word string) []string) field {
	return field{
		len(words),
		func(s *segment, at int) uint32 { return uint32(column(s, at)) },
		func(n uint32) []string { return values(words[n]) },
	}
}

func itself(word string) []string { return []string{word} }

func unlessEmpty(word string) []string {
	if word == "" {
		return nil
	}
	return []string{word}
}

func truth(of func(s *segment, at int) bool) field {
	return field{2, func(s *segment, at int) uint32 {
		if of(s, at) {
			return 1
		}
		return 0
	}, func(n uint32) []string { return []string{strconv.FormatBool(n == 1)} }}
}

// field finds a field by its name: those of which there are many fewer values than rows.
func (m *moment) field(name string) (field, bool) {
	check := func(s *segment, at int) uint16 { return s.check.at(at) }
	state := func(s *segment, at int) uint8 { return s.state.at(at) }
	switch name {
	case "account":
		return fieldOf(m.accounts, func(s *segment, at int) uint32 { return s.account.at(int(s.resource[at])) }, itself), true
	case "blind":
		return truth(func(s *segment, at int) bool { return s.blind.at(at) != 0 }), true
	case "cause":
		return fieldOf(m.checkIDs, func(s *segment, at int) uint16 { return s.cause.at(at) }, unlessEmpty), true
	case "check":
		return fieldOf(m.checkIDs, check, itself), true
	case "folded":
		return truth(func(s *segment, at int) bool { return s.cause.at(at) != 0 }), true
	case "framework":
		return fieldOf(m.checkIDs, check, func(id string) []string { return m.checks.Texts.Frameworks(model.CheckID(id)) }), true
	case "pillar":
		return fieldOf(m.checkIDs, check, func(id string) []string { return []string{string(m.checks.Texts[model.CheckID(id)].Pillar)} }), true
	case "region":
		return fieldOf(m.regions, func(s *segment, at int) uint16 { return s.region.at(int(s.resource[at])) }, itself), true
	case "service":
		return fieldOf(m.services, func(s *segment, at int) uint16 { return s.service.at(at) }, itself), true
	case "severity":
		return fieldOf(m.severities, m.severityOf, itself), true
	case "state":
		return fieldOf(m.states, state, itself), true
	case "status":
		return fieldOf(m.states, state, func(word string) []string {
			if model.FindingState(word).Open() {
				return []string{"fail"}
			}
			return []string{"pass"}
		}), true
	case "tags":
		return fieldOf(m.tagSets, func(s *segment, at int) uint32 { return s.tags.at(int(s.resource[at])) }, func(set string) []string {
			switch set {
			case "":
				return []string{TagsUnknown}
			case noTags:
				return []string{"none"}
			}
			return []string{"some"}
		}), true
	case "resource_type":
		return fieldOf(m.kinds, func(s *segment, at int) uint16 { return s.kind.at(at) }, itself), true
	}
	if key, ok := strings.CutPrefix(name, tagPrefix); ok && key != "" {
		return fieldOf(m.tagSets, func(s *segment, at int) uint32 { return s.tags.at(int(s.resource[at])) }, func(set string) []string { return m.tag(key, set) }), true
	}
	return field{}, false
}

// tag is the value that a set of tags has of a key.
func (m *moment) tag(key, set string) []string {
	if set == "" {
		return filter.Unknown
	}
	for b := []byte(set); len(b) >= 8; b = b[8:] {
		if m.tagWords[binary.LittleEndian.Uint32(b)] == key {
			return []string{m.tagWords[binary.LittleEndian.Uint32(b[4:])]}
		}
	}
	return nil
}

// predicate keeps those of the rows that fit a word, in place.
type predicate func(s *segment, rows []uint32) []uint32

func keep(rows []uint32, fits func(at int) bool) []uint32 {
	kept := rows[:0]
	for _, at := range rows {
		if fits(int(at)) {
			kept = append(kept, at)
		}
	}
	return kept
}

func (m *moment) predicate(t filter.Term) predicate {
	switch t.Field {
	case "id":
		return texts{(*segment).rows, func(_ *segment, at int) int { return at }, func(to []byte, s *segment, at int) []byte {
			return hex.AppendEncode(to, row{s, at}.id())
		}}.predicate(t)
	case "resource":
		return ofResource(func(to []byte, s *segment, n int) []byte {
			for _, part := range arnParts(m.prefixes, m.accounts, s, n) {
				to = filter.AppendFold(to, part)
			}
			return to
		}).predicate(t)
	case "name":
		return ofResource(func(to []byte, s *segment, n int) []byte { return filter.AppendFold(to, s.name(n)) }).predicate(t)
	case "part":
		return ofResource(func(to []byte, s *segment, n int) []byte { return filter.AppendFold(to, s.sub(n)) }).predicate(t)
	case "first_seen":
		return ofTime(t, func(s *segment) *column[uint32] { return &s.first })
	case "resolved_at":
		return ofTime(t, func(s *segment) *column[uint32] { return &s.resolved })
	case "connection":
		return whole(func(s *segment) bool { return t.Match([]string{string(s.Connection)}) })
	case "project":
		return whole(func(s *segment) bool { return t.Match(s.projects()) })
	}
	f, _ := m.field(t.Field) // it is Filterable
	fits := make([]uint8, f.things)
	return func(s *segment, rows []uint32) []uint32 {
		return keep(rows, func(at int) bool {
			n := f.number(s, at)
			if fits[n] == 0 {
				fits[n] = 1
				if t.Match(f.values(n)) {
					fits[n] = 2
				}
			}
			return fits[n] == 2
		})
	}
}

// whole is a word that all findings of a connection fit, or none.
func whole(fits func(*segment) bool) predicate {
	return func(s *segment, rows []uint32) []uint32 {
		if fits(s) {
			return rows
		}
		return nil
	}
}

func ofTime(t filter.Term, of func(*segment) *column[uint32]) predicate {
	return func(s *segment, rows []uint32) []uint32 {
		column, last, fits := of(s), uint32(0), t.MatchTime(time.Time{})
		return keep(rows, func(at int) bool {
			if n := column.at(at); n != last {
				last, fits = n, t.MatchTime(fromSeconds(n))
			}
			return fits
		})
	}
}

func fromSeconds(n uint32) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// texts are those that rows have, each its own or that of its resource: how many a segment
// has, which of them a row has, and what it is, folded, behind what is there already.
type texts struct {
	things func(*segment) int
	number func(s *segment, at int) int
	fold   func(to []byte, s *segment, thing int) []byte
}

// ofResource are texts of which each resource has one.
func ofResource(fold func(to []byte, s *segment, resource int) []byte) texts {
	return texts{(*segment).resources, func(s *segment, at int) int { return int(s.resource[at]) }, fold}
}

// textsAtOnce is about how many bytes of texts are joined: what takes memory is one text for
// all of them.
const textsAtOnce = 64 << 10

// predicate asks each text once, however many rows have it.
func (x texts) predicate(t filter.Term) predicate {
	var fits []uint8
	var joined []byte
	var which, ends []int
	ask := func() {
		all, begin := string(joined), 0
		for i, n := range which {
			if t.MatchFolded(all[begin:ends[i]]) {
				fits[n] = 2
			}
			begin = ends[i]
		}
		joined, which, ends = joined[:0], which[:0], ends[:0]
	}
	return func(s *segment, rows []uint32) []uint32 {
		fits = append(fits[:0], make([]uint8, x.things(s))...)
		for _, at := range rows {
			n := x.number(s, int(at))
			if fits[n] > 0 {
				continue
			}
			fits[n] = 1
			joined = x.fold(joined, s, n)
			which, ends = append(which, n), append(ends, len(joined))
			if len(joined) > textsAtOnce {
				ask()
			}
		}
		ask()
		return keep(rows, func(at int) bool { return fits[x.number(s, at)] == 2 })
	}
}

func (m *moment) arn(s *segment, resource int) string {
	return arn(m.prefixes, m.accounts, s, resource)
}

// sorter is one column that rows are sorted by.
type sorter struct {
	compare func(a, b row) int
	// value is what a cursor keeps of a row, and against compares rows with it.
	value   func(row) string
	against func(value string) (func(row) int, error)
}

func (m *moment) sorter(o Order) (sorter, bool) {
	var by sorter
	switch o.Field {
	case "id":
		by = sorter{
			func(a, b row) int { return bytes.Compare(a.id(), b.id()) },
			func(r row) string { return hex.EncodeToString(r.id()) },
			func(value string) (func(row) int, error) {
				id, err := hex.DecodeString(value)
				return func(r row) int { return bytes.Compare(r.id(), id) }, err
			},
		}
	case "resource":
		by = m.byResource()
	case "name":
		by = byText(func(r row) string { return r.segment.name(int(r.segment.resource[r.at])) })
	case "connection":
		by = byText(func(r row) string { return string(r.segment.Connection) })
	case "first_seen":
		by = byNumber(func(r row) uint32 { return r.segment.first.at(r.at) })
	case "resolved_at":
		by = byNumber(func(r row) uint32 { return r.segment.resolved.at(r.at) })
	case "severity":
		weights := make([]uint32, len(m.severities))
		for i, s := range m.severities {
			weights[i] = uint32(model.Severity(s).Weight()) //nolint:gosec // 25 at most
		}
		by = byNumber(func(r row) uint32 { return weights[m.severityOf(r.segment, r.at)] })
	default:
		f, ok := m.field(o.Field)
		if !ok || !slices.Contains(Sortable(), o.Field) {
			return by, false
		}
		by = byWord(f)
	}
	if o.Desc {
		by = by.turned()
	}
	return by, true
}

// turned is the other way round.
func (by sorter) turned() sorter {
	return sorter{
		func(a, b row) int { return by.compare(b, a) },
		by.value,
		func(value string) (func(row) int, error) {
			compare, err := by.against(value)
			return func(r row) int { return -compare(r) }, err
		},
	}
}

func byNumber(of func(row) uint32) sorter {
	return sorter{
		func(a, b row) int { return cmp.Compare(of(a), of(b)) },
		func(r row) string { return strconv.FormatUint(uint64(of(r)), 10) },
		func(value string) (func(row) int, error) {
			n, err := strconv.ParseUint(value, 10, 32)
			return func(r row) int { return cmp.Compare(uint64(of(r)), n) }, err
		},
	}
}

// byText sorts by a text that each row has.
func byText(of func(row) string) sorter {
	return sorter{
		func(a, b row) int { return strings.Compare(of(a), of(b)) },
		of,
		func(value string) (func(row) int, error) {
			return func(r row) int { return strings.Compare(of(r), value) }, nil
		},
	}
}

// byWord sorts by a field of which each row has one value.
func byWord(f field) sorter {
	words := make([]string, f.things)
	order := make([]uint32, f.things)
	for i := range words {
		words[i], order[i] = f.values(uint32(i))[0], uint32(i) //nolint:gosec // an index
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(words[a], words[b]) })
	rank := make([]uint32, f.things)
	for i, n := range order {
		rank[n] = uint32(i) //nolint:gosec // an index
	}
	return sorter{
		func(a, b row) int {
			return cmp.Compare(rank[f.number(a.segment, a.at)], rank[f.number(b.segment, b.at)])
		},
		func(r row) string { return words[f.number(r.segment, r.at)] },
		func(value string) (func(row) int, error) {
			return func(r row) int { return strings.Compare(words[f.number(r.segment, r.at)], value) }, nil
		},
	}
}

// partMark is between an ARN and a part of the resource in a cursor, and before what
// follows in their order: no ARN holds it.
const partMark = "\x00"

// byResource sorts by ARN, and the parts of a resource by their names.
func (m *moment) byResource() sorter {
	return sorter{
		func(a, b row) int {
			x, y := int(a.segment.resource[a.at]), int(b.segment.resource[b.at])
			if a.segment == b.segment && x == y {
				return 0
			}
			d := 0
			if a.segment.prefix.at(x) == b.segment.prefix.at(y) && a.segment.account.at(x) == b.segment.account.at(y) {
				d = strings.Compare(a.segment.rest(x), b.segment.rest(y))
			} else {
				d = compareJoined(arnParts(m.prefixes, m.accounts, a.segment, x), arnParts(m.prefixes, m.accounts, b.segment, y))
			}
			return cmp.Or(d, strings.Compare(a.segment.sub(x), b.segment.sub(y)))
		},
		func(r row) string {
			n := int(r.segment.resource[r.at])
			return m.arn(r.segment, n) + partMark + r.segment.sub(n)
		},
		func(value string) (func(row) int, error) {
			arn, sub, ok := strings.Cut(value, partMark)
			if !ok {
				return nil, errors.New("no resource")
			}
			return func(r row) int {
				n := int(r.segment.resource[r.at])
				d := compareJoined(arnParts(m.prefixes, m.accounts, r.segment, n), [4]string{arn})
				return cmp.Or(d, strings.Compare(r.segment.sub(n), sub))
			}, nil
		},
	}
}

// compareJoined compares two texts of some parts each, without joining them.
func compareJoined(a, b [4]string) int {
	i, j := 0, 0
	for {
		for i < len(a) && a[i] == "" {
			i++
		}
		for j < len(b) && b[j] == "" {
			j++
		}
		if i == len(a) || j == len(b) {
			return j - i - (len(b) - len(a)) // whichever has parts left is the longer one
		}
		n := min(len(a[i]), len(b[j]))
		if d := strings.Compare(a[i][:n], b[j][:n]); d != 0 {
			return d
		}
		a[i], b[j] = a[i][n:], b[j][n:]
	}
}

// grouping counts rows by the values of a field.
type grouping struct {
	field  string
	now    *moment
	counts [][]int // by thing, then by severity
	of     field

	resources *resources // those that are counted, if it is these
	whole     func(*segment) []string
	named     map[string][]int
}

func (m *moment) grouping(name string, v *View) (*grouping, bool) {
	g := &grouping{field: name, now: m, named: map[string][]int{}}
	switch name {
	case "resource":
		g.resources = newResources(m, v)
		return g, true
	case "connection":
		g.whole = func(s *segment) []string { return []string{string(s.Connection)} }
		return g, true
	case "project":
		g.whole = func(s *segment) []string { return s.projects() }
		return g, true
	}
	var ok bool
	g.of, ok = m.field(name)
	g.counts = make([][]int, g.of.things)
	return g, ok
}

func (g *grouping) count(s *segment, rows []uint32) {
	if g.whole != nil {
		values := g.whole(s)
		for _, at := range rows {
			for _, value := range values {
				g.add(value, g.now.severityOf(s, int(at)))
			}
		}
		return
	}
	if g.resources != nil {
		g.resources.count(s, rows)
		return
	}
	for _, at := range rows {
		count(&g.counts[g.of.number(s, int(at))], g.now.severityOf(s, int(at)), 1, len(g.now.severities))
	}
}

func (g *grouping) add(value string, severity uint8) {
	c := g.named[value]
	count(&c, severity, 1, len(g.now.severities))
	g.named[value] = c
}

func count(c *[]int, severity uint8, n, severities int) {
	if *c == nil {
		*c = make([]int, severities)
	}
	(*c)[severity] += n
}

func merge(into map[string][]int, value string, counts []int) {
	before, known := into[value]
	if !known {
		into[value] = counts
		return
	}
	sum := slices.Clone(before)
	for i, n := range counts {
		sum[i] += n
	}
	into[value] = sum
}

// addAll adds what was counted elsewhere of the same field.
func (g *grouping) addAll(other *grouping) {
	for n, counts := range other.counts {
		for severity, count := range counts {
			if g.counts[n] == nil {
				g.counts[n] = make([]int, len(counts))
			}
			g.counts[n][severity] += count
		}
	}
	for value, counts := range other.named {
		merge(g.named, value, counts)
	}
	if g.resources != nil {
		g.resources.addAll(other.resources)
	}
}

// counted is how many rows have a value, by severity.
type counted struct {
	value  string
	total  int
	counts []int
}

func (g *grouping) buckets(asked Group) Buckets {
	if g.resources != nil {
		return g.bucketsOf(len(g.resources.totals), g.resources.most(asked.Skip, asked.Limit))
	}
	for n, c := range g.counts {
		if c == nil {
			continue
		}
		values := g.of.values(uint32(n)) //nolint:gosec // an index
		if slices.Equal(values, filter.Unknown) {
			continue
		}
		for _, value := range values {
			merge(g.named, value, c)
		}
	}
	all := make([]counted, 0, len(g.named))
	for value, c := range g.named {
		total := 0
		for _, n := range c {
			total += n
		}
		all = append(all, counted{value, total, c})
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(b.total-a.total, strings.Compare(a.value, b.value)) })
	begin := min(asked.Skip, len(all))
	return g.bucketsOf(len(all), all[begin:min(begin+asked.Limit, len(all))])
}

func (g *grouping) bucketsOf(total int, chosen []counted) Buckets {
	out := Buckets{Field: g.field, Total: total}
	for _, c := range chosen {
		b := Bucket{Value: c.value, Count: c.total, Severities: map[model.Severity]int{}}
		for i, n := range c.counts {
			if n > 0 {
				b.Severities[model.Severity(g.now.severities[i])] = n
			}
		}
		out.Values = append(out.Values, b)
	}
	return out
}
