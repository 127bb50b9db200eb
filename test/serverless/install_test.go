// Package serverless tests the deployment as a whole: the real binaries of the
// four functions, on the resources that template.yaml itself makes, with the
// permissions that it gives, against the emulator.
package serverless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// install is CloudArq, deployed from the template in an emulator that holds the
// sample estate.
type install struct {
	emulator *emulator.Server
	estate   *estate.Estate
	stack    *stack.Stack
	binaries map[string]string

	tokens struct { // of administrators, by organization
		sync.Mutex
		of map[string]secret.String
	}
}

// functions are the functions of the template, and the packages they are built from.
var functions = map[string]string{
	"ApiFunction": "api", "SchedulerFunction": "scheduler", "CheckerFunction": "checker", "AggregatorFunction": "aggregator", "WorkerFunction": "worker",
}

// deployed deploys once for all tests: they keep apart by their organizations.
var deployed = sync.OnceValues(func() (*install, error) {
	ctx := context.Background()
	root, err := emulator.Root()
	if err != nil {
		return nil, err
	}
	in := &install{}
	if in.binaries, err = built(); err != nil {
		return nil, err
	}
	if in.emulator, err = emulator.Start(ctx, emulator.Options{Enforce: true, Stderr: emulatorLog()}); err != nil {
		return nil, err
	}
	atEnd(in.emulator.Close)
	if in.estate, err = estate.Seed(ctx, in.emulator.URL, 0); err != nil {
		return nil, err
	}
	if in.stack, err = stack.Deploy(ctx, in.emulator.URL, filepath.Join(root, "template.yaml"), "cloudarq", map[string]string{"AlertEmail": "alerts@example.com"}); err != nil {
		return nil, err
	}
	return in, nil
})

// built are the functions' binaries, by their logical ids, for all installations.
var built = sync.OnceValues(func() (map[string]string, error) {
	root, err := emulator.Root()
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "cloudarq-functions-")
	if err != nil {
		return nil, err
	}
	atEnd(func() error { return os.RemoveAll(temp) })
	binaries := map[string]string{}
	for id, name := range functions {
		dir := filepath.Join(temp, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		if binaries[id], err = lambdahost.Build(context.Background(), filepath.Join(root, "functions", name), dir); err != nil {
			return nil, err
		}
	}
	return binaries, nil
})

var ends struct {
	sync.Mutex
	all []func() error
}

func atEnd(f func() error) {
	ends.Lock()
	defer ends.Unlock()
	ends.all = append(ends.all, f)
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range ends.all {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// operator is who may call the API.
const (
	operatorKey    = "AKIAOPERATOR00000000"
	operatorSecret = "operator-secret" //nolint:gosec // of the test's own making
)

// house runs the functions for one test.
type house struct {
	*install
	*lambdahost.Host
	t            testing.TB
	organization string
	client       *http.Client
}

// options of a host that suit most tests: what fails comes again soon.
func options(in *install) lambdahost.Options {
	return lambdahost.Options{
		Binaries: in.binaries, VisibilityOverride: time.Second, MaxEnvironments: 4,
		Keys: map[string]lambdahost.Key{
			operatorKey: {Secret: operatorSecret, ARN: "arn:aws:iam::" + stack.Account + ":user/operator"},
		},
		Environ: map[string]map[string]string{
			"AggregatorFunction": {"LEASE_FOR": "2s"},
			"CheckerFunction":    {"WATCH_EVERY": "200ms"},
		},
	}
}

// start runs the functions until the test ends, for an organization of the
// test's own.
func start(t testing.TB, organization string, change func(*lambdahost.Options)) *house {
	t.Helper()
	in, err := deployed()
	if err != nil {
		t.Fatal(err)
	}
	return in.run(t, organization, change)
}

// run runs the functions of an installation until the test ends.
func (in *install) run(t testing.TB, organization string, change func(*lambdahost.Options)) *house {
	t.Helper()
	o := options(in)
	o.Logs = func(function, line string) {
		if testing.Verbose() {
			fmt.Fprintf(t.Output(), "%s %s\n", function, line)
		}
	}
	if change != nil {
		change(&o)
	}
	host, err := lambdahost.Start(t.Context(), in.stack, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return &house{install: in, Host: host, t: t, organization: organization, client: lambdahost.SignedClient(operatorKey, operatorSecret, in.stack.Region)}
}

// call makes a request and decodes the answer into out, unless it is nil. It
// returns the status.
func (h *house) call(method, path string, header map[string]string, in, out any) int {
	h.t.Helper()
	status, body, err := h.request(method, path, header, in)
	if err != nil {
		h.t.Fatal(err)
	}
	if out != nil && status < 300 {
		if err := json.Unmarshal(body, out); err != nil {
			h.t.Fatalf("%s %s: %v in %s", method, path, err, body)
		}
	}
	if status >= 500 {
		h.t.Logf("%s %s: %d %s", method, path, status, body)
	}
	return status
}

func (h *house) request(method, path string, header map[string]string, in any) (int, []byte, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.URL()+path, body)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	client := h.enter(r)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// connection is what a test needs to know of one.
type connection struct {
	ID          string `json:"id"`
	AccountID   string `json:"account_id"`
	ExternalID  string `json:"external_id"`
	CheckerRole string `json:"checker_role"`
	Kind        string `json:"kind"`
	State       string `json:"state"`
	Reason      string `json:"reason"`
	Links       struct {
		QuickCreate string `json:"quick_create"`
	} `json:"links"`
}

// connect registers an account of the estate, and sets its role up as its owner
// would: it trusts the checker's role, and asks for the External ID.
func (h *house) connect(account estate.Account, more map[string]any) connection {
	h.t.Helper()
	body := map[string]any{"name": account.Name, "role_arn": account.RoleARN}
	for name, value := range more {
		body[name] = value
	}
	var c connection
	if status := h.call(http.MethodPost, "/v1/connections", map[string]string{"Idempotency-Key": account.Name}, body, &c); status != http.StatusCreated {
		h.t.Fatalf("connect %s: status %d", account.Name, status)
	}
	if err := trust(h.t.Context(), h.emulator.URL, account, c.CheckerRole, c.ExternalID); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// trust lets a role be assumed by one other role that knows an External ID.
func trust(ctx context.Context, endpoint string, account estate.Account, role, externalID string) error {
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]string{"AWS": role},
			"Condition": map[string]any{"StringEquals": map[string]string{"sts:ExternalId": externalID}},
		}},
	})
	if err != nil {
		return err
	}
	client := iam.NewFromConfig(estate.Owner(endpoint, account.ID))
	_, err = client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String("CloudArqAuditRole"), PolicyDocument: aws.String(string(policy)),
	})
	return err
}

// audit is what a test needs to know of one.
type audit struct {
	ID        string          `json:"id"`
	Account   string          `json:"account"`
	CallerARN string          `json:"caller_arn"`
	State     string          `json:"state"`
	Problems  []string        `json:"problems"`
	Summary   json.RawMessage `json:"summary"`
	Progress  struct {
		Done   int `json:"tasks_done"`
		Total  int `json:"tasks_total"`
		Failed int `json:"tasks_failed"`
		Calls  int `json:"calls"`
	} `json:"progress"`
}

func (a audit) ended() bool { return a.State != "running" && a.State != "connecting" }

// begin starts an audit over HTTP.
func (h *house) begin(c connection, key string) audit {
	h.t.Helper()
	var a audit
	if status := h.call(http.MethodPost, "/v1/audits", map[string]string{"Idempotency-Key": key}, map[string]string{"connection": c.ID}, &a); status != http.StatusAccepted {
		h.t.Fatalf("start an audit of %s: status %d", c.ID, status)
	}
	return a
}

// patience is how long an audit may take on a slow machine.
const patience = 3 * time.Minute

// wait waits until nothing is left to do and returns the audit as it is then.
func (h *house) wait(c connection, id string) audit {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	if err := h.Idle(ctx); err != nil {
		h.t.Fatal(errors.Join(fmt.Errorf("audit %s is not done", id), err))
	}
	var a audit
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/audits/"+id, nil, nil, &a); status != http.StatusOK {
		h.t.Fatalf("read audit %s: status %d", id, status)
	}
	return a
}

// emulatorLog is where the emulator's complaints go.
func emulatorLog() io.Writer {
	if testing.Verbose() {
		return os.Stderr
	}
	return nil
}

// persist repeats a request that somebody may not survive until it is answered,
// as a client with an Idempotency-Key does.
func (h *house) persist(method, path string, header map[string]string, in any) {
	h.t.Helper()
	for range 5 {
		status, body, err := h.request(method, path, header, in)
		if err != nil {
			h.t.Fatal(err)
		}
		if status < 300 {
			return
		}
		if strings.Contains(string(body), `"request_in_flight"`) { // whoever died does not say so
			select {
			case <-h.t.Context().Done():
			case <-time.After(3 * time.Second): // as Retry-After says
			}
			continue
		}
		if status < 500 {
			h.t.Fatalf("%s %s: %d %s", method, path, status, body)
		}
	}
	h.t.Fatalf("%s %s is not answered", method, path)
}

// latest is the newest audit of a connection.
func (h *house) latest(c connection) audit {
	h.t.Helper()
	var page struct{ Audits []audit }
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/audits?limit=1", nil, nil, &page); status != http.StatusOK || len(page.Audits) == 0 {
		h.t.Fatalf("list audits: status %d, %d audits", status, len(page.Audits))
	}
	return page.Audits[0]
}

// due makes the connection due for an audit, and lets the minute pass until the
// scheduler has started it.
func (h *house) due(c connection) {
	h.t.Helper()
	before := ""
	var page struct{ Audits []audit }
	h.call(http.MethodGet, "/v1/connections/"+c.ID+"/audits?limit=1", nil, nil, &page)
	if len(page.Audits) > 0 {
		before = page.Audits[0].ID
	}
	at := time.Now().UTC().Truncate(time.Second).Add(3 * time.Second) // later than three requests take
	h.schedule(c, map[string]any{"expression": "at(" + at.Format("2006-01-02T15:04:05") + ")"})
	<-time.After(time.Until(at))
	for range 3 {
		if _, err := h.Fire(h.t.Context(), "SchedulerFunctionEveryMinute", time.Now()); err != nil {
			h.t.Fatal(err)
		}
		if h.latest(c).ID != before {
			return
		}
	}
	h.t.Fatal("the scheduler did not start the audit that is due")
}

// schedule changes when a connection is audited.
func (h *house) schedule(c connection, schedule map[string]any) {
	h.t.Helper()
	var body map[string]any
	status, raw, err := h.request(http.MethodGet, "/v1/connections/"+c.ID, nil, nil)
	if err != nil || status != http.StatusOK || json.Unmarshal(raw, &body) != nil {
		h.t.Fatalf("read connection: %d %v", status, err)
	}
	input := map[string]any{"schedule": schedule}
	for _, name := range []string{"name", "project", "role_arn", "regions", "services", "checks"} {
		if v, ok := body[name]; ok {
			input[name] = v
		}
	}
	for range 5 {
		var now connection
		if h.call(http.MethodPut, "/v1/connections/"+c.ID, map[string]string{"If-Match": h.tag(c)}, input, &now) == http.StatusOK {
			return
		}
	}
	h.t.Fatal("the schedule cannot be changed")
}

// score is what an audit says, without what differs from run to run.
func score(t testing.TB, a audit) string {
	t.Helper()
	var s struct {
		Score  json.RawMessage `json:"score"`
		Tally  json.RawMessage `json:"tally"`
		Counts json.RawMessage `json:"counts"`
	}
	if len(a.Summary) == 0 {
		return "no summary"
	}
	if err := json.Unmarshal(a.Summary, &s); err != nil {
		t.Fatal(err)
	}
	return string(s.Score) + string(s.Counts) + string(s.Tally)
}
