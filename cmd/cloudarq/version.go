package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versionInfo{Version: version.String(), Commit: version.Commit(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
			if c.output == string(report.Table) {
				_, err := fmt.Fprintf(c.stdout, "cloudarq %s (%s, %s)\n", v.Version, v.Go, v.System)
				return err
			}
			return writeOne(c, v, []report.Column[versionInfo]{
				{Name: "version", Value: func(v versionInfo) string { return v.Version }},
				{Name: "commit", Value: func(v versionInfo) string { return v.Commit }},
				{Name: "go", Value: func(v versionInfo) string { return v.Go }},
				{Name: "system", Value: func(v versionInfo) string { return v.System }},
			})
		},
	}
}
