package index

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
)

// Entry is a finding as lists have it: without evidence, file and history, which belong to
// a finding that is read by its id.
type Entry struct {
	model.Finding
	// Tags are the resource's. They mean nothing unless TagsKnown.
	Tags      map[string]string
	TagsKnown bool
}

// Texts are what is said of checks, by id.
type Texts map[model.CheckID]check.Text

// Frameworks are the compliance frameworks that a check belongs to.
func (t Texts) Frameworks(id model.CheckID) []string {
	return slices.Sorted(maps.Keys(t[id].Controls))
}

// Fields are the filter words of findings, which lists are sorted and grouped by as well:
// the same in commands, the API and the console. Tags and projects, which a finding does
// not tell, come besides.
func Fields(texts Texts) filter.Fields[model.Finding] {
	one := func(value func(model.Finding) string) func(model.Finding) []string {
		return func(f model.Finding) []string { return []string{value(f)} }
	}
	stamp := func(t time.Time) []string {
		if t.IsZero() {
			return nil
		}
		return []string{filter.Stamp(t)}
	}
	return filter.Fields[model.Finding]{
		"account": one(func(f model.Finding) string { return f.Resource.Account }),
		"blind":   one(func(f model.Finding) string { return strconv.FormatBool(!f.BlindSince.IsZero()) }),
		"cause": func(f model.Finding) []string {
			if f.Cause == "" {
				return nil
			}
			return []string{string(f.Cause)}
		},
		"check":       one(func(f model.Finding) string { return string(f.Check) }),
		"folded":      one(func(f model.Finding) string { return strconv.FormatBool(f.Cause != "") }),
		"first_seen":  func(f model.Finding) []string { return stamp(f.FirstSeen) },
		"framework":   func(f model.Finding) []string { return texts.Frameworks(f.Check) },
		"id":          one(func(f model.Finding) string { return string(f.ID) }),
		"name":        one(func(f model.Finding) string { return f.Resource.Name }),
		"part":        one(func(f model.Finding) string { return f.Resource.Sub }),
		"pillar":      one(func(f model.Finding) string { return string(texts[f.Check].Pillar) }),
		"region":      one(func(f model.Finding) string { return f.Resource.Region }),
		"resolved_at": func(f model.Finding) []string { return stamp(f.ResolvedAt) },
		"resource":    one(func(f model.Finding) string { return f.Resource.ARN }),
		"service":     one(func(f model.Finding) string { return f.Service }),
		"severity":    one(func(f model.Finding) string { return string(f.Severity) }),
		"state":       one(func(f model.Finding) string { return string(f.State) }),
		"status": one(func(f model.Finding) string {
			if f.State.Open() {
				return "fail"
			}
			return "pass"
		}),
		"resource_type": one(func(f model.Finding) string { return f.Kind }),
	}
}
