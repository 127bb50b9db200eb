package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// ConnectionInput is what is said of a connection. A change says all of it anew.
type ConnectionInput struct {
	Name    string `json:"name,omitempty"`
	Project string `json:"project,omitempty"`
	RoleARN string `json:"role_arn,omitempty"`
	model.AuditOptions
	Schedule model.Schedule `json:"schedule,omitzero"`
}

// Connection is a connection of the deployment, with what its role needs.
type Connection struct {
	model.Connection
	ExternalID  string `json:"external_id"`  // that the role has to ask for
	CheckerRole string `json:"checker_role"` // ARN of the role that it has to trust

	tag string // of this state of the connection
}

// Input is what was said of the connection, to be changed.
func (c Connection) Input() ConnectionInput {
	return ConnectionInput{c.Name, c.Project, c.RoleARN, c.AuditOptions, c.Schedule}
}

// Connections lists the organization's, without what their roles need.
func (c *Client) Connections(ctx context.Context) ([]model.Connection, error) {
	var all []model.Connection
	for cursor := ""; ; {
		var page struct {
			Connections []model.Connection `json:"connections"`
			Cursor      string             `json:"cursor"`
		}
		if _, err := c.Call(ctx, http.MethodGet, "/v1/connections?limit=500&cursor="+url.QueryEscape(cursor), nil, nil, &page); err != nil {
			return nil, fmt.Errorf("list the deployment's connections: %w", err)
		}
		all = append(all, page.Connections...)
		if cursor = page.Cursor; cursor == "" {
			return all, nil
		}
	}
}

// Connection reads one.
func (c *Client) Connection(ctx context.Context, id model.ConnectionID) (Connection, error) {
	return c.connection(ctx, "read connection "+string(id), http.MethodGet, path(id), nil, nil)
}

// Connect makes one. The same key again gives the connection that it gave before.
func (c *Client) Connect(ctx context.Context, key string, in ConnectionInput) (Connection, error) {
	return c.connection(ctx, "make a connection", http.MethodPost, "/v1/connections", map[string]string{"Idempotency-Key": key}, in)
}

// Update changes one, unless somebody else changed it since it was read.
func (c *Client) Update(ctx context.Context, was Connection, in ConnectionInput) (Connection, error) {
	return c.connection(ctx, "change connection "+string(was.ID), http.MethodPut, path(was.ID), map[string]string{"If-Match": was.tag}, in)
}

// Disconnect deletes one, unless somebody else changed it since it was read.
func (c *Client) Disconnect(ctx context.Context, was Connection) error {
	if _, err := c.Call(ctx, http.MethodDelete, path(was.ID), map[string]string{"If-Match": was.tag}, nil, nil); err != nil {
		return fmt.Errorf("delete connection %s: %w", was.ID, err)
	}
	return nil
}

func (c *Client) connection(ctx context.Context, doing, method, path string, header map[string]string, in any) (out Connection, err error) {
	answered, err := c.Call(ctx, method, path, header, in, &out)
	if err != nil {
		return out, fmt.Errorf("%s: %w", doing, err)
	}
	out.tag = answered.Get("ETag")
	return out, nil
}

func path(id model.ConnectionID) string { return "/v1/connections/" + url.PathEscape(string(id)) }

// Verify has the deployment try the connection's role, and waits for what it says:
// the verification, which is an audit without tasks.
func (c *Client) Verify(ctx context.Context, id model.ConnectionID) (model.Audit, error) {
	var a model.Audit
	answered, err := c.Call(ctx, http.MethodPost, path(id)+"/verify", nil, nil, &a)
	for err == nil && !a.State.Ended() {
		select {
		case <-ctx.Done():
			return a, fmt.Errorf("wait for verification %s: %w", a.ID, ctx.Err())
		case <-time.After(retryAfter(answered)):
		}
		answered, err = c.Call(ctx, http.MethodGet, path(id)+"/audits/"+url.PathEscape(string(a.ID)), nil, nil, &a)
	}
	if err != nil {
		return a, fmt.Errorf("verify connection %s: %w", id, err)
	}
	return a, nil
}

// retryAfter is how long the API wants to be left alone.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 2
	}
	return time.Duration(seconds) * time.Second
}
