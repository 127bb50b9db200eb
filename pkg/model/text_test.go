package model_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "",
		"short":                     "short",
		"exactly 20 bytes   x":      "exactly 20 bytes   x",
		"more than twenty bytes":    "more than twenty …",
		"\x1b[31mred\x00":           "�[31mred�",
		"a\u202eb\u2066c\uffff\x9b": "a�b�c��",
		"üüüüüüüüüüüü":              "üüüüüüüü…",
	} {
		if got := model.Cut(text, 20); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestCutIsPrintable: whatever goes in, what comes out can be stored, sent and shown.
func TestCutIsPrintable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		limit := rapid.IntRange(10, 40).Draw(t, "limit")
		got := model.Cut(text, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\x1b\x7f\n\t\u009b\u202e\ufffe\uffff") {
			t.Fatalf("%q became %q", text, got)
		}
		if again := model.Cut(got, limit); again != got {
			t.Fatalf("%q became %q, and then %q", text, got, again)
		}
	})
}

// TestBoundedRefsStayApart: two resources whose identities differ only where they
// are cut, or only in what cannot be shown, are still two.
func TestBoundedRefsStayApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	refs := []model.Ref{
		{ARN: long + "a"}, {ARN: long + "b"}, {ARN: "arn:\xff"}, {ARN: "arn:\xfe"}, {ARN: "arn:\ufffd"}, {ARN: "arn", Sub: long + "a"}, {ARN: "arn", Sub: long + "b"},
	}
	seen := map[string]bool{}
	for _, r := range refs {
		b := r.Bounded()
		if len(b.ARN) > model.MaxARN || len(b.Sub) > model.MaxPart || seen[b.String()] {
			t.Errorf("%.20q became %q", r, b)
		}
		if b.Bounded() != b {
			t.Errorf("%q is not its own bounded form", b)
		}
		seen[b.String()] = true
	}
}
