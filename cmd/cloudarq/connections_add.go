package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// verifyFlags say how the way into an account is verified.
type verifyFlags struct {
	wait    bool
	timeout time.Duration
}

func (f *verifyFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.wait, "wait", false, "verify again and again until it is right")
	timeoutFlag(cmd, &f.timeout)
}

func timeoutFlag(cmd *cobra.Command, timeout *time.Duration) {
	cmd.Flags().DurationVar(timeout, "timeout", 15*time.Minute, "time for verifying")
}

// addFlags are the flags of connections add.
type addFlags struct {
	keep.NewConnection
	project    string
	externalID string
	key        keyFlags
	noVerify   bool
	verify     verifyFlags
}

func (c *cli) connectionsAdd() *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Keep an account: its role, and the External ID sealed",
		Long: `Keep an account, so that it can be audited by its name. The role is verified: it
must let in who knows the External ID and nobody else, which takes two attempts
that show as denied in the account's CloudTrail, and allow ec2:DescribeRegions.

Without --external-id one is made and shown, with the trust policy that the role
needs; create the role, then verify it with connections test, or say --wait.

With --once the account is there to be audited one time. Nothing is deleted by
itself; the audit's end says how its role can go, and what is known of it.

The External ID is sealed by a keyring in the data directory. The first use makes
the keyring: with a passphrase if one is given, otherwise with the mode of its file
as its only protection.

Instead of a role, an access key of an IAM user can be kept, sealed likewise. That is
not recommended, since a key lasts until somebody deletes it, and has to be allowed
first: cloudarq admin access-keys allow. AWS is asked whose account it opens. Replace
the key every 90 days, with connections rotate-key.

With --server, the account is connected with the server, which has one External ID for
all: what the role has to trust is shown. The role may come later, with connections
update --new-role-arn.`,
		Example: `  cloudarq connections add --name prod --role-arn arn:aws:iam::111122223333:role/CloudArqAuditRole
  cloudarq connections add --name prod --role-arn arn:aws:iam::111122223333:role/CloudArqAuditRole --wait --timeout 30m
  cloudarq connections add --role-arn arn:aws:iam::111122223333:role/CloudArqAuditRole --external-id prompt --profile audit
  cloudarq connections add --role-arn arn:aws:iam::111122223333:role/CloudArqAuditRole --external-id env:ID \
    --regions eu-west-1,us-east-1 --services s3,iam --keyring-passphrase prompt
  cloudarq connections add --name legacy --access-key-id prompt --secret-access-key prompt
  cloudarq connections add --server https://cloudarq.example.com --name prod --project shop --role-arn arn:aws:iam::111122223333:role/CloudArqAuditRole`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.server != "" {
				return c.connectOnServer(cmd, f)
			}
			return c.addConnection(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Name, "name", "", "a name to call the account by")
	flags.StringVar(&f.RoleARN, "role-arn", "", "role to assume in the account")
	flags.StringVar(&f.externalID, "external-id", "", "where the External ID is: - (stdin), prompt, env:NAME or file:PATH (default $"+externalIDVariable+", or a new one)")
	f.key.add(cmd)
	flags.StringVar(&f.Profile, "profile", "", "profile of the AWS configuration that assumes the role")
	optionFlags(cmd, &f.AuditOptions)
	flags.BoolVar(&f.Once, "once", false, "audit it one time: after that you are reminded that its role can go")
	flags.StringVar(&f.project, "project", "", "project that it is of (with --server)")
	flags.BoolVar(&f.noVerify, "no-verify", false, "do not try the role now; the first audit does")
	f.verify.add(cmd)
	c.keyringFlag(cmd)
	return cmd
}

func (c *cli) addConnection(ctx context.Context, f addFlags) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	if f.project != "" {
		return usagef("--project goes with --server: there are no projects here")
	}
	if f.key.given() {
		return c.addByKey(ctx, f, format)
	}
	if f.RoleARN == "" {
		return usagef("--role-arn is missing")
	}
	if f.noVerify && f.verify.wait {
		return usagef("--no-verify and --wait exclude each other")
	}
	if f.ExternalID, err = c.externalID(f.externalID); err != nil {
		return err
	}
	return c.with(ctx, func(s *local.State) error {
		accounts := c.kept(s)
		connection, id, err := accounts.Add(ctx, f.NewConnection)
		if err != nil {
			return err
		}
		made := f.ExternalID.Empty()
		c.remindOfShort(f.ExternalID)
		if made {
			fmt.Fprintf(c.stderr, "cloudarq: account %s is kept; the trust policy of its role has to be:\n%s", connection.AccountID,
				keep.TrustPolicy(c.principal(ctx, accounts, f.Profile), id))
		}
		if !f.noVerify && (!made || f.verify.wait) {
			if _, err := c.verify(ctx, accounts, connection, f.verify); err != nil {
				return err
			}
		}
		if !made {
			id = secret.String{} // whoever gave it knows it
		}
		return c.showAdded(ctx, accounts, connection.ID, id, format)
	})
}

// showAdded shows a connection as it is now, with the External ID that was made for
// it, if one was.
func (c *cli) showAdded(ctx context.Context, accounts keep.Connections, id model.ConnectionID, externalID secret.String, format report.Format) error {
	connection, err := accounts.Find(ctx, string(id))
	if err != nil {
		return err
	}
	shown, err := row(ctx, accounts.State, connection)
	if err != nil {
		return err
	}
	columns := report.ConnectionColumns()
	if !externalID.Empty() {
		shown.ExternalID = externalID.Reveal()
		columns = append(columns, report.ExternalIDColumn())
	}
	if format == report.Table {
		return report.ConnectionText(c.stdout, shown)
	}
	return writeOne(c, shown, columns)
}

// verify verifies a connection, once or until it is right.
func (c *cli) verify(ctx context.Context, accounts keep.Connections, connection model.Connection, f verifyFlags) (connect.Verification, error) {
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	calls := &ledger.Memory{}
	try := accounts.Verify
	if f.wait {
		said := ""
		try = func(ctx context.Context, connection model.Connection, session string, calls ledger.Ledger) (connect.Verification, error) {
			return accounts.Wait(ctx, connection, session, calls, func(why error) {
				if why.Error() != said {
					c.note("waiting: %s", report.Plain(why.Error()))
				}
				said = why.Error()
			})
		}
	}
	v, err := try(limited, connection, sessionName(), calls)
	if e := accounts.Record(context.WithoutCancel(ctx), connection, calls.Entries()); e != nil {
		return v, errors.Join(err, e)
	}
	var refused *pipeline.RefusedError
	if errors.As(err, &refused) && limited.Err() == nil {
		return v, &exitError{exitAccess, fmt.Errorf("%w; then verify it with: cloudarq connections test %s", refused, connection.ID)}
	}
	if p := v.Permissions; err == nil && p != nil {
		c.note("%s", report.PermissionsText(*p))
	}
	return v, err
}

func (c *cli) connectionsTest() *cobra.Command {
	var f verifyFlags
	var coverage bool
	cmd := &cobra.Command{
		Use:   "test CONNECTION",
		Short: "Verify the way into an account again, and show what was tried and what audits could assess",
		Long: `Verify an account's role or access key again: what was tried, what AWS said, and
whether that is right; and how much of each service an audit could assess, as far as
the policies of the role or the user tell. --coverage writes the latter alone, for
-o json, ndjson and csv. The exit code is 4 if something is not right. With --server the
server verifies it, and the connection is shown as it is then.`,
		Example: `  cloudarq connections test prod
  cloudarq connections test 111122223333 --wait --timeout 10m
  cloudarq connections test prod --coverage -o csv
  cloudarq connections test prod -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			ctx := cmd.Context()
			if c.server != "" {
				return c.testOnServer(ctx, words[0], f, coverage)
			}
			return c.withConnection(ctx, words[0], func(accounts keep.Connections, connection model.Connection) error {
				v, err := c.verify(ctx, accounts, connection, f)
				if v.Probes == nil {
					return err
				}
				return errors.Join(c.showVerification(connection, v, coverage), err)
			})
		},
	}
	cmd.Flags().BoolVar(&coverage, "coverage", false, "write how much of each service could be assessed, and not what was tried")
	f.add(cmd)
	c.keyringFlag(cmd)
	return cmd
}

// showVerification writes what was tried and what could be assessed. A person sees
// both; a program the one that it asks for.
func (c *cli) showVerification(connection model.Connection, v connect.Verification, coverage bool) error {
	both := c.output == string(report.Table) && !coverage
	if !coverage {
		if err := write(c, v.Probes, report.ProbeColumns()); err != nil || !both {
			return err
		}
	}
	return c.showCoverage(connection, v.Permissions, both)
}

// showCoverage writes how much of each service could be assessed; more is whether that
// stands below something else.
func (c *cli) showCoverage(connection model.Connection, p *model.Permissions, more bool) error {
	if p == nil || p.Unread != "" {
		if !more {
			return fmt.Errorf("what the role or the access key allows could not be read")
		}
		return nil
	}
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	checks, err := keep.Select(catalog, connection.Checks, connection.Services, nil)
	if err != nil {
		return err
	}
	selection, err := pipeline.Resolve(catalog, checks, connection.Services)
	if err != nil {
		return err
	}
	if more {
		fmt.Fprintln(c.stdout)
	}
	return write(c, drift.Preview(selection.Checks, *p), report.CoverageColumns())
}
