package findings

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// Words are what can be asked of findings, by what a version of CloudArq knows without a look
// at any: accounts, connections and projects are whatever there is.
func Words(catalog *check.Catalog) filter.Vocabulary {
	texts := func() index.Texts {
		all, _ := catalog.Texts() // that they parse is tested
		return all
	}
	checks := func() []string { return idsOf(catalog.Checks()) }
	return filter.Vocabulary{
		{Name: "account", Doc: "number of the account, or name of its connection"},
		{Name: "blind", Doc: "whether the resource cannot be read any more", Values: fixed("true", "false")},
		{Name: "cause", Doc: "check whose failure is why another fails", Values: checks, Meaning: alias(catalog)},
		{Name: "check", Doc: "check: its id, or what another tool calls it, such as KMS.4", Values: checks, Meaning: alias(catalog)},
		{Name: "connection", Doc: "connection: its id, name or account"},
		{Name: "first_seen", Doc: "when it failed first: a day, or with >= and <=", Dates: true},
		{Name: "folded", Doc: "whether it only follows from another failure", Values: fixed("true", "false")},
		{Name: "framework", Doc: "compliance framework that the check belongs to", Values: func() []string { return Frameworks(texts()) }},
		{Name: "id", Doc: "identity of the finding, or its beginning with * behind it"},
		{Name: "name", Doc: "name of the resource"},
		{Name: "part", Doc: "part of the resource, such as access-key/1"},
		{Name: "pillar", Doc: "pillar of the Well-Architected Framework", Values: func() []string { return textsOf(model.Pillars()) }},
		{Name: "project", Doc: "project of the connection"},
		{Name: "region", Doc: "region, or global", Values: func() []string { return append(model.KnownRegions(), model.Global) }},
		{Name: "resolved_at", Doc: "when it was resolved: a day, or with >= and <=", Dates: true},
		{Name: "resource", Doc: "ARN of the resource"},
		{Name: "resource_type", Also: []string{"type"}, Doc: "type of the resource, such as AWS::S3::Bucket", Values: func() []string { return kindsOf(catalog) }},
		{Name: "service", Doc: "service of the check", Values: func() []string { return servicesOf(catalog) }},
		{Name: "severity", Doc: "how grave the failure is; >= and <= work", Ordered: true, Values: func() []string {
			all := textsOf(model.Severities())
			slices.Reverse(all)
			return all
		}},
		{Name: "state", Doc: "where the finding is in its life", Values: fixed(string(model.FindingOpen), string(model.FindingReopened), string(model.FindingResolved))},
		{Name: "status", Doc: "fail is open or reopened", Values: fixed("fail", "pass")},
		{Name: "tags", Doc: "whether the resource has tags, if that is known", Values: fixed("some", "none", index.TagsUnknown)},
		{Name: TagField, Doc: "tag of the resource: tag:env=prod"},
	}
}

// Known are Words with the accounts, connections and projects that a caller sees, and with what
// was there once.
func Known(catalog *check.Catalog, view *index.View, who index.Caller) filter.Vocabulary {
	v := Words(catalog)
	for i := range v {
		f := &v[i]
		switch known := f.Values; f.Name {
		case "cause", "check", "region", "resource_type", "service": // findings stay of what is no more
			f.Values = worked(func() []string { return union(known(), view.Values(who, f.Name)) })
		case "account":
			f.Values = worked(func() []string {
				return connections(view, who, func(c index.Connection) []string { return []string{c.Account} })
			})
			f.Meaning = called(view, who, func(c index.Connection) string { return c.Account })
		case "connection":
			f.Values = worked(func() []string {
				return connections(view, who, func(c index.Connection) []string { return []string{string(c.ID)} })
			})
			f.Meaning = called(view, who, func(c index.Connection) string { return string(c.ID) })
		case "project":
			f.Values = worked(func() []string {
				return connections(view, who, func(c index.Connection) []string { return c.Projects })
			})
		}
	}
	return v
}

// worked works values out once.
func worked(values func() []string) func() []string {
	var known []string
	return func() []string {
		if known == nil {
			known = values()
		}
		return known
	}
}

func connections(view *index.View, who index.Caller, of func(index.Connection) []string) []string {
	seen := map[string]bool{}
	all := []string{}
	for c := range view.Connections(who) {
		for _, value := range of(c) {
			if value != "" && !seen[value] {
				seen[value] = true
				all = append(all, value)
			}
		}
	}
	return all
}

// called are the connections that a word calls by name, or by a pattern of names, or account.
func called(view *index.View, who index.Caller, value func(index.Connection) string) func(string) ([]string, error) {
	return func(word string) ([]string, error) {
		calls, err := filter.Parse(filter.Fields[index.Connection]{"called": func(c index.Connection) []string {
			return []string{c.Name, c.Account}
		}}, []string{"called=" + word})
		if err != nil || word == "" {
			return nil, err
		}
		var all, names []string
		for c := range view.Connections(who) {
			names = append(names, c.Name)
			if calls.Match(c) && value(c) != "" {
				all = append(all, value(c))
			}
		}
		switch {
		case len(all) > 0 && filter.IsPattern(word):
			all = append(all, word) // what has it in its own values fits, too
		case len(all) == 0 && !filter.IsPattern(word):
			if near := check.Nearest(word, names); near != "" {
				return nil, &check.UnknownError{What: "account", Word: word, Nearest: near}
			}
		}
		return all, nil
	}
}

// alias finds checks by what other tools call them, with the tool ("securityhub:KMS.4") or
// without, and by ids that they had before.
func alias(catalog *check.Catalog) func(string) ([]string, error) {
	return func(word string) ([]string, error) {
		if c, ok := catalog.Successor(model.CheckID(strings.ToLower(word))); ok {
			return []string{word, string(c.ID)}, nil // findings may have either
		}
		if strings.Contains(word, ":") {
			found, err := catalog.Select([]string{word})
			return idsOf(found), err
		}
		called, err := catalog.Called(word)
		found := make([]string, len(called))
		for i, id := range called {
			found[i] = string(id)
		}
		return found, err
	}
}

// Frameworks are the compliance frameworks that checks belong to.
func Frameworks(texts map[model.CheckID]check.Text) []string {
	seen := map[string]bool{}
	for _, t := range texts {
		for name := range t.Controls {
			seen[name] = true
		}
	}
	return sorted(seen)
}

func idsOf(checks []check.Check) []string {
	ids := make([]string, len(checks))
	for i, c := range checks {
		ids[i] = string(c.ID)
	}
	return ids
}

func kindsOf(catalog *check.Catalog) []string {
	seen := map[string]bool{}
	for _, s := range catalog.Services() {
		for _, k := range s.Kinds {
			seen[k.Name] = true
		}
	}
	return sorted(seen)
}

func servicesOf(catalog *check.Catalog) []string {
	seen := map[string]bool{}
	for _, c := range catalog.Checks() {
		seen[c.Service] = true
	}
	return sorted(seen)
}

func union(a, b []string) []string {
	seen := map[string]bool{}
	for _, one := range slices.Concat(a, b) {
		seen[one] = true
	}
	return sorted(seen)
}

func sorted(seen map[string]bool) []string {
	all := make([]string, 0, len(seen))
	for one := range seen {
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}

func textsOf[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return all
}

func fixed(values ...string) func() []string { return func() []string { return values } }
