package serverless_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// queue is one of the stack's queues, seen from outside.
type queue struct {
	t      testing.TB
	client *sqs.Client
	url    string
}

func (h *house) queue(logicalID string) queue {
	return queue{h.t, sqs.NewFromConfig(estate.Owner(h.emulator.URL, stack.Account)), h.stack.Resources[logicalID].ID}
}

func (q queue) send(body string) {
	q.t.Helper()
	if _, err := q.client.SendMessage(q.t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}); err != nil {
		q.t.Fatal(err)
	}
}

// take removes all messages and returns their bodies.
func (q queue) take() []string {
	q.t.Helper()
	var bodies []string
	for {
		out, err := q.client.ReceiveMessage(q.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 10})
		if err != nil {
			q.t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, aws.ToString(m.Body))
			if _, err := q.client.DeleteMessage(q.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				q.t.Fatal(err)
			}
		}
	}
}

func (h *house) idle() {
	h.t.Helper()
	ctx, cancel := contextWithin(h.t, patience)
	defer cancel()
	if err := h.Idle(ctx); err != nil {
		h.t.Fatal(err)
	}
}

// TestPoison: what nobody can understand is a dead letter at once, and holds
// nobody up.
func TestPoison(t *testing.T) {
	h := start(t, "poison", nil)
	for _, name := range []string{"Tasks", "Results", "Jobs"} {
		bad := []string{
			"not JSON", `{}`, `{"kind":"task","v":99,"org":"poison","connection":"c","audit":"a","task":"t"}`,
			`{"kind":"surprise","v":1,"org":"poison","connection":"c","audit":"a","task":"t"}`,
			`{"kind":"task","v":1,"x":"` + strings.Repeat("x", 200_000) + `"}`,
		}
		for _, body := range bad {
			h.queue(name + "Queue").send(body)
		}
		h.idle()
		if dead := h.queue(name + "DeadQueue").take(); len(dead) != len(bad) {
			t.Errorf("%s: %d dead letters of %d: %.100q", name, len(dead), len(bad), dead)
		}
	}
	account := newSmall(t, h.install, "777777777701")
	c := h.connect(account.Account, scope())
	if a := h.wait(c, h.begin(c, "after").ID); a.State != "done" {
		t.Errorf("an audit after the poison is %s: %v", a.State, a.Problems)
	}
}

// TestTaskThatAlwaysDies ends up as a dead letter. Put back once the cause is
// gone, the audit completes; left alone, its bound ends it, and it can be
// tried again. Others are not held up meanwhile.
func TestTaskThatAlwaysDies(t *testing.T) {
	var deadly atomic.Bool
	h := start(t, "deadly", func(o *lambdahost.Options) {
		o.Intercept = func(c lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
			if deadly.Load() && phase == lambdahost.BeforeSend && c.Function == "CheckerFunction" && c.Is("sqs", "ListQueues") {
				return lambdahost.Kill()
			}
			return lambdahost.Continue()
		}
		// Bounds are looked at once a minute, which is when the test says so.
		o.Environ["ApiFunction"] = map[string]string{"AUDIT_BOUND": "1s"}
		o.Environ["SchedulerFunction"] = map[string]string{"AUDIT_BOUND": "1s"}
	})
	account := newSmall(t, h.install, "777777777702")
	other := newSmall(t, h.install, "777777777703")
	c := h.connect(account.Account, scope())
	keys := scope()
	keys["services"] = []string{"kms"}
	bystander := h.connect(other.Account, keys)
	deadly.Store(true)
	a := h.begin(c, "dies")
	if b := h.wait(bystander, h.begin(bystander, "lives").ID); b.State != "done" {
		t.Errorf("the other organization's audit is %s: %v", b.State, b.Problems)
	}
	if a = h.wait(c, a.ID); a.State != "running" || a.Progress.Done != a.Progress.Total-1 {
		t.Fatalf("audit is %s, %d of %d tasks done", a.State, a.Progress.Done, a.Progress.Total)
	}
	dead := h.queue("UrgentTasksDeadQueue").take()
	if len(dead) != 1 || !strings.Contains(dead[0], `"task":"sqs"`) {
		t.Fatalf("dead letters %q", dead)
	}
	// The cause is gone, and the operator moves the dead letters back.
	deadly.Store(false)
	for _, body := range dead {
		h.queue("UrgentTasksQueue").send(body)
	}
	if a = h.wait(c, a.ID); a.State != "done" {
		t.Errorf("after the dead letters were moved back the audit is %s: %v", a.State, a.Problems)
	}

	deadly.Store(true)
	a = h.wait(c, h.begin(c, "dies again").ID)
	if a.State != "running" {
		t.Fatalf("audit is %s", a.State)
	}
	if _, err := h.Fire(t.Context(), "SchedulerFunctionEveryMinute", time.Now()); err != nil {
		t.Fatal(err)
	}
	if a = h.wait(c, a.ID); a.State != "partial" || len(a.Problems) != 1 || !strings.Contains(a.Problems[0], "sqs was not finished") {
		t.Errorf("past its bound the audit is %s: %v", a.State, a.Problems)
	}
	h.queue("UrgentTasksDeadQueue").take()
	deadly.Store(false)
	if status := h.call(http.MethodPost, "/v1/connections/"+c.ID+"/audits/"+a.ID+"/retry", nil, nil, nil); status != http.StatusAccepted {
		t.Fatalf("retry: status %d", status)
	}
	if a = h.wait(c, a.ID); a.State != "done" {
		t.Errorf("after the retry the audit is %s: %v", a.State, a.Problems)
	}
}

// TestOwnServicesFail: CloudArq's own services fail for a while, or for good.
func TestOwnServicesFail(t *testing.T) {
	for name, c := range map[string]struct {
		account string
		fails   func(lambdahost.Call) bool
		verdict lambdahost.Verdict
		calls   int64 // that fail, with the SDK's own waits the better part of a minute; 0 for all
		state   string
		problem string
	}{
		"the table is throttled for a while": {
			"888888888801", func(c lambdahost.Call) bool { return c.Service == "dynamodb" && c.Function != "ApiFunction" }, lambdahost.Throttle(), 9, "done", "",
		},
		"S3 fails for a while": {
			"888888888802", func(c lambdahost.Call) bool { return c.Service == "s3" }, lambdahost.Fail(503, "ServiceUnavailable"), 9, "done", "",
		},
		"S3 fails for good in the checker": {
			"888888888803", func(c lambdahost.Call) bool {
				return c.Is("s3", "PutObject") && strings.Contains(c.Resource, "service=sqs")
			},
			lambdahost.Fail(403, "AccessDenied"), 0, "partial", "AccessDenied",
		},
		"KMS is denied": {
			"888888888804", func(c lambdahost.Call) bool { return c.Is("kms", "Decrypt") && c.Function == "CheckerFunction" },
			lambdahost.Fail(400, "AccessDeniedException"), 0, "failed", "AccessDeniedException",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var left atomic.Int64
			if left.Store(c.calls); sample() > 1 {
				left.Store(min(c.calls, 2)) // a hiccup, which takes no time
			}
			h := start(t, "fails-"+c.account, func(o *lambdahost.Options) {
				o.Intercept = func(call lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
					if phase == lambdahost.BeforeSend && c.fails(call) && (c.calls == 0 || left.Add(-1) >= 0) {
						return c.verdict
					}
					return lambdahost.Continue()
				}
			})
			account := newSmall(t, h.install, c.account)
			conn := h.connect(account.Account, scope())
			a := h.wait(conn, h.begin(conn, "one").ID)
			if a.State != c.state || !strings.Contains(fmt.Sprint(a.Problems), c.problem) {
				t.Errorf("audit is %s: %v; want %s because of %q", a.State, a.Problems, c.state, c.problem)
			}
		})
	}
}

// TestRoleDeletedInTheMiddle takes the role away once the audit has begun.
func TestRoleDeletedInTheMiddle(t *testing.T) {
	var deleted atomic.Bool
	var h *house
	h = start(t, "deleted", func(o *lambdahost.Options) {
		o.MaxEnvironments = 1
		o.Intercept = func(c lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
			// The account was opened, and its tasks were just sent.
			if phase == lambdahost.AfterAnswer && c.Function == "CheckerFunction" && c.Is("sqs", "SendMessageBatch") && h != nil && deleted.CompareAndSwap(false, true) {
				roles := iam.NewFromConfig(estate.Owner(h.emulator.URL, "777777777704"))
				name := aws.String("CloudArqAuditRole")
				if _, err := roles.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("audit")}); err != nil {
					t.Error(err)
				}
				if _, err := roles.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: name}); err != nil {
					t.Error(err)
				}
			}
			return lambdahost.Continue()
		}
	})
	account := newSmall(t, h.install, "777777777704")
	account.rotate(t, false)
	mail := subscribe(t, h.install, "deleted-alerts", `{"organization":["deleted"],"kind":["connection"]}`)
	c := h.connect(account.Account, scope())
	deleted.Store(true)
	if a := h.wait(c, h.begin(c, "before").ID); a.State != "done" {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	findings := h.list(c)
	deleted.Store(false)
	a := h.wait(c, h.begin(c, "during").ID)
	if a.State != "partial" || len(a.Problems) != 1 || !strings.Contains(a.Problems[0], "cannot assume") {
		t.Errorf("audit is %s: %v", a.State, a.Problems)
	}
	for id, f := range h.list(c) {
		if f.State != findings[id].State {
			t.Errorf("losing the role made finding %s %s", f.Check, f.State)
		}
	}
	var now connection
	h.call(http.MethodGet, "/v1/connections/"+c.ID, nil, nil, &now)
	if now.State != "revoked" || !strings.Contains(now.Reason, "cannot assume") {
		t.Errorf("connection is %s: %s", now.State, now.Reason)
	}
	if got := words(mail.empty(t)); len(got) != 1 || got[0] != "connection broken" {
		t.Errorf("alerts %v", got)
	}
}

// TestCancel stops a running audit within seconds.
func TestCancel(t *testing.T) {
	hold := make(chan struct{})
	h := start(t, "cancel", func(o *lambdahost.Options) {
		o.Intercept = func(c lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
			if phase == lambdahost.BeforeSend && c.Function == "CheckerFunction" && c.Is("sqs", "ListQueues") {
				<-hold
			}
			return lambdahost.Continue()
		}
	})
	account := newSmall(t, h.install, "777777777705")
	c := h.connect(account.Account, scope())
	a := h.begin(c, "long")
	var cancelled audit
	if status := h.call(http.MethodPost, "/v1/connections/"+c.ID+"/audits/"+a.ID+"/cancel", nil, nil, &cancelled); status != http.StatusOK || cancelled.State != "cancelled" {
		t.Errorf("cancel: status %d, audit is %s", status, cancelled.State)
	}
	close(hold)
	if a = h.wait(c, a.ID); a.State != "cancelled" {
		t.Errorf("audit is %s", a.State)
	}
	if status := h.call(http.MethodPost, "/v1/connections/"+c.ID+"/audits/"+a.ID+"/retry", nil, nil, nil); status != http.StatusAccepted {
		t.Fatalf("go on: status %d", status)
	}
	if a = h.wait(c, a.ID); a.State != "done" {
		t.Errorf("taken up again the audit is %s: %v", a.State, a.Problems)
	}
}
