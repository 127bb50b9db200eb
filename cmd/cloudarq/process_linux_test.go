package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudarq/cloudarq/test/estate"
)

// otherEnv makes the test binary another process: the command under a limit, or
// one that holds the state.
const otherEnv = "CLOUDARQTEST_OTHER"

const (
	underLimit = "files of at most bytes: " // of the size of files
	onTmpfs    = "full disk at: "           // a folder
	holding    = "hold the state of: "      // a data directory
	plainly    = "no limit"
)

// otherProcess plays the other process if this is one, and tells its exit code.
func otherProcess() (code int, other bool) {
	what := os.Getenv(otherEnv)
	if what == "" {
		return 0, false
	}
	if err := otherSetting(what); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 100, true
	}
	if strings.HasPrefix(what, holding) {
		return 0, true
	}
	return run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr), true
}

func otherSetting(what string) error {
	if what == plainly {
		return nil
	}
	if bytes, ok := strings.CutPrefix(what, underLimit); ok {
		limit, err := strconv.ParseUint(bytes, 10, 64)
		if err != nil {
			return err
		}
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit})
	}
	if folder, ok := strings.CutPrefix(what, onTmpfs); ok {
		return syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=4k")
	}
	return hold(strings.TrimPrefix(what, holding))
}

// hold keeps the right to write until the standard input ends.
func hold(data string) error {
	db, err := sql.Open("sqlite", filepath.Join(data, "state.db"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, db.Close())
}

func other(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), otherEnv+"="+what)
	return cmd
}

// auditElsewhere is kms in another process.
func auditElsewhere(t *testing.T, cmd *exec.Cmd, data string, a estate.Account) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Args = append(cmd.Args, "audit", "run", "--role-arn", a.RoleARN, "--external-id", "-", "--quiet",
		"--services", "kms", "--regions", "eu-west-1,us-east-1", "--data-dir", data)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(a.ExternalID), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.As(err, &exit) && exit.ExitCode() == 100 {
		t.Skipf("this machine does not allow it: %v %s", err, &stderr)
	}
	if err != nil && exit == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// kept is what must outlive any fault: the audits that ended, and all findings.
func kept(t *testing.T, data string) string {
	t.Helper()
	var done []string
	for line := range strings.Lines(cloudarq(t, data, "audit", "list", "-o", "ndjson").stdout) {
		if strings.Contains(line, `"state":"done"`) {
			done = append(done, line)
		}
	}
	findings := cloudarq(t, data, "findings", "list", "--all", "-o", "ndjson")
	resources := cloudarq(t, data, "resources", "list", "-o", "ndjson")
	if len(done) == 0 || findings.code != exitOK || findings.stdout == "" || resources.code != exitOK || resources.stdout == "" {
		t.Fatalf("nothing is kept: %d audits, %q %q", len(done), findings.stderr, resources.stderr)
	}
	return strings.Join(done, "") + findings.stdout + resources.stdout
}

// unharmed wants all that was kept before to be there still, and the next audit
// to go through.
func unharmed(t *testing.T, data, before string, a estate.Account) {
	t.Helper()
	if after := kept(t, data); after != before {
		t.Errorf("what was kept is not what it was\nbefore: %s\nafter: %s", before, after)
	}
	if r := kms(t, data, a, "-o", "ndjson"); r.code != exitOK {
		t.Errorf("the next audit: %d %s", r.code, r.stderr)
	}
}

func TestFullDisk(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	t.Run("for the records", func(t *testing.T) {
		for _, limit := range []int{0, 4 << 10, 16 << 10, 64 << 10} {
			t.Run(strconv.Itoa(limit), func(t *testing.T) {
				data := t.TempDir()
				kms(t, data, neglected)
				before := kept(t, data)
				cmd := other(t, underLimit+strconv.Itoa(limit))
				auditElsewhere(t, cmd, data, neglected).sentence(t, exitFailed, "the state in "+data, "not lost")
				unharmed(t, data, before, neglected)
			})
		}
	})
	t.Run("for the evidence", func(t *testing.T) {
		data := t.TempDir()
		kms(t, data, neglected)
		before := kept(t, data)
		// In namespaces of its own anybody may mount, and nothing is left behind.
		cmd := other(t, onTmpfs+filepath.Join(data, "blobs"))
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		auditElsewhere(t, cmd, data, neglected).sentence(t, exitFailed, "no space", "the state in "+data, "not lost")
		unharmed(t, data, before, neglected)
	})
	t.Run("from the beginning", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "new")
		auditElsewhere(t, other(t, underLimit+"0"), data, neglected).sentence(t, exitFailed, "the state in "+data)
		if r := kms(t, data, neglected); r.code != exitOK {
			t.Errorf("with space again: %d %s", r.code, r.stderr)
		}
	})
}

func TestStateInUse(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	kms(t, data, neglected)
	before := kept(t, data)
	holder := other(t, holding+data)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the other process says %q: %v", line, err)
	}
	kms(t, data, neglected).sentence(t, exitFailed, "in use by another process", "the state in "+data)
	_ = stdin.Close()
	if err := holder.Wait(); err != nil {
		t.Fatal(err)
	}
	unharmed(t, data, before, neglected)
}
