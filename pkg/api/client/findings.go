package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// findingsAtOnce is the most findings of a page: one with its advice is of a few kilobytes.
const findingsAtOnce = 500

// Findings visits the findings of a query, up to a number of them; 0 is all. It gives what
// the first page says besides.
func (c *Client) Findings(ctx context.Context, q findings.Query, most int, visit func(shape.Finding) error) (findings.Page, error) {
	var first findings.Page
	seen := 0
	for page := range maxPages {
		limit := findingsAtOnce
		if most > 0 {
			limit = min(limit, most-seen)
		}
		var got struct {
			Findings []shape.Finding `json:"findings"`
			Cursor   string          `json:"cursor"`
			Total    int             `json:"total"`
			Empty    *findings.Empty `json:"empty"`
			Untold   int             `json:"unknown_tags"`
		}
		if _, err := c.Call(ctx, http.MethodGet, "/v1/findings?"+query(q, limit), nil, nil, &got); err != nil {
			return first, fmt.Errorf("list the server's findings: %w", err)
		}
		if page == 0 {
			first = findings.Page{Total: got.Total, Empty: got.Empty, Untold: got.Untold}
		}
		for _, f := range got.Findings {
			if err := visit(f); err != nil {
				return first, err
			}
		}
		seen += len(got.Findings)
		if got.Cursor == "" || most > 0 && seen >= most {
			return first, nil
		}
		if got.Cursor == q.Cursor {
			break
		}
		q.Cursor = got.Cursor
	}
	return first, fmt.Errorf("what answers at %s is not CloudArq's API: its list of findings has no end", c.base)
}

// query is a query as the parameters of a request. A word of a filter is one as it stands.
func query(q findings.Query, limit int) string {
	parameters := url.Values{"limit": {strconv.Itoa(limit)}, "count": {"exact"}}
	if len(q.Sort) > 0 {
		parameters.Set("sort", strings.Join(q.Sort, ","))
	}
	if q.All {
		parameters.Set("all", "true")
	}
	if q.Cursor != "" {
		parameters.Set("cursor", q.Cursor)
	}
	return withWords(parameters, q.Words)
}

func withWords(parameters url.Values, words []string) string {
	text := parameters.Encode()
	for _, word := range words {
		text += "&" + url.QueryEscape(word)
	}
	return text
}

// Finding is a finding whole, by its id. If there is none, it is store.ErrNotFound.
func (c *Client) Finding(ctx context.Context, id string) (f shape.Finding, err error) {
	_, err = c.Call(ctx, http.MethodGet, "/v1/findings/"+url.PathEscape(id), nil, nil, &f)
	var p *Problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		err = fmt.Errorf("finding %s: %w", id, store.ErrNotFound)
	}
	return f, err
}

// Resources visits the resources of the newest audits that fit the words of a filter.
func (c *Client) Resources(ctx context.Context, words []string, visit func(shape.Resource) error) (left recorded.Left, err error) {
	parameters := url.Values{"limit": {strconv.Itoa(verdictsAtOnce.then)}}
	for range maxPages {
		var got struct {
			Resources []shape.Resource `json:"resources"`
			Cursor    string           `json:"cursor"`
			Untold    recorded.Untold  `json:"unknown_tags"`
			Forgotten []string         `json:"forgotten_accounts"`
			Unaudited int              `json:"unaudited_accounts"`
		}
		if _, err := c.Call(ctx, http.MethodGet, "/v1/resources?"+withWords(parameters, words), nil, nil, &got); err != nil {
			return left, fmt.Errorf("list the server's resources: %w", err)
		}
		left.Add(recorded.Left{Untold: got.Untold, Forgotten: got.Forgotten, Unaudited: got.Unaudited})
		for _, r := range got.Resources {
			if err := visit(r); err != nil {
				return left, err
			}
		}
		if got.Cursor == "" {
			return left, nil
		}
		if got.Cursor == parameters.Get("cursor") {
			break
		}
		parameters.Set("cursor", got.Cursor)
	}
	return left, fmt.Errorf("what answers at %s is not CloudArq's API: its list of resources has no end", c.base)
}
