package shape

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Moment is a time as it is shown: null in JSON if there is none.
func Moment(t time.Time) *time.Time { return moment(t) }

// Scored is how well some checks stand, with its coverage; docs/score.md defines it. Its
// values are null in JSON where nothing was assessed, which is no score at all.
type Scored struct {
	Score      *float64 `json:"score" doc:"0 to 100, in tenths; null if nothing was assessed"`
	Worst      *float64 `json:"worst" doc:"What it would be if all that was not assessed had failed"`
	Best       *float64 `json:"best" doc:"What it would be if all of that had passed"`
	Uncapped   *float64 `json:"uncapped" doc:"What it would be without the cap"`
	Cap        int      `json:"cap" doc:"The most that it can be while checks of severity critical fail; 100 is no cap"`
	Critical   int      `json:"critical_checks" doc:"Checks of severity critical that fail"`
	Version    int      `json:"score_version" doc:"Of the score's definition: scores of two versions are not to be compared"`
	Coverage   float64  `json:"coverage" doc:"Assessed / applicable verdicts, 0 to 1; 1 if nothing applied"`
	Assessed   int      `json:"assessed" doc:"Verdicts of PASS and FAIL"`
	Applicable int      `json:"applicable" doc:"Those, and NOT_ASSESSED"`
}

// NewScored is a score as it is shown.
func NewScored(s model.Score) Scored {
	out := Scored{Cap: s.Cap, Critical: s.Critical, Version: s.Version, Coverage: s.Coverage, Assessed: s.Assessed, Applicable: s.Applicable}
	if s.Assessed > 0 {
		out.Score, out.Worst, out.Best, out.Uncapped = &s.Value, &s.Worst, &s.Best, &s.Uncapped
	}
	return out
}

// Failures are open failures by severity, but for those that follow from another.
type Failures struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
}

// NewFailures are failures as they are shown.
func NewFailures(by map[model.Severity]int) Failures {
	return Failures{by[model.Critical], by[model.High], by[model.Medium], by[model.Low]}
}
