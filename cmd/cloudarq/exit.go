package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/access/operator"
	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/api/login"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// The exit codes, one meaning each.
const (
	exitOK         = 0
	exitFindings   = 1 // findings at or above --fail-on; a policy that fails policy verify
	exitUsage      = 2 // the command line is wrong, or the passphrase
	exitIncomplete = 3 // coverage below --min-coverage
	exitAccess     = 4 // AWS refused the credentials or the role, or lets in others, too; or a server refuses who asks
	exitCancelled  = 5 // cancelled, or out of time
	exitFailed     = 6 // anything else: the network, the disk, a bug
	exitAltered    = 7 // what is kept of an audit, or an admin log, is not what was written, or nobody can tell
)

// exitError ends the program with a code; err may be nil when everything has
// been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage marks an error of the command line.
func usage(err error) error { return &exitError{exitUsage, err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// exit says what went wrong, in one sentence, and gives the code that belongs
// to it.
func (c *cli) exit(err error) int {
	if err == nil {
		return exitOK
	}
	code, said := classify(err)
	if trouble := c.troubleWithState(err); code == exitFailed && trouble != "" {
		said = trouble
	}
	if said != "" {
		// Joined errors come a line each.
		said = strings.ReplaceAll(strings.TrimSpace(said), "\n", "; ")
		fmt.Fprintf(c.stderr, "cloudarq: %s\n", report.Plain(said))
	}
	return code
}

// troubleWithState says what is the matter with the place where audits are kept,
// and what to do. Which file and which step met it first does not help a user.
// It is empty for every other error.
func (c *cli) troubleWithState(err error) string {
	for _, t := range []struct {
		is   error
		says string
	}{
		{sqlite.ErrFull, "no space is left for %s; what was kept before is not lost: make room, then run it again"},
		{blob.ErrFull, "no space is left for %s; what was kept before is not lost: make room, then run it again"},
		{sqlite.ErrLocked, "%s is in use by another process; run it again when that is done"},
		{sqlite.ErrCorrupt, "%s is damaged and was left as it is; restore it from a copy, or move it away to begin anew"},
		{sqlite.ErrForeign, "%s holds a state.db that is not CloudArq's and was left as it is; name another place with --data-dir"},
		{sqlite.ErrNewer, "%s was written by a newer version of CloudArq; install that version"},
		{sqlite.ErrReadOnly, "%s cannot be written by this user; change its permissions, or name another place with --data-dir"},
		{sqlite.ErrDisk, "the system could not read or write %s; what was kept before is not lost: look at the disk and at limits on the size of files"},
	} {
		if errors.Is(err, t.is) {
			return fmt.Sprintf(t.says, "the state in "+c.stateDir)
		}
	}
	return ""
}

func classify(err error) (code int, said string) {
	var exit *exitError
	var unknown *check.UnknownError
	var access *client.AccessError
	var refused *pipeline.RefusedError
	var altered *pipeline.AlteredError
	var input *local.InputError
	var problem *apiclient.Problem
	var signIn *login.SignInError
	var exposed *login.ExposedError
	var noURL *apiclient.URLError
	var given *operator.InputError
	switch {
	case errors.As(err, &exit):
		if exit.err == nil {
			return exit.code, ""
		}
		return exit.code, exit.err.Error()
	case errors.As(err, &altered):
		return exitAltered, altered.Error() + "; cloudarq audit verify tells what else was"
	case errors.As(err, &unknown), errors.Is(err, pipeline.ErrNothing):
		return exitUsage, err.Error()
	case errors.As(err, &input):
		return exitUsage, input.Error()
	case errors.As(err, &noURL):
		return exitUsage, noURL.Error()
	case errors.As(err, &given):
		return exitUsage, given.Error()
	case errors.As(err, &exposed):
		return exitUsage, exposed.Error()
	case errors.As(err, &signIn):
		return exitAccess, signIn.Error()
	case errors.Is(err, login.ErrRefused):
		return exitAccess, err.Error()
	case errors.As(err, &problem) && problem.Code == "altered":
		return exitAltered, err.Error() + "; cloudarq audit verify tells what else was"
	case errors.As(err, &problem) && problem.Refused():
		return exitAccess, err.Error()
	case errors.Is(err, keyring.ErrShort):
		return exitUsage, keyring.ErrShort.Error()
	case errors.Is(err, keyring.ErrPassphrase):
		// Not exitAccess: AWS was not asked, and whoever signs in again because of
		// that code would do so in vain. It is what was given that is wrong.
		return exitUsage, err.Error()
	case errors.Is(err, context.DeadlineExceeded) && errors.As(err, &refused):
		return exitCancelled, "out of time: " + refused.Error()
	case errors.As(err, &refused):
		return exitAccess, refused.Error()
	case errors.As(err, &access):
		return exitAccess, access.Error()
	case errors.Is(err, local.ErrCancelled), errors.Is(err, context.Canceled):
		return exitCancelled, err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return exitCancelled, "out of time: " + err.Error()
	default:
		return exitFailed, err.Error()
	}
}
