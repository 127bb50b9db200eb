package people

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Recover makes a recovery link for a member of an organization, and its token, which is
// shown once. Administrators do it for those who are members of theirs alone; operators,
// for everybody. Nobody does it for oneself, or by a token: whoever found a browser open
// would need no password. The link has an id of its own if none is given.
func (s Service) Recover(ctx context.Context, by model.Change, org model.OrganizationID, person model.PersonID, id model.RecoveryID) (model.Recovery, secret.String, error) {
	r := model.Recovery{ID: cmp.Or(id, model.RecoveryID(ulid.Make().String())), Person: person, CreatedAt: s.Now().UTC(), ByOperator: by.Actor.Kind == model.ActorOperator}
	r.ExpiresAt = r.CreatedAt.Add(model.RecoveryAge)
	if _, err := s.Store.For(org).Member(ctx, person); err != nil {
		return r, secret.String{}, err
	}
	switch {
	case by.Actor.Kind == model.ActorToken:
		return r, secret.String{}, refuse(CodeNotByToken, nil)
	case by.Actor.Kind == model.ActorPerson && by.Actor.ID == string(person):
		return r, secret.String{}, refuse(CodeOwnRecovery, nil)
	}
	if err := s.recoverable(ctx, org, r); err != nil {
		return r, secret.String{}, err
	}
	token, hash, err := NewToken(RecoveryToken, string(r.ID))
	if err != nil {
		return r, secret.String{}, err
	}
	r.Hash = hash
	return r, token, s.Store.People().AddRecovery(ctx, org, by, &r)
}

// recoverable refuses that an organization's link recovers a person who is not its member
// alone.
func (s Service) recoverable(ctx context.Context, org model.OrganizationID, r model.Recovery) error {
	orgs, err := s.Store.People().Organizations(ctx, r.Person)
	switch {
	case err != nil:
		return err
	case !slices.Contains(orgs, org):
		return refuse(CodeLinkOver, errors.New("the person is no member any more"))
	case len(orgs) > 1 && !r.ByOperator:
		return refuse(CodeMemberOfOthers, nil)
	}
	return nil
}

// Recovery is the person whom a link's token recovers, as long as the link is good.
func (s Service) Recovery(ctx context.Context, token secret.String, from From) (model.OrganizationID, model.Recovery, model.Person, error) {
	org, r, who, err := s.recovery(ctx, token)
	return org, r, who, s.triedLink(ctx, from, err)
}

func (s Service) recovery(ctx context.Context, token secret.String) (model.OrganizationID, model.Recovery, model.Person, error) {
	t, err := ParseToken(RecoveryToken, token)
	if err != nil {
		return "", model.Recovery{}, model.Person{}, refuse(CodeLinkOver, err)
	}
	lead, err := s.Store.People().Lead(ctx, t.ID)
	if err != nil {
		return "", model.Recovery{}, model.Person{}, linkOver(err)
	}
	r, err := s.Store.For(lead.Organization).Recovery(ctx, model.RecoveryID(t.ID))
	if err := s.good(t, r.Hash, r.ExpiresAt, err); err != nil {
		return "", model.Recovery{}, model.Person{}, err
	}
	if err := s.recoverable(ctx, lead.Organization, r); err != nil {
		return "", model.Recovery{}, model.Person{}, err
	}
	who, err := s.Store.People().Person(ctx, r.Person)
	return lead.Organization, r, who, linkOver(err)
}

// UseRecovery gives a person a new password, and takes away all else that lets somebody in
// as that person: the second factors, the devices, the sessions, and the API tokens in all
// organizations. Then it goes on like a sign-in by which everything is proven, so that this
// device is known.
//
// The link is removed first, which decides who uses it; who dies then asks for another one.
// All that is the person's is one write. That is made if the person still belongs to no
// other organization, as of the moment that it was read: who joins one meanwhile writes the
// person, too (see join), and this one looks again.
func (s Service) UseRecovery(ctx context.Context, token, password secret.String, from From) (Step, error) {
	org, r, who, err := s.Recovery(ctx, token, from)
	if err == nil {
		err = CheckPassword(password, who.Email)
	}
	if err != nil {
		return Step{}, err
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return Step{}, err
	}
	if err := s.Store.For(org).RemoveRecovery(ctx, s.by(who, from), r); err != nil {
		return Step{}, linkOver(err)
	}
	// Before, so that no token outlasts a death between; and after, those that a session made
	// until it ended.
	if err := s.endAllTokens(ctx, s.by(who, from), who.ID); err != nil {
		return Step{}, err
	}
	who, err = s.changeAndEnd(ctx, r.Person, func(who *model.Person) error {
		who.TOTP, who.Credentials = false, model.Credentials{Password: hash}
		return s.recoverable(ctx, org, r)
	})
	if err == nil {
		err = s.endAllTokens(ctx, s.by(who, from), who.ID)
	}
	if err != nil {
		return Step{}, err
	}
	t := ticket{Person: who.ID, Epoch: who.Epoch, Until: s.Now().Add(ChallengeAge).UTC(), Device: deviceDigest(from.Device), Browser: from.Browser, Second: true, Organization: org}
	return s.arrive(ctx, who, t, from)
}
