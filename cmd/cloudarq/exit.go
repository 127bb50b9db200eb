package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/awsx"
	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/pipeline"
	"github.com/cloudarq/cloudarq/pkg/report"
)

// The exit codes, one meaning each.
const (
	exitOK         = 0
	exitFindings   = 1 // findings at or above --fail-on; a policy that fails policy verify
	exitUsage      = 2 // the command line is wrong
	exitIncomplete = 3 // coverage below --min-coverage
	exitAccess     = 4 // AWS refused the credentials or the role
	exitCancelled  = 5 // cancelled, or out of time
	exitFailed     = 6 // anything else: the network, the disk, a bug
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
	if said != "" {
		fmt.Fprintf(c.stderr, "cloudarq: %s\n", report.Plain(strings.TrimSpace(said)))
	}
	return code
}

func classify(err error) (code int, said string) {
	var exit *exitError
	var unknown *check.UnknownError
	var access *awsx.AccessError
	switch {
	case errors.As(err, &exit):
		if exit.err == nil {
			return exit.code, ""
		}
		return exit.code, exit.err.Error()
	case errors.As(err, &unknown), errors.Is(err, pipeline.ErrNothing):
		return exitUsage, err.Error()
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
