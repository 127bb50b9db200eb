package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	blobs "github.com/cloudarq/cloudarq/internal/memblob"
	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	queues "github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// seen is a table that knows which keys were ever written.
type seen struct {
	table.Table
	mu   sync.Mutex
	keys map[table.Key]bool
}

func (s *seen) Put(ctx context.Context, it table.Item) error {
	s.mu.Lock()
	s.keys[it.Key] = true
	s.mu.Unlock()
	return s.Table.Put(ctx, it)
}

func (s *seen) PutMany(ctx context.Context, its []table.Item) error {
	s.mu.Lock()
	for _, it := range its {
		s.keys[it.Key] = true
	}
	s.mu.Unlock()
	return s.Table.PutMany(ctx, its)
}

// left is all that is in the table, but for when the organization's trends are due, and the
// mark of what is purged, which no receipt counts.
func (s *seen) left(t *testing.T) map[string]string {
	t.Helper()
	left := map[string]string{}
	for k := range s.keys {
		if strings.HasSuffix(k.PK, "#ROLLUP") || strings.Contains(k.PK, "#MARK#") && k.SK == "c-1" {
			continue
		}
		if it, err := s.Get(t.Context(), k); err == nil {
			left[k.PK+" / "+k.SK] = string(it.Body)
		} else if !errors.Is(err, table.ErrNotFound) {
			t.Fatal(err)
		}
	}
	return left
}

// piecemeal deletes many things in several steps, as DynamoDB and S3 do: whoever
// dies may have done some of them.
type piecemeal struct{ table.Table }

func (p piecemeal) DeleteMany(ctx context.Context, ks []table.Key) error {
	for some := range slices.Chunk(ks, 400) {
		if err := p.Table.DeleteMany(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

type piecemealBlobs struct{ blob.Store }

func (p piecemealBlobs) DeleteMany(ctx context.Context, keys []string) error {
	for some := range slices.Chunk(keys, 400) {
		if err := p.Store.DeleteMany(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// purged is a deployment in which one connection of three is deleted.
type purged struct {
	*pipeline.Pipeline
	t       *testing.T
	table   *seen
	objects *blobs.Store
	broker  *queues.Broker
	purges  *queues.Queue
	now     time.Time
	within  time.Duration // of each run of the function; 0 means no bound
	m       *mortal
	records *store.Organization
}

func newPurged(t *testing.T, m *mortal) *purged {
	t.Helper()
	p := &purged{t: t, objects: blobs.New(), broker: queues.New(queues.Options{MaxReceives: 12}), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), m: m}
	clock := func() time.Time { return p.now }
	p.table = &seen{Table: tables.New(clock), keys: map[table.Key]bool{}}
	p.purges = p.broker.Queue("purges")
	p.Pipeline = &pipeline.Pipeline{
		Catalog: house(), Store: store.New(piecemeal{mortalTable{p.table, m}}, house().Severity), Evidence: piecemealBlobs{mortalBlobs{p.objects, m}},
		Tasks: p.broker.Queue("tasks"), Results: p.broker.Queue("results"), Purges: mortalQueue{p.purges, "purges", m},
		Progress: pipeline.Silent{}, Now: clock, PurgeAfter: 20 * time.Minute,
	}
	p.records = store.New(p.table, house().Severity).For("acme")
	return p
}

// fill keeps something of every kind of a connection: so many findings in a scope
// of one partition and in one of 16, audits, and blobs.
func (p *purged) fill(org model.OrganizationID, id model.ConnectionID, findings, audits, objects int) model.Connection {
	p.t.Helper()
	ctx := p.t.Context()
	check := func(err error) {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
	}
	records := store.New(p.table, house().Severity).For(org)
	c := model.Connection{ID: id, AccountID: account, CreatedAt: p.now, State: model.ConnectionActive}
	check(records.PutConnection(ctx, &c))
	check(records.PutNextAudit(ctx, id, p.now.Add(time.Hour)))
	check(records.ChangeVerified(ctx, id, func(v *store.Verified) { v.Way = "role" }))
	check(records.PutAccess(ctx, id, &store.Access{Profile: "p"}))
	check(records.PutDataKey(ctx, string(id), []byte("key")))
	check(records.PutAccessKey(ctx, id, store.SealedAccessKey{ID: "AKIA"}))
	for i := range audits {
		a := model.Audit{ID: model.AuditID(fmt.Sprintf("%s-%s-%04d", org, id, i)), Connection: id, State: model.AuditDone, StartedAt: p.now}
		if i == audits-1 {
			a.State = model.AuditRunning
		}
		check(records.PutAudit(ctx, &a))
		check(records.PutTasks(ctx, []model.Task{{ID: "house", Audit: a.ID}, {ID: "garden", Audit: a.ID}}))
		// As versions before this one left it.
		check(p.table.PutMany(ctx, []table.Item{{Key: table.Key{PK: fmt.Sprintf("O#%s#OUTBOX#%s", org, a.ID), SK: "house"}}}))
		check(records.PutBound(ctx, a, p.now.Add(9*time.Hour)))
	}
	// As raw items: of a scope that the catalogue has, and of one that only has a record.
	var items []table.Item
	for i := range findings {
		id := fmt.Sprintf("%08x", i*2654435761)
		items = append(items,
			table.Item{Key: table.Key{PK: fmt.Sprintf("O#%s#FINDING#%s#house", org, c.ID), SK: id}, Index: table.Key{PK: "O#" + string(org) + "#FINDINGS#" + id[:2], SK: id}},
			table.Item{Key: table.Key{PK: fmt.Sprintf("O#%s#FINDING#%s#garden#%s", org, c.ID, id[:1]), SK: id}})
	}
	for _, scope := range []string{"house", "garden", "end-audit"} {
		items = append(items, table.Item{Key: table.Key{PK: fmt.Sprintf("O#%s#SCOPE#%s", org, c.ID), SK: scope}, Body: []byte(`{"parts":16}`)})
	}
	check(p.table.PutMany(ctx, items))
	for i := range objects {
		for _, what := range []string{"evidence", "ledger", "changes"} {
			check(p.objects.Put(ctx, fmt.Sprintf("%s/org=%s/connection=%s/date=2026-01-01/audit=%04d/service=house.ndjson.zst", what, org, id, i), strings.NewReader("x")))
		}
	}
	return c
}

func (p *purged) blobs() (keys []string) {
	for info, err := range p.objects.List(p.t.Context(), "") {
		if err != nil {
			p.t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

// purge lets the clock tick and the function run until the connection is gone.
func (p *purged) purge(c model.Connection) (messages int) {
	p.t.Helper()
	p.now = p.now.Add(p.PurgeAfter)
	work := func(ctx context.Context, message queue.Message) error {
		defer p.m.restart()
		messages++
		if p.within > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, p.within)
			defer cancel()
		}
		return p.RunPurge(ctx, message)
	}
	for minute := 0; ; minute++ {
		_, err := p.Tick(p.t.Context())
		if died := p.m.restart(); err != nil && !died {
			p.t.Fatal(err)
		}
		if err := p.broker.Walk(p.t.Context(), queues.Worker{Queue: p.purges, Handle: work}); err != nil {
			p.t.Fatal(err)
		}
		if dead := p.purges.Dead(); len(dead) > 0 {
			p.t.Fatalf("dead letter: %v", dead[0].Err)
		}
		_, err = p.records.AnyConnection(p.t.Context(), c.ID)
		due := false
		for what, e := range p.Store.Chores(p.t.Context(), p.now.Add(time.Hour)) {
			due = due || e == nil && what.Connection != ""
		}
		if errors.Is(err, store.ErrNotFound) && !due {
			return messages
		}
		if minute > 60 {
			p.t.Fatalf("after an hour the purge still goes on, killed at %s", p.m.killed())
		}
		p.now = p.now.Add(time.Minute)
	}
}

// TestDeathInAPurge kills a purge before and after each of its side effects, in
// runs that end after each page, and in one run. Nothing of the connection is left
// but its receipt, which counts everything once; nothing of others is touched.
func TestDeathInAPurge(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]time.Duration{"in one run": 0, "a page a run": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			die := func(at int, after bool) (effects int) {
				t.Helper()
				m := &mortal{}
				p := newPurged(t, m)
				p.within, p.Spare = within, time.Hour
				p.fill("acme", "c-10", 30, 2, 2)
				p.fill("acme2", "c-1", 30, 2, 2)
				if err := p.Stop(t.Context(), model.Change{}, "acme", "c-10", "acme-c-10-0001", model.AuditCancelled, ""); err != nil {
					t.Fatal(err)
				}
				others, theirs := p.table.left(t), p.blobs()
				c := p.fill("acme", "c-1", 700, 9, 500)
				if _, err := p.Delete(t.Context(), model.Change{}, "acme", c); err != nil {
					t.Fatal(err)
				}
				want := model.Receipt{Connection: c.ID, DeletedAt: p.now, Objects: len(p.blobs()) - len(theirs)}
				for key := range p.table.left(t) {
					if _, theirs := others[key]; !theirs && !strings.Contains(key, "#RECEIPT") && !strings.Contains(key, "#CLOCK#PURGE") {
						want.Records++
					}
				}
				if want.Records < 1400+9*5 || want.Objects != 1500 {
					t.Fatalf("too little to purge: %+v", want)
				}
				m.effects, m.at, m.after = nil, at, after
				messages := p.purge(c)
				if at == 0 && within > 0 && messages < 3 {
					t.Errorf("%d messages for several pages of a run each", messages)
				}
				point := fmt.Sprintf("killed at %d (%s), after it: %v", at, m.killed(), after)
				got, err := p.records.Receipt(t.Context(), c.ID)
				if err != nil || got.PurgedAt.IsZero() {
					t.Errorf("%s: receipt %+v, %v", point, got, err)
				}
				got.PurgedAt = time.Time{}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s: receipt (-want +got):\n%s", point, d)
				}
				left := p.table.left(t)
				delete(left, "O#acme#RECEIPT / c-1")
				if d := cmp.Diff(others, left); d != "" {
					t.Errorf("%s: records (-others +left):\n%s", point, d)
				}
				if d := cmp.Diff(theirs, p.blobs()); d != "" {
					t.Errorf("%s: blobs (-others +left):\n%s", point, d)
				}
				return len(m.effects)
			}
			effects := die(0, false)
			if effects < 12 {
				t.Fatalf("%d effects", effects)
			}
			for at := 1; at <= effects && !t.Failed(); at++ {
				die(at, false)
				die(at, true)
			}
			t.Logf("%d points", 2*effects)
		})
	}
}

// TestPurgesAtOnce: of several that purge the same at once, each ends well, and
// together they count everything once.
func TestPurgesAtOnce(t *testing.T) {
	t.Parallel()
	p := newPurged(t, &mortal{})
	c := p.fill("acme", "c-1", 3000, 5, 900)
	if _, err := p.Delete(t.Context(), model.Change{}, "acme", c); err != nil {
		t.Fatal(err)
	}
	want := model.Receipt{Records: len(p.table.left(t)) - 2, Objects: 2700} // without receipt and clock
	for range 3 {
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if err := p.Purge(t.Context(), "acme", c.ID); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	got, err := p.records.Receipt(t.Context(), c.ID)
	if err != nil || got.Records != want.Records || got.Objects != want.Objects || got.PurgedAt.IsZero() {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if left := slices.Collect(maps.Keys(p.table.left(t))); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// TestPurgeKeepsTheAdminLog: whoever dies at any moment of a deletion, the admin log says who
// deleted the connection, once, when everything else is gone.
func TestPurgeKeepsTheAdminLog(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			m := &mortal{at: at, after: after}
			p := newPurged(t, m)
			c := p.fill("acme", "c-1", 1, 1, 1)
			by := model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "anna"}, Action: "delete-connection", At: p.now}
			_, err := p.Delete(t.Context(), by, "acme", c)
			m.dead, m.at = false, 0
			if _, e := p.records.Connection(t.Context(), c.ID); e == nil { // it was before that
				if _, e := p.Delete(t.Context(), by, "acme", c); e != nil {
					t.Fatal(e)
				}
			}
			p.now = p.now.Add(2 * time.Hour)
			if e := p.Purge(t.Context(), "acme", c.ID); e != nil {
				t.Fatal(e)
			}
			last, e := p.records.VerifyAdminLog(t.Context())
			if e != nil || last.Seq != 1 || last.Action != by.Action || last.Actor != by.Actor || last.Object != "connection/c-1" {
				t.Errorf("death at %d (after it: %t): the log ends with %+v, %v", at, after, last, e)
			}
			if err == nil {
				break
			}
		}
	}
}

// TestPurgeIsSentOnce: the clock leaves a purge alone that it sent, and only the
// queue of purges has it.
func TestPurgeIsSentOnce(t *testing.T) {
	t.Parallel()
	p := newPurged(t, &mortal{})
	c := p.fill("acme", "c-1", 1, 1, 1)
	if _, err := p.Delete(t.Context(), model.Change{}, "acme", c); err != nil {
		t.Fatal(err)
	}
	for minute, want := range []int{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0} {
		p.now = time.Date(2026, 1, 1, 0, 20+minute, 0, 0, time.UTC)
		if ticked, err := p.Tick(t.Context()); err != nil || ticked.Purged != want {
			t.Errorf("minute %d: %+v, %v; want %d", minute, ticked, err, want)
		}
	}
	m := pipeline.Message{Kind: pipeline.KindPurge, Version: 1, Organization: "acme", Connection: c.ID, Audit: "purge", Task: "purge"}
	body := fmt.Appendf(nil, `{"kind":%q,"v":%d,"org":%q,"connection":%q,"audit":"purge","task":"purge"}`, m.Kind, m.Version, m.Organization, m.Connection)
	if err := p.Ingest(t.Context(), queue.Message{Body: body}); !errors.Is(err, queue.ErrPoison) {
		t.Errorf("a purge among the results: %v, want ErrPoison", err)
	}
	for range 2 {
		if err := p.RunPurge(t.Context(), queue.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.table.left(t)) != 1 {
		t.Errorf("left: %v", p.table.left(t))
	}
}

// counted counts the calls that a driver for DynamoDB would make.
type counted struct {
	table.Table
	mu                      sync.Mutex
	gets, queries, writes   int
	batches, most, receipts int
}

func (c *counted) count(n *int, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n += by
}

func (c *counted) Get(ctx context.Context, k table.Key) (table.Item, error) {
	c.count(&c.gets, 1)
	return c.Table.Get(ctx, k)
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.count(&c.queries, 1)
	return c.Table.Query(ctx, q)
}

func (c *counted) Put(ctx context.Context, it table.Item) error {
	c.count(&c.writes, 1)
	c.mu.Lock()
	c.receipts = max(c.receipts, it.Size())
	c.mu.Unlock()
	return c.Table.Put(ctx, it)
}

func (c *counted) PutMany(ctx context.Context, its []table.Item) error {
	c.count(&c.writes, 1)
	return c.Table.PutMany(ctx, its)
}

func (c *counted) Delete(ctx context.Context, k table.Key) error {
	c.count(&c.writes, 1)
	return c.Table.Delete(ctx, k)
}

func (c *counted) DeleteMany(ctx context.Context, ks []table.Key) error {
	c.count(&c.batches, (len(ks)+24)/25)
	c.mu.Lock()
	c.most = max(c.most, len(ks))
	c.mu.Unlock()
	return c.Table.DeleteMany(ctx, ks)
}

// TestPurgeOfMuch: 60,000 records take one call for 25 of them, a few for each
// page, and a number that does not depend on how many they are.
func TestPurgeOfMuch(t *testing.T) {
	t.Parallel()
	p := newPurged(t, &mortal{})
	c := p.fill("acme", "c-1", 29_000, 400, 700)
	if _, err := p.Delete(t.Context(), model.Change{}, "acme", c); err != nil {
		t.Fatal(err)
	}
	records := len(p.table.left(t)) - 2
	calls := &counted{Table: p.table}
	p.Store = store.New(calls, house().Severity)
	if err := p.Purge(t.Context(), "acme", c.ID); err != nil {
		t.Fatal(err)
	}
	receipt, err := p.records.Receipt(t.Context(), c.ID)
	if err != nil || receipt.Records != records || records < 60_000 || receipt.Objects != 2100 {
		t.Fatalf("%+v, %v; want %d records", receipt, err, records)
	}
	pages := records/1000 + 3
	const constant = 12
	if calls.batches > records/25+2*pages || calls.writes > pages+constant || calls.gets > constant || calls.queries > 2*pages+4*400+100 || calls.most > 1000 {
		t.Errorf("%d records: %d batches of at most %d, %d other writes, %d gets, %d queries", records, calls.batches, calls.most, calls.writes, calls.gets, calls.queries)
	}
	if calls.receipts > 200<<10 {
		t.Errorf("a receipt of %d bytes", calls.receipts)
	}
	t.Logf("%d records: %d batches, %d other writes, %d gets, %d queries, receipts of up to %d bytes", records, calls.batches, calls.writes, calls.gets, calls.queries, calls.receipts)
}

// TestConnectionOf finds whose object a key is that Key made, and of no other.
func TestConnectionOf(t *testing.T) {
	t.Parallel()
	key := pipeline.Key("evidence", "acme", model.Audit{ID: "a", Connection: "c"}, "iam")
	if org, connection, ok := pipeline.ConnectionOf(key); !ok || org != "acme" || connection != "c" {
		t.Errorf("%s is of %s of %s: %t", key, connection, org, ok)
	}
	for _, key := range []string{"", "templates/audit-role.yaml", "evidence/org=acme/connection=c", "evidence/connection=c/org=acme/x", "a/b/c/d"} {
		if org, connection, ok := pipeline.ConnectionOf(key); ok {
			t.Errorf("%s is of %s of %s", key, connection, org)
		}
	}
}
