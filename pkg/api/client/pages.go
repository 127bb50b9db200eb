package client

import (
	"context"
	"encoding/json"
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

// sizes are how many entries the first page has, and each of the others.
type sizes struct{ first, then int }

// pages yields a list page by page, of what fits the words of a filter: whoever stops has read
// no page more.
func pages[T any](ctx context.Context, c *Client, path, field string, of sizes, query url.Values, words ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		query := maps.Clone(query)
		if query == nil {
			query = url.Values{}
		}
		query.Set("limit", strconv.Itoa(of.first))
		cursor := ""
		for range maxPages {
			if cursor != "" {
				query.Set("cursor", cursor)
				query.Set("limit", strconv.Itoa(of.then))
			}
			var page map[string]json.RawMessage
			if _, err := c.Call(ctx, http.MethodGet, path+"?"+withWords(query, words), nil, nil, &page); err != nil {
				yield(none, fmt.Errorf("list the server's %s: %w", field, err))
				return
			}
			var all []T
			next := ""
			err := json.Unmarshal(page[field], &all)
			if text, more := page["cursor"]; more && err == nil {
				err = json.Unmarshal(text, &next)
			}
			if err != nil {
				yield(none, fmt.Errorf("what answers at %s is not CloudArq's API: %w", c.base, err))
				return
			}
			for _, one := range all {
				if !yield(one, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			if next == cursor {
				break
			}
			cursor = next
		}
		yield(none, fmt.Errorf("what answers at %s is not CloudArq's API: its list of %s has no end", c.base, field))
	}
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
