package iampolicy

import "strings"

// covers tells that every string which pattern q matches is matched by p too.
// Both may hold * and ?. It may miss a containment that only an odd mix of ?
// and * has; it never claims one that is not there.
func covers(p, q string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(q) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == q[j] && q[j] != '*' || p[i] == '?' && q[j] != '*'):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// overlap tells that some string is matched by both patterns.
func overlap(p, q string) bool {
	if !wild(q) {
		return covers(p, q)
	}
	if !wild(p) {
		return covers(q, p)
	}
	// row[j]: p from i and q from j have a string in common; filled from the ends.
	row, next := make([]bool, len(q)+1), make([]bool, len(q)+1)
	for i := len(p); i >= 0; i-- {
		for j := len(q); j >= 0; j-- {
			pe, qe := i == len(p), j == len(q)
			switch {
			case pe && qe:
				row[j] = true
			case !pe && p[i] == '*':
				row[j] = next[j] || !qe && row[j+1]
			case !qe && q[j] == '*':
				row[j] = row[j+1] || !pe && next[j]
			case pe || qe:
				row[j] = false
			default:
				row[j] = (p[i] == q[j] || p[i] == '?' || q[j] == '?') && next[j+1]
			}
		}
		row, next = next, row
	}
	return next[0]
}

// wild tells that the value holds a wildcard.
func wild(s string) bool { return strings.ContainsAny(s, "*?") }
