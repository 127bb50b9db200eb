package filter

import (
	"strings"
	"unicode/utf8"
)

// glob is a pattern as path.Match has it, but that * and ? span slashes of ARNs, too. It is
// matched with texts that are folded, as it is.
type glob []part

// part is a text, or any one character of a class, or any number of characters.
type part struct {
	text  string
	class *class // nil is none
	any   bool
}

// class is characters from one to another, for each pair, or all others. Of no pair it is all.
type class struct {
	ranges  [][2]rune
	negated bool
}

func (c *class) has(r rune) bool {
	in := len(c.ranges) == 0
	for _, one := range c.ranges {
		in = in || one[0] <= r && r <= one[1]
	}
	return in != c.negated
}

// newGlob reads a pattern that path.Match takes.
func newGlob(pattern string) (g glob) {
	var text strings.Builder
	end := func() {
		if text.Len() > 0 {
			g = append(g, part{text: text.String()})
			text.Reset()
		}
	}
	for pattern != "" {
		switch pattern[0] {
		case '*':
			end()
			if len(g) == 0 || !g[len(g)-1].any {
				g = append(g, part{any: true})
			}
			pattern = pattern[1:]
		case '?':
			end()
			g = append(g, part{class: &class{}})
			pattern = pattern[1:]
		case '[':
			end()
			var c class
			c, pattern = newClass(pattern[1:])
			g = append(g, part{class: &c})
		case '\\':
			pattern = pattern[1:]
			fallthrough
		default:
			text.WriteByte(pattern[0])
			pattern = pattern[1:]
		}
	}
	end()
	return g
}

// newClass reads a class behind its bracket, and gives what follows.
func newClass(pattern string) (c class, rest string) {
	pattern, c.negated = strings.CutPrefix(pattern, "^")
	one := func() (r rune) {
		pattern = strings.TrimPrefix(pattern, `\`)
		r, width := utf8.DecodeRuneInString(pattern)
		pattern = pattern[width:]
		return r
	}
	for len(c.ranges) == 0 || pattern[0] != ']' {
		low := one()
		high := low
		if strings.HasPrefix(pattern, "-") {
			pattern = pattern[1:]
			high = one()
		}
		c.ranges = append(c.ranges, [2]rune{low, high})
	}
	return c, pattern[1:]
}

// match reports whether a folded text is of the pattern. Where a part does not fit, what the
// last * before it spans grows: no text takes longer than its length times the pattern's.
func (g glob) match(s string) bool {
	at, begin := 0, 0       // in the pattern, and in the text
	after, spanned := -1, 0 // behind the last *, and to where in the text it spans
	for at < len(g) || begin < len(s) {
		if at < len(g) {
			if g[at].any {
				if at++; at == len(g) {
					return true
				}
				after, spanned = at, begin
				continue
			}
			if n, fits := g[at].takes(s[begin:]); fits {
				at++
				begin += n
				continue
			}
		}
		if after < 0 || spanned == len(s) {
			return false
		}
		spanned++
		if text := g[after].text; text != "" {
			to := strings.Index(s[spanned:], text)
			if to < 0 {
				return false
			}
			spanned += to
		}
		at, begin = after, spanned
	}
	return true
}

// takes reports whether a text begins with the part, and how many bytes are of it.
func (p part) takes(s string) (int, bool) {
	if p.class == nil {
		return len(p.text), strings.HasPrefix(s, p.text)
	}
	r, width := utf8.DecodeRuneInString(s)
	return width, width > 0 && p.class.has(r)
}
