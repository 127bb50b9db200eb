package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// withKey runs a command with an access key on stdin.
func withKey(t *testing.T, data string, k key, args ...string) result {
	t.Helper()
	return cloudarqIn(t.Context(), data, k.id+"\n"+k.secret+"\n", append(args, "--access-key-id", "-", "--secret-access-key", "-")...)
}

// shown is a connection as connections show has it.
func shown(t *testing.T, data, word string) report.Connection {
	t.Helper()
	return decode[report.Connection](t, cloudarq(t, data, "connections", "show", word, "-o", "json"))
}

func TestAccessKeyFromBeginningToEnd(t *testing.T) {
	_, server := sample(t)
	u := makeUser(t, server, theirs, "scanner", "*")
	first, second := u.key(), u.key()
	data := t.TempDir()
	add := []string{"connections", "add", "--name", "legacy", "--services", "kms", "--regions", "eu-west-1", "-o", "json"}

	withKey(t, data, first, add...).sentence(t, exitUsage, "access_keys_disabled", "cloudarq admin access-keys allow")
	if s := decode[model.Settings](t, cloudarq(t, data, "admin", "access-keys", "show", "-o", "json")); s.AccessKeysAllowed {
		t.Error("access keys are allowed before anybody said so")
	}
	if r := cloudarq(t, data, "admin", "access-keys", "allow"); r.code != exitOK || !strings.Contains(r.stdout, "true") {
		t.Fatalf("allow: %d %s%s", r.code, r.stdout, r.stderr)
	}

	r := withKey(t, data, first, append(add, "--access-key-created", time.Now().AddDate(0, 0, -91).Format(time.DateOnly))...)
	if r.code != exitOK {
		t.Fatalf("add: %d %s", r.code, r.stderr)
	}
	added := decode[report.Connection](t, r)
	if added.AccountID != theirs || added.State != model.ConnectionActive || added.Kind != model.KindAccessKey || added.AccessKey.Suffix != first.id[len(first.id)-4:] {
		t.Errorf("added %+v, %+v", added, added.AccessKey)
	}
	if age := shown(t, data, "legacy").KeyAge; age == nil || age.Days < 90 || age.State != model.KeyOverdue {
		t.Errorf("age %+v, want it overdue", age)
	}
	if r := cloudarq(t, data, "connections", "show", "legacy"); !strings.Contains(r.stdout, "an access key that ends in "+added.AccessKey.Suffix) || !strings.Contains(r.stdout, "replace it") {
		t.Errorf("show:\n%s", r.stdout)
	}
	if r := cloudarq(t, data, "connections", "list"); !strings.Contains(r.stdout, "access_key") || !strings.Contains(r.stdout, "(overdue)") {
		t.Errorf("list:\n%s", r.stdout)
	}
	withKey(t, data, first, add...).sentence(t, exitUsage, "kept already")
	cloudarq(t, data, "connections", "show", "legacy", "--reveal-external-id").sentence(t, exitUsage, "needs no External ID")

	probes := decode[[]model.Probe](t, cloudarq(t, data, "connections", "test", "legacy", "-o", "json"))
	want := []model.Probe{
		{Tried: "use the access key", Want: "allowed", Answer: "allowed"},
		{Tried: "ask whose account it is", Want: theirs, Answer: theirs},
		{Tried: "call ec2:DescribeRegions", Want: "allowed", Answer: "allowed"},
	}
	if diff := cmp.Diff(want, probes); diff != "" {
		t.Errorf("probes (-want +got):\n%s", diff)
	}

	r = cloudarq(t, data, "audit", "run", "--connection", "legacy")
	if r.code != exitOK || !strings.Contains(r.stderr, "is 91 days old") || !strings.Contains(r.stderr, "connections rotate-key "+theirs) {
		t.Errorf("audit with an old key: %d %s", r.code, r.stderr)
	}
	if audits := wholeAudits(t, data); len(audits) != 1 || audits[0].CallerARN != "arn:aws:iam::"+theirs+":user/scanner" || audits[0].AccountID != theirs {
		t.Errorf("audits %+v", audits)
	}

	if r := withKey(t, data, second, "connections", "rotate-key", "legacy"); r.code != exitOK || !strings.Contains(r.stderr, "delete the access key that ends in "+added.AccessKey.Suffix) {
		t.Fatalf("rotate: %d %s", r.code, r.stderr)
	}
	u.deactivate(first)
	r = cloudarq(t, data, "audit", "run", "--connection", "legacy")
	if r.code != exitOK || strings.Contains(r.stderr, "days old") {
		t.Errorf("audit with the new key alone: %d %s", r.code, r.stderr)
	}
	now := shown(t, data, "legacy")
	if now.AccessKey.Suffix != second.id[len(second.id)-4:] || now.KeyAge.Days != 0 || now.KeyAge.State != model.KeyFresh || now.State != model.ConnectionActive {
		t.Errorf("rotated %+v, %+v", now, now.AccessKey)
	}

	cloudarq(t, data, "admin", "access-keys", "forbid")
	for _, args := range [][]string{{"audit", "run", "--connection", "legacy"}, {"connections", "test", "legacy"}} {
		cloudarq(t, data, args...).sentence(t, exitUsage, "access_keys_disabled")
	}
	if c := shown(t, data, "legacy"); c.State != model.ConnectionActive {
		t.Errorf("forbidden, the connection is %s: nobody revoked it", c.State)
	}
	cloudarq(t, data, "admin", "access-keys", "allow")

	u.deactivate(second)
	cloudarq(t, data, "audit", "run", "--connection", "legacy").sentence(t, exitAccess, "access_key_refused", "does not accept the access key that ends in")
	if c := shown(t, data, "legacy"); c.State != model.ConnectionRevoked || !strings.Contains(c.Reason, "access_key_refused") {
		t.Errorf("after its key was deactivated: %+v", c)
	}

	r = cloudarq(t, data, "connections", "remove", "legacy", "--yes")
	if r.code != exitOK || !strings.Contains(r.stdout, "ends in "+now.AccessKey.Suffix) {
		t.Errorf("removed: %d %s", r.code, r.stdout)
	}
}

func TestAccessKeyThatIsNotRight(t *testing.T) {
	e, server := sample(t)
	u := makeUser(t, server, theirs, "blind", "kms:ListKeys")
	good := u.key()
	other := makeUser(t, server, e.Account("well-kept").ID, "stranger", "*").key()
	weak := makeUser(t, server, theirs, "weak", "kms:ListKeys").key()
	gone := key{"AKIAGONE000000000000", good.secret}
	for name, c := range map[string]struct {
		key  key
		args []string
		code int
		says []string
	}{
		"unknown to AWS":        {gone, nil, exitAccess, []string{"access_key_refused", "ends in 0000"}},
		"least not allowed":     {good, nil, exitAccess, []string{"policy_minimum_missing", "the access key may not call ec2:DescribeRegions"}},
		"temporary":             {key{"ASIA" + good.id[4:], good.secret}, nil, exitUsage, []string{"temporary"}},
		"swapped":               {key{good.secret, good.id}, nil, exitUsage, []string{"access key id", "AKIA"}},
		"no secret":             {key{good.id, ""}, nil, exitUsage, []string{"secret access key"}},
		"with a role":           {good, []string{"--role-arn", "arn:aws:iam::" + theirs + ":role/X"}, exitUsage, []string{"--role-arn"}},
		"with a profile":        {good, []string{"--profile", "p"}, exitUsage, []string{"--profile"}},
		"not verified":          {good, []string{"--no-verify"}, exitUsage, []string{"--no-verify"}},
		"made in the future":    {good, []string{"--access-key-created", "2999-01-01"}, exitUsage, []string{"future"}},
		"made on no day":        {good, []string{"--access-key-created", "soon"}, exitUsage, []string{"--access-key-created"}},
		"an unknown service":    {good, []string{"--services", "kmss"}, exitUsage, []string{"did you mean"}},
		"the id as an argument": {good, []string{"--access-key-id", good.id}, exitUsage, []string{"takes where the access key id is"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			cloudarq(t, data, "admin", "access-keys", "allow")
			stdin := c.key.id + "\n" + c.key.secret + "\n"
			args := append([]string{"connections", "add", "--access-key-id", "-", "--secret-access-key", "-"}, c.args...)
			r := cloudarqIn(t.Context(), data, stdin, args...)
			r.sentence(t, c.code, c.says...)
			for _, part := range []string{c.key.id, c.key.secret} {
				if part != "" && strings.Contains(r.stderr, part) {
					t.Errorf("it quotes the key: %s", r.stderr)
				}
			}
		})
	}
	t.Run("in another's place", func(t *testing.T) {
		data := t.TempDir()
		u.allow("*")
		cloudarq(t, data, "admin", "access-keys", "allow")
		if r := withKey(t, data, good, "connections", "add", "--name", "legacy"); r.code != exitOK {
			t.Fatal(r.stderr)
		}
		withKey(t, data, other, "connections", "rotate-key", "legacy").sentence(t, exitAccess, "account_mismatch", theirs)
		withKey(t, data, gone, "connections", "rotate-key", "legacy").sentence(t, exitAccess, "access_key_refused")
		withKey(t, data, weak, "connections", "rotate-key", "legacy").sentence(t, exitAccess, "policy_minimum_missing")
		if c := shown(t, data, "legacy"); c.State != model.ConnectionActive || c.AccessKey.Suffix != good.id[len(good.id)-4:] {
			t.Errorf("after keys that were refused the connection is %+v, %+v", c, c.AccessKey)
		}
		if r := cloudarq(t, data, "connections", "test", "legacy"); r.code != exitOK {
			t.Errorf("after keys that were refused the one before is gone: %s", r.stderr)
		}
	})
	t.Run("rotated where there is none", func(t *testing.T) {
		data := t.TempDir()
		if r := add(t, data, e.Account("neglected"), "--no-verify"); r.code != exitOK {
			t.Fatal(r.stderr)
		}
		withKey(t, data, good, "connections", "rotate-key", "neglected").sentence(t, exitUsage, "not kept by an access key")
	})
	t.Run("from the environment", func(t *testing.T) {
		data := t.TempDir()
		t.Setenv(keySecretVariable, good.secret)
		t.Setenv("KEY", good.id)
		cloudarq(t, data, "admin", "access-keys", "allow")
		if r := cloudarq(t, data, "connections", "add", "--access-key-id", "env:KEY"); r.code != exitOK {
			t.Error(r.stderr)
		}
	})
}

// Rekeying changes the keyring and every wrapped key, and nothing that a user sees.
func TestRekey(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	rekey := []string{"admin", "rekey", "-o", "json"}
	cloudarq(t, data, rekey...).sentence(t, exitUsage, "no keyring")
	if r := add(t, data, e.Account("neglected"), "--no-verify"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	cloudarq(t, data, "admin", "access-keys", "allow")
	if r := withKey(t, data, makeUser(t, server, theirs, "scanner", "*").key(), "connections", "add", "--name", "legacy"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	for range 2 {
		if done := decode[local.Rekeyed](t, cloudarq(t, data, rekey...)); done != (local.Rekeyed{DataKeys: 2, Dropped: 1}) {
			t.Errorf("rekeyed %+v, want both connections and the master key before dropped", done)
		}
		for _, word := range []string{"neglected", "legacy"} {
			if r := cloudarq(t, data, "connections", "test", word); r.code != exitOK {
				t.Errorf("%s after the rekeying: %s", word, r.stderr)
			}
		}
	}
	t.Setenv("WRONG", "wrong")
	cloudarq(t, data, "admin", "rekey", "--keyring-passphrase", "env:WRONG").sentence(t, exitUsage, "passphrase")
}
