package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/services"
)

func (c *cli) checks() *cobra.Command {
	cmd := &cobra.Command{Use: "checks", Short: "What is checked, why, and how to fix it"}
	cmd.AddCommand(
		listOf(c, &cobra.Command{
			Use:   "list [CHECK|FILTER]...",
			Short: "List the checks",
			Long: `List the checks: all, or those that CHECK names, by id, glob or what another tool calls
them.

` + filterHelp(checkWords(), "severity"),
			Example: `  cloudarq checks list
  cloudarq checks list 's3-*' severity=critical,high
  cloudarq checks list prowler:s3_bucket_object_versioning
  cloudarq checks list framework=cis-aws-5.0 -o csv`,
			RunE: func(_ *cobra.Command, words []string) error { return c.checksList(words) },
		}, "check", report.CheckColumns()),
		&cobra.Command{
			Use:     "show CHECK",
			Short:   "Explain one check: the risk, the remedy, the controls it belongs to",
			Example: "  cloudarq checks show kms-key-rotation",
			Args:    cobra.ExactArgs(1),
			RunE:    func(_ *cobra.Command, words []string) error { return c.checksShow(words[0]) },
		},
	)
	return cmd
}

// checkWords are what filters of checks can ask.
func checkWords() filter.Vocabulary {
	catalog, err := services.Catalog()
	if err != nil {
		return nil // which every command says
	}
	return findings.CheckWords(catalog)
}

func (c *cli) checksList(words []string) error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	rows, err := findings.Checks(catalog, words)
	if err != nil {
		return asked(err)
	}
	return write(c, rows, report.CheckColumns())
}

func (c *cli) checksShow(word string) error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	rows, err := findings.Checks(catalog, []string{word})
	if err != nil {
		return asked(err)
	}
	switch {
	case len(rows) == 1 && c.output != string(report.Table):
		return writeOne(c, rows[0], report.CheckColumns())
	case c.output == string(report.JSON):
		return usagef("%q is %s: %s; show one, or have checks list", word, report.Count(len(rows), "check"), check.List(ids(rows)))
	case c.output != string(report.Table):
		return write(c, rows, report.CheckColumns())
	}
	for i, k := range rows {
		if i > 0 {
			fmt.Fprintln(c.stdout)
		}
		if err := report.Explain(c.stdout, k); err != nil {
			return err
		}
	}
	return nil
}

func ids(checks []shape.Check) []string {
	all := make([]string, len(checks))
	for i, k := range checks {
		all[i] = string(k.ID)
	}
	return all
}

// severities are the checks of at least the severity named, or of those named if they
// are several; no name keeps all.
func severities(checks []check.Check, names []string) ([]check.Check, error) {
	if len(names) == 0 {
		return checks, nil
	}
	var wanted []model.Severity
	for _, name := range names {
		severity, err := severity(name)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, severity)
	}
	return slices.DeleteFunc(slices.Clone(checks), func(k check.Check) bool {
		if len(wanted) == 1 {
			return !k.Severity.AtLeast(wanted[0])
		}
		return !slices.Contains(wanted, k.Severity)
	}), nil
}

// severity reads one, in any case.
func severity(name string) (model.Severity, error) {
	s, err := model.ParseSeverity(strings.ToLower(name))
	if err != nil {
		return "", usage(err)
	}
	return s, nil
}

// without are the checks but for those that words name, as --checks does.
func without(catalog *check.Catalog, checks []check.Check, words []string) ([]check.Check, error) {
	if len(words) == 0 {
		return checks, nil
	}
	excluded, err := catalog.Select(words)
	if err != nil {
		return nil, usage(err)
	}
	return slices.DeleteFunc(slices.Clone(checks), func(k check.Check) bool {
		return slices.ContainsFunc(excluded, func(x check.Check) bool { return x.ID == k.ID })
	}), nil
}
