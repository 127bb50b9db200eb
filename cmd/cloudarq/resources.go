package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/filter"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/report"
)

func (c *cli) resources() *cobra.Command {
	cmd := &cobra.Command{Use: "resources", Short: "What the last audits saw"}
	cmd.AddCommand(&cobra.Command{
		Use:   "list [FILTER]...",
		Short: "List the resources of each account's newest audit",
		Long: `List the resources of each account's newest audit. Filters are as for findings
list; the fields are account, name, region, resource, service and type.`,
		Example: `  cloudarq resources list type=AWS::KMS::Key
  cloudarq resources list service=s3 -o ndjson`,
		RunE: func(cmd *cobra.Command, words []string) error { return c.resourcesList(cmd.Context(), words) },
	})
	return cmd
}

var resourceFields = filter.Fields[report.Resource]{
	"account":  func(r report.Resource) []string { return []string{r.Account} },
	"name":     func(r report.Resource) []string { return []string{r.Name} },
	"region":   func(r report.Resource) []string { return []string{r.Region} },
	"resource": func(r report.Resource) []string { return []string{r.Resource} },
	"service":  func(r report.Resource) []string { return []string{r.Service} },
	"type":     func(r report.Resource) []string { return []string{r.ResourceType} },
}

func (c *cli) resourcesList(ctx context.Context, words []string) error {
	wanted, err := filter.Parse(resourceFields, words)
	if err != nil {
		return usage(err)
	}
	return c.with(ctx, func(s *local.State) error {
		audits, err := s.Latest(ctx)
		if err != nil {
			return err
		}
		var rows []report.Resource
		for _, audit := range audits {
			tasks, err := s.Tasks(ctx, audit)
			if err != nil {
				return err
			}
			err = report.Resources(ctx, s.Evidence, audit, tasks, func(r report.Resource) {
				if wanted.Match(r) {
					rows = append(rows, r)
				}
			})
			if err != nil {
				return err
			}
		}
		slices.SortFunc(rows, func(a, b report.Resource) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Part, b.Part))
		})
		return write(c, rows, report.ResourceColumns())
	})
}
