package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// onServer runs a verb on a connection of the server.
func (c *cli) onServer(ctx context.Context, word string, work func(*apiclient.Client, apiclient.Connection) error) error {
	if _, err := c.format(); err != nil {
		return err
	}
	client, err := c.deployment()
	if err != nil {
		return err
	}
	named, err := findConnection(ctx, there{client}, word)
	if err != nil {
		return err
	}
	connection, err := client.Connection(ctx, named.ID)
	if err != nil {
		return err
	}
	return work(client, connection)
}

// connectOnServer is connections add for a server.
func (c *cli) connectOnServer(cmd *cobra.Command, f addFlags) error {
	ctx := cmd.Context()
	if _, err := c.format(); err != nil {
		return err
	}
	for flag, why := range map[string]string{
		"external-id": "the server has the External ID", "profile": "the server has its own credentials", "keyring-passphrase": "the server has its own keys",
	} {
		if cmd.Flags().Changed(flag) {
			return usagef("--%s does not go with --server: %s", flag, why)
		}
	}
	if f.noVerify && f.verify.wait {
		return usagef("--no-verify and --wait exclude each other")
	}
	if err := optionsError(f.AuditOptions); err != nil {
		return err
	}
	var key keep.NewAccessKey
	var err error
	if f.key.given() {
		if f.RoleARN != "" {
			return usagef("an access key opens an account by itself: leave out --role-arn")
		}
		if key, err = c.accessKey(f.key); err != nil {
			return err
		}
	}
	client, err := c.deployment()
	if err != nil {
		return err
	}
	in := apiclient.ConnectionInput{Name: f.Name, Project: f.project, RoleARN: f.RoleARN, AuditOptions: f.AuditOptions}
	if f.Once {
		in.Schedule.Expression = "once"
	}
	connection, err := client.Connect(ctx, ulid.Make().String(), in)
	if err != nil {
		return err
	}
	if f.key.given() {
		if connection, err = client.GiveAccessKey(ctx, connection, given(key, "")); err != nil {
			return fmt.Errorf("connection %s has no access key yet, which connections rotate-key gives it: %w", connection.ID, err)
		}
	} else {
		c.note("connection %s is made; the trust policy of its role has to be:\n%s", connection.ID, keep.TrustPolicy(connection.CheckerRole, secret.New(connection.ExternalID)))
	}
	if opens := f.RoleARN != "" || f.key.given(); opens && !f.noVerify && (f.verify.wait || f.key.given()) {
		if _, _, err := c.verifyOnServer(ctx, client, connection, f.verify); err != nil {
			return err
		}
	}
	return c.showOnServer(ctx, client, connection.ID)
}

// given is an access key as the API takes it.
func given(key keep.NewAccessKey, account string) apiclient.AccessKey {
	return apiclient.AccessKey{ID: key.ID, Secret: key.Secret, Account: account, Made: key.Made}
}

// showOnServer shows a connection as it is now.
func (c *cli) showOnServer(ctx context.Context, client *apiclient.Client, id model.ConnectionID) error {
	now, err := client.Connection(ctx, id)
	if err != nil {
		return err
	}
	return c.showConnection(ctx, there{client}, now.Connection, "")
}

// The server is asked to verify as often as it takes: a role is not known everywhere at once.
const (
	firstVerify   = 2 * time.Second
	longestVerify = 30 * time.Second
)

// verifyOnServer has the server verify a connection, once or until it is right, and gives
// the verification and the connection as it is then.
func (c *cli) verifyOnServer(ctx context.Context, client *apiclient.Client, connection apiclient.Connection, f verifyFlags) (model.Audit, apiclient.Connection, error) {
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	said := ""
	for pause := firstVerify; ; pause = min(2*pause, longestVerify) {
		verification, now, why, err := verifyOnce(limited, client, connection.ID)
		switch {
		case err != nil || why == "":
			return verification, now, err
		case !f.wait:
			return verification, now, &exitError{exitAccess, fmt.Errorf("connection %s is not right: %s; then verify it with: cloudarq connections test %s", connection.ID, why, connection.ID)}
		case why != said:
			c.note("waiting: %s", why)
			said = why
		}
		select {
		case <-limited.Done():
			return verification, now, &exitError{exitCancelled, fmt.Errorf("out of time: %s", why)}
		case <-time.After(pause):
		}
	}
}

// verifyOnce gives a verification, the connection as it is after it, and why it cannot be
// audited yet.
func verifyOnce(ctx context.Context, client *apiclient.Client, id model.ConnectionID) (verification model.Audit, now apiclient.Connection, why string, err error) {
	verification, err = client.Verify(ctx, id)
	var p *apiclient.Problem
	if errors.As(err, &p) && p.Busy() {
		return verification, now, p.Detail, nil
	}
	if err != nil {
		return verification, now, "", err
	}
	// A role that lacks something is right all the same: waiting would not mend that,
	// and the connection says it.
	if now, err = client.Connection(ctx, id); err != nil || verification.State == model.AuditDone {
		return verification, now, "", err
	}
	if why = now.Reason; why == "" {
		why = strings.Join(append([]string{"the connection is " + string(now.State)}, verification.Problems...), "; ")
	}
	return verification, now, why, nil
}

func (c *cli) testOnServer(ctx context.Context, word string, f verifyFlags, coverage bool) error {
	return c.onServer(ctx, word, func(client *apiclient.Client, connection apiclient.Connection) error {
		verified, _, err := c.verifyOnServer(ctx, client, connection, f)
		if !verified.State.Ended() {
			return err
		}
		if coverage {
			return errors.Join(c.showCoverage(connection.Connection, verified.Permissions, false), err)
		}
		shown := c.showOnServer(ctx, client, connection.ID)
		if shown == nil && c.output == string(report.Table) {
			shown = c.showCoverage(connection.Connection, verified.Permissions, true)
		}
		return errors.Join(shown, err)
	})
}

func (c *cli) updateOnServer(ctx context.Context, word string, change func(*apiclient.ConnectionInput)) error {
	return c.onServer(ctx, word, func(client *apiclient.Client, connection apiclient.Connection) error {
		in := connection.Input()
		change(&in)
		if err := optionsError(in.AuditOptions); err != nil {
			return err
		}
		connection, err := client.Update(ctx, connection, in)
		if err != nil {
			return err
		}
		return c.showConnection(ctx, there{client}, connection.Connection, "")
	})
}

func (c *cli) removeOnServer(ctx context.Context, word string, yes bool, format report.Format) error {
	return c.onServer(ctx, word, func(client *apiclient.Client, connection apiclient.Connection) error {
		if !yes {
			question := fmt.Sprintf("Delete everything that %s knows of account %s?", c.server, report.Plain(connection.AccountID))
			if err := c.agreed(ctx, question, "nothing was deleted"); err != nil {
				return err
			}
		}
		receipt, err := client.Disconnect(ctx, connection)
		if err != nil {
			return err
		}
		if format == report.Table {
			return report.ReceiptText(c.stdout, connection.Connection, receipt)
		}
		return writeOne(c, receipt, report.ReceiptColumns())
	})
}

func (c *cli) giveKeyOnServer(ctx context.Context, word string, f keyFlags, timeout time.Duration) error {
	key, err := c.accessKey(f)
	if err != nil {
		return err
	}
	return c.onServer(ctx, word, func(client *apiclient.Client, connection apiclient.Connection) error {
		now, err := client.GiveAccessKey(ctx, connection, given(key, connection.AccountID))
		if err != nil {
			return err
		}
		if _, _, err := c.verifyOnServer(ctx, client, now, verifyFlags{timeout: timeout}); err != nil {
			return err
		}
		if now.AccessKey != nil {
			c.note("now delete the access key before the one that ends in %s in the account", now.AccessKey.Suffix)
		}
		return c.showOnServer(ctx, client, connection.ID)
	})
}
