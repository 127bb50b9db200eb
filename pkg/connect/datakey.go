package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// dataKey is the data key of a record; it is made the first time.
func dataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, scope secret.Scope) (secret.DataKey, error) {
	key, err := openDataKey(ctx, records, keys, scope)
	if !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	fresh, err := keys.Generate(ctx, scope)
	if err != nil {
		return secret.DataKey{}, fmt.Errorf("data key of %s of organization %s: %w", scope.Record, scope.Organization, err)
	}
	err = records.PutDataKey(ctx, scope.Record, fresh.Wrapped)
	if errors.Is(err, store.ErrConflict) { // somebody else's is the one that is kept
		return openDataKey(ctx, records, keys, scope)
	}
	return fresh, err
}

// openDataKey is the data key of a record, or store.ErrNotFound.
func openDataKey(ctx context.Context, records *store.Organization, keys secret.Wrapper, scope secret.Scope) (secret.DataKey, error) {
	wrapped, err := records.DataKey(ctx, scope.Record)
	if err != nil {
		return secret.DataKey{}, err
	}
	key, err := keys.Unwrap(ctx, scope, wrapped)
	if err != nil {
		return key, fmt.Errorf("data key of %s of organization %s: %w", scope.Record, scope.Organization, err)
	}
	return key, nil
}
