package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) auditWatch() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "watch [AUDIT]",
		Short: "Wait for the end of an audit that runs in another process, or on a server",
		Long: `Wait for the end of an audit that runs in another process, or on a server, and show it.
An interruption ends the waiting and not the audit. The exit codes are those of audit run.`,
		Example: `  cloudarq audit watch
  cloudarq audit watch --server https://cloudarq.example.com 01KQ3 --fail-on high`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if err := f.checkGate(); err != nil {
				return err
			}
			return c.using(cmd.Context(), func(b backend) error {
				audit, err := findAudit(cmd.Context(), b, first(words))
				if err != nil {
					return err
				}
				return c.follow(cmd.Context(), b, audit, f)
			})
		},
	}
	f.gate(cmd)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "time to wait (default as long as it takes)")
	return cmd
}

// follow waits for the end of an audit, shows it, and settles the exit code.
func (c *cli) follow(ctx context.Context, b backend, audit model.Audit, f runFlags) error {
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if f.timeout > 0 {
		waiting, cancel = context.WithTimeout(ctx, f.timeout)
	}
	defer cancel()
	ended, err := c.watch(waiting, b, audit)
	if err != nil && waiting.Err() != nil {
		why := "nobody waits any more"
		if errors.Is(waiting.Err(), context.DeadlineExceeded) {
			why = "out of time"
		}
		return &exitError{exitCancelled, fmt.Errorf("%s: audit %s goes on; wait for it with: cloudarq audit watch %s", why, audit.ID, audit.ID)}
	}
	if err != nil {
		return err
	}
	if c.output == string(report.Table) {
		err = c.summary(ctx, b, ended)
	} else {
		err = c.writeAudit(ctx, b, ended)
	}
	if err != nil {
		return err
	}
	c.next(ended)
	if text := reminder(ended); text != "" {
		c.note("%s", text)
	}
	f.timeout = 0 // which was the waiting's, and not the audit's
	return verdictOn(ended, f)
}

// Bounds of how long an audit is left alone.
const (
	shortestWatch = time.Second
	longestWatch  = 30 * time.Second
)

// watch waits for the end of an audit, and says now and then how far it is.
func (c *cli) watch(ctx context.Context, b backend, audit model.Audit) (model.Audit, error) {
	said, at := "", time.Time{}
	for {
		now, p, err := b.Audit(ctx, audit)
		if err != nil || now.State.Ended() {
			return now, err
		}
		if text := progressText(now, p); text != said && time.Since(at) >= linesEvery {
			c.note("%s", text)
			said, at = text, time.Now()
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(min(max(p.Wait, shortestWatch), longestWatch)):
		}
	}
}

func progressText(a model.Audit, p apiclient.Progress) string {
	text := fmt.Sprintf("audit %s is %s: %d of %s done, %s", a.ID, a.State, p.Done, report.Count(p.Total, "task"), report.Count(p.Calls, "call"))
	if p.Seconds > 0 {
		text += fmt.Sprintf(", about %s to go", time.Duration(p.Seconds)*time.Second)
	}
	return text
}

// ofTheServer are flags of audit run that are the server's business, and whose.
var ofTheServer = map[string]string{
	"profile": "the server has its own credentials", "role-arn": "the connection has its role", "external-id": "the server has the External ID", "keyring-passphrase": "the server has its own keys",
	"quota-share": "the server has its own", "severity": "the connection says which checks", "dry-run": "it shows the calls of an audit of this machine",
	"regions": "", "services": "", "checks": "", "framework": "", "option": "", "unused-defaults": "", "trusted-accounts": "", "call-budget": "",
}

// runOnServer has the server audit a connection, and waits for the end.
func (c *cli) runOnServer(cmd *cobra.Command, f runFlags) error {
	ctx := cmd.Context()
	var wrong error
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		why, servers := ofTheServer[flag.Name]
		if why == "" {
			why = "it is the connection's: cloudarq connections update changes it"
		}
		if servers && wrong == nil {
			wrong = usagef("--%s does not go with --server: %s", flag.Name, why)
		}
	})
	if wrong != nil {
		return wrong
	}
	if err := f.checkGate(); err != nil {
		return err
	}
	if format, err := c.format(); err != nil || format != report.Table {
		if err == nil {
			err = usagef("audit run writes verdicts with -o %s, which the API does not have yet: leave it out, and read findings list", format)
		}
		return err
	}
	if (f.connection == "") == (f.resume == "") {
		return usagef("say which with --connection, or go on with an audit with --resume")
	}
	client, err := c.deployment()
	if err != nil {
		return err
	}
	b := there{client}
	var audit model.Audit
	if f.resume != "" {
		if audit, err = findAudit(ctx, b, f.resume); err == nil {
			audit, _, err = client.RetryAudit(ctx, audit)
		}
	} else {
		var connection model.Connection
		if connection, err = findConnection(ctx, b, f.connection); err == nil {
			audit, _, err = client.StartAudit(ctx, ulid.Make().String(), connection.ID)
		}
	}
	if err != nil {
		return err
	}
	c.note("audit %s of account %s is %s", audit.ID, strings.TrimSpace(audit.AccountID), audit.State)
	return c.follow(ctx, b, audit, f)
}
