package main

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// listing is how a command writes its list, by the flags that all lists have.
type listing struct {
	what          string // it is of, in the singular
	names, fields []string
	sortable      []string // columns, unless it is sorted elsewhere, by fields of its own
	view          report.View
}

// screenful is how many rows a terminal shows of a list unless --limit says otherwise.
const screenful = 50

// listOf makes a command one that lists: with --limit, --columns and --sort. more are
// columns that it has where a flag makes it list something else.
func listOf[T any](c *cli, cmd *cobra.Command, what string, columns []report.Column[T], more ...string) *cobra.Command {
	l := &listing{what: what, names: append(report.Names(columns), more...), fields: report.Fields[T]()}
	l.sortable = l.names
	flags := cmd.Flags()
	flags.IntVar(&l.view.Limit, "limit", 0, fmt.Sprintf("the most rows to show, 0 for all (default %d as a table on a terminal, else all)", screenful))
	flags.StringSliceVar(&l.view.Columns, "columns", nil, "columns to show, or +NAME for one more; with JSON, members (-o csv has all)")
	flags.StringSliceVar(&l.view.Sort, "sort", nil, "columns to sort by, -NAME for the other way round")
	if c.listings == nil {
		c.listings = map[*cobra.Command]*listing{}
	}
	c.listings[cmd] = l
	return cmd
}

// lowered are flags of words that are written in lower case, and read in any.
var lowered = []string{"services", "regions", "columns", "sort"}

// begin settles what flags say before a command does anything: the case of words, and how it
// writes its list, if it has one.
func (c *cli) begin(cmd *cobra.Command) error {
	for _, name := range lowered {
		f := cmd.Flags().Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		words, ok := f.Value.(pflag.SliceValue)
		if !ok {
			continue
		}
		all := lower(words.GetSlice())
		if name == "regions" && slices.Equal(all, []string{allRegions}) && named(cmd) != "audit run" {
			all = nil // of a connection none are named then
		}
		if err := words.Replace(all); err != nil {
			return usage(err)
		}
	}
	l := c.listings[cmd]
	if l == nil {
		return nil
	}
	format, err := c.format()
	if err != nil {
		return err
	}
	if err := l.view.Check(l.names, l.sortable, ofJSON(format, l.fields)); err != nil {
		return usage(err)
	}
	if !cmd.Flags().Changed("limit") && format == report.Table && c.style(c.stdout).Width > 0 {
		l.view.Limit = screenful
	}
	c.listing = l
	return nil
}

// lower are words in lower case, without the blanks that people put behind commas.
func lower(words []string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = strings.ToLower(strings.TrimSpace(word))
	}
	return all
}

// view is what somebody asks of the list that a command writes.
func (c *cli) view() report.View {
	if c.listing == nil {
		return report.View{}
	}
	return c.listing.view
}

// ofJSON are the members of rows where they can be asked for.
func ofJSON(format report.Format, fields []string) []string {
	if format == report.JSON || format == report.NDJSON {
		return fields
	}
	return nil
}

// write writes a list to stdout in the format asked for.
func write[T any](c *cli, rows []T, columns []report.Column[T]) error {
	return writeList(c, report.Rows(rows), report.List[T]{Columns: columns})
}

// writeList is write of rows that come one by one, and says how many of them are shown.
func writeList[T any](c *cli, rows iter.Seq2[T, error], list report.List[T]) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	style := c.style(c.stdout)
	if c.listing == nil {
		_, err := list.Write(c.stdout, format, style, rows)
		return err
	}
	list.View = c.listing.view
	if err := list.View.Check(report.Names(list.Columns), c.listing.sortable, ofJSON(format, report.Fields[T]())); err != nil { // of two lists, the one
		return usage(err)
	}
	shown, err := list.Write(c.stdout, format, style, rows)
	if onTerminal := format == report.Table && style.Width > 0; err == nil && (onTerminal || shown.Rows < shown.Total) {
		c.note("%s", shown.Text(c.listing.what))
	}
	return err
}

// writeOne writes a single thing to stdout, which is no list: as JSON, it is an object.
func writeOne[T any](c *cli, one T, columns []report.Column[T]) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	if format == report.JSON {
		format = report.NDJSON // of which one line is
	}
	return report.Write(c.stdout, format, c.style(c.stdout), []T{one}, columns)
}
