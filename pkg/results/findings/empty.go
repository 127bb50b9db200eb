package findings

import (
	"context"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// ofConnection are the fields that say which connections are meant, and ofCheck those that
// say which checks.
var (
	ofConnection = []string{"account", "connection", "project"}
	ofCheck      = []string{"check", "service", "severity", "pillar", "framework", "resource_type"}
)

// why says why nothing fits the words of a query, which the vocabulary took.
func (l *Lists) why(ctx context.Context, view *index.View, who index.Caller, asked []string, q Query) (*Empty, error) {
	meant, err := l.meant(asked)
	if err != nil {
		return nil, err
	}
	connected, audited, chosen := false, 0, 0
	for c := range view.Connections(who) {
		connected = true
		if !meant(c) {
			continue
		}
		chosen++
		if c.Audited {
			audited++
		}
	}
	switch {
	case !connected:
		return &Empty{Why: NeverAudited, Text: "no account is connected yet"}, nil
	case chosen == 0:
		return &Empty{Why: FilteredOut, Text: "no account fits"}, nil
	}
	count := func(words []string) (int, error) {
		answer, err := view.Ask(ctx, l.checks(), l.Sealer, who, index.Query{Words: words})
		return answer.Total, err
	}
	there, err := count(nil)
	if err != nil {
		return nil, err
	}
	out := &Empty{}
	for _, word := range asked {
		n, err := count([]string{word})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			out.Words = append(out.Words, word)
		}
	}
	if audited == 0 && there == 0 {
		out.Why, out.Text = NeverAudited, "nothing that is meant was audited in whole yet"
		return out, nil
	}
	blind, err := l.blind(view, who, meant, asked)
	if err != nil {
		return nil, err
	}
	hidden, err := count(asked)
	switch {
	case err != nil:
		return nil, err
	case blind:
		out.Why, out.Text = NotAssessed, "no check that is meant could be assessed"
	case hidden > 0 && !q.All:
		out.Why, out.Text = FilteredOut, "what fits is resolved, or follows from another failure"
	case len(asked) == 0 || there == 0:
		out.Why, out.Text = NoneFound, "what was audited has none"
	case len(out.Words) > 0:
		out.Why, out.Text = FilteredOut, "no finding at all fits "+check.List(out.Words)
	default:
		out.Why, out.Text = FilteredOut, "no finding fits all filters"
	}
	return out, nil
}

// meant reports which connections the words of a filter mean.
func (l *Lists) meant(asked []string) (func(index.Connection) bool, error) {
	f, err := filter.Parse(filter.Fields[index.Connection]{
		"account":    func(c index.Connection) []string { return []string{c.Account} },
		"connection": func(c index.Connection) []string { return []string{string(c.ID)} },
		"project":    func(c index.Connection) []string { return c.Projects },
	}, on(asked, ofConnection))
	return f.Match, err
}

// blind reports whether no check that the words of a filter mean was assessed anywhere, and
// some should have been.
func (l *Lists) blind(view *index.View, who index.Caller, meant func(index.Connection) bool, asked []string) (bool, error) {
	words := on(asked, ofCheck)
	f, err := filter.Parse(filter.Fields[check.Check]{
		"check":         func(c check.Check) []string { return []string{string(c.ID)} },
		"service":       func(c check.Check) []string { return []string{c.Service} },
		"severity":      func(c check.Check) []string { return []string{string(c.Severity)} },
		"pillar":        func(c check.Check) []string { return []string{string(l.texts[c.ID].Pillar)} },
		"framework":     func(c check.Check) []string { return l.texts.Frameworks(c.ID) },
		"resource_type": func(c check.Check) []string { return []string{c.Kind} },
	}, words)
	if err != nil {
		return false, err
	}
	chosen := map[model.ConnectionID]bool{}
	for c := range view.Connections(who) {
		chosen[c.ID] = meant(c)
	}
	totals := view.Totals(l.rules, who, func(id model.ConnectionID, _ []string) bool { return chosen[id] })
	assessed, missed := 0, 0
	for _, t := range totals.Checks {
		if c, known := l.Catalog.Check(t.Check); known && f.Match(c) {
			assessed += t.Counts.Pass + t.Counts.Fail + t.Counts.NotApplicable
			missed += t.Counts.NotAssessed
		}
	}
	return assessed == 0 && missed > 0, nil
}

// on are the words on some fields.
func on(words, fields []string) []string {
	var all []string
	for _, word := range words {
		for _, f := range fields {
			if rest, ok := strings.CutPrefix(word, f); ok && strings.HasPrefix(strings.TrimPrefix(rest, "!"), "=") {
				all = append(all, word)
			}
		}
	}
	return all
}
