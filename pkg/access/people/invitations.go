package people

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ErrMember says that somebody is a member of the organization already.
var ErrMember = errors.New("a member of the organization has this e-mail address")

// Invite makes an invitation to an organization, and the token of its link, which is shown
// once. Given are the e-mail address, the role and the projects.
func (s Service) Invite(ctx context.Context, by model.Change, org model.OrganizationID, i model.Invitation) (model.Invitation, secret.String, error) {
	who, err := s.Store.People().ByEmail(ctx, i.Email)
	if err == nil {
		if _, err = s.Store.For(org).Member(ctx, who.ID); err == nil {
			return i, secret.String{}, ErrMember
		}
	}
	if !errors.Is(err, store.ErrNotFound) {
		return i, secret.String{}, err
	}
	i.ID, i.CreatedAt, i.Version = cmp.Or(i.ID, model.InvitationID(ulid.Make().String())), s.Now().UTC(), 0
	i.ExpiresAt = i.CreatedAt.Add(model.InvitationAge)
	token, hash, err := NewToken(InviteToken, string(i.ID))
	if err != nil {
		return i, secret.String{}, err
	}
	i.Hash = hash
	return i, token, s.Store.People().AddInvitation(ctx, org, by, &i)
}

// Invitation is what a link's token leads to, as long as the link is good.
func (s Service) Invitation(ctx context.Context, token secret.String, from From) (model.OrganizationID, model.Invitation, error) {
	org, i, err := s.invitation(ctx, token)
	return org, i, s.triedLink(ctx, from, err)
}

// triedLink counts a link that leads nowhere, as err says: the answer to one too many is
// that it was. Nothing is guessed that has 256 bits, so it is looked at first, and a good
// link is good in a network from which others send what is not.
func (s Service) triedLink(ctx context.Context, from From, err error) error {
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != CodeLinkOver {
		return err
	}
	if _, limited := s.Limits.Take(ctx, Links, Who{Address: from.Address}); limited != nil {
		return limited
	}
	return err
}

func (s Service) invitation(ctx context.Context, token secret.String) (model.OrganizationID, model.Invitation, error) {
	t, err := ParseToken(InviteToken, token)
	if err != nil {
		return "", model.Invitation{}, refuse(CodeLinkOver, err)
	}
	lead, err := s.Store.People().Lead(ctx, t.ID)
	if err != nil {
		return "", model.Invitation{}, linkOver(err)
	}
	i, err := s.Store.For(lead.Organization).Invitation(ctx, model.InvitationID(t.ID))
	return lead.Organization, i, s.good(t, i.Hash, i.ExpiresAt, err)
}

// good refuses a link that is not; err is that of reading its record.
func (s Service) good(t Token, hash model.Hidden, until time.Time, err error) error {
	switch {
	case err != nil:
		return linkOver(err)
	case !t.Matches(hash):
		return refuse(CodeLinkOver, errors.New("it has another secret"))
	case !s.Now().Before(until):
		return refuse(CodeLinkOver, errors.New("it is too old"))
	}
	return nil
}

// linkOver is the error of a link of which something is not there, or was first.
func linkOver(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		return refuse(CodeLinkOver, err)
	}
	return err
}

// Accept accepts an invitation: somebody new chooses a password; somebody who has an
// account under the invitation's e-mail address proves it, by the password and by the steps
// of a sign-in that follow. Which of the two it is, the link does not say; a password that is
// not that account's is CodeAddressOfAnother, since whoever was invited by an address that
// somebody else came to first has to learn it, and could not sign in by it anyway.
//
// Somebody new is created first. Who dies then, or tries again, has an account, and goes on
// by proving it; the invitation is as good as before. Then the invitation is removed, which
// decides who uses it: whoever else comes with it, or takes it back at that moment, is
// first or not. Then the person becomes a member; who dies between is invited again.
func (s Service) Accept(ctx context.Context, token secret.String, name string, password secret.String, from From) (Step, error) {
	org, i, err := s.Invitation(ctx, token, from)
	if err != nil {
		return Step{}, err
	}
	who, err := s.Store.People().ByEmail(ctx, i.Email)
	switch {
	case err == nil:
		if who, err = s.authenticate(ctx, i.Email, password, from); codeOf(err) == CodeSignInRefused {
			err = refuse(CodeAddressOfAnother, nil)
		}
	case errors.Is(err, store.ErrNotFound):
		who, err = s.create(ctx, i.Email, name, password)
	}
	if err != nil {
		return Step{}, err
	}
	return s.proven(ctx, who, ticket{
		Person: who.ID, Epoch: who.Epoch, Until: s.Now().Add(ChallengeAge).UTC(), Device: deviceDigest(from.Device), Browser: from.Browser,
		Organization: org, Invitation: i.ID,
	}, from)
}

// create makes a person who is a member of nothing.
func (s Service) create(ctx context.Context, email, name string, password secret.String) (model.Person, error) {
	who := model.Person{ID: model.PersonID(ulid.Make().String()), Email: email, Name: name, CreatedAt: s.Now().UTC()}
	if err := who.Check(); err != nil {
		return who, err
	}
	if err := CheckPassword(password, email); err != nil {
		return who, err
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return who, err
	}
	who.Credentials.Password = hash
	err = s.Store.People().Create(ctx, &who)
	if errors.Is(err, store.ErrEmailTaken) { // by whoever came with the same link
		err = refuse(CodeSignInRefused, err)
	}
	return who, err
}

// join uses an invitation up and makes its person, who has proven everything, a member.
func (s Service) join(ctx context.Context, who model.Person, t ticket, from From) error {
	org := s.Store.For(t.Organization)
	i, err := org.Invitation(ctx, t.Invitation)
	switch {
	case err != nil:
		return linkOver(err)
	case !i.Live(s.Now()) || model.NormalEmail(i.Email) != model.NormalEmail(who.Email):
		return refuse(CodeLinkOver, errors.New("it is too old, or of somebody else"))
	}
	by := s.by(who, from)
	if err := org.RemoveInvitation(ctx, by, i); err != nil {
		return linkOver(err)
	}
	m := model.Member{Person: who.ID, Role: i.Role, Projects: i.Projects, Since: s.Now().UTC(), InvitedAs: i.Email}
	err = s.Store.People().Join(ctx, t.Organization, by, &m)
	if errors.Is(err, store.ErrConflict) { // a member already, who stays what it is
		return nil
	}
	if err != nil {
		return err
	}
	// Somebody may recover the person at this moment, by another organization's link, who
	// saw that it belongs to no other. Of the two writes of the person one comes first: that
	// one looks again, or this one takes the membership back.
	_, err = s.change(ctx, who.ID, t.stillOf)
	if errors.As(err, new(*RefusedError)) {
		return errors.Join(err, s.Store.People().Leave(ctx, t.Organization, by, m))
	}
	return err
}

func (t ticket) stillOf(who *model.Person) error { return t.still(*who) }
