package findings

import (
	"context"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// OfConnection are the fields that say which connections are meant, TagField is that of all
// tags, and ofCheck are those that say which checks.
var (
	OfConnection = []string{"account", "connection", "project"}
	ofCheck      = []string{"check", "service", "severity", "pillar", "framework", "resource_type"}
)

// TagField begins the fields that are tags.
const TagField = "tag:"

// why says why nothing fits the words of a query, which the vocabulary took.
func (l *Lists) why(ctx context.Context, view *index.View, who index.Caller, asked []string, q Query) (*Empty, error) {
	meant, err := Meant(asked)
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
	assessed, missed, err := l.assessed(view, who, meant, asked)
	if err != nil {
		return nil, err
	}
	hidden, err := count(asked)
	switch {
	case err != nil:
		return nil, err
	case assessed == 0 && missed > 0:
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
	// Who reads "none" has to know of what.
	if out.NotAssessed = missed; missed > 0 && out.Why != NotAssessed {
		out.Text += fmt.Sprintf("; of the checks that are meant %d verdicts could not be given", missed)
	}
	if out.NotAudited = chosen - audited; out.NotAudited > 0 {
		out.Text += fmt.Sprintf("; %d of the accounts were never audited in whole", out.NotAudited)
	}
	return out, nil
}

// Meant reports which connections the words of a filter mean, which a vocabulary took.
func Meant(asked []string) (func(index.Connection) bool, error) {
	words, _ := filter.Part(asked, OfConnection...)
	f, err := filter.Parse(filter.Fields[index.Connection]{
		"account":    func(c index.Connection) []string { return []string{c.Account} },
		"connection": func(c index.Connection) []string { return []string{string(c.ID)} },
		"project":    func(c index.Connection) []string { return c.Projects },
	}, words)
	return f.Match, err
}

// assessed is how many verdicts of the checks that the words of a filter mean were given, and
// how many could not be.
func (l *Lists) assessed(view *index.View, who index.Caller, meant func(index.Connection) bool, asked []string) (assessed, missed int, err error) {
	words, _ := filter.Part(asked, ofCheck...)
	f, err := filter.Parse(filter.Fields[check.Check]{
		"check":         func(c check.Check) []string { return []string{string(c.ID)} },
		"service":       func(c check.Check) []string { return []string{c.Service} },
		"severity":      func(c check.Check) []string { return []string{string(c.Severity)} },
		"pillar":        func(c check.Check) []string { return []string{string(l.texts[c.ID].Pillar)} },
		"framework":     func(c check.Check) []string { return l.texts.Frameworks(c.ID) },
		"resource_type": func(c check.Check) []string { return []string{c.Kind} },
	}, words)
	if err != nil {
		return 0, 0, err
	}
	chosen := map[model.ConnectionID]bool{}
	for c := range view.Connections(who) {
		chosen[c.ID] = meant(c)
	}
	totals := view.Totals(l.rules, who, func(id model.ConnectionID, _ []string) bool { return chosen[id] })
	for _, t := range totals.Checks {
		if c, known := l.Catalog.Check(t.Check); known && f.Match(c) {
			assessed += t.Counts.Pass + t.Counts.Fail + t.Counts.NotApplicable
			missed += t.Counts.NotAssessed
		}
	}
	return assessed, missed, nil
}
