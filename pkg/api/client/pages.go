package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// maxPages bounds a list: 400,000 findings, 40,000 audits of a connection. A server that
// gives cursors for ever would be asked for ever.
const maxPages = 2_000

// more is of a page that others may follow.
type more struct {
	Cursor string `json:"cursor"`
}

func (m more) next() string { return m.Cursor }

// paged yields the pages of a list, which is asked for by the parameters that are given for
// each cursor: whoever stops has read no page more.
func paged[P interface{ next() string }](ctx context.Context, c *Client, path, what string, parameters func(cursor string) string) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		cursor := ""
		for range maxPages {
			var page, none P
			if _, err := c.Call(ctx, http.MethodGet, path+"?"+parameters(cursor), nil, nil, &page); err != nil {
				yield(none, fmt.Errorf("list the server's %s: %w", what, err))
				return
			}
			if !yield(page, nil) || page.next() == "" {
				return
			}
			if page.next() == cursor {
				break
			}
			cursor = page.next()
		}
		var none P
		yield(none, fmt.Errorf("what answers at %s is not CloudArq's API: its list of %s has no end", c.base, what))
	}
}

// sizes are how many entries the first page has, and each of the others.
type sizes struct{ first, then int }

// listed is a page whose entries are in a field that is named when they are asked for.
type listed struct {
	more
	fields map[string]json.RawMessage
}

// UnmarshalJSON keeps all fields.
func (l *listed) UnmarshalJSON(data []byte) error {
	return errors.Join(json.Unmarshal(data, &l.fields), json.Unmarshal(data, &l.more))
}

// pages yields a list of what fits the words of a filter, entry by entry.
func pages[T any](ctx context.Context, c *Client, path, field string, of sizes, query url.Values, words ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for page, err := range paged[listed](ctx, c, path, field, func(cursor string) string { return at(query, of, cursor, words) }) {
			if err != nil {
				yield(none, err)
				return
			}
			var all []T
			if err := json.Unmarshal(page.fields[field], &all); err != nil {
				yield(none, fmt.Errorf("what answers at %s is not CloudArq's API: %w", c.base, err))
				return
			}
			for _, one := range all {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// at is a query for the page at a cursor. A word of a filter is a parameter as it stands.
func at(query url.Values, of sizes, cursor string, words []string) string {
	all := maps.Clone(query)
	if all == nil {
		all = url.Values{}
	}
	all.Set("limit", strconv.Itoa(of.first))
	if cursor != "" {
		all.Set("cursor", cursor)
		all.Set("limit", strconv.Itoa(of.then))
	}
	text := all.Encode()
	for _, word := range words {
		text += "&" + url.QueryEscape(word)
	}
	return text
}

// collected is all of a list.
func collected[T any](list iter.Seq2[T, error]) (all []T, err error) {
	for one, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
