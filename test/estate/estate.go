// Package estate fills the emulator with sample accounts: one neglected, one
// well kept, one whose audit role lacks permissions. The accounts themselves are
// described in estate/, one module a service.
package estate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/test/emulator"
)

// Account is one seeded account and the way into it.
type Account struct {
	Name       string   `json:"name"`
	ID         string   `json:"account_id"`
	RoleARN    string   `json:"role_arn"`
	ExternalID string   `json:"external_id"`
	Regions    []string `json:"regions"`

	// The platform account has keys instead: those of the auditor.
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// Estate is the seeded accounts.
type Estate struct {
	Endpoint string
	Accounts []Account // neglected, well-kept, restricted
	Auditor  Account
}

// Seed fills a fresh emulator. The audit roles allow exactly the actions of
// CloudArq's table of operations; scale adds that many small resources to the
// neglected account.
func Seed(ctx context.Context, endpoint string, scale int) (*Estate, error) {
	dir, err := os.MkdirTemp("", "cloudarq-estate-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	role, err := rolePolicy(dir)
	if err != nil {
		return nil, err
	}
	out, err := run(ctx, "seed", "--endpoint", endpoint, "--policy", role, "--scale", strconv.Itoa(scale))
	if err != nil {
		return nil, err
	}
	e := &Estate{Endpoint: endpoint}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var a Account
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return nil, fmt.Errorf("read seeded account %q: %w", lines.Text(), err)
		}
		if a.AccessKeyID != "" {
			e.Auditor = a
		} else {
			e.Accounts = append(e.Accounts, a)
		}
	}
	return e, lines.Err()
}

// Change changes two things in the neglected account and says which.
func (e *Estate) Change(ctx context.Context) ([]string, error) {
	out, err := run(ctx, "change", "--endpoint", e.Endpoint)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// Corners fills one more account, with what the others lack: whatever no other
// makes an audit ask for.
func (e *Estate) Corners(ctx context.Context) (Account, error) {
	var a Account
	dir, err := os.MkdirTemp("", "cloudarq-estate-")
	if err != nil {
		return a, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	role, err := rolePolicy(dir)
	if err != nil {
		return a, err
	}
	out, err := run(ctx, "corners", "--endpoint", e.Endpoint, "--policy", role)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(out, &a); err != nil {
		return a, fmt.Errorf("read seeded account %q: %w", out, err)
	}
	return a, nil
}

// Account finds an account by its name.
func (e *Estate) Account(name string) Account {
	for _, a := range e.Accounts {
		if a.Name == name {
			return a
		}
	}
	panic("the estate has no account " + name)
}

// Environ is an environment with the auditor's keys and the emulator's address,
// and nothing else of AWS's.
func (e *Estate) Environ() []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + e.Endpoint, "AWS_ACCESS_KEY_ID=" + e.Auditor.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + e.Auditor.SecretAccessKey, "AWS_EC2_METADATA_DISABLED=true",
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "CLOUDARQ_") {
			env = append(env, v)
		}
	}
	return env
}

// rolePolicy writes the policy that is published into a file, its parts in one
// document as the estate puts it into the roles.
func rolePolicy(dir string) (path string, err error) {
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		return "", err
	}
	var whole policy.Document
	for _, m := range role.Policies {
		whole.Version = m.Document.Version
		whole.Statement = append(whole.Statement, m.Document.Statement...)
	}
	document, err := json.Marshal(whole)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "policy.json")
	return path, os.WriteFile(path, document, 0o600)
}

func run(ctx context.Context, args ...string) ([]byte, error) {
	root, err := emulator.Root()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "test", "emulator", "python"), append([]string{"-m", "estate"}, args...)...)
	cmd.Dir = filepath.Join(root, "test", "estate")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "AWS_CA_BUNDLE=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s the estate: %w\n%s", args[0], err, stderr.Bytes())
	}
	return out, nil
}
