package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
)

func (c *cli) resources() *cobra.Command {
	cmd := &cobra.Command{Use: "resources", Short: "What the last audits saw"}
	cmd.AddCommand(listOf(c, &cobra.Command{
		Use:   "list [FILTER]...",
		Short: "List the resources of each account's newest audit",
		Long: `List the resources of each account's newest audit.

` + filterHelp(resourceWords(), "") + `

Tagged resources of services that are not audited are listed with
service=tagging, and so are all others a second time: as far as their tags go.`,
		Example: `  cloudarq resources list type=AWS::KMS::Key
  cloudarq resources list account=prod 'name=logs*' --columns resource,region
  cloudarq resources list service=s3 tag:env!=prod
  cloudarq resources list service=s3 -o ndjson`,
		RunE: func(cmd *cobra.Command, words []string) error { return c.resourcesList(cmd.Context(), words) },
	}, "resource", report.ResourceColumns()))
	return cmd
}

// resourceWords are what filters of resources can ask, as far as this version of the command
// knows.
func resourceWords() filter.Vocabulary {
	catalog, err := services.Catalog()
	if err != nil {
		return nil // which every command says
	}
	return recorded.ResourceWords(catalog)
}

func (c *cli) resourcesList(ctx context.Context, words []string) error {
	return c.using(ctx, func(b backend) error {
		var rows []shape.Resource
		left, err := b.Resources(ctx, words, func(r shape.Resource) error {
			rows = append(rows, r)
			return nil
		})
		if err != nil {
			return asked(err)
		}
		slices.SortFunc(rows, func(a, b shape.Resource) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Part, b.Part))
		})
		if err := write(c, rows, report.ResourceColumns()); err != nil {
			return err
		}
		if n := len(left.Forgotten); n > 0 {
			c.note("nothing of %s is listed, since what their newest audits recorded is not kept any more: %s", report.Count(n, "account"), check.List(left.Forgotten))
		}
		switch untold := left.Untold; {
		case untold.Resources > 0:
			c.note("the tags of %s are not known, so no word on tags fits: %s", report.Count(untold.Resources, "resource"), strings.Join(untold.Why, "; "))
		case len(rows) > 0:
		case left.Unaudited > 0:
			c.note("no resource fits; not audited yet: %s", report.Count(left.Unaudited, "account"))
		case len(words) == 0 && len(left.Forgotten) == 0:
			c.note("no audit saw a resource yet; begin with: cloudarq audit run")
		case len(left.Forgotten) == 0:
			c.note("no resource of a newest audit fits")
		}
		return nil
	})
}
