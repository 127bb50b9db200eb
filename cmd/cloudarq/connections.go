package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/local/keep"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (c *cli) connections() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "connections",
		Short: "Keep accounts with the way into them, to audit them by name",
	}
	cmd.AddCommand(c.connectionsBootstrap(), c.connectionsAdd(), c.connectionsTest(), c.connectionsShow(), c.connectionsUpdate(), c.connectionsRotateKey(), c.connectionsRotateExternalID(), c.connectionsRemove(), listOf(c, &cobra.Command{
		Use:   "list",
		Short: "List the accounts that are kept, or were audited",
		Example: `  cloudarq connections list
  cloudarq connections list --columns +project,+last_audit --sort state
  cloudarq connections list -o ndjson`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.connectionsList(cmd.Context()) },
	}, "connection", report.ConnectionColumns()))
	return cmd
}

// kept are the connections of the state.
func (c *cli) kept(s *local.State) keep.Connections {
	return keep.Connections{State: s, Keys: c.keys(s), Client: c.awsClient()}
}

// withConnection runs a command on a connection of the state.
func (c *cli) withConnection(ctx context.Context, word string, work func(keep.Connections, model.Connection) error) error {
	if _, err := c.format(); err != nil {
		return err
	}
	return c.with(ctx, func(s *local.State) error {
		accounts := c.kept(s)
		connection, err := accounts.Find(ctx, word)
		if err != nil {
			return err
		}
		return work(accounts, connection)
	})
}

// row is a connection as it is shown.
func row(ctx context.Context, s *local.State, connection model.Connection) (report.Connection, error) {
	shown := report.NewConnection(connection, time.Now())
	access, err := s.Records.Access(ctx, connection.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return shown, err
	}
	latest, err := s.Records.LatestInShort(ctx, connection.ID, func(model.Audit) bool { return true })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return shown, err
	}
	ids := access.ExternalIDs()
	shown.Profile, shown.LastAudit = access.Profile, string(latest.ID)
	shown.Generation, shown.Replaced, shown.Replacing = ids.Newest(), ids.Staged(), ids.Since
	if connection.Schedule.Once() {
		shown.Reminder = reminder(latest)
	}
	return shown, nil
}

// reminder is that of an audit whose connection was to be audited once.
func reminder(audit model.Audit) string {
	return audit.Reminder("cloudarq connections remove " + string(audit.Connection))
}

func (c *cli) connectionsList(ctx context.Context) error {
	return c.using(ctx, func(b backend) error {
		all, err := b.Connections(ctx)
		if err != nil {
			return err
		}
		rows, err := b.Rows(ctx, all)
		if err != nil {
			return err
		}
		err = write(c, rows, report.ConnectionColumns(rows...))
		if err == nil && len(rows) == 0 {
			c.note("no account is connected yet; begin with: cloudarq connections add")
		}
		return err
	})
}

func (c *cli) connectionsShow() *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use:   "show CONNECTION",
		Short: "Show one account that is kept",
		Example: `  cloudarq connections show prod
  cloudarq connections show 111122223333 -o json
  cloudarq connections show prod --reveal-external-id`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			ctx := cmd.Context()
			return c.using(ctx, func(b backend) error {
				connection, err := findConnection(ctx, b, words[0])
				if err != nil {
					return err
				}
				id := ""
				if reveal {
					if id, err = b.ExternalID(ctx, connection); err != nil {
						return err
					}
				}
				return c.showConnection(ctx, b, connection, id)
			})
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal-external-id", false, "print the External ID, too")
	c.keyringFlag(cmd)
	return cmd
}

// showConnection shows a connection, with its External ID unless that is empty.
func (c *cli) showConnection(ctx context.Context, b backend, connection model.Connection, externalID string) error {
	rows, err := b.Rows(ctx, []model.Connection{connection})
	if err != nil {
		return err
	}
	columns := report.ConnectionColumns()
	if externalID != "" {
		rows[0].ExternalID = externalID
		columns = append(columns, report.ExternalIDColumn())
	}
	if c.output == string(report.Table) {
		return report.ConnectionText(c.stdout, rows[0])
	}
	return writeOne(c, rows[0], columns)
}

func (c *cli) connectionsUpdate() *cobra.Command {
	var f keep.NewConnection
	var project, role string
	cmd := &cobra.Command{
		Use:   "update CONNECTION",
		Short: "Change what audits of an account look at",
		Long: `Change what audits of an account that is kept look at, from the next audit on. What
no flag says stays; an empty one takes it back. The way into the account stays as it is;
with --server, --new-role-arn says it anew.`,
		Example: `  cloudarq connections update prod --trusted-accounts 444455556666,777788889999
  cloudarq connections update prod --regions eu-west-1,us-east-1 --name production
  cloudarq connections update 111122223333 --trusted-accounts ''
  cloudarq connections update prod --project shop --server https://cloudarq.example.com`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Name, "name", "", "a name to call the account by")
	flags.StringVar(&project, "project", "", "project that it is of (with --server)")
	flags.StringVar(&role, "new-role-arn", "", "role to assume in the account from now on (with --server)")
	optionFlags(cmd, &f.AuditOptions)
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		ctx := cmd.Context()
		if c.server != "" {
			return c.updateOnServer(ctx, words[0], func(in *apiclient.ConnectionInput) {
				for flag, w := range map[string]struct{ to, said *string }{"name": {&in.Name, &f.Name}, "project": {&in.Project, &project}, "new-role-arn": {&in.RoleARN, &role}} {
					if flags.Changed(flag) {
						*w.to = *w.said
					}
				}
				changeOptions(flags, &in.AuditOptions, f.AuditOptions)
			})
		}
		if flags.Changed("project") || flags.Changed("new-role-arn") {
			return usagef("--project and --new-role-arn go with --server: here are no projects, and a role is kept anew by connections add")
		}
		return c.withConnection(ctx, words[0], func(accounts keep.Connections, connection model.Connection) error {
			connection, err := accounts.Update(ctx, connection, func(n *keep.NewConnection) {
				if flags.Changed("name") {
					n.Name = f.Name
				}
				changeOptions(flags, &n.AuditOptions, f.AuditOptions)
			})
			if err != nil {
				return err
			}
			shown, err := row(ctx, accounts.State, connection)
			if err != nil {
				return err
			}
			if c.output == string(report.Table) {
				return report.ConnectionText(c.stdout, shown)
			}
			return writeOne(c, shown, report.ConnectionColumns())
		})
	}
	return cmd
}

// changeOptions writes into options what the flags of optionFlags said.
func changeOptions(flags *pflag.FlagSet, to *model.AuditOptions, said model.AuditOptions) {
	for flag, w := range map[string]struct{ to, said *[]string }{
		"regions": {&to.Regions, &said.Regions}, "services": {&to.Services, &said.Services}, "checks": {&to.Checks, &said.Checks},
		"trusted-accounts": {&to.TrustedAccounts, &said.TrustedAccounts},
	} {
		if flags.Changed(flag) {
			*w.to = *w.said
		}
	}
	if flags.Changed("unused-defaults") {
		to.Unused = said.Unused
	}
	if flags.Changed("option") {
		to.Options = said.Options.Or(to.Options)
	}
	if flags.Changed("call-budget") {
		to.CallBudget = said.CallBudget
	}
}

func (c *cli) connectionsRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove CONNECTION",
		Short: "Forget an account: the way into it, its audits, findings and evidence",
		Long: `Forget an account at once and for good: its role, its sealed External ID or access
key and what sealed that, all its audits, findings and evidence. The role or the
access key itself stays in the account; delete it there. An account of which an
audit runs is not removed.`,
		Example: `  cloudarq connections remove prod
  cloudarq connections remove 111122223333 --yes -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.removeConnection(cmd.Context(), words[0], yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (c *cli) removeConnection(ctx context.Context, word string, yes bool) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	if c.server != "" {
		return c.removeOnServer(ctx, word, yes, format)
	}
	return c.with(ctx, func(s *local.State) error {
		accounts := c.kept(s)
		connection, err := accounts.FindAny(ctx, word)
		if err != nil {
			return err
		}
		if !yes {
			if err := c.agreed(ctx, fmt.Sprintf("Delete everything that is known of account %s?", connection.AccountID), "nothing was deleted"); err != nil {
				return err
			}
		}
		receipt, err := s.Remove(ctx, connection)
		if err != nil {
			return err
		}
		if format == report.Table {
			return report.ReceiptText(c.stdout, connection, receipt)
		}
		return writeOne(c, receipt, report.ReceiptColumns())
	})
}

// canAsk is an error unless somebody can be asked on the terminal.
func (c *cli) canAsk() error {
	if _, ok := c.terminal(); !ok {
		return usagef("stdin is not a terminal to ask on; say --yes if you mean it")
	}
	return nil
}

// agreed asks on the terminal, and is an error unless the answer is yes: it says
// what did not happen, then. Ctrl-C is no yes.
func (c *cli) agreed(ctx context.Context, question, otherwise string) error {
	if err := c.canAsk(); err != nil {
		return err
	}
	no := &exitError{code: exitCancelled, err: errors.New(otherwise)}
	fmt.Fprintf(c.stderr, "%s [y/N] ", question)
	answered := make(chan error, 1)
	var answer string
	go func() {
		var err error
		answer, err = c.line()
		answered <- err
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.stderr)
		return no
	case err := <-answered:
		if err != nil {
			return usagef("read the answer: %w", err)
		}
	}
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return no
	}
	return nil
}
