package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// With is a client that shows another token.
func (c *Client) With(token secret.String) *Client {
	other := *c
	other.options.Token, other.options.Tokens = token, nil
	return &other
}

// Use is a client that takes its tokens from elsewhere.
func (c *Client) Use(tokens Tokens) *Client {
	other := *c
	other.options.Token, other.options.Tokens = secret.String{}, tokens
	return &other
}

// Link is a one-time link that was made for somebody.
type Link struct {
	ID        string    `json:"id"`
	Token     string    `json:"token"` // for the link's fragment
	ExpiresAt time.Time `json:"expires_at"`
}

// SignIn is what comes of a step of signing in.
type SignIn struct {
	Next         string         `json:"next"`      // "second_factor", "enrolment", "organization"; empty when it is done
	Challenge    string         `json:"challenge"` // for the next step
	Methods      []string       `json:"methods"`
	Session      *model.Session `json:"session"`
	AccessToken  string         `json:"access_token"`
	RefreshToken string         `json:"refresh_token"`
	ExpiresAt    time.Time      `json:"expires_at"` // of the access token
	BackupCodes  []string       `json:"backup_codes"`
}

func organizationPath(org model.OrganizationID) string {
	return operators + "v1/organizations/" + url.PathEscape(string(org))
}

// CreateOrganization makes an organization, as an operator.
func (c *Client) CreateOrganization(ctx context.Context, org model.OrganizationID, name string) error {
	in := map[string]string{"id": string(org), "name": name}
	if _, err := c.Call(ctx, http.MethodPost, operators+"v1/organizations", nil, in, nil); err != nil {
		return fmt.Errorf("make organization %s: %w", org, err)
	}
	return nil
}

// InviteAdministrator invites somebody to administer an organization, as an operator.
func (c *Client) InviteAdministrator(ctx context.Context, org model.OrganizationID, email string) (l Link, err error) {
	if _, err = c.Call(ctx, http.MethodPost, organizationPath(org)+"/invitations", nil, map[string]string{"email": email}, &l); err != nil {
		err = fmt.Errorf("invite an administrator of organization %s: %w", org, err)
	}
	return l, err
}

// Accept accepts an invitation by its link's token: somebody new chooses the password.
func (c *Client) Accept(ctx context.Context, token, name string, password secret.String) (s SignIn, err error) {
	in := map[string]string{"token": token, "name": name, "password": password.Reveal()}
	if _, err = c.With(secret.String{}).Call(ctx, http.MethodPost, "/v1/invitations/acceptance", nil, in, &s); err != nil {
		err = fmt.Errorf("accept the invitation: %w", err)
	}
	return s, err
}

// CreateToken makes an API token of the signed in person's.
func (c *Client) CreateToken(ctx context.Context, name string, scopes ...model.Scope) (secret.String, error) {
	var made struct {
		Token string `json:"token"`
	}
	if _, err := c.Call(ctx, http.MethodPost, "/v1/tokens", nil, map[string]any{"name": name, "scopes": scopes}, &made); err != nil {
		return secret.String{}, fmt.Errorf("make an API token: %w", err)
	}
	return secret.New(made.Token), nil
}

// Me is who somebody is to a server.
type Me struct {
	Session       *model.Session         `json:"session"` // of a person who signed in
	Token         *model.APIToken        `json:"token"`   // of a program
	Person        model.Person           `json:"person"`  // or the owner of the token
	Organization  model.OrganizationID   `json:"organization"`
	Role          model.Role             `json:"role"`
	Scopes        []model.Scope          `json:"scopes"`
	AllProjects   bool                   `json:"all_projects"`
	Projects      []string               `json:"projects"`
	Organizations []model.OrganizationID `json:"organizations"`
}

// Me says who the client's token is of.
func (c *Client) Me(ctx context.Context) (m Me, err error) {
	if _, err = c.Call(ctx, http.MethodGet, "/v1/session", nil, nil, &m); err != nil {
		err = fmt.Errorf("ask the server who you are: %w", err)
	}
	return m, err
}

// TakeOver signs in by the code of a browser's session and the verifier that it is for.
func (c *Client) TakeOver(ctx context.Context, code, verifier secret.String) (s SignIn, err error) {
	in := map[string]string{"code": code.Reveal(), "verifier": verifier.Reveal()}
	if _, err = c.With(secret.String{}).Call(ctx, http.MethodPost, "/v1/sign-in/handover", nil, in, &s); err != nil {
		err = fmt.Errorf("sign in: %w", err)
	}
	return s, err
}

// Refresh gets new tokens for a refresh token, which is used up.
func (c *Client) Refresh(ctx context.Context, refresh secret.String) (s SignIn, err error) {
	in := map[string]string{"refresh_token": refresh.Reveal()}
	if _, err = c.With(secret.String{}).Call(ctx, http.MethodPost, "/v1/session/refresh", nil, in, &s); err != nil {
		err = fmt.Errorf("refresh the session: %w", err)
	}
	return s, err
}

// SignOut ends the session of the client's token.
func (c *Client) SignOut(ctx context.Context) error {
	if _, err := c.Call(ctx, http.MethodDelete, "/v1/session", nil, nil, nil); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}
