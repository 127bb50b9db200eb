// Package report writes what CloudArq knows: as tables for people, as JSON and
// CSV for programs, as one HTML file to pass on.
package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// Format is a form of output.
type Format string

// The forms of every list.
const (
	Table  Format = "table"
	JSON   Format = "json"   // one array
	NDJSON Format = "ndjson" // one object a line, written as it comes
	CSV    Format = "csv"    // with a header; cells that a spreadsheet would run are escaped
)

// Formats lists all of them.
func Formats() []Format { return []Format{Table, JSON, NDJSON, CSV} }

// ParseFormat accepts the names of Formats.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown output format %q: want table, json, ndjson or csv", name)
}

// Column is one column of a list.
type Column[T any] struct {
	Name string
	// Value is what a row has there; without it, it is Ref in full.
	Value func(T) string
	// Fit is what a table does with the column where there is little room.
	Fit Fit
	// Wide columns are in tables only if somebody names them; CSV has them.
	Wide bool
	// Compare orders rows by the column, the least first. Without it they are ordered by
	// Value, as people order it: 9 before 30.
	Compare func(a, b T) int
	// Ref is the resource that the column names. Tables on a terminal name it in short.
	Ref func(T) model.Ref
	// Short is what tables on a terminal have in the place of Value.
	Short func(T) string
}

func (c Column[T]) text(row T) string {
	if c.Value == nil {
		return c.Ref(row).String()
	}
	return c.Value(row)
}

// Style says how tables look.
type Style struct {
	Color bool
	Width int // of the terminal; 0 if it is none
}

// inner is what would begin a cell with a formula where ";" ends one. Quotes do not
// help there: they are not the first thing in the cell.
var inner = regexp.MustCompile(`;([\s"\x{a0}]*[=+@＝＋－＠-])`)

// cell keeps a spreadsheet from running what an AWS account holds as a formula, also
// behind white space and where ";" ends a cell, and a terminal from being steered by it.
// https://owasp.org/www-community/attacks/CSV_Injection
func cell(value string) string {
	value = strings.ReplaceAll(strings.ToValidUTF8(value, "\ufffd"), "\r\n", "\n")
	value = Plain(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(value))
	value = inner.ReplaceAllString(value, ";'$1")
	if begin := strings.TrimLeftFunc(value, unicode.IsSpace); begin != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(begin[:min(len(begin), utf8.UTFMax)])[0]) {
		value = "'" + value
	}
	if strings.ContainsAny(value, `,;"`) || strings.HasPrefix(value, " ") {
		value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
	}
	return value
}

// Plain keeps what an AWS account holds from steering the terminal: control
// characters are dropped.
func Plain(value string) string {
	return strings.Map(func(r rune) rune {
		if shape.Steers(r) {
			return -1
		}
		return r
	}, value)
}

// PlainLines is Plain of a text of several lines, which stay lines.
func PlainLines(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && shape.Steers(r) {
			return -1
		}
		return r
	}, text)
}

// Unescaped is JSON that Go's encoder wrote, of the same that a list shows: without the
// escapes of what steers a terminal, which that encoder leaves as it is from U+007F on. So
// what was hashed has its hash again.
func Unescaped(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u`)) {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			i++
			continue
		}
		r, n := unit(data[i:])
		if utf16.IsSurrogate(r) {
			low, more := unit(data[i+n:])
			r, n = utf16.DecodeRune(r, low), n+more
		}
		if n > 0 && r >= 0x7f && r != utf8.RuneError && shape.Steers(r) {
			out = utf8.AppendRune(out, r)
			i += n
			continue
		}
		out = append(out, data[i], data[i+1]) // and what follows them as it is
		i += 2
	}
	return out
}

// unit is what an escape of JSON's, \uXXXX, stands for, and how long it is: 0 if none
// begins data.
func unit(data []byte) (r rune, n int) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, 0
	}
	v, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return 0, 0
	}
	return rune(v), 6
}

// plainWriter is Plain for what is written in pieces; lines stay lines.
type plainWriter struct {
	w    io.Writer
	rest []byte // of a character whose end has not come yet
}

// Write implements io.Writer.
func (p *plainWriter) Write(data []byte) (int, error) {
	left := append(p.rest, data...)
	out := make([]byte, 0, len(left))
	for len(left) > 0 && utf8.FullRune(left) {
		r, size := utf8.DecodeRune(left)
		if r == '\n' || !shape.Steers(r) {
			out = utf8.AppendRune(out, r)
		}
		left = left[size:]
	}
	p.rest = append([]byte(nil), left...)
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(data), nil
}

// colors are the words that stand out in a table.
var colors = map[string]text.Colors{
	"critical": {text.FgHiRed, text.Bold}, "high": {text.FgRed}, "medium": {text.FgYellow}, "low": {text.FgBlue},
	"FAIL": {text.FgRed}, "PASS": {text.FgGreen}, "NOT_ASSESSED": {text.FgMagenta}, "NOT_APPLICABLE": {text.Faint},
	"open": {text.FgRed}, "reopened": {text.FgHiRed}, "resolved": {text.FgGreen},
	"new": {text.FgRed}, "newly_blind": {text.FgMagenta},
}

func paint(style Style, value string) string {
	if c, ok := colors[value]; ok && style.Color {
		return c.Sprint(value)
	}
	return value
}
