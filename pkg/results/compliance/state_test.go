package compliance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/framework"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
)

// seen reads what became of a check: letters of its verdicts, each with how many there are:
// "p" passes, "f" fails, "x" fails and is excepted, "n" does not apply, "u" was not assessed,
// "m" was not run in an account; "-" is none of these.
func seen(word string) (s compliance.Seen) {
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
		want            compliance.State
	}{
		// one part
		{"p", "", compliance.Passing},
		{"pppp", "", compliance.Passing},
		{"f", "", compliance.Failing},
		{"pf", "", compliance.Failing},
		{"fu", "", compliance.Failing},
		{"fm", "", compliance.Failing},
		{"n", "", compliance.NotApplicable},
		{"pn", "", compliance.Passing},
		{"u", "", compliance.NotAssessed},
		{"pu", "", compliance.NotAssessed},
		{"nu", "", compliance.NotAssessed},
		{"pm", "", compliance.NotAssessed},
		{"nm", "", compliance.NotAssessed},
		{"m", "", compliance.NotAssessed},
		{"-", "", compliance.NotAssessed}, // audited without the check
		{"?", "", compliance.NoCheck},
		{"", "", compliance.NoCheck},
		// several checks of one part
		{"p+p", "", compliance.Passing},
		{"p+f", "", compliance.Failing},
		{"p+n", "", compliance.Passing},
		{"n+n", "", compliance.NotApplicable},
		{"p+u", "", compliance.NotAssessed},
		{"p+m", "", compliance.NotAssessed},
		// several parts: the worst wins
		{"p p", "", compliance.Passing},
		{"p f", "", compliance.Failing},
		{"u f", "", compliance.Failing},
		{"? f", "", compliance.Failing},
		{"n f", "", compliance.Failing},
		{"p n", "", compliance.Passing},
		{"n n", "", compliance.NotApplicable},
		{"p u", "", compliance.PartlyChecked},
		{"n u", "", compliance.PartlyChecked},
		{"p ?", "", compliance.PartlyChecked},
		{"n ?", "", compliance.PartlyChecked},
		{"u ?", "", compliance.NotAssessed},
		{"u u", "", compliance.NotAssessed},
		{"? ?", "", compliance.NoCheck},
		{"p u ?", "", compliance.PartlyChecked},
		// checks that are weaker than what is asked
		{"weak:p", "", compliance.PartlyChecked},
		{"weak:f", "", compliance.Failing},
		{"weak:n", "", compliance.NotApplicable},
		{"weak:u", "", compliance.NotAssessed},
		{"weak:p p", "", compliance.PartlyChecked},
		{"weak:p u", "", compliance.PartlyChecked},
		// failures that somebody accepted
		{"x", "", compliance.Passing},
		{"xp", "", compliance.Passing},
		{"xf", "", compliance.Failing},
		{"xu", "", compliance.NotAssessed},
		{"x ?", "", compliance.PartlyChecked},
		{"x n", "", compliance.Passing},
		{"x+f", "", compliance.Failing}, // an exception of one check is none of another
		{"weak:x", "", compliance.PartlyChecked},
		// what people attest
		{"", whole, compliance.Passing},
		{"", manual, compliance.Passing},
		{"?", whole, compliance.Passing},
		{"?", manual, compliance.Passing},
		{"p ?", manual, compliance.Passing},
		{"p ?", whole, compliance.Passing},
		{"f ?", whole, compliance.Failing}, // never against a failure
		{"f", whole, compliance.Failing},
		{"u", whole, compliance.Passing},
		{"u", manual, compliance.NotAssessed},
		{"m", whole, compliance.Passing},
		{"p u ?", manual, compliance.PartlyChecked},
		{"p u ?", whole, compliance.Passing},
		{"n ?", manual, compliance.Passing},
		{"n", whole, compliance.NotApplicable},
		{"weak:p", manual, compliance.Passing},
		{"weak:p", whole, compliance.Passing},
		{"weak:f", whole, compliance.Failing},
		// what is judged by the framework's own value counts by that, and not by ours
		{"wanted:p", "", compliance.Passing},
		{"wanted:f", "", compliance.Failing},
		{"wanted:u p", "", compliance.PartlyChecked},
	} {
		results := map[model.CheckID]compliance.Seen{}
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
		attested := compliance.Attested{Whole: c.attested == whole, Manual: c.attested == manual}
		got := compliance.Judge(r, func(id model.CheckID) compliance.Seen { return results[id] }, attested)
		if got.State != c.want {
			t.Errorf("%q attested %q is %s, want %s", c.parts, c.attested, got.State, c.want)
		}
	}
}

func cut(word, prefix string) (string, bool) { return strings.CutPrefix(word, prefix) }

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []compliance.State
		want compliance.State
	}{
		{nil, compliance.NotApplicable},
		{[]compliance.State{compliance.Passing, compliance.NotApplicable}, compliance.Passing},
		{[]compliance.State{compliance.Passing, compliance.Failing}, compliance.Failing},
		{[]compliance.State{compliance.PartlyChecked, compliance.NotAssessed}, compliance.NotAssessed},
		{[]compliance.State{compliance.NoCheck, compliance.Passing}, compliance.NoCheck},
	} {
		if got := compliance.Worst(c.of...); got != c.want {
			t.Errorf("the worst of %v is %s, want %s", c.of, got, c.want)
		}
	}
}
