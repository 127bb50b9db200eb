// Package score turns counts of verdicts into scores, and says which scores can be
// compared. Everything in it is a pure function. docs/score.md is its definition.
package score

import (
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Line is the verdicts of one check.
type Line struct {
	// Group is the check under which this one weighs: that of which a failure may be the
	// cause of its own, or itself. Checks of a group weigh once. Without one it stands alone.
	Group    model.CheckID
	Severity model.Severity
	Counts   model.Counts
}

// Cap is the most that a score can be while so many checks of severity critical
// fail, or more.
type Cap struct {
	Critical int
	Most     int
}

// Caps is the table of caps, from the fewest critical checks to the most. What
// fails is counted in checks, not in resources: more resources that pass do not
// lift a cap, and one mistake in many places is one row down at most.
func Caps() []Cap {
	return []Cap{{0, 100}, {1, 59}, {2, 49}, {3, 39}, {5, 29}, {10, 19}}
}

// capAt is the cap while so many critical checks fail.
func capAt(critical int) int {
	most := 100
	for _, c := range Caps() {
		if critical >= c.Critical {
			most = c.Most
		}
	}
	return most
}

// Sums are kept in whole millionths of a weight, and become tenths at the very
// end. So the order of the checks and the machine make no difference, as they
// would to floating point.
const (
	whole = 1_000_000
	half  = whole / 2
)

// sum is what some groups of checks weigh, what they lost of it, and how many of
// severity critical fail.
type sum struct {
	weight, lost int64
	critical     int
}

// group is what checks that weigh once weigh together: as much as the heaviest of them
// that was assessed, and they lose what the one loses that loses most.
type group struct {
	weight, lost int64
	critical     bool
}

// add adds a check that passed and failed so often. One that did neither does not
// count.
func (g *group) add(severity model.Severity, pass, fail int) {
	if pass+fail == 0 {
		return
	}
	weight := int64(severity.Weight())
	g.weight = max(g.weight, weight*whole)
	if fail == 0 {
		return
	}
	g.lost = max(g.lost, weight*half+weight*half*int64(fail)/int64(pass+fail))
	g.critical = g.critical || severity == model.Critical
}

// add adds a group.
func (s *sum) add(g group) {
	s.weight, s.lost = s.weight+g.weight, s.lost+g.lost
	if g.critical {
		s.critical++
	}
}

// uncapped is what is left of the weight, in tenths of a percent. It is rounded
// down: 100 means that nothing failed.
func (s sum) uncapped() int64 {
	if s.weight == 0 {
		return 0
	}
	return 1000 * (s.weight - s.lost) / s.weight
}

func (s sum) value() int64 { return min(s.uncapped(), 10*int64(capAt(s.critical))) }

func percent(tenths int64) float64 { return float64(tenths) / 10 }

// Of is the score of some checks. Each counts once, by its severity, however many
// resources it looks at, and those of a group count once together. A check's first
// failing resource takes half of its weight, and the failing share of its resources
// takes as much of the other half. What was not
// assessed does not move the value; it widens the bounds and lowers the coverage.
// With nothing assessed the value is 0 and Assessed says so; with nothing
// applicable the coverage is 1.
func Of(lines ...Line) model.Score {
	// A group as it was seen, and as it would be if all that was not assessed had failed,
	// or passed.
	type bounds struct{ seen, worst, best group }
	all := make([]bounds, 0, len(lines))
	at := make(map[model.CheckID]int, len(lines))
	s := model.Score{Version: model.ScoreVersion, Coverage: 1}
	for _, l := range lines {
		c := l.Counts
		if c.Pass+c.Fail+c.NotAssessed == 0 {
			continue
		}
		i, known := at[l.Group]
		if !known || l.Group == "" { // which stands alone
			i = len(all)
			all = append(all, bounds{})
			at[l.Group] = i
		}
		all[i].seen.add(l.Severity, c.Pass, c.Fail)
		all[i].worst.add(l.Severity, c.Pass, c.Fail+c.NotAssessed)
		all[i].best.add(l.Severity, c.Pass+c.NotAssessed, c.Fail)
		s.Assessed += c.Pass + c.Fail
		s.Applicable += c.Pass + c.Fail + c.NotAssessed
	}
	if s.Applicable > 0 {
		s.Coverage = float64(s.Assessed) / float64(s.Applicable)
	}
	var is, worst, best sum
	for _, g := range all {
		is.add(g.seen)
		worst.add(g.worst)
		best.add(g.best)
	}
	s.Critical, s.Cap, s.Uncapped = is.critical, capAt(is.critical), percent(is.uncapped())
	s.Value, s.Worst, s.Best = percent(is.value()), percent(worst.value()), percent(best.value())
	return s
}
