package store_test

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// TestTakeCalls: of tasks that take at once no two have the same calls, all together have
// no more than the budget, and what is given back is there for others.
func TestTakeCalls(t *testing.T) {
	t.Parallel()
	org := store.New(tables.New(time.Now), nil).For("acme")
	audit := model.Audit{ID: "a", Connection: "c", CallBudget: 1000}
	taken := make([]int, 16)
	var tasks errgroup.Group
	for i := range taken {
		tasks.Go(func() error {
			for {
				n, err := org.TakeCalls(t.Context(), audit, 7)
				if n == 0 || err != nil {
					return err
				}
				taken[i] += n
			}
		})
	}
	if err := tasks.Wait(); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range taken {
		sum += n
	}
	if sum != 1000 {
		t.Errorf("%d calls were taken of 1000", sum)
	}
	if _, err := org.TakeCalls(t.Context(), audit, -5); err != nil {
		t.Fatal(err)
	}
	if n, err := org.TakeCalls(t.Context(), audit, 7); n != 5 || err != nil {
		t.Errorf("%d calls, %v, after 5 were given back", n, err)
	}
	if n, err := org.TakeCalls(t.Context(), model.Audit{ID: "b", Connection: "c", CallBudget: 100}, 7); n != 7 || err != nil {
		t.Errorf("another audit has %d, %v", n, err)
	}
}
