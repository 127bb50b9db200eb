package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ssoID is the id of an organization's one configuration.
const ssoID = "configuration"

var (
	ssos = kind[model.SSO]{
		part: "SSO", name: "sso",
		id:      func(*model.SSO) string { return ssoID },
		version: func(s *model.SSO) *int64 { return &s.Version },
		check:   func(s *model.SSO) error { return s.Check() },
		hide:    func(s *model.SSO, k *kept[model.SSO]) { k.Sealed = s.Secret },
		show:    func(s *model.SSO, k kept[model.SSO]) { s.Secret = k.Sealed },
	}
	identities = kind[model.SSOIdentity]{
		part: "IDENTITY", name: "identity",
		id:      func(i *model.SSOIdentity) string { return identityID(i.Issuer, i.Subject) },
		version: func(i *model.SSOIdentity) *int64 { return &i.Version },
		check:   func(i *model.SSOIdentity) error { return i.Check() },
	}
)

// identityID is of a length that no provider decides on; quoted, no two are alike.
func identityID(issuer, subject string) string { return digest(fmt.Sprintf("%q %q", issuer, subject)) }

// SSO reads how the organization's people sign in by its own provider, or is ErrNotFound.
func (o *Organization) SSO(ctx context.Context) (model.SSO, error) { return ssos.get(ctx, o, ssoID) }

// PutSSO writes that if it is unchanged since it was read; ErrConflict otherwise. A new one
// has version 0.
func (o *Organization) PutSSO(ctx context.Context, by model.Change, s *model.SSO) error {
	return ssos.put(ctx, o, by, s)
}

// RemoveSSO removes that as it was read. Identities stay, for the same issuer.
func (o *Organization) RemoveSSO(ctx context.Context, by model.Change, s model.SSO) error {
	return ssos.remove(ctx, o, by, s)
}

// Identity reads whom the organization's provider means by a subject, or is ErrNotFound.
func (o *Organization) Identity(ctx context.Context, issuer, subject string) (model.SSOIdentity, error) {
	return identities.get(ctx, o, identityID(issuer, subject))
}

// PutIdentity says whom the provider means; ErrConflict says that somebody else did first.
func (o *Organization) PutIdentity(ctx context.Context, by model.Change, i *model.SSOIdentity) error {
	return identities.put(ctx, o, by, i)
}

// ByIdentity reads who an organization's provider means, with its identity; or is
// ErrNotFound. The identity is there even so if it leads to nobody, so that it can be
// written over.
func (p *People) ByIdentity(ctx context.Context, org model.OrganizationID, issuer, subject string) (model.Person, model.SSOIdentity, error) {
	identity, err := p.store.For(org).Identity(ctx, issuer, subject)
	if err != nil {
		return model.Person{}, model.SSOIdentity{}, err
	}
	s, item, err := p.read(ctx, identity.Person)
	if err != nil {
		return model.Person{}, identity, err
	}
	if !item.Expires.IsZero() { // whoever created it died with all done but this
		item.Expires = time.Time{}
		if err := p.table.Put(ctx, item); err != nil && !isConflict(err) {
			return model.Person{}, identity, fmt.Errorf("person %s: %w", identity.Person, err)
		}
		who, err := p.Person(ctx, identity.Person)
		return who, identity, err
	}
	return s.read(item.Version), identity, nil
}

// CreateByIdentity writes a new person whom an organization's provider vouches for, or is
// ErrConflict: somebody else did. The person has an e-mail address and no claim on it, so
// that nobody who signs in by password or in another organization is found under it, or
// kept from having it; and no password.
//
// The person comes first, and expires; then the identity, by which alone it is found; then
// it does not expire any more, which ByIdentity does for whoever died before.
func (p *People) CreateByIdentity(ctx context.Context, org model.OrganizationID, by model.Change, who *model.Person, identity *model.SSOIdentity) error {
	if err := who.Check(); err != nil {
		return err
	}
	if len(who.Credentials.Password) > 0 || identity.Person != who.ID {
		return errors.New("create a person by an identity: it has a password, or is somebody else")
	}
	item, err := encode(personKey(who.ID), table.Key{}, 0, stored(*who))
	if err != nil {
		return err
	}
	item.Expires = who.CreatedAt.Add(creationAge)
	if err := p.table.Put(ctx, item); err != nil {
		return fmt.Errorf("create person %s: %w", who.ID, err)
	}
	if err := p.store.For(org).PutIdentity(ctx, by, identity); err != nil {
		if isConflict(err) {
			err = errors.Join(err, p.table.Delete(ctx, item.Key))
		}
		return fmt.Errorf("create person %s: %w", who.ID, err)
	}
	found, _, err := p.ByIdentity(ctx, org, identity.Issuer, identity.Subject)
	if err != nil {
		return fmt.Errorf("create person %s: %w", who.ID, err)
	}
	*who = found
	return nil
}
