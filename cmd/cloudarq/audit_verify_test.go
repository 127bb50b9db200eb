package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/test/estate"
)

// runKMS audits KMS of an account in one region.
func runKMS(t *testing.T, data string, a estate.Account, args ...string) {
	t.Helper()
	r := cloudarqIn(t.Context(), data, a.ExternalID, append([]string{
		"audit", "run", "--role-arn", a.RoleARN, "--external-id", "-",
		"--services", "kms", "--regions", "eu-west-1", "--quiet",
	}, args...)...)
	if r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
}

// objects are the files of a data directory that hold evidence or calls of KMS, the
// newest last.
func objects(t *testing.T, data, what string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "blobs", what), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "service=kms.") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", what, err)
	}
	slices.Sort(paths)
	return paths
}

// rewrite writes a file of JSON lines anew, as well-formed as it was.
func rewrite(t *testing.T, path, from, to string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, changed := blob.NewWriter(&out), 0
	for line, err := range blob.Read[json.RawMessage](bytes.NewReader(content)) {
		if err != nil {
			t.Fatal(err)
		}
		changed += strings.Count(string(line), from)
		if err := w.Write(json.RawMessage(strings.ReplaceAll(string(line), from, to))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || changed == 0 {
		t.Fatalf("%d times %s in %s: %v", changed, from, path, err)
	}
	overwrite(t, path, out.Bytes())
}

// TestRewrittenEvidenceIsNotShown: nothing shows evidence in which somebody has turned
// failures into passes.
func TestRewrittenEvidenceIsNotShown(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	runKMS(t, data, neglected)
	runKMS(t, data, neglected)
	if r := cloudarq(t, data, "report", "html"); r.code != exitOK || !strings.Contains(r.stdout, "kms-key-rotation") {
		t.Fatalf("before: %d %s", r.code, r.stderr)
	}
	evidence := objects(t, data, "evidence")
	rewrite(t, evidence[len(evidence)-1], `"FAIL"`, `"PASS"`)
	page := filepath.Join(t.TempDir(), "audit.html")
	for _, args := range [][]string{
		{"report", "html"},
		{"report", "html", "--file", page},
		{"audit", "show"},
		{"audit", "diff"},
		{"audit", "diff", "-o", "json"},
		{"resources", "list", "-o", "json"},
	} {
		r := cloudarq(t, data, args...)
		r.sentence(t, exitAltered, "the evidence of kms", "is not what the audit wrote")
		if r.stdout != "" {
			t.Errorf("%v shows %s", args, r.stdout)
		}
	}
	if _, err := os.Stat(page); err == nil {
		t.Error("a report was written")
	}
	if r := cloudarq(t, data, "findings", "list", "-o", "json"); r.code != exitOK || !strings.Contains(r.stdout, "kms-key-rotation") {
		t.Errorf("findings are not read from evidence: %d %s", r.code, r.stderr)
	}
	r := cloudarq(t, data, "audit", "verify", "-o", "json")
	v := decode[pipeline.Verification](t, r)
	if r.code != exitAltered || v.Verdict != pipeline.VerdictAltered || len(v.Problems) != 1 {
		t.Errorf("%d %+v", r.code, v)
	}
	if r := cloudarq(t, data, "audit", "verify"); !strings.Contains(r.stdout, "! the evidence of kms") || !strings.Contains(r.stderr, "1 problem") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	older := strings.TrimPrefix(filepath.Base(filepath.Dir(evidence[0])), "audit=")
	if r := cloudarq(t, data, "audit", "verify", older); r.code != exitOK {
		t.Errorf("the audit before: %d %s", r.code, r.stderr)
	}
}

// TestRewrittenCallsAreNotListed: of a ledger that was changed no call is listed, nor is
// one that somebody put beside it.
func TestRewrittenCallsAreNotListed(t *testing.T) {
	e, _ := sample(t)
	data := t.TempDir()
	runKMS(t, data, e.Account("neglected"))
	path := objects(t, data, "ledger")[0]
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(filepath.Dir(path), "service=kms.01K9ZQ8Y5J3W7T4N2R6M1C0B9A.ndjson.zst"), content)
	calls := cloudarq(t, data, "audit", "calls", "-o", "ndjson")
	if calls.code != exitOK || !strings.Contains(calls.stderr, "1 ledger left out") {
		t.Errorf("%d %s", calls.code, calls.stderr)
	}
	if r := cloudarq(t, data, "audit", "verify"); r.code != exitAltered || !strings.Contains(r.stdout, "no record names") {
		t.Errorf("%d %s%s", r.code, r.stdout, r.stderr)
	}
	rewrite(t, path, `"DescribeKey"`, `"DeleteKey"`)
	for _, args := range [][]string{{"-o", "ndjson"}, {"-o", "json"}, nil} {
		r := cloudarq(t, data, append([]string{"audit", "calls"}, args...)...)
		if r.code != exitAltered || strings.Contains(r.stdout, "DeleteKey") || strings.Contains(r.stdout, "ListKeys") || !strings.Contains(r.stderr, "the ledger of kms") {
			t.Errorf("%v: %d %s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	trail := filepath.Join(t.TempDir(), "trail.json")
	overwrite(t, trail, []byte(`{"Records":[]}`))
	if r := cloudarq(t, data, "audit", "reconcile", "--trail", trail); r.code != exitAltered {
		t.Errorf("reconcile: %d %s", r.code, r.stderr)
	}
}

// TestSignedAudits: audits are signed if there is a keyring that opens without asking
// anybody, and go on without.
func TestSignedAudits(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	data, secrets := t.TempDir(), t.TempDir()
	word := filepath.Join(secrets, "passphrase")
	overwrite(t, word, []byte("the right passphrase\n"))
	verify := func(code int, says string, args ...string) {
		t.Helper()
		if r := cloudarq(t, data, append([]string{"audit", "verify"}, args...)...); r.code != code || !strings.Contains(r.stdout, says) {
			t.Errorf("verify %v: %d, want %d and %q:\n%s%s", args, r.code, code, says, r.stdout, r.stderr)
		}
	}
	runKMS(t, data, neglected)
	verify(exitOK, "Not signed")

	r := cloudarq(t, data, "admin", "signing-key", "--keyring-passphrase", "file:"+word, "-o", "json")
	if r.code != exitOK {
		t.Fatal(r.stderr)
	}
	key := decode[signingKey](t, r)
	if again := decode[signingKey](t, cloudarq(t, data, "admin", "signing-key", "-o", "json")); again != key {
		t.Errorf("shown again, without the passphrase, it is %+v, and was %+v", again, key)
	}
	verify(exitAltered, "! the audit is not signed", "--key", key.PublicKey)

	runKMS(t, data, neglected) // nobody is asked for the passphrase
	verify(exitOK, "Not signed")
	runKMS(t, data, neglected, "--keyring-passphrase", "file:"+word)
	verify(exitOK, "Signed ")
	verify(exitOK, key.Fingerprint, "--key", key.PublicKey)
	verify(exitAltered, "! what is signed was not signed by the key", "--key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	cloudarq(t, data, "audit", "verify", "--key", "nonsense").sentence(t, exitUsage, "--key: no public key")

	wrong := filepath.Join(secrets, "wrong")
	overwrite(t, wrong, []byte("wrong\n"))
	cloudarqIn(t.Context(), data, neglected.ExternalID, "audit", "run", "--role-arn", neglected.RoleARN, "--external-id", "-",
		"--services", "kms", "--regions", "eu-west-1", "--quiet", "--keyring-passphrase", "file:"+wrong).sentence(t, exitUsage, "does not open the keyring")
}
