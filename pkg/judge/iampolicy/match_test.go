package iampolicy

import "testing"

// All patterns of up to four characters over a small alphabet, against all
// strings: covers never claims too much, overlap is exact.
func TestPatterns(t *testing.T) {
	var patterns, strings []string
	var grow func(s string)
	grow = func(s string) {
		patterns = append(patterns, s)
		if !wild(s) {
			strings = append(strings, s)
		}
		if len(s) < 4 {
			for _, c := range "ab*?" {
				grow(s + string(c))
			}
		}
	}
	grow("")
	matched := make(map[string][]bool, len(patterns))
	for _, p := range patterns {
		row := make([]bool, len(strings))
		for i, s := range strings {
			row[i] = covers(p, s)
		}
		matched[p] = row
	}
	for _, p := range patterns {
		for _, q := range patterns {
			within, meet := true, false
			for i := range strings {
				within = within && (matched[p][i] || !matched[q][i])
				meet = meet || matched[p][i] && matched[q][i]
			}
			if covers(p, q) && !within {
				t.Fatalf("%q does not cover %q", p, q)
			}
			// Strings of four may be too short to show an overlap of two patterns.
			if got := overlap(p, q); got != meet && (meet || len(p)+len(q) <= 4) {
				t.Fatalf("overlap(%q, %q) = %t", p, q, got)
			}
		}
	}
}

// Names and ARNs are written in several ways that mean all of them.
func TestAllOfThem(t *testing.T) {
	for in, want := range map[string]string{
		"*": "*", "*:*": "*", "?*": "*", "*?": "*", "KMS:*": "kms:*", "kms:?*": "kms:*", "kms:**": "kms:*", "kms:Get?*": "kms:get?*", "kms:???*": "kms:???*", "kms:?": "kms:?",
	} {
		if got := foldAction(in); got != want {
			t.Errorf("action %s: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"*": "*", "**": "*", "arn:*": "*", "arn:aws:*": "*", "arn:aws:*:*": "*", "arn:*:*:*:*:*": "*", "arn:aws:*:*:*:*": "*",
		"arn:aws::*": "arn:aws::*", "arn:aws:*::*": "arn:aws:*::*", "arn:aws:*:*:*:*:*": "arn:aws:*:*:*:*:*", "arn:aws:s3:::*": "arn:aws:s3:::*", "arn:aws": "arn:aws",
	} {
		if got := foldResource(in); got != want {
			t.Errorf("resource %s: %s, want %s", in, got, want)
		}
	}
}
