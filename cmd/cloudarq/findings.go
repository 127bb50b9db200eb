package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
)

func (c *cli) findings() *cobra.Command {
	cmd := &cobra.Command{Use: "findings", Short: "What failed: since when, why, and how to fix it"}
	var all bool
	list := listOf(c, &cobra.Command{
		Use:   "list [FILTER]...",
		Short: "List findings, the gravest first",
		Long: `List findings, the gravest first. Without a filter on state, resolved ones are
left out. Filters are FIELD=VALUE[,VALUE]..., FIELD!=VALUE and, for first_seen and
resolved_at, also >=, >, <= and <. Values may hold * and ?. The fields are

  ` + strings.Join(filterNames(index.Fields(nil)), " ") + `

` + tagHelp,
		Example: `  cloudarq findings list severity=critical,high
  cloudarq findings list service=s3 region!=us-east-1 -o csv
  cloudarq findings list state=resolved 'resolved_at>=2026-05-01'
  cloudarq findings list framework=cis-aws-5.0 'resource=*:bucket/logs*'
  cloudarq findings list severity=critical tag:env=prod
  cloudarq findings list severity=critical --server https://cloudarq.example.com`,
		RunE: func(cmd *cobra.Command, words []string) error { return c.findingsList(cmd.Context(), words, all) },
	}, "finding", report.FindingColumns(nil))
	list.Flags().BoolVar(&all, "all", false, "also findings that are resolved")
	cmd.AddCommand(list, &cobra.Command{
		Use:   "show FINDING",
		Short: "Show one finding: evidence, why it matters, how to fix it, history",
		Example: `  cloudarq findings show aa94ae1ea2
  cloudarq findings show aa94ae1ea2 --server https://cloudarq.example.com -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error { return c.findingsShow(cmd.Context(), words[0]) },
	})
	return cmd
}

func filterNames[T any](fields filter.Fields[T]) []string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c *cli) findingsList(ctx context.Context, words []string, all bool) error {
	texts, err := checkTexts()
	if err != nil {
		return err
	}
	return c.using(ctx, func(b backend) error {
		if !all && !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "stat") || strings.HasPrefix(w, "resolved_at") }) {
			words = append(words, "state=open,reopened")
		}
		if !all && !slices.ContainsFunc(words, func(w string) bool {
			return strings.HasPrefix(w, "folded") || strings.HasPrefix(w, "cause") || strings.HasPrefix(w, "check") || strings.HasPrefix(w, "id")
		}) {
			words = append(words, "folded=false")
		}
		wanted, tags, err := parse(ctx, b, index.Fields(texts), words, func(f model.Finding) model.Ref { return f.Resource })
		if err != nil {
			return err
		}
		var findings []model.Finding
		for f, err := range allFindings(ctx, b) {
			if err != nil {
				return err
			}
			if wanted.Match(f) {
				findings = append(findings, f)
			}
		}
		tags.say(c)
		slices.SortStableFunc(findings, report.ByGravity)
		return write(c, findings, report.FindingColumns(texts))
	})
}

// checkTexts are what this version of CloudArq says of checks.
func checkTexts() (map[model.CheckID]check.Text, error) {
	catalog, err := services.Catalog()
	if err != nil {
		return nil, err
	}
	return catalog.Texts()
}

func (c *cli) findingsShow(ctx context.Context, word string) error {
	texts, err := checkTexts()
	if err != nil {
		return err
	}
	return c.using(ctx, func(b backend) error {
		finding, err := findFinding(ctx, b, word)
		if err != nil {
			return err
		}
		if c.output != string(report.Table) {
			return writeOne(c, finding, report.FindingColumns(texts))
		}
		return report.Finding(c.stdout, finding, texts[finding.Check])
	})
}

// wholeID is how long the id of a finding is, of which there is one.
const wholeID = 32

func findFinding(ctx context.Context, b backend, word string) (model.Finding, error) {
	var found []model.Finding
	for f, err := range allFindings(ctx, b) {
		if err != nil {
			return f, err
		}
		if strings.HasPrefix(string(f.ID), strings.ToLower(word)) {
			found = append(found, f)
		}
		if len(found) > 0 && len(word) == wholeID {
			break
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return model.Finding{}, usagef("no finding %q; cloudarq findings list --all shows them", word)
	default:
		return model.Finding{}, usagef("%s begin with %q", report.Count(len(found), "finding"), word)
	}
}
