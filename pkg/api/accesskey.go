package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Secret is a value that clients give and never get.
type Secret struct{ secret.String }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secret) UnmarshalText(text []byte) error {
	s.String = secret.New(string(text))
	return nil
}

// Schema implements huma.SchemaProvider.
func (Secret) Schema(huma.Registry) *huma.Schema {
	longest := 256 // of what is looked at; secret.AccessKey knows the forms
	return &huma.Schema{Type: huma.TypeString, WriteOnly: true, MaxLength: &longest}
}

// AccessKeyInput is an access key as a client gives it.
type AccessKeyInput struct {
	AccessKeyID     Secret    `json:"access_key_id" doc:"Of an IAM user; begins with AKIA"`
	SecretAccessKey Secret    `json:"secret_access_key"`
	AccountID       string    `json:"account_id,omitempty" pattern:"^[0-9]{12}$" doc:"Whose account it opens, if you know: another one is then refused. The first audit or verification finds it out otherwise"`
	CreatedAt       time.Time `json:"created_at,omitempty" required:"false" doc:"When the key was made, if you know: from then its age is counted, from now otherwise"`
}

func (a *API) giveAccessKey(ctx context.Context, in *struct {
	ConnectionPath
	IfMatch string `header:"If-Match" doc:"The ETag of the connection as it was read"`
	Body    AccessKeyInput
},
) (*connectionAnswer, error) {
	org := a.org(ctx)
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	if err := a.keysAllowed(ctx, org); err != nil {
		return nil, err
	}
	if err := matches(ctx, in.IfMatch, c.Version, "the connection"); err != nil {
		return nil, err
	}
	key := secret.AccessKey{ID: in.Body.AccessKeyID.String, Secret: in.Body.SecretAccessKey.String}
	if err := key.Check(); err != nil {
		return nil, invalid(ctx, "body", err.Error())
	}
	if given := in.Body.AccountID; given != "" {
		if c.AccountID != "" && c.AccountID != given {
			return nil, problem(ctx, http.StatusUnprocessableEntity, "account_mismatch", "the connection is of account "+c.AccountID+"; connect another account by itself")
		}
		c.AccountID = given
	}
	made := in.Body.CreatedAt.UTC()
	if made.After(a.Now()) {
		return nil, invalid(ctx, "body.created_at", "the key was not made in the future")
	}
	if in.Body.CreatedAt.IsZero() {
		made = a.Now().UTC().Truncate(time.Second)
	}
	if err := a.AccessKeys.Set(ctx, a.by(ctx), callerOf(ctx).Organization, &c, key, made); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "an access key was given", slog.String("connection", string(c.ID)), slog.String("suffix", c.AccessKey.Suffix))
	a.tell(ctx, event.OfConnection(callerOf(ctx).Organization, event.AccessKeyGiven, c, a.Now()))
	return a.showConnection(ctx, callerOf(ctx).Organization, c)
}

// keysAllowed refuses unless an administrator allowed access keys.
func (a *API) keysAllowed(ctx context.Context, org *store.Organization) error {
	settings, err := org.Settings(ctx)
	if err != nil {
		return a.answer(ctx, err)
	}
	if !settings.AccessKeysAllowed {
		return problem(ctx, http.StatusForbidden, model.CodeAccessKeysDisabled, "access keys are not allowed: give the connection a role, or allow them with PUT /v1/settings")
	}
	return nil
}

// tell tells programs what a request changed. The change is made: that nobody could be
// told is no reason to say anything else.
func (a *API) tell(ctx context.Context, e event.Event) {
	if err := event.Tell(ctx, a.Events, e); err != nil {
		a.Log.ErrorContext(ctx, "an event was not published", slog.Any("error", err))
	}
}

// note logs what somebody did.
func (a *API) note(ctx context.Context, what string, more ...any) {
	caller := callerOf(ctx)
	a.Log.InfoContext(ctx, what, append([]any{slog.String("organization", string(caller.Organization)), slog.String("caller", caller.Actor.ID)}, more...)...)
}
