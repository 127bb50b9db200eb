package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (c *cli) findings() *cobra.Command {
	cmd := &cobra.Command{Use: "findings", Short: "What failed: since when, why, and how to fix it"}
	var all bool
	list := listOf(c, &cobra.Command{
		Use:   "list [FILTER]...",
		Short: "List findings, the gravest first",
		Long: `List findings of all accounts, the gravest first. Without a filter on state,
resolved ones are left out, and those that only follow from another finding.

` + filterHelp(findingWords(), "severity"),
		Example: `  cloudarq findings list severity=critical,high
  cloudarq findings list account=prod service=s3 region!=us-east-1 -o csv
  cloudarq findings list state=resolved 'resolved_at>=2026-05-01'
  cloudarq findings list framework=cis-aws-5.0 'resource=*:bucket/logs*'
  cloudarq findings list check=KMS.4 --sort first_seen --limit 20
  cloudarq findings list severity=critical tag:env=prod
  cloudarq findings list severity=critical --server https://cloudarq.example.com`,
		RunE: func(cmd *cobra.Command, words []string) error { return c.findingsList(cmd.Context(), words, all) },
	}, "finding", report.FindingColumns())
	c.listings[list].sortable = index.Sortable() // the index does it
	list.Flags().BoolVar(&all, "all", false, "also findings that are resolved, or follow from another")
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

// findingWords are what filters of findings can ask, as far as this version of the command
// knows.
func findingWords() filter.Vocabulary {
	catalog, err := services.Catalog()
	if err != nil {
		return nil // which every command says
	}
	return findings.Words(catalog)
}

// tagHelp tells of the filter that no list of fields can hold.
const tagHelp = `tag:KEY asks for a tag of the resource, such as tag:env=prod; KEY is taken as it is
written. Tags are those of the account's newest audit that listed them. Where they
are not known, a resource fits neither tag:KEY=VALUE nor tag:KEY!=VALUE.`

// filterHelp explains the filters of a list, with a line for each field.
func filterHelp(words filter.Vocabulary, ordered string) string {
	var b strings.Builder
	b.WriteString("Filters are FIELD=VALUE[,VALUE]... and FIELD!=VALUE")
	if ordered != "" {
		fmt.Fprintf(&b, ", and for %s and\ndates also >=, >, <= and <", ordered)
	}
	b.WriteString(". Values may hold * and ?. A value that cannot be is\nrefused. The fields are\n\n")
	for _, f := range words {
		name := f.Name
		if strings.HasSuffix(name, ":") {
			name += "KEY"
		}
		for _, also := range f.Also {
			name += ", " + also
		}
		fmt.Fprintf(&b, "  %-19s %s\n", name, f.Doc)
	}
	if _, tags := words.Field("tag:x"); tags {
		b.WriteString("\n" + tagHelp)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (c *cli) findingsList(ctx context.Context, words []string, all bool) error {
	return c.using(ctx, func(b backend) error {
		view := c.view()
		q := findings.Query{Words: words, All: all, Sort: view.Sort}
		var rows []shape.Finding
		page, err := b.Findings(ctx, q, view.Limit, func(f shape.Finding) error {
			rows = append(rows, f)
			return nil
		})
		if err != nil {
			return asked(err)
		}
		if err := writeList(c, report.Rows(rows), report.List[shape.Finding]{Columns: report.FindingColumns(), Given: true, Total: page.Total}); err != nil {
			return err
		}
		if page.Untold > 0 {
			c.note("no word on tags fits %s: the tags of the resources are not known, which cloudarq resources list says more of", report.Count(page.Untold, "finding"))
		} else if page.Empty != nil {
			c.note("no findings: %s", page.Empty.Text)
		}
		return nil
	})
}

// asked makes what is wrong with a query an error of usage.
func asked(err error) error {
	var refused *apiclient.Problem
	switch {
	case findings.Asked(err):
		return usage(err)
	case errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity:
		return usage(errors.New(refused.Detail)) // which says it as this command would
	}
	return err
}

func (c *cli) findingsShow(ctx context.Context, word string) error {
	return c.using(ctx, func(b backend) error {
		finding, err := b.Finding(ctx, word)
		var several *findings.SeveralError
		switch {
		case errors.Is(err, store.ErrNotFound):
			return usagef("no finding %q; cloudarq findings list --all shows them", word)
		case errors.As(err, &several):
			return usage(err)
		case err != nil:
			return err
		}
		if c.output != string(report.Table) {
			return writeOne(c, finding, report.FindingColumns())
		}
		return report.Finding(c.stdout, finding)
	})
}
