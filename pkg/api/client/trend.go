package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
)

// Trend yields the points of a series, the oldest first: of a connection, of a project, or
// with neither of the organization.
func (c *Client) Trend(ctx context.Context, connection model.ConnectionID, project string, q trend.Query) iter.Seq2[trend.Point, error] {
	query := url.Values{"step": {string(q.Step)}}
	for name, value := range map[string]string{"connection": string(connection), "project": project, "framework": q.Framework} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	return pages[trend.Point](ctx, c, "/v1/trend", "points", sizes{trend.MaxLimit, trend.MaxLimit}, query)
}
