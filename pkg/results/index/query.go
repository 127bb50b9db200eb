package index

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
)

// Query asks for a page of findings.
type Query struct {
	// Words are a filter: those of Fields, tag:KEY, connection and project.
	Words []string
	// Sort is by what, the first first; findings that are equal in all are in order of their
	// ids, and those of their connections. Empty is the gravest first, then by check and
	// resource.
	Sort []Order
	// Limit is the most findings of a page, up to MaxLimit; 0 gives counts alone.
	Limit int
	// Cursor goes on after an earlier page of the same query by a caller who may see the
	// same.
	Cursor string
	// Groups are what findings are counted by, up to MaxGroups.
	Groups []Group
}

// Bounds of a query.
const (
	MaxLimit   = 500
	MaxGroups  = 16
	MaxBuckets = 1000
	MaxWords   = 64
)

// Order is a field that findings are sorted by: one of Sortable. What has no value of it
// comes first.
type Order struct {
	Field string `json:"field"`
	Desc  bool   `json:"desc,omitempty"`
}

// Group counts findings by the values of a field: one of Groupable, or tag:KEY.
type Group struct {
	Field string
	// Skip and Limit choose among the values, those with the most findings first; Limit is
	// up to MaxBuckets.
	Skip, Limit int
}

// Caller is what somebody may see.
type Caller struct {
	// Sees reports whether the findings of a connection may be seen that belongs to a
	// project; "" is none.
	Sees func(project string) bool
	// Grants names all that is behind Sees: a cursor is good for the same alone.
	Grants string
}

// Answer is a page.
type Answer struct {
	Entries []Entry
	// Total is how many findings fit, on all pages.
	Total int
	// Next is the cursor of the next page; empty after the last.
	Next   string
	Groups []Buckets
}

// Buckets are the counts of one Group.
type Buckets struct {
	Field  string
	Total  int // of values, those that were not chosen included
	Values []Bucket
}

// Bucket counts the findings with one value.
type Bucket struct {
	Value      string
	Count      int
	Severities map[model.Severity]int
}

// Checks is what the installation knows of checks today.
type Checks struct {
	Texts Texts
	// Severity is how grave a check's failures are, if it is known: it goes over what the
	// finding says, as it does where findings are read from the table.
	Severity func(model.CheckID) (model.Severity, bool)
}

// Sealer seals cursors, so that nobody but this installation reads or makes one.
type Sealer interface {
	// Seal seals a text for a purpose, and Open opens what was sealed for the same; what was
	// not is an error that wraps ErrCursor.
	Seal(ctx context.Context, purpose, plain string) (string, error)
	Open(ctx context.Context, purpose, sealed string) (string, error)
}

// ErrCursor says that a cursor is altered, or of another query, or of another caller.
var ErrCursor = errors.New("cursor does not belong to this query")

// QueryError says that a query asks for what there is not.
type QueryError struct{ Why string }

func (e *QueryError) Error() string { return e.Why }

// TagsUnknown is the value of the field tags of what has tags or not, which nobody knows.
// Others are "none" and "some".
const TagsUnknown = "unknown"

// tagPrefix begins the fields that are tags.
const tagPrefix = "tag:"

// DefaultSort is the gravest first, as in reports.
func DefaultSort() []Order {
	return []Order{{Field: "severity", Desc: true}, {Field: "check"}, {Field: "resource"}}
}

// View is the findings of some connections at a moment. It does not change.
type View struct {
	dict     *dictionary
	segments []*segment
	of       map[model.ConnectionID]*segment // those, by what they are of
	alone    sync.Once                       // makes accounts
	accounts []bool
}

func newView(d *dictionary) *View {
	return &View{dict: d, of: map[model.ConnectionID]*segment{}}
}

// add puts a segment behind the others. Of one connection there is one.
func (v *View) add(s *segment) {
	v.segments = append(v.segments, s)
	v.of[s.Connection] = s
}

// Len is how many findings there are.
func (v *View) Len() (n int) {
	for _, s := range v.segments {
		n += s.rows()
	}
	return n
}

// Bytes is about how much memory the findings take.
func (v *View) Bytes() (n int) {
	for _, s := range v.segments {
		n += s.size
	}
	for _, w := range []*words{v.dict.checks, v.dict.services, v.dict.kinds, v.dict.regions, v.dict.accounts, v.dict.prefixes, v.dict.tagWords, v.dict.tagSets, v.dict.checkSets} {
		n += w.size()
	}
	return n
}

// Ask answers a query. Words that name no field are a *check.UnknownError, and all else
// that is wrong with a query a *QueryError.
func (v *View) Ask(ctx context.Context, checks Checks, sealer Sealer, who Caller, q Query) (Answer, error) {
	if len(q.Sort) == 0 {
		q.Sort = DefaultSort()
	}
	s := scan{view: v, now: newMoment(v.dict, checks)}
	if err := s.prepare(who, q); err != nil {
		return Answer{}, err
	}
	if err := s.resume(ctx, sealer, who, q); err != nil {
		return Answer{}, err
	}
	if err := s.run(ctx, who); err != nil {
		return Answer{}, err
	}
	return s.answer(ctx, sealer, who, q)
}

// alone is how many findings one goes through faster than several do at once.
const alone = 20_000

// run goes through all findings that the caller may see, by as many at once as there are
// processors.
func (s *scan) run(ctx context.Context, who Caller) error {
	var next atomic.Int64
	through := func(s *scan) error {
		for {
			at := next.Add(1) - 1
			if at >= int64(len(s.view.segments)) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if seg := s.view.segments[at]; seg.seenBy(who) {
				s.segment(seg)
			}
		}
	}
	workers := min(runtime.GOMAXPROCS(0), 1+s.view.Len()/alone)
	if workers == 1 {
		return through(s)
	}
	parts := make([]*scan, workers)
	var group errgroup.Group
	for i := range parts {
		parts[i] = s.part()
		group.Go(func() error { return through(parts[i]) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, part := range parts {
		s.total += part.total
		s.best.rows = append(s.best.rows, part.best.rows...)
		for i, g := range s.groups {
			g.addAll(part.groups[i])
		}
	}
	return nil
}

// part is a scan for the same of other segments, at the same time.
func (s *scan) part() *scan {
	part := &scan{view: s.view, now: s.now, words: s.words, order: s.order, limit: s.limit, after: s.after}
	for _, t := range s.words {
		part.terms = append(part.terms, s.now.predicate(t))
	}
	for _, g := range s.groups {
		same, _ := s.now.grouping(g.field, s.view) // which was there
		part.groups = append(part.groups, same)
	}
	part.best.less = part.less
	return part
}

// row is a place of a finding in a view.
type row struct {
	segment *segment
	at      int
}

func (r row) id() []byte { return r.segment.ids[r.at*idBytes : (r.at+1)*idBytes] }

type scan struct {
	view   *View
	now    *moment
	words  []filter.Term
	terms  []predicate // words, with what they know of each value
	order  []sorter
	groups []*grouping
	limit  int
	after  func(row) bool // of the cursor; nil is the first page

	selected []uint32
	total    int
	best     worstFirst
}

func (s *scan) prepare(who Caller, q Query) error {
	switch {
	case who.Sees == nil:
		return &QueryError{"nobody asks"}
	case q.Limit < 0 || q.Limit > MaxLimit:
		return &QueryError{fmt.Sprintf("limit %d is not in 0-%d", q.Limit, MaxLimit)}
	case len(q.Groups) > MaxGroups:
		return &QueryError{fmt.Sprintf("%d groups, at most %d", len(q.Groups), MaxGroups)}
	case len(q.Words) > MaxWords:
		return &QueryError{fmt.Sprintf("%d filters, at most %d", len(q.Words), MaxWords)}
	}
	var err error
	if s.words, err = filter.Terms(Filterable(), q.Words); err != nil {
		return err
	}
	// All are to fit: those go first that cost least, and texts are compared of what is left.
	slices.SortStableFunc(s.words, func(a, b filter.Term) int { return cmp.Compare(effort(a.Field), effort(b.Field)) })
	for _, t := range s.words {
		s.terms = append(s.terms, s.now.predicate(t))
	}
	seen := map[string]bool{}
	for _, o := range q.Sort {
		if seen[o.Field] {
			return &QueryError{fmt.Sprintf("sorted by %q twice", o.Field)}
		}
		seen[o.Field] = true
		by, ok := s.now.sorter(o)
		if !ok {
			return unknown("field to sort by", o.Field, Sortable())
		}
		s.order = append(s.order, by)
	}
	for _, field := range []string{"id", "connection"} { // there are no two of both
		by, _ := s.now.sorter(Order{Field: field})
		s.order = append(s.order, by)
	}
	for _, g := range q.Groups {
		if g.Limit < 0 || g.Limit > MaxBuckets || g.Skip < 0 {
			return &QueryError{fmt.Sprintf("limit %d of a group is not in 0-%d", g.Limit, MaxBuckets)}
		}
		by, ok := s.now.grouping(g.Field, s.view)
		if !ok {
			return unknown("field to group by", g.Field, Groupable())
		}
		s.groups = append(s.groups, by)
	}
	s.limit = q.Limit
	s.best.less = s.less
	return nil
}

// effort is how much a word on a field costs for each row, beside those on others.
func effort(field string) int {
	switch field {
	case "connection", "project": // which are asked once of all rows of a connection
		return 0
	case "first_seen", "resolved_at":
		return 2
	case "id", "name", "part", "resource": // texts, of which each row or resource has its own
		return 3
	}
	return 1
}

func unknown(what, word string, names []string) error {
	return &check.UnknownError{What: what, Word: word, Nearest: check.Nearest(word, names)}
}

func (s *scan) less(a, b row) bool {
	for i := range s.order {
		if d := s.order[i].compare(a, b); d != 0 {
			return d < 0
		}
	}
	return false
}

// segment goes through the findings of a connection.
func (s *scan) segment(seg *segment) {
	rows := s.selected[:0]
	for i := range seg.rows() {
		rows = append(rows, uint32(i)) //nolint:gosec // a segment has less
	}
	s.selected = rows
	for _, t := range s.terms {
		if rows = t(seg, rows); len(rows) == 0 {
			return
		}
	}
	s.total += len(rows)
	for _, g := range s.groups {
		g.count(seg, rows)
	}
	if s.limit == 0 {
		return
	}
	for _, at := range rows {
		r := row{seg, int(at)}
		if s.after != nil && !s.after(r) {
			continue
		}
		if len(s.best.rows) <= s.limit { // one more than the page, which says that another follows
			heap.Push(&s.best, r)
		} else if s.less(r, s.best.rows[0]) {
			s.best.rows[0] = r
			heap.Fix(&s.best, 0)
		}
	}
}

// worstFirst is a heap of which the last row in order is the first.
type worstFirst struct {
	rows []row
	less func(a, b row) bool
}

func (h *worstFirst) Len() int           { return len(h.rows) }
func (h *worstFirst) Less(i, j int) bool { return h.less(h.rows[j], h.rows[i]) }
func (h *worstFirst) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *worstFirst) Push(r any)         { h.rows = append(h.rows, r.(row)) } //nolint:forcetypeassert // ours
func (h *worstFirst) Pop() any {
	last := h.rows[len(h.rows)-1]
	h.rows = h.rows[:len(h.rows)-1]
	return last
}

func (s *scan) answer(ctx context.Context, sealer Sealer, who Caller, q Query) (Answer, error) {
	out := Answer{Total: s.total}
	rows := s.best.rows
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case s.less(a, b):
			return -1
		case s.less(b, a):
			return 1
		}
		return 0
	})
	if len(rows) > s.limit {
		rows = rows[:s.limit]
		var err error
		if out.Next, err = s.cursor(ctx, sealer, who, q, rows[len(rows)-1]); err != nil {
			return Answer{}, err
		}
	}
	var err error
	if out.Entries, err = s.entries(rows); err != nil {
		return Answer{}, err
	}
	for i, g := range s.groups {
		out.Groups = append(out.Groups, g.buckets(q.Groups[i]))
	}
	return out, nil
}

// entries reads rows, those of one chunk of texts together.
func (s *scan) entries(rows []row) ([]Entry, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	texts, err := newReader(s.view.dict)
	if err != nil {
		return nil, err
	}
	defer texts.z.Close()
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := rows[i], rows[j]
		return cmp.Or(strings.Compare(string(a.segment.Connection), string(b.segment.Connection)), a.at-b.at)
	})
	entries := make([]Entry, len(rows))
	for _, i := range order {
		e, err := texts.entry(rows[i].segment, rows[i].at)
		if err != nil {
			return nil, err
		}
		e.Severity = model.Severity(s.now.severities[s.now.severityOf(rows[i].segment, rows[i].at)])
		entries[i] = e
	}
	return entries, nil
}

// position is where a page ends, as a cursor has it: the values of the last finding, so
// that the next page begins after it, whatever becomes of it meanwhile.
type position struct {
	Values []string `json:"v"`
}

// purpose binds a cursor to the query and to what the caller may see.
func purpose(who Caller, q Query) string {
	words := slices.Sorted(slices.Values(q.Words))
	bound, _ := json.Marshal([]any{"findings", who.Grants, slices.Compact(words), q.Sort}) // of strings, it cannot fail
	sum := sha256.Sum256(bound)
	return fmt.Sprintf("cursor-%x", sum)
}

func (s *scan) cursor(ctx context.Context, sealer Sealer, who Caller, q Query, last row) (string, error) {
	var p position
	for _, by := range s.order {
		p.Values = append(p.Values, by.value(last))
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write a cursor: %w", err)
	}
	return sealer.Seal(ctx, purpose(who, q), string(plain))
}

func (s *scan) resume(ctx context.Context, sealer Sealer, who Caller, q Query) error {
	if q.Cursor == "" {
		return nil
	}
	plain, err := sealer.Open(ctx, purpose(who, q), q.Cursor)
	if err != nil {
		return err
	}
	var p position
	if err := json.Unmarshal([]byte(plain), &p); err != nil || len(p.Values) != len(s.order) {
		return ErrCursor // of a version that sorted otherwise
	}
	against := make([]func(row) int, len(s.order))
	for i, by := range s.order {
		if against[i], err = by.against(p.Values[i]); err != nil {
			return ErrCursor
		}
	}
	s.after = func(r row) bool {
		for _, compare := range against {
			if d := compare(r); d != 0 {
				return d > 0
			}
		}
		return false
	}
	return nil
}

// Filterable are the fields that words of a filter ask of; tag: is that of all tags.
func Filterable() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(Fields(nil))), "connection", "project", "tags", tagPrefix)))
}

// Sortable are the fields that findings can be sorted by.
func Sortable() []string {
	return []string{"account", "check", "connection", "first_seen", "id", "name", "region", "resolved_at", "resource", "resource_type", "service", "severity", "state"}
}

// Groupable are the fields that findings can be counted by, beside tag:KEY.
func Groupable() []string {
	return []string{"account", "blind", "cause", "check", "connection", "folded", "framework", "pillar", "project", "region", "resource", "resource_type", "service", "severity", "state", "status", "tags"}
}
