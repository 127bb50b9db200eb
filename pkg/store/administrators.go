package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ErrLastAdministrator says that an organization would have no administrator who may do
// anything, and nobody who could make one.
var ErrLastAdministrator = errors.New("there is no other administrator who is not suspended")

// stepping says who of an organization may stop being an administrator now.
type stepping struct {
	Person model.PersonID `json:"person"`
}

func (o *Organization) steppingKey() table.Key {
	return table.Key{PK: o.key("STEPPING-DOWN"), SK: "member"}
}

// stepTries is how often somebody tries to step down while others do.
const stepTries = 10

// StepDown lets a member, as it was read, stop being an administrator: after it, and by no
// other way, the member is changed or removed as of that version. ErrLastAdministrator says
// that nobody else is one.
//
// There are no transactions, and two who look at the same moment see each other. So one
// record names who may step down, and whoever takes the place of another there writes that
// one's member as it is first: who stood there and has not done it yet finds a changed
// member, and begins anew. Of those who stand there one after the other, each therefore
// sees what the ones before did, or they do nothing. Who dies at any point leaves a name
// that binds nobody.
func (o *Organization) StepDown(ctx context.Context, m model.Member) error {
	for try := 1; ; try++ {
		err := o.tryStepDown(ctx, m)
		if !isConflict(err) || try == stepTries {
			if err != nil {
				return fmt.Errorf("member %s steps down: %w", m.Person, err)
			}
			return nil
		}
	}
}

func (o *Organization) tryStepDown(ctx context.Context, m model.Member) error {
	var s stepping
	item, err := o.get(ctx, o.steppingKey(), &s)
	if err != nil && !isMissing(err) {
		return err
	}
	if err == nil && s.Person != m.Person {
		if err := o.touch(ctx, members.key(o, string(s.Person))); err != nil {
			return err
		}
	}
	others := false
	for other, err := range o.Members(ctx) {
		if err != nil {
			return err
		}
		if others = other.Person != m.Person && other.Administers(); others {
			break
		}
	}
	if !others {
		return ErrLastAdministrator
	}
	written, err := encode(o.steppingKey(), table.Key{}, item.Version, stepping{m.Person})
	if err != nil {
		return err
	}
	return o.table.Put(ctx, written)
}

// touch writes a record as it is, so that whoever read it before cannot write it any more.
func (o *Organization) touch(ctx context.Context, k table.Key) error {
	item, err := o.table.Get(ctx, k)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return o.table.Put(ctx, item)
}
