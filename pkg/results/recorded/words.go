package recorded

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// VerdictWords are what can be asked of an audit's verdicts.
func VerdictWords(catalog *check.Catalog) filter.Vocabulary {
	words := pick(findings.Words(catalog), "cause", "check", "framework", "name", "part", "pillar", "region", "resource", "resource_type", "service", "severity")
	return append(words, filter.Field{
		Name: "status", Doc: "what the check said", Values: func() []string {
			var all []string
			for _, s := range check.Statuses() {
				all = append(all, string(s))
			}
			return all
		},
	})
}

// VerdictFilter reads words on verdicts. What is wrong with them is an error as
// findings.Asked knows it.
func VerdictFilter(catalog *check.Catalog, words []string) (filter.Filter[shape.Verdict], error) {
	none := filter.Filter[shape.Verdict]{}
	words, err := VerdictWords(catalog).Words(words)
	if err != nil {
		return none, err
	}
	texts, err := catalog.Texts()
	if err != nil {
		return none, err
	}
	one := func(value func(shape.Verdict) string) func(shape.Verdict) []string {
		return func(v shape.Verdict) []string { return []string{value(v)} }
	}
	return filter.Parse(filter.Fields[shape.Verdict]{
		"cause": func(v shape.Verdict) []string {
			if v.Cause == "" {
				return nil
			}
			return []string{string(v.Cause)}
		},
		"check": one(func(v shape.Verdict) string { return string(v.Check) }),
		"framework": func(v shape.Verdict) []string {
			var all []string
			for name := range texts[v.Check].Controls {
				all = append(all, name)
			}
			return all
		},
		"name":          one(func(v shape.Verdict) string { return v.Name }),
		"part":          one(func(v shape.Verdict) string { return v.Part }),
		"pillar":        one(func(v shape.Verdict) string { return string(v.Pillar) }),
		"region":        one(func(v shape.Verdict) string { return v.Region }),
		"resource":      one(func(v shape.Verdict) string { return v.Resource }),
		"resource_type": one(func(v shape.Verdict) string { return v.Type }),
		"service":       one(func(v shape.Verdict) string { return v.Service }),
		"severity":      one(func(v shape.Verdict) string { return string(v.Severity) }),
		"status":        one(func(v shape.Verdict) string { return string(v.Status) }),
	}, words)
}
