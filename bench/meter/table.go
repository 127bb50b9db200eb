package meter

import (
	"context"
	"errors"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// How DynamoDB rounds.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const (
	writeUnit = 1 << 10
	readUnit  = 4 << 10
)

// What the dynamo driver adds to an item's keys and body: the attributes' names,
// the version, the writer's mark; and what an entry of the index adds.
const (
	itemNames  = len("pk") + len("sk") + len("v") + 3 + len("body") + len("w") + 8
	indexNames = len("ipk") + len("isk")
	expiry     = len("exp") + 6
)

// weight is an item's bytes as DynamoDB counts them.
func weight(it table.Item) int {
	n := itemNames + len(it.PK) + len(it.SK) + len(it.Body)
	if !it.Index.IsZero() {
		n += indexNames + len(it.Index.PK) + len(it.Index.SK)
	}
	if !it.Expires.IsZero() {
		n += expiry
	}
	return n
}

// keysWeight is the bytes of the item's entry in the index, which holds keys only.
func keysWeight(it table.Item) int {
	return len("pk") + len("sk") + indexNames + len(it.PK) + len(it.SK) + len(it.Index.PK) + len(it.Index.SK)
}

// Table is a table whose requests are counted as those of the dynamo driver.
type Table struct {
	table.Table
	bill *Bill
}

// NewTable counts what is done with a table.
func NewTable(t table.Table, bill *Bill) *Table { return &Table{t, bill} }

// Get implements table.Table: the driver reads with strong consistency.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Item, error) {
	it, err := t.Table.Get(ctx, k)
	t.bill.call(ctx, map[Unit]float64{ReadUnits: units(weight(it), readUnit)})
	return it, err
}

// Put implements table.Table. A write that the condition refuses is billed by
// what is there.
func (t *Table) Put(ctx context.Context, it table.Item) error {
	was := t.stored(ctx, it.Key)
	err := t.Table.Put(ctx, it)
	switch {
	case err == nil:
		t.bill.call(ctx, t.written(was, it))
	case errors.Is(err, table.ErrConflict):
		t.bill.call(ctx, map[Unit]float64{WriteUnits: units(weight(was), writeUnit)})
	}
	return err
}

// Add implements table.Table. A counter takes less than a unit.
func (t *Table) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	sum, err := t.Table.Add(ctx, k, n, expires)
	if err == nil {
		t.bill.call(ctx, map[Unit]float64{WriteUnits: 1})
	}
	return sum, err
}

// PutMany implements table.Table.
func (t *Table) PutMany(ctx context.Context, its []table.Item) error {
	counts := map[Unit]float64{}
	for _, it := range its {
		for u, n := range t.written(t.stored(ctx, it.Key), it) {
			counts[u] += n
		}
	}
	err := t.Table.PutMany(ctx, its)
	if err == nil {
		t.bill.call(ctx, counts)
	}
	return err
}

// Delete implements table.Table.
func (t *Table) Delete(ctx context.Context, k table.Key) error {
	was := t.stored(ctx, k)
	err := t.Table.Delete(ctx, k)
	t.bill.call(ctx, deleted(was))
	return err
}

// DeleteMany implements table.Table: each item costs what deleting it alone does.
func (t *Table) DeleteMany(ctx context.Context, ks []table.Key) error {
	counts := map[Unit]float64{}
	for _, k := range ks {
		for u, n := range deleted(t.stored(ctx, k)) {
			counts[u] += n
		}
	}
	err := t.Table.DeleteMany(ctx, ks)
	if err == nil {
		t.bill.call(ctx, counts)
	}
	return err
}

// deleted is what deleting an item costs; where there is none, one unit.
func deleted(was table.Item) map[Unit]float64 {
	counts := map[Unit]float64{WriteUnits: units(weight(was), writeUnit)}
	if was.Version > 0 {
		counts[TableBytes] = -stays(was)
	}
	if !was.Index.IsZero() {
		counts[WriteUnits] += units(keysWeight(was), writeUnit)
	}
	return counts
}

// stored is what is there now, for nothing.
func (t *Table) stored(ctx context.Context, k table.Key) table.Item {
	it, _ := t.Table.Get(ctx, k)
	return it
}

// written is what a write costs: the larger of the item's two sizes, and in the
// index one write to take an entry out and one to put it in, unless it stays.
func (t *Table) written(was, it table.Item) map[Unit]float64 {
	n := units(max(weight(was), weight(it)), writeUnit)
	if was.Index != it.Index {
		if !was.Index.IsZero() {
			n += units(keysWeight(was), writeUnit)
		}
		if !it.Index.IsZero() {
			n += units(keysWeight(it), writeUnit)
		}
	}
	grown := stays(it)
	if was.Version > 0 {
		grown -= stays(was)
	}
	return map[Unit]float64{WriteUnits: n, TableBytes: grown}
}

// stays is what an item's storage is billed by: DynamoDB adds 100 bytes to each
// item, and to each entry of an index.
func stays(it table.Item) float64 {
	const added = 100
	n := weight(it) + added
	if !it.Index.IsZero() {
		n += keysWeight(it) + added
	}
	return float64(n)
}

// Query implements table.Table. DynamoDB rounds the bytes of all items that it
// looked at; the driver asks for one more than the page takes. The index is read
// with eventual consistency, at half the price, and then each item by itself.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := t.Table.Query(ctx, q)
	if err != nil {
		return page, err
	}
	bytes, items := 0, 0.0
	for _, it := range page.Items {
		if q.Index {
			bytes += keysWeight(it)
			items += units(weight(it), readUnit)
		} else {
			bytes += weight(it)
		}
	}
	if page.Cursor != "" {
		bytes += bytes / len(page.Items)
	}
	n := units(bytes, readUnit)
	if q.Index {
		n = n/2 + items
	}
	t.bill.call(ctx, map[Unit]float64{ReadUnits: n})
	if items > 0 {
		t.bill.call(ctx, nil) // the items' own reads, at most 100 a call
	}
	return page, nil
}
