package secretscan

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strings"
	"unicode/utf8"
)

// leastPacked is how many characters of base64 are worth unpacking: below, nothing
// can be in it that a name would not have told.
const leastPacked = 20

// packed unpacks what looks like base64 in a text, wherever it stands (a file of
// cloud-init, a part of a MIME message, a script's here-document, PowerShell's
// -EncodedCommand), and looks through that.
func (s *Scan) packed(text string, depth int) bool {
	if depth == maxDepth {
		return false
	}
	for at := 0; at < len(text); {
		if !base64d(text[at]) {
			at++
			continue
		}
		end := at + run(text[at:], base64d, -1)
		if end-at < leastPacked {
			at = end
			continue
		}
		encoded, end := lines(text, at, end)
		at = end
		if s.unpack(encoded, depth) {
			return true
		}
	}
	return false
}

// lines joins base64 that is broken into lines of equal length, as of 76 characters
// in MIME, from a first line text[at:end] on. It returns where it ends, too.
func lines(text string, at, end int) (string, int) {
	width := end - at
	if width < 40 || width > 100 {
		return text[at:end], end
	}
	var joined strings.Builder
	joined.WriteString(text[at:end])
	for {
		next := end + run(text[end:], func(c byte) bool { return c == '\r' }, 1)
		if next == len(text) || text[next] != '\n' {
			break
		}
		next++
		next += run(text[next:], blank, 64) // indented in YAML
		n := run(text[next:], base64d, width+1)
		tail := next + n + run(text[next+n:], func(c byte) bool { return c == '=' }, 2)
		if n == 0 || n > width || tail < len(text) && !space(text[tail]) && !quote(text[tail]) {
			break
		}
		joined.WriteString(text[next : next+n])
		end = next + n
		if n < width {
			break
		}
	}
	return joined.String(), end
}

var urlToStandard = strings.NewReplacer("-", "+", "_", "/")

// unpack looks through what a text is in base64 of: text, UTF-16 as PowerShell has
// it, or an archive of gzip.
func (s *Scan) unpack(encoded string, depth int) bool {
	if strings.ContainsAny(encoded, "-_") {
		if strings.ContainsAny(encoded, "+/") {
			return false
		}
		encoded = urlToStandard.Replace(encoded)
	}
	if len(encoded)%4 == 1 { // a character too many, or none of base64
		encoded = encoded[:len(encoded)-1]
	}
	if most := base64.RawStdEncoding.EncodedLen(s.Unpack); len(encoded) > most {
		// A look at the beginning tells whether there was anything to unpack.
		s.Cut = s.Cut || worth(encoded[:min(len(encoded), 64)])
		encoded = encoded[:most]
	}
	data, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 {
		return false
	}
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}):
		s.Unpack -= len(data)
		return s.unzip(data, depth)
	case len(data) > 3 && data[1] == 0 && data[3] == 0:
		data = narrow(data)
	}
	if !printable(data) {
		return false
	}
	s.Unpack -= len(data)
	return s.text(string(data), depth+1)
}

// worth reports whether the beginning of something in base64 is text or an archive.
func worth(encoded string) bool {
	data, err := base64.RawStdEncoding.DecodeString(encoded[:len(encoded)/4*4])
	return err == nil && (printable(data) || bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}))
}

// unzip looks through an archive of gzip. What could be unpacked of a damaged one is
// still worth a look.
func (s *Scan) unzip(packed []byte, depth int) bool {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return false
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(s.Unpack)+1))
	s.Torn = s.Torn || err != nil
	if len(data) > s.Unpack {
		s.Cut, data = true, data[:s.Unpack]
	}
	s.Unpack -= len(data)
	return s.text(string(data), depth+1)
}

// narrow is UTF-16 of ASCII characters, as these.
func narrow(wide []byte) []byte {
	all := make([]byte, 0, len(wide)/2)
	for i := 0; i+1 < len(wide); i += 2 {
		if wide[i+1] != 0 {
			return nil
		}
		all = append(all, wide[i])
	}
	return all
}

// printable reports whether data is text that people write.
func printable(data []byte) bool {
	if len(data) == 0 || !utf8.Valid(data) {
		return false
	}
	odd := 0
	for _, c := range data {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			odd++
		}
	}
	return odd*20 <= len(data)
}
