package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

var monday = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)

// clock is what a table goes by.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newID() string { return ulid.Make().String() }

func newPerson(address string) model.Person {
	return model.Person{
		ID: model.PersonID(newID()), Email: address, Name: "Anna", CreatedAt: monday, TOTP: true, Epoch: 3,
		Credentials: model.Credentials{
			Password: model.Hidden("$argon2id$"), TOTP: model.Hidden("sealed"), TOTPStep: 7,
			BackupCodes: []model.Hidden{model.Hidden("a"), model.Hidden("b")},
			Devices:     []model.Device{{Hash: model.Hidden("cookie"), At: monday}},
		},
	}
}

func create(t *testing.T, tb table.Table, address string) model.Person {
	t.Helper()
	p := newPerson(address)
	if err := store.New(tb, nil).People().Create(t.Context(), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func change(action string) model.Change {
	return model.Change{Actor: model.Actor{Kind: model.ActorPerson, ID: anna}, Address: "192.0.2.1", Action: action, At: monday}
}

// TestPersonIsKept: what is written is read, the hidden parts too, by id and by e-mail
// address in any case.
func TestPersonIsKept(t *testing.T) {
	t.Parallel()
	people := store.New(memtable.New(onMonday), nil).People()
	want := newPerson("Anna@Example.com")
	want.CreatedAt = time.Now().UTC()
	if err := people.Create(t.Context(), &want); err != nil {
		t.Fatal(err)
	}
	want.Credentials.TOTPStep++
	if err := people.Put(t.Context(), &want); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() (model.Person, error){
		"by id":      func() (model.Person, error) { return people.Person(t.Context(), want.ID) },
		"by address": func() (model.Person, error) { return people.ByEmail(t.Context(), " anna@EXAMPLE.com") },
	} {
		got, err := read()
		if err != nil || !reflect.DeepEqual(got, want) { // cmp.Diff could not show what is hidden
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	other := want
	other.Email = "other@example.com"
	if err := people.Put(t.Context(), &other); err == nil {
		t.Error("Put changes an e-mail address")
	}
	other = want
	if err := people.Put(t.Context(), &other); err != nil {
		t.Fatal(err)
	}
	if err := people.Put(t.Context(), &want); !errors.Is(err, store.ErrConflict) {
		t.Errorf("over somebody else's change: %v", err)
	}
	if err := people.ChangeEmail(t.Context(), &want, "new@example.com", monday); !errors.Is(err, store.ErrConflict) {
		t.Errorf("an e-mail address over somebody else's change: %v", err)
	}
	other.Email = "no address"
	var wrong *model.FieldError
	if err := people.Create(t.Context(), &other); !errors.As(err, &wrong) {
		t.Errorf("what no person has: %v", err)
	}
}

// checkDirectory holds a directory to its promise: an e-mail address leads to one person,
// who has it, and everybody who has one is found by it.
func checkDirectory(t *testing.T, tb table.Table, death string, people []model.PersonID, addresses ...string) {
	t.Helper()
	dir := store.New(tb, nil).People()
	owner := map[string]model.PersonID{}
	for _, address := range addresses {
		p, err := dir.ByEmail(t.Context(), address)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil || model.NormalEmail(p.Email) != model.NormalEmail(address) {
			t.Fatalf("%s: %s leads to %+v, %v", death, address, p, err)
		}
		owner[model.NormalEmail(address)] = p.ID
	}
	for _, id := range people {
		p, err := dir.Person(t.Context(), id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		if err == nil && owner[model.NormalEmail(p.Email)] != id {
			t.Errorf("%s: %s has %s, which leads to %q", death, id, p.Email, owner[model.NormalEmail(p.Email)])
		}
	}
}

// TestDeathWhileCreating: whoever dies while a person is created, an hour later there is
// the person, who is found by the e-mail address, or nobody, and the address is free.
func TestDeathWhileCreating(t *testing.T) {
	t.Parallel()
	for _, looked := range []bool{false, true} { // for the address, before the hour is over
		var c *clock
		who := newPerson("anna@example.com")
		mortal.Deaths(t, 4, func(*testing.T) table.Table { c = &clock{monday}; return memtable.New(c.Now) },
			func(tb table.Table) error {
				p := who
				return store.New(tb, nil).People().Create(context.Background(), &p)
			},
			func(t *testing.T, left table.Table, death string, err error) {
				dir := store.New(left, nil).People()
				if looked {
					if _, e := dir.ByEmail(t.Context(), who.Email); e != nil && (err == nil || !errors.Is(e, store.ErrNotFound)) {
						t.Errorf("%s: %v", death, e)
					}
				}
				c.now = c.now.Add(2 * time.Hour)
				_, there := dir.Person(t.Context(), who.ID)
				if err == nil && there != nil {
					t.Errorf("%s: created, and %v", death, there)
				}
				if there == nil {
					checkDirectory(t, left, death, []model.PersonID{who.ID}, who.Email)
				}
				next := newPerson(who.Email)
				next.CreatedAt = c.now
				want := error(nil)
				if there == nil {
					want = store.ErrEmailTaken
				}
				if e := dir.Create(t.Context(), &next); !errors.Is(e, want) {
					t.Errorf("%s: the person is there: %t; the next one who wants the address: %v", death, there == nil, e)
				}
			})
	}
}

// TestDeathWhileChangingEmail: whoever dies while an e-mail address is changed, the person
// has one of the two, and the other one is free at once.
func TestDeathWhileChangingEmail(t *testing.T) {
	t.Parallel()
	const before, after = "anna@example.com", "anna@example.org"
	var who model.Person
	mortal.Deaths(t, 6, func(t *testing.T) table.Table {
		t.Helper()
		tb := memtable.New(func() time.Time { return monday })
		who = create(t, tb, before)
		return tb
	}, func(tb table.Table) error {
		p := who
		return store.New(tb, nil).People().ChangeEmail(context.Background(), &p, after, monday)
	}, func(t *testing.T, left table.Table, death string, err error) {
		checkDirectory(t, left, death, []model.PersonID{who.ID}, before, after)
		is, e := store.New(left, nil).People().Person(t.Context(), who.ID)
		if e != nil || is.Email != before && is.Email != after || err == nil && is.Email != after {
			t.Fatalf("%s: %s, %v", death, is.Email, e)
		}
		free := before
		if is.Email == before {
			free = after
		}
		other := create(t, left, free)
		checkDirectory(t, left, death, []model.PersonID{who.ID, other.ID}, before, after)
		// Nor does it help to go on, without looking, where the dead one stopped.
		if e := store.New(left, nil).People().ChangeEmail(t.Context(), &is, other.Email, monday); !errors.Is(e, store.ErrEmailTaken) {
			t.Errorf("%s: somebody takes another's address: %v", death, e)
		}
		checkDirectory(t, left, death, []model.PersonID{who.ID, other.ID}, before, after)
	})
}

// TestOvertaken: one changes the e-mail address, and stands still before any of the
// requests while another goes through, who wants the same one, or the one that becomes
// free. One of the two, or neither, may have died in the same before. At most one has an
// address, and nobody has none.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	const first, second, wanted = "a@example.com", "b@example.com", "wanted@example.com"
	changes := func(tb table.Table, id model.PersonID, to string) error {
		dir := store.New(tb, nil).People()
		who, err := dir.Person(context.Background(), id)
		if err == nil {
			err = dir.ChangeEmail(context.Background(), &who, to, monday)
		}
		return err
	}
	creates := func(tb table.Table, _ model.PersonID, to string) error {
		p := newPerson(to)
		return store.New(tb, nil).People().Create(context.Background(), &p)
	}
	overtaken := 0
	for how, overtake := range map[string]func(table.Table, model.PersonID, string) error{"changes": changes, "creates": creates} {
		for _, wish := range []string{wanted, first} {
			for _, died := range []string{"nobody", "the first", "the second"} {
				for at := int64(1); ; at++ {
					tb := memtable.New(func() time.Time { return monday })
					a, b := create(t, tb, first), create(t, tb, second)
					m := mortal.Dies(tb, 6, false) // before the person's record has the address
					switch died {
					case "the first":
						_ = changes(m, a.ID, wanted)
					case "the second":
						_ = changes(m, b.ID, wish)
					}
					var errB error
					late := mortal.Overtaken(tb, at, func() { errB = overtake(tb, b.ID, wish) })
					errA := changes(late, a.ID, wanted)
					name := fmt.Sprintf("%s to %s, %s died, overtaken at request %d", how, wish, died, at)
					checkDirectory(t, tb, name, []model.PersonID{a.ID, b.ID}, first, second, wanted)
					if late.Requests() < at {
						break
					}
					overtaken++
					if errA == nil && errB == nil && wish == wanted {
						t.Errorf("%s: both have it", name)
					}
				}
			}
		}
	}
	if overtaken < 80 {
		t.Errorf("%d times somebody was overtaken", overtaken)
	}
}

// TestAddressesAreContested: many change among few addresses at once; however that ends,
// each address is one person's, and each person has one.
func TestAddressesAreContested(t *testing.T) {
	t.Parallel()
	tb := memtable.New(onMonday)
	var ids []model.PersonID
	var addresses []string
	for i := range 6 {
		p := newPerson(fmt.Sprintf("p%d@example.com", i))
		p.CreatedAt = time.Now()
		if err := store.New(tb, nil).People().Create(t.Context(), &p); err != nil {
			t.Fatal(err)
		}
		ids, addresses = append(ids, p.ID), append(addresses, p.Email)
	}
	addresses = append(addresses, "free@example.com", "other@example.com")
	var all errgroup.Group
	for i, id := range ids {
		all.Go(func() error {
			dir := store.New(tb, nil).People()
			for n := range 200 {
				p, err := dir.Person(t.Context(), id)
				if err != nil {
					return err
				}
				address := addresses[(i*7+n*5)%len(addresses)]
				err = dir.ChangeEmail(t.Context(), &p, address, time.Now())
				if err != nil && !errors.Is(err, store.ErrEmailTaken) && !errors.Is(err, store.ErrConflict) {
					return err
				}
				if now, e := dir.Person(t.Context(), id); e != nil || err == nil && now.Email != address {
					return fmt.Errorf("changed to %s, and has %s: %w", address, now.Email, e)
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	checkDirectory(t, tb, "nobody died", ids, addresses...)
}

// TestOneOfManyIsCreated: of several who sign up with one address at once one is created.
func TestOneOfManyIsCreated(t *testing.T) {
	t.Parallel()
	tb := memtable.New(onMonday)
	results := make([]error, 8)
	var all errgroup.Group
	for i := range results {
		all.Go(func() error {
			p := newPerson("Anna@example.com")
			p.CreatedAt = time.Now()
			results[i] = store.New(tb, nil).People().Create(t.Context(), &p)
			return nil
		})
	}
	_ = all.Wait()
	created := 0
	for _, err := range results {
		switch {
		case err == nil:
			created++
		case !errors.Is(err, store.ErrEmailTaken) && !errors.Is(err, store.ErrConflict):
			t.Error(err)
		}
	}
	if created != 1 {
		t.Errorf("%d were created: %v", created, results)
	}
}

// TestDirectory is the directory against a map, whatever is done in whatever order, by
// people some of whom die.
func TestDirectory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := &clock{monday}
		tb := memtable.New(c.Now)
		has := map[model.PersonID]string{}
		addresses := []string{"a@example.com", "b@example.com", "c@example.com"}
		var ids []model.PersonID
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			address := rapid.SampledFrom(addresses).Draw(r, "address")
			m := mortal.Dies(tb, rapid.Int64Range(1, 20).Draw(r, "requests until death"), rapid.Bool().Draw(r, "after"))
			dir := store.New(m, nil).People()
			who := newPerson(address)
			who.CreatedAt = c.now
			var err error
			if len(ids) == 0 || rapid.Bool().Draw(r, "create") {
				err = dir.Create(context.Background(), &who)
				ids = append(ids, who.ID)
			} else {
				who, err = store.New(tb, nil).People().Person(context.Background(), rapid.SampledFrom(ids).Draw(r, "who"))
				if err == nil {
					err = dir.ChangeEmail(context.Background(), &who, address, c.now)
				}
			}
			taken := false
			for id, a := range has {
				taken = taken || a == address && id != who.ID
			}
			if errors.Is(err, store.ErrEmailTaken) != taken && !errors.Is(err, mortal.ErrDead) && !errors.Is(err, store.ErrNotFound) {
				r.Fatalf("%s, taken %t: %v", address, taken, err)
			}
			// What was begun by the dead ends within an hour.
			for _, a := range addresses {
				_, _ = store.New(tb, nil).People().ByEmail(context.Background(), a)
			}
			c.now = c.now.Add(2 * time.Hour)
			has = map[model.PersonID]string{}
			for _, id := range ids {
				if p, err := store.New(tb, nil).People().Person(context.Background(), id); err == nil {
					has[id] = p.Email
					if found, err := store.New(tb, nil).People().ByEmail(context.Background(), p.Email); err != nil || found.ID != id {
						r.Fatalf("%s has %s, which leads to %s, %v", id, p.Email, found.ID, err)
					}
				}
			}
		}
	})
}

// TestDeathWhileJoining: whoever dies while somebody joins, there is a member who finds in,
// and the log says so, or there is none; joining can be tried again.
func TestDeathWhileJoining(t *testing.T) {
	t.Parallel()
	var who model.Person
	mortal.Deaths(t, 5, func(t *testing.T) table.Table {
		t.Helper()
		tb := memtable.New(func() time.Time { return monday })
		who = create(t, tb, "anna@example.com")
		return tb
	}, func(tb table.Table) error {
		return store.New(tb, nil).People().Join(context.Background(), "acme", change("accept-invitation"), &model.Member{Person: who.ID, Role: model.RoleAdmin, Since: monday})
	}, func(t *testing.T, left table.Table, death string, err error) {
		s := store.New(left, nil)
		org := s.For("acme")
		_, there := org.Member(t.Context(), who.ID)
		orgs, e := s.People().Organizations(t.Context(), who.ID)
		if e != nil || (there == nil) != slices.Contains(orgs, "acme") || err == nil && there != nil {
			t.Errorf("%s: %v; member: %v; organizations: %v, %v", death, err, there, orgs, e)
		}
		if there != nil {
			if e := s.People().Join(t.Context(), "acme", change("accept-invitation"), &model.Member{Person: who.ID, Role: model.RoleClient, Since: monday}); e != nil {
				t.Errorf("%s: once more: %v", death, e)
			}
		}
		if _, e := org.SettleAdminLog(t.Context(), monday.Add(2*time.Hour)); e != nil {
			t.Error(e)
		}
		if last, e := org.VerifyAdminLog(t.Context()); e != nil || last.Seq != 1 || last.Object != "member/"+string(who.ID) {
			t.Errorf("%s: the log ends with %+v, %v", death, last, e)
		}
	})
}

// TestDeathWhileLeaving: whoever dies while somebody leaves, there is no member, and no
// session is good for a later membership; or nothing happened. The log says which.
func TestDeathWhileLeaving(t *testing.T) {
	t.Parallel()
	var m model.Member
	prepare := func(t *testing.T) table.Table {
		t.Helper()
		tb := memtable.New(func() time.Time { return monday })
		s := store.New(tb, nil)
		m = model.Member{Person: create(t, tb, "anna@example.com").ID, Role: model.RoleAdmin, Since: monday}
		if err := s.People().Join(t.Context(), "acme", change("join"), &m); err != nil {
			t.Fatal(err)
		}
		for _, org := range []model.OrganizationID{"acme", "other"} {
			if err := s.People().BeginSession(t.Context(), begun(m.Person, org)); err != nil {
				t.Fatal(err)
			}
		}
		return tb
	}
	mortal.Deaths(t, 8, prepare, func(tb table.Table) error {
		return store.New(tb, nil).People().Leave(context.Background(), "acme", change("remove-member"), m)
	}, func(t *testing.T, left table.Table, death string, err error) {
		s := store.New(left, nil)
		org := s.For("acme")
		_, there := org.Member(t.Context(), m.Person)
		of := map[model.OrganizationID]int{}
		for session, e := range s.People().Sessions(t.Context(), m.Person) {
			if e != nil {
				t.Fatal(e)
			}
			of[session.Organization]++
		}
		if of["other"] != 1 {
			t.Errorf("%s: of the other organization there are %d sessions", death, of["other"])
		}
		want := int64(1)
		switch {
		case err == nil && (!errors.Is(there, store.ErrNotFound) || of["acme"] != 0):
			t.Errorf("%s: left, and %v, %d sessions", death, there, of["acme"])
		case there == nil && of["acme"] != 1:
			t.Errorf("%s: nothing happened, and there are %d sessions", death, of["acme"])
		case there != nil:
			want = 2
		}
		again := model.Member{Person: m.Person, Role: model.RoleClient, Since: monday.Add(time.Second)}
		if there != nil {
			if e := s.People().Join(t.Context(), "acme", change("join"), &again); e != nil {
				t.Fatalf("%s: joins again: %v", death, e)
			}
			want++
		}
		if page, _, e := org.MembersPage(t.Context(), "", 10); e != nil || len(page) != 1 {
			t.Errorf("%s: members: %+v, %v", death, page, e)
		}
		if _, e := org.SettleAdminLog(t.Context(), monday.Add(2*time.Hour)); e != nil {
			t.Error(e)
		}
		var log []string
		for e, err := range org.AdminLog(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			log = append(log, fmt.Sprintf("%s: %t %t", e.Action, e.Before != nil, e.After != nil))
		}
		if _, e := org.VerifyAdminLog(t.Context()); e != nil || int64(len(log)) != want || want > 1 && (log[0] != "join: false true" || log[1] != "remove-member: true false") || want > 2 && log[2] != "join: false true" {
			t.Errorf("%s: the log is %q, %v; want %d", death, log, e, want)
		}
	})
}

func begun(who model.PersonID, org model.OrganizationID) *model.Session {
	s := &model.Session{
		ID: model.SessionID(newID()), Person: who, Organization: org, CreatedAt: monday, MemberSince: monday,
		Epoch: 4, Generation: 1, Hash: model.Hidden("first"), Address: "192.0.2.1", Client: "curl",
	}
	s.Use(monday)
	return s
}

// linked is something of an organization that a public id leads to.
type linked struct {
	id   string
	add  func(s *store.Store) error
	read func(s *store.Store) (hash model.Hidden, err error)
	// remove reads it and removes it.
	remove func(s *store.Store) error
}

func links(ctx context.Context) map[string]linked {
	hash := model.Hidden("h4sh")
	i := model.Invitation{ID: model.InvitationID(newID()), Email: "anna@example.com", Role: model.RoleAdmin, CreatedAt: monday, ExpiresAt: monday.Add(model.InvitationAge), Hash: hash}
	r := model.Recovery{ID: model.RecoveryID(newID()), Person: anna, CreatedAt: monday, ExpiresAt: monday.Add(model.RecoveryAge), Hash: hash}
	k := model.APIToken{ID: model.TokenID(newID()), Name: "x", Owner: anna, Scopes: []model.Scope{model.ScopeRead}, CreatedAt: monday, ExpiresAt: monday.Add(model.TokenAge), MemberSince: monday, Hash: hash}
	return map[string]linked{
		"invitation": {
			string(i.ID),
			func(s *store.Store) error { i := i; return s.People().AddInvitation(ctx, "acme", change("invite"), &i) },
			func(s *store.Store) (model.Hidden, error) {
				i, err := s.For("acme").Invitation(ctx, i.ID)
				return i.Hash, err
			},
			func(s *store.Store) error {
				i, err := s.For("acme").Invitation(ctx, i.ID)
				return errors.Join(err, s.For("acme").RemoveInvitation(ctx, change("accept"), i))
			},
		},
		"recovery": {
			string(r.ID),
			func(s *store.Store) error { r := r; return s.People().AddRecovery(ctx, "acme", change("recover"), &r) },
			func(s *store.Store) (model.Hidden, error) {
				r, err := s.For("acme").Recovery(ctx, r.ID)
				return r.Hash, err
			},
			func(s *store.Store) error {
				r, err := s.For("acme").Recovery(ctx, r.ID)
				return errors.Join(err, s.For("acme").RemoveRecovery(ctx, change("accept"), r))
			},
		},
		"token": {
			string(k.ID),
			func(s *store.Store) error {
				k := k
				return s.People().AddToken(ctx, "acme", change("create-token"), &k)
			},
			func(s *store.Store) (model.Hidden, error) {
				k, err := s.For("acme").APIToken(ctx, k.ID)
				return k.Hash, err
			},
			func(s *store.Store) error {
				k, err := s.For("acme").APIToken(ctx, k.ID)
				return errors.Join(err, s.For("acme").RemoveAPIToken(ctx, change("revoke-token"), k))
			},
		},
	}
}

// TestDeathWhileLinking: whoever dies while a link or a token is made, what is there can be
// found by its id, and the log has it.
func TestDeathWhileLinking(t *testing.T) {
	t.Parallel()
	for name, l := range links(t.Context()) {
		mortal.Deaths(t, 6, func(*testing.T) table.Table { return memtable.New(func() time.Time { return monday }) },
			func(tb table.Table) error { return l.add(store.New(tb, nil)) },
			func(t *testing.T, left table.Table, death string, err error) {
				s := store.New(left, nil)
				hash, there := l.read(s)
				if lead, e := s.People().Lead(t.Context(), l.id); there == nil && (e != nil || lead.Organization != "acme" || string(hash) != "h4sh") {
					t.Errorf("%s, %s: it is there, and its id leads to %+v, %v", name, death, lead, e)
				}
				if err == nil && there != nil {
					t.Errorf("%s, %s: %v", name, death, there)
				}
				if there != nil {
					if e := l.add(s); e != nil {
						t.Errorf("%s, %s: once more: %v", name, death, e)
					}
				} else if e := l.add(s); !errors.Is(e, store.ErrConflict) {
					t.Errorf("%s, %s: twice: %v", name, death, e)
				}
				if _, e := s.For("acme").SettleAdminLog(t.Context(), monday.Add(2*time.Hour)); e != nil {
					t.Error(e)
				}
				if last, e := s.For("acme").VerifyAdminLog(t.Context()); e != nil || last.Seq != 1 {
					t.Errorf("%s, %s: the log has %d entries, %v", name, death, last.Seq, e)
				}
			})
	}
}

// TestLinksAreUsedOnce: of several who use a link at once one may, and who dies in it has
// used it up or not.
func TestLinksAreUsedOnce(t *testing.T) {
	t.Parallel()
	for name, l := range links(t.Context()) {
		s := store.New(memtable.New(func() time.Time { return monday }), nil)
		if err := l.add(s); err != nil {
			t.Fatal(err)
		}
		results := make([]error, 8)
		var all errgroup.Group
		for i := range results {
			all.Go(func() error { results[i] = l.remove(s); return nil })
		}
		_ = all.Wait()
		used := 0
		for _, err := range results {
			if err == nil {
				used++
			} else if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := l.read(s); used != 1 || !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %d used it; then %v", name, used, err)
		}
		if last, err := s.For("acme").VerifyAdminLog(t.Context()); err != nil || last.Seq != 2 {
			t.Errorf("%s: the log has %d entries, %v", name, last.Seq, err)
		}
	}
}

// TestNothingHiddenIsLogged: neither the log nor what is left of a removed record has a
// hash.
func TestNothingHiddenIsLogged(t *testing.T) {
	t.Parallel()
	for name, l := range links(t.Context()) {
		tb := memtable.New(func() time.Time { return monday })
		s := store.New(tb, nil)
		if err := errors.Join(l.add(s), l.remove(s)); err != nil {
			t.Fatal(err)
		}
		log, removed := 0, 0
		for _, pk := range []string{"O#acme#ADMINLOG", "O#acme#LOGGING", "O#acme#INVITATION", "O#acme#RECOVERY", "O#acme#TOKEN", "K#" + l.id} {
			for item, err := range table.All(t.Context(), tb, table.Query{PK: pk}) {
				if err != nil {
					t.Fatal(err)
				}
				if pk == "O#acme#ADMINLOG" {
					log++
				} else if strings.Contains(string(item.Body), "$gone") {
					removed++
				}
				if body := string(item.Body); strings.Contains(body, "h4sh") || strings.Contains(body, "aDRzaA") || strings.Contains(body, "hash\":\"aD") {
					t.Errorf("%s: %s has %s", name, item.Key, body)
				}
			}
		}
		if log != 2 || removed != 1 {
			t.Errorf("%s: %d entries, %d removed records", name, log, removed)
		}
	}
}

// TestMembersChange: changes are logged with what was and what is, and those over somebody
// else's are refused; nobody becomes a member, or gets a token, by a change.
func TestMembersChange(t *testing.T) {
	t.Parallel()
	s := store.New(memtable.New(func() time.Time { return monday }), nil)
	org := s.For("acme")
	m := model.Member{Person: anna, Role: model.RoleAdmin, Since: monday}
	if err := org.ChangeMember(t.Context(), change("x"), &m); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a change of nobody: %v", err)
	}
	if err := s.People().Join(t.Context(), "acme", change("join"), &m); err != nil {
		t.Fatal(err)
	}
	if err := s.People().Join(t.Context(), "acme", change("join"), &model.Member{Person: anna, Role: model.RoleAdmin}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	stale := m
	m.Role, m.Projects = model.RoleClient, []string{"shop"}
	if err := org.ChangeMember(t.Context(), change("update-member"), &m); err != nil {
		t.Fatal(err)
	}
	if err := org.ChangeMember(t.Context(), change("update-member"), &stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a late change: %v", err)
	}
	if err := s.People().Leave(t.Context(), "acme", change("remove-member"), stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a late removal: %v", err)
	}
	if got, err := org.Member(t.Context(), anna); err != nil || cmp.Diff(m, got) != "" {
		t.Errorf("%v %s", err, cmp.Diff(m, got))
	}
	m.Projects = []string{"<script>"}
	var wrong *model.FieldError
	if err := org.ChangeMember(t.Context(), change("update-member"), &m); !errors.As(err, &wrong) {
		t.Errorf("what nobody may be: %v", err)
	}
	p := model.Project{Name: "shop", CreatedAt: monday}
	if err := org.ChangeProject(t.Context(), change("create-project"), &p); err != nil {
		t.Fatal(err)
	}
	if err := org.ChangeProject(t.Context(), change("create-project"), &model.Project{Name: "shop"}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a project twice: %v", err)
	}
	if err := org.RemoveProject(t.Context(), change("delete-project"), p); err != nil {
		t.Fatal(err)
	}
	if _, err := org.Project(t.Context(), "shop"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a removed project: %v", err)
	}
	if err := org.RemoveProject(t.Context(), change("delete-project"), p); !errors.Is(err, store.ErrConflict) {
		t.Errorf("removed twice: %v", err)
	}
	p.Version = 0
	if err := org.ChangeProject(t.Context(), change("create-project"), &p); err != nil {
		t.Errorf("again: %v", err)
	}
	if page, _, err := org.ProjectsPage(t.Context(), "", 10); err != nil || len(page) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	var log []string
	for e, err := range org.AdminLog(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, e.Action)
	}
	if d := cmp.Diff([]string{"join", "update-member", "create-project", "delete-project", "create-project"}, log); d != "" {
		t.Error(d)
	}
}

// TestTokenUse: a use is noted by day, and changes neither the token nor the log.
func TestTokenUse(t *testing.T) {
	t.Parallel()
	s := store.New(memtable.New(func() time.Time { return monday }), nil)
	org := s.For("acme")
	k := model.APIToken{ID: model.TokenID(newID()), Name: "x", Owner: anna, Scopes: []model.Scope{model.ScopeRead}, CreatedAt: monday, ExpiresAt: monday.Add(model.TokenAge)}
	if err := s.People().AddToken(t.Context(), "acme", change("create-token"), &k); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{monday, monday.Add(time.Hour), monday.Add(24 * time.Hour), monday} {
		if err := org.NoteTokenUsed(t.Context(), k, at); err != nil {
			t.Fatal(err)
		}
	}
	if day, err := org.TokenUsed(t.Context(), k.ID); err != nil || day != "2026-12-01" {
		t.Errorf("used on %q, %v", day, err)
	}
	if got, err := org.APIToken(t.Context(), k.ID); err != nil || got.LastUsed != "" || got.Version != k.Version {
		t.Errorf("the token itself is %+v, %v", got, err)
	}
}

// TestSessionIsRefreshed: the refresh tokens that were used are known, and no others; of
// those who use one at once one has the next; nothing refreshes what has ended.
func TestSessionIsRefreshed(t *testing.T) {
	t.Parallel()
	people := store.New(memtable.New(func() time.Time { return monday }), nil).People()
	s := begun(anna, "acme")
	if err := people.BeginSession(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if got, err := people.Session(t.Context(), anna, s.ID); err != nil || !reflect.DeepEqual(got, *s) {
		t.Errorf("%+v, %v; want %+v", got, err, *s)
	}
	if lead, err := people.Lead(t.Context(), string(s.ID)); err != nil || lead != (store.Lead{Organization: "acme", Person: anna}) {
		t.Errorf("%+v, %v", lead, err)
	}
	for i := range 5 {
		results, sessions := make([]error, 4), make([]model.Session, 4)
		var all errgroup.Group
		for at := range results {
			sessions[at] = *s
			all.Go(func() error {
				results[at] = people.RefreshSession(t.Context(), &sessions[at], model.Hidden(fmt.Sprint(i, "-", at)), monday.Add(time.Minute))
				return nil
			})
		}
		_ = all.Wait()
		won := -1
		for at, err := range results {
			if err == nil && won >= 0 || err != nil && !errors.Is(err, store.ErrConflict) {
				t.Errorf("%d and %d: %v", won, at, err)
			}
			if err == nil {
				won = at
			}
		}
		for hash, want := range map[string]int64{"first": 1, string(s.Hash): int64(i) + 1, fmt.Sprint(i, "-", won): 0, fmt.Sprint(i, "-", (won+1)%4): 0, "guess": 0, "": 0} {
			if got, err := people.Refreshed(t.Context(), *s, model.Hidden(hash)); err != nil || got != want {
				t.Errorf("%q was used: %d, %v", hash, got, err)
			}
		}
		*s = sessions[won]
	}
	if s.Generation != 6 || s.UsedAt != monday.Add(time.Minute) {
		t.Errorf("%+v", s)
	}
	if err := people.EndSession(t.Context(), anna, s.ID); err != nil {
		t.Fatal(err)
	}
	if err := people.RefreshSession(t.Context(), s, model.Hidden("late"), monday); !errors.Is(err, store.ErrConflict) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := people.Session(t.Context(), anna, s.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
	for _, id := range []string{"", "x", "../x", anna + "#", strings.Repeat("0", 5000), "\x00", "\xff"} {
		if _, err := people.Lead(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%.20q: %v", id, err)
		}
	}
}

// TestDeathWhileBeginning: whoever dies while a session begins, what there is of it can be
// found; and while one is refreshed, either token is good, and not both.
func TestDeathWhileBeginning(t *testing.T) {
	t.Parallel()
	session := begun(anna, "acme")
	empty := func(*testing.T) table.Table { return memtable.New(func() time.Time { return monday }) }
	mortal.Deaths(t, 2, empty, func(tb table.Table) error {
		s := *session
		return store.New(tb, nil).People().BeginSession(context.Background(), &s)
	}, func(t *testing.T, left table.Table, death string, err error) {
		people := store.New(left, nil).People()
		_, there := people.Session(t.Context(), anna, session.ID)
		if _, e := people.Lead(t.Context(), string(session.ID)); there == nil && e != nil || err == nil && there != nil {
			t.Errorf("%s: %v, %v", death, there, e)
		}
	})
	var begunSession model.Session
	mortal.Deaths(t, 2, func(t *testing.T) table.Table {
		t.Helper()
		tb := empty(t)
		begunSession = *session
		if err := store.New(tb, nil).People().BeginSession(t.Context(), &begunSession); err != nil {
			t.Fatal(err)
		}
		return tb
	}, func(tb table.Table) error {
		s := begunSession
		return store.New(tb, nil).People().RefreshSession(context.Background(), &s, model.Hidden("second"), monday)
	}, func(t *testing.T, left table.Table, death string, err error) {
		people := store.New(left, nil).People()
		s, e := people.Session(t.Context(), anna, session.ID)
		if e != nil || string(s.Hash) != "first" && string(s.Hash) != "second" || err == nil && string(s.Hash) != "second" {
			t.Fatalf("%s: %q, %v", death, string(s.Hash), e)
		}
		if used, e := people.Refreshed(t.Context(), s, model.Hidden("first")); e != nil || string(s.Hash) == "second" && used != 1 {
			t.Errorf("%s: the first token was used: %d, %v", death, used, e)
		}
		if used, e := people.Refreshed(t.Context(), s, model.Hidden("second")); e != nil || used != 0 {
			t.Errorf("%s: the second token was used: %d, %v", death, used, e)
		}
	})
}

// TestReuseIsNotedOnce whoever notes it, and dies in it.
func TestReuseIsNotedOnce(t *testing.T) {
	t.Parallel()
	s := *begun(anna, "acme")
	note := func(tb table.Table) error {
		return store.New(tb, nil).For("acme").NoteReuse(context.Background(), change("refresh-session"), s)
	}
	mortal.Deaths(t, 5, func(*testing.T) table.Table { return memtable.New(func() time.Time { return monday }) }, note,
		func(t *testing.T, left table.Table, death string, _ error) {
			if err := errors.Join(note(left), note(left)); err != nil {
				t.Fatal(err)
			}
			if last, err := store.New(left, nil).For("acme").VerifyAdminLog(t.Context()); err != nil || last.Seq != 1 || strings.Contains(string(last.After), "hash") {
				t.Errorf("%s: %+v, %v", death, last, err)
			}
		})
}

// TestInventoryKnowsPeople: no record that is written here is of an unknown kind.
func TestInventoryKnowsPeople(t *testing.T) {
	t.Parallel()
	tb := &watched{Table: memtable.New(func() time.Time { return monday })}
	s := store.New(tb, nil)
	who := create(t, tb, "anna@example.com")
	session := begun(who.ID, "acme")
	err := errors.Join(
		s.People().BeginSession(t.Context(), session), s.People().RefreshSession(t.Context(), session, model.Hidden("x"), monday),
		s.People().Join(t.Context(), "acme", change("join"), &model.Member{Person: who.ID, Role: model.RoleAdmin}),
		s.Installation().PutTokenKey(t.Context(), store.TokenKey{Number: 1}), s.Installation().PutDataKey(t.Context(), "x", []byte("x")),
		second(s.Limits().CountTry(t.Context(), "sign_in", anna, monday, monday.Add(time.Hour))),
	)
	if err != nil {
		t.Fatal(err)
	}
	var items []table.Item
	slices.Sort(tb.asked)
	for _, pk := range slices.Compact(tb.asked) {
		for item, err := range table.All(t.Context(), tb.Table, table.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, item)
		}
	}
	kinds, err := store.Inventory(scanned(items))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	want := []string{"ADMINLOG", "EMAIL", "KEY", "KEYS", "LEAD", "LIMIT", "MEMBER", "MEMBERSHIP", "PERSON", "REFRESHED", "SESSION"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	var owners []model.OrganizationID
	for k, err := range store.DataKeys(scanned(items)) {
		if err != nil {
			t.Fatal(err)
		}
		owners = append(owners, k.Organization)
	}
	if !slices.Equal(owners, []model.OrganizationID{store.InstallationOwner}) {
		t.Errorf("data keys of %v", owners)
	}
}

func second[T any](_ T, err error) error { return err }

// onMonday is a clock that stands: what is written on monday expires by it, whatever the
// day of the test.
func onMonday() time.Time { return monday }
