package index

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"strings"
	"sync"
)

// resources counts rows by the ARNs of their resources. There are many, of which few are
// shown: so an ARN is known by its numbers, and made of those that are shown. Most are of an
// account that one segment alone has: those are looked up nowhere.
type resources struct {
	now      *moment
	alone    []bool                // accounts that one segment has
	kinds    []uint8               // of prefixes
	same     map[prefixed]prefixed // what prefixes of otherKind are counted as
	literals []string              // prefixes by themselves, whose numbers follow those of the dictionary
	numbers  map[string]uint32     // of literals
	places   map[resource]uint32   // where in keys
	keys     []resource
	totals   []uint32
	counts   []uint32 // of each by severity

	flat  []uint32 // of one segment
	found []bool
}

// prefixed is what ARNs begin with, by the dictionary's numbers.
type prefixed struct{ prefix, account uint32 }

// resource is an ARN. There are no two of one.
type resource struct {
	prefixed
	rest string
}

// Kinds of prefixes.
const (
	byAccount = iota // has accountMark where ARNs have the account
	plain            // has no account
	otherKind        // of which two may be the same
)

func newResources(m *moment, v *View) *resources {
	return &resources{now: m, alone: v.accountsAlone(), kinds: m.dict.sort().kinds, same: map[prefixed]prefixed{}, numbers: map[string]uint32{}, places: map[resource]uint32{}}
}

// accountAt is which of an ARN's parts between colons its account is.
const accountAt = 4

// sorted is of which kinds a dictionary's prefixes are.
type sorted struct {
	kinds []uint8
	named map[string]bool // accounts that are in a prefix of otherKind
}

// sort is of which kinds the prefixes so far are. What was handed out does not change.
func (dict *dictionary) sort() sorted {
	dict.sorting.Lock()
	defer dict.sorting.Unlock()
	named := map[string]bool{}
	for _, prefix := range dict.prefixes.list()[len(dict.sorted.kinds):] {
		kind, account, marked := uint8(otherKind), accountOf(prefix), strings.Contains(prefix, accountMark)
		switch {
		case marked && account == accountMark:
			kind = byAccount
		case !marked && account == "":
			kind = plain
		default:
			named[account] = true
		}
		dict.sorted.kinds = append(dict.sorted.kinds, kind)
	}
	if len(named) > 0 {
		maps.Copy(named, dict.sorted.named)
		dict.sorted.named = named
	}
	return dict.sorted
}

// accountOf is what stands in an ARN where its account does.
func accountOf(arn string) string {
	for range accountAt {
		var more bool
		if _, arn, more = strings.Cut(arn, ":"); !more {
			return ""
		}
	}
	account, _, _ := strings.Cut(arn, ":")
	return account
}

func (r *resources) key(s *segment, n int) resource {
	at := prefixed{s.prefix.at(n), s.account.at(n)}
	switch r.kinds[at.prefix] {
	case plain:
		at.account = 0
	case otherKind:
		at = r.other(at)
	}
	return resource{at, s.rest(n)}
}

// other is what a prefix of otherKind is counted as: as one by account, if there is one, or
// else by itself.
func (r *resources) other(at prefixed) prefixed {
	literal, after, marked := strings.Cut(r.now.prefixes[at.prefix], accountMark)
	if !marked {
		at.account = 0
	}
	if is, known := r.same[at]; known {
		return is
	}
	if marked {
		literal += r.now.accounts[at.account] + after
	}
	if parts := strings.Split(literal, ":"); len(parts) > accountAt {
		account, named := r.now.dict.accounts.find(parts[accountAt])
		parts[accountAt] = accountMark
		prefix, there := r.now.dict.prefixes.find(strings.Join(parts, ":"))
		if named && there && int(account) < len(r.now.accounts) && int(prefix) < len(r.now.prefixes) {
			r.same[at] = prefixed{prefix, account}
			return r.same[at]
		}
	}
	r.same[at] = r.literal(literal)
	return r.same[at]
}

// literal is a prefix by itself.
func (r *resources) literal(prefix string) prefixed {
	n, known := r.numbers[prefix]
	if !known {
		n = uint32(len(r.now.prefixes) + len(r.literals)) //nolint:gosec // a dictionary has less
		r.numbers[prefix] = n
		r.literals = append(r.literals, prefix)
	}
	return prefixed{n, 0}
}

// place is where a resource is counted, of which a segment has counted nothing yet.
func (r *resources) place(key resource) int {
	if int(key.prefix) < len(r.now.prefixes) && r.kinds[key.prefix] == byAccount && int(key.account) < len(r.alone) && r.alone[key.account] {
		return r.another(key)
	}
	at, known := r.places[key]
	if !known {
		at = uint32(r.another(key)) //nolint:gosec // there are fewer rows
		r.places[key] = at
	}
	return int(at)
}

func (r *resources) another(key resource) int {
	r.keys, r.totals = append(r.keys, key), append(r.totals, 0)
	r.counts = append(r.counts, make([]uint32, len(r.now.severities))...)
	return len(r.keys) - 1
}

func (r *resources) count(s *segment, rows []uint32) {
	severities := len(r.now.severities)
	r.flat = append(r.flat[:0], make([]uint32, s.resources()*severities)...)
	r.found = append(r.found[:0], make([]bool, s.resources())...)
	first := s.arns()
	for _, at := range rows {
		n := first[s.resource[at]]
		r.flat[int(n)*severities+int(r.now.severityOf(s, int(at)))]++
		r.found[n] = true
	}
	for n, any := range r.found {
		if any {
			r.add(r.place(r.key(s, n)), r.flat[n*severities:(n+1)*severities])
		}
	}
}

func (r *resources) add(place int, counts []uint32) {
	for severity, n := range counts {
		r.totals[place] += n
		r.counts[place*len(counts)+severity] += n
	}
}

// addAll adds what was counted of other segments.
func (r *resources) addAll(other *resources) {
	if len(r.keys) == 0 {
		*r = *other
		return
	}
	severities, more := len(r.now.severities), len(other.keys)
	r.keys, r.totals, r.counts = slices.Grow(r.keys, more), slices.Grow(r.totals, more), slices.Grow(r.counts, more*severities)
	for i, key := range other.keys {
		if n := int(key.prefix) - len(r.now.prefixes); n >= 0 {
			key.prefixed = r.literal(other.literals[n])
		}
		r.add(r.place(key), other.counts[i*severities:(i+1)*severities])
	}
}

// most are the resources with the most rows, behind the first so many.
func (r *resources) most(skip, limit int) (all []counted) {
	h := leastFirst{of: r}
	for i := range r.keys {
		if len(h.places) < skip+limit {
			heap.Push(&h, i)
		} else if skip+limit > 0 && h.before(i, h.places[0]) {
			h.places[0] = i
			heap.Fix(&h, 0)
		}
	}
	slices.SortFunc(h.places, func(a, b int) int {
		if h.before(a, b) {
			return -1
		}
		return 1
	})
	severities := len(r.now.severities)
	for _, i := range h.places[min(skip, len(h.places)):] {
		parts := r.parts(i)
		c := counted{strings.Join(parts[:], ""), int(r.totals[i]), make([]int, severities)}
		for severity := range severities {
			c.counts[severity] = int(r.counts[i*severities+severity])
		}
		all = append(all, c)
	}
	return all
}

// leastFirst is a heap of resources of which the last in order is the first.
type leastFirst struct {
	of     *resources
	places []int
}

// before reports whether a resource comes before another: it has more rows, or its ARN does.
func (h *leastFirst) before(a, b int) bool {
	r := h.of
	return cmp.Or(cmp.Compare(r.totals[b], r.totals[a]), compareJoined(r.parts(a), r.parts(b))) < 0
}

func (r *resources) parts(at int) [4]string {
	key := r.keys[at]
	if n := int(key.prefix) - len(r.now.prefixes); n >= 0 {
		return [4]string{r.literals[n], key.rest}
	}
	before, after, marked := strings.Cut(r.now.prefixes[key.prefix], accountMark)
	if !marked {
		return [4]string{before, key.rest}
	}
	return [4]string{before, r.now.accounts[key.account], after, key.rest}
}

func (h *leastFirst) Len() int           { return len(h.places) }
func (h *leastFirst) Less(i, j int) bool { return h.before(h.places[j], h.places[i]) }
func (h *leastFirst) Swap(i, j int)      { h.places[i], h.places[j] = h.places[j], h.places[i] }
func (h *leastFirst) Push(at any)        { h.places = append(h.places, at.(int)) } //nolint:forcetypeassert // ours
func (h *leastFirst) Pop() any {
	last := h.places[len(h.places)-1]
	h.places = h.places[:len(h.places)-1]
	return last
}

// accountsAlone are the accounts, by number, of whose resources the ARNs are in one segment
// alone, where they are of an account.
func (v *View) accountsAlone() []bool {
	v.alone.Do(func() {
		all, named := v.dict.accounts.list(), v.dict.sort().named
		seen := make([]bool, len(all))
		v.accounts = make([]bool, len(all))
		for _, s := range v.segments {
			for _, account := range s.accounts() {
				v.accounts[account] = !seen[account] && !named[all[account]]
				seen[account] = true
			}
		}
	})
	return v.accounts
}

// accounts are those of the segment's resources, each once.
func (s *segment) accounts() []uint32 {
	if s.account.each == nil {
		return []uint32{s.account.same}
	}
	all := slices.Clone(s.account.each)
	slices.Sort(all)
	return slices.Compact(all)
}

// firsts are made once of each segment that resources are counted of.
type firsts struct {
	once sync.Once
	all  []uint32
}

// arns are, for each resource, the first one that has its ARN: parts of it follow.
func (s *segment) arns() []uint32 {
	s.firstOf.once.Do(func() {
		known := make(map[resource]uint32, s.resources())
		s.firstOf.all = make([]uint32, s.resources())
		for n := range s.firstOf.all {
			at := resource{prefixed{s.prefix.at(n), s.account.at(n)}, s.rest(n)}
			first, there := known[at]
			if !there {
				first = uint32(n) //nolint:gosec // an index
				known[at] = first
			}
			s.firstOf.all[n] = first
		}
	})
	return s.firstOf.all
}
