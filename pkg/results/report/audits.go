package report

import (
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// AuditColumns are the columns of audits.
func AuditColumns() []Column[model.Audit] {
	summary := func(value func(*model.Summary) string) func(model.Audit) string {
		return func(a model.Audit) string {
			if a.Summary == nil {
				return ""
			}
			return value(a.Summary)
		}
	}
	return []Column[model.Audit]{
		{Name: "audit", Value: func(a model.Audit) string { return string(a.ID) }},
		{Name: "account", Value: func(a model.Audit) string { return a.AccountID }, Fit: Place},
		{Name: "state", Value: func(a model.Audit) string { return string(a.State) }},
		{Name: "started", Value: func(a model.Audit) string { return a.StartedAt.UTC().Format(time.RFC3339) }, Fit: Spare},
		{Name: "score", Value: summary(func(s *model.Summary) string { return ScoreText(s.Score) })},
		{Name: "coverage", Value: summary(func(s *model.Summary) string { return CoverageText(s.Score) })},
		{Name: "failed", Value: summary(func(s *model.Summary) string { return fmt.Sprint(s.Counts.Fail) })},
		{Name: "new", Value: summary(func(s *model.Summary) string { return fmt.Sprint(s.Changes.New) }), Fit: Spare},
		{Name: "resolved", Value: summary(func(s *model.Summary) string { return fmt.Sprint(s.Changes.Resolved) }), Fit: Spare},
		{Name: "calls", Value: summary(func(s *model.Summary) string { return fmt.Sprint(s.Calls) }), Wide: true},
		{Name: "resources", Value: summary(func(s *model.Summary) string { return fmt.Sprint(s.Resources) }), Wide: true},
	}
}
