package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func rename(ctx context.Context, org *store.Organization, name string, at time.Time) error {
	for {
		c, err := org.AnyConnection(ctx, "c")
		if errors.Is(err, store.ErrNotFound) {
			c, err = model.Connection{ID: "c"}, nil
		}
		if err != nil {
			return err
		}
		c.Name = name
		by := model.Change{Actor: model.Actor{Kind: model.ActorPerson, ID: "anna"}, Address: "192.0.2.1", Action: "update-connection", At: at}
		if err := org.ChangeConnection(ctx, by, &c); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// renames are the names that the log says were given, in its order.
func renames(t *testing.T, org *store.Organization) (names []string) {
	t.Helper()
	if _, err := org.VerifyAdminLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := ""
	for e, err := range org.AdminLog(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var was, is model.Connection
		if e.Before != nil {
			if err := json.Unmarshal(e.Before, &was); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.Unmarshal(e.After, &is); err != nil {
			t.Fatal(err)
		}
		if was.Name != before || strings.Contains(string(e.After), "$log") {
			t.Errorf("entry %d says that it was %q, and it was %q: %s", e.Seq, was.Name, before, e.After)
		}
		before = is.Name
		names = append(names, is.Name)
	}
	return names
}

// TestNoChangeIsUnlogged: whoever dies at any moment while a record is changed, what was
// changed is in the log, once and in its order, as soon as somebody changes the record
// again or goes through what was left over; what was not changed is not.
func TestNoChangeIsUnlogged(t *testing.T) {
	t.Parallel()
	for _, settled := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for step := int64(1); ; step++ {
				now := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
				memory := tables.New(time.Now)
				org := store.New(memory, nil).For("acme")
				if err := rename(t.Context(), org, "first", now); err != nil {
					t.Fatal(err)
				}
				err := rename(t.Context(), store.New(mortal.Dies(memory, step, after), nil).For("acme"), "second", now)
				if err == nil {
					if step < 8 {
						t.Fatalf("a change takes %d requests", step)
					}
					break
				}
				c, e := org.AnyConnection(t.Context(), "c")
				if e != nil {
					t.Fatal(e)
				}
				want := "[first]"
				if c.Name == "second" {
					want = "[first second]"
				}
				if settled {
					if _, err := org.SettleAdminLog(t.Context(), now.Add(2*time.Hour)); err != nil {
						t.Fatal(err)
					}
				} else {
					if err := rename(t.Context(), org, "third", now); err != nil {
						t.Fatal(err)
					}
					want = strings.TrimSuffix(want, "]") + " third]"
				}
				if got := fmt.Sprint(renames(t, org)); got != want {
					t.Errorf("settled %t, death at request %d (after it: %t): the log has %s, want %s", settled, step, after, got, want)
				}
				if n, err := org.SettleAdminLog(t.Context(), now.Add(2*time.Hour)); n != 0 && !settled || err != nil {
					t.Errorf("death at request %d: %d entries were left over, %v", step, n, err)
				}
			}
		}
	}
}

// TestWhoDoesNotLogLosesNothing: after a death at any moment of a change, others write the
// record who log nothing; what was changed is in the log all the same, once.
func TestWhoDoesNotLogLosesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	by := model.Change{Action: "start-audit", At: now}
	for _, after := range []bool{false, true} {
		for step := int64(1); ; step++ {
			memory := tables.New(time.Now)
			org := store.New(memory, nil).For("acme")
			err := store.New(mortal.Dies(memory, step, after), nil).For("acme").ChangeAudit(t.Context(), by, &model.Audit{ID: "a", Connection: "c", State: model.AuditRunning})
			want := int64(1)
			if a, e := org.Audit(t.Context(), "c", "a"); errors.Is(e, store.ErrNotFound) {
				want = 0
			} else {
				for range 3 {
					a.Problems = append(a.Problems, "others wrote it")
					if err := org.PutAudit(t.Context(), &a); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := org.SettleAdminLog(t.Context(), now.Add(2*time.Hour)); err != nil {
				t.Fatal(err)
			}
			if last, err := org.VerifyAdminLog(t.Context()); err != nil || last.Seq != want {
				t.Errorf("death at request %d (after it: %t): %d entries, %v, want %d", step, after, last.Seq, err, want)
			}
			if err == nil {
				break
			}
		}
	}
}

// repeating is a table whose answers are lost: whoever asks repeats it, as the SDK does.
type repeating struct{ table.Table }

func (r repeating) Put(ctx context.Context, it table.Item) error {
	return errors.Join(r.Table.Put(ctx, it), r.Table.Put(ctx, it))
}

// TestAnswersThatAreLost: a write whose answer was lost is repeated, and meets itself.
// What it changed is in the log, once.
func TestAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	org := store.New(repeating{tables.New(time.Now)}, nil).For("acme")
	settings := model.Settings{AccessKeysAllowed: true}
	if err := org.PutSettings(t.Context(), model.Change{Action: "put-settings", At: time.Now()}, &settings); err != nil {
		t.Fatal(err)
	}
	if _, err := org.SettleAdminLog(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if last, err := org.VerifyAdminLog(t.Context()); err != nil || last.Seq != 1 {
		t.Errorf("%d entries, %v", last.Seq, err)
	}
}

// TestLargeChanges: what fits into the table as a record can be logged, and the log says
// of what is long how long it is.
func TestLargeChanges(t *testing.T) {
	t.Parallel()
	org := store.New(tables.New(time.Now), nil).For("acme")
	c := model.Connection{ID: "c", AuditOptions: model.AuditOptions{}}
	for range model.MaxChecks {
		c.Checks = append(c.Checks, strings.Repeat("x", model.MaxWord))
	}
	by := model.Change{Action: "update-connection", At: time.Now()}
	for _, name := range []string{"a", "b", "c"} {
		c.Name = name
		if err := org.ChangeConnection(t.Context(), by, &c); err != nil {
			t.Fatal(err)
		}
	}
	last, err := org.VerifyAdminLog(t.Context())
	if err != nil || last.Seq != 3 || len(last.After) > 8<<10 || !strings.Contains(string(last.After), `"bytes":131001`) {
		t.Errorf("%d entries, %v; the last says %.300s", last.Seq, err, last.After)
	}
	c.Checks[0] = "y"
	if err := org.ChangeConnection(t.Context(), by, &c); err != nil {
		t.Fatal(err)
	}
	if last, err := org.VerifyAdminLog(t.Context()); err != nil || last.Seq != 4 {
		t.Errorf("a change of what is long is not logged: %d, %v", last.Seq, err)
	}
}

// TestEverybodyLogsAtOnce: changes of many at once are each in the chain, once.
func TestEverybodyLogsAtOnce(t *testing.T) {
	t.Parallel()
	memory := tables.New(time.Now)
	org := store.New(memory, nil).For("acme")
	var all errgroup.Group
	for i := range 8 {
		all.Go(func() error {
			for n := range 10 {
				c := model.Connection{ID: model.ConnectionID(fmt.Sprintf("c%d-%d", i, n)), Name: "x"}
				if err := org.ChangeConnection(t.Context(), model.Change{Action: "create-connection", At: time.Now()}, &c); err != nil {
					return err
				}
				if err := rename(t.Context(), org, fmt.Sprintf("%d-%d", i, n), time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	last, err := org.VerifyAdminLog(t.Context())
	if err != nil || last.Seq != 160 {
		t.Errorf("the chain ends with %d, %v; want 160", last.Seq, err)
	}
	seen := map[string]bool{}
	for e := range org.AdminLog(t.Context(), 0) {
		if seen[e.ID] {
			t.Errorf("%s is there twice", e.ID)
		}
		seen[e.ID] = true
	}
}

// TestAlteredAdminLog: an edit, an insertion, a removal and an exchange are found.
func TestAlteredAdminLog(t *testing.T) {
	t.Parallel()
	key := func(seq int) table.Key { return table.Key{PK: "O#acme#ADMINLOG", SK: fmt.Sprintf("%012d", seq)} }
	for name, alter := range map[string]func(tb table.Table) error{
		"an edit": func(tb table.Table) error {
			it, err := tb.Get(t.Context(), key(2))
			it.Body = []byte(strings.Replace(string(it.Body), "anna", "bert", 1))
			return errors.Join(err, tb.Put(t.Context(), it))
		},
		"a removal": func(tb table.Table) error { return tb.Delete(t.Context(), key(2)) },
		"the first": func(tb table.Table) error { return tb.Delete(t.Context(), key(1)) },
		"an exchange": func(tb table.Table) error {
			a, err := tb.Get(t.Context(), key(2))
			b, err2 := tb.Get(t.Context(), key(3))
			a.Body, b.Body = b.Body, a.Body
			return errors.Join(err, err2, tb.Put(t.Context(), a), tb.Put(t.Context(), b))
		},
		"a new end": func(tb table.Table) error {
			it, err := tb.Get(t.Context(), key(4))
			it.Key, it.Version = key(5), 0
			return errors.Join(err, tb.Put(t.Context(), it))
		},
	} {
		memory := tables.New(time.Now)
		org := store.New(memory, nil).For("acme")
		for i := range 4 {
			if err := rename(t.Context(), org, fmt.Sprint("name ", i), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := org.VerifyAdminLog(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := alter(memory); err != nil {
			t.Fatal(err)
		}
		if _, err := org.VerifyAdminLog(t.Context()); !errors.Is(err, store.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
