package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// dataKey is the data key of a record; it is made the first time.
func dataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, scope secret.Scope) (secret.DataKey, error) {
	key, err := openDataKey(ctx, records, keys, scope)
	if !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	key, err = makeDataKey(ctx, records, keys, scope)
	if errors.Is(err, store.ErrConflict) { // somebody else's is the one that is kept
		return openDataKey(ctx, records, keys, scope)
	}
	return key, err
}

func makeDataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, scope secret.Scope) (secret.DataKey, error) {
	release, err := secret.Hold(ctx, keys)
	if err != nil {
		return secret.DataKey{}, err
	}
	defer release()
	key, err := keys.Generate(ctx, scope)
	if err != nil {
		return secret.DataKey{}, ofDataKey(scope, err)
	}
	return key, records.PutDataKey(ctx, scope.Record, key.Wrapped)
}

// openDataKey is the data key of a record, or store.ErrNotFound.
func openDataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, scope secret.Scope) (secret.DataKey, error) {
	stored, err := records.DataKey(ctx, scope.Record)
	if err != nil {
		return secret.DataKey{}, err
	}
	for {
		key, err := keys.Unwrap(ctx, scope, stored.Wrapped)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, secret.ErrSealed) {
			return secret.DataKey{}, ofDataKey(scope, err)
		}
		// It may have been wrapped anew since it was read, and the master key dropped.
		now, e := records.DataKey(ctx, scope.Record)
		if e != nil {
			return secret.DataKey{}, e
		}
		if now.Version == stored.Version {
			return secret.DataKey{}, ofDataKey(scope, err)
		}
		stored = now
	}
}

func ofDataKey(scope secret.Scope, err error) error {
	return fmt.Errorf("data key of %s of organization %s: %w", scope.Record, scope.Organization, err)
}
