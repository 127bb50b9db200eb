package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/drift"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/report"
)

func (c *cli) policyDrift() *cobra.Command {
	return &cobra.Command{
		Use:   "drift [AUDIT]",
		Short: "Say what the account's role does not allow any more, what that blinds, and since when",
		Long: `Say which IAM actions AWS denied in an audit, which checks could not be assessed
because of it, since when, and the statement that would end it. AUDIT is an id,
the beginning of one, an account id (its newest audit), or latest.`,
		Example: `  cloudarq policy drift
  cloudarq policy drift 111122223333 -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.with(cmd.Context(), func(s *local.State) error { return c.drift(cmd.Context(), s, first(words)) })
		},
	}
}

func (c *cli) drift(ctx context.Context, s *local.State, word string) error {
	audit, err := findAudit(ctx, s, word)
	if err != nil {
		return err
	}
	all, err := s.Records.AuditsOf(ctx, audit.Connection)
	if err != nil {
		return err
	}
	var upTo []model.Audit
	for _, a := range all {
		if a.ID <= audit.ID {
			upTo = append(upTo, a)
		}
	}
	r := drift.Of(upTo)
	err = write(c, r.Missing, []report.Column[drift.Missing]{
		{Name: "action", Value: func(m drift.Missing) string { return m.Action }},
		{Name: "denied_by", Value: func(m drift.Missing) string { return m.DeniedBy }},
		{Name: "since", Value: func(m drift.Missing) string { return m.Since.Format(time.DateOnly) }},
		{Name: "checks", Value: func(m drift.Missing) string { return report.Count(len(m.Checks), "check") }},
		{Name: "regions", Value: func(m drift.Missing) string { return strings.Join(m.Regions, " ") }},
	})
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
