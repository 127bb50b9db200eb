// Package datakey makes and opens the data keys of records, by which everything secret is
// sealed.
package datakey

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Get is the data key of a record; it is made the first time.
func Get(ctx context.Context, records store.DataKeyRecords, keys secret.Wrapper, owner secret.Owner) (secret.DataKey, error) {
	key, err := Open(ctx, records, keys, owner)
	if !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	key, err = create(ctx, records, keys, owner)
	if errors.Is(err, store.ErrConflict) { // somebody else's is the one that is kept
		return Open(ctx, records, keys, owner)
	}
	return key, err
}

func create(ctx context.Context, records store.DataKeyRecords, keys secret.Wrapper, owner secret.Owner) (secret.DataKey, error) {
	release, err := secret.Hold(ctx, keys)
	if err != nil {
		return secret.DataKey{}, err
	}
	defer release()
	key, err := keys.Generate(ctx, owner)
	if err != nil {
		return secret.DataKey{}, Wrong(owner, err)
	}
	return key, records.PutDataKey(ctx, owner.Record, key.Wrapped)
}

// Open is the data key of a record, or store.ErrNotFound.
func Open(ctx context.Context, records store.DataKeyRecords, keys secret.Wrapper, owner secret.Owner) (secret.DataKey, error) {
	stored, err := records.DataKey(ctx, owner.Record)
	if err != nil {
		return secret.DataKey{}, err
	}
	for {
		key, err := keys.Unwrap(ctx, owner, stored.Wrapped)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, secret.ErrSealed) {
			return secret.DataKey{}, Wrong(owner, err)
		}
		// It may have been wrapped anew since it was read, and the master key dropped.
		now, e := records.DataKey(ctx, owner.Record)
		if e != nil {
			return secret.DataKey{}, e
		}
		if now.Version == stored.Version {
			return secret.DataKey{}, Wrong(owner, err)
		}
		stored = now
	}
}

// Wrong is an error of the data key of an owner.
func Wrong(owner secret.Owner, err error) error {
	return fmt.Errorf("data key of %s of organization %s: %w", owner.Record, owner.Organization, err)
}
