package index

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Rules is what counts of checks are worth today: which checks there are, how grave each is,
// and which weigh together. Scores over accounts are computed by them, whatever the rules
// were when an account was audited; what an audit was told stands in its record and its
// line of the trend.
type Rules struct {
	all []rule
	of  map[uint32]int // by the number of an id that a check has or had
}

type rule struct {
	id, group model.CheckID
	severity  model.Severity
	service   string
	pillar    model.Pillar
	wanted    bool // by values that frameworks ask for: it is in no score
}

// NewRules are those of a catalogue. Two ids with one number (see numberOf) are an error:
// one of them has to be another.
func NewRules(catalog *check.Catalog) (*Rules, error) {
	texts, err := catalog.Texts()
	if err != nil {
		return nil, err
	}
	wanted, err := catalog.Wanted()
	if err != nil {
		return nil, err
	}
	r := &Rules{of: map[uint32]int{}}
	named := map[uint32]model.CheckID{}
	add := func(one rule, ids ...model.CheckID) error {
		for _, id := range ids {
			n := numberOf(id)
			if other, taken := named[n]; taken {
				return fmt.Errorf("checks %s and %s have one number", other, id)
			}
			named[n], r.of[n] = id, len(r.all)
		}
		r.all = append(r.all, one)
		return nil
	}
	for _, c := range catalog.Checks() {
		one := rule{id: c.ID, group: catalog.Group(c.ID), severity: c.Severity, service: c.Service, pillar: texts[c.ID].Pillar}
		if err := add(one, append([]model.CheckID{c.ID}, c.Former...)...); err != nil {
			return nil, err
		}
	}
	for _, w := range wanted {
		if err := add(rule{id: w.ID, wanted: true}, w.ID); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Totals is how some accounts stand together.
type Totals struct {
	// Accounts were audited as a whole; NotAudited never were, and are in no other number.
	Accounts, NotAudited int
	// Score is over the verdicts of all accounts, as if they were one. It means nothing
	// where its Assessed is 0.
	Score    model.Score
	Services map[string]model.Score
	Pillars  map[model.Pillar]model.Score
	// Failed are open failures by severity, but for those that follow from another.
	Failed    map[model.Severity]int
	Resources int
	Checks    []CheckTotal // by id
	Wanted    []CheckTotal // of checks by values that frameworks ask for, which no score has
	// Oldest and Newest are when the first and the last of the audits began.
	Oldest, Newest time.Time
}

// CheckTotal is what became of a check in some accounts.
type CheckTotal struct {
	Check  model.CheckID
	Counts model.Counts
	// Accounts is in how many accounts it was run, Failing in how many it fails.
	Accounts, Failing int
}

// Chosen decides which connections are meant, by their ids and the projects that somebody
// must see; nil means all.
type Chosen func(connection model.ConnectionID, projects []string) bool

// InProject chooses the connections of a project.
func InProject(name string) Chosen {
	return func(_ model.ConnectionID, projects []string) bool { return slices.Contains(projects, name) }
}

// standings calls for each connection that the caller may see and means.
func (v *View) standings(who Caller, chosen Chosen, each func(*segment)) {
	for _, seg := range v.segments {
		if seg.seenBy(who) && (chosen == nil || chosen(seg.Connection, seg.projects())) {
			each(seg)
		}
	}
}

// numbering turns the sets of checks of segments into rules: -1 is a check that there is not
// any more.
type numbering struct {
	view  *View
	rules *Rules
	sets  []string
	known map[uint32][]int
}

func (v *View) numbering(rules *Rules) numbering {
	return numbering{v, rules, v.dict.checkSets.list(), map[uint32][]int{}}
}

func (n numbering) of(set uint32) []int {
	rules, known := n.known[set]
	if !known {
		for b := []byte(n.sets[set]); len(b) >= 4; b = b[4:] {
			at, there := n.rules.of[binary.BigEndian.Uint32(b)]
			if !there {
				at = -1
			}
			rules = append(rules, at)
		}
		n.known[set] = rules
	}
	return rules
}

// tally calls for the counts of each check of today.
func (n numbering) tally(s *standing, each func(rule int, c model.Counts)) {
	rest := s.counts
	for _, at := range n.of(s.set) {
		var c model.Counts
		if c, rest = unpackCounts(rest); at >= 0 && !n.rules.all[at].wanted {
			each(at, c)
		}
	}
}

// Totals sums up the connections that the caller may see and means.
func (v *View) Totals(rules *Rules, who Caller, chosen Chosen) Totals {
	t := Totals{Services: map[string]model.Score{}, Pillars: map[model.Pillar]model.Score{}, Failed: map[model.Severity]int{}, Checks: []CheckTotal{}}
	number := v.numbering(rules)
	bySet, accounts := map[uint32][]packedSum{}, map[uint32]int{}
	v.standings(who, chosen, func(seg *segment) {
		s := seg.standing
		if !s.whole {
			t.NotAudited++
			return
		}
		t.Accounts++
		t.Resources += s.resources
		if t.Oldest.IsZero() || s.at.Before(t.Oldest) {
			t.Oldest = s.at
		}
		if s.at.After(t.Newest) {
			t.Newest = s.at
		}
		sums, known := bySet[s.set]
		if !known {
			sums = make([]packedSum, len(number.of(s.set)))
			bySet[s.set] = sums
		}
		addPacked(s.counts, sums)
		accounts[s.set]++
	})
	sum := map[int]CheckTotal{}
	for set, sums := range bySet {
		counted := map[int]bool{} // a check may be there by an id that it had before, too
		for i, at := range number.of(set) {
			if at < 0 {
				continue
			}
			one := sum[at]
			one.Counts, one.Failing = one.Counts.Add(sums[i].counts()), one.Failing+sums[i].failing
			if !counted[at] {
				one.Accounts += accounts[set]
			}
			counted[at], sum[at] = true, one
		}
	}
	sheet := newSheet()
	for _, at := range slices.Sorted(maps.Keys(sum)) {
		r, one := rules.all[at], sum[at]
		one.Check = r.id
		if r.wanted {
			t.Wanted = append(t.Wanted, one)
			continue
		}
		t.Checks = append(t.Checks, one)
		t.Failed[r.severity] += one.Counts.Own()
		sheet.add(r, one.Counts)
	}
	t.Score = score.Of(sheet.all...)
	for name, lines := range sheet.services {
		t.Services[name] = score.Of(lines...)
	}
	for name, lines := range sheet.pillars {
		t.Pillars[name] = score.Of(lines...)
	}
	return t
}

// sheet is what scores are computed of.
type sheet struct {
	all      []score.Line
	services map[string][]score.Line
	pillars  map[model.Pillar][]score.Line
}

func newSheet() *sheet {
	return &sheet{services: map[string][]score.Line{}, pillars: map[model.Pillar][]score.Line{}}
}

func (s *sheet) add(r rule, c model.Counts) {
	line := score.Line{Group: r.group, Severity: r.severity, Counts: c}
	s.all = append(s.all, line)
	s.services[r.service] = append(s.services[r.service], line)
	s.pillars[r.pillar] = append(s.pillars[r.pillar], line)
}

// AccountScore is how one connection stands.
type AccountScore struct {
	Connection model.ConnectionID
	Name       string   // empty if it has none
	Account    string   // empty as long as it is not known
	Projects   []string // two while it moves from one to another
	// Audit is the one that says so; empty is that the connection was never audited as a
	// whole, and all that follows is empty.
	Audit     model.AuditID
	At        time.Time   // when it began
	Score     model.Score // by the rules of today
	Failed    map[model.Severity]int
	Resources int
}

// scoredOnce keeps what a standing came to, by the rules that it was computed by.
type scoredOnce struct {
	mu    sync.Mutex
	rules *Rules
	is    AccountScore
}

// score is how a connection stands.
func (n numbering) score(seg *segment) AccountScore {
	is := n.scoreAlone(seg)
	is.Name, is.Account, is.Projects = seg.Name, seg.Account, seg.projects()
	return is
}

// scoreAlone is what a segment says by itself, whatever it is called and whoever sees it.
func (n numbering) scoreAlone(seg *segment) AccountScore {
	s := seg.standing
	is := AccountScore{Connection: seg.Connection}
	if !s.whole {
		return is
	}
	s.scored.mu.Lock()
	defer s.scored.mu.Unlock()
	if s.scored.rules == n.rules {
		return s.scored.is
	}
	is.Audit, is.At, is.Failed, is.Resources = s.audit, s.at, map[model.Severity]int{}, s.resources
	lines := make([]score.Line, 0, len(n.of(s.set)))
	n.tally(s, func(at int, c model.Counts) {
		r := n.rules.all[at]
		lines = append(lines, score.Line{Group: r.group, Severity: r.severity, Counts: c})
		if own := c.Own(); own > 0 {
			is.Failed[r.severity] += own
		}
	})
	is.Score = score.Of(lines...)
	s.scored.rules, s.scored.is = n.rules, is
	return is
}

// ScoresQuery asks how accounts stand, one by one.
type ScoresQuery struct {
	Chosen Chosen
	// For names what Chosen chooses: a cursor is good for the same alone.
	For string
	// Sort is by ScoreSortable, and then by connection; empty is the lowest scores first.
	// What was never audited comes before all else, or after it.
	Sort   []Order
	Limit  int // up to MaxLimit
	Cursor string
}

// ScoresAnswer is a page.
type ScoresAnswer struct {
	Accounts []AccountScore
	Total    int    // on all pages
	Next     string // the cursor of the next page; empty after the last
}

// ScoreSortable are the fields that scores of accounts can be sorted by; failed is all open
// failures, critical and high those of that severity.
func ScoreSortable() []string { return slices.Sorted(maps.Keys(scoreFields)) }

// Orders are fields to sort by as people name them, "-field" the other way round.
func Orders(words []string) (all []Order) {
	for _, word := range words {
		name, down := strings.CutPrefix(word, "-")
		all = append(all, Order{Field: name, Desc: down})
	}
	return all
}

// scoreKey is what an account is sorted by: a number, then a text.
type scoreKey struct {
	Number float64 `json:"n,omitempty"`
	Text   string  `json:"t,omitempty"`
}

func (k scoreKey) compare(o scoreKey) int {
	return cmp.Or(cmp.Compare(k.Number, o.Number), strings.Compare(k.Text, o.Text))
}

// scoreNumber is a field of what was audited; nothing else has it.
func scoreNumber(of func(AccountScore) float64) func(AccountScore) scoreKey {
	return func(a AccountScore) scoreKey {
		if a.Audit == "" {
			return scoreKey{Number: -2}
		}
		return scoreKey{Number: of(a)}
	}
}

func failedOf(s model.Severity) func(AccountScore) scoreKey {
	return scoreNumber(func(a AccountScore) float64 { return float64(a.Failed[s]) })
}

var scoreFields = map[string]func(AccountScore) scoreKey{
	"account":    func(a AccountScore) scoreKey { return scoreKey{Text: a.Account} },
	"as_of":      scoreNumber(func(a AccountScore) float64 { return float64(a.At.UnixMilli()) }),
	"connection": func(a AccountScore) scoreKey { return scoreKey{Text: string(a.Connection)} },
	"name":       func(a AccountScore) scoreKey { return scoreKey{Text: a.Name} },
	"coverage":   scoreNumber(func(a AccountScore) float64 { return a.Score.Coverage }),
	"critical":   failedOf(model.Critical),
	"failed": scoreNumber(func(a AccountScore) float64 {
		sum := 0
		for _, n := range a.Failed {
			sum += n
		}
		return float64(sum)
	}),
	"high":      failedOf(model.High),
	"resources": scoreNumber(func(a AccountScore) float64 { return float64(a.Resources) }),
	"score": scoreNumber(func(a AccountScore) float64 {
		if a.Score.Assessed == 0 {
			return -1
		}
		return a.Score.Value
	}),
}

// scored is an account with what it is sorted by.
type scored struct {
	keys []scoreKey
	of   AccountScore
}

func (q ScoresQuery) compare(a, b scored) int {
	for i, o := range q.Sort {
		d := a.keys[i].compare(b.keys[i])
		if o.Desc {
			d = -d
		}
		if d != 0 {
			return d
		}
	}
	return strings.Compare(string(a.of.Connection), string(b.of.Connection))
}

// Scores are how the accounts stand that the caller may see and means, a page of them. A
// field that there is not is a *check.UnknownError, and what else is wrong with a query a
// *QueryError.
func (v *View) Scores(ctx context.Context, rules *Rules, sealer Sealer, who Caller, q ScoresQuery) (ScoresAnswer, error) {
	if len(q.Sort) == 0 {
		q.Sort = []Order{{Field: "score"}}
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return ScoresAnswer{}, &QueryError{fmt.Sprintf("limit %d is not in 1-%d", q.Limit, MaxLimit)}
	}
	var fields []func(AccountScore) scoreKey
	for i, o := range q.Sort {
		of, known := scoreFields[o.Field]
		if !known {
			return ScoresAnswer{}, unknown("field to sort by", o.Field, ScoreSortable())
		}
		if slices.ContainsFunc(q.Sort[:i], func(before Order) bool { return before.Field == o.Field }) {
			return ScoresAnswer{}, &QueryError{fmt.Sprintf("sorted by %q twice", o.Field)}
		}
		fields = append(fields, of)
	}
	after, err := q.resume(ctx, sealer, who)
	if err != nil {
		return ScoresAnswer{}, err
	}
	var all []scored
	out := ScoresAnswer{Accounts: []AccountScore{}}
	number := v.numbering(rules)
	v.standings(who, q.Chosen, func(seg *segment) {
		out.Total++
		one := scored{of: number.score(seg), keys: make([]scoreKey, len(fields))}
		for i, of := range fields {
			one.keys[i] = of(one.of)
		}
		if after == nil || q.compare(one, *after) > 0 {
			all = append(all, one)
		}
	})
	slices.SortFunc(all, q.compare)
	if len(all) > q.Limit {
		all = all[:q.Limit]
		last := all[len(all)-1]
		plain, err := json.Marshal(scorePosition{last.keys, last.of.Connection})
		if err != nil {
			return ScoresAnswer{}, fmt.Errorf("write a cursor: %w", err)
		}
		if out.Next, err = sealer.Seal(ctx, q.purpose(who), string(plain)); err != nil {
			return ScoresAnswer{}, err
		}
	}
	for _, one := range all {
		out.Accounts = append(out.Accounts, one.of)
	}
	return out, nil
}

// scorePosition is where a page ends.
type scorePosition struct {
	Keys       []scoreKey         `json:"k"`
	Connection model.ConnectionID `json:"c"`
}

func (q ScoresQuery) purpose(who Caller) string {
	bound, _ := json.Marshal([]any{"scores", who.Grants, q.For, q.Sort}) // of strings, it cannot fail
	sum := sha256.Sum256(bound)
	return fmt.Sprintf("cursor-%x", sum)
}

func (q ScoresQuery) resume(ctx context.Context, sealer Sealer, who Caller) (*scored, error) {
	if q.Cursor == "" {
		return nil, nil
	}
	plain, err := sealer.Open(ctx, q.purpose(who), q.Cursor)
	if err != nil {
		return nil, err
	}
	var p scorePosition
	if err := json.Unmarshal([]byte(plain), &p); err != nil || len(p.Keys) != len(q.Sort) {
		return nil, ErrCursor // of a version that sorted otherwise
	}
	return &scored{p.Keys, AccountScore{Connection: p.Connection}}, nil
}

// AccountCoverage is how much of an account was assessed, and what stood in the way.
type AccountCoverage struct {
	AccountScore
	Services map[string]model.Counts // verdicts
	Missing  []Missing
}

// Coverages are the coverages of connections, in the order given; those that the caller may
// not see, or that are not there, are left out. A page of Scores says which.
func (v *View) Coverages(rules *Rules, who Caller, connections []model.ConnectionID) []AccountCoverage {
	wanted := map[model.ConnectionID]int{}
	for i, id := range connections {
		wanted[id] = i
	}
	found := make([]*AccountCoverage, len(connections))
	number := v.numbering(rules)
	v.standings(who, func(id model.ConnectionID, _ []string) bool { _, is := wanted[id]; return is }, func(seg *segment) {
		c := &AccountCoverage{AccountScore: number.score(seg), Services: map[string]model.Counts{}}
		found[wanted[seg.Connection]] = c
		if c.Audit == "" {
			return
		}
		number.tally(seg.standing, func(at int, counts model.Counts) {
			service := rules.all[at].service
			c.Services[service] = c.Services[service].Add(counts)
		})
		for _, m := range seg.standing.missing {
			c.Missing = append(c.Missing, rules.missing(m))
		}
	})
	var out []AccountCoverage
	for _, c := range found {
		if c != nil {
			out = append(out, *c)
		}
	}
	return out
}

func (r *Rules) missing(m missingAction) Missing {
	out := Missing{Action: m.action, DeniedBy: m.deniedBy, Verdicts: m.verdicts}
	for _, n := range m.checks {
		if at, known := r.of[n]; known {
			out.Checks, out.Services = append(out.Checks, r.all[at].id), append(out.Services, r.all[at].service)
		}
	}
	slices.Sort(out.Checks)
	slices.Sort(out.Services)
	out.Checks, out.Services = slices.Compact(out.Checks), slices.Compact(out.Services)
	return out
}
