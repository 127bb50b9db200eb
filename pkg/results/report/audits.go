package report

import (
	"strconv"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// AuditColumns are the columns of audits.
func AuditColumns() []Column[shape.Audit] {
	number := func(value func(shape.Audit) int) func(shape.Audit) string {
		return func(a shape.Audit) string {
			if a.Coverage == nil {
				return ""
			}
			return strconv.Itoa(value(a))
		}
	}
	return Members(
		Column[shape.Audit]{Name: "id", Value: func(a shape.Audit) string { return string(a.ID) }},
		Column[shape.Audit]{Name: "account", Value: func(a shape.Audit) string { return a.Account }, Fit: Place},
		Column[shape.Audit]{Name: "state", Value: func(a shape.Audit) string { return string(a.State) }},
		Column[shape.Audit]{Name: "started_at", Value: func(a shape.Audit) string { return when(a.StartedAt) }, Fit: Spare},
		Column[shape.Audit]{Name: "score", Value: numberOf(func(a shape.Audit) *float64 { return a.Score }), Short: func(a shape.Audit) string {
			if a.Coverage == nil {
				return ""
			}
			return ScoreText(scoreOf(a))
		}},
		Column[shape.Audit]{Name: "coverage", Value: numberOf(func(a shape.Audit) *float64 { return a.Coverage }), Short: func(a shape.Audit) string {
			if a.Coverage == nil {
				return ""
			}
			return CoverageText(scoreOf(a))
		}},
		Column[shape.Audit]{Name: "counts.fail", Value: number(func(a shape.Audit) int { return a.Counts.Fail })},
		Column[shape.Audit]{Name: "new", Value: number(func(a shape.Audit) int { return a.New }), Fit: Spare},
		Column[shape.Audit]{Name: "resolved", Value: number(func(a shape.Audit) int { return a.Resolved }), Fit: Spare},
	)
}

func numberOf(value func(shape.Audit) *float64) func(shape.Audit) string {
	return func(a shape.Audit) string {
		if n := value(a); n != nil {
			return strconv.FormatFloat(*n, 'f', -1, 64)
		}
		return ""
	}
}

// scoreOf is the score of an audit that has one, or none.
func scoreOf(a shape.Audit) model.Score {
	s := model.Score{Version: a.Version, Coverage: *a.Coverage}
	if a.Score != nil {
		s.Assessed, s.Value, s.Worst, s.Best = 1, *a.Score, *a.Worst, *a.Best
	}
	return s
}
