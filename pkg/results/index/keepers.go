package index

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// DefaultMemory is how many bytes of views a process keeps, unless it is told otherwise:
// about a million findings.
const DefaultMemory = 128 << 20

// Version is that of the objects that an index consists of: after an upgrade to a release
// of another, all are made anew.
const Version = segmentVersion

// Keepers has the keepers of all organizations of a process. It implements pipeline.Index.
// All methods are safe for concurrent use; its fields are not to be changed after the first.
type Keepers struct {
	Store *store.Store
	Blobs blob.Store
	Now   func() time.Time
	// Tags are those of a connection's resources, as far as they are known; nil knows none.
	Tags func(context.Context, model.OrganizationID, model.ConnectionID) (func(model.Ref) (map[string]string, bool), error)
	// Memory is the most bytes that all views take, unless one of them takes more; 0 is
	// DefaultMemory.
	Memory int
	// Patience is that of each Keeper. Of an index that could not be made in it, Behind is
	// told, if there is one, so that somebody makes it who has more time.
	Patience time.Duration
	Behind   func(context.Context, model.OrganizationID)

	mu   sync.Mutex
	kept map[model.OrganizationID]*kept
	uses int64
}

// kept is a keeper in memory.
type kept struct {
	*Keeper
	bytes atomic.Int64 // of its view
	used  int64        // by the count of uses, when it was used last
}

// For is the keeper of an organization: the same one each time, unless others were used more
// lately whose views take all of the memory.
func (all *Keepers) For(org model.OrganizationID) *Keeper {
	all.mu.Lock()
	defer all.mu.Unlock()
	k := all.kept[org]
	if k == nil {
		k = &kept{Keeper: all.one(org)}
		k.loaded = func(v *View) {
			k.bytes.Store(int64(v.Bytes()))
			all.mu.Lock()
			defer all.mu.Unlock()
			all.forget(org)
		}
		if all.kept == nil {
			all.kept = map[model.OrganizationID]*kept{}
		}
		all.kept[org] = k
	}
	all.uses++
	k.used = all.uses
	return k.Keeper
}

// one is a keeper that has nothing in memory.
func (all *Keepers) one(org model.OrganizationID) *Keeper {
	k := &Keeper{ID: org, Store: all.Store.For(org), Blobs: all.Blobs, Now: all.Now, Patience: all.Patience}
	if all.Behind != nil {
		k.behind = func(ctx context.Context) { all.Behind(ctx, org) }
	}
	if all.Tags != nil {
		k.Tags = func(ctx context.Context, connection model.ConnectionID) (func(model.Ref) (map[string]string, bool), error) {
			return all.Tags(ctx, org, connection)
		}
	}
	return k
}

// forget lets go of the keepers that were not used for the longest time, but not of one
// whose view was just loaded, until the others fit into the memory.
func (all *Keepers) forget(but model.OrganizationID) {
	sum := int64(0)
	var oldest []*kept
	for id, k := range all.kept {
		sum += k.bytes.Load()
		if id != but {
			oldest = append(oldest, k)
		}
	}
	slices.SortFunc(oldest, func(a, b *kept) int { return cmp.Compare(a.used, b.used) })
	for _, k := range oldest {
		if sum <= int64(cmp.Or(all.Memory, DefaultMemory)) {
			return
		}
		sum -= k.bytes.Load()
		delete(all.kept, k.ID)
	}
}

// Prepare implements pipeline.Index.
func (all *Keepers) Prepare(ctx context.Context, org model.OrganizationID, connection model.ConnectionID, by string) (store.Prepared, error) {
	return all.one(org).Prepare(ctx, connection, by)
}

// Renew implements pipeline.Index.
func (all *Keepers) Renew(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error {
	return all.one(org).Renew(ctx, connection)
}

// Forget implements pipeline.Index.
func (all *Keepers) Forget(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error {
	return all.one(org).Forget(ctx, connection)
}
