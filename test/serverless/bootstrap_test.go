package serverless_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

// theCommand is the command's binary.
var theCommand = sync.OnceValues(func() (string, error) {
	root, err := emulator.Root()
	if err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp("", "cloudarq-command-")
	if err != nil {
		return "", err
	}
	atEnd(func() error { return os.RemoveAll(temp) })
	program := filepath.Join(temp, "cloudarq")
	build := exec.Command("go", "build", "-o", program, "./cmd/cloudarq")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return program, nil
})

// command is the command's binary.
func command(t testing.TB) string {
	t.Helper()
	program, err := theCommand()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// administrator makes a user who may do all there is in an account, and a file with
// his keys as the profile "admin".
func administrator(t *testing.T, endpoint, account string) (file string) {
	t.Helper()
	owner, name := iam.NewFromConfig(estate.Owner(endpoint, account)), aws.String("alice")
	if _, err := owner.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: name, PolicyName: name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	}); err != nil {
		t.Fatal(err)
	}
	made, err := owner.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[admin]\naws_access_key_id = %s\naws_secret_access_key = %s\n", *made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newcomer is an account with nothing but an administrator, on whose machine the
// command is.
type newcomer struct {
	*house
	program     string
	credentials string // file with the profile "admin"
	data        string // directory of the command's state
}

func newNewcomer(t *testing.T, h *house, account string) newcomer {
	t.Helper()
	return newcomer{h, command(t), administrator(t, h.emulator.URL, account), filepath.Join(t.TempDir(), "state")}
}

// bootstrap runs the command with an API token.
func (n newcomer) bootstrap(token, url string, more ...string) (code int, stdout, stderr string) {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), n.program, append([]string{
		"connections", "bootstrap", "--server", url, "--admin-profile", "admin", "--region", stack.Region,
		"--yes", "--timeout", "60s", "-o", "json", "--data-dir", n.data,
	}, more...)...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "CLOUDARQ_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+n.emulator.URL, "AWS_REGION="+stack.Region, "AWS_CONFIG_FILE=/nonexistent", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_SHARED_CREDENTIALS_FILE="+n.credentials, "CLOUDARQ_TOKEN="+token, "XDG_CONFIG_HOME="+n.data)
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), out.String(), complaints.String()
}

// connections lists the organization's.
func (n newcomer) connections() []connection {
	n.t.Helper()
	var listed struct{ Connections []connection }
	if status := n.call(http.MethodGet, "/v1/connections", nil, nil, &listed); status != http.StatusOK {
		n.t.Fatalf("list connections: status %d", status)
	}
	return listed.Connections
}

// TestBootstrap is a newcomer's walk in one command: the connection is made, the role
// by the account's administrator, and verified; the deployment then audits.
func TestBootstrap(t *testing.T) {
	h := start(t, "bootstrapped", nil)
	const id = "777777777741"
	n := newNewcomer(t, h, id)
	api, token := h.URL()+"/v1", h.token().Reveal()
	for name, c := range map[string]struct {
		token, url string
		more       []string
		code       int
		says       string
	}{
		"no token":             {"", api, nil, 4, "cloudarq login --server"},
		"a token that is none": {"caq_nothing", api, nil, 4, "cloudarq login --server"},
		"not an API":           {token, "https://", nil, 2, "not the URL of an API"},
		"in the clear":         {token, "http://cloudarq.example.com/v1", nil, 2, "https://"},
		"the stack is refused": {token, api, []string{"--services", "iam", "--stack-name", strings.Repeat("a", 129)}, 2, "name of a stack"},
		"no administrator":     {token, api, []string{"--admin-profile", "nobody"}, 4, "--admin-profile"},
	} {
		if code, _, said := n.bootstrap(c.token, c.url, c.more...); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q: %s", name, code, c.code, c.says, said)
		}
	}
	if left := n.connections(); len(left) != 0 {
		t.Errorf("what was refused left %+v", left)
	}

	read := func(stdout, stderr string) connection {
		t.Helper()
		var done connection
		if err := json.Unmarshal([]byte(stdout), &done); err != nil {
			t.Fatalf("%v: %s%s", err, stdout, stderr)
		}
		return done
	}
	code, stdout, stderr := n.bootstrap(token, api, "--name", "first", "--services", "kms")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	first := read(stdout, stderr)
	if first.State != "active" || first.AccountID != id || !strings.Contains(stdout, "update-access-key --user-name alice") {
		t.Errorf("bootstrapped %s", stdout)
	}
	if a := h.wait(first, h.begin(first, "first").ID); a.State != "done" || strings.Contains(string(a.Summary), `"denied"`) {
		t.Errorf("audit is %s: %v %s", a.State, a.Problems, a.Summary)
	}

	// Again, for more: the same connection, with what else it is kept.
	var c connection
	if status := h.call(http.MethodPut, "/v1/connections/"+first.ID, map[string]string{"If-Match": h.tag(first)}, map[string]any{
		"name": "first", "project": "p", "role_arn": "arn:aws:iam::" + id + ":role/CloudArqAuditRole", "services": []string{}, "schedule": map[string]any{"expression": "rate(1 day)"},
	}, &c); status != http.StatusOK {
		t.Fatalf("change: status %d", status)
	}
	code, stdout, stderr = n.bootstrap(token, api)
	if again := read(stdout, stderr); code != 0 || again.ID != first.ID || again.State != "active" || !strings.Contains(stdout, `"rate(1 day)"`) || !strings.Contains(stdout, `"Modify"`) {
		t.Errorf("again (%d): %s%s", code, stdout, stderr)
	}
	if code, _, said := n.bootstrap(token, api, "--role-name", "Another"); code != 2 || !strings.Contains(said, "connected already with the role") {
		t.Errorf("another role (%d): %s", code, said)
	}
	if _, err := os.Stat(n.data); !os.IsNotExist(err) {
		t.Errorf("something was kept on this machine: %v", err)
	}
}

// TestBootstrapIsForgotten: whoever cannot make the role leaves no connection.
func TestBootstrapIsForgotten(t *testing.T) {
	h := start(t, "forgotten", nil)
	const id = "777777777742"
	n := newNewcomer(t, h, id)
	if err := h.emulator.SCP(id, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"cloudformation:*","Resource":"*"}]}`); err != nil {
		t.Fatal(err)
	}
	if code, _, said := n.bootstrap(h.token().Reveal(), h.URL()+"/v1"); code != 4 || !strings.Contains(said, "policy of the organization") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if left := n.connections(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}
