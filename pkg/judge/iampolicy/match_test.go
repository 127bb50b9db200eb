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
