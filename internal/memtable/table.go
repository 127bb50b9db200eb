// Package memtable keeps a table in the memory of the process, for benches and
// tests that need more writes a second than a disk gives. What it holds is lost
// when the process ends.
package memtable

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Table is a table.Table. Make one with New.
type Table struct {
	clock func() time.Time

	mu      sync.RWMutex
	items   map[string]*partition // by partition key
	indexes map[string][]place    // by the index's partition key, in its order
	bytes   int                   // of all items, as table.Item.Size counts them
}

// partition is the items of one partition key, in the order of their sort keys.
type partition struct {
	order []string
	items map[string]table.Item
}

// place is where an item stands in the index.
type place struct{ isk, pk, sk string }

func comparePlaces(a, b place) int {
	return cmp.Or(strings.Compare(a.isk, b.isk), strings.Compare(a.pk, b.pk), strings.Compare(a.sk, b.sk))
}

var _ table.Table = (*Table)(nil)

// New makes an empty table that judges expiry by the clock; nil means time.Now.
func New(clock func() time.Time) *Table {
	if clock == nil {
		clock = time.Now
	}
	return &Table{clock: clock, items: map[string]*partition{}, indexes: map[string][]place{}}
}

// Bytes is how much the items weigh.
func (t *Table) Bytes() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.bytes
}

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Item, error) {
	err := k.Check()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		t.mu.RLock()
		defer t.mu.RUnlock()
		if it, ok := t.stored(k); ok && t.live(it) {
			return own(it), nil
		}
		err = table.ErrNotFound
	}
	return table.Item{}, fmt.Errorf("get %s: %w", k, err)
}

// Put implements table.Table.
func (t *Table) Put(ctx context.Context, it table.Item) error {
	err := it.Check()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		was, ok := t.stored(it.Key)
		if ok = ok && t.live(was); !ok {
			was = table.Item{}
		}
		if it.Version == was.Version {
			t.write(it)
			return nil
		}
		err = fmt.Errorf("%w: not at version %d", table.ErrConflict, it.Version)
	}
	return fmt.Errorf("put %s: %w", it.Key, err)
}

// PutMany implements table.Table.
func (t *Table) PutMany(ctx context.Context, its []table.Item) error {
	err := table.CheckMany(its)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("put %d items: %w", len(its), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, it := range its {
		t.write(it)
	}
	return nil
}

// Add implements table.Table.
func (t *Table) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	it, err := table.Counter(k, n, expires)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return 0, fmt.Errorf("add to %s: %w", k, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if was, ok := t.stored(k); ok && t.live(was) {
		if !was.Expires.IsZero() {
			it.Expires = was.Expires
		}
		it.Version += was.Version
	}
	t.write(it)
	return it.Version + 1, nil
}

// Delete implements table.Table.
func (t *Table) Delete(ctx context.Context, k table.Key) error {
	err := k.Check()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", k, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(k)
	return nil
}

// DeleteMany implements table.Table.
func (t *Table) DeleteMany(ctx context.Context, ks []table.Key) error {
	err := table.CheckKeys(ks)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("delete %d items: %w", len(ks), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range ks {
		t.remove(k)
	}
	return nil
}

// Query implements table.Table.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	err := q.Check()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return table.Page{}, fmt.Errorf("query %s: %w", q, err)
	}
	after, more, err := q.Position()
	if err != nil {
		return table.Page{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	var page table.Page
	bytes := 0
	for it := range t.from(q, after, more) {
		if !t.live(it) {
			continue
		}
		if len(page.Items) == q.PageSize() || bytes >= table.MaxPage {
			page.Cursor = q.CursorAfter(page.Items[len(page.Items)-1])
			break
		}
		bytes += it.Size()
		page.Items = append(page.Items, own(it))
	}
	return page, nil
}

func (t *Table) live(it table.Item) bool {
	return it.Expires.IsZero() || it.ExpiresUnix() > t.clock().Unix()
}

// stored is what is held under a key; t.mu is held.
func (t *Table) stored(k table.Key) (table.Item, bool) {
	p := t.items[k.PK]
	if p == nil {
		return table.Item{}, false
	}
	it, ok := p.items[k.SK]
	return it, ok
}

// write puts an item in place of what is there; t.mu is held.
func (t *Table) write(it table.Item) {
	it = own(it)
	it.Version++
	it.Expires = table.ExpiresAt(it.ExpiresUnix())
	p := t.items[it.PK]
	if p == nil {
		p = &partition{items: map[string]table.Item{}}
		t.items[it.PK] = p
	}
	was, ok := p.items[it.SK]
	switch {
	case !ok:
		at, _ := slices.BinarySearch(p.order, it.SK)
		p.order = slices.Insert(p.order, at, it.SK)
	case was.Index != it.Index:
		t.unindex(was)
	}
	if ok {
		t.bytes -= was.Size()
	}
	t.bytes += it.Size()
	p.items[it.SK] = it
	if !it.Index.IsZero() && (!ok || was.Index != it.Index) {
		index, here := t.indexes[it.Index.PK], placeOf(it)
		at, _ := slices.BinarySearchFunc(index, here, comparePlaces)
		t.indexes[it.Index.PK] = slices.Insert(index, at, here)
	}
}

// remove takes an item out; t.mu is held.
func (t *Table) remove(k table.Key) {
	was, ok := t.stored(k)
	if !ok {
		return
	}
	p := t.items[k.PK]
	delete(p.items, k.SK)
	if at, found := slices.BinarySearch(p.order, k.SK); found {
		p.order = slices.Delete(p.order, at, at+1)
	}
	if len(p.order) == 0 {
		delete(t.items, k.PK)
	}
	t.bytes -= was.Size()
	t.unindex(was)
}

func (t *Table) unindex(it table.Item) {
	index := t.indexes[it.Index.PK]
	at, found := slices.BinarySearchFunc(index, placeOf(it), comparePlaces)
	if !found {
		return
	}
	if index = slices.Delete(index, at, at+1); len(index) == 0 {
		delete(t.indexes, it.Index.PK)
		return
	}
	t.indexes[it.Index.PK] = index
}

func placeOf(it table.Item) place { return place{it.Index.SK, it.PK, it.SK} }

// own is the item with a body of its own.
func own(it table.Item) table.Item {
	it.Body = append([]byte(nil), it.Body...)
	return it
}
