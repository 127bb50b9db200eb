package store

import (
	"context"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Access is how the local command gets into the account of a connection, beside
// its role.
type Access struct {
	Profile    string `json:"profile,omitempty"` // of the AWS configuration; empty means the default credentials
	ExternalID []byte `json:"external_id"`       // sealed by the connection's data key
	// Before is the External ID that the role was last seen to ask for, sealed, while
	// another takes its place.
	Before []byte `json:"before,omitempty"`
}

func (o *Organization) accessRecord(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.key("ACCESS"), SK: string(connection)}
}

// Access reads how the account of a connection is reached, or ErrNotFound.
func (o *Organization) Access(ctx context.Context, connection model.ConnectionID) (a Access, err error) {
	if _, err = o.get(ctx, o.accessRecord(connection), &a); err != nil {
		return a, fmt.Errorf("access of connection %s: %w", connection, err)
	}
	return a, nil
}

// PutAccess writes how the account of a connection is reached over what was
// there.
func (o *Organization) PutAccess(ctx context.Context, connection model.ConnectionID, a Access) error {
	item, err := encode(o.accessRecord(connection), table.Key{}, 0, a)
	if err != nil {
		return err
	}
	if err := o.table.PutMany(ctx, []table.Item{item}); err != nil {
		return fmt.Errorf("write the access of connection %s: %w", connection, err)
	}
	return nil
}

// DeleteAccess forgets how the account of a connection was reached.
func (o *Organization) DeleteAccess(ctx context.Context, connection model.ConnectionID) error {
	if err := o.table.Delete(ctx, o.accessRecord(connection)); err != nil {
		return fmt.Errorf("forget the access of connection %s: %w", connection, err)
	}
	return nil
}
