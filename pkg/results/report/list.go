package report

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// View is what somebody asks of a list.
type View struct {
	// Columns are their names. "+name" is one more than there are without that, and none
	// at all are those.
	Columns []string
	// Sort are columns, the first first; "-name" is the other way round. None is the
	// list's own order.
	Sort []string
	// Limit is how many rows there are at most; 0 is all.
	Limit int
}

// List is a list that can be written in all formats.
type List[T any] struct {
	Columns []Column[T]
	View    View
	// Given says that rows come as View has them, sorted and no more than its limit, of
	// Total: whoever keeps them did that.
	Given bool
	Total int
}

// Shown is how much of a list was written.
type Shown struct {
	Rows, Total int
	// Spare are the columns for which the terminal had no room.
	Spare []string
}

// Text says in words what a reader of things, such as "finding", may miss: "50 of 17,416 findings; --limit 0 shows all".
func (s Shown) Text(what string) string {
	text := numbered(s.Total, what)
	if s.Rows < s.Total {
		text = fmt.Sprintf("%s of %s; --limit 0 shows all", grouped(s.Rows), text)
	}
	if len(s.Spare) > 0 {
		text += fmt.Sprintf("; no room for %s: --columns +%s shows that, too", check.List(s.Spare), s.Spare[0])
	}
	return text
}

// numbered is Count, for numbers that are great.
func numbered(n int, noun string) string {
	_, noun, _ = strings.Cut(Count(n, noun), " ")
	return grouped(n) + " " + noun
}

// grouped is a number with commas.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// Names are the names of columns.
func Names[T any](columns []Column[T]) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// Check is an error if a list with columns of these names cannot be shown so. A name that
// is not known is a *check.UnknownError. sortable is what the list can be sorted by, and
// fields are what rows have besides, as JSON.
func (v View) Check(names, sortable, fields []string) error {
	known := slices.Concat(names, fields)
	for _, word := range v.Columns {
		if name := strings.TrimPrefix(word, "+"); !slices.Contains(known, name) {
			return &check.UnknownError{What: "column", Word: name, Nearest: check.Nearest(name, known)}
		}
	}
	for _, word := range v.Sort {
		if name := strings.TrimPrefix(word, "-"); !slices.Contains(sortable, name) {
			return &check.UnknownError{What: "column to sort by", Word: name, Nearest: check.Nearest(name, sortable)}
		}
	}
	if v.Limit < 0 {
		return fmt.Errorf("%d rows are asked for; 0 is all", v.Limit)
	}
	return nil
}

// Fields are the members of a row as JSON.
func Fields[T any]() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// BySeverity orders rows by a severity, the gravest last.
func BySeverity[T any](of func(T) model.Severity) func(a, b T) int {
	return func(a, b T) int { return cmp.Compare(of(a).Weight(), of(b).Weight()) }
}

// Write writes rows in the format asked. JSON and NDJSON write T itself.
func Write[T any](w io.Writer, format Format, style Style, rows []T, columns []Column[T]) error {
	_, err := List[T]{Columns: columns}.Write(w, format, style, Rows(rows))
	return err
}

// Rows are rows that are there already.
func Rows[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Write writes rows in the format asked, as the view has them. JSON and NDJSON write T
// itself, or the members of it that View.Columns names. What need not be held is written
// as it comes.
func (l List[T]) Write(w io.Writer, format Format, style Style, rows iter.Seq2[T, error]) (Shown, error) {
	var shown Shown
	if len(l.View.Sort) > 0 && !l.Given {
		all, err := held(rows)
		if err != nil {
			return shown, err
		}
		slices.SortStableFunc(all, l.compare)
		rows = Rows(all)
	}
	rows = l.limited(rows, &shown)
	var err error
	if format == Table && style.Width > 0 { // whose columns are as wide as what is in them
		var all []T
		if all, err = held(rows); err == nil {
			shown.Spare, err = writeTable(w, style, all, l.asked(format), len(l.View.Columns) > 0)
		}
	} else {
		err = l.stream(w, format, rows)
	}
	shown.Total = max(shown.Total, l.Total)
	return shown, err
}

func (l List[T]) stream(w io.Writer, format Format, rows iter.Seq2[T, error]) error {
	columns := l.Columns
	if format == Table || format == CSV {
		columns = l.asked(format)
	}
	out, err := NewStream(w, format, columns)
	if err != nil {
		return err
	}
	if words := l.View.Columns; slices.ContainsFunc(words, func(w string) bool { return !added(w) }) {
		for _, word := range words {
			if name := strings.TrimPrefix(word, "+"); !slices.Contains(out.members, name) {
				out.members = append(out.members, name)
			}
		}
	}
	for row, err := range rows {
		if err == nil {
			err = out.Write(row)
		}
		if err != nil {
			return err
		}
	}
	return out.Close()
}

func held[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// limited yields no more than there may be, and counts all.
func (l List[T]) limited(rows iter.Seq2[T, error], shown *Shown) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if err == nil {
				shown.Total++
				if l.View.Limit > 0 && shown.Rows == l.View.Limit {
					continue
				}
				shown.Rows++
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// added says whether a column is one more than there are without it.
func added(word string) bool { return strings.HasPrefix(word, "+") }

// asked are the columns of a table or of CSV.
func (l List[T]) asked(format Format) []Column[T] {
	words := l.View.Columns
	var columns []Column[T]
	if !slices.ContainsFunc(words, func(w string) bool { return !added(w) }) {
		for _, c := range l.Columns {
			if format == CSV || !c.Wide {
				columns = append(columns, c)
			}
		}
	}
	for _, word := range words {
		name := strings.TrimPrefix(word, "+")
		is := func(c Column[T]) bool { return c.Name == name }
		if at := slices.IndexFunc(l.Columns, is); at >= 0 && !slices.ContainsFunc(columns, is) {
			columns = append(columns, l.Columns[at])
		}
	}
	return columns
}

// compare orders rows as the view has them.
func (l List[T]) compare(a, b T) int {
	for _, word := range l.View.Sort {
		name, down := strings.CutPrefix(word, "-")
		at := slices.IndexFunc(l.Columns, func(c Column[T]) bool { return c.Name == name })
		if at < 0 {
			continue
		}
		d := l.Columns[at].compare(a, b)
		if down {
			d = -d
		}
		if d != 0 {
			return d
		}
	}
	return 0
}

func (c Column[T]) compare(a, b T) int {
	if c.Compare != nil {
		return c.Compare(a, b)
	}
	return natural(c.text(a), c.text(b))
}

// decimal is a number as cells have it.
var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// natural orders values as people do: what is empty, then numbers, then texts, and in these
// "9 days" before "30 days".
func natural(a, b string) int {
	rank := func(s string) int {
		switch {
		case s == "":
			return 0
		case decimal.MatchString(s):
			return 1
		}
		return 2
	}
	of := rank(a)
	if d := cmp.Compare(of, rank(b)); d != 0 || of == 0 {
		return d
	}
	if of == 1 {
		one, _ := strconv.ParseFloat(a, 64) // which it is, if it is not infinite
		other, _ := strconv.ParseFloat(b, 64)
		return cmp.Compare(one, other)
	}
	digits := func(s string) (run, rest string) {
		rest = strings.TrimLeft(s, "0123456789")
		return s[:len(s)-len(rest)], rest
	}
	for one, other := a, b; ; {
		n, restA := digits(one)
		m, restB := digits(other)
		switch short, long := strings.TrimLeft(n, "0"), strings.TrimLeft(m, "0"); {
		case n != "" && m != "":
			if d := cmp.Or(cmp.Compare(len(short), len(long)), strings.Compare(short, long)); d != 0 {
				return d
			}
			one, other = restA, restB
		case one == "" || other == "" || one[0] != other[0]:
			return cmp.Or(strings.Compare(one, other), strings.Compare(a, b))
		default:
			one, other = one[1:], other[1:]
		}
	}
}

// writeTable writes a table for a terminal, and gives the columns that had no room. Those
// that somebody named stand where they were named, if it takes several lines.
func writeTable[T any](w io.Writer, style Style, rows []T, columns []Column[T], named bool) (spare []string, err error) {
	g := &grid{names: Names(columns), fits: make([]Fit, len(columns)), rows: make([][]string, len(rows))}
	var places []Column[T]
	for i, c := range columns {
		if g.fits[i] = c.Fit; named && c.Fit != Prose {
			g.fits[i] = Whole
		}
		if c.Fit == Place {
			places = append(places, c)
		}
	}
	for i := range rows {
		g.rows[i] = make([]string, len(columns))
	}
	for i, c := range columns {
		value := func(n int) string { return c.text(rows[n]) }
		if c.Short != nil {
			value = func(n int) string { return c.Short(rows[n]) }
		}
		if c.Ref != nil {
			value = shortNames(rows, c.Ref, places)
		}
		for n := range rows {
			g.rows[n][i] = Plain(oneLine.Replace(value(n)))
		}
	}
	var b strings.Builder
	terminal := style.Width
	if terminal > 0 {
		terminal = max(terminal, narrowest)
	}
	l := g.layOut(terminal)
	g.render(&b, l, terminal, func(word string) string { return paint(style, word) })
	for _, i := range l.spare {
		spare = append(spare, g.names[i])
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return nil, fmt.Errorf("write table: %w", err)
	}
	return spare, nil
}

// oneLine makes spaces of what would end a line.
var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ")

// shortNames names resources in short where that tells them apart, in the places that
// stand beside: by the end of the ARN, with the service before it, or by the whole ARN.
func shortNames[T any](rows []T, ref func(T) model.Ref, places []Column[T]) func(int) string {
	forms := []func(model.Ref) string{
		Short,
		func(r model.Ref) string {
			if parts := strings.SplitN(r.ARN, ":", 4); len(parts) == 4 {
				return parts[2] + ":" + Short(r)
			}
			return r.String()
		},
		model.Ref.String,
	}
	form := make([]int, len(rows))
	for again := true; again; {
		again = false
		whose := map[string]string{} // which resource has a name; nobody's is of several
		name := func(i int) (string, string) {
			r := ref(rows[i])
			name := forms[form[i]](r)
			for _, p := range places {
				name += "\x00" + p.text(rows[i])
			}
			return name, r.String()
		}
		for i := range rows {
			name, resource := name(i)
			if first, taken := whose[name]; taken && first != resource {
				resource = ""
			}
			whose[name] = resource
		}
		for i := range rows {
			if name, _ := name(i); whose[name] == "" && form[i] < len(forms)-1 {
				form[i]++
				again = true
			}
		}
	}
	return func(i int) string { return forms[form[i]](ref(rows[i])) }
}
