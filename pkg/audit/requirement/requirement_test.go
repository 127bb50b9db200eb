package requirement_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// seen reads what became of a check: letters of its verdicts, each with how many there are:
// "p" passes, "f" fails, "x" fails and is excepted, "n" does not apply, "u" was not assessed,
// "m" was not run in an account; "-" is none of these.
func seen(word string) (s requirement.Seen) {
	for _, letter := range word {
		switch letter {
		case 'p':
			s.Counts.Pass++
		case 'f':
			s.Counts.Fail++
		case 'x':
			s.Counts.Fail, s.Excepted = s.Counts.Fail+1, s.Excepted+1
		case 'n':
			s.Counts.NotApplicable++
		case 'u':
			s.Counts.NotAssessed++
		case 'm':
			s.Missing++
		}
	}
	return s
}

// TestStates: parts are written with blanks between them: what became of their checks, with
// + between several of one part; "weak:" before a part that asks for more than its checks, "?"
// for one that has none, "wanted:" before one judged by a value of the framework's own.
func TestStates(t *testing.T) {
	t.Parallel()
	const whole, manual = "whole", "manual"
	for _, c := range []struct {
		parts, attested string
		want            requirement.State
	}{
		// one part
		{"p", "", requirement.Passing},
		{"pppp", "", requirement.Passing},
		{"f", "", requirement.Failing},
		{"pf", "", requirement.Failing},
		{"fu", "", requirement.Failing},
		{"fm", "", requirement.Failing},
		{"n", "", requirement.NotApplicable},
		{"pn", "", requirement.Passing},
		{"u", "", requirement.NotAssessed},
		{"pu", "", requirement.NotAssessed},
		{"nu", "", requirement.NotAssessed},
		{"pm", "", requirement.NotAssessed},
		{"nm", "", requirement.NotAssessed},
		{"m", "", requirement.NotAssessed},
		{"-", "", requirement.NotAssessed}, // audited without the check
		{"?", "", requirement.NoCheck},
		{"", "", requirement.NoCheck},
		// several checks of one part
		{"p+p", "", requirement.Passing},
		{"p+f", "", requirement.Failing},
		{"p+n", "", requirement.Passing},
		{"n+n", "", requirement.NotApplicable},
		{"p+u", "", requirement.NotAssessed},
		{"p+m", "", requirement.NotAssessed},
		// several parts: the worst wins
		{"p p", "", requirement.Passing},
		{"p f", "", requirement.Failing},
		{"u f", "", requirement.Failing},
		{"? f", "", requirement.Failing},
		{"n f", "", requirement.Failing},
		{"p n", "", requirement.Passing},
		{"n n", "", requirement.NotApplicable},
		{"p u", "", requirement.PartlyChecked},
		{"n u", "", requirement.PartlyChecked},
		{"p ?", "", requirement.PartlyChecked},
		{"n ?", "", requirement.PartlyChecked},
		{"u ?", "", requirement.NotAssessed},
		{"u u", "", requirement.NotAssessed},
		{"? ?", "", requirement.NoCheck},
		{"p u ?", "", requirement.PartlyChecked},
		// checks that are weaker than what is asked
		{"weak:p", "", requirement.PartlyChecked},
		{"weak:f", "", requirement.Failing},
		{"weak:n", "", requirement.NotApplicable},
		{"weak:u", "", requirement.NotAssessed},
		{"weak:p p", "", requirement.PartlyChecked},
		{"weak:p u", "", requirement.PartlyChecked},
		// failures that somebody accepted
		{"x", "", requirement.Passing},
		{"xp", "", requirement.Passing},
		{"xf", "", requirement.Failing},
		{"xu", "", requirement.NotAssessed},
		{"x ?", "", requirement.PartlyChecked},
		{"x n", "", requirement.Passing},
		{"x+f", "", requirement.Failing}, // an exception of one check is none of another
		{"weak:x", "", requirement.PartlyChecked},
		// what people attest
		{"", whole, requirement.Passing},
		{"", manual, requirement.Passing},
		{"?", whole, requirement.Passing},
		{"?", manual, requirement.Passing},
		{"p ?", manual, requirement.Passing},
		{"p ?", whole, requirement.Passing},
		{"f ?", whole, requirement.Failing}, // never against a failure
		{"f", whole, requirement.Failing},
		{"u", whole, requirement.Passing},
		{"u", manual, requirement.NotAssessed},
		{"m", whole, requirement.Passing},
		{"p u ?", manual, requirement.PartlyChecked},
		{"p u ?", whole, requirement.Passing},
		{"n ?", manual, requirement.Passing},
		{"n", whole, requirement.NotApplicable},
		{"weak:p", manual, requirement.Passing},
		{"weak:p", whole, requirement.Passing},
		{"weak:f", whole, requirement.Failing},
		// what is judged by the framework's own value counts by that, and not by ours
		{"wanted:p", "", requirement.Passing},
		{"wanted:f", "", requirement.Failing},
		{"wanted:u p", "", requirement.PartlyChecked},
	} {
		results := map[model.CheckID]requirement.Seen{}
		r := check.Requirement{ID: "1"}
		for i, word := range strings.Fields(c.parts) {
			part := check.Part{Part: framework.Part{Tool: "prowler", ID: fmt.Sprint("part-", i)}}
			word, part.Weaker = cut(word, "weak:")
			word, wanted := cut(word, "wanted:")
			for j, letters := range strings.Split(word, "+") {
				if word != "?" {
					id := model.CheckID(fmt.Sprint("check-", i, "-", j))
					part.Checks, results[id] = append(part.Checks, id), seen(letters)
					if wanted { // of which the check by our own value says something else
						results[id], results[id+"?days=45"] = seen(map[bool]string{true: "f", false: "p"}[letters == "p"]), seen(letters)
						id += "?days=45"
					}
					part.Counted = append(part.Counted, id)
				}
			}
			r.Parts = append(r.Parts, part)
		}
		attested := requirement.Attested{Whole: c.attested == whole, Manual: c.attested == manual}
		got := requirement.Judge(r, func(id model.CheckID) requirement.Seen { return results[id] }, attested)
		if got.State != c.want {
			t.Errorf("%q attested %q is %s, want %s", c.parts, c.attested, got.State, c.want)
		}
	}
}

func cut(word, prefix string) (string, bool) { return strings.CutPrefix(word, prefix) }

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []requirement.State
		want requirement.State
	}{
		{nil, requirement.NotApplicable},
		{[]requirement.State{requirement.Passing, requirement.NotApplicable}, requirement.Passing},
		{[]requirement.State{requirement.Passing, requirement.Failing}, requirement.Failing},
		{[]requirement.State{requirement.PartlyChecked, requirement.NotAssessed}, requirement.NotAssessed},
		{[]requirement.State{requirement.NoCheck, requirement.Passing}, requirement.NoCheck},
	} {
		if got := requirement.Worst(c.of...); got != c.want {
			t.Errorf("the worst of %v is %s, want %s", c.of, got, c.want)
		}
	}
}
