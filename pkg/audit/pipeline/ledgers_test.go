package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	blobs "github.com/cloudarq/cloudarq/internal/memblob"
	tables "github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// caller is an account that makes calls: two when it is opened, and those of its
// walk. Their names end with how often it was opened.
type caller struct {
	*world
	opened int
	calls  ledger.Ledger // where those of the walk go
	open   func(opened int) error
	walk   func(ctx context.Context, call func(string)) error
}

func (c *caller) call(calls ledger.Ledger, name string) {
	calls.Record(ledger.Entry{Operation: fmt.Sprint(name, c.opened)})
}

// Open implements pipeline.Accounts.
func (c *caller) Open(_ context.Context, _ model.OrganizationID, _ model.Audit, _ policy.Session, calls ledger.Ledger) (pipeline.Account, error) {
	c.opened++
	c.call(calls, "AssumeRole")
	c.call(calls, "GetCallerIdentity")
	if c.open != nil {
		if err := c.open(c.opened); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Config implements pipeline.Account.
func (c *caller) Config(region string, calls ledger.Ledger) aws.Config {
	c.calls = calls
	return aws.Config{Region: region}
}

// brittle is a blob store that fails to store evidence so many times.
type brittle struct {
	blob.Store
	left int
}

var errStorage = errors.New("storage fails")

func (f *brittle) Put(ctx context.Context, key string, r io.Reader) error {
	if strings.HasPrefix(key, "evidence/") && f.left > 0 {
		f.left--
		_, _ = io.Copy(io.Discard, r)
		return errStorage
	}
	return f.Store.Put(ctx, key, r)
}

// noted is a pipeline in memory with one audit of one service, whose message is
// given by hand.
type noted struct {
	*pipeline.Pipeline
	t       *testing.T
	audit   model.Audit
	message queue.Message
}

func note(t *testing.T, c *caller) *noted {
	t.Helper()
	if c.walk == nil {
		c.walk = func(_ context.Context, call func(string)) error {
			call("ListDoors")
			return nil
		}
	}
	c.world = &world{}
	spec := collect.Spec{Service: "house", Walks: []collect.Walk{{Kinds: []string{door{}.Kind()}, Run: func(ctx context.Context, _ *collect.Session) error {
		return c.walk(ctx, func(name string) { c.call(c.calls, name) })
	}}}}
	broker := memory.New(memory.Options{})
	n := &noted{t: t}
	n.Pipeline = &pipeline.Pipeline{
		Catalog: house(), Specs: map[string]collect.Spec{"house": spec}, Store: store.New(tables.New(time.Now), house().Severity), Evidence: blobs.New(),
		Tasks: broker.Queue("tasks"), Results: broker.Queue("results"), Accounts: c, Progress: pipeline.Silent{}, Now: time.Now,
	}
	var err error
	n.audit, err = n.Plan(t.Context(), pipeline.Request{
		Organization: organization, Audit: "audit", Connection: model.Connection{ID: account, AccountID: account},
		Partition: "aws", Regions: []string{"eu-west-1"}, Checks: n.Catalog.Checks(),
	})
	if err != nil {
		t.Fatal(err)
	}
	n.message = queue.Message{Body: fmt.Appendf(nil, `{"kind":"task","v":1,"org":%q,"connection":%q,"audit":"audit","task":"house"}`, organization, account), Attempt: 1, Max: 4}
	return n
}

// made are the calls of all attempts at the audit's tasks.
func (n *noted) made() (names []string) {
	n.t.Helper()
	tasks, err := n.Store.For(organization).Tasks(n.t.Context(), n.audit.ID)
	if err != nil {
		n.t.Fatal(err)
	}
	all, err := pipeline.Ledgers(n.t.Context(), n.Evidence, organization, n.audit, tasks)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, l := range all {
		if l.Task != "house" || len(l.Attempt) != 26 {
			n.t.Errorf("%+v is of no attempt at the task", l)
		}
		if err := pipeline.ReadLedger(n.t.Context(), n.Evidence, l.Object, func(e ledger.Entry) error { names = append(names, e.Operation); return nil }); err != nil {
			n.t.Error(err)
		}
	}
	return names
}

func (n *noted) want(names ...string) {
	n.t.Helper()
	if d := cmp.Diff(names, n.made()); d != "" {
		n.t.Errorf("calls (-made +recorded):\n%s", d)
	}
}

// TestEveryAttemptIsRecorded: whatever becomes of a task, the calls that it made are
// in a ledger, and another attempt does not write over them.
func TestEveryAttemptIsRecorded(t *testing.T) {
	t.Parallel()
	t.Run("evidence that cannot be stored", func(t *testing.T) {
		t.Parallel()
		n := note(t, &caller{})
		n.Evidence = &brittle{n.Evidence, 2}
		for attempt := 1; attempt <= 2; attempt++ {
			if err := n.RunTask(t.Context(), n.message); !errors.Is(err, errStorage) {
				t.Fatal(err)
			}
		}
		if err := n.RunTask(t.Context(), n.message); err != nil {
			t.Fatal(err)
		}
		n.want("AssumeRole1", "GetCallerIdentity1", "ListDoors1", "AssumeRole2", "GetCallerIdentity2", "ListDoors2", "AssumeRole3", "GetCallerIdentity3", "ListDoors3")
		task, err := n.Store.For(organization).Task(t.Context(), n.audit.ID, "house")
		if err != nil || task.Calls != 3 {
			t.Errorf("%+v, %v; want the calls of the attempt that gave the result", task, err)
		}
		var last []string
		if err := pipeline.ReadLedger(t.Context(), n.Evidence, task.Object(task.Ledger), func(e ledger.Entry) error { last = append(last, e.Operation); return nil }); err != nil || !slices.Contains(last, "ListDoors3") {
			t.Errorf("the task's ledger: %v, %v", last, err)
		}
	})
	t.Run("an account that does not open", func(t *testing.T) {
		t.Parallel()
		n := note(t, &caller{open: func(opened int) error {
			if opened == 1 {
				return errors.New("not now")
			}
			return nil
		}})
		if err := n.RunTask(t.Context(), n.message); err == nil {
			t.Fatal("no error")
		}
		if err := n.RunTask(t.Context(), n.message); err != nil {
			t.Fatal(err)
		}
		n.want("AssumeRole1", "GetCallerIdentity1", "AssumeRole2", "GetCallerIdentity2", "ListDoors2")
	})
	t.Run("a panic", func(t *testing.T) {
		t.Parallel()
		n := note(t, &caller{open: func(int) error { panic("no account looks like this") }})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = n.RunTask(t.Context(), n.message)
		}()
		n.want("AssumeRole1", "GetCallerIdentity1")
	})
	t.Run("a context that ends", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		n := note(t, &caller{walk: func(ctx context.Context, call func(string)) error {
			call("ListDoors")
			cancel()
			<-ctx.Done()
			call("ListWindows")
			return ctx.Err()
		}})
		if err := n.RunTask(ctx, n.message); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		n.want("AssumeRole1", "GetCallerIdentity1", "ListDoors1", "ListWindows1")
	})
	t.Run("an audit that is cancelled", func(t *testing.T) {
		t.Parallel()
		var n *noted
		n = note(t, &caller{walk: func(ctx context.Context, call func(string)) error {
			call("ListDoors")
			if err := n.Stop(t.Context(), model.Change{}, organization, account, n.audit.ID, model.AuditCancelled, "enough"); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			return ctx.Err()
		}})
		n.WatchEvery = time.Millisecond
		if err := n.RunTask(t.Context(), n.message); err != nil {
			t.Fatal(err)
		}
		n.want("AssumeRole1", "GetCallerIdentity1", "ListDoors1")
	})
}

// TestLedgerIsStoredWhileATaskRuns: whoever is killed loses the calls of half a
// minute at most.
func TestLedgerIsStoredWhileATaskRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n *noted
		n = note(t, &caller{walk: func(_ context.Context, call func(string)) error {
			call("ListDoors")
			time.Sleep(31 * time.Second)
			n.want("AssumeRole1", "GetCallerIdentity1", "ListDoors1")
			call("ListWindows")
			time.Sleep(30 * time.Second)
			n.want("AssumeRole1", "GetCallerIdentity1", "ListDoors1", "ListWindows1")
			call("ListRoofs")
			return nil
		}})
		if err := n.RunTask(t.Context(), n.message); err != nil {
			t.Fatal(err)
		}
		n.want("AssumeRole1", "GetCallerIdentity1", "ListDoors1", "ListWindows1", "ListRoofs1")
	})
}

// TestLedgersInOrder: connecting first, then the tasks by name, the attempts at each
// as they began; old audits have one ledger a task, under its name alone.
func TestLedgersInOrder(t *testing.T) {
	t.Parallel()
	shelf := blobs.New()
	audit := model.Audit{ID: "audit", Connection: account, StartedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	const first, second = "01K9ZQ8Y5J3W7T4N2R6M1C0B9A", "01K9ZQAAB2C3D4E5F6G7H8J9K0"
	other := audit
	other.ID = "audit2"
	for _, part := range []string{"kms." + second, "acm", "connect." + second, "kms." + first, "connect", "ec2.eu-west-1." + first, "kms"} {
		for _, a := range []model.Audit{audit, other} {
			if err := shelf.Put(t.Context(), pipeline.Key("ledger", organization, a, part), strings.NewReader("")); err != nil {
				t.Fatal(err)
			}
		}
	}
	key := func(part string) model.Object {
		return model.Object{Key: pipeline.Key("ledger", organization, audit, part)}
	}
	tasks := []model.Task{
		{ID: "acm", Ledger: key("acm").Key},
		{ID: "iam"},
		{ID: "kms", Ledger: key("kms." + second).Key},
		{ID: "lost", Ledger: key("lost." + first).Key}, // reading it is an error, not nothing
	}
	want := []pipeline.Ledger{
		{Task: "connect", Object: key("connect")},
		{Task: "connect", Attempt: second, Object: key("connect." + second)},
		{Task: "acm", Object: key("acm")},
		{Task: "ec2.eu-west-1", Attempt: first, Object: key("ec2.eu-west-1." + first)},
		{Task: "kms", Object: key("kms")},
		{Task: "kms", Attempt: first, Object: key("kms." + first)},
		{Task: "kms", Attempt: second, Object: key("kms." + second)},
		{Task: "lost", Attempt: first, Object: key("lost." + first)},
	}
	got, err := pipeline.Ledgers(t.Context(), shelf, organization, audit, tasks)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	one, two := pipeline.LedgerKey(organization, audit, "kms"), pipeline.LedgerKey(organization, audit, "kms")
	if one == two {
		t.Errorf("two attempts have the key %s", one)
	}
}

// TestConnectingTakesOfTheBudget: a call that was made three times is three requests for
// the account, also where it was made before there was an audit.
func TestConnectingTakesOfTheBudget(t *testing.T) {
	t.Parallel()
	p := &pipeline.Pipeline{Store: store.New(tables.New(time.Now), nil), Evidence: blobs.New(), Now: time.Now}
	org := p.Store.For(organization)
	audit := model.Audit{ID: "audit", Connection: account, State: model.AuditRunning, StartedAt: time.Now().UTC(), CallBudget: 100}
	if err := org.PutAudit(t.Context(), &audit); err != nil {
		t.Fatal(err)
	}
	if err := p.RecordConnect(t.Context(), organization, &audit, []ledger.Entry{{Attempts: 1}, {Attempts: 3}, {Attempts: 6}}); err != nil {
		t.Fatal(err)
	}
	if left, err := org.TakeCalls(t.Context(), audit, 100); left != 90 || err != nil {
		t.Errorf("%d calls are left, %v", left, err)
	}
}
