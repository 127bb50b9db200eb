package memtable

import (
	"iter"
	"sort"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// from yields the items of a query after a position, expired ones included;
// t.mu is held.
func (t *Table) from(q table.Query, after table.Position, more bool) iter.Seq[table.Item] {
	if q.Index {
		index := t.indexes[q.PK]
		last := placeOf(table.Item{Key: after.Key, Index: after.Index})
		return walk(len(index), q, more,
			func(i int) string { return index[i].isk },
			func(i int) int { return comparePlaces(index[i], last) },
			func(i int) table.Item {
				it, _ := t.stored(table.Key{PK: index[i].pk, SK: index[i].sk})
				return it
			})
	}
	p := t.items[q.PK]
	if p == nil {
		return func(func(table.Item) bool) {}
	}
	return walk(len(p.order), q, more,
		func(i int) string { return p.order[i] },
		func(i int) int { return strings.Compare(p.order[i], after.Key.SK) },
		func(i int) table.Item { return p.items[p.order[i]] })
}

// walk yields what lies at n sorted places, of those that begin with the query's
// prefix, lie before its bound and follow, in its direction, the last place that was yielded before.
// compare says where a place stands to that one.
func walk(n int, q table.Query, more bool, key func(int) string, compare func(int) int, item func(int) table.Item) iter.Seq[table.Item] {
	low := sort.Search(n, func(i int) bool { return key(i) >= q.Prefix })
	high := low + sort.Search(n-low, func(i int) bool {
		return !strings.HasPrefix(key(low+i), q.Prefix) || q.Before != "" && key(low+i) >= q.Before
	})
	if more && q.Desc {
		high = min(high, sort.Search(n, func(i int) bool { return compare(i) >= 0 }))
	} else if more {
		low = max(low, sort.Search(n, func(i int) bool { return compare(i) > 0 }))
	}
	return func(yield func(table.Item) bool) {
		for i := range high - low {
			at := low + i
			if q.Desc {
				at = high - 1 - i
			}
			if !yield(item(at)) {
				return
			}
		}
	}
}
