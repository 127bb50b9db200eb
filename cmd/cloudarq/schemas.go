package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// schema is a shape that has a JSON Schema.
type schema struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	ID      string `json:"id"`
	Title   string `json:"title"`
}

func schemaColumns() []report.Column[schema] {
	return []report.Column[schema]{
		{Name: "name", Value: func(s schema) string { return s.Name }},
		{Name: "version", Value: func(s schema) string { return fmt.Sprint(s.Version) }},
		{Name: "id", Value: func(s schema) string { return s.ID }, Fit: report.Spare},
		{Name: "title", Value: func(s schema) string { return s.Title }, Fit: report.Prose},
	}
}

func (c *cli) schemas() *cobra.Command {
	cmd := &cobra.Command{Use: "schemas", Short: "What findings, verdicts, resources and audits look like as JSON"}
	cmd.AddCommand(
		listOf(c, &cobra.Command{
			Use:   "list",
			Short: "List the JSON Schemas of what -o json and the API write",
			Long: `List the JSON Schemas of what -o json and the API write. Members may be added within a
version; what is renamed, removed, or means something else makes the next.`,
			Example: "  cloudarq schemas list",
			Args:    cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				var all []schema
				for _, name := range shape.Schemas() {
					text, _ := shape.Schema(name)
					var s struct {
						ID    string `json:"$id"`
						Title string `json:"title"`
					}
					if err := json.Unmarshal(text, &s); err != nil {
						return fmt.Errorf("schema of %s: %w", name, err)
					}
					all = append(all, schema{name, shape.Version, s.ID, s.Title})
				}
				return write(c, all, schemaColumns())
			},
		}, "schema", schemaColumns()),
		&cobra.Command{
			Use:     "show NAME",
			Short:   "Write a JSON Schema",
			Example: "  cloudarq schemas show finding > finding.schema.json",
			Args:    cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, words []string) error {
				text, ok := shape.Schema(words[0])
				if !ok {
					return usage(&check.UnknownError{What: "schema", Word: words[0], Nearest: check.Nearest(words[0], shape.Schemas()), Among: shape.Schemas()})
				}
				_, err := c.stdout.Write(text)
				return err
			},
		},
	)
	return cmd
}
