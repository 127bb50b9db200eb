package people_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// house is an installation with an organization, of which anna is a member.
type house struct {
	installation
	people.Sessions

	anna   model.Person
	member model.Member
}

func openHouse(t *testing.T, role model.Role, projects ...string) *house {
	t.Helper()
	return furnish(t, install(t), role, projects...)
}

func furnish(t testing.TB, i installation, role model.Role, projects ...string) *house {
	t.Helper()
	h := &house{installation: i, Sessions: people.Sessions{Store: i.store(), Tokens: i.instance(), Now: i.watch.Now}}
	h.anna = model.Person{ID: model.PersonID(ulid.Make().String()), Email: "anna@example.com", CreatedAt: begin}
	if err := h.Store.People().Create(context.Background(), &h.anna); err != nil {
		t.Fatal(err)
	}
	h.join(t, role, projects...)
	return h
}

func (h *house) change(action string) model.Change {
	return model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "operator"}, Action: action, At: h.watch.Now()}
}

func (h *house) join(t testing.TB, role model.Role, projects ...string) {
	t.Helper()
	h.watch.Pass(time.Second)
	h.member = model.Member{Person: h.anna.ID, Role: role, Projects: projects, Since: h.watch.Now()}
	if err := h.Store.People().Join(context.Background(), "acme", h.change("join"), &h.member); err != nil {
		t.Fatal(err)
	}
}

// over is the same sessions on another table.
func (h *house) over(tb table.Table) people.Sessions {
	s := h.Sessions
	s.Store = store.New(tb, nil)
	return s
}

func hash(text string) model.Hidden { return model.Hidden(strings.Repeat(text, 32)[:32]) }

func given(first string) model.Session {
	return model.Session{ID: model.SessionID(ulid.Make().String()), Organization: "acme", Hash: hash(first), Address: "192.0.2.1", Client: "Firefox\x1b[2J"}
}

// signIn begins a session, and gives its first access token.
func (h *house) signIn(t testing.TB) (model.Session, secret.String) {
	t.Helper()
	s, err := h.Begin(context.Background(), h.anna, given("1"))
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := h.Tokens.Issue(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s, token
}

// logged are the actions that the log of the organization has.
func (h *house) logged(t *testing.T) (actions []string) {
	t.Helper()
	if _, err := h.store().For("acme").VerifyAdminLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	for e, err := range h.store().For("acme").AdminLog(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, e.Action)
	}
	return actions
}

// TestWhoSomebodyIs says it by the member's role and grants.
func TestWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	for role, c := range map[model.Role]struct {
		projects []string
		can      []model.Scope
		sees     map[string]bool
	}{
		model.RoleAdmin:  {nil, []model.Scope{"read", "audit", "connections", "admin"}, map[string]bool{"shop": true, "other": true, "": true}},
		model.RoleClient: {[]string{"shop"}, []model.Scope{"read"}, map[string]bool{"shop": true, "Shop": false, "other": false, "": false}},
	} {
		h := openHouse(t, role, c.projects...)
		session, token := h.signIn(t)
		who, err := h.Who(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if who.Organization != "acme" || who.Person != h.anna.ID || who.Session != session.ID || who.Token != "" ||
			who.Actor != (model.Actor{Kind: model.ActorPerson, ID: string(h.anna.ID), Name: "anna@example.com"}) {
			t.Errorf("%s: %+v", role, who)
		}
		for _, scope := range []model.Scope{"read", "audit", "connections", "admin", "", "*"} {
			if who.Can(scope) != slices.Contains(c.can, scope) {
				t.Errorf("%s can %q: %t", role, scope, who.Can(scope))
			}
		}
		for project, want := range c.sees {
			if who.Sees(project) != want {
				t.Errorf("%s sees %q: %t", role, project, !want)
			}
		}
		if session.Client != "Firefox\ufffd[2J" {
			t.Errorf("what the browser says of itself is kept as %q", session.Client)
		}
	}
}

// TestWhatCountsAtOnce: what is changed while somebody has an access token counts from the
// next request on, and for the refresh token too.
func TestWhatCountsAtOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, c := range map[string]struct {
		change func(h *house, s model.Session) error
		want   string // the code of the refusal
	}{
		"nothing": {func(*house, model.Session) error { return nil }, ""},
		"the end": {func(h *house, s model.Session) error { return h.End(ctx, s.Person, s.ID) }, people.CodeSessionEnded},
		"the end, twice": {func(h *house, s model.Session) error {
			return errors.Join(h.End(ctx, s.Person, s.ID), h.End(ctx, s.Person, s.ID))
		}, people.CodeSessionEnded},
		"the end of another": {func(h *house, s model.Session) error {
			return h.End(ctx, s.Person, model.SessionID(ulid.Make().String()))
		}, ""},
		"another's end": {func(h *house, s model.Session) error { return h.End(ctx, model.PersonID(ulid.Make().String()), s.ID) }, ""},
		"a new password": {func(h *house, _ model.Session) error {
			h.anna.Credentials.Password = model.Hidden("new")
			return h.EndAll(ctx, &h.anna)
		}, people.CodeSessionEnded},
		"another name": {func(h *house, _ model.Session) error {
			h.anna.Name = "Ann"
			return h.Store.People().Put(ctx, &h.anna)
		}, ""},
		"a suspension": {func(h *house, _ model.Session) error {
			h.member.Suspended = true
			return h.Store.For("acme").ChangeMember(ctx, h.change("suspend"), &h.member)
		}, people.CodeMemberSuspended},
		"a suspension that is taken back": {func(h *house, _ model.Session) error {
			h.member.Suspended = true
			err := h.Store.For("acme").ChangeMember(ctx, h.change("suspend"), &h.member)
			h.member.Suspended = false
			return errors.Join(err, h.Store.For("acme").ChangeMember(ctx, h.change("resume"), &h.member))
		}, ""},
		"a removal": {func(h *house, _ model.Session) error {
			return h.Store.People().Leave(ctx, "acme", h.change("remove"), h.member)
		}, people.CodeSessionEnded},
		"a removal that ended no session": {func(h *house, _ model.Session) error {
			err := h.over(mortal.Dies(h.table, 9, false)).Store.People().Leave(ctx, "acme", h.change("remove"), h.member)
			if !errors.Is(err, mortal.ErrDead) {
				return fmt.Errorf("nobody died: %w", err)
			}
			return nil
		}, people.CodeNotMember},
		"two weeks": {func(h *house, _ model.Session) error {
			h.watch.Pass(14*24*time.Hour + time.Second)
			return nil
		}, people.CodeSessionEnded},
	} {
		h := openHouse(t, model.RoleAdmin)
		session, _ := h.signIn(t)
		if err := c.change(h, session); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		token := issue(t, h.Tokens, session) // as if it were a moment old
		if _, err := h.Who(ctx, token); code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := h.Refresh(ctx, session.ID, hash("1"), hash("2"), "192.0.2.1"); code(err) != c.want {
			t.Errorf("%s: refresh: %v, want %q", name, err, c.want)
		}
	}
}

// TestLessIsLess: a lower role and fewer grants count from the next request on.
func TestLessIsLess(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	_, token := h.signIn(t)
	h.member.Role, h.member.Projects = model.RoleClient, []string{"shop"}
	if err := h.Store.For("acme").ChangeMember(t.Context(), h.change("lower"), &h.member); err != nil {
		t.Fatal(err)
	}
	who, err := h.Who(t.Context(), token)
	if err != nil || who.Can(model.ScopeAdmin) || !who.Can(model.ScopeRead) || who.Sees("other") || !who.Sees("shop") {
		t.Errorf("%+v, %v", who, err)
	}
}

// TestAnEarlierMembership: whoever was removed and is a member again signs in again, and
// makes new API tokens, however little of the removal was done.
func TestAnEarlierMembership(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	session, token := h.signIn(t)
	k := h.apiToken(t, model.RoleAdmin.Scopes())
	if err := h.over(mortal.Dies(h.table, 9, false)).Store.People().Leave(t.Context(), "acme", h.change("remove"), h.member); !errors.Is(err, mortal.ErrDead) {
		t.Fatal(err)
	}
	h.join(t, model.RoleAdmin)
	if _, err := h.Who(t.Context(), token); code(err) != people.CodeSessionEnded {
		t.Errorf("by the access token: %v", err)
	}
	if _, err := h.Refresh(t.Context(), session.ID, hash("1"), hash("2"), ""); code(err) != people.CodeSessionEnded {
		t.Errorf("by the refresh token: %v", err)
	}
	if _, err := h.WhoByAPIToken(t.Context(), k.ID, hash("k")); code(err) != people.CodeNotMember {
		t.Errorf("by the API token: %v", err)
	}
	if _, token := h.signIn(t); token.Empty() {
		t.Error("no new session")
	}
}

// TestSessionsAreOfOneOrganization: a token that names another one than its session is
// none, and nobody begins a session where nobody knows them.
func TestSessionsAreOfOneOrganization(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	session, _ := h.signIn(t)
	session.Organization = "other"
	if err := h.Store.People().Join(t.Context(), "other", h.change("join"), &model.Member{Person: h.anna.ID, Role: model.RoleClient, Since: begin}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Who(t.Context(), issue(t, h.Tokens, session)); code(err) != people.CodeTokenInvalid {
		t.Errorf("another organization: %v", err)
	}
	g := given("1")
	g.Organization = "third"
	if _, err := h.Begin(t.Context(), h.anna, g); code(err) != people.CodeNotMember {
		t.Errorf("a stranger: %v", err)
	}
	g = given("1")
	g.Hash = nil
	if _, err := h.Begin(t.Context(), h.anna, g); err == nil {
		t.Error("a session without a refresh token")
	}
	h.member.Suspended = true
	if err := h.Store.For("acme").ChangeMember(t.Context(), h.change("suspend"), &h.member); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Begin(t.Context(), h.anna, given("1")); code(err) != people.CodeMemberSuspended {
		t.Errorf("a suspended member: %v", err)
	}
}

// TestReuseEndsTheSession: whichever of its used refresh tokens comes again, and whenever,
// the session ends for whoever has the newest, and the log has it once. A guess ends
// nothing.
func TestReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	installed := install(t)
	rapid.Check(t, func(r *rapid.T) {
		h := furnish(t, installed.anew(), model.RoleClient, "shop")
		w := h.watch
		session, _ := h.signIn(t)
		n := rapid.IntRange(2, 9).Draw(r, "refreshes")
		for at := 1; at < n; at++ {
			w.Pass(time.Duration(rapid.Int64Range(1, 13*24*3600).Draw(r, "seconds")) * time.Second)
			if w.Now().After(session.Until()) {
				return
			}
			got, err := h.Refresh(context.Background(), session.ID, hash(fmt.Sprint(at)), hash(fmt.Sprint(at+1)), "192.0.2.1")
			if err != nil || got.Generation != int64(at)+1 {
				r.Fatalf("refresh %d: %+v, %v", at, got, err)
			}
			session = got
			if _, err := h.Refresh(context.Background(), session.ID, hash("x"), hash("y"), "192.0.2.9"); code(err) != people.CodeTokenInvalid {
				r.Fatalf("a guess: %v", err)
			}
		}
		token := issue(t, h.Tokens, session)
		if _, err := h.Who(context.Background(), token); err != nil {
			r.Fatal(err)
		}
		w.Pass(11 * time.Second)
		used := rapid.IntRange(1, n-1).Draw(r, "used")
		if _, err := h.Refresh(context.Background(), session.ID, hash(fmt.Sprint(used)), hash("z"), "198.51.100.1"); code(err) != people.CodeRefreshReused {
			r.Fatalf("token %d of %d again: %v", used, n, err)
		}
		for name, err := range map[string]error{
			"the newest":       second(h.Refresh(context.Background(), session.ID, hash(fmt.Sprint(n)), hash("z"), "")),
			"again":            second(h.Refresh(context.Background(), session.ID, hash(fmt.Sprint(used)), hash("z"), "")),
			"the access token": second(h.Who(context.Background(), token)),
		} {
			if code(err) != people.CodeSessionEnded {
				r.Errorf("%s after that: %v", name, err)
			}
		}
		if got := h.logged(t); !slices.Equal(got, []string{"join", "end-reused-session"}) {
			r.Errorf("the log has %v", got)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestRacingRefreshes: of many that use a refresh token at once one gets the next; the
// others get nothing, and the session goes on. So it is for a moment after; then a second
// use is what it looks like.
func TestRacingRefreshes(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	session, _ := h.signIn(t)
	results := make([]error, 8)
	for round := range 5 {
		var all errgroup.Group
		winner := -1
		for at := range results {
			all.Go(func() error {
				_, results[at] = h.Refresh(t.Context(), session.ID, session.Hash, hash(fmt.Sprint(round, at)), "")
				return nil
			})
		}
		_ = all.Wait()
		for at, err := range results {
			switch {
			case err == nil && winner < 0:
				winner = at
			case code(err) != people.CodeRefreshRaced:
				t.Fatalf("round %d: %v", round, results)
			}
		}
		before := session
		var err error
		if session, err = h.Store.People().Session(t.Context(), h.anna.ID, session.ID); err != nil || string(session.Hash) != string(hash(fmt.Sprint(round, winner))) {
			t.Fatalf("round %d: %v", round, err)
		}
		h.watch.Pass(9 * time.Second)
		if _, err := h.Refresh(t.Context(), session.ID, before.Hash, hash("z"), ""); code(err) != people.CodeRefreshRaced {
			t.Fatalf("round %d: nine seconds later: %v", round, err)
		}
		if _, err := h.Who(t.Context(), issue(t, h.Tokens, session)); err != nil {
			t.Fatal(err)
		}
		if round == 4 {
			h.watch.Pass(time.Second)
			if _, err := h.Refresh(t.Context(), session.ID, before.Hash, hash("z"), ""); code(err) != people.CodeRefreshReused {
				t.Errorf("ten seconds later: %v", err)
			}
		}
	}
}

// TestTheGraceIsOfOneToken: what was used before the last one gets none.
func TestTheGraceIsOfOneToken(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	session, _ := h.signIn(t)
	for at := 1; at <= 2; at++ {
		if _, err := h.Refresh(t.Context(), session.ID, hash(fmt.Sprint(at)), hash(fmt.Sprint(at+1)), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Refresh(t.Context(), session.ID, hash("1"), hash("z"), ""); code(err) != people.CodeRefreshReused {
		t.Errorf("%v", err)
	}
}

// TestRefreshOfNothing: what is no session's is refused, and what would make two refresh
// tokens the same is an error.
func TestRefreshOfNothing(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	session, _ := h.signIn(t)
	for _, id := range []model.SessionID{"", "x", model.SessionID(h.anna.ID), model.SessionID(ulid.Make().String()), session.ID + "#", "\x00"} {
		if _, err := h.Refresh(t.Context(), id, hash("1"), hash("2"), ""); code(err) != people.CodeSessionEnded {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := h.Refresh(t.Context(), session.ID, nil, hash("2"), ""); code(err) != people.CodeTokenInvalid {
		t.Errorf("no token: %v", err)
	}
	for _, next := range []model.Hidden{nil, hash("1")} {
		if _, err := h.Refresh(t.Context(), session.ID, hash("1"), next, ""); err == nil || !strings.HasPrefix(code(err), "?") {
			t.Errorf("the same again: %v", err)
		}
	}
}

// TestDeathInReuse: whoever dies while a session ends for a reuse, the next use ends it, and
// the log has it once.
func TestDeathInReuse(t *testing.T) {
	t.Parallel()
	var h *house
	var session model.Session
	reuse := func(s people.Sessions) error {
		return second(s.Refresh(context.Background(), session.ID, hash("1"), hash("z"), ""))
	}
	mortal.Deaths(t, 8, func(t *testing.T) table.Table {
		t.Helper()
		h = openHouse(t, model.RoleAdmin)
		session, _ = h.signIn(t)
		if _, err := h.Refresh(t.Context(), session.ID, hash("1"), hash("2"), ""); err != nil {
			t.Fatal(err)
		}
		h.watch.Pass(time.Minute)
		return h.table
	}, func(tb table.Table) error { return reuse(h.over(tb)) }, func(t *testing.T, _ table.Table, death string, _ error) {
		if err := reuse(h.Sessions); code(err) != people.CodeRefreshReused && code(err) != people.CodeSessionEnded {
			t.Errorf("%s: once more: %v", death, err)
		}
		if _, err := h.Who(t.Context(), issue(t, h.Tokens, session)); code(err) != people.CodeSessionEnded {
			t.Errorf("%s: %v", death, err)
		}
		if _, err := h.store().For("acme").SettleAdminLog(t.Context(), h.watch.Now().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := h.logged(t); !slices.Equal(got, []string{"join", "end-reused-session"}) {
			t.Errorf("%s: the log has %v", death, got)
		}
	})
}

// TestDeathInEndAll: whoever dies while a new password ends all sessions, either it is not
// the password, and they go on, or it is, and none does.
func TestDeathInEndAll(t *testing.T) {
	t.Parallel()
	var h *house
	var sessions []model.Session
	mortal.Deaths(t, 5, func(t *testing.T) table.Table {
		t.Helper()
		h, sessions = openHouse(t, model.RoleAdmin), nil
		for range 3 {
			s, _ := h.signIn(t)
			sessions = append(sessions, s)
		}
		return h.table
	}, func(tb table.Table) error {
		who := h.anna
		who.Credentials.Password = model.Hidden("new")
		return h.over(tb).EndAll(context.Background(), &who)
	}, func(t *testing.T, _ table.Table, death string, err error) {
		now, e := h.Store.People().Person(t.Context(), h.anna.ID)
		if e != nil {
			t.Fatal(e)
		}
		want := ""
		if string(now.Credentials.Password) == "new" {
			want = people.CodeSessionEnded
		} else if err == nil {
			t.Error("all went well, and the password is the old one")
		}
		for _, s := range sessions {
			if _, e := h.Who(t.Context(), issue(t, h.Tokens, s)); code(e) != want {
				t.Errorf("%s: %v, want %q", death, e, want)
			}
		}
	})
}

// TestSignInWhileAllEnd: a sign-in by the old password, between any two requests of which a
// new one ends all sessions, begins none.
func TestSignInWhileAllEnd(t *testing.T) {
	t.Parallel()
	overtaken := 0
	for at := int64(1); ; at++ {
		h := openHouse(t, model.RoleAdmin)
		who := h.anna
		slow := mortal.Overtaken(h.table, at, func() {
			if err := h.EndAll(t.Context(), &h.anna); err != nil {
				t.Error(err)
			}
		})
		session, err := h.over(slow).Begin(t.Context(), who, given("1"))
		if slow.Requests() < at {
			if err != nil {
				t.Error(err)
			}
			break
		}
		overtaken++
		if code(err) != people.CodeSessionEnded {
			t.Errorf("overtaken at request %d: %+v, %v", at, session, err)
		}
		for s, err := range h.List(t.Context(), who.ID) {
			t.Errorf("overtaken at request %d, there is session %s, %v", at, s.ID, err)
		}
	}
	if overtaken < 4 {
		t.Errorf("%d times somebody was overtaken", overtaken)
	}
}

// TestListOfSessions has those that go on, in all organizations, and those of nobody else.
func TestListOfSessions(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	bert := *h
	bert.anna = model.Person{ID: model.PersonID(ulid.Make().String()), Email: "bert@example.com", CreatedAt: begin}
	if err := h.Store.People().Create(t.Context(), &bert.anna); err != nil {
		t.Fatal(err)
	}
	bert.join(t, model.RoleClient)
	bert.signIn(t)
	first, _ := h.signIn(t)
	h.watch.Pass(10 * 24 * time.Hour)
	h.signIn(t)
	third, _ := h.signIn(t)
	if err := h.End(t.Context(), h.anna.ID, third.ID); err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		for s, err := range h.List(t.Context(), h.anna.ID) {
			if err != nil || s.Person != h.anna.ID {
				t.Errorf("%+v, %v", s, err)
			}
			n++
		}
		return n
	}
	if n := count(); n != 2 {
		t.Errorf("%d sessions", n)
	}
	h.watch.Pass(5 * 24 * time.Hour)
	if n := count(); n != 1 {
		t.Errorf("%d sessions when the first is over", n)
	}
	if _, err := h.Refresh(t.Context(), first.ID, hash("1"), hash("2"), ""); code(err) != people.CodeSessionEnded {
		t.Errorf("the first: %v", err)
	}
}

func (h *house) apiToken(t testing.TB, scopes []model.Scope, projects ...string) model.APIToken {
	t.Helper()
	k := model.APIToken{
		ID: model.TokenID(ulid.Make().String()), Name: "pipeline", Owner: h.anna.ID, Scopes: scopes, Projects: projects,
		CreatedAt: h.watch.Now(), ExpiresAt: h.watch.Now().Add(model.TokenAge), MemberSince: h.member.Since, Hash: hash("k"),
	}
	if err := h.Store.People().AddToken(context.Background(), "acme", h.change("create-token"), &k); err != nil {
		t.Fatal(err)
	}
	return k
}

// TestAPIToken: it is good until it is over, or removed, or its owner is not what the owner
// was; by its own hash alone.
func TestAPIToken(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, c := range map[string]struct {
		change func(h *house, k *model.APIToken) error
		want   string
	}{
		"nothing":             {func(*house, *model.APIToken) error { return nil }, ""},
		"another id":          {func(_ *house, k *model.APIToken) error { k.ID = model.TokenID(ulid.Make().String()); return nil }, people.CodeTokenInvalid},
		"an id of nothing":    {func(_ *house, k *model.APIToken) error { k.ID = "#"; return nil }, people.CodeTokenInvalid},
		"the id of a session": {func(h *house, k *model.APIToken) error { s, _ := h.signIn(t); k.ID = model.TokenID(s.ID); return nil }, people.CodeTokenInvalid},
		"another hash":        {func(_ *house, k *model.APIToken) error { k.Hash = hash("x"); return nil }, people.CodeTokenInvalid},
		"no hash":             {func(_ *house, k *model.APIToken) error { k.Hash = nil; return nil }, people.CodeTokenInvalid},
		"a part of the hash":  {func(_ *house, k *model.APIToken) error { k.Hash = k.Hash[:31]; return nil }, people.CodeTokenInvalid},
		"89 days":             {func(h *house, _ *model.APIToken) error { h.watch.Pass(89 * 24 * time.Hour); return nil }, ""},
		"90 days":             {func(h *house, _ *model.APIToken) error { h.watch.Pass(90 * 24 * time.Hour); return nil }, people.CodeTokenInvalid},
		"its end": {func(h *house, k *model.APIToken) error {
			err := h.Store.For("acme").RemoveAPIToken(ctx, h.change("end"), *k)
			k.ExpiresAt, k.Version = h.watch.Now().Add(time.Minute), 0
			err = errors.Join(err, h.Store.People().AddToken(ctx, "acme", h.change("make anew"), k))
			h.watch.Pass(time.Minute)
			return err
		}, people.CodeTokenExpired},
		"its removal": {func(h *house, k *model.APIToken) error {
			return h.Store.For("acme").RemoveAPIToken(ctx, h.change("revoke"), *k)
		}, people.CodeTokenInvalid},
		"its owner's removal": {func(h *house, _ *model.APIToken) error {
			return h.Store.People().Leave(ctx, "acme", h.change("remove"), h.member)
		}, people.CodeNotMember},
		"its owner's suspension": {func(h *house, _ *model.APIToken) error {
			h.member.Suspended = true
			return h.Store.For("acme").ChangeMember(ctx, h.change("suspend"), &h.member)
		}, people.CodeMemberSuspended},
		"its owner's new password": {func(h *house, _ *model.APIToken) error { return h.EndAll(ctx, &h.anna) }, ""},
	} {
		h := openHouse(t, model.RoleAdmin)
		k := h.apiToken(t, []model.Scope{model.ScopeRead})
		if err := c.change(h, &k); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		who, err := h.WhoByAPIToken(ctx, k.ID, k.Hash)
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		used, e := h.Store.For("acme").TokenUsed(ctx, k.ID)
		if e != nil || (used != "") != (c.want == "") {
			t.Errorf("%s: last used on %q, %v", name, used, e)
		}
		if want := (model.Actor{Kind: model.ActorToken, ID: string(k.ID), Name: "pipeline"}); err == nil && (who.Actor != want || who.Organization != "acme" || who.Token != k.ID || who.Session != "") {
			t.Errorf("%s: %+v", name, who)
		}
	}
}

// TestNoTokenDoesMoreThanItsOwner, nor than it was made for; and all that both may.
func TestNoTokenDoesMoreThanItsOwner(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	installed := install(t)
	rapid.Check(t, func(r *rapid.T) {
		role := rapid.SampledFrom([]model.Role{model.RoleAdmin, model.RoleClient}).Draw(r, "role")
		some := func(label string) []string {
			return rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(r, label)
		}
		var grants []string
		if role == model.RoleClient {
			grants = some("grants")
		}
		h := furnish(t, installed.anew(), role, grants...)
		scopes := rapid.SliceOfNDistinct(rapid.SampledFrom(model.RoleAdmin.Scopes()), 1, 4, rapid.ID[model.Scope]).Draw(r, "scopes")
		var projects []string
		if !slices.Contains(scopes, model.ScopeAdmin) {
			projects = some("projects")
		}
		k := h.apiToken(t, scopes, projects...)
		who, err := h.WhoByAPIToken(context.Background(), k.ID, k.Hash)
		if err != nil {
			r.Fatal(err)
		}
		for _, scope := range model.RoleAdmin.Scopes() {
			if want := slices.Contains(scopes, scope) && slices.Contains(role.Scopes(), scope); who.Can(scope) != want {
				r.Errorf("can %s: %t", scope, !want)
			}
		}
		for _, p := range append(names, "", "d") {
			want := (role == model.RoleAdmin || slices.Contains(grants, p)) && (len(projects) == 0 || slices.Contains(projects, p))
			if who.Sees(p) != want {
				r.Errorf("sees %q: %t", p, !want)
			}
		}
	})
}

// TestNothingIsGuessedFromFailures: when the table cannot be asked, nobody is refused as if
// they were nobody, and nobody let in.
func TestNothingIsGuessedFromFailures(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	session, token := h.signIn(t)
	k := h.apiToken(t, []model.Scope{model.ScopeRead})
	for name, work := range map[string]func(s people.Sessions) error{
		"who":       func(s people.Sessions) error { return second(s.Who(t.Context(), token)) },
		"API token": func(s people.Sessions) error { return second(s.WhoByAPIToken(t.Context(), k.ID, k.Hash)) },
		"guess": func(s people.Sessions) error {
			return second(s.Refresh(t.Context(), session.ID, hash("x"), hash("y"), ""))
		},
	} {
		for at := int64(1); ; at++ {
			m := mortal.Dies(h.table, at, false)
			err := work(h.over(m))
			if m.Requests() < at {
				break
			}
			if !errors.Is(err, mortal.ErrDead) || !strings.HasPrefix(code(err), "?") {
				t.Errorf("%s: request %d fails: %v", name, at, err)
			}
		}
	}
}

// TestTokensOfSessions takes both kinds of tokens through their lives, as they are handed
// out.
func TestTokensOfSessions(t *testing.T) {
	t.Parallel()
	h := openHouse(t, model.RoleAdmin)
	first, g := minted(t, people.RefreshToken), given("1")
	g.ID, g.Hash = model.SessionID(first.ID), first.Hash()
	session, err := h.Begin(t.Context(), h.anna, g)
	if err != nil {
		t.Fatal(err)
	}
	next, kept, err := people.NewToken(people.RefreshToken, first.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Refresh(t.Context(), model.SessionID(first.ID), first.Hash(), kept, ""); err != nil {
		t.Fatal(err)
	}
	brought, err := people.ParseToken(people.RefreshToken, next)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Refresh(t.Context(), session.ID, brought.Hash(), minted(t, people.RefreshToken).Hash(), ""); err != nil || got.Generation != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	api := minted(t, people.APIToken)
	k := model.APIToken{
		ID: model.TokenID(api.ID), Name: "x", Owner: h.anna.ID, Scopes: []model.Scope{model.ScopeAudit},
		CreatedAt: h.watch.Now(), ExpiresAt: h.watch.Now().Add(model.TokenAge), MemberSince: h.member.Since, Hash: api.Hash(),
	}
	if err := h.Store.People().AddToken(t.Context(), "acme", h.change("create-token"), &k); err != nil {
		t.Fatal(err)
	}
	if who, err := h.WhoByAPIToken(t.Context(), model.TokenID(api.ID), api.Hash()); err != nil || !who.Can(model.ScopeAudit) || who.Can(model.ScopeRead) {
		t.Errorf("%+v, %v", who, err)
	}
}

func minted(t *testing.T, kind people.Kind) people.Token {
	t.Helper()
	text, _, err := people.NewToken(kind, ulid.Make().String())
	if err != nil {
		t.Fatal(err)
	}
	token, err := people.ParseToken(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
