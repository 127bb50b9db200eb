package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
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
	return collected(pages[model.Connection](ctx, c, "/v1/connections", "connections", sizes{500, 500}, nil))
}

// Connection reads one.
func (c *Client) Connection(ctx context.Context, id model.ConnectionID) (Connection, error) {
	return c.connection(ctx, "read connection "+string(id), http.MethodGet, path(id), nil, nil)
}

// Connect makes one. The same key again gives the connection that it gave before.
func (c *Client) Connect(ctx context.Context, key string, in ConnectionInput) (Connection, error) {
	return c.connection(ctx, "make a connection", http.MethodPost, "/v1/connections", map[string]string{KeyHeader: key}, in)
}

// Update changes one, unless somebody else changed it since it was read.
func (c *Client) Update(ctx context.Context, was Connection, in ConnectionInput) (Connection, error) {
	return c.connection(ctx, "change connection "+string(was.ID), http.MethodPut, path(was.ID), map[string]string{"If-Match": was.tag}, whole(in))
}

// whole is a ConnectionInput of which nothing is left out: the API takes away what is said
// empty, and refuses that it is not spoken of.
type whole ConnectionInput

// MarshalJSON implements json.Marshaler.
func (w whole) MarshalJSON() ([]byte, error) {
	list := func(words []string) []string { return append([]string{}, words...) }
	return json.Marshal(map[string]any{
		"name": w.Name, "project": w.Project, "role_arn": w.RoleARN,
		"regions": list(w.Regions), "services": list(w.Services), "checks": list(w.Checks), "unused_defaults": w.Unused,
		"trusted_accounts": list(w.TrustedAccounts), "options": model.CheckOptions{}.Or(w.Options), "call_budget": w.CallBudget, "schedule": w.Schedule,
	})
}

// Disconnect deletes one, unless somebody else changed it since it was read. The receipt
// says how far the purge is.
func (c *Client) Disconnect(ctx context.Context, was Connection) (r model.Receipt, err error) {
	if _, err = c.Call(ctx, http.MethodDelete, path(was.ID), map[string]string{"If-Match": was.tag}, nil, &r); err != nil {
		err = fmt.Errorf("delete connection %s: %w", was.ID, err)
	}
	return r, err
}

// AccessKey is an access key that a connection is given.
type AccessKey struct {
	ID, Secret secret.String
	Account    string    // whose it has to be; empty if that is not known
	Made       time.Time // zero if that is not known
}

// GiveAccessKey gives a connection an access key in the place of what it had.
func (c *Client) GiveAccessKey(ctx context.Context, was Connection, key AccessKey) (Connection, error) {
	in := struct {
		ID      string    `json:"access_key_id"`
		Secret  string    `json:"secret_access_key"`
		Account string    `json:"account_id,omitempty"`
		Made    time.Time `json:"created_at,omitzero"`
	}{key.ID.Reveal(), key.Secret.Reveal(), key.Account, key.Made}
	return c.connection(ctx, "give connection "+string(was.ID)+" an access key", http.MethodPut, path(was.ID)+"/access-key", map[string]string{"If-Match": was.tag}, in)
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
	answered, err := c.Call(ctx, http.MethodPost, path(id)+"/verify", map[string]string{KeyHeader: ulid.Make().String()}, nil, &a)
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
