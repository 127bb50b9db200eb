package main

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// plannedCall is one line of a dry run: an operation, and where it would be
// called.
type plannedCall struct {
	Service   string   `json:"service"`
	Operation string   `json:"operation"`
	Action    string   `json:"action"` // the IAM action it needs
	Regions   []string `json:"regions"`
}

func (c *cli) dryRun(catalog *check.Catalog, r pipeline.Request) error {
	selection, err := pipeline.Resolve(catalog, r.Checks, r.Services)
	if err != nil {
		return err
	}
	var calls []plannedCall
	for _, o := range pipeline.Operations(collectors.ByService(), selection) {
		regions := r.Regions
		if o.Global {
			regions = []string{model.Global}
		}
		calls = append(calls, plannedCall{o.Service, o.Name, o.Action, regions})
	}
	c.note("%d checks over %d services in %d regions: %d operations, at least one call to each listing in each region, and one per resource to the rest",
		len(selection.Checks), len(selection.Services), len(r.Regions), len(calls))
	return write(c, calls, []report.Column[plannedCall]{
		{Name: "service", Value: func(p plannedCall) string { return p.Service }},
		{Name: "operation", Value: func(p plannedCall) string { return p.Operation }},
		{Name: "action", Value: func(p plannedCall) string { return p.Action }},
		{Name: "regions", Value: func(p plannedCall) string { return fmt.Sprint(len(p.Regions)) }},
	})
}
