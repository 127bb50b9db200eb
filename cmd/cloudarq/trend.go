package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
)

// trendFlags say of what the trend is, and from when to when.
type trendFlags struct{ project, from, to, by, framework string }

// trendDays is how far a trend goes back unless --from says otherwise.
const trendDays = 90

func (c *cli) trend() *cobra.Command {
	var f trendFlags
	cmd := listOf(c, &cobra.Command{
		Use:   "trend [CONNECTION]",
		Short: "Show how an account, a project or all accounts stood over time",
		Long: fmt.Sprintf(`Show how an account, the accounts of a project, or without either all accounts
together stood over time, the newest first. A point is a day (UTC), as things stood
at its end; --by audit has one for each audit of an account.

Where the checks, their severities or what was looked at are others than before, the
note says so: the rules changed, not the account. Days without an audit have the
values of the day before. The trend stays when evidence and findings are gone. Without
--from it goes back %d days.`, trendDays),
		Example: `  cloudarq trend
  cloudarq trend prod --by audit
  cloudarq trend --framework cis-aws-5.0
  cloudarq trend --project shop --from 2026-01-01 --to 2026-06-30 -o csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error { return c.showTrend(cmd.Context(), first(words), f) },
	}, "point", report.TrendColumns(false, false), "accounts", "not_audited", "passing", "failing", "partly_checked", "not_assessed")
	flags := cmd.Flags()
	flags.StringVar(&f.project, "project", "", "the accounts of this project together")
	flags.StringVar(&f.from, "from", "", "first day, or moment in RFC 3339")
	flags.StringVar(&f.to, "to", "", "last day, or moment in RFC 3339")
	flags.StringVar(&f.framework, "framework", "", "say how the requirements of this framework stood")
	flags.StringVar(&f.by, "by", "", "audit or day (default day)")
	return cmd
}

func (c *cli) showTrend(ctx context.Context, word string, f trendFlags) error {
	q := trend.Query{Step: trend.ByDay}
	switch f.by {
	case "", string(trend.ByDay):
	case string(trend.ByAudit):
		q.Step = trend.ByAudit
	default:
		return usagef("--by %s: want audit or day", f.by)
	}
	switch {
	case word != "" && f.project != "":
		return usagef("a trend is of one connection or of a project")
	case word == "" && q.Step == trend.ByAudit:
		return usagef("--by audit takes a connection: several accounts have no audit together")
	}
	if f.framework != "" {
		framework, _, err := requirementOf([]string{f.framework})
		if err != nil {
			return err
		}
		q.Framework = framework
	}
	var err error
	if q.From, q.To, err = trend.Bounds(f.from, f.to); err != nil {
		return usage(err)
	}
	if f.from == "" {
		end := time.Now()
		if !q.To.IsZero() {
			end = q.To
		}
		q.From = end.UTC().AddDate(0, 0, -trendDays).Truncate(24 * time.Hour)
	}
	return c.using(ctx, func(b backend) error {
		var of model.ConnectionID
		if word != "" {
			connection, err := findConnection(ctx, b, word)
			if err != nil {
				return err
			}
			of = connection.ID
		}
		if err := inProject(ctx, b, f.project); err != nil {
			return err
		}
		var points []trend.Point
		for p, err := range b.Trend(ctx, of, f.project, q) {
			if err != nil {
				return err
			}
			points = append(points, p)
		}
		if len(points) == 0 {
			c.note("no audit that says how things stand is known of that time")
		}
		c.sketch(points)
		slices.Reverse(points)
		return writeList(c, report.Rows(points), report.List[trend.Point]{Columns: report.TrendColumns(word == "", q.Framework != "")})
	})
}

// inProject refuses a project, if one is named, that no connection is in.
func inProject(ctx context.Context, b backend, project string) error {
	if project == "" {
		return nil
	}
	all, err := b.Connections(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Project)
	}
	if slices.Contains(names, project) {
		return nil
	}
	return usage(&check.UnknownError{What: "project", Word: project, Nearest: check.Nearest(project, names)})
}

// sparkColumns is how wide a line of scores is at most.
const sparkColumns = 60

// sketch draws the scores of points on a terminal.
func (c *cli) sketch(points []trend.Point) {
	format, err := c.format()
	if err != nil || format != report.Table || c.style(c.stdout).Width == 0 || len(points) < 2 {
		return
	}
	c.note("score %s from %s to %s", report.Sparkline(points, sparkColumns), trendScore(points[0]), trendScore(points[len(points)-1]))
}

func trendScore(p trend.Point) string {
	if p.Score == nil {
		return "none"
	}
	return fmt.Sprintf("%.1f", *p.Score)
}

// Trend implements backend.
func (h here) Trend(ctx context.Context, connection model.ConnectionID, project string, q trend.Query) iter.Seq2[trend.Point, error] {
	trends := h.Trends()
	return func(yield func(trend.Point, error) bool) {
		for {
			var page trend.Series
			var err error
			if connection != "" {
				page, err = trends.OfConnection(ctx, local.Organization, connection, q)
			} else {
				page, err = trends.OfProject(ctx, local.Organization, project, q)
			}
			if err != nil {
				yield(trend.Point{}, err)
				return
			}
			for _, p := range page.Points {
				if !yield(p, nil) {
					return
				}
			}
			if q.After = page.Next; q.After == "" {
				return
			}
		}
	}
}
