package people

import (
	"context"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ChangeMember gives a member another role, other projects, or a suspension: next is the
// member as it was read, with what is changed. store.ErrLastAdministrator says that the
// organization would have no administrator, store.ErrConflict that somebody else changed
// the member first. It counts from the next request on.
func (s Service) ChangeMember(ctx context.Context, by model.Change, org model.OrganizationID, next model.Member) (model.Member, error) {
	o := s.Store.For(org)
	was, err := o.Member(ctx, next.Person)
	if err != nil {
		return next, err
	}
	if was.Version != next.Version {
		return next, store.ErrConflict
	}
	next.Since, next.InvitedAs = was.Since, was.InvitedAs
	if err := next.Check(); err != nil {
		return next, err
	}
	if was.Administers() && !next.Administers() {
		if err := o.StepDown(ctx, was); err != nil {
			return next, err
		}
	}
	return next, o.ChangeMember(ctx, by, &next)
}

// RemoveMember ends a membership as it was read, and the sessions in the organization;
// tokens of the member are good for nothing from then on. The errors are those of
// ChangeMember.
func (s Service) RemoveMember(ctx context.Context, by model.Change, org model.OrganizationID, m model.Member) error {
	o := s.Store.For(org)
	was, err := o.Member(ctx, m.Person)
	if err != nil {
		return err
	}
	if was.Version != m.Version {
		return store.ErrConflict
	}
	if was.Administers() {
		if err := o.StepDown(ctx, was); err != nil {
			return err
		}
	}
	return s.Store.People().Leave(ctx, org, by, was)
}

// EndMemberSessions ends those sessions and API tokens of a member that are of the
// organization: whoever else was in may have made the tokens.
func (s Service) EndMemberSessions(ctx context.Context, by model.Change, org model.OrganizationID, id model.PersonID) error {
	if _, err := s.Store.For(org).Member(ctx, id); err != nil {
		return err
	}
	if err := s.note(ctx, org, by, id, "sessions and API tokens ended"); err != nil {
		return err
	}
	if err := s.Store.People().EndSessions(ctx, id, func(x model.Session) bool { return x.Organization == org }); err != nil {
		return err
	}
	return s.endTokens(ctx, by, org, id)
}
