package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// mortal is a table of a process that dies at one of its requests: before it is done, or
// after, when nobody hears the answer. Nothing that it asks for later is done.
type mortal struct {
	table.Table
	left  atomic.Int64
	after bool

	done   atomic.Int64
	before func(request int64) // each; nil: nothing
}

var errDead = errors.New("dead")

func (m *mortal) do(what func() error) error {
	if n := m.done.Add(1); m.before != nil {
		m.before(n)
	}
	switch left := m.left.Add(-1); {
	case left < 0:
		return errDead
	case left == 0 && m.after:
		_ = what()
		return errDead
	case left == 0:
		return errDead
	}
	return what()
}

func (m *mortal) Get(ctx context.Context, k table.Key) (it table.Item, err error) {
	err = m.do(func() (err error) { it, err = m.Table.Get(ctx, k); return err })
	return it, err
}

func (m *mortal) Put(ctx context.Context, it table.Item) error {
	return m.do(func() error { return m.Table.Put(ctx, it) })
}

func (m *mortal) Delete(ctx context.Context, k table.Key) error {
	return m.do(func() error { return m.Table.Delete(ctx, k) })
}

func (m *mortal) Query(ctx context.Context, q table.Query) (p table.Page, err error) {
	err = m.do(func() (err error) { p, err = m.Table.Query(ctx, q); return err })
	return p, err
}

func (m *mortal) PutMany(ctx context.Context, its []table.Item) error {
	return m.do(func() error { return m.Table.PutMany(ctx, its) })
}

func (m *mortal) DeleteMany(ctx context.Context, ks []table.Key) error {
	return m.do(func() error { return m.Table.DeleteMany(ctx, ks) })
}

// deaths lets somebody die at each request that work makes, before it and after it, and
// each time on a table that is as prepare makes it; then judge looks at what is left. The
// last time nobody dies. Work has to make some requests, as many as least.
func deaths(t *testing.T, least int64, prepare func(t *testing.T) table.Table, work func(table.Table) error, judge func(t *testing.T, left table.Table, death string, err error)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		for step := int64(1); ; step++ {
			whole := prepare(t)
			m := &mortal{Table: whole, after: after}
			m.left.Store(step)
			err := work(m)
			death := "nobody died"
			if m.left.Load() <= 0 {
				death = fmt.Sprintf("death at request %d (after it: %t)", step, after)
			}
			judge(t, whole, death, err)
			if m.left.Load() > 0 {
				if step <= least {
					t.Errorf("there are %d requests, which is less than %d", step-1, least)
				}
				break
			}
		}
	}
}
