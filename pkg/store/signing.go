package store

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// SigningKey is the key by which the audits of an organization are signed.
type SigningKey struct {
	Public  []byte    `json:"public"`  // Ed25519, 32 bytes, in the clear
	Private []byte    `json:"private"` // its seed, sealed
	MadeAt  time.Time `json:"made_at"`
}

func (o *Organization) signingKeyKey() table.Key {
	return table.Key{PK: o.key("SIGNING"), SK: "key"}
}

// SigningKey reads the organization's signing key, or ErrNotFound.
func (o *Organization) SigningKey(ctx context.Context) (k SigningKey, err error) {
	if _, err = o.get(ctx, o.signingKeyKey(), &k); err != nil {
		return k, fmt.Errorf("signing key of organization %s: %w", o.id, err)
	}
	return k, nil
}

// PutSigningKey keeps the organization's first signing key; ErrConflict says that it
// has one, which stays.
func (o *Organization) PutSigningKey(ctx context.Context, k SigningKey) error {
	item, err := encode(o.signingKeyKey(), table.Key{}, 0, k)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write the signing key of organization %s: %w", o.id, err)
	}
	return nil
}
