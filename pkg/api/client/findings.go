package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// findingsAtOnce is the most findings of a page: one with its advice is of a few kilobytes.
const findingsAtOnce = 500

type findingsPage struct {
	more
	Findings []shape.Finding `json:"findings"`
	Total    int             `json:"total"`
	Empty    *findings.Empty `json:"empty"`
	Untold   int             `json:"unknown_tags"`
}

// Findings visits the findings of a query, up to a number of them; 0 is all. It gives what
// the first page says besides.
func (c *Client) Findings(ctx context.Context, q findings.Query, most int, visit func(shape.Finding) error) (first findings.Page, err error) {
	parameters := url.Values{"count": {"exact"}}
	if len(q.Sort) > 0 {
		parameters.Set("sort", strings.Join(q.Sort, ","))
	}
	if q.All {
		parameters.Set("all", "true")
	}
	seen, begun := 0, false
	limited := func(cursor string) string {
		limit := findingsAtOnce
		if most > 0 {
			limit = min(limit, most-seen)
		}
		return at(parameters, sizes{limit, limit}, cursor, q.Words)
	}
	for page, err := range paged[findingsPage](ctx, c, "/v1/findings", "findings", limited) {
		if err != nil {
			return first, err
		}
		if !begun {
			first, begun = findings.Page{Total: page.Total, Empty: page.Empty, Untold: page.Untold}, true
		}
		for _, f := range page.Findings {
			if err := visit(f); err != nil {
				return first, err
			}
		}
		if seen += len(page.Findings); most > 0 && seen >= most {
			break
		}
	}
	return first, nil
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

type resourcesPage struct {
	more
	Resources []shape.Resource `json:"resources"`
	Untold    recorded.Untold  `json:"unknown_tags"`
	Forgotten []string         `json:"forgotten_accounts"`
	Unaudited int              `json:"unaudited_accounts"`
}

// Resources visits the resources of the newest audits that fit the words of a filter.
func (c *Client) Resources(ctx context.Context, words []string, visit func(shape.Resource) error) (left recorded.Left, err error) {
	most := sizes{verdictsAtOnce.then, verdictsAtOnce.then}
	for page, err := range paged[resourcesPage](ctx, c, "/v1/resources", "resources", func(cursor string) string { return at(nil, most, cursor, words) }) {
		if err != nil {
			return left, err
		}
		left.Add(recorded.Left{Untold: page.Untold, Forgotten: page.Forgotten, Unaudited: page.Unaudited})
		for _, r := range page.Resources {
			if err := visit(r); err != nil {
				return left, err
			}
		}
	}
	return left, nil
}
