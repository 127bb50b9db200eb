package serverless_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/stack"
)

// createStack creates a stack in an account from a template and parameters, and
// prints the role's ARN.
const createStack = `
import json, sys
from estate.account import Account
endpoint, account, name, parameters = sys.argv[1:]
cloudformation = Account("owner", account, endpoint).client("cloudformation")
cloudformation.create_stack(
    StackName=name, TemplateBody=sys.stdin.read(), Capabilities=["CAPABILITY_NAMED_IAM"],
    Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in json.loads(parameters).items()],
)
outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
print(next(output["OutputValue"] for output in outputs if output["OutputKey"] == "RoleArn"))
`

// follow does what AWS's console does with a quick-create link in an account: it
// reads the template, without keys, and creates the stack with the parameters.
func (h *house) follow(account, link string) (role string) {
	h.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		h.t.Fatal(err)
	}
	route, query, _ := strings.Cut(u.EscapedFragment(), "?")
	values, err := url.ParseQuery(query)
	if err != nil || u.Host != "console.aws.amazon.com" || u.Query().Get("region") != stack.Region || route != "/stacks/quickcreate" {
		h.t.Fatalf("%s is no quick-create link of %s: %v", link, stack.Region, err)
	}
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, values.Get("templateURL"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	template, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer template.Body.Close()
	if template.StatusCode != http.StatusOK {
		h.t.Fatalf("the template that the link leads to: status %d", template.StatusCode)
	}
	parameters := map[string]string{}
	for name := range values {
		if parameter, ok := strings.CutPrefix(name, "param_"); ok {
			parameters[parameter] = values.Get(name)
		}
	}
	filled, err := json.Marshal(parameters)
	if err != nil {
		h.t.Fatal(err)
	}
	root, err := emulator.Root()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(root, "test", "emulator", "python"), "-c", createStack,
		h.emulator.URL, account, values.Get("stackName"), string(filled))
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(root, "test", "estate"), "PYTHONDONTWRITEBYTECODE=1", "AWS_CA_BUNDLE=")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = template.Body, &stderr
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("create the template's stack: %v\n%s", err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// seen are the calls that the emulator answered for an account, by operation.
func (h *house) seen(account string) map[string]int {
	h.t.Helper()
	calls, err := h.emulator.Calls()
	if err != nil {
		h.t.Fatal(err)
	}
	seen := map[string]int{}
	for _, c := range calls {
		if c.Account == account {
			seen[c.Region+" "+c.Operation]++
		}
	}
	return seen
}

// listed are the calls that an audit says it made in its account, by operation.
func (h *house) listed(c connection, a audit) map[string]int {
	h.t.Helper()
	listed := map[string]int{}
	for cursor := "first"; cursor != ""; {
		path := "/v1/connections/" + c.ID + "/audits/" + a.ID + "/calls?limit=100"
		if cursor != "first" {
			path += "&cursor=" + cursor
		}
		var page struct {
			Calls  []ledger.Entry
			Cursor string
		}
		if status := h.call(http.MethodGet, path, nil, nil, &page); status != http.StatusOK {
			h.t.Fatalf("list calls: status %d", status)
		}
		for _, e := range page.Calls {
			if strings.Contains(e.Outcome, "Denied") || e.Outcome == "UnauthorizedOperation" || e.Outcome == "AuthorizationError" {
				h.t.Errorf("%s in %s is %s", e.Operation, e.Region, e.Outcome)
			}
			if e.Operation != "AssumeRole" { // which is made in our account
				listed[e.Region+" "+e.Operation]++
			}
		}
		cursor = page.Cursor
	}
	return listed
}

// TestWalk is what a new customer does: register, follow the link that comes back
// and create the stack, paste the role's ARN back, verify, audit, read. The role
// has exactly the published policy, and nothing that the audit asks for is denied.
func TestWalk(t *testing.T) {
	h := start(t, "newcomer", nil)
	began := time.Now()
	const id = "777777777791"
	var c connection
	if status := h.call(http.MethodPost, "/v1/connections", nil, map[string]any{"name": "first", "regions": []string{stack.Region}}, &c); status != http.StatusCreated || c.State != "pending" || c.ExternalID == "" {
		t.Fatalf("register: status %d, %s", status, c.State)
	}
	role := h.follow(id, c.Links.QuickCreate)
	if status := h.call(http.MethodPut, "/v1/connections/"+c.ID, map[string]string{"If-Match": h.tag(c)},
		map[string]any{"name": "first", "regions": []string{stack.Region}, "role_arn": role}, nil); status != http.StatusOK {
		t.Fatalf("paste %q back: status %d", role, status)
	}
	if a, now := h.verify(c); a.State != "done" || now.State != "active" || now.AccountID != id || now.Links.QuickCreate != "" {
		t.Fatalf("verification is %s: %v; connection is %s of %s, with the link %q", a.State, a.Problems, now.State, now.AccountID, now.Links.QuickCreate)
	}
	if err := h.emulator.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	a := h.wait(c, h.begin(c, "first").ID)
	if d := cmp.Diff(h.seen(id), h.listed(c, a)); d != "" {
		t.Errorf("calls (-that the account saw +that the audit lists):\n%s", d)
	}
	findings := h.list(c)
	if a.State != "done" || len(findings) == 0 {
		t.Errorf("audit is %s: %v, with %d findings", a.State, a.Problems, len(findings))
	}
	fmt.Printf("walk: from nothing to %d findings in %s\n", len(findings), time.Since(began).Round(time.Second))
	var drift struct {
		Missing []struct{ Action string }
	}
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/drift", nil, nil, &drift); status != http.StatusOK || len(drift.Missing) > 0 {
		t.Errorf("drift: status %d, %v is missing from the published policy", status, drift.Missing)
	}
}
