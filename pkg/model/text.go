package model

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cutMark ends a text that was cut.
const cutMark = "…"

// Clean is a text of somebody else's as one printable line. Names and messages
// of an account come from whoever owns it: they may hold what moves a terminal's
// cursor, reverses a line, or is no character at all. White space of all kinds
// becomes a blank, everything else that cannot be seen U+FFFD. The joiners that
// some scripts need to spell words stay.
func Clean(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text { // what is not UTF-8 comes as U+FFFD
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsGraphic(r), r == '\u200c', r == '\u200d':
			b.WriteRune(r)
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// plain reports whether a text is printable ASCII, as nearly all are.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// Cut is a text of at most size bytes. A longer one ends between two characters,
// with a mark; size has room for the mark.
func Cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	end := size - len(cutMark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}
