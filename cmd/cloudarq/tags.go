package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/tags"
	"github.com/cloudarq/cloudarq/pkg/services/tagging"
)

// tagField begins the filter words that ask for a tag: "tag:env=prod".
const tagField = "tag:"

// tagHelp tells of the filter that no list of fields can hold.
const tagHelp = `tag:KEY asks for a tag of the resource, such as tag:env=prod; KEY is taken as it is
written. Tags are those of the account's newest audit that listed them. Where they
are not known, a resource fits neither tag:KEY=VALUE nor tag:KEY!=VALUE.`

// tagKeys are the keys of the tags that a filter asks for, and its words with
// those on tags at the end: what other words leave out needs no tags.
func tagKeys(words []string) (keys, ordered []string) {
	var last []string
	for _, word := range words {
		at := strings.IndexAny(word, "=<>!")
		if at < 0 || !strings.HasPrefix(word, tagField) || at == len(tagField) {
			ordered = append(ordered, word)
			continue
		}
		last = append(last, word)
		if key := word[len(tagField):at]; !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, append(ordered, last...)
}

// tagged answers for the tags of resources, of all accounts, and remembers what
// it could not answer.
type tagged struct {
	indexes map[string]*tags.Index // by account
	asked   map[string]bool        // resources whose tags are not known
	why     map[string]bool
}

// readTags reads the tags with the keys given from the newest audit of each
// account that listed any.
func readTags(ctx context.Context, s *local.State, keys []string) (*tagged, error) {
	t := &tagged{indexes: map[string]*tags.Index{}, asked: map[string]bool{}, why: map[string]bool{}}
	if len(keys) == 0 {
		return t, nil
	}
	connections, err := s.Records.Connections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range connections {
		listed, err := tags.Newest(ctx, s.Records, c.ID)
		if err != nil {
			return nil, err
		}
		if len(listed) == 0 {
			continue
		}
		if t.indexes[c.AccountID], err = tags.Read(ctx, s.Evidence, listed, func(key string) bool { return slices.Contains(keys, key) }); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// withTags adds a field to a filter for each key.
func withTags[T any](fields filter.Fields[T], keys []string, t *tagged, ref func(T) model.Ref) filter.Fields[T] {
	fields = maps.Clone(fields)
	for _, key := range keys {
		fields[tagField+key] = func(v T) []string { return t.values(ref(v), key) }
	}
	return fields
}

func (t *tagged) values(ref model.Ref, key string) []string {
	index := t.indexes[ref.Account]
	if index == nil {
		return t.unknown(ref, fmt.Sprintf("no audit of account %s listed its tags: audit it in full, or with %s among --services", ref.Account, tagging.Name))
	}
	of, gap := index.Of(ref)
	if gap != nil {
		return t.unknown(ref, reason(ref.Account, *gap))
	}
	if value, ok := of[key]; ok {
		return []string{value}
	}
	return nil
}

func (t *tagged) unknown(ref model.Ref, why string) []string {
	t.asked[ref.String()] = true
	t.why[why] = true
	return filter.Unknown
}

func reason(account string, gap fact.Gap) string {
	if gap.Reason == fact.Unsupported && gap.Operation == "" {
		return gap.Detail
	}
	region := gap.Region
	if region == "" {
		region = "the region of global resources"
	}
	what := fmt.Sprintf("%s of account %s was not listed", region, account)
	if gap.Reason != fact.NotCollected {
		what += " (" + gap.String() + ")"
	}
	if gap.Action != "" {
		what += ": allow " + gap.Action
	}
	return what
}

// say tells, once, for how many resources the question stayed open, and why.
func (t *tagged) say(c *cli) {
	if len(t.asked) == 0 {
		return
	}
	c.note("the tags of %s are not known, so no word on tags fits: %s",
		report.Count(len(t.asked), "resource"), strings.Join(slices.Sorted(maps.Keys(t.why)), "; "))
}

// parse reads a filter whose words may ask for tags.
func parse[T any](ctx context.Context, b backend, fields filter.Fields[T], words []string, ref func(T) model.Ref) (filter.Filter[T], *tagged, error) {
	keys, words := tagKeys(words)
	var none filter.Filter[T]
	for _, word := range words {
		if strings.HasPrefix(word, tagField) && strings.ContainsAny(word, "<>") {
			return none, nil, usagef("filter %q: tags are compared with = and != only", word)
		}
	}
	t, err := b.Tags(ctx, keys)
	if err != nil {
		return none, nil, err
	}
	wanted, err := filter.Parse(withTags(fields, keys, t, ref), words)
	if err != nil {
		return none, nil, usage(err)
	}
	return wanted, t, nil
}
