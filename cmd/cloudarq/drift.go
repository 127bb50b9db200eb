package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) policyDrift() *cobra.Command {
	var unused bool
	cmd := listOf(c, &cobra.Command{
		Use:   "drift [AUDIT]",
		Short: "Say what the account's role does not allow any more, what that blinds, and since when",
		Long: `Say which IAM actions AWS denied in an audit, or the role's own policies do not
allow; which checks could not be assessed because of it, since when, and the
statement that would end it. "resource" denies an action by a policy of the resource
itself, which the role cannot change. --unused lists what the role allows and the
audit, with its services and checks, did not need.`,
		Example: `  cloudarq policy drift
  cloudarq policy drift 111122223333 -o json
  cloudarq policy drift --unused`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.using(cmd.Context(), func(b backend) error {
				r, err := driftOf(cmd.Context(), b, first(words))
				if err != nil {
					return err
				}
				if unused {
					return c.unused(r)
				}
				return c.missing(r)
			})
		},
	}, "action", missingColumns(), "what")
	cmd.Flags().BoolVar(&unused, "unused", false, "list what the role allows and the audit did not need")
	return cmd
}

// driftOf reports on an audit that a word names, with those before it.
func driftOf(ctx context.Context, b backend, word string) (drift.Report, error) {
	audit, err := findAudit(ctx, b, word)
	if err != nil {
		return drift.Report{}, err
	}
	return b.Drift(ctx, audit)
}

func (c *cli) missing(r drift.Report) error {
	if p := r.Permissions; p != nil {
		c.note("%s", report.PermissionsText(*p))
	}
	if r.Outdated() {
		c.note("version %s of the policy is published: cloudarq policy show --format cloudformation", r.Published)
	}
	err := write(c, r.Missing, missingColumns())
	if err != nil || r.Patch == nil {
		return err
	}
	patch, err := json.MarshalIndent(r.Patch, "", "  ")
	if err != nil {
		return err
	}
	c.note("this statement in the role's policy would end what its own policies deny:\n%s", patch)
	return nil
}

func missingColumns() []report.Column[drift.Missing] {
	return []report.Column[drift.Missing]{
		{Name: "action", Value: func(m drift.Missing) string { return m.Action }},
		{Name: "denied_by", Value: func(m drift.Missing) string { return m.DeniedBy }},
		{Name: "since", Value: func(m drift.Missing) string { return m.Since.Format(time.DateOnly) }},
		{Name: "checks", Value: func(m drift.Missing) string { return report.Count(len(m.Checks), "check") }},
		{Name: "why", Value: func(m drift.Missing) string { return m.Why }, Fit: report.Prose, Wide: true},
		{Name: "regions", Value: func(m drift.Missing) string { return strings.Join(m.Regions, " ") }, Fit: report.Prose},
	}
}

// needless is an action that the role allows and the audit did not need.
type needless struct {
	What   string `json:"what"` // "unused", or "excess" if it writes or shows data or credentials
	Action string `json:"action"`
}

func (c *cli) unused(r drift.Report) error {
	p := r.Permissions
	switch {
	case p == nil:
		return fmt.Errorf("the audit did not look at what its role allows")
	case p.Unread != "":
		return fmt.Errorf("%s", report.PermissionsText(*p))
	}
	c.note("%s", report.PermissionsText(*p))
	var rows []needless
	for _, of := range []struct {
		what string
		model.Actions
	}{{"excess", p.Excess}, {"unused", p.Unused}} {
		for _, action := range of.Named {
			rows = append(rows, needless{of.what, action})
		}
		if more := of.Count - len(of.Named); more > 0 {
			c.note("%s: the first %d of %d are listed", of.what, len(of.Named), of.Count)
		}
	}
	return write(c, rows, []report.Column[needless]{
		{Name: "what", Value: func(n needless) string { return n.What }},
		{Name: "action", Value: func(n needless) string { return n.Action }},
	})
}
