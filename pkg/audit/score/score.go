// Package score turns counts of verdicts into scores. Everything in it is a
// pure function.
package score

import (
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Line is the verdicts of one check.
type Line struct {
	Severity model.Severity
	Counts   model.Counts
}

// Of is the score of some checks: the ratio of passed to assessed, each verdict
// weighted by its check's severity. What was not assessed moves neither; it
// widens the bounds and lowers the coverage. With nothing assessed the value is
// 0 and Assessed says so; with nothing applicable the coverage is 1.
func Of(lines ...Line) model.Score {
	var failed, passed, unknown float64
	s := model.Score{Coverage: 1}
	for _, l := range lines {
		weight := float64(l.Severity.Weight())
		failed += weight * float64(l.Counts.Fail)
		passed += weight * float64(l.Counts.Pass)
		unknown += weight * float64(l.Counts.NotAssessed)
		s.Assessed += l.Counts.Pass + l.Counts.Fail
		s.Applicable += l.Counts.Pass + l.Counts.Fail + l.Counts.NotAssessed
	}
	if s.Applicable > 0 {
		s.Coverage = float64(s.Assessed) / float64(s.Applicable)
	}
	s.Value = percent(passed, passed+failed)
	s.Worst = percent(passed, passed+failed+unknown)
	s.Best = percent(passed+unknown, passed+failed+unknown)
	return s
}

func percent(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * part / whole
}
