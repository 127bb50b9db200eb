package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// The emulator and its estate are shared by the tests of this package, which
// change no account.
var shared struct {
	once   sync.Once
	server *emulator.Server
	estate *estate.Estate
	err    error
}

func TestMain(m *testing.M) {
	if code, other := otherProcess(); other {
		os.Exit(code)
	}
	code := m.Run()
	if shared.server != nil {
		_ = shared.server.Close()
	}
	os.Exit(code)
}

// sample is the seeded estate, with this process's environment set to reach it.
func sample(t *testing.T) (*estate.Estate, *emulator.Server) {
	t.Helper()
	shared.once.Do(func() {
		ctx := context.Background()
		if shared.server, shared.err = emulator.Start(ctx, emulator.Options{Enforce: true}); shared.err == nil {
			shared.estate, shared.err = estate.Seed(ctx, shared.server.URL, 0)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	environment(t, map[string]string{
		"AWS_ENDPOINT_URL":      shared.server.URL,
		"AWS_ACCESS_KEY_ID":     shared.estate.Auditor.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": shared.estate.Auditor.SecretAccessKey,
	})
	t.Cleanup(func() {
		if err := shared.server.ClearFaults(); err != nil {
			t.Error(err)
		}
	})
	return shared.estate, shared.server
}

// environment leaves nothing of AWS's or CloudArq's but what is given.
func environment(t *testing.T, with map[string]string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "CLOUDARQ_") {
			t.Setenv(name, "") // so that it comes back after the test
			_ = os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"} { // where who is signed in to servers is kept
		t.Setenv(name, home)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_MAX_ATTEMPTS", "2") // the fewest that still retry
	for name, value := range with {
		t.Setenv(name, value)
	}
}

// result is what a user sees of a command.
type result struct {
	code           int
	stdout, stderr string
}

// cloudarq runs a command to its end, on a state of the test's own.
func cloudarq(t *testing.T, data string, args ...string) result {
	t.Helper()
	return cloudarqIn(t.Context(), data, "", args...)
}

func cloudarqIn(ctx context.Context, data, stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(ctx, append(args, "--data-dir", data), strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// audit audits an account of the estate through its role.
func audit(t *testing.T, data string, a estate.Account, args ...string) result {
	t.Helper()
	return cloudarqIn(t.Context(), data, a.ExternalID+"\n",
		append([]string{"audit", "run", "--role-arn", a.RoleARN, "--external-id", "-"}, args...)...)
}

// sentence wants a failed command to say one clear sentence, with the words
// given, and no trace of the program's insides.
func (r result) sentence(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d; stderr: %s", r.code, code, r.stderr)
	}
	said := strings.TrimSpace(r.stderr)
	if note, rest, more := strings.Cut(said, "\n"); more && strings.Contains(note, "which is not AWS") { // as the emulator is not
		said = rest
	}
	if strings.Count(said, "\n") > 0 || !strings.HasPrefix(said, "cloudarq: ") || strings.Contains(said, "goroutine") {
		t.Errorf("not one sentence: %q", said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("%q does not say %q", said, w)
		}
	}
}

func decode[T any](t *testing.T, r result) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(r.stdout), &value); err != nil {
		t.Fatalf("stdout is not JSON: %v\n%s\n%s", err, r.stdout[:min(len(r.stdout), 500)], r.stderr)
	}
	return value
}

// wholeAudits are all audits of a data directory, the newest first, as audit show has each.
func wholeAudits(t *testing.T, data string) []model.Audit {
	t.Helper()
	listed := decode[[]shape.Audit](t, cloudarq(t, data, "audit", "list", "-o", "json"))
	all := make([]model.Audit, len(listed))
	for i, a := range listed {
		all[i] = decode[model.Audit](t, cloudarq(t, data, "audit", "show", string(a.ID), "-o", "json"))
	}
	return all
}
