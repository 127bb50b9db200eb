package report

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
)

// TrendColumns are the columns of points: those of one account, or of several, and with how
// the requirements of a framework stood, or without.
func TrendColumns(several, framework bool) []Column[trend.Point] {
	number := func(name string, of func(trend.Point) int, fit Fit) Column[trend.Point] {
		return Column[trend.Point]{Name: name, Value: func(p trend.Point) string { return strconv.Itoa(of(p)) }, Fit: fit}
	}
	columns := []Column[trend.Point]{
		{Name: "day", Value: func(p trend.Point) string { return cmp.Or(p.Day, p.AsOf.UTC().Format(time.DateOnly)) }},
		{Name: "as_of", Value: func(p trend.Point) string { return p.AsOf.UTC().Format(time.RFC3339) }, Wide: true},
		{Name: "score", Value: func(p trend.Point) string { return scoredText(p.Scored) }},
		{Name: "coverage", Value: func(p trend.Point) string { return coverageText(p.Coverage) }},
		number("critical", func(p trend.Point) int { return p.Failed.Critical }, 0),
		number("high", func(p trend.Point) int { return p.Failed.High }, 0),
		number("medium", func(p trend.Point) int { return p.Failed.Medium }, Spare),
		number("low", func(p trend.Point) int { return p.Failed.Low }, Spare),
		number("resources", func(p trend.Point) int { return p.Resources }, Spare),
	}
	if several {
		columns = append(columns, number("accounts", func(p trend.Point) int { return p.Accounts }, Spare), number("not_audited", func(p trend.Point) int { return p.NotAudited }, Spare))
	} else {
		columns = append(columns, Column[trend.Point]{Name: "audit", Value: func(p trend.Point) string { return string(p.Audit) }, Wide: true})
	}
	if framework {
		asked := func(name string, of func(*compliance.RequirementsIn) int) Column[trend.Point] {
			return Column[trend.Point]{Name: name, Value: func(p trend.Point) string {
				if p.Requirements == nil {
					return ""
				}
				return strconv.Itoa(of(p.Requirements))
			}}
		}
		columns = append(columns,
			asked("passing", func(n *compliance.RequirementsIn) int { return n.Passing }), asked("failing", func(n *compliance.RequirementsIn) int { return n.Failing }),
			asked("partly_checked", func(n *compliance.RequirementsIn) int { return n.PartlyChecked }), asked("not_assessed", func(n *compliance.RequirementsIn) int { return n.NotAssessed }))
	}
	return append(columns,
		Column[trend.Point]{Name: "worst", Value: func(p trend.Point) string { return optional(p.Worst) }, Wide: true},
		Column[trend.Point]{Name: "best", Value: func(p trend.Point) string { return optional(p.Best) }, Wide: true},
		Column[trend.Point]{Name: "cloudarq", Value: func(p trend.Point) string { return p.CloudArq }, Wide: true},
		Column[trend.Point]{Name: "note", Value: TrendNote, Fit: Prose},
	)
}

// TrendNote says what is to be known before a point is compared with others.
func TrendNote(p trend.Point) string {
	var notes []string
	if len(p.Breaks) > 0 {
		notes = append(notes, "rules changed, not the account: "+strings.Join(p.Breaks, "; "))
	}
	if p.Carried {
		notes = append(notes, "no audit that day")
	}
	if p.Part {
		notes = append(notes, "of a part of the account")
	}
	return strings.Join(notes, "; ")
}

func optional(value *float64) string {
	if value == nil {
		return ""
	}
	return number(*value)
}

func scoredText(s shape.Scored) string {
	if s.Score == nil {
		return "none"
	}
	return number(*s.Score)
}

func coverageText(of float64) string {
	percent := 100 * of
	if percent > 99 && percent < 100 {
		return "over 99 %"
	}
	return fmt.Sprintf("%.0f %%", percent)
}

// ticks are what a line of scores is drawn with, from 0 to 100.
var ticks = []rune("▁▂▃▄▅▆▇█")

// Sparkline draws the scores of points, the oldest first, in so many columns at most: of
// several that share one, the last. What has no score is a blank.
func Sparkline(points []trend.Point, columns int) string {
	if columns < 1 || len(points) == 0 {
		return ""
	}
	columns = min(columns, len(points))
	line := make([]rune, columns)
	for i := range line {
		p := points[(i+1)*len(points)/columns-1]
		line[i] = ' '
		if p.Score != nil {
			at := int(*p.Score * float64(len(ticks)) / 100)
			line[i] = ticks[max(0, min(at, len(ticks)-1))]
		}
	}
	return string(line)
}
