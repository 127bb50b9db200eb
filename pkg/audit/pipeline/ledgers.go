package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// Ledger is where the calls of one attempt at a task of an audit lie.
type Ledger struct {
	Task    model.TaskID
	Attempt string // a ULID; empty in audits of before attempts were kept apart
	Key     string // in the blob store
}

// ledgerEnd is how the keys of ledgers end, as Key makes them.
const ledgerEnd = ".ndjson.zst"

// LedgerKey is where a new attempt at a part of an audit puts its calls. No other
// attempt has the same key, so that none writes over what another one did.
func LedgerKey(org model.OrganizationID, audit model.Audit, part string) string {
	return Key("ledger", org, audit, part+"."+ulid.Make().String())
}

// Ledgers are those of an audit, in an order that stays: of connecting, then of
// each of its tasks by name, the attempts at each as they began. Besides those that
// are stored they are those that tasks name, which may be gone.
func Ledgers(ctx context.Context, from blob.Store, org model.OrganizationID, audit model.Audit, tasks []model.Task) ([]Ledger, error) {
	var all []Ledger
	prefix := strings.TrimSuffix(Key("ledger", org, audit, ""), ledgerEnd)
	for info, err := range from.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("ledgers of audit %s: %w", audit.ID, err)
		}
		all = append(all, ledgerAt(prefix, info.Key))
	}
	for _, t := range tasks {
		if t.Ledger != "" {
			all = append(all, ledgerAt(prefix, t.Ledger))
		}
	}
	slices.SortFunc(all, func(a, b Ledger) int {
		if first := (a.Task == connect); first != (b.Task == connect) {
			if first {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Attempt, b.Attempt))
	})
	return slices.Compact(all), nil
}

// ledgerAt takes a key apart.
func ledgerAt(prefix, key string) Ledger {
	part := strings.TrimSuffix(strings.TrimPrefix(key, prefix), ledgerEnd)
	if at := strings.LastIndexByte(part, '.'); at >= 0 {
		if _, err := ulid.ParseStrict(part[at+1:]); err == nil {
			return Ledger{Task: model.TaskID(part[:at]), Attempt: part[at+1:], Key: key}
		}
	}
	return Ledger{Task: model.TaskID(part), Key: key}
}

// How often the calls of a task that runs are stored, which is what a function
// that is killed can lose of them; and how long it may take to store them when the
// task has ended, also if it ended because its time was over.
const (
	ledgerEvery   = 30 * time.Second
	ledgerTimeout = 10 * time.Second
)

// recording is the ledger of one attempt at a task, which is stored whatever
// becomes of the attempt.
type recording struct {
	ledger.Memory
	pipeline *Pipeline
	key      string
	stop     context.CancelFunc
	storing  sync.WaitGroup
	stored   int // how many calls were stored
}

// record begins the ledger of an attempt. Whoever calls it must call end.
func (p *Pipeline) record(ctx context.Context, org model.OrganizationID, audit model.Audit, part string) *recording {
	r := &recording{pipeline: p, key: LedgerKey(org, audit, part)}
	ctx, r.stop = context.WithCancel(ctx)
	r.storing.Go(func() {
		tick := time.NewTicker(ledgerEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = r.store(ctx, false) // what is not stored now is stored later
			}
		}
	})
	return r
}

// end stores all calls. Of an attempt that failed before its first call there is
// nothing to store; of one that came to its end a ledger without calls says so.
func (r *recording) end(ctx context.Context, failed error) error {
	r.stop()
	r.storing.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTimeout)
	defer cancel()
	return r.store(ctx, failed == nil)
}

func (r *recording) store(ctx context.Context, always bool) error {
	calls := r.Entries()
	if len(calls) == r.stored && !always {
		return nil
	}
	if err := r.pipeline.WriteLedger(ctx, r.key, calls); err != nil {
		return err
	}
	r.stored = len(calls)
	return nil
}
