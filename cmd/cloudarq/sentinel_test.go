package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/test/emulator"
)

// hunt looks for secrets in everything that a user, a log or a thief of the data
// directory may see.
type hunt struct {
	forms map[string][]byte
	found int // places that were looked at
}

// newHunt knows each secret as it is, and as programs like to write text.
func newHunt(secrets ...string) *hunt {
	h := &hunt{forms: map[string][]byte{}}
	for _, s := range secrets {
		for form, text := range map[string]string{
			"as it is": s, "reversed case": strings.ToUpper(s), "URL": url.QueryEscape(s), "hex": hex.EncodeToString([]byte(s)),
		} {
			h.forms[s+" "+form] = []byte(text)
		}
		for shift := range 3 { // base64 has three forms of a text in another
			text := base64.StdEncoding.EncodeToString([]byte("xxx"[:shift] + s))
			h.forms[s+" base64 "+text] = []byte(strings.TrimRight(text, "=")[4:max(5, len(text)-5)])
		}
	}
	return h
}

func (h *hunt) in(t *testing.T, where string, content []byte) {
	t.Helper()
	h.found++
	for form, text := range h.forms {
		if bytes.Contains(content, text) {
			t.Errorf("%s holds a secret: %s", where, form)
		}
	}
}

// inFiles looks into all files of a directory, unpacked where they are packed, and
// gives all that it read.
func (h *hunt) inFiles(t *testing.T, dir string) (read []byte) {
	t.Helper()
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unpack.Close()
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		h.in(t, "the name of "+path, []byte(path))
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h.in(t, path, content)
		if filepath.Ext(path) == ".zst" {
			if content, err = unpack.DecodeAll(content, nil); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			h.in(t, path+", unpacked", content)
		}
		read = append(read, content...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestSecretsAppearNowhere goes the whole way of an account with a known External
// ID and passphrase, and of one with a known access key, and makes each step fail as
// well.
func TestSecretsAppearNowhere(t *testing.T) {
	e, server := sample(t)
	const (
		id, passphrase = "Sentinel+External-ID/4711", "sentinel passphrase of the keyring"
		wrongID, wrong = "Sentinel+Another-ID/0815", "sentinel passphrase that is wrong"
	)
	role := makeRole(t, server, e.Auditor, "Sentinel", id, "*")
	open := makeRole(t, server, e.Auditor, "SentinelOpen", "", "*")
	data, page := t.TempDir(), filepath.Join(t.TempDir(), "report.html")
	t.Setenv(keyringVariable, passphrase)
	t.Setenv("ID", id)
	t.Setenv("WRONG_ID", wrongID)
	t.Setenv("WRONG", wrong)
	// Another process with the state open keeps SQLite's journal from being cleared.
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	other, err := local.Open(t.Context(), data, catalog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })

	u := makeUser(t, server, "555566667777", "sentinel", "*")
	first, second := u.key(), u.key()
	gone := key{"AKIASENTINEL00000000", "Sentinel/Secret+Access/Key/0000000000001"}
	for name, value := range map[string]string{
		"KEY": first.id, "SECRET": first.secret, "KEY2": second.id, "SECRET2": second.secret, "GONE": gone.id, "GONE_SECRET": gone.secret,
	} {
		t.Setenv(name, value)
	}
	h := newHunt(id, passphrase, wrongID, wrong, first.id, first.secret, second.id, second.secret, gone.id, gone.secret)
	add := []string{"connections", "add", "--name", "s", "--services", "kms,iam", "--regions", "eu-west-1", "--external-id"}
	addKey := []string{"connections", "add", "--name", "k", "--services", "kms,iam", "--regions", "eu-west-1"}
	goodKey := []string{"--access-key-id", "env:KEY", "--secret-access-key", "env:SECRET"}
	goneKey := []string{"--access-key-id", "env:GONE", "--secret-access-key", "env:GONE_SECRET"}
	rotate := []string{"connections", "rotate-key", "k"}
	nextKey := []string{"--access-key-id", "env:KEY2", "--secret-access-key", "env:SECRET2"}
	audit := []string{"audit", "run", "--connection", "s"}
	auditByKey := []string{"audit", "run", "--connection", "k"}
	kms := func(kind string, seconds float64) []emulator.Fault {
		return []emulator.Fault{{Service: "kms", Kind: kind, Seconds: seconds}}
	}
	sts := func(kind string) []emulator.Fault { return []emulator.Fault{{Service: "sts", Kind: kind, Seconds: 20}} }
	for _, step := range []struct {
		name   string
		faults []emulator.Fault
		code   int
		args   []string
		more   []string
	}{
		{"add, no such role", nil, exitAccess, add, []string{"env:ID", "--role-arn", role + "Missing"}},
		{"add, open role", nil, exitAccess, add, []string{"env:ID", "--role-arn", open}},
		{"add, wrong External ID", nil, exitAccess, add, []string{"env:WRONG_ID", "--role-arn", role}},
		{"add, hanging", sts(emulator.Hang), exitCancelled, add, []string{"env:ID", "--role-arn", role, "--timeout", "1s"}},
		{"add, reset", sts(emulator.Reset), exitFailed, add, []string{"env:ID", "--role-arn", role}},
		{"add, garbage", sts(emulator.Garbage), exitFailed, add, []string{"env:ID", "--role-arn", role}},
		{"add, broken", sts(emulator.Error500), exitFailed, add, []string{"env:ID", "--role-arn", role}},
		{"add, waiting in vain", nil, exitCancelled, add, []string{"env:ID", "--role-arn", open, "--wait", "--timeout", "1s"}},
		{"add, wrong passphrase", nil, exitUsage, add, []string{"env:ID", "--role-arn", role, "--keyring-passphrase", "env:WRONG"}},
		{"add, the ID as an argument", nil, exitUsage, []string{"connections", "add"}, []string{"--external-id", "here", "--role-arn", role}},
		{"add", nil, exitOK, add, []string{"env:ID", "--role-arn", role}},
		{"test, hanging", sts(emulator.Hang), exitCancelled, []string{"connections", "test", "s", "--timeout", "1s"}, nil},
		{"test, throttled", sts(emulator.Throttle), exitFailed, []string{"connections", "test", "s"}, nil},
		{"test, wrong passphrase", nil, exitUsage, []string{"connections", "test", "s", "--keyring-passphrase", "env:WRONG"}, nil},
		{"test", nil, exitOK, []string{"connections", "test", "s"}, nil},
		{"audit, hanging", sts(emulator.Hang), exitCancelled, audit, []string{"--timeout", "1s"}},
		{"audit, garbage", sts(emulator.Garbage), exitFailed, audit, nil},
		{"audit, wrong passphrase", nil, exitUsage, audit, []string{"--keyring-passphrase", "env:WRONG"}},
		{"audit, a service hanging", kms(emulator.Hang, 20), exitCancelled, audit, []string{"--timeout", "2s"}},
		{"audit, a service broken", kms(emulator.Error500, 0), exitOK, audit, []string{"-o", "ndjson"}},
		{"audit, coverage missed", kms(emulator.Garbage, 0), exitIncomplete, audit, []string{"--min-coverage", "100"}},
		{"audit", nil, exitOK, audit, []string{"-o", "json"}},
		{"key, not allowed", nil, exitUsage, addKey, goodKey},
		{"allow", nil, exitOK, []string{"admin", "access-keys", "allow"}, nil},
		{"key, unknown to AWS", nil, exitAccess, addKey, goneKey},
		{"key, swapped", nil, exitUsage, addKey, []string{"--access-key-id", "env:SECRET", "--secret-access-key", "env:KEY"}},
		{"key, as an argument", nil, exitUsage, addKey, []string{"--access-key-id", "here", "--secret-access-key", "there"}},
		{"key, hanging", sts(emulator.Hang), exitCancelled, addKey, append([]string{"--timeout", "1s"}, goodKey...)},
		{"key, garbage", sts(emulator.Garbage), exitFailed, addKey, goodKey},
		{"key, broken", sts(emulator.Error500), exitFailed, addKey, goodKey},
		{"key, wrong passphrase", nil, exitUsage, addKey, append([]string{"--keyring-passphrase", "env:WRONG"}, goodKey...)},
		{"key, no such region", nil, exitUsage, append(addKey[:len(addKey):len(addKey)], "--regions", "nowhere"), goodKey},
		{"key", nil, exitOK, addKey, goodKey},
		{"key, again", nil, exitUsage, addKey, goodKey},
		{"key, test, reset", sts(emulator.Reset), exitFailed, []string{"connections", "test", "k"}, nil},
		{"key, test", nil, exitOK, []string{"connections", "test", "k", "-o", "json"}, nil},
		{"key, audit, garbage", sts(emulator.Garbage), exitFailed, auditByKey, nil},
		{"key, audit, wrong passphrase", nil, exitUsage, auditByKey, []string{"--keyring-passphrase", "env:WRONG"}},
		{"key, audit, a service hanging", kms(emulator.Hang, 20), exitCancelled, auditByKey, []string{"--timeout", "2s"}},
		{"key, audit", nil, exitOK, auditByKey, []string{"-o", "json"}},
		{"key, calls", nil, exitOK, []string{"audit", "calls", "-o", "json"}, nil},
		{"rotate, unknown to AWS", nil, exitAccess, rotate, goneKey},
		{"rotate, broken", sts(emulator.Error500), exitFailed, rotate, nextKey},
		{"rotate, wrong passphrase", nil, exitUsage, rotate, append([]string{"--keyring-passphrase", "env:WRONG"}, nextKey...)},
		{"rotate", nil, exitOK, rotate, nextKey},
		{"rekey, wrong passphrase", nil, exitUsage, []string{"admin", "rekey", "--keyring-passphrase", "env:WRONG"}, nil},
		{"rekey", nil, exitOK, []string{"admin", "rekey", "-o", "json"}, nil},
		{"key, audit after that", nil, exitOK, auditByKey, []string{"-o", "ndjson"}},
		{"key, show", nil, exitOK, []string{"connections", "show", "k"}, nil},
		{"forbid", nil, exitOK, []string{"admin", "access-keys", "forbid"}, nil},
		{"key, audit, forbidden", nil, exitUsage, auditByKey, nil},
		{"list", nil, exitOK, []string{"connections", "list", "-o", "json"}, nil},
		{"list, no such output", nil, exitUsage, []string{"connections", "list", "-o", "xml"}, nil},
		{"show", nil, exitOK, []string{"connections", "show", "s"}, nil},
		{"show, unknown", nil, exitUsage, []string{"connections", "show", "t"}, nil},
		{"show, wrong passphrase", nil, exitUsage, []string{"connections", "show", "s", "--reveal-external-id", "--keyring-passphrase", "env:WRONG"}, nil},
		{"findings", nil, exitOK, []string{"findings", "list", "-o", "json"}, nil},
		{"findings, unknown", nil, exitUsage, []string{"findings", "show", "abc"}, nil},
		{"calls", nil, exitOK, []string{"audit", "calls", "-o", "json"}, nil},
		{"report", nil, exitOK, []string{"report", "html", "--file", page}, nil},
		{"report, nowhere", nil, exitFailed, []string{"report", "html", "--file", filepath.Join(page, "below.html")}, nil},
	} {
		if err := server.ClearFaults(); err != nil {
			t.Fatal(err)
		}
		if err := server.Fault(step.faults...); len(step.faults) > 0 && err != nil {
			t.Fatal(err)
		}
		r := cloudarq(t, data, append(append([]string{}, step.args...), step.more...)...)
		if r.code != step.code {
			t.Errorf("%s: exit code %d, want %d: %s", step.name, r.code, step.code, r.stderr)
		}
		h.in(t, "stdout of "+step.name, []byte(r.stdout))
		h.in(t, "stderr of "+step.name, []byte(r.stderr))
		h.inFiles(t, data)
	}
	if err := server.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	deleteRole(t, server, "Sentinel")
	r := cloudarq(t, data, audit...)
	r.failsWith(t, exitAccess, "cannot assume")
	h.in(t, "stderr of a revoked role", []byte(r.stderr))

	read := h.inFiles(t, data)
	h.inFiles(t, filepath.Dir(page))
	for _, there := range []string{role, "AssumeRole", `"external_id":`, `"secret_access_key":`} {
		if !bytes.Contains(read, []byte(there)) {
			t.Errorf("the hunt did not look where %s is", there)
		}
	}
	if info, err := os.Stat(filepath.Join(data, "state.db-wal")); err != nil || info.Size() == 0 {
		t.Errorf("the journal was not looked at: %v", err)
	}
	// The hunt finds what it is to find.
	shown := cloudarq(t, data, "connections", "show", "s", "--reveal-external-id", "-o", "json")
	var one struct {
		ExternalID string `json:"external_id"`
	}
	if err := json.Unmarshal([]byte(shown.stdout), &one); err != nil || one.ExternalID != id || !strings.Contains(shown.stdout, id) {
		t.Errorf("revealed: %v %s", err, shown.stdout)
	}
}
