package report

import (
	"cmp"
	"context"
	"fmt"
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
	// Cause is the check of the same resource of which the failure is why this one fails.
	Cause model.CheckID `json:"cause,omitempty"`
	// Folded are the checks that only follow from this failure. Failures tells them.
	Folded []model.CheckID `json:"folded,omitempty"`
}

// VerdictColumns are the columns of verdicts.
func VerdictColumns() []Column[Verdict] {
	return []Column[Verdict]{
		{Name: "verdict", Value: func(v Verdict) string { return string(v.Verdict) }},
		{Name: "severity", Value: func(v Verdict) string { return string(v.Severity) }, Compare: BySeverity(func(v Verdict) model.Severity { return v.Severity })},
		{Name: "check", Value: func(v Verdict) string { return string(v.Check) }},
		{Name: "account", Value: func(v Verdict) string { return v.Account }, Fit: Place},
		{Name: "region", Value: func(v Verdict) string { return v.Region }, Fit: Place},
		{Name: "resource", Value: func(v Verdict) string { return v.Resource }, Ref: Verdict.ref},
		{Name: "part", Value: func(v Verdict) string { return v.Part }, Wide: true},
		{Name: "resource_type", Value: func(v Verdict) string { return v.ResourceType }, Wide: true},
		{Name: "service", Value: func(v Verdict) string { return v.Service }, Wide: true},
		{Name: "title", Value: func(v Verdict) string { return v.Title }, Fit: Prose, Wide: true},
		{Name: "reason", Value: func(v Verdict) string { return v.Reason }, Fit: Prose},
		{Name: "gaps", Value: func(v Verdict) string { return joinGaps(v.Gaps) }, Fit: Prose, Wide: true},
		{Name: "evidence", Value: func(v Verdict) string { return joinExhibits(v.Evidence) }, Fit: Prose, Wide: true},
		{Name: "finding", Value: func(v Verdict) string { return string(v.Finding) }, Wide: true},
		{Name: "cause", Value: func(v Verdict) string { return string(v.Cause) }, Wide: true},
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
		err := pipeline.ReadEvidence(ctx, from, task.Object(task.Evidence), func(e evidence.Entry) error {
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
		Verdict: v.Status, Reason: v.Reason, Gaps: v.Gaps, Evidence: exhibits, Cause: v.Cause,
	}
	if row.Gaps == nil {
		row.Gaps = []fact.Gap{}
	}
	if v.Status == check.Fail {
		row.Finding = model.NewFindingID(v.Check, e.Ref)
	}
	return row, nil
}

// Failures are the verdicts of FAIL of an audit, the gravest first. Those that only
// follow from another are named by it alone.
func Failures(ctx context.Context, catalog *check.Catalog, from blob.Store, tasks []model.Task) ([]Verdict, error) {
	type place struct {
		check          model.CheckID
		resource, part string
	}
	var failed []Verdict
	folded := map[place][]model.CheckID{}
	err := verdicts(ctx, catalog, from, tasks, []check.Status{check.Fail}, func(v Verdict) error {
		if v.Cause != "" {
			at := place{v.Cause, v.Resource, v.Part}
			folded[at] = append(folded[at], v.Check)
			return nil
		}
		failed = append(failed, v)
		return nil
	})
	for i, v := range failed {
		failed[i].Folded = folded[place{v.Check, v.Resource, v.Part}]
	}
	slices.SortStableFunc(failed, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(b.Severity.Weight(), a.Severity.Weight()), cmp.Compare(a.Check, b.Check))
	})
	return failed, err
}

// folds says which checks fail for the same reason.
func folds(checks []model.CheckID) string {
	if len(checks) == 1 {
		return "For the same reason " + string(checks[0]) + " fails."
	}
	return fmt.Sprintf("For the same reason %d more checks fail: %s.", len(checks), check.List(words(checks)))
}
