package findings

import (
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// CheckWords are what can be asked of checks.
func CheckWords(catalog *check.Catalog) filter.Vocabulary {
	var words filter.Vocabulary
	for _, f := range Words(catalog) {
		if f.Name == "check" {
			f.Name, f.Also, f.Doc = "id", []string{"check"}, "id of the check, or what another tool calls it, such as KMS.4"
		} else if !slices.Contains([]string{"framework", "pillar", "resource_type", "service", "severity"}, f.Name) {
			continue
		}
		words = append(words, f)
	}
	return append(words, filter.Field{
		Name: "since", Doc: "version of CloudArq that it came with; >= and <= work", Values: func() []string { return versions(catalog) },
		Order: func(a, b string) (int, bool) {
			a, b = "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
			return semver.Compare(a, b), semver.IsValid(a) && semver.IsValid(b)
		},
	})
}

// versions are those that checks came with.
func versions(catalog *check.Catalog) []string {
	seen := map[string]bool{}
	texts, _ := catalog.Texts() // that they parse is tested
	for _, t := range texts {
		seen[t.Since] = true
	}
	return sorted(seen)
}

// Checks are the checks that words name, by id, glob or what another tool calls them, or all
// if none does, as far as the words of a filter fit them. What is wrong with a word is an
// error as Asked knows it.
func Checks(catalog *check.Catalog, words []string) ([]shape.Check, error) {
	var names, filters []string
	for _, w := range words {
		if strings.ContainsAny(w, "=<>!") {
			filters = append(filters, w)
		} else {
			names = append(names, w)
		}
	}
	filters, err := CheckWords(catalog).Words(filters)
	if err != nil {
		return nil, err
	}
	one := func(value func(shape.Check) string) func(shape.Check) []string {
		return func(k shape.Check) []string { return []string{value(k)} }
	}
	wanted, err := filter.Parse(filter.Fields[shape.Check]{
		"id":            one(func(k shape.Check) string { return string(k.ID) }),
		"service":       one(func(k shape.Check) string { return k.Service }),
		"severity":      one(func(k shape.Check) string { return string(k.Severity) }),
		"pillar":        one(func(k shape.Check) string { return string(k.Pillar) }),
		"resource_type": one(func(k shape.Check) string { return k.Type }),
		"framework":     func(k shape.Check) []string { return k.Frameworks() },
		"since":         one(func(k shape.Check) string { return k.Since }),
	}, filters)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = []string{check.SelectAll}
	}
	chosen, err := catalog.Select(names)
	if err != nil {
		return nil, err
	}
	all, err := shape.Describe(catalog, chosen)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(k shape.Check) bool { return !wanted.Match(k) }), nil
}
