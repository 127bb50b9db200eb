package sso_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// code is that of a refusal; "" if there was none, "?" of any other error.
func code(err error) string {
	var refused *sso.RefusedError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Code
	}
	return "? " + err.Error()
}

// TestSomebodyNew: whom the provider brings in is a member with what the groups say, has a
// session that says how it was begun, and is no one that a password or an address finds.
func TestSomebodyNew(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.provider.Claims = func(c map[string]any) { c["groups"] = []string{"auditors", "payments", "cooks"} }
	in, err := h.try(t)
	if err != nil {
		t.Fatal(err)
	}
	m := h.member(t, in.Session.Person)
	if m.Role != model.RoleClient || !slices.Equal(m.Projects, []string{"pay", "shop"}) || !in.Session.SSO || in.Return != "/audits?x=1" {
		t.Errorf("%+v with %+v, back to %s", m, in.Session, in.Return)
	}
	token, err := people.ParseToken(people.RefreshToken, in.Refresh)
	if err != nil || !token.Matches(in.Session.Hash) || token.ID != string(in.Session.ID) {
		t.Errorf("the refresh token is not the session's: %v", err)
	}
	if _, err := h.store.People().ByEmail(t.Context(), "anna@acme.com"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the address leads to somebody: %v", err)
	}
	again, err := h.try(t)
	if err != nil || again.Session.Person != in.Session.Person || again.Session.ID == in.Session.ID {
		t.Errorf("the second time it is %+v, %v", again.Session, err)
	}
	want := []string{"create-organization", "put-sso", "create-sso-person", "join-by-sso", "finish-sso", "finish-sso"}
	if got := h.actions(t); !slices.Equal(got, want) {
		t.Errorf("logged are %v, want %v", got, want)
	}
}

// TestSessionsHaveAnEnd: a session of the provider's ends when the organization says, however
// much it is used, and with what a program was let in by it.
func TestSessionsHaveAnEnd(t *testing.T) {
	t.Parallel()
	for hours, want := range map[int]time.Duration{0: 24 * time.Hour, 1: time.Hour, 24 * 30: 30 * 24 * time.Hour, 2160: model.SessionAge} {
		h := open(t, func(s *model.SSO) { s.SessionHours = hours })
		in, err := h.try(t)
		if err != nil {
			t.Fatal(err)
		}
		session, refresh, until := in.Session, in.Session.Hash, h.now.Add(want)
		if !session.Until().Equal(until) || session.ExpiresAt.After(until) {
			t.Errorf("%d hours: %+v", hours, session)
		}
		for i := byte(1); h.now.Add(want / 100).Before(until); i++ { // as much as there can be
			h.now = h.now.Add(want / 100)
			next := model.Hidden{i}
			if session, err = h.Sessions.Refresh(t.Context(), session.ID, refresh, next, ""); err != nil {
				t.Fatalf("%d hours, after %s: %v", hours, want/100*time.Duration(i), err)
			}
			refresh = next
		}
		h.now = until
		var ended *people.RefusedError
		if _, err := h.Sessions.Refresh(t.Context(), session.ID, refresh, model.Hidden{0}, ""); !errors.As(err, &ended) || ended.Code != people.CodeSessionEnded {
			t.Errorf("%d hours: at its end: %v", hours, err)
		}
		if again, err := h.try(t); err != nil || again.Session.Person != session.Person {
			t.Errorf("%d hours: at the provider again: %v", hours, err)
		}
	}
}

// TestSuspendedOrganization: nobody begins a sign-in to it, and who had begun one is not let
// in. One that is being deleted has none any more.
func TestSuspendedOrganization(t *testing.T) {
	t.Parallel()
	for want, is := range map[string]model.Organization{
		sso.CodeOrganizationSuspended: {SuspendedAt: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)},
		sso.CodeOff:                   {DeletedAt: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)},
	} {
		h := open(t, nil)
		started, err := h.Start(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		itself, err := h.store.For("acme").Itself(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		itself.SuspendedAt, itself.DeletedAt = is.SuspendedAt, is.DeletedAt
		if err := h.store.For("acme").ChangeItself(t.Context(), h.change("change"), &itself); err != nil {
			t.Fatal(err)
		}
		answer := h.visit(t, started.URL)
		answer.Cookie = started.Cookie
		if in, err := h.Finish(t.Context(), answer); code(err) != want || in.Session.ID != "" {
			t.Errorf("the answer: %v, want %s", err, want)
		}
		if _, err := h.Start(t.Context(), "acme", ""); code(err) != want {
			t.Errorf("a new sign-in: %v, want %s", err, want)
		}
		if members, _, err := h.store.For("acme").MembersPage(t.Context(), "", 1); err != nil || len(members) != 0 {
			t.Errorf("members %v, %v", members, err)
		}
	}
}

// TestWhoItIs: an identity, else a member of this organization whom it invited by the
// verified address, and nobody else by it.
func TestWhoItIs(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	anna := h.joined(t, "anna@acme.com", model.RoleClient)
	in, err := h.try(t)
	if err != nil || in.Session.Person != anna.ID {
		t.Fatalf("the member with the address is %s, and signed in is %+v, %v", anna.ID, in.Session, err)
	}
	h.provider.Claims = func(c map[string]any) { c["email"] = "anna.maria@acme.com" }
	if in, err = h.try(t); err != nil || in.Session.Person != anna.ID {
		t.Errorf("with another address it is %s, %v", in.Session.Person, err)
	}

	other := open(t, nil) // where the person with the address is a member elsewhere
	bert := model.Person{ID: anna.ID, Email: "anna@acme.com", CreatedAt: other.now}
	if err := other.store.People().Create(t.Context(), &bert); err != nil {
		t.Fatal(err)
	}
	if in, err = other.try(t); err != nil || in.Session.Person == bert.ID {
		t.Errorf("a provider takes over somebody of another organization: %v", err)
	}
}

// TestAddressOfSomebodyElse: a member who has an address that the organization did not
// invite, however that came about, is not whom the provider means by it.
func TestAddressOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ invitedAs, changedTo string }{
		"changed to it":                 {"carl@acme.com", "anna@acme.com"},
		"changed to it in other cases":  {"carl@acme.com", "ANNA@acme.com"},
		"invited by none":               {"", "anna@acme.com"},
		"invited by it, and changed it": {"anna@acme.com", "carl@acme.com"},
	} {
		h := open(t, nil)
		h.provider.Claims = func(c map[string]any) { c["groups"] = "platform" }
		carl := h.joined(t, "carl@acme.com", model.RoleClient)
		m := h.member(t, carl.ID)
		m.InvitedAs = c.invitedAs
		if err := h.store.For("acme").ChangeMember(t.Context(), h.change("change"), &m); err != nil {
			t.Fatal(err)
		}
		if err := h.store.People().ChangeEmail(t.Context(), &carl, c.changedTo, h.now); err != nil {
			t.Fatal(err)
		}
		in, err := h.try(t)
		if err != nil || in.Session.Person == carl.ID || h.member(t, carl.ID).Role != model.RoleClient {
			t.Errorf("%s: signed in is %s, who is carl: %t, with role %s; %v", name, in.Session.Person, in.Session.Person == carl.ID, h.member(t, carl.ID).Role, err)
		}
		if m := h.member(t, in.Session.Person); m.Role != model.RoleAdmin {
			t.Errorf("%s: whom the provider means is %+v", name, m)
		}
	}
}

// TestAddresses are verified, and in an allowed domain, by whatever way it is said.
func TestAddresses(t *testing.T) {
	t.Parallel()
	const gone = "gone"
	for name, c := range map[string]struct {
		claims  map[string]any
		trusted bool
		want    string
	}{
		"not verified":                       {map[string]any{"email_verified": false}, false, sso.CodeAddress},
		"not verified, whoever is trusted":   {map[string]any{"email_verified": false}, true, sso.CodeAddress},
		"verified, as a text":                {map[string]any{"email_verified": "true"}, false, ""},
		"not verified, as a text":            {map[string]any{"email_verified": "false"}, true, sso.CodeAddress},
		"null":                               {map[string]any{"email_verified": nil}, true, sso.CodeAddress},
		"not said":                           {map[string]any{"email_verified": gone}, false, sso.CodeAddress},
		"not said, by who is trusted":        {map[string]any{"email_verified": gone}, true, ""},
		"Entra says so of the domain":        {map[string]any{"email_verified": gone, "xms_edov": true}, false, ""},
		"Entra says so with a number":        {map[string]any{"email_verified": gone, "xms_edov": 1}, false, ""},
		"Entra says no":                      {map[string]any{"email_verified": gone, "xms_edov": "0"}, true, sso.CodeAddress},
		"another domain":                     {map[string]any{"email": "anna@evil.com"}, false, sso.CodeAddress},
		"a domain below":                     {map[string]any{"email": "anna@evil.acme.com"}, false, sso.CodeAddress},
		"a domain that ends so":              {map[string]any{"email": "anna@notacme.com"}, false, sso.CodeAddress},
		"two signs":                          {map[string]any{"email": "anna@acme.com@evil.com"}, false, sso.CodeAddress},
		"two signs, the other way round":     {map[string]any{"email": "anna@evil.com@acme.com"}, false, sso.CodeAddress},
		"none":                               {map[string]any{"email": gone}, false, sso.CodeAddress},
		"an address that nobody can have":    {map[string]any{"email": "an na@acme.com"}, false, sso.CodeAddress},
		"of another letter":                  {map[string]any{"email": "anna@аcme.com"}, false, sso.CodeAddress},
		"verified elsewhere, in other cases": {map[string]any{"email": "ANNA@ACME.COM"}, false, ""},
	} {
		h := open(t, func(s *model.SSO) { s.AddressesVerified = c.trusted })
		h.provider.Userinfo = map[string]any{"sub": "u-1"}
		h.provider.Claims = func(said map[string]any) {
			for claim, value := range c.claims {
				if said[claim] = value; value == gone {
					delete(said, claim)
				}
			}
		}
		if _, err := h.try(t); code(err) != c.want {
			t.Errorf("%s: %q, want %q", name, code(err), c.want)
		}
	}
}

// TestGoogle has to say that an address is an organization's: it verifies any.
func TestGoogle(t *testing.T) {
	t.Parallel()
	config := model.SSO{Issuer: "https://accounts.google.com", Domains: []string{"acme.com", "acme.org"}}
	for token, want := range map[string]string{
		`{"email":"anna@acme.com","email_verified":true,"hd":"acme.com"}`: "",
		`{"email":"anna@acme.com","email_verified":true,"hd":"acme.org"}`: "", // an alias of the domain
		`{"email":"anna@acme.com","email_verified":true,"hd":"evil.com"}`: sso.CodeAddress,
		`{"email":"anna@acme.com","email_verified":true}`:                 sso.CodeAddress,
	} {
		if err := sso.Who(config, token); code(err) != want {
			t.Errorf("%s: %q", token, code(err))
		}
	}
}

// TestUserinfo fills in what the ID token leaves out, of the same person alone, and never
// vouches for an address that it does not have itself.
func TestUserinfo(t *testing.T) {
	t.Parallel()
	type said = map[string]any
	whole := said{"sub": "u-1", "email": "anna@acme.com", "email_verified": true, "groups": []string{"platform"}}
	for name, c := range map[string]struct {
		token, info said // of the token, beside what all have
		want        string
		role        model.Role
	}{
		"all of it":                        {said{}, whole, "", model.RoleAdmin},
		"whether it is verified":           {said{"email": "anna@acme.com", "groups": "auditors"}, whole, "", model.RoleClient},
		"groups":                           {said{"email": "anna@acme.com", "email_verified": true}, whole, "", model.RoleAdmin},
		"of somebody else":                 {said{}, said{"sub": "u-2", "email": "anna@acme.com", "email_verified": true, "groups": "platform"}, sso.CodeToken, ""},
		"of nobody":                        {said{}, said{"email": "anna@acme.com", "email_verified": true, "groups": "platform"}, sso.CodeToken, ""},
		"another address is verified":      {said{"email": "boss@acme.com", "groups": "auditors"}, whole, sso.CodeAddress, ""},
		"the token says no of no address":  {said{"email_verified": false, "groups": "auditors"}, whole, sso.CodeAddress, ""},
		"the token says yes of no address": {said{"email_verified": true, "groups": "auditors"}, said{"sub": "u-1", "email": "anna@acme.com"}, sso.CodeAddress, ""},
		"the token says no":                {said{"email": "anna@acme.com", "email_verified": false}, whole, sso.CodeAddress, ""},
		"both are silent":                  {said{"email": "anna@acme.com", "groups": "auditors"}, said{"sub": "u-1", "email": "anna@acme.com"}, sso.CodeAddress, ""},
		"no groups anywhere":               {said{"email": "anna@acme.com", "email_verified": true}, said{"sub": "u-1"}, sso.CodeGroupsNotTold, ""},
	} {
		h := open(t, nil)
		h.provider.Claims = func(all map[string]any) {
			for _, claim := range []string{"email", "email_verified", "groups"} {
				delete(all, claim)
			}
			maps.Copy(all, c.token)
		}
		h.provider.Userinfo = c.info
		in, err := h.try(t)
		if code(err) != c.want {
			t.Errorf("%s: %q (%v), want %q", name, code(err), errors.Unwrap(err), c.want)
		}
		if err == nil && h.member(t, in.Session.Person).Role != c.role {
			t.Errorf("%s: %+v", name, h.member(t, in.Session.Person))
		}
	}
}

// TestGroups are what a member may do from then on.
func TestGroups(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	boss := h.joined(t, "boss@acme.com", model.RoleAdmin)
	say := func(email, sub string, groups any) string {
		t.Helper()
		h.provider.Claims = func(c map[string]any) {
			c["email"], c["sub"] = email, sub
			if c["groups"] = groups; groups == nil {
				delete(c, "groups")
			}
		}
		h.provider.Userinfo = map[string]any{"sub": sub}
		_, err := h.try(t)
		return code(err)
	}
	who := func(sub string) model.Member {
		t.Helper()
		i, err := h.store.For("acme").Identity(t.Context(), h.provider.URL, sub)
		if err != nil {
			t.Fatal(err)
		}
		return h.member(t, i.Person)
	}
	if got := say("anna@acme.com", "a", []string{"platform", "auditors"}); got != "" || who("a").Role != model.RoleAdmin {
		t.Fatalf("the highest role: %q", got)
	}
	if got := say("anna@acme.com", "a", "auditors"); got != "" || who("a").Role != model.RoleClient || !slices.Equal(who("a").Projects, []string{"shop"}) {
		t.Errorf("one group, as a text: %q, %+v", got, who("a"))
	}
	if got := say("anna@acme.com", "a", nil); got != sso.CodeGroupsNotTold || who("a").Suspended {
		t.Errorf("nothing is told: %q, %+v", got, who("a"))
	}
	for _, odd := range []any{map[string]string{"a": "b"}, []any{"auditors", 1}, 7, []any{[]string{"platform"}}} {
		if got := say("anna@acme.com", "a", odd); got != sso.CodeGroupsNotTold || who("a").Suspended {
			t.Errorf("groups are %v: %q, %+v", odd, got, who("a"))
		}
	}
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("group-%d", i))
	}
	if got := say("anna@acme.com", "a", append(many, "payments")); got != "" || !slices.Equal(sorted(who("a").Projects), []string{"pay", "shop"}) {
		t.Errorf("10,001 groups: %q, %+v", got, who("a"))
	}
	if got := say("boss@acme.com", "b", []string{"auditors"}); got != sso.CodeLastAdministrator || h.member(t, boss.ID).Role != model.RoleAdmin {
		t.Errorf("the last administrator: %q, %+v", got, h.member(t, boss.ID))
	}
	if got := say("boss@acme.com", "b", []string{}); got != sso.CodeLastAdministrator || h.member(t, boss.ID).Suspended {
		t.Errorf("the last administrator, in no group: %q, %+v", got, h.member(t, boss.ID))
	}
	if got := say("anna@acme.com", "a", []string{"cooks"}); got != sso.CodeGroups || !who("a").Suspended {
		t.Errorf("in no group any more: %q, %+v", got, who("a"))
	}
	if got := say("anna@acme.com", "a", []string{"platform"}); got != sso.CodeSuspended || !who("a").Suspended {
		t.Errorf("in a group again, and nobody took the suspension back: %q", got)
	}
	if got := say("carl@acme.com", "c", []string{"cooks"}); got != sso.CodeGroups {
		t.Errorf("somebody new in no group: %q", got)
	}
	if _, err := h.store.For("acme").Identity(t.Context(), h.provider.URL, "c"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("there is a record of whom nobody let in: %v", err)
	}
}

// TestOverage: a provider that tells groups elsewhere does not tell them.
func TestOverage(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]map[string]any{
		"named": {"_claim_names": map[string]string{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://127.0.0.1:1/groups"}}},
		"said":  {"hasgroups": true},
	} {
		h := open(t, func(s *model.SSO) { s.Otherwise = &model.Grant{Role: model.RoleClient} })
		h.provider.Claims = func(c map[string]any) {
			delete(c, "groups")
			for k, v := range claims {
				c[k] = v
			}
		}
		if _, err := h.try(t); code(err) != sso.CodeGroupsNotTold {
			t.Errorf("%s: %q", name, code(err))
		}
	}
}

// TestWhoBecomesAMember as the configuration says.
func TestWhoBecomesAMember(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*model.SSO)
		want   string
	}{
		"members only":              {func(s *model.SSO) { s.MembersOnly = true }, sso.CodeNotMember},
		"no groups are mapped":      {func(s *model.SSO) { s.Groups = nil }, sso.CodeNotMember},
		"everybody":                 {func(s *model.SSO) { s.Groups, s.Otherwise = nil, &model.Grant{Role: model.RoleClient} }, ""},
		"others, too":               {func(s *model.SSO) { s.Groups, s.Otherwise = s.Groups[2:], &model.Grant{Role: model.RoleClient} }, ""},
		"not in any of them":        {func(s *model.SSO) { s.Groups = s.Groups[2:] }, sso.CodeGroups},
		"nobody, since it is off":   {func(s *model.SSO) { s.Enabled = false }, sso.CodeOff},
		"groups of another claim":   {func(s *model.SSO) { s.GroupsClaim = "https://acme.com/groups" }, sso.CodeGroupsNotTold},
		"a client that nobody made": {func(s *model.SSO) { s.ClientID = "other" }, sso.CodeCode},
	} {
		h := open(t, c.change)
		h.provider.Userinfo = map[string]any{"sub": "u-1"}
		if _, err := h.try(t); code(err) != c.want {
			t.Errorf("%s: %q, want %q", name, code(err), c.want)
		}
	}
}

// TestState: an answer is good once, within ten minutes, in the browser that asked.
func TestState(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	begin := func() (sso.Answer, sso.Started) {
		t.Helper()
		started, err := h.Start(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		a := h.visit(t, started.URL)
		a.Cookie = started.Cookie
		return a, started
	}
	finish := func(a sso.Answer) string {
		t.Helper()
		_, err := h.Finish(t.Context(), a)
		return code(err)
	}
	victim, _ := begin()
	thief, _ := begin()
	for name, a := range map[string]sso.Answer{
		"in another browser":               {Cookie: thief.Cookie, State: victim.State, Code: victim.Code},
		"in a browser without the cookie":  {State: victim.State, Code: victim.Code},
		"of somebody else's sign-in":       {Cookie: victim.Cookie, State: thief.State, Code: thief.Code},
		"without a state":                  {Cookie: victim.Cookie, Code: victim.Code},
		"with the state as cookie":         {Cookie: secret.New(victim.State), State: victim.State, Code: victim.Code},
		"with another organization's name": {Cookie: secret.New("other" + strings.TrimPrefix(victim.Cookie.Reveal(), "acme")), State: victim.State, Code: victim.Code},
		"with a cookie that is too long":   {Cookie: secret.New("acme." + strings.Repeat("A", 5000)), State: victim.State, Code: victim.Code},
	} {
		if got := finish(a); got != sso.CodeState {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := finish(victim); got != "" {
		t.Fatalf("the right browser: %q", got)
	}
	if got := finish(victim); got != sso.CodeReplayed {
		t.Errorf("again: %q", got)
	}
	stolen := thief // the code of a sign-in in the state of another
	stolen.Code = victim.Code
	if got := finish(stolen); got != sso.CodeCode {
		t.Errorf("a code that was used: %q", got)
	}
	injected, _ := begin()
	mine, _ := begin()
	mine.Code = injected.Code
	if got := finish(mine); got != sso.CodeCode {
		t.Errorf("a code of another sign-in, which PKCE tells: %q", got)
	}
	late, _ := begin()
	h.now = h.now.Add(sso.StateAge)
	if got := finish(late); got != sso.CodeState {
		t.Errorf("after ten minutes: %q", got)
	}
	moved, _ := begin()
	h.config.ClientID = "new"
	h.configure(t)
	if got := finish(moved); got != sso.CodeState {
		t.Errorf("for a configuration that was changed meanwhile: %q", got)
	}
}

// TestWhoAnswers is told by iss, where the provider says that it says so.
func TestWhoAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says  bool
		issue func(h *house) string
		fault string
		want  string
	}{
		"the one":                      {true, func(h *house) string { return h.provider.URL }, "", ""},
		"nobody says":                  {false, func(*house) string { return "" }, "", ""},
		"nobody says, but they always": {true, func(*house) string { return "" }, "", sso.CodeIssuer},
		"another":                      {false, func(*house) string { return "https://evil.example.com" }, "", sso.CodeIssuer},
		"another, with an error":       {false, func(*house) string { return "https://evil.example.com" }, "access_denied", sso.CodeIssuer},
		"the one, with an error":       {true, func(h *house) string { return h.provider.URL }, "<script>", sso.CodeDenied},
	} {
		h := open(t, nil)
		h.provider.Document = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = c.says }
		started, err := h.Start(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		a := h.visit(t, started.URL)
		a.Cookie, a.Issuer, a.Error = started.Cookie, c.issue(h), c.fault
		_, err = h.Finish(t.Context(), a)
		if code(err) != c.want || err != nil && strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "script") {
			t.Errorf("%s: %q (%v), want %q", name, code(err), err, c.want)
		}
	}
}

// TestReturn: no page that is accepted is of another site, in the eyes of whoever reads it.
func TestReturn(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"//evil.com", `/\evil.com`, `\\evil.com`, "https://evil.com", "javascript:alert(1)", "evil.com", "/\t/evil.com", "/\n/evil.com", "/a//evil.com",
		"/a\r\nSet-Cookie: x", "/%0d%0aX", "/a b", "/ä", "/\x00", " /", "/" + strings.Repeat("a", sso.MaxReturn), "/.//evil.com", "@evil.com",
	} {
		back, err := sso.CheckReturn(bad)
		if err == nil && bad != "/%0d%0aX" { // which is a path, and stays encoded
			t.Errorf("%q is taken, as %q", bad, back)
		}
	}
	for _, good := range []string{"", "/", "/audits/01KBA0", "/audits/01KBA0?tab=findings&x=%2F#top", "/a/b/"} {
		if _, err := sso.CheckReturn(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	site, _ := url.Parse("https://audits.example.com/v1/sso/callback")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[/\\?#@:a.\t\n\r %0-9A-F]{0,12}(evil\.com)?`).Draw(t, "page")
		back, err := sso.CheckReturn(text)
		if err != nil {
			var field *model.FieldError
			if !errors.As(err, &field) {
				t.Fatalf("%v", err)
			}
			return
		}
		u, err := site.Parse(back)
		if err != nil || u.Host != site.Host || u.Scheme != "https" || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\t\r\n ") {
			t.Fatalf("%q leads to %v, %v", text, u, err)
		}
	})
}

// TestSecretStays with whom it was given for: it is not to be had by sending it elsewhere.
func TestSecretStays(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	config := func(change func(*model.SSO)) error {
		c, err := h.store.For("acme").SSO(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		return h.Configure(t.Context(), "acme", h.change("put-sso"), &c, secret.String{})
	}
	var field *model.FieldError
	for name, change := range map[string]func(*model.SSO){
		"another issuer": func(c *model.SSO) { c.Issuer = "https://evil.example.com" },
		"another client": func(c *model.SSO) { c.ClientID = "other" },
	} {
		if err := config(change); !errors.As(err, &field) || field.Field != "client_secret" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := config(func(c *model.SSO) { c.MembersOnly = true; c.Secret = nil }); err != nil {
		t.Fatal(err)
	}
	h.joined(t, "anna@acme.com", model.RoleClient)
	if _, err := h.try(t); err != nil {
		t.Errorf("the secret is gone: %v", err)
	}
	// Whoever can write the table moves it.
	c, err := h.store.For("acme").SSO(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.ClientID = "evil"
	if err := h.store.For("acme").PutSSO(t.Context(), model.Change{At: h.now}, &c); err != nil {
		t.Fatal(err)
	}
	if _, err := h.try(t); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("a secret that was moved: %v", err)
	}
}

// TestCrossOrganizations: a sign-in begun for one organization ends in that one.
func TestCrossOrganizations(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	if _, err := h.Start(t.Context(), "other", ""); code(err) != sso.CodeOff {
		t.Errorf("an organization that has none: %q", code(err))
	}
	if _, err := h.Start(t.Context(), "../acme", ""); code(err) != sso.CodeOff {
		t.Errorf("what is no organization: %q", code(err))
	}
	in, err := h.try(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.For("other").Member(context.Background(), in.Session.Person); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a member of another organization: %v", err)
	}
	if until := in.Session.ExpiresAt; until.Sub(h.now) > model.SessionIdle+time.Second {
		t.Errorf("the session lasts until %s", until)
	}
}

// TestAtOnce: somebody new who signs in several times at once is one person.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const n = 8
	who := make([]model.PersonID, n)
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			in, err := h.try(t)
			who[i] = in.Session.Person
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("%v: %v", err, errors.Unwrap(err))
	}
	slices.Sort(who)
	if all := slices.Compact(who); len(all) != 1 {
		t.Errorf("there are %d people", len(all))
	}
	members, _, err := h.store.For("acme").MembersPage(t.Context(), "", 100)
	if err != nil || len(members) != 1 {
		t.Errorf("there are %d members, %v", len(members), err)
	}
}

// TestTwoAdministratorsAtOnce: of the last two, whose groups take the role from both at the
// same moment, one is left.
func TestTwoAdministratorsAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		h := open(t, nil)
		h.joined(t, "anna@acme.com", model.RoleAdmin)
		h.joined(t, "bert@acme.com", model.RoleAdmin)
		var next atomic.Int64
		h.provider.Claims = func(c map[string]any) {
			c["sub"] = []string{"a", "b"}[next.Add(1)-1]
			c["email"] = map[any]string{"a": "anna@acme.com", "b": "bert@acme.com"}[c["sub"]]
		}
		var group errgroup.Group
		for range 2 {
			group.Go(func() error {
				if _, err := h.try(t); err != nil && code(err) != sso.CodeLastAdministrator && !errors.Is(err, store.ErrConflict) {
					return err
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		members, _, err := h.store.For("acme").MembersPage(t.Context(), "", 10)
		if err != nil || !slices.ContainsFunc(members, func(m model.Member) bool { return m.Role == model.RoleAdmin && !m.Suspended }) {
			t.Fatalf("nobody administers any more: %+v, %v", members, err)
		}
	}
}

// TestDeath: whoever dies while somebody new is signed in, the next sign-in is as if it had
// been the first.
func TestDeath(t *testing.T) {
	t.Parallel()
	var h *house
	mortal.Deaths(t, 15, func(t *testing.T) table.Table { h = open(t, nil); return h.table },
		func(tb table.Table) error {
			s := h.SignIn
			s.Store = store.New(tb, nil)
			s.Sessions.Store = s.Store
			started, err := h.Start(context.Background(), "acme", "")
			if err != nil {
				return err
			}
			answer := h.visit(t, started.URL)
			answer.Cookie = started.Cookie
			_, err = s.Finish(context.Background(), answer)
			return err
		},
		func(t *testing.T, _ table.Table, death string, _ error) {
			h.now = h.now.Add(2 * time.Hour)
			in, err := h.try(t)
			if err != nil {
				t.Fatalf("%s: %v: %v", death, err, errors.Unwrap(err))
			}
			members, _, err := h.store.For("acme").MembersPage(t.Context(), "", 100)
			if err != nil || len(members) != 1 || members[0].Person != in.Session.Person {
				t.Errorf("%s: the members are %+v, and signed in is %s, %v", death, members, in.Session.Person, err)
			}
			if _, err := h.store.For("acme").VerifyAdminLog(t.Context()); err != nil {
				t.Errorf("%s: %v", death, err)
			}
		})
}
