package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

type row struct{ id, severity, account, note, resource, why string }

var rowColumns = []report.Column[row]{
	{Name: "id", Value: func(r row) string { return r.id }},
	{Name: "severity", Value: func(r row) string { return r.severity }},
	{Name: "account", Value: func(r row) string { return r.account }, Fit: report.Place},
	{Name: "why", Value: func(r row) string { return r.why }, Fit: report.Prose},
	{Name: "note", Value: func(r row) string { return r.note }, Fit: report.Spare},
	{Name: "resource", Ref: func(r row) model.Ref { return model.Ref{ARN: r.resource, Account: r.account} }},
}

func table(t interface{ Fatal(...any) }, width int, rows ...row) (string, report.Shown) {
	var out bytes.Buffer
	list := report.List[row]{Columns: rowColumns}
	shown, err := list.Write(&out, report.Table, report.Style{Width: width}, report.Rows(rows))
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), shown
}

// What gives way as a terminal gets narrower: the width of prose, what all rows have the
// same, what is spare, and then that a row is one line.
func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	rows := []row{
		{"01KQ3", "high", "111122223333", "seen", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "tcp port 22 is open to 0.0.0.0/0"},
		{"01KQ4", "low", "111122223333", "new", "arn:aws:s3:::logs", "versioning is off, and so nobody gets back what was deleted"},
	}
	for width, want := range map[int]string{
		120: `
ID     SEVERITY  ACCOUNT       NOTE  RESOURCE      WHY
01KQ3  high      111122223333  seen  instance/i-1  tcp port 22 is open to 0.0.0.0/0
01KQ4  low       111122223333  new   logs          versioning is off, and so nobody gets back what was deleted
`,
		80: `
ACCOUNT 111122223333
ID     SEVERITY  NOTE  RESOURCE      WHY
01KQ3  high      seen  instance/i-1  tcp port 22 is open to 0.0.0.0/0
01KQ4  low       new   logs          versioning is off, and so nobody gets back
                                     what was deleted
`,
		66: `
ACCOUNT 111122223333
ID     SEVERITY  RESOURCE      WHY
01KQ3  high      instance/i-1  tcp port 22 is open to 0.0.0.0/0
01KQ4  low       logs          versioning is off, and so nobody
                               gets back what was deleted
`,
		40: `
ACCOUNT 111122223333
ID     SEVERITY  NOTE  RESOURCE
  WHY
01KQ3  high      seen  instance/i-1
  tcp port 22 is open to 0.0.0.0/0
01KQ4  low       new   logs
  versioning is off, and so nobody gets
  back what was deleted
`,
		0: `
ID	SEVERITY	ACCOUNT	WHY	NOTE	RESOURCE
01KQ3	high	111122223333	tcp port 22 is open to 0.0.0.0/0	seen	arn:aws:ec2:eu-west-1:111122223333:instance/i-1
01KQ4	low	111122223333	versioning is off, and so nobody gets back what was deleted	new	arn:aws:s3:::logs
`,
	} {
		got, shown := table(t, width, rows...)
		if got != strings.TrimLeft(want, "\n") {
			t.Errorf("%d columns:\n%swant%s", width, got, want)
		}
		if spare := width == 66; spare != slices.Equal(shown.Spare, []string{"note"}) {
			t.Errorf("%d columns: left out %q", width, shown.Spare)
		}
	}
}

// One value that is much wider than the others costs its own row a line, and not all rows
// their form.
func TestOneWideValue(t *testing.T) {
	t.Parallel()
	rows := make([]row, 40)
	for i := range rows {
		rows[i] = row{id: "id", severity: "low", account: fmt.Sprint(i), resource: fmt.Sprintf("arn:aws:s3:::logs-%d", i), why: "it is off"}
	}
	rows[7].id = strings.Repeat("i", 50)
	got, _ := table(t, 70, rows...)
	if lines := strings.Split(got, "\n"); len(lines) != 43 || lines[8] != rows[7].id || !strings.HasPrefix(lines[9], "    low") {
		t.Errorf("got\n%s", got)
	}
}

// Resources that have the same short name are told apart.
func TestShortNamesAreOfOneResource(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"", "a", "b", "sqs:a", "a/b"})
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			account := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "account")
			arn := "arn:aws:" + rapid.SampledFrom([]string{"sns", "sqs"}).Draw(t, "service") + ":r:" + account + ":" + part.Draw(t, "name")
			return row{account: account, resource: arn}
		}), 1, 8).Draw(t, "rows")
		for _, named := range [][]string{nil, {"resource"}} {
			var out bytes.Buffer
			list := report.List[row]{Columns: rowColumns, View: report.View{Columns: named}}
			if _, err := list.Write(&out, report.Table, report.Style{Width: 250}, report.Rows(rows)); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(out.String(), "\n")[1:]
			whose := map[string]string{}
			for i, r := range rows {
				if other, taken := whose[lines[i]]; taken && other != r.resource {
					t.Fatalf("%s and %s are both shown as %q", r.resource, other, lines[i])
				}
				whose[lines[i]] = r.resource
			}
		}
	})
}

// text is what accounts may hold: with what steers terminals, turns text round, is twice
// as wide or has no width, and as long as it gets.
func hostileText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		runes := rapid.SampledFrom([]rune("ab01-_/:., =漢字é\u0301\u0300🔥👩\u200d\x1b[m;\u202e\x00\x7f\u009b\t\n\r"))
		value := rapid.StringOfN(runes, 0, 60, -1).Draw(t, "text")
		return strings.Repeat(value, rapid.SampledFrom([]int{1, 1, 1, 1, 7}).Draw(t, "times"))
	})
}

// Whatever the cells hold and however wide the terminal is: no line is wider, nothing is
// lost but what is said to be, and an identifier that has room in a line is in one piece.
func TestTableLosesNothing(t *testing.T) {
	t.Parallel()
	visible := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }), "")
	}
	rapid.Check(t, func(t *rapid.T) {
		cell := hostileText()
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{cell.Draw(t, "id"), cell.Draw(t, "severity"), rapid.SampledFrom([]string{"1", "2"}).Draw(t, "account"), cell.Draw(t, "note"), "arn:aws:s3:::" + cell.Draw(t, "resource"), cell.Draw(t, "why")}
		}), 1, 6).Draw(t, "rows")
		width := rapid.IntRange(40, 250).Draw(t, "width")
		got, shown := table(t, width, rows...)
		for line := range strings.Lines(got) {
			if w := text.StringWidth(strings.TrimRight(line, "\n")); w > width {
				t.Fatalf("%d wide on a terminal of %d: %q", w, width, line)
			}
			if strings.ContainsFunc(strings.TrimRight(line, "\n"), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Fatalf("%q steers the terminal", line)
			}
		}
		spare := slices.Contains(shown.Spare, "note")
		have := map[rune]int{}
		for _, r := range visible(got) {
			have[r]++
		}
		for _, r := range rows {
			whole := []string{r.id, r.severity}
			if !spare {
				whole = append(whole, r.note)
			}
			for _, value := range whole {
				if plain := report.Plain(value); !strings.ContainsAny(value, "\n\r\t") && text.StringWidth(plain) <= width-2 && strings.TrimSpace(plain) == plain && !strings.Contains(plain, "  ") && !strings.Contains(got, plain) {
					t.Fatalf("%q is in pieces on a terminal of %d:\n%s", plain, width, got)
				}
			}
			for _, value := range append(whole, r.why, strings.TrimPrefix(r.resource, "arn:aws:s3:::")) {
				for _, r := range visible(value) {
					have[r]--
				}
			}
		}
		for r, n := range have {
			if n < 0 {
				t.Fatalf("%d of %q are lost on a terminal of %d:\n%s", -n, r, width, got)
			}
		}
	})
}

// A value of half a million characters without a space is broken into lines in one go;
// cutting each line off the rest took a minute.
func TestTableOfLongValues(t *testing.T) {
	t.Parallel()
	v := verdict()
	v.Reason = strings.Repeat("é", 450_000)
	start := time.Now()
	var out bytes.Buffer
	if err := report.Write(&out, report.Table, report.Style{Width: 120}, []shape.Verdict{v}, report.VerdictColumns()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "é"); n != 450_000 {
		t.Errorf("%d of 450000 characters are left", n)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestUnescaped: what a list shows as JSON is read as what it was.
func TestUnescaped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOf(rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\\u\u200b\u0085\x7f\x1b\"<9fe\U000e0001"))))).Draw(t, "texts")
		was, err := json.Marshal(texts)
		if err != nil {
			t.Fatal(err)
		}
		var shown bytes.Buffer
		if err := report.Write(&shown, report.NDJSON, report.Style{}, []json.RawMessage{was}, nil); err != nil {
			t.Fatal(err)
		}
		if got := report.Unescaped(bytes.TrimSpace(shown.Bytes())); !bytes.Equal(got, was) {
			t.Errorf("%q is read as %q, shown as %q", was, got, shown.String())
		}
	})
}

// BenchmarkTable is a list of 20,000 rows for a terminal of 120 columns.
func BenchmarkTable(b *testing.B) {
	rows := make([]row, 20_000)
	for i := range rows {
		rows[i] = row{fmt.Sprintf("%010x", i), "medium", fmt.Sprintf("%012d", i%300), "", fmt.Sprintf("arn:aws:ec2:eu-west-1:%012d:security-group/sg-%017x", i%300, i), "tcp port 22 is open to 0.0.0.0/0"}
	}
	for b.Loop() {
		table(b, 120, rows...)
	}
}
