package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
)

// Verdict is one row of an audit's result: what one check said of one resource.
type Verdict struct {
	Check        model.CheckID      `json:"check"`
	Title        string             `json:"title"`
	Severity     model.Severity     `json:"severity"`
	Service      string             `json:"service"`
	ResourceType string             `json:"resource_type"`
	Resource     string             `json:"resource"` // the ARN
	Part         string             `json:"part,omitempty"`
	Name         string             `json:"name,omitempty"`
	Account      string             `json:"account"`
	Region       string             `json:"region"`
	Verdict      check.Status       `json:"verdict"`
	Reason       string             `json:"reason"`
	Gaps         []fact.Gap         `json:"gaps"`
	Evidence     []evidence.Exhibit `json:"evidence"`
	Finding      model.FindingID    `json:"finding,omitempty"` // for FAIL
}

// VerdictColumns are the columns of verdicts.
func VerdictColumns() []Column[Verdict] {
	return []Column[Verdict]{
		{Name: "verdict", Value: func(v Verdict) string { return string(v.Verdict) }},
		{Name: "severity", Value: func(v Verdict) string { return string(v.Severity) }},
		{Name: "check", Value: func(v Verdict) string { return string(v.Check) }},
		{Name: "account", Value: func(v Verdict) string { return v.Account }},
		{Name: "region", Value: func(v Verdict) string { return v.Region }},
		{Name: "resource", Value: func(v Verdict) string { return v.Resource }},
		{Name: "part", Value: func(v Verdict) string { return v.Part }, Wide: true},
		{Name: "resource_type", Value: func(v Verdict) string { return v.ResourceType }, Wide: true},
		{Name: "service", Value: func(v Verdict) string { return v.Service }, Wide: true},
		{Name: "title", Value: func(v Verdict) string { return v.Title }, Wide: true},
		{Name: "reason", Value: func(v Verdict) string { return v.Reason }},
		{Name: "gaps", Value: func(v Verdict) string { return joinGaps(v.Gaps) }, Wide: true},
		{Name: "evidence", Value: func(v Verdict) string { return joinExhibits(v.Evidence) }, Wide: true},
		{Name: "finding", Value: func(v Verdict) string { return string(v.Finding) }, Wide: true},
	}
}

func joinGaps(gaps []fact.Gap) string {
	var parts []string
	for _, g := range gaps {
		parts = append(parts, g.String())
	}
	return strings.Join(parts, "; ")
}

func joinExhibits(exhibits []evidence.Exhibit) string {
	var parts []string
	for _, x := range exhibits {
		name := x.Fact
		if x.Resource != "" {
			name = x.Resource + " " + name
		}
		parts = append(parts, name+"="+string(x.Content))
	}
	return strings.Join(parts, "; ")
}

// Verdicts calls visit with all verdicts of an audit, task by task, sorted
// within each: one service is in memory at a time.
func Verdicts(ctx context.Context, catalog *check.Catalog, from blob.Store, tasks []model.Task, visit func(Verdict) error) error {
	return verdicts(ctx, catalog, from, tasks, check.Statuses(), visit)
}

func verdicts(
	ctx context.Context, catalog *check.Catalog, from blob.Store, tasks []model.Task,
	wanted []check.Status, visit func(Verdict) error,
) error {
	texts, err := catalog.Texts()
	if err != nil {
		return err
	}
	for _, task := range tasks {
		if task.Evidence == "" {
			continue
		}
		var rows []Verdict
		err := pipeline.ReadEvidence(ctx, from, task.Evidence, func(e evidence.Entry) error {
			for _, v := range e.Verdicts {
				if !slices.Contains(wanted, v.Status) {
					continue
				}
				row, err := verdictRow(catalog, texts, e, v)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b Verdict) int {
			return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Part, b.Part))
		})
		for _, row := range rows {
			if err := visit(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func verdictRow(catalog *check.Catalog, texts map[model.CheckID]check.Text, e evidence.Entry, v evidence.Verdict) (Verdict, error) {
	exhibits, err := e.Exhibits(v)
	if err != nil {
		return Verdict{}, err
	}
	c, _ := catalog.Check(v.Check)
	row := Verdict{
		Check: v.Check, Title: texts[v.Check].Title, Severity: c.Severity, Service: c.Service, ResourceType: e.Kind,
		Resource: e.Ref.ARN, Part: e.Ref.Sub, Name: e.Ref.Name, Account: e.Ref.Account, Region: e.Ref.Region,
		Verdict: v.Status, Reason: v.Reason, Gaps: v.Gaps, Evidence: exhibits,
	}
	if row.Gaps == nil {
		row.Gaps = []fact.Gap{}
	}
	if v.Status == check.Fail {
		row.Finding = model.NewFindingID(v.Check, e.Ref)
	}
	return row, nil
}

// Failures are the verdicts of FAIL of an audit, the gravest first.
func Failures(ctx context.Context, catalog *check.Catalog, from blob.Store, tasks []model.Task) ([]Verdict, error) {
	var failed []Verdict
	err := verdicts(ctx, catalog, from, tasks, []check.Status{check.Fail}, func(v Verdict) error {
		failed = append(failed, v)
		return nil
	})
	slices.SortStableFunc(failed, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(b.Severity.Weight(), a.Severity.Weight()), cmp.Compare(a.Check, b.Check))
	})
	return failed, err
}
