package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

var _ table.Table = (*Table)(nil)

const (
	manyRows   = 500 // rows of one transaction; others may write in between
	purgeEvery = 256 // writes between two looks for expired items
)

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Item, error) {
	if err := k.Check(); err != nil {
		return table.Item{}, fmt.Errorf("get %s: %w", k, err)
	}
	var it table.Item
	err := t.retry(ctx, func() (err error) {
		it, err = scan(t.db.QueryRowContext(ctx, sqlGet, k.PK, k.SK, t.now()))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = table.ErrNotFound
	}
	if err != nil {
		return table.Item{}, fmt.Errorf("get %s: %w", k, explain(err))
	}
	return it, nil
}

// Put implements table.Table.
func (t *Table) Put(ctx context.Context, it table.Item) error {
	err := it.Check()
	if err == nil {
		err = t.write(ctx, func() error { return t.put(ctx, it) })
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", it.Key, explain(err))
	}
	t.wrote(ctx, 1)
	return nil
}

func (t *Table) put(ctx context.Context, it table.Item) error {
	ipk, isk := index(it)
	var r sql.Result
	var err error
	if it.Version == 0 {
		r, err = t.db.ExecContext(ctx, sqlInsert, it.PK, it.SK, ipk, isk, it.ExpiresUnix(), string(it.Body), t.now())
	} else {
		r, err = t.db.ExecContext(ctx, sqlUpdate, it.PK, it.SK, ipk, isk, it.ExpiresUnix(), string(it.Body), it.Version, t.now())
	}
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("%w: not at version %d", table.ErrConflict, it.Version)
}

// PutMany implements table.Table.
func (t *Table) PutMany(ctx context.Context, its []table.Item) error {
	if err := table.CheckMany(its); err != nil {
		return fmt.Errorf("put %d items: %w", len(its), err)
	}
	for done := 0; done < len(its); {
		part := its[done:min(done+manyRows, len(its))]
		if err := t.write(ctx, func() error { return t.putPart(ctx, part) }); err != nil {
			return fmt.Errorf("put %d items, %d done: %w", len(its), done, explain(err))
		}
		done += len(part)
		t.wrote(ctx, len(part))
	}
	return nil
}

func (t *Table) putPart(ctx context.Context, its []table.Item) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	st, err := tx.PrepareContext(ctx, sqlUpsert)
	if err != nil {
		return err
	}
	defer st.Close()
	for _, it := range its {
		ipk, isk := index(it)
		if _, err := st.ExecContext(ctx, it.PK, it.SK, ipk, isk, it.Version+1, it.ExpiresUnix(), string(it.Body)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Add implements table.Table.
func (t *Table) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (sum int64, err error) {
	first, err := table.Counter(k, n, expires)
	if err == nil {
		err = t.write(ctx, func() error {
			return t.db.QueryRowContext(ctx, sqlAdd, k.PK, k.SK, n, first.ExpiresUnix(), t.now()).Scan(&sum)
		})
	}
	if err != nil {
		return 0, fmt.Errorf("add to %s: %w", k, explain(err))
	}
	t.wrote(ctx, 1)
	return sum, nil
}

// Delete implements table.Table.
func (t *Table) Delete(ctx context.Context, k table.Key) error {
	err := k.Check()
	if err == nil {
		err = t.write(ctx, func() error {
			_, err := t.db.ExecContext(ctx, sqlDelete, k.PK, k.SK)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", k, explain(err))
	}
	return nil
}

// DeleteMany implements table.Table.
func (t *Table) DeleteMany(ctx context.Context, ks []table.Key) error {
	if err := table.CheckKeys(ks); err != nil {
		return fmt.Errorf("delete %d items: %w", len(ks), err)
	}
	for done := 0; done < len(ks); {
		part := ks[done:min(done+manyRows, len(ks))]
		if err := t.write(ctx, func() error { return t.deletePart(ctx, part) }); err != nil {
			return fmt.Errorf("delete %d items, %d done: %w", len(ks), done, explain(err))
		}
		done += len(part)
	}
	return nil
}

func (t *Table) deletePart(ctx context.Context, ks []table.Key) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	st, err := tx.PrepareContext(ctx, sqlDelete)
	if err != nil {
		return err
	}
	defer st.Close()
	for _, k := range ks {
		if _, err := st.ExecContext(ctx, k.PK, k.SK); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Query implements table.Table.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := q.Check(); err != nil {
		return table.Page{}, fmt.Errorf("query %s: %w", q, err)
	}
	after, more, err := q.Position()
	if err != nil {
		return table.Page{}, err
	}
	statement, args := t.plan(q, after, more)
	var page table.Page
	err = t.retry(ctx, func() (err error) {
		page, err = t.page(ctx, q, statement, args)
		return err
	})
	if err != nil {
		return table.Page{}, fmt.Errorf("query %s: %w", q, explain(err))
	}
	return page, nil
}

// plan chooses the statement and the range of keys; one row more than the page
// is asked for, to know whether anything follows.
func (t *Table) plan(q table.Query, after table.Position, more bool) (string, []any) {
	low, high, rows := q.Prefix, successor(q.Prefix), q.PageSize()+1
	if q.Before != "" {
		high = q.Before
	}
	if !q.Index {
		switch {
		case q.Desc && more:
			high = after.Key.SK
		case more:
			low = after.Key.SK + "\x00" // the next possible key
		}
		if q.Desc {
			return sqlDesc, []any{q.PK, low, high, t.now(), rows}
		}
		return sqlAsc, []any{q.PK, low, high, t.now(), rows}
	}
	if q.Desc {
		from := []any{q.PK, high, "", ""}
		if more {
			from = []any{q.PK, after.Index.SK, after.Key.PK, after.Key.SK}
		}
		return sqlIndexDesc, append(from, low, t.now(), rows)
	}
	from := []any{q.PK, low, "", ""}
	if more {
		from = []any{q.PK, after.Index.SK, after.Key.PK, after.Key.SK}
	}
	return sqlIndexAsc, append(from, high, t.now(), rows)
}

// successor is the least string above all that begin with prefix. Where there
// is none it is 0xFF, which no UTF-8 string reaches.
func successor(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return "\xff"
}

func (t *Table) page(ctx context.Context, q table.Query, statement string, args []any) (table.Page, error) {
	rows, err := t.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return table.Page{}, err
	}
	defer rows.Close()
	var p table.Page
	bytes := 0
	for rows.Next() {
		if len(p.Items) == q.PageSize() || bytes >= table.MaxPage {
			p.Cursor = q.CursorAfter(p.Items[len(p.Items)-1])
			break
		}
		it, err := scan(rows)
		if err != nil {
			return table.Page{}, err
		}
		bytes += it.Size()
		p.Items = append(p.Items, it)
	}
	return p, rows.Err()
}

type scanner interface{ Scan(into ...any) error }

func scan(s scanner) (table.Item, error) {
	var it table.Item
	var ipk, isk sql.NullString
	var expires int64
	if err := s.Scan(&it.PK, &it.SK, &ipk, &isk, &it.Version, &expires, &it.Body); err != nil {
		return table.Item{}, err
	}
	it.Index = table.Key{PK: ipk.String, SK: isk.String}
	it.Expires = table.ExpiresAt(expires)
	if len(it.Body) == 0 {
		it.Body = nil
	}
	return it, nil
}

func index(it table.Item) (pk, sk sql.NullString) {
	has := !it.Index.IsZero()
	return sql.NullString{String: it.Index.PK, Valid: has}, sql.NullString{String: it.Index.SK, Valid: has}
}

func (t *Table) now() int64 { return t.clock().Unix() }

// wrote counts writes and now and then removes some expired items. Those are
// hidden from readers anyway, so a failure may wait for the next time.
func (t *Table) wrote(ctx context.Context, n int) {
	after := t.writes.Add(int64(n))
	if after/purgeEvery == (after-int64(n))/purgeEvery {
		return
	}
	select {
	case t.writer <- struct{}{}:
		defer func() { <-t.writer }()
		_, _ = t.db.ExecContext(ctx, sqlPurge, t.now())
	default:
	}
}
