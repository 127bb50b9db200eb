package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// How many API tokens there are that are good.
const (
	MaxTokens       = 100 // of an organization
	MaxPersonTokens = 20  // of one owner in it, so that nobody takes all
)

// MakeToken makes an API token of a caller's, and shows it once. Given are the name, the
// scopes, the projects, and when it ends; that is in TokenAge if it is left out.
// store.ErrFull says that there are as many as there may be.
func (s Service) MakeToken(ctx context.Context, by model.Change, caller Caller, t model.APIToken) (model.APIToken, secret.String, error) {
	if caller.Session == "" {
		return t, secret.String{}, refuse(CodeNotByToken, nil)
	}
	owner, err := s.member(ctx, caller.Organization, caller.Person)
	if err != nil {
		return t, secret.String{}, err
	}
	t.Owner, t.CreatedAt, t.MemberSince = owner.Person, s.Now().UTC(), owner.Since
	t.ID = cmp.Or(t.ID, model.TokenID(ulid.Make().String()))
	t.LastUsed, t.Version = "", 0
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = t.CreatedAt.Add(model.TokenAge)
	}
	token, hash, err := NewToken(APIToken, string(t.ID))
	if err != nil {
		return t, secret.String{}, err
	}
	t.Hash = hash
	if err := t.Check(); err != nil {
		return t, secret.String{}, err
	}
	for _, scope := range t.Scopes {
		if !caller.Can(scope) || !slices.Contains(owner.Role.Scopes(), scope) {
			return t, secret.String{}, refuse(CodeBeyondOwner, fmt.Errorf("scope %s", scope))
		}
	}
	for _, p := range t.Projects {
		if !caller.Sees(p) {
			return t, secret.String{}, refuse(CodeBeyondOwner, fmt.Errorf("project %s", p))
		}
	}
	if err := s.roomForToken(ctx, caller); err != nil {
		return t, secret.String{}, err
	}
	if err := s.Store.People().AddToken(ctx, caller.Organization, by, &t); err != nil {
		return t, secret.String{}, err
	}
	// Somebody may end the session and the tokens that there are at this moment, out of fear
	// of whoever makes this one. Either the token is among these, or the session has ended.
	session, err := s.Store.People().Session(ctx, caller.Person, caller.Session)
	if err == nil {
		_, _, err = s.holder(ctx, session)
	}
	if err != nil {
		return t, secret.String{}, errors.Join(ended(err), s.Store.For(caller.Organization).RemoveAPIToken(ctx, by, t))
	}
	return t, token, nil
}

// roomForToken is store.ErrFull when there is no room for another token. What several
// people make at once does not pass the organization's bound; what one does may pass that
// of one, by as much as its limit lets at once.
func (s Service) roomForToken(ctx context.Context, caller Caller) error {
	n := 0
	for t, err := range s.APITokens(ctx, caller.Organization, caller.Person) {
		if err != nil {
			return err
		}
		if t.Live(s.Now()) {
			n++
		}
	}
	if n >= MaxPersonTokens {
		return fmt.Errorf("API tokens of person %s: %w", caller.Person, store.ErrFull)
	}
	return s.Store.For(caller.Organization).RoomForToken(ctx, MaxTokens, s.Now())
}

// APITokens yields the API tokens of an organization that are an owner's, or all if none is
// named, the oldest first, also those that are over.
func (s Service) APITokens(ctx context.Context, org model.OrganizationID, owner model.PersonID) iter.Seq2[model.APIToken, error] {
	return func(yield func(model.APIToken, error) bool) {
		for t, err := range s.Store.For(org).APITokens(ctx) {
			if err == nil && owner != "" && t.Owner != owner {
				continue
			}
			if !yield(t, err) {
				return
			}
		}
	}
}

// APIToken reads an API token of the caller's own, or any if the caller administers; others
// are store.ErrNotFound.
func (s Service) APIToken(ctx context.Context, caller Caller, id model.TokenID) (model.APIToken, error) {
	t, err := s.Store.For(caller.Organization).APIToken(ctx, id)
	if err == nil && t.Owner != caller.Person && !caller.Can(model.ScopeAdmin) {
		err = fmt.Errorf("token %s: %w", id, store.ErrNotFound)
	}
	return t, err
}

// EndToken ends an API token that APIToken reads.
func (s Service) EndToken(ctx context.Context, by model.Change, caller Caller, id model.TokenID) error {
	t, err := s.APIToken(ctx, caller, id)
	if err != nil {
		return err
	}
	return s.Store.For(caller.Organization).RemoveAPIToken(ctx, by, t)
}

// endTokens ends all API tokens that are an owner's in an organization, each of which the
// admin log has.
func (s Service) endTokens(ctx context.Context, by model.Change, org model.OrganizationID, owner model.PersonID) error {
	for t, err := range s.APITokens(ctx, org, owner) {
		if err == nil {
			err = s.Store.For(org).RemoveAPIToken(ctx, by, t)
		}
		if err != nil && !errors.Is(err, store.ErrConflict) { // somebody else ended it
			return err
		}
	}
	return nil
}

// endAllTokens is endTokens in all organizations of the owner's. Those of others are good for
// nothing: see model.APIToken.MemberSince.
func (s Service) endAllTokens(ctx context.Context, by model.Change, owner model.PersonID) error {
	orgs, err := s.Store.People().Organizations(ctx, owner)
	for _, org := range orgs {
		if err == nil {
			err = s.endTokens(ctx, by, org, owner)
		}
	}
	return err
}
