package index_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// organizations are keepers of some organizations, each with a connection of 50 findings.
func organizations(t *testing.T, n, memory int) (*index.Keepers, []model.OrganizationID) {
	t.Helper()
	clock := func() time.Time { return began }
	all := &index.Keepers{Store: store.New(memtable.New(clock), today), Blobs: memblob.New(), Now: clock, Memory: memory}
	var ids []model.OrganizationID
	for i := range n {
		id := model.OrganizationID(fmt.Sprint("org", i))
		o := all.Store.For(id)
		if err := o.PutConnection(t.Context(), &model.Connection{ID: "c1", State: model.ConnectionActive}); err != nil {
			t.Fatal(err)
		}
		record := store.Scope{Parts: 1, Try: 1}
		if err := o.PutScope(t.Context(), "c1", "s3", &record); err != nil {
			t.Fatal(err)
		}
		for _, e := range relabel(estate(i, 50), "c1") {
			if err := o.PutFinding(t.Context(), "s3", 1, e.Finding); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.EndFindings(t.Context(), "c1", "s3", began); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return all, ids
}

func load(t *testing.T, k *index.Keeper) *index.View {
	t.Helper()
	v, err := k.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v.Len() != 50 {
		t.Errorf("organization %s has %d findings, want 50", k.ID, v.Len())
	}
	return v
}

// TestKeepersForget lets go of the organizations that were read the longest ago, and of no
// more than have to go.
func TestKeepersForget(t *testing.T) {
	t.Parallel()
	probe, ids := organizations(t, 1, 0)
	size := load(t, probe.For(ids[0])).Bytes()
	all, ids := organizations(t, 4, 3*size+size/2)
	keepers := map[model.OrganizationID]*index.Keeper{}
	for _, id := range ids[:3] {
		keepers[id] = all.For(id)
		load(t, keepers[id])
	}
	load(t, all.For(ids[0])) // the second is the oldest now
	load(t, all.For(ids[3]))
	for i, same := range []bool{true, false, true} {
		if id := ids[i]; (all.For(id) == keepers[id]) != same {
			t.Errorf("%s is kept: %t, want %t", id, !same, same)
		}
	}
	load(t, keepers[ids[1]]) // whoever has one that was let go of reads on

	small, ids := organizations(t, 2, 1)
	for range 2 {
		for _, id := range ids {
			k := small.For(id)
			load(t, k)
			if small.For(id) != k {
				t.Error("one that is larger than the memory is not kept while it is the only one")
			}
		}
	}
}

// TestKeepersAtOnce has many read, and be let go of, at once.
func TestKeepersAtOnce(t *testing.T) {
	t.Parallel()
	all, ids := organizations(t, 4, 1)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 20 {
				load(t, all.For(ids[(i+j)%len(ids)]))
			}
		})
	}
	group.Wait()
}

// stuck is a blob store that answers nobody.
type stuck struct{ blob.Store }

func (stuck) Get(ctx context.Context, _ string) (io.ReadCloser, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestPatience: nobody waits longer for an index than the patience lasts, also not for who
// makes it already, and somebody else is told. Whoever asks without that gets what there is.
func TestPatience(t *testing.T) {
	t.Parallel()
	all, ids := organizations(t, 1, 0)
	there := all.Blobs
	var told atomic.Int64
	hurried := &index.Keepers{
		Store: all.Store, Blobs: stuck{there}, Now: all.Now, Patience: 20 * time.Millisecond,
		Behind: func(_ context.Context, org model.OrganizationID) {
			if org == ids[0] {
				told.Add(1)
			}
		},
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := hurried.For(ids[0]).View(t.Context()); !errors.Is(err, index.ErrBuilding) {
				t.Errorf("%v, want that it is being made", err)
			}
		})
	}
	group.Wait()
	if told.Load() != 3 {
		t.Errorf("others were told %d times", told.Load())
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := hurried.For(ids[0]).View(gone); err == nil || errors.Is(err, index.ErrBuilding) {
		t.Errorf("who hung up is answered %v", err)
	}
	load(t, all.For(ids[0]))
}
