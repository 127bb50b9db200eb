package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestKeyring(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	file := filepath.Join(t.TempDir(), "passphrase")
	overwrite(t, file, []byte("the right passphrase\n"))
	if r := add(t, data, neglected, "--no-verify", "--keyring-passphrase", "file:"+file); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	path := filepath.Join(data, "keyring")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keyring: %v %v, want mode 0600", info, err)
	}
	t.Setenv("WRONG", "wrong")
	dryRun := []string{"audit", "run", "--connection", "neglected", "--dry-run", "--services", "kms", "--quiet"}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"wrong":           {append(slices.Clone(dryRun), "--keyring-passphrase", "env:WRONG"), exitUsage, "this passphrase does not open the keyring"},
		"none":            {dryRun, exitUsage, "needs one, and none was given"},
		"not there":       {append(slices.Clone(dryRun), "--keyring-passphrase", "env:NOT_SET_ANYWHERE"), exitUsage, "NOT_SET_ANYWHERE"},
		"the word itself": {append(slices.Clone(dryRun), "--keyring-passphrase", "right"), exitUsage, "--keyring-passphrase takes where"},
		"no terminal":     {append(slices.Clone(dryRun), "--keyring-passphrase", "prompt"), exitUsage, "terminal"},
	} {
		t.Run(name, func(t *testing.T) { cloudarq(t, data, c.args...).sentence(t, c.code, c.says) })
	}
	if r := cloudarq(t, data, "connections", "list"); r.code != exitOK {
		t.Errorf("a list asks for a passphrase: %s", r.stderr)
	}
	t.Setenv(keyringVariable, "the right passphrase")
	if r := cloudarq(t, data, dryRun...); r.code != exitOK {
		t.Errorf("the right one: %d %s", r.code, r.stderr)
	}
	// Two secrets on stdin come one a line, the External ID first.
	both := t.TempDir()
	t.Setenv(keyringVariable, "")
	r := cloudarqIn(t.Context(), both, neglected.ExternalID+"\nthe right passphrase\n", "connections", "add", "--role-arn", neglected.RoleARN, "--external-id", "-", "--keyring-passphrase", "-")
	if r.code != exitOK {
		t.Fatal(r.stderr)
	}
	if r := cloudarq(t, both, "connections", "show", neglected.ID, "--reveal-external-id", "--keyring-passphrase", "file:"+file); !strings.Contains(r.stdout, neglected.ExternalID) {
		t.Errorf("with the passphrase of stdin: %d %s", r.code, r.stderr)
	}
}
