package score_test

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/score"
	"github.com/cloudarq/cloudarq/pkg/model"
)

const (
	c = model.Critical
	h = model.High
	m = model.Medium
	l = model.Low
)

func line(s model.Severity, pass, fail, blind int) score.Line {
	return score.Line{Severity: s, Counts: model.Counts{Pass: pass, Fail: fail, NotAssessed: blind, NotApplicable: 7}}
}

// grouped is a line of the group that the examples have.
func grouped(l score.Line) score.Line {
	l.Group = "a"
	return l
}

// times is n checks with equal counts.
func times(n int, of score.Line) []score.Line {
	var all []score.Line
	for range n {
		all = append(all, of)
	}
	return all
}

//go:embed testdata/estates.tsv
var estates string

// estate is the verdicts of a real audit of the sample estate.
func estate(t *testing.T, name string) []score.Line {
	t.Helper()
	var all []score.Line
	for row := range strings.Lines(estates) {
		rest, ok := strings.CutPrefix(row, name+"\t")
		if !ok {
			continue
		}
		var checks, pass, fail, blind int
		var severity string
		if _, err := fmt.Sscan(rest, &checks, &severity, &pass, &fail, &blind); err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		all = append(all, times(checks, line(model.Severity(severity), pass, fail, blind))...)
	}
	if len(all) == 0 {
		t.Fatalf("no audit %q in the table", name)
	}
	return all
}

// harmless adds resources that pass to each check that has several already.
func harmless(lines []score.Line, more int) []score.Line {
	all := slices.Clone(lines)
	for i := range all {
		if counts := &all[i].Counts; counts.Pass+counts.Fail > 1 {
			counts.Pass += more
		}
	}
	return all
}

type example struct {
	name  string
	lines []score.Line
	// value, worst, best and uncapped, the cap, and how many critical checks fail
	want string
}

func examples(t *testing.T) []example {
	t.Helper()
	passing := times(40, line(m, 3, 0, 0))
	with := func(lines ...score.Line) []score.Line { return slices.Concat(passing, lines) }
	return []example{
		{"nothing applies", nil, "0 0 0 0 100 0"},
		{"nothing assessed", []score.Line{line(h, 0, 0, 4)}, "0 0 100 0 100 0"},
		{"all pass", []score.Line{line(l, 3, 0, 0)}, "100 100 100 100 100 0"},
		{"all fail", []score.Line{line(h, 0, 2, 0)}, "0 0 0 0 100 0"},
		{"one of two fails", []score.Line{line(h, 1, 1, 0)}, "25 25 25 25 100 0"},
		{"one of a hundred fails", []score.Line{line(h, 99, 1, 0)}, "49.5 49.5 49.5 49.5 100 0"},
		{"one of a million fails: half is gone for good", []score.Line{line(h, 999_999, 1, 0)}, "49.9 49.9 49.9 49.9 100 0"},
		{"critical outweighs", []score.Line{line(c, 0, 1, 0), line(l, 25, 0, 0)}, "3.8 3.8 3.8 3.8 59 1"},
		{"resources do not outweigh: one check of each", []score.Line{line(h, 0, 1, 0), line(m, 10_000, 0, 0)}, "33.3 33.3 33.3 33.3 100 0"},
		{"bounds", []score.Line{line(m, 2, 1, 1)}, "33.3 25 37.5 33.3 100 0"},
		{"a check not assessed moves the bounds alone", with(line(h, 0, 0, 9)), "100 95.2 100 100 100 0"},
		{"a blind critical check caps the worst alone", with(line(c, 0, 0, 1)), "100 59 100 100 100 0"},
		{"never rounded up to 100", append(times(420, line(c, 1, 0, 0)), line(l, 99_999, 1, 0)), "99.9 99.9 99.9 99.9 100 0"},
		{"one open critical check", with(line(c, 50, 1, 0)), "59 59 59 94.3 59 1"},
		{"the same with a thousand failures", with(line(c, 50, 1000, 0)), "59 59 59 89.1 59 1"},
		{"two open critical checks", with(times(2, line(c, 50, 1, 0))...), "49 49 49 89.8 49 2"},
		{"three", with(times(3, line(c, 50, 1, 0))...), "39 39 39 86 39 3"},
		{"five", with(times(5, line(c, 50, 1, 0))...), "29 29 29 80.3 29 5"},
		{"ten", with(times(10, line(c, 50, 1, 0))...), "19 19 19 71.6 19 10"},
		{"GuardDuty off in 17 regions", with(line(h, 0, 17, 0)), "95.2 95.2 95.2 95.2 100 0"},
		{"GuardDuty off, and its protections with it", with(append(times(6, grouped(line(m, 0, 17, 0))), grouped(line(h, 0, 17, 0)))...), "95.2 95.2 95.2 95.2 100 0"},
		{"GuardDuty on, all its protections off", with(append(times(6, grouped(line(m, 0, 17, 0))), grouped(line(h, 17, 0, 0)))...), "97.6 97.6 97.6 97.6 100 0"},
		{"one open security group of twenty fails 28 checks", with(append(times(25, grouped(line(h, 19, 1, 0))), times(3, grouped(line(c, 19, 1, 0)))...)...), "59 59 59 94.1 59 1"},
		{"GuardDuty not read", with(line(h, 0, 0, 17)), "100 95.2 100 100 100 0"},

		// What version 1 made of these is in the names.
		{"333, iam, 35 failures (46)", estate(t, "333333333333, iam"), "39 39 39 44.7 39 3"},
		{"333, iam, and 1,030 harmless roles (99)", harmless(estate(t, "333333333333, iam"), 1030), "39 39 39 57 39 3"},
		{"111, all regions (72)", estate(t, "111111111111, all regions"), "19 19 19 43.6 19 15"},
		{"111, one region: 16 empty ones less (61)", estate(t, "111111111111, eu-west-1"), "19 19 19 45.6 19 12"},
		{"111, severity critical, 25 failures of 135 (81)", estate(t, "111111111111, severity critical"), "19 19 19 48.7 19 15"},
		{"111 through a blind role (74)", estate(t, "333333333333, blind role"), "19 19 19 45.9 19 11"},
		{"222, well kept (99)", estate(t, "222222222222, all regions"), "98.8 98.8 98.8 98.8 100 0"},
		{"146 critical of 17,416 failures (82)", slices.Concat(times(12, line(c, 900, 12, 0)), times(1, line(c, 900, 2, 0)), times(226, line(m, 380, 76, 0)), times(1, line(m, 380, 94, 0))), "19 19 19 43.3 19 13"},
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, e := range examples(t) {
		s := score.Of(e.lines...)
		if got := fmt.Sprint(s.Value, s.Worst, s.Best, s.Uncapped, s.Cap, s.Critical); got != e.want {
			t.Errorf("%s: %s, want %s", e.name, got, e.want)
		}
	}
}

// lines draws checks with their verdicts.
func lines(t *rapid.T) []score.Line {
	count := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 3), rapid.IntRange(0, 100_000))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) score.Line {
		l := line(rapid.SampledFrom(model.Severities()).Draw(t, "severity"), count.Draw(t, "pass"), count.Draw(t, "fail"), count.Draw(t, "blind"))
		l.Group = rapid.SampledFrom([]model.CheckID{"", "", "", "a", "b"}).Draw(t, "group")
		return l
	}), 1, 30).Draw(t, "lines")
}

// changed is the score with one line's counts changed.
func changed(all []score.Line, at int, change func(*model.Counts)) model.Score {
	all = slices.Clone(all)
	change(&all[at].Counts)
	return score.Of(all...)
}

func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := lines(t)
		at := rapid.IntRange(0, len(all)-1).Draw(t, "at")
		more := rapid.IntRange(1, 2000).Draw(t, "more")
		s, counts := score.Of(all...), all[at].Counts
		weight := all[at].Severity.Weight()

		// The bounds hold the value, and all is in range.
		if s.Assessed > 0 && (s.Worst > s.Value || s.Value > s.Best) || s.Value > s.Uncapped || s.Value > float64(s.Cap) {
			t.Fatalf("bounds do not hold the value: %+v", s)
		}
		if s.Worst < 0 || s.Best > 100 || s.Coverage < 0 || s.Coverage > 1 {
			t.Fatalf("out of range: %+v", s)
		}
		// The order makes no difference.
		if d := cmp.Diff(s, score.Of(rapid.Permutation(all).Draw(t, "order")...)); d != "" {
			t.Fatalf("in another order:\n%s", d)
		}
		// What does not apply makes none.
		if d := cmp.Diff(s, changed(all, at, func(c *model.Counts) { c.NotApplicable += more })); d != "" {
			t.Fatalf("with more that does not apply:\n%s", d)
		}
		// A new failure never raises, of a resource that is there or of a new one.
		if n := changed(all, at, func(c *model.Counts) { c.Fail++ }); n.Value > s.Value || n.Worst > s.Worst || n.Best > s.Best {
			t.Fatalf("a new failure: %+v, before %+v", n, s)
		}
		if counts.Pass > 0 {
			if n := changed(all, at, func(c *model.Counts) { c.Pass--; c.Fail++ }); n.Value > s.Value || n.Worst > s.Worst || n.Best > s.Best {
				t.Fatalf("a pass that fails now: %+v, before %+v", n, s)
			}
		}
		// Mending never lowers, by a setting or by taking the resource away.
		if counts.Fail > 0 {
			if n := changed(all, at, func(c *model.Counts) { c.Fail--; c.Pass++ }); n.Value < s.Value || n.Worst < s.Worst || n.Best < s.Best {
				t.Fatalf("a failure mended: %+v, before %+v", n, s)
			}
			if n := changed(all, at, func(c *model.Counts) { c.Fail-- }); n.Value < s.Value && n.Assessed > 0 || (n.Worst < s.Worst || n.Best < s.Best) && n.Applicable > 0 {
				t.Fatalf("a failing resource deleted: %+v, before %+v", n, s)
			}
		}
		// More resources that pass change nothing where all pass, nor at a cap, and
		// elsewhere never give back more than the other half of the check's weight.
		n := changed(all, at, func(c *model.Counts) { c.Pass += more })
		switch {
		case counts.Fail == 0 && counts.Pass > 0 && n.Value != s.Value:
			t.Fatalf("more that passes, where all did: %+v, before %+v", n, s)
		case counts.Pass+counts.Fail > 0 && s.Uncapped >= float64(s.Cap) && n.Value != s.Value:
			t.Fatalf("more that passes, at a cap: %+v, before %+v", n, s)
		case counts.Pass+counts.Fail > 0:
			assessed, groups := 0, map[model.CheckID]int{}
			for _, l := range all {
				switch weight := l.Severity.Weight(); {
				case l.Counts.Pass+l.Counts.Fail == 0:
				case l.Group == "":
					assessed += weight
				case groups[l.Group] < weight:
					assessed += weight - groups[l.Group]
					groups[l.Group] = weight
				}
			}
			if most := 50 * float64(weight) / float64(assessed); n.Uncapped > s.Uncapped+most+0.1+1e-9 {
				t.Fatalf("more that passes gave back more than %v: %+v, before %+v", most, n, s)
			}
		}
		// Seeing less promises nothing more, and excludes nothing more.
		if counts.Fail > 0 {
			if n := changed(all, at, func(c *model.Counts) { c.Fail--; c.NotAssessed++ }); n.Worst > s.Worst || n.Best < s.Best || n.Coverage >= s.Coverage {
				t.Fatalf("a failure out of sight: %+v, before %+v", n, s)
			}
		}
		if counts.Pass > 0 {
			if n := changed(all, at, func(c *model.Counts) { c.Pass--; c.NotAssessed++ }); n.Worst > s.Worst || n.Best < s.Best || n.Coverage >= s.Coverage {
				t.Fatalf("a pass out of sight: %+v, before %+v", n, s)
			}
		}
	})
}

// TestCaps holds the documentation to the table, and the table to what makes
// failing more never better.
func TestCaps(t *testing.T) {
	t.Parallel()
	want := "| checks of severity critical that fail | the score is at most |\n|---|---|\n"
	caps := score.Caps()
	for i, row := range caps {
		from := fmt.Sprint(row.Critical)
		switch {
		case i > 0 && (row.Critical <= caps[i-1].Critical || row.Most >= caps[i-1].Most):
			t.Errorf("row %d, %+v, does not follow %+v", i, row, caps[i-1])
		case i == len(caps)-1:
			from += " or more"
		case caps[i+1].Critical > row.Critical+1:
			from += fmt.Sprintf(" to %d", caps[i+1].Critical-1)
		}
		want += fmt.Sprintf("| %s | %d |\n", from, row.Most)
	}
	if text := documentation(t); !strings.Contains(text, want) {
		t.Errorf("docs/score.md lacks this table:\n%s", want)
	}
}

// TestExamplesAreDocumented holds the documentation to the examples.
func TestExamplesAreDocumented(t *testing.T) {
	t.Parallel()
	text := documentation(t)
	for _, e := range examples(t) {
		s := score.Of(e.lines...)
		if row := fmt.Sprintf("| %s | %v | %v to %v | %v |\n", e.name, s.Value, s.Worst, s.Best, s.Uncapped); !strings.Contains(text, row) {
			t.Errorf("docs/score.md lacks:\n%s", row)
		}
	}
}

// documentation is docs/score.md, wherever in the module this package lies.
func documentation(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this package")
		}
		dir = filepath.Dir(dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, "docs", "score.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
