package serverless_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/stack"
)

// deployTemplate creates the published template's stack in an account, and prints
// the role's ARN, as its owner would in the console.
const deployTemplate = `
import sys
from estate.account import Account
endpoint, account, template, external_id, checker = sys.argv[1:]
cloudformation = Account("owner", account, endpoint).client("cloudformation")
cloudformation.create_stack(
    StackName="CloudArq", TemplateBody=open(template).read(), Capabilities=["CAPABILITY_NAMED_IAM"],
    Parameters=[
        {"ParameterKey": "ExternalId", "ParameterValue": external_id},
        {"ParameterKey": "CheckerRoleArn", "ParameterValue": checker},
    ],
)
outputs = cloudformation.describe_stacks(StackName="CloudArq")["Stacks"][0]["Outputs"]
print(next(output["OutputValue"] for output in outputs if output["OutputKey"] == "RoleArn"))
`

// TestWalk is what a new customer does: register, create the stack of the
// published template with the External ID that is shown, paste the role's ARN
// back, verify, audit, read. The role has exactly the published policy, and
// nothing that the audit asks for is denied.
func TestWalk(t *testing.T) {
	h := start(t, "newcomer", nil)
	began := time.Now()
	const id = "777777777731"
	var c connection
	if status := h.call(http.MethodPost, "/v1/connections", nil, map[string]any{"name": "first", "regions": []string{stack.Region}}, &c); status != http.StatusCreated || c.State != "pending" || c.ExternalID == "" {
		t.Fatalf("register: status %d, %s", status, c.State)
	}
	root, err := emulator.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "test", "emulator", "python"), "-c", deployTemplate,
		h.emulator.URL, id, filepath.Join(root, "cloudformation", "audit-role.yaml"), c.ExternalID, c.CheckerRole)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(root, "test", "estate"), "PYTHONDONTWRITEBYTECODE=1", "AWS_CA_BUNDLE=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("create the template's stack: %v\n%s", err, stderr.Bytes())
	}
	role := strings.TrimSpace(string(out))
	if status := h.call(http.MethodPut, "/v1/connections/"+c.ID, map[string]string{"If-Match": h.tag(c)},
		map[string]any{"name": "first", "regions": []string{stack.Region}, "role_arn": role}, nil); status != http.StatusOK {
		t.Fatalf("paste %q back: status %d", role, status)
	}
	if a, now := h.verify(c); a.State != "done" || now.State != "active" || now.AccountID != id {
		t.Fatalf("verification is %s: %v; connection is %s of %s", a.State, a.Problems, now.State, now.AccountID)
	}
	a := h.wait(c, h.begin(c, "first").ID)
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
