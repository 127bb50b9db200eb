package filter_test

import (
	"errors"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
)

type thing struct{ severity, arn, seen string }

var fields = filter.Fields[thing]{
	"severity":   func(t thing) []string { return []string{t.severity} },
	"resource":   func(t thing) []string { return []string{t.arn} },
	"first_seen": func(t thing) []string { return []string{t.seen} },
	"owner":      func(thing) []string { return filter.Unknown },
	"team":       func(thing) []string { return nil },
}

func TestMatch(t *testing.T) {
	t.Parallel()
	bucket := thing{"high", "arn:aws:s3:::Logs/a", "2026-05-01T10:00:00Z"}
	for word, want := range map[string]bool{
		"severity=high":                    true,
		"severity=HIGH":                    true,
		"severity=low,high":                true,
		"severity=low":                     false,
		"severity!=low":                    true,
		"severity!=low,high":               false,
		"resource=*logs*":                  true,
		"resource=arn:aws:s3:::*":          true,
		"resource=logs":                    false,
		"first_seen>=2026-05-01":           true,
		"first_seen<2026-05-01":            false,
		"first_seen<=2026-05-01T10:00:00Z": true,
		"first_seen>2026-05-01T10:00:00Z":  false,
		"first_seen>=2026-05-02":           false,
		"owner=*":                          false, // not known
		"owner!=me":                        false,
		"team=*":                           false, // known to have none
		"team!=me":                         true,
	} {
		f, err := filter.Parse(fields, []string{word})
		if err != nil {
			t.Errorf("%s: %v", word, err)
			continue
		}
		if got := f.Match(bucket); got != want {
			t.Errorf("%s matches: %v", word, got)
		}
	}
	f, err := filter.Parse(fields, []string{"severity=high", "resource=*other*"})
	if err != nil || f.Match(bucket) {
		t.Errorf("words are not joined by AND (%v)", err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"", "high", "=x", "severity", "first_seen>=yesterday", "first_seen>=2026-01-01,2026-01-02", "severity=[", "severity~high"} {
		if _, err := filter.Parse(fields, []string{word}); err == nil {
			t.Errorf("%q was accepted", word)
		}
	}
	var unknown *check.UnknownError
	if _, err := filter.Parse(fields, []string{"severty=high"}); !errors.As(err, &unknown) || unknown.Nearest != "severity" {
		t.Errorf("a mistyped field gives %v, want the nearest", err)
	}
}

// TestPatternsAreGlobs: a pattern decides as path.Match does, where nothing is a slash.
func TestPatternsAreGlobs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SliceOfN(rapid.SampledFrom([]rune("aab*?[]-^\\/é")), 0, 8)
		pattern, value := string(letters.Draw(t, "pattern")), string(letters.Draw(t, "value"))
		same := strings.NewReplacer("/", "\x00")
		want, err := path.Match(same.Replace(pattern), same.Replace(value))
		f, refused := filter.Parse(fields, []string{"resource=" + pattern})
		if (err != nil) != (refused != nil) {
			t.Fatalf("%q: %v, and path.Match says %v", pattern, refused, err)
		}
		if refused == nil && f.Match(thing{arn: value}) != want {
			t.Fatalf("%q of %q: not %t", pattern, value, want)
		}
	})
}

// TestFolded: a value that was folded before, in parts or as a whole, fits what the value fits.
func TestFolded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOfN(rapid.SampledFrom([]rune("aAbB:/*İßΣé\x00")), 0, 6, -1)
		one, other := texts.Draw(t, "one"), texts.Draw(t, "other")
		whole := string(filter.AppendFold(nil, one+other))
		if parts := string(filter.AppendFold(filter.AppendFold(nil, one), other)); parts != whole {
			t.Fatalf("%q and %q: %q, and as one %q", one, other, parts, whole)
		}
		word := "resource" + rapid.SampledFrom([]string{"=", "!="}).Draw(t, "operator") + texts.Draw(t, "wanted")
		terms, err := filter.Terms([]string{"resource"}, []string{word})
		if err != nil {
			t.Skip(err)
		}
		if fits := terms[0].Match([]string{one + other}); terms[0].MatchFolded(whole) != fits {
			t.Fatalf("%s: %q fits: %t, and folded not", word, one+other, fits)
		}
	})
}
