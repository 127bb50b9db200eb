package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func (a *API) administration(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "get-settings", Method: http.MethodGet, Path: "/v1/settings", Summary: "Show the organization's settings", Tags: []string{"administration"},
	}, a.getSettings)
	huma.Register(api, huma.Operation{
		OperationID: "put-settings", Method: http.MethodPut, Path: "/v1/settings", Summary: "Change the organization's settings", Tags: []string{"administration"},
	}, a.putSettings)
	huma.Register(api, huma.Operation{
		OperationID: "rekey", Method: http.MethodPost, Path: "/v1/rekey",
		Summary: "Wrap the organization's data keys anew, by the newest master key; nothing that is sealed changes", Tags: []string{"administration"},
	}, a.rekey)
}

type settingsAnswer struct {
	ETag string `header:"ETag"`
	Body model.Settings
}

func (a *API) getSettings(ctx context.Context, in *struct{ Organized }) (*settingsAnswer, error) {
	s, err := a.Store.For(in.id()).Settings(ctx)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &settingsAnswer{ETag: etag(s.Version), Body: s}, nil
}

func (a *API) putSettings(ctx context.Context, in *struct {
	Organized
	IfMatch string `header:"If-Match" doc:"The ETag of the settings as they were read"`
	Body    model.Settings
},
) (*settingsAnswer, error) {
	org := a.Store.For(in.id())
	was, err := org.Settings(ctx)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := matches(ctx, in.IfMatch, was.Version, "the settings"); err != nil {
		return nil, err
	}
	s := in.Body
	s.Version = was.Version
	if err := org.PutSettings(ctx, &s); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, in.id(), "settings were changed", slog.Bool("access_keys_allowed", s.AccessKeysAllowed))
	return &settingsAnswer{ETag: etag(s.Version), Body: s}, nil
}

type rekeyAnswer struct {
	Body struct {
		Rekeyed int    `json:"rekeyed" doc:"Data keys of this page that are wrapped anew"`
		Damaged bool   `json:"damaged,omitempty" doc:"Some data keys of this page do not open and stay as they are; the log names them"`
		Cursor  string `json:"cursor,omitempty" doc:"Where to go on; left out at the end"`
	}
}

func (a *API) rekey(ctx context.Context, in *struct {
	Organized
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"100"`
},
) (*rekeyAnswer, error) {
	n, next, err := a.Rekeying.Page(ctx, in.id(), in.Cursor, in.Limit)
	damaged := errors.Is(err, secret.ErrSealed)
	switch {
	case damaged:
		a.Log.ErrorContext(ctx, "data keys do not open", slog.Any("error", err))
	case err != nil:
		return nil, a.cursor(ctx, err)
	}
	a.note(ctx, in.id(), "data keys were wrapped anew", slog.Int("rekeyed", n))
	out := &rekeyAnswer{}
	out.Body.Rekeyed, out.Body.Damaged, out.Body.Cursor = n, damaged, next
	return out, nil
}
