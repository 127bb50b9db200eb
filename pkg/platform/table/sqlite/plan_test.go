package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// No statement may read more than its range or sort what the keys already order.
func TestPlans(t *testing.T) {
	now := time.Unix(1000, 0)
	tb, err := Open(t.Context(), filepath.Join(t.TempDir(), "t.db"), Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer tb.Close()
	for statement, want := range map[string]string{
		sqlGet:       "SEARCH item USING INDEX sqlite_autoindex_item_1 (pk=? AND sk=?)",
		sqlUpdate:    "SEARCH item USING INDEX sqlite_autoindex_item_1 (pk=? AND sk=?)",
		sqlDelete:    "SEARCH item USING INDEX sqlite_autoindex_item_1 (pk=? AND sk=?)",
		sqlAsc:       "SEARCH item USING INDEX sqlite_autoindex_item_1 (pk=? AND sk>? AND sk<?)",
		sqlDesc:      "SEARCH item USING INDEX sqlite_autoindex_item_1 (pk=? AND sk>? AND sk<?)",
		sqlIndexAsc:  "SEARCH item USING INDEX item_path (ipk=? AND (isk,pk,sk)>(?,?,?) AND isk<?)",
		sqlIndexDesc: "SEARCH item USING INDEX item_path (ipk=? AND isk>? AND (isk,pk,sk)<(?,?,?))",
		sqlPurge:     "SEARCH item USING COVERING INDEX item_expires (expires>? AND expires<?)",
	} {
		rows, err := tb.db.Query("EXPLAIN QUERY PLAN "+statement, make([]any, strings.Count(statement, "?"))...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var a, b, c int
			var detail string
			if err := rows.Scan(&a, &b, &c, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		rows.Close()
		all := strings.Join(plan, "; ")
		if !strings.Contains(all, want) || strings.Contains(all, "SCAN") || strings.Contains(all, "TEMP") {
			t.Errorf("%s\nplan: %s\nwant: %s", statement, all, want)
		}
	}
}
