package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

// door is a row with what lists are asked for.
type door struct {
	ID       string         `json:"id"`
	Severity model.Severity `json:"severity"`
	Opened   int            `json:"opened"`
	Keys     []string       `json:"keys"`
	Note     string         `json:"note,omitempty"`
}

var doorColumns = []report.Column[door]{
	{Name: "id", Value: func(d door) string { return d.ID }},
	{Name: "severity", Value: func(d door) string { return string(d.Severity) }, Compare: report.BySeverity(func(d door) model.Severity { return d.Severity })},
	{Name: "opened", Value: func(d door) string { return fmt.Sprint(d.Opened) }, Wide: true},
	{Name: "often", Value: func(d door) string { return fmt.Sprint(d.Opened > 10) }, Wide: true},
}

func asked(t interface{ Fatal(...any) }, format report.Format, view report.View, rows ...door) (string, report.Shown) {
	var out bytes.Buffer
	shown, err := report.List[door]{Columns: doorColumns, View: view}.Write(&out, format, report.Style{}, report.Rows(rows))
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), shown
}

// What is asked of a list is the same in every format.
func TestListsAsAsked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) door {
			return door{
				ID:       rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "id"),
				Severity: rapid.SampledFrom(model.Severities()).Draw(t, "severity"),
				Opened:   rapid.IntRange(0, 200).Draw(t, "opened"),
			}
		}), 0, 12).Draw(t, "rows")
		view := report.View{
			Limit: rapid.IntRange(0, 14).Draw(t, "limit"),
			Sort:  rapid.SliceOfN(rapid.SampledFrom([]string{"id", "-id", "severity", "-severity", "opened", "-opened"}), 0, 3).Draw(t, "sort"),
		}
		want := slices.Clone(rows)
		slices.SortStableFunc(want, func(a, b door) int {
			for _, by := range view.Sort {
				name, down := strings.CutPrefix(by, "-")
				d := map[string]int{"id": strings.Compare(a.ID, b.ID), "severity": a.Severity.Weight() - b.Severity.Weight(), "opened": a.Opened - b.Opened}[name]
				if down {
					d = -d
				}
				if d != 0 {
					return d
				}
			}
			return 0
		})
		if view.Limit > 0 {
			want = want[:min(view.Limit, len(want))]
		}
		for _, format := range report.Formats() {
			var got []string
			out, shown := asked(t, format, view, rows...)
			switch format {
			case report.JSON, report.NDJSON:
				if format == report.NDJSON {
					out = "[" + strings.Join(strings.Fields(out), ",") + "]"
				}
				var all []door
				if err := json.Unmarshal([]byte(out), &all); err != nil {
					t.Fatal(err)
				}
				for _, d := range all {
					got = append(got, fmt.Sprint(d.ID, d.Severity))
				}
			case report.CSV, report.Table:
				r := csv.NewReader(strings.NewReader(out))
				if format == report.Table {
					r.Comma = '\t'
				}
				all, err := r.ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for _, record := range all[1:] {
					got = append(got, record[0]+record[1])
				}
			}
			for i, d := range want {
				if len(got) != len(want) || got[i] != fmt.Sprint(d.ID, d.Severity) {
					t.Fatalf("%s: %q, want %+v", format, got, want)
				}
			}
			if shown.Rows != len(want) || shown.Total != len(rows) {
				t.Fatalf("%s: %d of %d are shown, it says %+v", format, len(want), len(rows), shown)
			}
		}
	})
}

// Values are in the order that people have them in, and that is one.
func TestNaturalOrder(t *testing.T) {
	t.Parallel()
	column := []report.Column[string]{{Name: "v", Value: func(v string) string { return v }}}
	sorted := func(t interface{ Fatal(...any) }, values []string) []string {
		var out bytes.Buffer
		list := report.List[string]{Columns: column, View: report.View{Sort: []string{"v"}}}
		if _, err := list.Write(&out, report.NDJSON, report.Style{}, report.Rows(values)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			var v string
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		return got
	}
	want := []string{"", "-3", "2", "9.25", "9.5", "100", "9 days", "30 days", "a2", "a10", "a10b", "b"}
	if got := sorted(t, append(slices.Clone(want[6:]), want[:6]...)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[ab019. -]{0,5}`), 0, 9).Draw(t, "values")
		turned := slices.Clone(values)
		slices.Reverse(turned)
		if one, other := sorted(t, values), sorted(t, turned); !slices.Equal(one, other) && !slices.Equal(numbers(one), numbers(other)) {
			t.Fatalf("%q and %q", one, other)
		}
	})
}

// numbers are values without what a number may be written with, and still be equal.
func numbers(values []string) []string {
	var all []string
	for _, v := range values {
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			v = fmt.Sprint(n + 0)
		}
		all = append(all, v)
	}
	return all
}

func TestColumnsAsAsked(t *testing.T) {
	t.Parallel()
	d := door{ID: "a", Severity: model.Low, Opened: 12, Keys: []string{"k"}}
	for _, c := range []struct {
		format  report.Format
		columns string
		want    string
	}{
		{report.Table, "", "ID\tSEVERITY\na\tlow\n"},
		{report.Table, "opened,id", "OPENED\tID\n12\ta\n"},
		{report.Table, "+opened", "ID\tSEVERITY\tOPENED\na\tlow\t12\n"},
		{report.Table, "+id", "ID\tSEVERITY\na\tlow\n"},
		{report.CSV, "", "id,severity,opened,often\na,low,12,true\n"},
		{report.CSV, "opened", "opened\n12\n"},
		{report.NDJSON, "", `{"id":"a","severity":"low","opened":12,"keys":["k"]}` + "\n"},
		{report.NDJSON, "keys,opened", `{"keys":["k"],"opened":12}` + "\n"},
		{report.NDJSON, "id,+opened,id", `{"id":"a","opened":12}` + "\n"},
		{report.NDJSON, "+opened", `{"id":"a","severity":"low","opened":12,"keys":["k"]}` + "\n"},
		{report.NDJSON, "often,note", `{"often":"true","note":null}` + "\n"}, // what is no member is in words
	} {
		view := report.View{Columns: strings.FieldsFunc(c.columns, func(r rune) bool { return r == ',' })}
		if got, _ := asked(t, c.format, view, d); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.format, c.columns, got, c.want)
		}
	}
}

func TestCheckView(t *testing.T) {
	t.Parallel()
	names, fields := report.Names(doorColumns), report.Fields[door]()
	var unknown *check.UnknownError
	for _, c := range []struct {
		view    report.View
		nearest string // "-" if nothing is wrong
	}{
		{report.View{Columns: []string{"id", "+opened"}, Sort: []string{"-severity"}}, "-"},
		{report.View{Columns: []string{"keys"}}, "-"},
		{report.View{Columns: []string{"sevrity"}}, "severity"},
		{report.View{Sort: []string{"-openend"}}, "opened"},
		{report.View{Sort: []string{"keys"}}, ""}, // which is no column
	} {
		err := c.view.Check(names, names, fields)
		if errors.As(err, &unknown) != (c.nearest != "-") || err != nil && unknown.Nearest != c.nearest {
			t.Errorf("%+v: %v", c.view, err)
		}
	}
	if err := (report.View{Limit: -1}).Check(names, names, nil); err == nil {
		t.Error("less than no rows are asked for")
	}
}

// Rows that come as they are asked for are taken as they come.
func TestGivenLists(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	list := report.List[door]{Columns: doorColumns, View: report.View{Sort: []string{"id"}, Limit: 2}, Given: true, Total: 17_416}
	shown, err := list.Write(&out, report.CSV, report.Style{}, report.Rows([]door{{ID: "b"}, {ID: "a"}}))
	if err != nil || !strings.Contains(out.String(), "b,,0,false\na,,0,false\n") {
		t.Errorf("%v: %s", err, out.String())
	}
	if text := shown.Text("finding"); text != "2 of 17,416 findings; --limit 0 shows all" {
		t.Error(text)
	}
	shown.Spare = []string{"opened", "often"}
	shown.Rows = shown.Total
	if text := shown.Text("finding"); text != "17,416 findings; no room for opened, often: --columns +opened shows that, too" {
		t.Error(text)
	}
	broken := errors.New("broken")
	_, err = list.Write(&out, report.CSV, report.Style{}, func(yield func(door, error) bool) { yield(door{}, broken) })
	if !errors.Is(err, broken) {
		t.Errorf("what breaks the rows is said as %v", err)
	}
}

func TestByService(t *testing.T) {
	t.Parallel()
	a := audit()
	a.Summary.Services = map[string]model.Score{"s3": {Version: model.ScoreVersion, Value: 40, Worst: 40, Best: 40, Assessed: 1}}
	a.Summary.Tally = model.Tally{
		"s3-open":    {Pass: 1200, Fail: 3, Folded: 1},
		"s3-logs":    {Fail: 2, NotAssessed: 4},
		"iam-root":   {Fail: 1},
		"kms-none":   {NotApplicable: 5}, // of which nothing is there
		"sqs-no-one": {Pass: 1},          // a check of another version
	}
	known := map[model.CheckID]check.Check{
		"s3-open": {Rule: check.Rule{ID: "s3-open", Severity: model.High}, Service: "s3"}, "s3-logs": {Rule: check.Rule{ID: "s3-logs", Severity: model.Low}, Service: "s3"},
		"iam-root": {Rule: check.Rule{ID: "iam-root", Severity: model.Critical}, Service: "iam"}, "kms-none": {Rule: check.Rule{ID: "kms-none", Severity: model.High}, Service: "kms"},
	}
	var out bytes.Buffer
	err := report.ByService(&out, report.Style{Width: 100}, a, func(id model.CheckID) (check.Check, bool) { c, ok := known[id]; return c, ok })
	want := `
By service
SERVICE  SCORE  CRITICAL  HIGH  MEDIUM  LOW  PASSED  NOT ASSESSED
iam      none   1         0     0       0    0       0
s3       40     0         2     0       2    1,200   4
sqs      none   0         0     0       0    1       0
`
	if err != nil || out.String() != want {
		t.Errorf("%v: got%swant%s", err, out.String(), want)
	}
}

func TestVerdictsInWords(t *testing.T) {
	t.Parallel()
	a := audit()
	a.Summary.Counts = model.Counts{Pass: 1234, Fail: 12, Folded: 3, NotAssessed: 1, NotApplicable: 7}
	var out bytes.Buffer
	if err := report.Summary(&out, report.Style{}, a, nil); err != nil {
		t.Fatal(err)
	}
	if want := "Verdicts  1,234 passed, 12 failed (3 of them follow from others), 1 not assessed, 7 not applicable\n"; !strings.Contains(out.String(), want) {
		t.Errorf("the summary lacks %q:\n%s", want, out.String())
	}
}
