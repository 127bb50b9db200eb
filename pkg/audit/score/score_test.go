package score_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func line(s model.Severity, pass, fail, blind int) score.Line {
	return score.Line{Severity: s, Counts: model.Counts{Pass: pass, Fail: fail, NotAssessed: blind, NotApplicable: 7}}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []score.Line
		want  model.Score
	}{
		"nothing applies":  {nil, model.Score{Coverage: 1}},
		"all pass":         {[]score.Line{line(model.Low, 3, 0, 0)}, model.Score{Value: 100, Worst: 100, Best: 100, Coverage: 1, Assessed: 3, Applicable: 3}},
		"all fail":         {[]score.Line{line(model.High, 0, 2, 0)}, model.Score{Coverage: 1, Assessed: 2, Applicable: 2}},
		"nothing assessed": {[]score.Line{line(model.High, 0, 0, 4)}, model.Score{Best: 100, Applicable: 4}},
		"critical outweighs": {
			[]score.Line{line(model.Critical, 0, 1, 0), line(model.Low, 25, 0, 0)},
			model.Score{Value: 50, Worst: 50, Best: 50, Coverage: 1, Assessed: 26, Applicable: 26},
		},
		"bounds": {
			[]score.Line{line(model.Medium, 2, 1, 1)},
			model.Score{Value: 200.0 / 3, Worst: 50, Best: 75, Coverage: 0.75, Assessed: 3, Applicable: 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, score.Of(c.lines...), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("score (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	count := rapid.IntRange(0, 1000)
	lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) score.Line {
		return line(rapid.SampledFrom(model.Severities()).Draw(t, "severity"), count.Draw(t, "pass"), count.Draw(t, "fail"), count.Draw(t, "blind"))
	}), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		ls := lines.Draw(t, "lines")
		s := score.Of(ls...)
		if s.Assessed > 0 && (s.Worst > s.Value+1e-9 || s.Value > s.Best+1e-9) {
			t.Fatalf("bounds do not hold the value: %+v", s)
		}
		fixed := append([]score.Line(nil), ls...)
		if fixed[0].Counts.Fail > 0 {
			fixed[0].Counts.Fail--
			fixed[0].Counts.Pass++
			if better := score.Of(fixed...); better.Value < s.Value {
				t.Fatalf("fixing a failure lowered the score from %v to %v", s.Value, better.Value)
			}
		}
		if math.IsNaN(s.Value) || s.Coverage < 0 || s.Coverage > 1 {
			t.Fatalf("out of range: %+v", s)
		}
	})
}
