// Command places prints what this version writes of itself, a line for each place.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func main() {
	if err := places(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func places(ctx context.Context) error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	p := &pipeline.Pipeline{Catalog: catalog, Store: store.New(memtable.New(time.Now), catalog.Severity), Tasks: memory.New(memory.Options{}).Queue("tasks"), Now: time.Now}
	audit, err := p.Plan(ctx, pipeline.Request{Organization: "o", Audit: "a", Connection: model.Connection{ID: "c"}, Regions: []string{"eu-west-1"}, Checks: catalog.Checks()[:1]})
	if err != nil {
		return err
	}
	audit.Summary = &model.Summary{}
	fmt.Println("audit", audit.CloudArq)
	fmt.Println("statement", statement.Of("o", audit).CloudArq)
	fmt.Println("alert", alert.Of{Organization: "o", Audit: audit}.Ended(false, nil)[0].CloudArq)
	var page strings.Builder
	r := &report.Page{}
	r.Add(audit, nil)
	if err := r.Write(ctx, &page); err != nil {
		return err
	}
	_, footer, _ := strings.Cut(page.String(), "Written by CloudArq ")
	footer, _, _ = strings.Cut(footer, ".</p>")
	fmt.Println("report", footer)
	return nil
}
