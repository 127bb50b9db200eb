package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
)

func (c *cli) resources() *cobra.Command {
	cmd := &cobra.Command{Use: "resources", Short: "What the last audits saw"}
	cmd.AddCommand(listOf(c, &cobra.Command{
		Use:   "list [FILTER]...",
		Short: "List the resources of each account's newest audit",
		Long: `List the resources of each account's newest audit. Filters are as for findings
list; the fields are account, name, region, resource, service and type.

` + tagHelp + `

Tagged resources of services that are not audited are listed with
service=tagging, and so are all others a second time: as far as their tags go.`,
		Example: `  cloudarq resources list type=AWS::KMS::Key
  cloudarq resources list service=s3 tag:env!=prod
  cloudarq resources list service=s3 -o ndjson`,
		RunE: func(cmd *cobra.Command, words []string) error { return c.resourcesList(cmd.Context(), words) },
	}, "resource", report.ResourceColumns()))
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
	return c.with(ctx, func(s *local.State) error {
		wanted, tags, err := parse(ctx, c.here(s), resourceFields, words, report.Resource.Ref)
		if err != nil {
			return err
		}
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
				if !hidden(r, words) && wanted.Match(r) {
					rows = append(rows, r)
				}
			})
			if err != nil {
				return err
			}
		}
		tags.say(c)
		slices.SortFunc(rows, func(a, b report.Resource) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Part, b.Part))
		})
		return write(c, rows, report.ResourceColumns())
	})
}

// hidden reports whether a row only repeats another service's resource, for its
// tags, and nobody asked for that.
func hidden(r report.Resource, words []string) bool {
	return r.ResourceType == tagging.TaggedResource{}.Kind() && !slices.ContainsFunc(words, func(w string) bool {
		return strings.HasPrefix(w, "service=") || strings.HasPrefix(w, "type=")
	})
}
