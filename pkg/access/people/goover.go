package people

import (
	"context"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// GoOver ends a session and goes on like a sign-in to another organization of the person's,
// by all that was proven for the session. What the other one requires besides comes next.
// One of single sign-on is of its organization alone.
func (s Service) GoOver(ctx context.Context, caller Caller, org model.OrganizationID, from From) (Step, error) {
	if err := itself(caller); err != nil {
		return Step{}, err
	}
	if org == "" {
		return Step{}, refuse(CodeNotMember, nil)
	}
	session, err := s.Store.People().Session(ctx, caller.Person, caller.Session)
	if err != nil {
		return Step{}, ended(err)
	}
	who, err := s.Store.People().Person(ctx, caller.Person)
	if err != nil {
		return Step{}, ended(err)
	}
	step, err := s.arrive(ctx, who, ticket{
		Person: who.ID, Epoch: session.Epoch, Until: s.Now().Add(ChallengeAge).UTC(), Device: deviceDigest(from.Device),
		Browser: from.Browser, Organization: org, Second: true, Since: session.Since(),
	}, from)
	if err == nil && step.Entry != nil {
		err = s.End(ctx, caller.Person, caller.Session)
	}
	return step, err
}
