package score

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Compare holds an audit's score beside that of an audit before. It is nil if
// either ended without one, or could assess nothing.
func Compare(before, now model.Audit) *model.ScoreChange {
	if before.Summary == nil || now.Summary == nil || before.Summary.Score.Assessed == 0 || now.Summary.Score.Assessed == 0 {
		return nil
	}
	return &model.ScoreChange{Before: before.Summary.Score, Breaks: Breaks(before, now)}
}

// Breaks says in words why the scores of two audits are not to be compared: they
// were computed by different versions, or are of different checks, regions or trusted
// accounts. Two that can be compared have none. An audit of fewer services is one of fewer checks,
// so leaving a service out is never shown as a change for the better.
func Breaks(before, now model.Audit) []string {
	var breaks []string
	if b, n := before.Summary.Score.Version, now.Summary.Score.Version; b != n {
		breaks = append(breaks, fmt.Sprintf("version %d of the score then, version %d now", b, n))
	}
	breaks = appendScope(breaks, "check", before.Checks, now.Checks)
	breaks = appendScope(breaks, "region", before.Regions, now.Regions)
	breaks = appendScope(breaks, "trusted account", before.TrustedAccounts, now.TrustedAccounts)
	return append(breaks, OptionsChanged(before, now)...)
}

// OptionsChanged says in words which options of checks that both audits made were set to
// something else, whether somebody set them or a version has another default: nothing of an
// audit from before there were options.
func OptionsChanged(before, now model.Audit) []string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(now.Options)) {
		for _, name := range slices.Sorted(maps.Keys(now.Options[id])) {
			if was, known := before.Options[id][name]; known && !was.Equal(now.Options[id][name]) {
				all = append(all, fmt.Sprintf("%s: %s was %s, is %s", id, name, was, now.Options[id][name]))
			}
		}
	}
	if len(all) > maxOptions {
		all = append(all[:maxOptions], fmt.Sprintf("and %d options more", len(all)-maxOptions))
	}
	return all
}

// maxOptions is how many options are told to be others.
const maxOptions = 5

func appendScope[T comparable](breaks []string, noun string, before, now []T) []string {
	more, fewer := missing(before, now), missing(now, before)
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{more, "more"}, {fewer, "fewer"}} {
		switch {
		case p.n == 1:
			parts = append(parts, fmt.Sprintf("1 %s %s", noun, p.what))
		case p.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss %s", p.n, noun, p.what))
		}
	}
	if len(parts) == 0 {
		return breaks
	}
	return append(breaks, strings.Join(parts, " and ")+" than then")
}

// missing counts what of the names is not among others.
func missing[T comparable](others, names []T) int {
	known := map[T]bool{}
	for _, name := range others {
		known[name] = true
	}
	n := 0
	for _, name := range names {
		if !known[name] {
			n++
		}
	}
	return n
}
