package report

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// VerdictColumns are the columns of verdicts.
func VerdictColumns() []Column[shape.Verdict] {
	return Members(
		Column[shape.Verdict]{Name: "status", Value: func(v shape.Verdict) string { return string(v.Status) }},
		Column[shape.Verdict]{Name: "severity", Value: func(v shape.Verdict) string { return string(v.Severity) }},
		Column[shape.Verdict]{Name: "check", Value: func(v shape.Verdict) string { return string(v.Check) }},
		Column[shape.Verdict]{Name: "account", Value: func(v shape.Verdict) string { return v.Account }, Fit: Place},
		Column[shape.Verdict]{Name: "region", Value: func(v shape.Verdict) string { return v.Region }, Fit: Place},
		Column[shape.Verdict]{Name: "resource", Value: func(v shape.Verdict) string { return v.Resource }, Ref: func(v shape.Verdict) model.Ref { return v.Ref() }},
		Column[shape.Verdict]{Name: "reason", Value: func(v shape.Verdict) string { return v.Reason }, Fit: Prose},
	)
}

// folds says which checks fail for the same reason.
func folds(checks []model.CheckID) string {
	if len(checks) == 1 {
		return "For the same reason " + string(checks[0]) + " fails."
	}
	return fmt.Sprintf("For the same reason %d more checks fail: %s.", len(checks), check.List(words(checks)))
}
