package store_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TestStates: what audits found of connections is read with them, alone and in pages of
// any size; it does not change what they are to be, and their owner's newer word counts.
func TestStates(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	org := store.New(tables.New(time.Now), nil).For("acme")
	find := func(id model.ConnectionID, s model.ConnectionState, since time.Time) {
		t.Helper()
		err := org.ChangeState(ctx, id, func(c *model.Connection) bool {
			c.AccountID, c.State, c.Reason, c.Since = "111122223333", s, "for a reason", since
			c.RoleARN = "arn:aws:iam::444455556666:role/another" // which is not its to say
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 25 {
		c := model.Connection{ID: model.ConnectionID(fmt.Sprintf("%02d", i)), State: model.ConnectionPending, Since: now}
		if err := org.PutConnection(ctx, &c); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			find(c.ID, model.ConnectionActive, now.Add(time.Minute))
		}
	}
	check := func(c model.Connection) {
		t.Helper()
		i, err := strconv.Atoi(string(c.ID))
		if err != nil {
			t.Fatal(err)
		}
		want := model.ConnectionPending
		if i%3 == 0 {
			want = model.ConnectionActive
		}
		if c.State != want || c.RoleARN != "" || (c.AccountID != "") != (i%3 == 0) || c.Version != 1 {
			t.Errorf("%s is %+v", c.ID, c)
		}
	}
	all, err := org.Connections(ctx)
	if err != nil || len(all) != 25 {
		t.Fatalf("%d connections, %v", len(all), err)
	}
	for _, c := range all {
		check(c)
		one, err := org.Connection(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		check(one)
	}
	for _, limit := range []int{1, 2, 7, 24, 25, 100} {
		n := 0
		for cursor := ""; ; {
			page, next, err := org.ConnectionsPage(ctx, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			n += len(page)
			for _, c := range page {
				check(c)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if n != 25 {
			t.Errorf("pages of %d have %d connections", limit, n)
		}
	}

	c, err := org.Connection(ctx, "00")
	if err != nil {
		t.Fatal(err)
	}
	c.Name = "renamed" // while an audit finds that it is refused
	find("00", model.ConnectionRevoked, now.Add(2*time.Minute))
	if err := org.PutConnection(ctx, &c); err != nil {
		t.Fatal(err)
	}
	if c, _ = org.Connection(ctx, "00"); c.State != model.ConnectionRevoked || c.Name != "renamed" {
		t.Errorf("%+v, want it renamed and revoked", c)
	}
	c.State, c.Since = model.ConnectionPending, now.Add(3*time.Minute) // set up anew
	if err := org.PutConnection(ctx, &c); err != nil {
		t.Fatal(err)
	}
	if c, _ = org.Connection(ctx, "00"); c.State != model.ConnectionPending {
		t.Errorf("%+v, want it pending", c)
	}
	c.State = model.ConnectionDeleted
	if err := org.PutConnection(ctx, &c); err != nil {
		t.Fatal(err)
	}
	for _, id := range []model.ConnectionID{"00", "nobody"} {
		if err := org.ChangeState(ctx, id, func(*model.Connection) bool { return true }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s, which is not there: %v", id, err)
		}
	}
}
