package report

import (
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// ResourceColumns are the columns of resources.
func ResourceColumns() []Column[shape.Resource] {
	return Members(
		Column[shape.Resource]{Name: "account", Value: func(r shape.Resource) string { return r.Account }, Fit: Place},
		Column[shape.Resource]{Name: "region", Value: func(r shape.Resource) string { return r.Region }, Fit: Place},
		Column[shape.Resource]{Name: "resource_type", Value: func(r shape.Resource) string { return r.Type }},
		Column[shape.Resource]{Name: "name", Value: func(r shape.Resource) string { return r.Name }},
		Column[shape.Resource]{Name: "resource", Value: func(r shape.Resource) string { return r.Resource }, Ref: func(r shape.Resource) model.Ref { return r.Ref() }},
	)
}

// ChangeColumns are the columns of what is different between two audits.
func ChangeColumns() []Column[shape.Difference] {
	return Members(
		Column[shape.Difference]{Name: "change", Value: func(d shape.Difference) string { return string(d.Change) }},
		Column[shape.Difference]{Name: "severity", Value: func(d shape.Difference) string { return string(d.Severity) }},
		Column[shape.Difference]{Name: "check", Value: func(d shape.Difference) string { return string(d.Check) }},
		Column[shape.Difference]{Name: "region", Value: func(d shape.Difference) string { return d.Region }, Fit: Place},
		Column[shape.Difference]{Name: "resource", Value: func(d shape.Difference) string { return d.Resource }, Ref: func(d shape.Difference) model.Ref { return d.Ref() }},
		Column[shape.Difference]{Name: "reason", Value: func(d shape.Difference) string { return d.Reason }, Fit: Prose},
	)
}
