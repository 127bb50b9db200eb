package index

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// resources counts rows by the ARNs of their resources. There are many, of which few are
// shown: so an ARN is known by its numbers, and made of those that are shown.
type resources struct {
	now      *moment
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
	unseen    = iota
	byAccount // has accountMark where ARNs have the account
	plain     // has no account
	otherKind // of which two may be the same
)

func newResources(m *moment) *resources {
	return &resources{now: m, kinds: make([]uint8, len(m.prefixes)), same: map[prefixed]prefixed{}, numbers: map[string]uint32{}, places: map[resource]uint32{}}
}

// accountAt is which of an ARN's parts between colons its account is.
const accountAt = 4

func kindOf(prefix string) uint8 {
	parts, account := strings.Split(prefix, ":"), ""
	if len(parts) > accountAt {
		account = parts[accountAt]
	}
	switch marked := strings.Contains(prefix, accountMark); {
	case marked && account == accountMark:
		return byAccount
	case !marked && account == "":
		return plain
	}
	return otherKind
}

func (r *resources) key(s *segment, n int) resource {
	at := prefixed{s.prefix.at(n), s.account.at(n)}
	if r.kinds[at.prefix] == unseen {
		r.kinds[at.prefix] = kindOf(r.now.prefixes[at.prefix])
	}
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

// place is where a resource is counted.
func (r *resources) place(key resource) int {
	at, known := r.places[key]
	if !known {
		at = uint32(len(r.keys)) //nolint:gosec // there are fewer rows
		r.places[key] = at
		r.keys, r.totals = append(r.keys, key), append(r.totals, 0)
		r.counts = append(r.counts, make([]uint32, len(r.now.severities))...)
	}
	return int(at)
}

func (r *resources) count(s *segment, rows []uint32) {
	severities := len(r.now.severities)
	r.flat = append(r.flat[:0], make([]uint32, s.resources()*severities)...)
	r.found = append(r.found[:0], make([]bool, s.resources())...)
	for _, at := range rows {
		n := int(s.resource[at])
		r.flat[n*severities+int(r.now.severityOf(s, int(at)))]++
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

// addAll adds what was counted elsewhere.
func (r *resources) addAll(other *resources) {
	severities := len(r.now.severities)
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
