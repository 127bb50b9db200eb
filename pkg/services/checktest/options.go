package checktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// testOptions holds each option of a rule to what options promise: what lies outside of its
// bounds is refused, some value inside makes the rule say something else of some case, and
// whatever it decided, verdict and evidence name the value.
func testOptions(t *testing.T, rule check.Rule, cases []Case) {
	t.Helper()
	for _, o := range rule.Options {
		if err := o.Check(o.Default); err != nil {
			t.Errorf("the default of %s: %v", o.Name, err)
		}
		if o.Name == "" || o.Doc == "" || o.Unit == "" {
			t.Errorf("the option %q says not what it is: %+v", o.Name, o)
		}
		inside, outside := around(o)
		for _, v := range outside {
			if o.Check(v) == nil {
				t.Errorf("%s may be %s", o.Name, v)
			}
		}
		honoured, read := false, false
		for _, v := range inside {
			if err := o.Check(v); err != nil {
				t.Errorf("%s: %v", o.Name, err)
			}
			for _, c := range cases {
				was, _ := judge(rule, c.Resource, c.Others, "")
				j := check.NewJudge(Now, worldOf(rule, c.Resource, c.Others)).WithOptions(model.CheckOptions{rule.ID: {o.Name: v}})
				verdict := j.Judge(rule, c.Resource)
				honoured = honoured || verdict.Status != was.Status
				if !slices.ContainsFunc(j.Evidence().Exhibits(c.Resource), func(x check.Exhibit) bool { return x.Resource == check.OptionFact && x.Fact == o.Name }) {
					continue // something else decided
				}
				read = true
				if verdict.Status.Assessed() && !strings.Contains(verdict.Reason, o.Name+": ") {
					t.Errorf("%s with %s %s: %q does not name it", c.Name, o.Name, v, verdict.Reason)
				}
			}
		}
		if !honoured || !read {
			t.Errorf("no value of %s makes the rule say something else of any case", o.Name)
		}
	}
}

// around are values of an option at its bounds, and beyond them.
func around(o *check.Option) (inside, outside []model.OptionValue) {
	if o.Type == "number" {
		return []model.OptionValue{model.NumberOf(o.Min), model.NumberOf(o.Max)},
			[]model.OptionValue{model.NumberOf(o.Min - 1), model.NumberOf(o.Max + 1), model.WordsOf("1")}
	}
	inside = []model.OptionValue{model.WordsOf()}
	for _, one := range o.Choices {
		inside = append(inside, model.WordsOf(one))
	}
	if len(o.Choices) > 0 {
		inside = append(inside, model.WordsOf(o.Choices...))
	} else {
		inside = append(inside, o.Default)
	}
	return inside, []model.OptionValue{model.NumberOf(1), model.WordsOf("no such word"), model.WordsOf("")}
}
