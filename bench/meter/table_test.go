package meter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// TestTableUnits follows an indexed item through its life, with the units that
// DynamoDB would bill.
func TestTableUnits(t *testing.T) {
	bill := &Bill{}
	tb := NewTable(memtable.New(nil), bill)
	ctx := In(t.Context(), "f")
	it := table.Item{Key: table.Key{PK: "p", SK: "s"}, Index: table.Key{PK: "ip", SK: "1"}, Body: []byte(strings.Repeat("x", 1500))}
	step := func(name string, do func() error, write, read float64) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := bill.Take()
		if d := cmp.Diff([]float64{write, read}, []float64{got[WriteUnits], got[ReadUnits]}); d != "" {
			t.Errorf("%s: write and read units (-want +got):\n%s", name, d)
		}
	}
	get := func() error { _, err := tb.Get(ctx, it.Key); return err }
	query := func(q table.Query) func() error {
		return func() error { _, err := tb.Query(ctx, q); return err }
	}
	step("put: 2 KB and an entry of the index", func() error { return tb.Put(ctx, it) }, 3, 0)
	step("get", get, 0, 1)
	step("query", query(table.Query{PK: "p"}), 0, 1)
	step("query the index: half a unit, and the item", query(table.Query{Index: true, PK: "ip"}), 0, 1.5)
	step("query nothing", query(table.Query{Index: true, PK: "none"}), 0, 0.5)
	it.Version, it.Body = 1, []byte("{}")
	step("put less: by the size that was, the index stays", func() error { return tb.Put(ctx, it) }, 2, 0)
	it.Version, it.Index.SK = 2, "2"
	step("put under another index key: out and in", func() error { return tb.Put(ctx, it) }, 3, 0)
	step("delete: the item and its entry", func() error { return tb.Delete(ctx, it.Key) }, 2, 0)
	step("delete what is not there", func() error { return tb.Delete(ctx, it.Key) }, 1, 0)
	if _, err := tb.Query(t.Context(), table.Query{PK: "p"}); err != nil || len(bill.Take()) != 0 {
		t.Error("what nobody's function does is billed")
	}
}
