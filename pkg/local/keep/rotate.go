package keep

import (
	"context"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// RotateExternalID puts a new External ID in the place of a connection's old one; an
// empty one makes one. The one before stays good until the role is seen to ask for the
// new one, however often this is done meanwhile.
func (c Connections) RotateExternalID(ctx context.Context, connection model.Connection, id secret.String) (secret.String, error) {
	if connection.AccessKey != nil || connection.RoleARN == "" {
		return id, inputf("account %s is not kept by a role, and needs no External ID", connection.AccountID)
	}
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil {
		return id, err
	}
	newest, err := c.ExternalID(ctx, connection)
	if err != nil {
		return id, err
	}
	switch id.Reveal() {
	case "":
		id = connect.NewExternalID()
	case newest.Reveal():
		return id, inputf("the role of account %s asks for that External ID already", connection.AccountID)
	}
	sealed, err := c.ids().Seal(ctx, local.Organization, connection.ID, id)
	if err != nil {
		return id, err
	}
	if access.Before == nil {
		access.Before = access.ExternalID
	}
	access.ExternalID = sealed
	return id, c.State.Records.PutAccess(ctx, connection.ID, access)
}

// way is the way into the connection's account. While its External ID is being
// replaced AWS is asked which one the role asks for: that shows as denied in the
// account's CloudTrail until it is the new one, and then the one before is forgotten.
func (c Connections) way(ctx context.Context, connection model.Connection, session string, calls ledger.Ledger) (client.Target, error) {
	target, err := c.Target(ctx, connection, session)
	if err != nil || connection.AccessKey != nil {
		return target, err
	}
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil || access.Before == nil {
		return target, err
	}
	open, err := c.Client.CanAssume(ctx, target, calls)
	if err != nil {
		return target, err
	}
	if open {
		access.Before = nil
		return target, c.State.Records.PutAccess(ctx, connection.ID, access)
	}
	before := target
	if before.ExternalID, err = c.ids().Open(ctx, local.Organization, connection.ID, access.Before); err != nil {
		return target, err
	}
	if open, err = c.Client.CanAssume(ctx, before, calls); err != nil || !open {
		return target, err
	}
	return before, nil
}
