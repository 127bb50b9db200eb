package shape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Marshal writes a value as JSON in which nothing steers a terminal, or turns text round: the
// same bytes in the API, in what the command writes and in exports.
func Marshal(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	return escaped(data), err
}

// Steers says whether a character steers a terminal, turns text round or is not seen:
// control characters, those of C1 too, and what Unicode calls formats.
func Steers(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// escaped writes such characters of JSON as escapes, so that nothing of it is lost.
// JSON itself asks that of the first 32 alone.
func escaped(data []byte) []byte {
	if !bytes.ContainsFunc(data, Steers) {
		return data
	}
	out := make([]byte, 0, len(data)+16)
	for _, r := range string(data) {
		switch {
		case !Steers(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
