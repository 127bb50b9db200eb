package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Operator is who owns the data directory, and may do there what the operators of a
// deployment do through its routes. It works also while a Server serves the directory.
type Operator struct {
	Store *store.Store
	Now   func() time.Time
}

// by is what the admin log says of an operator here.
func (o Operator) by(action string) model.Change {
	return model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "data-directory"}, Action: action, At: o.now()}
}

func (o Operator) now() time.Time { return o.Now().UTC().Truncate(time.Second) }

// MaxOrganizations is how many organizations there may be on one machine.
const MaxOrganizations = 1000

// Organizations lists all organizations.
func (o Operator) Organizations(ctx context.Context) (all []model.Organization, err error) {
	for cursor, more := "", true; more; more = cursor != "" {
		var page []model.Organization
		if page, cursor, err = o.Store.OrganizationsPage(ctx, cursor, 500); err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// Create makes an organization.
func (o Operator) Create(ctx context.Context, id model.OrganizationID, name string) (model.Organization, error) {
	made := model.Organization{ID: id, Name: name, CreatedAt: o.now()}
	err := o.Store.CreateOrganization(ctx, o.by("create-organization"), &made, MaxOrganizations)
	switch {
	case errors.Is(err, store.ErrConflict):
		err = refused("there is an organization %s, or was", id)
	case errors.Is(err, store.ErrFull):
		err = refused("there are %d organizations, and may be no more", MaxOrganizations)
	}
	return made, readable(err)
}

// Suspend lets nobody of an organization in and begins none of its audits, or takes that
// back. Repeated it changes nothing.
func (o Operator) Suspend(ctx context.Context, id model.OrganizationID, suspended bool) (model.Organization, error) {
	for {
		itself, err := o.itself(ctx, id)
		if err != nil || itself.SuspendedAt.IsZero() == !suspended {
			return itself, err
		}
		action := "resume-organization"
		if itself.SuspendedAt = (time.Time{}); suspended {
			itself.SuspendedAt, action = o.now(), "suspend-organization"
		}
		err = o.Store.For(id).ChangeItself(ctx, o.by(action), &itself)
		if !errors.Is(err, store.ErrConflict) {
			return itself, err
		}
	}
}

// Delete lets nobody of an organization in from now on, and has a Server purge everything
// that is kept of it, twenty minutes later or as soon as one serves. Repeated it changes
// nothing.
func (o Operator) Delete(ctx context.Context, id model.OrganizationID) (model.Organization, error) {
	if _, err := o.itself(ctx, id); err != nil {
		return model.Organization{}, err
	}
	p := pipeline.Pipeline{Store: o.Store, Now: o.Now, PurgeAfter: purgeAfter}
	for {
		deleted, err := p.DeleteOrganization(ctx, o.by("delete-organization"), id)
		if !errors.Is(err, store.ErrConflict) {
			return deleted, err
		}
	}
}

func (o Operator) itself(ctx context.Context, id model.OrganizationID) (model.Organization, error) {
	if !model.IsOrganizationID(string(id)) {
		return model.Organization{}, refused("%q is no id of an organization", id)
	}
	itself, err := o.Store.For(id).Itself(ctx)
	if errors.Is(err, store.ErrNotFound) {
		err = refused("there is no organization %s; cloudarq admin organizations list shows them", id)
	}
	return itself, err
}

// readable says what a *model.FieldError does in a sentence for the command line.
func readable(err error) error {
	var field *model.FieldError
	if errors.As(err, &field) {
		return refused("%s: %s", field.Field, field.Reason)
	}
	return err
}

// Invite invites an administrator of an organization, by a link's token that is good once.
// Earlier invitations of the same address are good for nothing then.
func (o Operator) Invite(ctx context.Context, org model.OrganizationID, email string) (model.Invitation, secret.String, error) {
	if _, err := o.itself(ctx, org); err != nil {
		return model.Invitation{}, secret.String{}, err
	}
	made := model.Invitation{Email: model.NormalEmail(email), Role: model.RoleAdmin}
	if err := o.withdraw(ctx, org, made.Email); err != nil {
		return made, secret.String{}, err
	}
	made, token, err := o.people().Invite(ctx, o.by("invite-administrator"), org, made)
	if errors.Is(err, people.ErrMember) {
		err = refused("%s is a member of organization %s; cloudarq admin recover %s lets somebody in who cannot sign in", made.Email, org, made.Email)
	}
	return made, token, readable(err)
}

// people does what operators do with people.
func (o Operator) people() people.Service {
	return people.Service{Sessions: people.Sessions{Store: o.Store, Now: o.Now}}
}

// withdraw removes the invitations of an e-mail address.
func (o Operator) withdraw(ctx context.Context, org model.OrganizationID, email string) error {
	records := o.Store.For(org)
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := records.InvitationsPage(ctx, cursor, 500)
		if err != nil {
			return err
		}
		for _, i := range page {
			if model.NormalEmail(i.Email) != email {
				continue
			}
			err := records.RemoveInvitation(ctx, o.by("withdraw-invitation"), i)
			if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrConflict) { // accepted, or withdrawn, just now
				return err
			}
		}
		cursor = next
	}
	return nil
}

// Recover makes a link's token by which a person chooses a new password, once, and signs in
// without the second factors of before.
func (o Operator) Recover(ctx context.Context, email string) (model.Recovery, secret.String, error) {
	who, err := o.Store.People().ByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return model.Recovery{}, secret.String{}, refused("nobody has the e-mail address %q", model.Clean(email))
	}
	if err != nil {
		return model.Recovery{}, secret.String{}, err
	}
	orgs, err := o.Store.People().Organizations(ctx, who.ID)
	if err != nil {
		return model.Recovery{}, secret.String{}, err
	}
	if len(orgs) == 0 {
		return model.Recovery{}, secret.String{}, refused("%s is a member of no organization; invite anew with: cloudarq admin invite %s --organization ORGANIZATION", who.Email, who.Email)
	}
	return o.people().Recover(ctx, o.by("recover-person"), orgs[0], who.ID, "")
}

// ChangeAddress gives whoever has an e-mail address another one to sign in by.
func (o Operator) ChangeAddress(ctx context.Context, address, next string) error {
	err := o.people().Readdress(ctx, o.by("change-address"), address, next)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = refused("nobody has the e-mail address %q", model.Clean(address))
	case errors.Is(err, store.ErrEmailTaken):
		err = refused("somebody else has the e-mail address %q", model.Clean(next))
	}
	return readable(err)
}

// SetUp makes the first organization if there is none, and invites its first administrator
// anew while it has no member. The token is empty if it has.
func (o Operator) SetUp(ctx context.Context, org model.OrganizationID, administrator string) (model.Invitation, secret.String, error) {
	_, err := o.Store.For(org).Itself(ctx)
	if errors.Is(err, store.ErrNotFound) {
		var some []model.Organization
		if some, _, err = o.Store.OrganizationsPage(ctx, "", 1); err == nil && len(some) > 0 {
			return model.Invitation{}, secret.String{}, nil // it is set up, with organizations of other names
		}
		if err == nil {
			_, err = o.Create(ctx, org, "")
		}
	}
	if err != nil {
		return model.Invitation{}, secret.String{}, fmt.Errorf("set up organization %s: %w", org, err)
	}
	members, _, err := o.Store.For(org).MembersPage(ctx, "", 1)
	if err != nil || len(members) > 0 {
		return model.Invitation{}, secret.String{}, err
	}
	return o.Invite(ctx, org, administrator)
}

// InvitationLink is where whoever was invited accepts. What is behind "#" no browser sends,
// and no log has.
func InvitationLink(public string, token secret.String) secret.String {
	return secret.New(public + "/invitation#" + token.Reveal())
}

// RecoveryLink is where a person chooses a new password.
func RecoveryLink(public string, token secret.String) secret.String {
	return secret.New(public + "/recovery#" + token.Reveal())
}
