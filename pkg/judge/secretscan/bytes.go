package secretscan

import "strings"

// Kinds of bytes.

func upper(c byte) bool  { return 'A' <= c && c <= 'Z' || digit(c) }
func lower(c byte) bool  { return 'a' <= c && c <= 'z' || digit(c) }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func alnum(c byte) bool  { return letter(c) || digit(c) }
func hexed(c byte) bool  { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func wordly(c byte) bool { return alnum(c) || c == '_' }
func dashed(c byte) bool { return wordly(c) || c == '-' }
func dotted(c byte) bool { return dashed(c) || c == '.' }
func base64d(c byte) bool {
	return alnum(c) || c == '+' || c == '/' || c == '-' || c == '_'
}
func blank(c byte) bool { return c == ' ' || c == '\t' }
func space(c byte) bool { return blank(c) || c == '\n' || c == '\r' || c == '\f' }
func quote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// run is how many bytes of a kind a text begins with, up to a number if it is not
// negative.
func run(text string, kind func(byte) bool, most int) int {
	n := 0
	for n < len(text) && n != most && kind(text[n]) {
		n++
	}
	return n
}

// runBack is how many bytes of a kind a text ends with, up to a number.
func runBack(text string, kind func(byte) bool, most int) int {
	n := 0
	for n < len(text) && n != most && kind(text[len(text)-1-n]) {
		n++
	}
	return n
}

// begins reports whether a word may begin, or end, after so much of a text.
func begins(before string) bool { return before == "" || !wordly(before[len(before)-1]) }

// each calls look with what is before and after each place of a literal, until it
// says yes.
func each(text, literal string, look func(before, after string) bool) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], literal)
		if i < 0 {
			return false
		}
		at += i + len(literal)
		if look(text[:at-len(literal)], text[at:]) {
			return true
		}
	}
}

// words is a set of words, of a text that has them between blanks.
func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}
