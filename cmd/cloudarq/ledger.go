package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) auditCalls() *cobra.Command {
	return listOf(c, &cobra.Command{
		Use:     "calls [AUDIT]",
		Short:   "List every call that an audit made to AWS",
		Example: "  cloudarq audit calls -o csv > calls.csv",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.using(cmd.Context(), func(b backend) error {
				audit, err := findAudit(cmd.Context(), b, first(words))
				if err != nil {
					return err
				}
				return writeList(c, c.allCalls(cmd.Context(), b, audit), report.List[ledger.Entry]{Columns: callColumns()})
			})
		},
	}, "call", callColumns())
}

// calls visits the calls of an audit, and says that some are left out which may not be
// the audit's.
func (c *cli) calls(ctx context.Context, b backend, audit model.Audit, visit func(ledger.Entry) error) error {
	unrecorded, err := b.Calls(ctx, audit, visit)
	if unrecorded > 0 {
		c.note("%s left out that no record of the audit names; cloudarq audit verify %s tells which", report.Count(unrecorded, "ledger"), audit.ID)
	}
	return err
}

// allCalls yields the calls of an audit.
func (c *cli) allCalls(ctx context.Context, b backend, audit model.Audit) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		enough := errors.New("enough")
		err := c.calls(ctx, b, audit, func(e ledger.Entry) error {
			if !yield(e, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(ledger.Entry{}, err)
		}
	}
}

func callColumns() []report.Column[ledger.Entry] {
	return []report.Column[ledger.Entry]{
		{Name: "at", Value: func(e ledger.Entry) string { return e.At.Format(time.RFC3339) }, Fit: report.Spare},
		{Name: "service", Value: func(e ledger.Entry) string { return e.Service }},
		{Name: "operation", Value: func(e ledger.Entry) string { return e.Operation }},
		{Name: "region", Value: func(e ledger.Entry) string { return e.Region }, Fit: report.Place},
		{Name: "outcome", Value: func(e ledger.Entry) string { return e.Outcome }},
		{Name: "attempts", Value: func(e ledger.Entry) string { return strconv.Itoa(e.Attempts) }, Fit: report.Spare},
		{Name: "request_id", Value: func(e ledger.Entry) string { return e.RequestID }, Fit: report.Spare},
	}
}

func (c *cli) auditReconcile() *cobra.Command {
	var trail string
	cmd := listOf(c, &cobra.Command{
		Use:   "reconcile [AUDIT] --trail FILE",
		Short: "Hold an audit's calls against the account's own CloudTrail",
		Long: `Hold the calls that an audit noted against an export of the account's CloudTrail, by
AWS's request ids. Every event of the audit's session must be one of its calls.
FILE is a log file as CloudTrail stores it in its bucket, gzipped or not; - is
stdin. Exit code 1 says that an event is not explained.`,
		Example: "  cloudarq audit reconcile latest --trail 111122223333_CloudTrail_eu-west-1_20261125T0600Z.json.gz",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if trail == "" {
				return usagef("name the export with --trail")
			}
			return c.using(cmd.Context(), func(b backend) error { return c.reconcile(cmd.Context(), b, first(words), trail) })
		},
	}, "event", eventColumns())
	cmd.Flags().StringVar(&trail, "trail", "", "export of CloudTrail")
	return cmd
}

func eventColumns() []report.Column[ledger.Event] {
	return []report.Column[ledger.Event]{
		{Name: "at", Value: func(e ledger.Event) string { return e.EventTime.Format(time.RFC3339) }},
		{Name: "service", Value: func(e ledger.Event) string { return strings.TrimSuffix(e.EventSource, ".amazonaws.com") }},
		{Name: "event", Value: func(e ledger.Event) string { return e.EventName }},
		{Name: "region", Value: func(e ledger.Event) string { return e.AWSRegion }, Fit: report.Place},
		{Name: "request_id", Value: func(e ledger.Event) string { return e.RequestID }},
	}
}

func (c *cli) reconcile(ctx context.Context, b backend, word, trail string) error {
	audit, err := findAudit(ctx, b, word)
	if err != nil {
		return err
	}
	r := ledger.NewReconciler(audit.CallerARN)
	if err := c.calls(ctx, b, audit, func(e ledger.Entry) error { r.Call(e); return nil }); err != nil {
		return err
	}
	from := c.stdin
	if trail != "-" {
		file, err := os.Open(trail)
		if err != nil {
			return usage(err)
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	if err := ledger.Trail(from, func(e ledger.Event) error { r.Event(e); return nil }); err != nil {
		return usage(err)
	}
	result := r.Result()
	c.note("%d events of the session, %d are among the audit's %d calls, %d are not explained",
		result.Events, result.Matched, result.Calls, len(result.Unexplained))
	err = write(c, result.Unexplained, eventColumns())
	if err == nil && len(result.Unexplained) > 0 {
		return &exitError{code: exitFindings, err: fmt.Errorf("%d events are not among the calls that the audit noted", len(result.Unexplained))}
	}
	return err
}
