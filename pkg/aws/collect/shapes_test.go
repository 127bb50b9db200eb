package collect

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What the hand-written search looks for, in the language of regular expressions,
// which would take seconds for what a hostile account can hand out.
var (
	secretShapes = regexp.MustCompile(strings.Join([]string{
		`\b(AKIA|ASIA)[A-Z0-9]{16}\b`,
		`-----BEGIN [A-Z ]*PRIVATE KEY-----`,
		`\bgh[pousr]_[A-Za-z0-9]{36,}\b`,
		`\bgithub_pat_[A-Za-z0-9_]{60,}\b`,
		`\bglpat-[A-Za-z0-9_-]{20,}`,
		`\bxox[abposr]-[A-Za-z0-9-]{10,}`,
		`\b(sk|rk)_live_[A-Za-z0-9]{16,}\b`,
		`\bAIza[0-9A-Za-z_-]{35}`,
		`\bnpm_[A-Za-z0-9]{36}\b`,
		`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+`,
		`[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]{3,}@`,
	}, "|"))
	assignment = regexp.MustCompile(`(?m)([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*["']?([^\s"']{6,})`)
)

func TestSearchIsThatOfTheExpressions(t *testing.T) {
	t.Parallel()
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"AKIA", "ASIA", "-----BEGIN ", "RSA ", "PRIVATE KEY-----", "-----", "ghp_", "ghr_", "github_pat_", "glpat-", "xoxb-", "sk_live_", "rk_live_",
			"AIza", "npm_", "eyJ", ".eyJ", ".", "://", "https://", "a+b://", ":", "@", "/", "user:pass@", "=", " = ", ": ", "\"", "'", "\n", "\v", "_", "-",
			"password", "DB_PASSWORD", "api_key", "tokens", "arn:aws:x", "true", "$X", "é", "ééé", "\xff", "abcdef", "0", "\u00a0",
		}),
		rapid.Map(rapid.SampledFrom([]int{3, 9, 10, 15, 16, 17, 20, 35, 36, 37, 60}), func(n int) string { return strings.Repeat("A", n) }),
		rapid.Map(rapid.SampledFrom([]int{1, 6, 10, 35, 36, 60}), func(n int) string { return strings.Repeat("b9", n)[:n] }),
		rapid.StringMatching(`[a-zA-Z0-9_.=: "-]{0,12}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 14).Draw(t, "pieces"), "")
		if got, want := shaped(text), secretShapes.MatchString(text); got != want {
			t.Fatalf("shaped(%q) = %v", text, got)
		}
		want := false
		for _, m := range assignment.FindAllStringSubmatch(text, -1) {
			want = want || named(m[1], m[2])
		}
		if got := assigned(text); got != want {
			t.Fatalf("assigned(%q) = %v", text, got)
		}
	})
}
