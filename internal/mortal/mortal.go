// Package mortal is for tests of what is left by whoever dies between two requests to the
// table, or is overtaken between them.
package mortal

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ErrDead is what the dead are answered.
var ErrDead = errors.New("dead")

// Table is a table of a process that dies at one of its requests: before it is done, or
// after, when nobody hears the answer. Nothing that it asks for later is done.
type Table struct {
	table.Table
	left   atomic.Int64
	after  bool
	done   atomic.Int64
	before func(request int64)
}

// Dies is a table of which the process dies at a request, counted from 1 on.
func Dies(t table.Table, at int64, after bool) *Table {
	m := &Table{Table: t, after: after}
	m.left.Store(at)
	return m
}

// Overtaken is a table of a process that stands still before a request, counted from 1 on,
// while others work.
func Overtaken(t table.Table, at int64, work func()) *Table {
	m := Dies(t, 1<<62, false)
	m.before = func(request int64) {
		if request == at {
			work()
		}
	}
	return m
}

// Requests is how many there were, with that at which the process died.
func (m *Table) Requests() int64 { return m.done.Load() }

func (m *Table) do(what func() error) error {
	if n := m.done.Add(1); m.before != nil {
		m.before(n)
	}
	switch left := m.left.Add(-1); {
	case left < 0:
		return ErrDead
	case left == 0 && m.after:
		_ = what()
		return ErrDead
	case left == 0:
		return ErrDead
	}
	return what()
}

// Get implements table.Table.
func (m *Table) Get(ctx context.Context, k table.Key) (it table.Item, err error) {
	err = m.do(func() (err error) { it, err = m.Table.Get(ctx, k); return err })
	return it, err
}

// Put implements table.Table.
func (m *Table) Put(ctx context.Context, it table.Item) error {
	return m.do(func() error { return m.Table.Put(ctx, it) })
}

// PutMany implements table.Table.
func (m *Table) PutMany(ctx context.Context, its []table.Item) error {
	return m.do(func() error { return m.Table.PutMany(ctx, its) })
}

// Delete implements table.Table.
func (m *Table) Delete(ctx context.Context, k table.Key) error {
	return m.do(func() error { return m.Table.Delete(ctx, k) })
}

// DeleteMany implements table.Table.
func (m *Table) DeleteMany(ctx context.Context, ks []table.Key) error {
	return m.do(func() error { return m.Table.DeleteMany(ctx, ks) })
}

// Add implements table.Table.
func (m *Table) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (sum int64, err error) {
	err = m.do(func() (err error) { sum, err = m.Table.Add(ctx, k, n, expires); return err })
	return sum, err
}

// Query implements table.Table.
func (m *Table) Query(ctx context.Context, q table.Query) (p table.Page, err error) {
	err = m.do(func() (err error) { p, err = m.Table.Query(ctx, q); return err })
	return p, err
}

// Deaths lets somebody die at each request that work makes, before it and after it, each
// time on a table that is as prepare makes it; then judge looks at what is left. The last
// time nobody dies. Work has to make some requests, as many as least.
func Deaths(t *testing.T, least int64, prepare func(t *testing.T) table.Table, work func(table.Table) error, judge func(t *testing.T, left table.Table, death string, err error)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		for step := int64(1); ; step++ {
			whole := prepare(t)
			m := Dies(whole, step, after)
			err := work(m)
			died := m.left.Load() <= 0
			death := "nobody died"
			if died {
				death = fmt.Sprintf("death at request %d (after it: %t)", step, after)
			}
			judge(t, whole, death, err)
			if !died {
				if step <= least {
					t.Errorf("there are %d requests, which is less than %d", step-1, least)
				}
				break
			}
		}
	}
}
