package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// dataKey is the data key of a record; it is made the first time.
func dataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, owner secret.Owner) (secret.DataKey, error) {
	key, err := openDataKey(ctx, records, keys, owner)
	if !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	key, err = makeDataKey(ctx, records, keys, owner)
	if errors.Is(err, store.ErrConflict) { // somebody else's is the one that is kept
		return openDataKey(ctx, records, keys, owner)
	}
	return key, err
}

func makeDataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, owner secret.Owner) (secret.DataKey, error) {
	release, err := secret.Hold(ctx, keys)
	if err != nil {
		return secret.DataKey{}, err
	}
	defer release()
	key, err := keys.Generate(ctx, owner)
	if err != nil {
		return secret.DataKey{}, ofDataKey(owner, err)
	}
	return key, records.PutDataKey(ctx, owner.Record, key.Wrapped)
}

// openDataKey is the data key of a record, or store.ErrNotFound.
func openDataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, owner secret.Owner) (secret.DataKey, error) {
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
			return secret.DataKey{}, ofDataKey(owner, err)
		}
		// It may have been wrapped anew since it was read, and the master key dropped.
		now, e := records.DataKey(ctx, owner.Record)
		if e != nil {
			return secret.DataKey{}, e
		}
		if now.Version == stored.Version {
			return secret.DataKey{}, ofDataKey(owner, err)
		}
		stored = now
	}
}

func ofDataKey(owner secret.Owner, err error) error {
	return fmt.Errorf("data key of %s of organization %s: %w", owner.Record, owner.Organization, err)
}
