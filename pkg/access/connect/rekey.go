package connect

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Rekeying wraps data keys anew, by the newest master key, while work goes on: what
// they sealed stays as it is.
//
// Data keys of the installation are those of store.InstallationOwner.
type Rekeying struct {
	Store *store.Store
	Keys  secret.Wrapper
}

// Page wraps one page of an organization's data keys anew. It says how many, and
// what continues it; empty at the end. The error tells of all keys of the page that
// do not open, and these stay as they are; next goes on after them, too. Any other
// error has no next.
func (r Rekeying) Page(ctx context.Context, org model.OrganizationID, cursor string, limit int) (rekeyed int, next string, err error) {
	keys, next, err := r.Store.DataKeysOf(org).DataKeysPage(ctx, cursor, limit)
	if err != nil {
		return 0, "", err
	}
	var damaged []error
	for _, k := range keys {
		done, err := r.rekey(ctx, org, k)
		switch {
		case errors.Is(err, secret.ErrSealed):
			damaged = append(damaged, err)
		case err != nil:
			return rekeyed, "", err
		case done:
			rekeyed++
		}
	}
	return rekeyed, next, errors.Join(damaged...)
}

// All wraps all data keys of some organizations anew, and says how many. The error
// tells of those that do not open.
func (r Rekeying) All(ctx context.Context, orgs ...model.OrganizationID) (rekeyed int, err error) {
	const page = 100
	var damaged []error
	for _, org := range orgs {
		for cursor, more := "", true; more; more = cursor != "" {
			n, next, err := r.Page(ctx, org, cursor, page)
			rekeyed += n
			if err != nil && !errors.Is(err, secret.ErrSealed) {
				return rekeyed, err
			}
			if err != nil {
				damaged = append(damaged, err)
			}
			cursor = next
		}
	}
	return rekeyed, errors.Join(damaged...)
}

// rekey wraps a data key anew. It reports false for one that is gone.
func (r Rekeying) rekey(ctx context.Context, org model.OrganizationID, k store.DataKey) (done bool, err error) {
	release, err := secret.Hold(ctx, r.Keys)
	if err != nil {
		return false, err
	}
	defer release()
	records, owner := r.Store.DataKeysOf(org), secret.Owner{Organization: string(org), Record: k.Record}
	for {
		anew, err := r.Keys.Rewrap(ctx, owner, k.Wrapped)
		if err == nil {
			err = records.ReplaceDataKey(ctx, k, anew)
		} else {
			err = datakey.Wrong(owner, err)
		}
		moved := errors.Is(err, store.ErrConflict) || errors.Is(err, secret.ErrSealed)
		if !moved {
			return err == nil, err
		}
		// Somebody else may have wrapped it anew since it was read, or deleted it.
		now, e := records.DataKey(ctx, k.Record)
		switch {
		case errors.Is(e, store.ErrNotFound):
			return false, nil
		case e != nil:
			return false, e
		case now.Version == k.Version:
			return false, err
		}
		k = now
	}
}

// Wrapped yields all data keys of some organizations as they are wrapped.
func (r Rekeying) Wrapped(ctx context.Context, orgs ...model.OrganizationID) iter.Seq2[[]byte, error] {
	const page = 1000
	return func(yield func([]byte, error) bool) {
		for _, org := range orgs {
			for cursor, more := "", true; more; more = cursor != "" {
				keys, next, err := r.Store.DataKeysOf(org).DataKeysPage(ctx, cursor, page)
				if err != nil {
					yield(nil, fmt.Errorf("list wrapped keys: %w", err))
					return
				}
				for _, k := range keys {
					if !yield(k.Wrapped, nil) {
						return
					}
				}
				cursor = next
			}
		}
	}
}
