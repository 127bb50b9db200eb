package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
)

func (c *cli) audit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Run audits and look at what they found"}
	cmd.AddCommand(
		c.auditRun(),
		c.auditCalls(),
		c.auditReconcile(),
		c.auditVerify(),
		c.auditWatch(),
		listOf(c, &cobra.Command{
			Use:   "list [CONNECTION]",
			Short: "List audits, newest first",
			Long:  "List the audits of all accounts, or of one, newest first.",
			Example: `  cloudarq audit list
  cloudarq audit list prod --limit 3 --sort -failed
  cloudarq audit list --server https://cloudarq.example.com -o csv`,
			Args: cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, words []string) error { return c.auditList(cmd.Context(), first(words)) },
		}, "audit", report.AuditColumns()),
		&cobra.Command{
			Use:   "show [AUDIT]",
			Short: "Show one audit: the score, the worst, what was not assessed",
			Long:  "Show one audit.",
			Example: `  cloudarq audit show
  cloudarq audit show prod -o json`,
			Args: cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, words []string) error { return c.auditShow(cmd.Context(), words) },
		},
		listOf(c, &cobra.Command{
			Use:   "diff [OLDER [NEWER]]",
			Short: "Compare two audits of an account: new, resolved, newly blind",
			Long: `Compare two audits of an account. Without arguments the newest audit is compared
with the one before it; with one argument, that one with the one before it.`,
			Example: `  cloudarq audit diff
  cloudarq audit diff prod
  cloudarq audit diff 01KQ3 01KQ9 -o ndjson`,
			Args: cobra.MaximumNArgs(2),
			RunE: func(cmd *cobra.Command, words []string) error { return c.auditDiff(cmd.Context(), words) },
		}, "difference", report.ChangeColumns()),
		&cobra.Command{
			Use:   "cancel AUDIT",
			Short: "Stop an audit that runs in another process, or on a server; it can be resumed",
			Example: `  cloudarq audit cancel latest
  cloudarq audit cancel 01KQ3 --server https://cloudarq.example.com`,
			Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, words []string) error { return c.auditCancel(cmd.Context(), words[0]) },
		},
	)
	return cmd
}

func (c *cli) auditList(ctx context.Context, word string) error {
	return c.using(ctx, func(b backend) error {
		audits, err := auditsOf(ctx, b, word)
		if err != nil {
			return err
		}
		err = write(c, audits, report.AuditColumns())
		if err == nil && len(audits) == 0 {
			c.note("there are no audits yet; begin with: cloudarq audit run")
		}
		return err
	})
}

func (c *cli) auditShow(ctx context.Context, words []string) error {
	return c.using(ctx, func(b backend) error {
		audit, err := findAudit(ctx, b, first(words))
		if err != nil {
			return err
		}
		if c.output != string(report.Table) {
			return c.writeAudit(ctx, b, audit)
		}
		return c.summary(ctx, b, audit)
	})
}

// writeAudit writes an audit, whole where it is an object.
func (c *cli) writeAudit(ctx context.Context, b backend, audit model.Audit) error {
	connections, err := b.Connections(ctx)
	if err != nil {
		return err
	}
	name := ""
	if at := slices.IndexFunc(connections, func(c model.Connection) bool { return c.ID == audit.Connection }); at >= 0 {
		name = connections[at].Name
	}
	if c.output == string(report.CSV) {
		return writeOne(c, shape.NewAudit(audit, name), report.AuditColumns())
	}
	return writeOne(c, shape.NewWholeAudit(audit, name), nil)
}

// worstShown is how many findings a summary names.
const worstShown = 10

func (c *cli) summary(ctx context.Context, b backend, audit model.Audit) error {
	failed, err := b.Worst(ctx, audit)
	if err != nil {
		return err
	}
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	style := c.style(c.stdout)
	if err := report.Summary(c.stdout, style, audit, failed[:min(worstShown, len(failed))]); err != nil {
		return err
	}
	return report.ByService(c.stdout, style, audit, catalog.Today)
}

// next says what to look at when an audit has ended.
func (c *cli) next(audit model.Audit) {
	if audit.Summary == nil || c.output != string(report.Table) {
		return
	}
	if audit.Summary.Counts.Own() > 0 {
		c.note("what failed, and how to mend it: cloudarq findings list account=%s", audit.AccountID)
	}
	if c.server == "" {
		c.note("a report to pass on: cloudarq report html %s --file report.html", audit.ID)
	}
}

func (c *cli) auditDiff(ctx context.Context, words []string) error {
	return c.using(ctx, func(b backend) error {
		newer, err := findAudit(ctx, b, last(words))
		if err != nil {
			return err
		}
		var older model.Audit
		if len(words) == 2 {
			older, err = findAudit(ctx, b, words[0])
		} else {
			older, err = before(ctx, b, newer)
		}
		if err != nil {
			return err
		}
		if older.AccountID != newer.AccountID {
			return usagef("audits %s and %s are of different accounts", older.ID, newer.ID)
		}
		found, err := b.Compare(ctx, older, newer)
		if err != nil {
			return err
		}
		if c.output == string(report.Table) && !c.quiet {
			fmt.Fprintf(c.stderr, "Account %s, %s since %s\n", newer.AccountID, report.Count(len(found), "difference"), older.StartedAt.Local().Format(time.DateTime))
			if change := score.Compare(older, newer); change != nil {
				fmt.Fprintf(c.stderr, "Score %s, %s\n", report.ScoreText(newer.Summary.Score), report.ScoreChangeText(change, newer.Summary.Score))
			}
		}
		return write(c, found, report.ChangeColumns())
	})
}

func (c *cli) auditCancel(ctx context.Context, word string) error {
	return c.using(ctx, func(b backend) error {
		audit, err := findAudit(ctx, b, word)
		if err != nil {
			return err
		}
		if audit.State.Ended() {
			return usagef("audit %s is not running: it is %s", audit.ID, audit.State)
		}
		if err := b.Cancel(ctx, audit); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Audit %s is cancelled; go on with: cloudarq audit run --resume %s\n", report.Plain(string(audit.ID)), report.Plain(string(audit.ID)))
		return nil
	})
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

func last(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// before is the last audit of the same account that ended before another.
func before(ctx context.Context, b backend, newer model.Audit) (model.Audit, error) {
	for a, err := range b.Audits(ctx, model.Connection{ID: newer.Connection}) {
		if err != nil {
			return model.Audit{}, err
		}
		if a.ID < newer.ID && a.Coverage != nil && !a.Verification {
			older, _, err := b.Audit(ctx, itself(a))
			return older, err
		}
	}
	return model.Audit{}, usagef("audit %s is the first of account %s: there is nothing to compare it with", newer.ID, newer.AccountID)
}
