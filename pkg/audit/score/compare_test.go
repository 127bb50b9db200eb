package score_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func ended(version int, checks []model.CheckID, regions ...string) model.Audit {
	return model.Audit{
		Checks: checks, Regions: regions,
		Summary: &model.Summary{Score: model.Score{Version: version, Value: 50, Assessed: 1}},
	}
}

func trusting(a model.Audit, accounts ...string) model.Audit {
	a.TrustedAccounts = accounts
	return a
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	few, more := []model.CheckID{"a", "b"}, []model.CheckID{"b", "c", "d"}
	for name, c := range map[string]struct {
		before, now model.Audit
		want        []string
	}{
		"like with like":            {ended(2, few, "eu-west-1"), ended(2, few, "eu-west-1"), nil},
		"another version":           {ended(1, few, "eu-west-1"), ended(2, few, "eu-west-1"), []string{"version 1 of the score then, version 2 now"}},
		"other checks":              {ended(2, few, "eu-west-1"), ended(2, more, "eu-west-1"), []string{"2 checks more and 1 check fewer than then"}},
		"a region is new":           {ended(2, few, "eu-west-1"), ended(2, few, "eu-west-1", "eu-north-1"), []string{"1 region more than then"}},
		"a service is left":         {ended(2, more, "eu-west-1"), ended(2, few[1:], "eu-west-1"), []string{"2 checks fewer than then"}},
		"an account is trusted now": {ended(2, few, "eu-west-1"), trusting(ended(2, few, "eu-west-1"), "444455556666"), []string{"1 trusted account more than then"}},
		"everything": {
			ended(1, few, "eu-west-1"), ended(2, more, "eu-north-1"),
			[]string{"version 1 of the score then, version 2 now", "2 checks more and 1 check fewer than then", "1 region more and 1 region fewer than then"},
		},
	} {
		change := score.Compare(c.before, c.now)
		if d := cmp.Diff(&model.ScoreChange{Before: c.before.Summary.Score, Breaks: c.want}, change); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if change := score.Compare(model.Audit{}, ended(2, few)); change != nil {
		t.Errorf("compared with an audit that has no score: %+v", change)
	}
	blind := ended(2, few)
	blind.Summary.Score.Assessed = 0
	if change := score.Compare(blind, ended(2, few)); change != nil {
		t.Errorf("compared with an audit that assessed nothing: %+v", change)
	}
}
