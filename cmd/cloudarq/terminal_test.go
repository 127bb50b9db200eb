package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// onTerminal runs a command on a terminal, where somebody types an answer to each
// question: what ends in a colon or in [y/N]. It gives all that was to be seen.
func onTerminal(t *testing.T, answers []string, args ...string) (code int, said string) {
	t.Helper()
	person, program, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skip("this system has no such terminals")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = person.Close(), program.Close() }()
	var seen screen
	echoed := make(chan struct{})
	go func() {
		_, _ = io.Copy(&seen, person)
		close(echoed)
	}()
	ended := make(chan int, 1)
	go func() { ended <- run(t.Context(), args, program, &seen, &seen) }()
	read := 0 // of what is seen
	for _, answer := range answers {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			now := seen.String()[read:]
			if strings.HasSuffix(now, ": ") || strings.HasSuffix(now, "[y/N] ") {
				break
			}
			if len(ended) > 0 || time.Now().After(deadline) {
				t.Fatalf("no question to answer %q to:\n%s", answer, seen.String())
			}
		}
		read = len(seen.String())
		if _, err := person.Write([]byte(answer + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	code = <-ended
	_ = program.Close()
	<-echoed
	return code, seen.String()
}

func TestBootstrapAsks(t *testing.T) {
	n := newNewcomer(t, "555500000011", everything)
	data := t.TempDir()
	args := append(bootstrapArgs(), "--data-dir", data)
	for _, answer := range []string{"n", "", "yes please"} {
		code, said := onTerminal(t, []string{answer}, args...)
		if code != exitCancelled || !strings.Contains(said, "AWS::IAM::Role") || !strings.Contains(said, "nothing was changed") {
			t.Errorf("%q: %d %s", answer, code, said)
		}
		if n.stack(t, "us-east-1") != nil || n.trust(t, "CloudArqAuditRole") != "" {
			t.Errorf("%q left a stack", answer)
		}
		if listed := cloudarq(t, data, "connections", "list", "-o", "json"); strings.TrimSpace(listed.stdout) != "[]" {
			t.Errorf("%q keeps %s", answer, listed.stdout)
		}
	}
	if code, said := onTerminal(t, []string{"y"}, args...); code != exitOK || !strings.Contains(said, "update-access-key") {
		t.Fatalf("yes: %d %s", code, said)
	}
	id := externalID(t, data, n.account)
	if code, said := onTerminal(t, []string{"no"}, append(args, "--services", "kms")...); code != exitCancelled || !strings.Contains(said, "Modify") {
		t.Errorf("no to a change: %d %s", code, said)
	}
	if n.stack(t, "us-east-1") == nil || !strings.Contains(n.trust(t, "CloudArqAuditRole"), id) || externalID(t, data, n.account) != id {
		t.Error("no to a change changed something")
	}
	if code, said := onTerminal(t, nil, args...); code != exitOK || !strings.Contains(said, "as it should be") {
		t.Errorf("nothing to ask: %d %s", code, said)
	}
}

func TestPrompts(t *testing.T) {
	e, _ := sample(t)
	a, data := e.Account("well-kept"), t.TempDir()
	add := []string{"connections", "add", "--name", "a", "--role-arn", a.RoleARN, "--external-id", "prompt", "--keyring-passphrase", "prompt", "--services", "kms", "--regions", "eu-west-1", "--data-dir", data}
	if code, said := onTerminal(t, []string{a.ExternalID, "a passphrase of its own", "another"}, add...); code != exitUsage || !strings.Contains(said, "differ") {
		t.Errorf("two passphrases that differ: %d %s", code, said)
	}
	code, said := onTerminal(t, []string{a.ExternalID, "a passphrase of its own", "a passphrase of its own"}, add...)
	if code != exitOK || !strings.Contains(said, "active") {
		t.Errorf("add: %d %s", code, said)
	}
	for _, hidden := range []string{a.ExternalID, "a passphrase of its own"} {
		if strings.Contains(said, hidden) {
			t.Errorf("%q was echoed:\n%s", hidden, said)
		}
	}
	// A keyring with a passphrase asks for it by itself.
	if code, said := onTerminal(t, []string{"a passphrase of its own"}, "connections", "test", "a", "--data-dir", data); code != exitOK {
		t.Errorf("test: %d %s", code, said)
	}
	if code, said := onTerminal(t, []string{"wrong"}, "connections", "test", "a", "--data-dir", data); code != exitUsage {
		t.Errorf("test with a wrong passphrase: %d %s", code, said)
	}
	remove := []string{"connections", "remove", "a", "--data-dir", data}
	if code, said := onTerminal(t, []string{"n"}, remove...); code != exitCancelled || !strings.Contains(said, "nothing was deleted") {
		t.Errorf("remove, no: %d %s", code, said)
	}
	if code, said := onTerminal(t, []string{"Y"}, remove...); code != exitOK || !strings.Contains(said, "is forgotten") {
		t.Errorf("remove, yes: %d %s", code, said)
	}
}
