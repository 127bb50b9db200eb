package keep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// RotateExternalID puts a new External ID in the place of a connection's old one; an
// empty one makes one. Both are good until the role is seen to ask for the new one. Until
// then that is given again to whoever asks for a new one, another is refused, and the one
// before takes the change back.
func (c Connections) RotateExternalID(ctx context.Context, connection model.Connection, id secret.String) (secret.String, error) {
	if connection.AccessKey != nil || connection.RoleARN == "" {
		return id, inputf("account %s is not kept by a role, and needs no External ID", connection.AccountID)
	}
	for {
		access, err := c.State.Records.Access(ctx, connection.ID)
		if err != nil {
			return id, err
		}
		next, changed, err := c.rotate(ctx, connection, &access, id)
		if err != nil || !changed {
			return next, err
		}
		if err := c.State.Records.PutAccess(ctx, connection.ID, &access); !errors.Is(err, store.ErrConflict) {
			return next, err
		}
	}
}

func (c Connections) rotate(ctx context.Context, connection model.Connection, access *store.Access, id secret.String) (next secret.String, changed bool, err error) {
	ids := access.ExternalIDs()
	known, err := c.open(ctx, connection, ids)
	if err != nil {
		return id, false, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	newest := known[0].ID
	switch {
	case ids.Staged() && (id.Empty() || id.Reveal() == newest.Reveal()):
		return newest, false, nil
	case id.Reveal() == newest.Reveal():
		return id, false, inputf("the role of account %s asks for that External ID already", connection.AccountID)
	case ids.Staged() && id.Reveal() == known[1].ID.Reveal():
		ids.TakeBack(now)
	case ids.Staged():
		return id, false, inputf("the External ID of account %s is being replaced: have its role ask for the new one (cloudarq connections show %s --reveal-external-id), then run cloudarq connections test %s, and replace that; or give the one before to take the change back",
			connection.AccountID, connection.ID, connection.ID)
	default:
		if id.Empty() {
			id = connect.NewExternalID()
		}
		sealed, err := c.ids().Seal(ctx, local.Organization, connection.ID, id)
		if err != nil {
			return id, false, err
		}
		if err := ids.Rotate(sealed, now, ""); err != nil {
			return id, false, err
		}
	}
	access.SetExternalIDs(ids)
	return id, true, nil
}

// open opens the External IDs that the connection's role may ask for, the newest first.
func (c Connections) open(ctx context.Context, connection model.Connection, ids store.ExternalIDs) ([]connect.ExternalID, error) {
	var all []connect.ExternalID
	for generation, sealed := range ids.All {
		id, err := c.ids().Open(ctx, local.Organization, connection.ID, sealed)
		if err != nil {
			return nil, err
		}
		all = append(all, connect.ExternalID{Generation: generation, ID: id})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no External ID is kept of connection %s", connection.ID)
	}
	return all, nil
}

// way is the way into the connection's account.
func (c Connections) way(ctx context.Context, connection model.Connection, session string) (connect.Way, error) {
	target, err := c.Target(ctx, connection, session)
	if err != nil || connection.AccessKey != nil {
		return connect.Way{Target: target}, err
	}
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil {
		return connect.Way{}, err
	}
	ids, err := c.open(ctx, connection, access.ExternalIDs())
	return connect.Way{
		Records: c.State.Records, Connection: connection.ID, Target: target, IDs: ids, Newest: true,
		Still: func(ctx context.Context, generation int) (bool, error) { return c.still(ctx, connection, generation) },
		Now:   time.Now, Every: connect.VerifyEvery,
	}, err
}

// still reports whether an External ID is good, and has whoever is about to retire it
// look again.
func (c Connections) still(ctx context.Context, connection model.Connection, generation int) (bool, error) {
	for {
		access, err := c.State.Records.Access(ctx, connection.ID)
		if err != nil || !access.ExternalIDs().Has(generation) {
			return false, err
		}
		if err := c.State.Records.PutAccess(ctx, connection.ID, &access); !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
	}
}

// retire forgets the External ID before the newest, if the role was last opened with the
// newest.
func (c Connections) retire(ctx context.Context, connection model.Connection) error {
	if connection.AccessKey != nil {
		return nil
	}
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil {
		return err
	}
	// Whoever opens the role with an older one meanwhile notes that, and then writes the
	// access: see still.
	verified, err := c.State.Records.Verified(ctx, connection.ID)
	ids := access.ExternalIDs()
	if err != nil || !ids.Staged() || verified.Generation(connection.RoleARN) != ids.Newest() {
		return err
	}
	ids.Retire()
	access.SetExternalIDs(ids)
	if err := c.State.Records.PutAccess(ctx, connection.ID, &access); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil // somebody else is at it: the next time that the role is opened
}
