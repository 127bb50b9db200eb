package report

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Fit is what a table may do with a column where the terminal is too narrow for all.
type Fit int

const (
	// Whole is for identifiers, words, numbers and times: a value stays in one piece
	// unless it is wider than the whole terminal.
	Whole Fit = iota
	// Place is Whole, of where something is: said once above the table if all rows have
	// the same.
	Place
	// Spare is Whole, and left out if there is no room, which the list says.
	Spare
	// Prose stands behind the others and goes on in the next line where a word ends.
	Prose
)

const (
	gap       = 2  // between columns
	under     = 2  // of what stands under the first line of a row
	proseMin  = 32 // prose is not made narrower than that beside others: it goes under the row
	narrowest = 20 // a terminal that says less is taken for one of this width
)

// grid is the text of a table: what its cells hold, without what steers a terminal.
type grid struct {
	names []string // of its columns
	fits  []Fit
	rows  [][]string

	widths  []int // of the widest value of each column, and of its name
	typical []int // the same without the widest twentieth of the rows
}

// slot is where a column stands in a line of each row.
type slot struct{ column, at, width int }

// layout is how a grid is shown at a width.
type layout struct {
	said  []int // columns of which all rows have the same, which stands above
	spare []int // columns that were left out
	lines [][]slot
}

// measure finds out how wide the columns are.
func (g *grid) measure() {
	g.widths, g.typical = make([]int, len(g.names)), make([]int, len(g.names))
	of := make([]int, len(g.rows))
	for i, name := range g.names {
		for j, row := range g.rows {
			of[j] = width(row[i])
		}
		slices.Sort(of)
		g.widths[i], g.typical[i] = width(name), width(name)
		if n := len(of); n > 0 {
			g.widths[i] = max(g.widths[i], of[n-1])
			g.typical[i] = max(g.typical[i], of[n-1-n/20])
		}
	}
}

// layOut lays a grid out. What gives way, in this order: columns that say nothing, or the
// same of all rows; the width of prose; the few values that are much wider than the others;
// columns that are Spare; that prose stands beside the others; and then that these are in
// one line.
func (g *grid) layOut(terminal int) layout {
	g.measure()
	var beside, prose []int
	for i, fit := range g.fits {
		if fit == Prose {
			prose = append(prose, i)
		} else {
			beside = append(beside, i)
		}
	}
	all := slices.Concat(beside, prose)
	line := g.line(all, g.widths, 0)
	if last := len(line) - 1; terminal == 0 || last < 0 || line[last].at+line[last].width <= terminal {
		return layout{lines: [][]slot{line}}
	}
	var l layout
	saysLittle := func(i int) bool {
		if len(g.rows) == 0 || slices.ContainsFunc(g.rows, func(row []string) bool { return row[i] != g.rows[0][i] }) {
			return false
		}
		empty := g.rows[0][i] == ""
		said := !empty && g.fits[i] == Place && len(g.rows) > 1
		if said {
			l.said = append(l.said, i)
		}
		return empty || said
	}
	beside, prose = slices.DeleteFunc(beside, saysLittle), slices.DeleteFunc(prose, saysLittle)
	all = slices.Concat(beside, prose)
	if line, spare := g.sparing(all, terminal); line != nil {
		l.lines, l.spare = [][]slot{line}, spare
		return l
	}
	_, l.spare = g.sparing(beside, terminal)
	l.lines = g.stacked(without(beside, l.spare), prose, terminal)
	for _, i := range slices.Clone(l.spare) { // what has room in the lines that there are
		left := slices.DeleteFunc(slices.Clone(l.spare), func(j int) bool { return i == j })
		if lines := g.stacked(without(beside, left), prose, terminal); len(lines) <= len(l.lines) {
			l.lines, l.spare = lines, left
		}
	}
	return l
}

func without(all, some []int) []int {
	return slices.DeleteFunc(slices.Clone(all), func(i int) bool { return slices.Contains(some, i) })
}

// sparing is the line that columns have room in once some that are Spare are left out, the
// last first. It is nil if there is no room even so.
func (g *grid) sparing(shown []int, terminal int) (line []slot, spare []int) {
	shown = slices.Clone(shown)
	for {
		for _, widths := range [][]int{g.widths, g.typical} {
			if line := g.inOne(shown, widths, terminal); line != nil {
				return line, spare
			}
		}
		last := lastFunc(shown, func(i int) bool { return g.fits[i] == Spare })
		if last < 0 {
			return nil, spare
		}
		spare = slices.Insert(spare, 0, shown[last])
		shown = slices.Delete(shown, last, last+1)
	}
}

// inOne is the line that all columns have room in, nil if there is none.
func (g *grid) inOne(shown, widths []int, terminal int) []slot {
	widths = slices.Clone(widths)
	used := -gap
	for _, i := range shown {
		used += widths[i] + gap
	}
	for used > terminal {
		widest := -1
		for _, i := range shown {
			if g.fits[i] == Prose && widths[i] > proseMin && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil
		}
		next := proseMin // the second widest
		for _, i := range shown {
			if i != widest && g.fits[i] == Prose && widths[i] < widths[widest] {
				next = max(next, widths[i])
			}
		}
		less := max(1, min(widths[widest]-next, used-terminal))
		widths[widest], used = widths[widest]-less, used-less
	}
	return g.line(shown, widths, 0)
}

func (g *grid) line(columns, widths []int, at int) []slot {
	var line []slot
	for _, i := range columns {
		line = append(line, slot{i, at, widths[i]})
		at += widths[i] + gap
	}
	return line
}

// stacked puts columns in as many lines as they take, and prose below: side by side if there
// is room, else each in a line of its own.
func (g *grid) stacked(beside, prose []int, terminal int) [][]slot {
	var lines [][]slot
	var now []int
	at, used := 0, 0
	end := func() {
		if len(now) > 0 {
			lines = append(lines, g.line(now, g.typical, at))
			at, now = under, nil
		}
		used = at
	}
	for _, i := range beside {
		if used+g.typical[i] > terminal {
			end()
		}
		now, used = append(now, i), used+g.typical[i]+gap
	}
	end()
	if line := g.inOne(prose, g.widths, terminal-at); len(prose) > 1 && line != nil {
		for i := range line {
			line[i].at += at
		}
		return append(lines, line)
	}
	for _, i := range prose {
		lines, at = append(lines, []slot{{i, at, terminal - at}}), under
	}
	return lines
}

func lastFunc(all []int, is func(int) bool) int {
	for i := len(all) - 1; i >= 0; i-- {
		if is(all[i]) {
			return i
		}
	}
	return -1
}

// render writes a grid as it was laid out. Values are painted once they have their place.
func (g *grid) render(b *strings.Builder, l layout, terminal int, paint func(string) string) {
	if len(l.said) > 0 {
		var said []string
		for _, i := range l.said {
			said = append(said, strings.ToUpper(g.names[i])+" "+g.rows[0][i])
		}
		for _, line := range wrapped(strings.Join(said, "  "), terminal) {
			b.WriteString(line + "\n")
		}
	}
	names := make([]string, len(g.names))
	for i, name := range g.names {
		names[i] = strings.ToUpper(name)
	}
	plain := func(value string) string { return value }
	for _, line := range l.lines {
		g.block(b, line, names, terminal, plain)
	}
	for _, row := range g.rows {
		for n, line := range l.lines {
			// A line of a row that would be empty is not missed under another.
			if n > 0 && !slices.ContainsFunc(line, func(s slot) bool { return row[s.column] != "" }) {
				continue
			}
			g.block(b, line, row, terminal, paint)
		}
	}
}

// block writes one line of a row, which prose and what is too wide make several.
func (g *grid) block(b *strings.Builder, line []slot, row []string, terminal int, paint func(string) string) {
	for begin := b.Len(); len(line) > 0; {
		// Up to the value that has no room in its column: what stands behind it goes on
		// below, each under its name.
		n := 1 + slices.IndexFunc(line, func(s slot) bool {
			return g.fits[s.column] != Prose && width(row[s.column]) > s.width
		})
		if n == 0 {
			n = len(line)
		}
		if last := line[n-1]; n > 1 && terminal > 0 && g.fits[last.column] != Prose && last.at+width(row[last.column]) > terminal {
			n-- // it takes a line to itself
		}
		part, empty := line[:n], !slices.ContainsFunc(line[:n], func(s slot) bool { return row[s.column] != "" })
		line = line[n:]
		if !empty || len(line) == 0 && b.Len() == begin {
			g.cells(b, part, row, terminal, paint)
		}
	}
}

// cells writes cells side by side.
func (g *grid) cells(b *strings.Builder, part []slot, row []string, terminal int, paint func(string) string) {
	texts, at, lines := make([][]string, len(part)), make([]int, len(part)), 1
	for i, s := range part {
		value := row[s.column]
		texts[i], at[i] = []string{value}, s.at
		switch {
		case g.fits[s.column] == Prose && terminal > 0:
			texts[i] = wrapped(value, s.width)
		case terminal > 0 && s.at+width(value) > terminal: // alone: it goes to the left, and is broken if that does not help
			at[i] = min(s.at, under)
			texts[i] = wrapped(value, terminal-at[i])
		}
		lines = max(lines, len(texts[i]))
	}
	for n := range lines {
		done := 0
		for i := range part {
			if n >= len(texts[i]) || texts[i][n] == "" {
				continue
			}
			b.WriteString(strings.Repeat(" ", at[i]-done))
			if g.fits[part[i].column] == Prose {
				b.WriteString(texts[i][n])
			} else {
				b.WriteString(paint(texts[i][n]))
			}
			done = at[i] + width(texts[i][n])
		}
		b.WriteByte('\n')
	}
}

// wrapped breaks a text into lines where words end. A word that is wider than a line is
// broken where parts of names end, and where it has none, anywhere.
func wrapped(value string, columns int) []string {
	if width(value) <= columns {
		return []string{value}
	}
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(value) {
		w := width(word)
		if line != "" && used+1+w <= columns {
			line, used = line+" "+word, used+1+w
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		if w > columns {
			parts := pieces(word, columns)
			last := len(parts) - 1
			lines, word = append(lines, parts[:last]...), parts[last]
			w = width(word)
		}
		line, used = word, w
	}
	return append(lines, line)
}

// pieces breaks a word into parts of a width, in one go: values have had half a million
// characters.
func pieces(word string, columns int) (parts []string) {
	start, used := 0, 0 // of the part that is being filled
	end, behind := 0, 0 // where it can be broken well, and the width behind that
	for i, r := range word {
		w := text.RuneWidth(r)
		if used+w > columns {
			if end == start {
				end, behind = i, 0
			}
			parts = append(parts, word[start:end])
			start, used, behind = end, behind, 0
		}
		used, behind = used+w, behind+w
		if strings.ContainsRune("/:,;=&?", r) {
			end, behind = i+utf8.RuneLen(r), 0
		}
	}
	return append(parts, word[start:])
}

// width is how many columns of a terminal a text takes.
func width(value string) (columns int) {
	for _, r := range value {
		columns += text.RuneWidth(r)
	}
	return columns
}
