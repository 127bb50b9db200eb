package connect

import (
	"context"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Mover wraps data keys by another master key, while the old one lives.
type Mover interface {
	// Move wraps a data key anew; moved is false for one that was wrapped so before. One
	// that neither key opens is secret.ErrSealed.
	Move(ctx context.Context, owner secret.Owner, wrapped []byte) (anew []byte, moved bool, err error)
	// Moved opens a data key by the new master key alone, or returns secret.ErrSealed.
	Moved(ctx context.Context, owner secret.Owner, wrapped []byte) error
}

// Resealing seals everything by a new master key, whose region may be another: the data
// keys of all organizations are wrapped by it. What they sealed stays as it is. It may
// die between any two calls and be run again.
type Resealing struct {
	Store *store.Store
	Keys  Mover
	// Items are those of the whole table, as they are when they are asked for.
	Items iter.Seq2[table.Item, error]
}

// Resealed is what came of a Resealing.
type Resealed struct {
	Organizations int `json:"organizations"` // whose data keys they are, but for the installation's own
	DataKeys      int `json:"data_keys"`     // wrapped by the new master key now
	Before        int `json:"before"`        // were wrapped by it already
	Gone          int `json:"gone"`          // deleted meanwhile
	Damaged       int `json:"damaged"`       // opened by neither key: they stay as they are
	// Proven are those that the new master key opened when all were read again.
	Proven int `json:"proven"`
}

// resealAtOnce is how many data keys are wrapped at once: two calls to KMS and one to
// the table each, far below KMS's quota of 5,500 a second in the smallest regions.
// https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
const resealAtOnce = 8

// All wraps every data key, and then reads all of them again and opens each by the new
// key. The error tells of those that do not open, when all else is done; any other ends
// the work.
func (r Resealing) All(ctx context.Context) (Resealed, error) {
	var done Resealed
	var mu sync.Mutex
	var damaged []error
	organizations := map[model.OrganizationID]bool{}
	err := r.each(ctx, func(ctx context.Context, k store.OwnedDataKey) error {
		moved, err := r.move(ctx, k)
		mu.Lock()
		defer mu.Unlock()
		if k.Organization != store.InstallationOwner {
			organizations[k.Organization] = true
		}
		switch {
		case errors.Is(err, secret.ErrSealed):
			done.Damaged++
			damaged = append(damaged, err)
			return nil
		case errors.Is(err, store.ErrNotFound):
			done.Gone++
			return nil
		case err != nil:
			return err
		case moved:
			done.DataKeys++
		default:
			done.Before++
		}
		return nil
	})
	done.Organizations = len(organizations)
	if err != nil {
		return done, err
	}
	err = r.each(ctx, func(ctx context.Context, k store.OwnedDataKey) error {
		err := r.Keys.Moved(ctx, ownerOfDataKey(k), k.Wrapped)
		if errors.Is(err, secret.ErrSealed) {
			return nil // named above, or given to somebody who works with the old key still: it is not proven
		}
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			done.Proven++
		}
		return err
	})
	return done, errors.Join(append(damaged, err)...)
}

// Complete reports whether all data keys were seen to open by the new master key.
func (r Resealed) Complete() bool {
	return r.Damaged == 0 && r.Proven == r.DataKeys+r.Before
}

// each does work for all data keys of the table, some at once.
func (r Resealing) each(ctx context.Context, work func(context.Context, store.OwnedDataKey) error) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(resealAtOnce)
	for k, err := range store.DataKeys(r.Items) {
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		if gctx.Err() != nil {
			break
		}
		group.Go(func() error { return work(gctx, k) })
	}
	return group.Wait()
}

// move wraps a data key anew, and again if somebody wrote it meanwhile.
func (r Resealing) move(ctx context.Context, k store.OwnedDataKey) (moved bool, err error) {
	records := r.Store.DataKeysOf(k.Organization)
	for {
		anew, moved, err := r.Keys.Move(ctx, ownerOfDataKey(k), k.Wrapped)
		if err != nil {
			return false, datakey.Wrong(ownerOfDataKey(k), err)
		}
		if !moved {
			return false, nil
		}
		if err := records.ReplaceDataKey(ctx, k.DataKey, anew); !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
		if k.DataKey, err = records.DataKey(ctx, k.Record); err != nil {
			return false, err
		}
	}
}

func ownerOfDataKey(k store.OwnedDataKey) secret.Owner {
	return secret.Owner{Organization: string(k.Organization), Record: k.Record}
}
