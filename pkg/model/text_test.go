package model_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"bucket a~b":                  "bucket a~b",
		"Straße 東京 \u00a0é 🦊":         "Straße 東京  é 🦊",
		"two\nlines\tand\r\nmore":     "two lines and  more",
		"\x1b[31mred\x7f":             "\ufffd[31mred\ufffd",
		"\u009b31m":                   "\ufffd31m",
		"gpj.\u202eexe\u202c":         "gpj.\ufffdexe\ufffd",
		"\u2066a\u2067b\u2068c\u2069": "\ufffda\ufffdb\ufffdc\ufffd",
		"a\ufffeb\uffffc":             "a\ufffdb\ufffdc",
		"not\xffUTF-8\xc3":            "not\ufffdUTF-8\ufffd",
		"می\u200cخواهم":               "می\u200cخواهم",
		"a\u2028b\u0085c":             "a b c",
	} {
		if got := model.Clean(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	if got := model.Cut("short", 5); got != "short" {
		t.Errorf("%q", got)
	}
	if got := model.Cut("longer", 5); got != "lo…" {
		t.Errorf("%q", got)
	}
	for size := 3; size < 20; size++ {
		got := model.Cut(strings.Repeat("ä東🦊", 5), size)
		if len(got) > size || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
			t.Errorf("%d bytes: %q", size, got)
		}
	}
}
