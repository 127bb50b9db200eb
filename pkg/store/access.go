package store

import (
	"context"
	"fmt"
	"time"

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
	// Generations and Since are those of ExternalIDs.
	Generations []int     `json:"generations,omitempty"`
	Since       time.Time `json:"since,omitzero"`

	Version int64 `json:"-"` // of the stored record
}

// ExternalIDs are those that the role may ask for.
func (a Access) ExternalIDs() ExternalIDs {
	e := ExternalIDs{Generations: a.Generations, Since: a.Since}
	for _, sealed := range [][]byte{a.ExternalID, a.Before} {
		if len(sealed) > 0 {
			e.Sealed = append(e.Sealed, sealed)
		}
	}
	return e
}

// SetExternalIDs changes those that the role may ask for: at most two.
func (a *Access) SetExternalIDs(e ExternalIDs) {
	a.ExternalID, a.Before, a.Generations, a.Since = nil, nil, e.Generations, e.Since
	if len(e.Sealed) > 0 {
		a.ExternalID = e.Sealed[0]
	}
	if len(e.Sealed) > 1 {
		a.Before = e.Sealed[1]
	}
}

func (o *Organization) accessRecord(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.key("ACCESS"), SK: string(connection)}
}

// Access reads how the account of a connection is reached, or ErrNotFound.
func (o *Organization) Access(ctx context.Context, connection model.ConnectionID) (a Access, err error) {
	item, err := o.get(ctx, o.accessRecord(connection), &a)
	if err != nil {
		return a, fmt.Errorf("access of connection %s: %w", connection, err)
	}
	a.Version = item.Version
	return a, nil
}

// PutAccess writes how the account of a connection is reached if that is unchanged since
// it was read, and moves its Version on; ErrConflict otherwise. A new one has version 0.
func (o *Organization) PutAccess(ctx context.Context, connection model.ConnectionID, a *Access) error {
	item, err := encode(o.accessRecord(connection), table.Key{}, a.Version, a)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write the access of connection %s: %w", connection, err)
	}
	a.Version++
	return nil
}

// DeleteAccess forgets how the account of a connection was reached.
func (o *Organization) DeleteAccess(ctx context.Context, connection model.ConnectionID) error {
	if err := o.table.Delete(ctx, o.accessRecord(connection)); err != nil {
		return fmt.Errorf("forget the access of connection %s: %w", connection, err)
	}
	return nil
}
