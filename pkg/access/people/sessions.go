package people

import (
	"context"
	"crypto/subtle"
	"errors"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// refreshGrace is for how long a refresh token that was just used is not taken for a stolen
// one: two tabs of a browser refresh at once, or a client whose answer was lost asks again.
// Whoever comes second gets nothing but CodeRefreshRaced, so that the grace is of no use to
// a thief; it only delays that he is noticed, to the next use of a used one.
const refreshGrace = 10 * time.Second

// Sessions begins, refreshes and ends sessions, and says who somebody is by one or by an
// API token. It sees hashes of refresh tokens and API tokens, and never these.
type Sessions struct {
	Store  *store.Store
	Tokens *AccessTokens
	Now    func() time.Time
	// MayRefresh is asked before a refresh token is replaced, so that one which it refuses
	// stays good; nil refuses nobody.
	MayRefresh func(context.Context, model.Session, model.Person) error
}

// Begin begins a session of a person who has proved to be who it is. Given of the session
// are its ID, the organization, where it is begun from, whether by single sign-on, the hash of
// its first refresh token, when the person proved who it is if that is not now, and when it
// has to end, if before others do. A *RefusedError says that the person is no member there, or
// that all sessions of the person were ended meanwhile.
func (s Sessions) Begin(ctx context.Context, who model.Person, given model.Session) (model.Session, error) {
	member, err := s.member(ctx, given.Organization, who.ID)
	if err != nil {
		return model.Session{}, err
	}
	if len(given.Hash) == 0 {
		return model.Session{}, errors.New("begin a session: there is no refresh token")
	}
	session := model.Session{
		ID: given.ID, Person: who.ID, Organization: given.Organization, CreatedAt: s.Now().UTC(), ProvenAt: given.ProvenAt, EndsAt: given.EndsAt,
		Address: model.Cut(given.Address, model.MaxClient), Client: model.Cut(given.Client, model.MaxClient), SSO: given.SSO,
		MemberSince: member.Since, Epoch: who.Epoch, Generation: 1, Hash: given.Hash,
	}
	session.Use(session.CreatedAt)
	if err := s.Store.People().BeginSession(ctx, &session); err != nil {
		return model.Session{}, err
	}
	// A sign-in by the old password may get here while the new one is written and all
	// sessions are ended: those that were listed. Of the two writes one comes first, and
	// whoever comes second sees the other's.
	now, err := s.Store.People().Person(ctx, who.ID)
	if err == nil && now.Epoch == who.Epoch {
		return session, nil
	}
	if e := s.Store.People().EndSession(ctx, who.ID, session.ID); e != nil {
		return model.Session{}, errors.Join(err, e)
	}
	if err == nil {
		err = refuse(CodeSessionEnded, nil)
	}
	return model.Session{}, ended(err)
}

// Refresh gives a session its next refresh token, whose hash it is, for the one that was
// presented. A *RefusedError says why there is none. One that was used before ends the
// session, whoever presents it: one of two who have it is a thief. What was never a token
// of the session ends nothing, or anybody could end it who has seen its id.
func (s Sessions) Refresh(ctx context.Context, id model.SessionID, presented, next model.Hidden, address string) (model.Session, error) {
	if len(next) == 0 || same(presented, next) {
		return model.Session{}, errors.New("refresh a session: there is no next refresh token")
	}
	lead, err := s.Store.People().Lead(ctx, string(id))
	if err != nil {
		return model.Session{}, ended(err)
	}
	for {
		session, err := s.Store.People().Session(ctx, lead.Person, id)
		if err != nil {
			return model.Session{}, ended(err)
		}
		if !session.Live(s.Now()) {
			return model.Session{}, refuse(CodeSessionEnded, nil)
		}
		if !same(session.Hash, presented) {
			return model.Session{}, s.used(ctx, session, presented, address)
		}
		who, _, err := s.holder(ctx, session)
		if err == nil && s.MayRefresh != nil {
			err = s.MayRefresh(ctx, session, who)
		}
		if err != nil {
			return model.Session{}, err
		}
		err = s.Store.People().RefreshSession(ctx, &session, next, s.Now().UTC())
		if !errors.Is(err, store.ErrConflict) {
			return session, err
		}
	}
}

// used says why a refresh token that is not the session's newest is refused, and ends the
// session if it was used before. The log has it first: whoever dies then leaves a session
// that the next use ends, and nothing that nobody knows of.
func (s Sessions) used(ctx context.Context, session model.Session, presented model.Hidden, address string) error {
	generation, err := s.Store.People().Refreshed(ctx, session, presented)
	switch {
	case err != nil:
		return err
	case generation == 0:
		return refuse(CodeTokenInvalid, nil)
	case generation == session.Generation-1 && s.Now().Sub(session.UsedAt) < refreshGrace:
		return refuse(CodeRefreshRaced, nil)
	}
	by := model.Change{
		Actor: model.Actor{Kind: model.ActorSystem, ID: "sessions"}, Address: model.Cut(address, model.MaxClient), Action: "end-reused-session", At: s.Now(),
	}
	err = errors.Join(s.Store.For(session.Organization).NoteReuse(ctx, by, session), s.Store.People().EndSession(ctx, session.Person, session.ID))
	if err != nil {
		return err
	}
	return refuse(CodeRefreshReused, nil)
}

// List yields the sessions of a person that go on, in all organizations, the oldest first.
func (s Sessions) List(ctx context.Context, who model.PersonID) iter.Seq2[model.Session, error] {
	return func(yield func(model.Session, error) bool) {
		for session, err := range s.Store.People().Sessions(ctx, who) {
			if err == nil && !session.Live(s.Now()) {
				continue
			}
			if !yield(session, err) {
				return
			}
		}
	}
}

// Enter is Begin for who comes in from outside, which the admin log has before.
func (s Sessions) Enter(ctx context.Context, action string, who model.Person, session model.Session) (model.Session, error) {
	what := "signed in"
	switch {
	case session.SSO:
		what = "signed in by the organization's provider"
	case session.Client == ClientCommand:
		what = "a program was signed in"
	}
	by := model.Change{
		Actor:   model.Actor{Kind: model.ActorPerson, ID: string(who.ID), Name: who.Email},
		Address: model.Cut(session.Address, model.MaxClient), Action: action, At: s.Now(),
	}
	if err := s.note(ctx, session.Organization, by, who.ID, what+": session "+string(session.ID)); err != nil {
		return model.Session{}, err
	}
	return s.Begin(ctx, who, session)
}

// What is told to the admin log of the organization that somebody is signed in to, or signs
// in to, of what concerns the person: people are of no organization, and no record of
// theirs carries an entry. It is noted before it is done (store.NoteEvent), when all that
// can be asked has been: an entry may speak of what then was not done, because somebody
// died or was overtaken, and nothing is done of which there is no entry.
func (s Sessions) note(ctx context.Context, org model.OrganizationID, by model.Change, who model.PersonID, what string) error {
	return s.Store.For(org).NoteEvent(ctx, by, "person/"+string(who), struct {
		Event string `json:"event"`
	}{what})
}

// EndOne ends a session of a caller's own, which the admin log of its organization has
// before. One of single sign-on sees those of its organization alone.
func (s Sessions) EndOne(ctx context.Context, by model.Change, caller Caller, id model.SessionID) error {
	session, err := s.Store.People().Session(ctx, caller.Person, id)
	if err != nil {
		return err
	}
	if !caller.mine(session) {
		return store.ErrNotFound
	}
	what := "session ended: "
	if id == caller.Session {
		what = "signed out: session "
	}
	if err := s.note(ctx, session.Organization, by, caller.Person, what+string(id)); err != nil {
		return err
	}
	return s.End(ctx, caller.Person, id)
}

// EndOthers ends all sessions of a caller's own but the one that it comes by.
func (s Sessions) EndOthers(ctx context.Context, by model.Change, caller Caller) error {
	if err := s.note(ctx, caller.Organization, by, caller.Person, "other sessions ended"); err != nil {
		return err
	}
	return s.Store.People().EndSessions(ctx, caller.Person, func(x model.Session) bool {
		return x.ID != caller.Session && caller.mine(x)
	})
}

// mine reports whether a session of the same person is the caller's business.
func (c Caller) mine(s model.Session) bool { return !c.SSO || s.Organization == c.Organization }

// End ends a session of a person. It is no error if it has ended.
func (s Sessions) End(ctx context.Context, who model.PersonID, id model.SessionID) error {
	return s.Store.People().EndSession(ctx, who, id)
}

// EndAll writes a person that was read, with what was changed of it, such as a new
// password, and ends all sessions of the person: they have ended with that write, whoever
// dies before the last of them is gone. ErrConflict says that nothing was done.
func (s Sessions) EndAll(ctx context.Context, who *model.Person) error {
	changed := *who
	changed.Epoch++
	if err := s.Store.People().Put(ctx, &changed); err != nil {
		return err
	}
	*who = changed
	return s.Store.People().EndSessions(ctx, who.ID, func(model.Session) bool { return true })
}

// Caller is who makes a request, and what it may do.
type Caller struct {
	Actor        model.Actor // as the admin log names it
	Organization model.OrganizationID
	Person       model.PersonID  // or the owner of the token
	Session      model.SessionID // of a person; empty of a token
	SSO          bool            // the session is of single sign-on: see model.Session
	Token        model.TokenID   // empty of a person
	Scopes       []model.Scope
	AllProjects  bool
	Projects     []string // unless all
}

// Can reports whether the caller may do what needs a scope.
func (c Caller) Can(scope model.Scope) bool { return slices.Contains(c.Scopes, scope) }

// Sees reports whether what is in a project may be shown to the caller; what is in none, to
// those who see all.
func (c Caller) Sees(project string) bool {
	return c.AllProjects || slices.Contains(c.Projects, project)
}

// Who is the person that an access token is of. Session, member and person are read, so
// that an end, a removal, a suspension and another role count from the next request on. A
// *RefusedError says that nobody is let in by it.
func (s Sessions) Who(ctx context.Context, access secret.String) (Caller, error) {
	claims, err := s.Tokens.Verify(ctx, access)
	if err != nil {
		return Caller{}, err
	}
	session, err := s.Store.People().Session(ctx, claims.Person, claims.Session)
	switch {
	case err != nil:
		return Caller{}, ended(err)
	case session.Organization != claims.Organization:
		return Caller{}, refuse(CodeTokenInvalid, errors.New("its session is of another organization"))
	case !session.Live(s.Now()):
		return Caller{}, refuse(CodeSessionEnded, nil)
	}
	person, member, err := s.holder(ctx, session)
	if err != nil {
		return Caller{}, err
	}
	return Caller{
		Actor:        model.Actor{Kind: model.ActorPerson, ID: string(person.ID), Name: person.Email},
		Organization: session.Organization, Person: person.ID, Session: session.ID, SSO: session.SSO,
		Scopes: member.Role.Scopes(), AllProjects: member.Role == model.RoleAdmin, Projects: member.Projects,
	}, nil
}

// holder is the person and the member of a session, or a *RefusedError if they are not any
// more what they were when it was begun.
func (s Sessions) holder(ctx context.Context, session model.Session) (person model.Person, member model.Member, err error) {
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		person, err = s.Store.People().Person(gctx, session.Person)
		return ended(err)
	})
	group.Go(func() (err error) {
		member, err = s.member(gctx, session.Organization, session.Person)
		return err
	})
	if err := group.Wait(); err != nil {
		return person, member, err
	}
	if person.Epoch != session.Epoch || !member.Since.Equal(session.MemberSince) {
		return person, member, refuse(CodeSessionEnded, nil)
	}
	return person, member, nil
}

// member reads a member who may do something, or is a *RefusedError.
func (s Sessions) member(ctx context.Context, org model.OrganizationID, who model.PersonID) (model.Member, error) {
	m, err := s.Store.For(org).Member(ctx, who)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return m, refuse(CodeNotMember, err)
	case err == nil && m.Suspended:
		return m, refuse(CodeMemberSuspended, nil)
	}
	return m, err
}

// WhoByAPIToken is the program that an API token is of, by its id and hash. It may do what
// both the token and its owner may, as the owner is a member now. A *RefusedError says that
// nobody is let in by it. The day of its last use is noted.
func (s Sessions) WhoByAPIToken(ctx context.Context, id model.TokenID, hash model.Hidden) (Caller, error) {
	lead, err := s.Store.People().Lead(ctx, string(id))
	if err != nil {
		return Caller{}, unknown(err)
	}
	org := s.Store.For(lead.Organization)
	token, err := org.APIToken(ctx, id)
	switch {
	case err != nil:
		return Caller{}, unknown(err)
	case !same(token.Hash, hash):
		return Caller{}, refuse(CodeTokenInvalid, nil)
	case !token.Live(s.Now()):
		return Caller{}, refuse(CodeTokenExpired, nil)
	}
	owner, err := s.member(ctx, lead.Organization, token.Owner)
	if err != nil {
		return Caller{}, err
	}
	if !owner.Since.Equal(token.MemberSince) {
		return Caller{}, refuse(CodeNotMember, nil)
	}
	if err := org.NoteTokenUsed(ctx, token, s.Now()); err != nil {
		return Caller{}, err
	}
	c := Caller{
		Actor:        model.Actor{Kind: model.ActorToken, ID: string(token.ID), Name: token.Name},
		Organization: lead.Organization, Person: token.Owner, Token: token.ID,
		Scopes:      both(token.Scopes, owner.Role.Scopes()),
		AllProjects: owner.Role == model.RoleAdmin, Projects: owner.Projects,
	}
	if len(token.Projects) > 0 {
		if !c.AllProjects {
			token.Projects = both(token.Projects, owner.Projects)
		}
		c.AllProjects, c.Projects = false, token.Projects
	}
	return c, nil
}

// both is what is in the two.
func both[T comparable](a, b []T) (in []T) {
	for _, x := range a {
		if slices.Contains(b, x) {
			in = append(in, x)
		}
	}
	return in
}

// Hash is what the record keeps of the token, if it is the record's.
func (t Token) Hash() model.Hidden { return slices.Clone(t.hash[:]) }

// same compares hashes in the same time for each. An empty one is like none.
func same(a, b model.Hidden) bool { return len(a) > 0 && subtle.ConstantTimeCompare(a, b) == 1 }

// ended is the error of a session of which something is not there.
func ended(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return refuse(CodeSessionEnded, err)
	}
	return err
}

// unknown is the error of a token of which something is not there.
func unknown(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return refuse(CodeTokenInvalid, err)
	}
	return err
}
