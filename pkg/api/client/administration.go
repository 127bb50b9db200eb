package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// AdminLog yields what administrators changed, the newest first.
func (c *Client) AdminLog(ctx context.Context) iter.Seq2[model.AdminEntry, error] {
	return pages[model.AdminEntry](ctx, c, "/v1/admin-log", "entries", sizes{1000, 1000}, nil)
}

// Settings reads the organization's settings; the tag is of what was read.
func (c *Client) Settings(ctx context.Context) (s model.Settings, tag string, err error) {
	answered, err := c.Call(ctx, http.MethodGet, "/v1/settings", nil, nil, &s)
	if err != nil {
		return s, "", fmt.Errorf("read the settings: %w", err)
	}
	return s, answered.Get("ETag"), nil
}

// PutSettings changes the settings, unless somebody else did since they were read.
func (c *Client) PutSettings(ctx context.Context, tag string, s model.Settings) (now model.Settings, err error) {
	if _, err = c.Call(ctx, http.MethodPut, "/v1/settings", map[string]string{"If-Match": tag}, s, &now); err != nil {
		err = fmt.Errorf("change the settings: %w", err)
	}
	return now, err
}

// Policy is the published policy in a format, byte for byte.
func (c *Client) Policy(ctx context.Context, format string) (text []byte, err error) {
	if _, err = c.Call(ctx, http.MethodGet, "/v1/policy?"+url.Values{"format": {format}}.Encode(), nil, nil, &text); err != nil {
		err = fmt.Errorf("read the policy: %w", err)
	}
	return text, err
}
