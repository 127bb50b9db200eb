package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) report() *cobra.Command {
	cmd := &cobra.Command{Use: "report", Short: "Reports to pass on"}
	var file string
	html := &cobra.Command{
		Use:   "html [AUDIT]...",
		Short: "Write one self-contained HTML file",
		Long: `Write one HTML file that needs nothing else to be read: scores with their bounds,
findings with evidence and remedies, and what was not assessed. Without arguments
it holds the newest audit of every account.`,
		Example: `  cloudarq report html --file audit.html
  cloudarq report html prod staging > audit.html`,
		RunE: func(cmd *cobra.Command, words []string) error { return c.reportHTML(cmd.Context(), words, file) },
	}
	html.Flags().StringVar(&file, "file", "", "file to write (default stdout)")
	cmd.AddCommand(html)
	return cmd
}

func (c *cli) reportHTML(ctx context.Context, words []string, file string) error {
	return c.with(ctx, func(s *local.State) error {
		audits, err := c.chosen(ctx, s, words)
		if err != nil {
			return err
		}
		page := report.Page{}
		if page.Texts, err = s.Catalog.Texts(); err != nil {
			return err
		}
		for _, audit := range audits {
			failed, err := c.here(s).Worst(ctx, audit)
			if err != nil {
				return err
			}
			page.Add(audit, failed)
		}
		if file == "" {
			return page.Write(ctx, c.stdout)
		}
		if err := writeFile(file, func(w *bufio.Writer) error { return page.Write(ctx, w) }); err != nil {
			return err
		}
		c.note("%s has the report of %s", file, report.Count(len(audits), "audit"))
		return nil
	})
}

// chosen are the audits that words name, or the newest of every account.
func (c *cli) chosen(ctx context.Context, s *local.State, words []string) ([]model.Audit, error) {
	if len(words) == 0 {
		audits, err := s.Latest(ctx)
		if err == nil && len(audits) == 0 {
			err = usagef("there are no audits yet; begin with: cloudarq audit run")
		}
		return audits, err
	}
	var audits []model.Audit
	for _, word := range words {
		audit, err := findAudit(ctx, c.here(s), word)
		if err != nil {
			return nil, err
		}
		if audit.Summary == nil {
			return nil, usagef("audit %s has no result: it is %s", audit.ID, audit.State)
		}
		audits = append(audits, audit)
	}
	return audits, nil
}

// writeFile replaces a file as a whole: a reader sees the old one or the new.
func writeFile(path string, fill func(*bufio.Writer) error) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".cloudarq-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	w := bufio.NewWriter(temp)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
