package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/results/report"
)

type row struct{ name, arn, why string }

var rowColumns = []report.Column[row]{
	{Name: "name", Value: func(r row) string { return r.name }},
	{Name: "arn", Value: func(r row) string { return r.arn }},
	{Name: "why", Value: func(r row) string { return r.why }},
}

func table(t interface{ Fatal(...any) }, width int, rows ...row) string {
	var out bytes.Buffer
	if err := report.Write(&out, report.Table, report.Style{Width: width}, rows, rowColumns); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// On a terminal what is too long goes on in the next line, where a word or a
// part of a name ends.
func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	got := table(t, 60, row{"ec2-instance-no-admin-port-on-internet", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "tcp port 22 is open to everybody"})
	want := strings.TrimLeft(`
 NAME                ARN                 WHY
 ec2-instance-no-    arn:aws:ec2:eu-     tcp port 22 is
 admin-port-on-      west-1:             open to everybody
 internet            111122223333:
                     instance/i-1
`, "\n")
	var trimmed []string
	for line := range strings.Lines(got) {
		trimmed = append(trimmed, strings.TrimRight(line, " \n")+"\n")
	}
	if strings.Join(trimmed, "") != want {
		t.Errorf("got\n%swant\n%s", strings.Join(trimmed, ""), want)
	}
	if wide := table(t, 0, row{"a", "b", strings.Repeat("long ", 100)}); strings.Count(wide, "\n") != 2 {
		t.Errorf("a table that is written to a file was broken:\n%s", wide)
	}
}

// Whatever the cells hold, no line is wider than the terminal and nothing is
// lost.
func TestTableLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[a-zé漢/:., -]{0,60}`)
		r := row{cell.Draw(t, "name"), cell.Draw(t, "arn"), cell.Draw(t, "why")}
		width := rapid.IntRange(45, 140).Draw(t, "width")
		got := table(t, width, r)
		for line := range strings.Lines(got) {
			if w := text.StringWidth(strings.TrimRight(line, "\n")); w > width {
				t.Fatalf("%d wide on a terminal of %d: %q", w, width, line)
			}
		}
		count := func(s string) (n int) {
			for _, c := range s {
				if c != ' ' && c != '\n' {
					n++
				}
			}
			return n
		}
		if have, want := count(got), count("NAMEARNWHY"+r.name+r.arn+r.why); have != want {
			t.Fatalf("%d characters of %d are left:\n%s", have, want, got)
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
	if err := report.Write(&out, report.Table, report.Style{Width: 120}, []report.Verdict{v}, report.VerdictColumns()); err != nil {
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
