package evidence_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// TestEvidenceIsBounded: an account with long policies, or with many, does not
// make a verdict that cannot be kept.
func TestEvidenceIsBounded(t *testing.T) {
	t.Parallel()
	policy := func(size int) fact.Of[string] { return fact.Known(strings.Repeat(`"<\`, size/3)) }
	several := func(n, size int) []check.Exhibit {
		var all []check.Exhibit
		for i := range n {
			all = append(all, check.Exhibit{Resource: fmt.Sprint("arn:aws:iam::1:policy/", i), Fact: "detail", Content: policy(size)})
		}
		return all
	}
	for name, c := range map[string]struct {
		exhibits []check.Exhibit
		kept     int
		last     string
	}{
		"few":        {several(3, 30), 3, ""},
		"many":       {several(900, 30), check.MaxExhibits, `{"more":"and 881 more"}`},
		"just all":   {several(check.MaxExhibits, 30), check.MaxExhibits, ""},
		"long":       {several(1, 1_000_000), 1, ""},
		"many, long": {several(20, 9_000), 5, `{"more":"and 16 more"}`},
	} {
		v, err := evidence.Apart("house-clean", check.Passed(""), c.exhibits)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, x := range v.Others {
			if total += len(x.Content); len(x.Content) > check.MaxContent || !json.Valid(x.Content) {
				t.Errorf("%s: an exhibit of %d bytes: %.100s", name, len(x.Content), x.Content)
			}
		}
		if total > check.MaxEvidence || len(v.Others) != c.kept {
			t.Errorf("%s: %d exhibits of %d bytes, want %d", name, len(v.Others), total, c.kept)
		}
		if last := string(v.Others[len(v.Others)-1].Content); c.last != "" && last != c.last {
			t.Errorf("%s: ends with %.200s", name, last)
		}
		again, err := evidence.Entry{}.Exhibits(v)
		if err != nil || len(again) != len(v.Others) {
			t.Errorf("%s: read again: %d exhibits, %v", name, len(again), err)
		}
	}
	// Facts of the judged resource stand in its line, whole; in a finding they are
	// an excerpt.
	line := evidence.Entry{Resource: json.RawMessage(`{"policy":{"value":"` + strings.Repeat("x", 50_000) + `"}}`)}
	own, err := line.Exhibits(evidence.Verdict{Read: []string{"policy"}})
	if err != nil || len(own) != 1 || len(own[0].Content) > check.MaxContent || !strings.HasPrefix(string(own[0].Content), `{"cut":"{\"value\":\"xxx`) {
		t.Errorf("%d exhibits, %v: %.200s", len(own), err, own[0].Content)
	}
}
