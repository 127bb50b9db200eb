package report

import (
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
)

// GrantColumns are the columns of what the audit role allows.
func GrantColumns() []Column[policy.Grant] {
	return []Column[policy.Grant]{
		{Name: "action", Value: func(g policy.Grant) string { return g.Action }},
		{Name: "level", Value: func(g policy.Grant) string { return g.Level }, Fit: Spare},
		{Name: "operations", Value: func(g policy.Grant) string { return strings.Join(g.Operations, ", ") }, Fit: Prose},
		{Name: "resource_types", Value: func(g policy.Grant) string { return strings.Join(g.Kinds, ", ") }, Fit: Prose, Wide: true},
		{Name: "resources", Value: func(g policy.Grant) string { return strings.Join(g.Resources, ", ") }, Fit: Prose, Wide: true},
	}
}

// DifferenceColumns are the columns of how a policy differs from what is needed.
func DifferenceColumns() []Column[grant.Difference] {
	return []Column[grant.Difference]{
		{Name: "what", Value: func(d grant.Difference) string { return d.What }},
		{Name: "action", Value: func(d grant.Difference) string { return d.Action }},
		{Name: "level", Value: func(d grant.Difference) string { return d.Level }},
		{Name: "why", Value: func(d grant.Difference) string { return d.Why }, Fit: Prose},
		{Name: "blinds", Value: func(d grant.Difference) string {
			if d.What != grant.Missing {
				return ""
			}
			return strconv.Itoa(len(d.Checks)) + " checks"
		}},
		{Name: "checks", Value: func(d grant.Difference) string { return ids(d.Checks) }, Fit: Prose, Wide: true},
	}
}

func ids(all []model.CheckID) string {
	words := make([]string, len(all))
	for i, id := range all {
		words[i] = string(id)
	}
	return strings.Join(words, " ")
}
