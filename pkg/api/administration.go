package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func (a *API) administration(api huma.API) {
	register(api, mayAdminister, huma.Operation{
		OperationID: "get-settings", Method: http.MethodGet, Path: "/v1/settings", Summary: "Show the organization's settings", Tags: []string{"administration"},
	}, a.getSettings)
	register(api, mayLetIn, huma.Operation{
		OperationID: "put-settings", Method: http.MethodPut, Path: "/v1/settings", Summary: "Change the organization's settings", Tags: []string{"administration"},
	}, a.putSettings)
}

type settingsAnswer struct {
	ETag string `header:"ETag"`
	Body model.Settings
}

func (a *API) getSettings(ctx context.Context, _ *struct{}) (*settingsAnswer, error) {
	s, err := a.org(ctx).Settings(ctx)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &settingsAnswer{ETag: etag(s.Version), Body: s}, nil
}

func (a *API) putSettings(ctx context.Context, in *struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the settings as they were read"`
	Body    model.Settings
},
) (*settingsAnswer, error) {
	org := a.org(ctx)
	was, err := org.Settings(ctx)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := matches(ctx, in.IfMatch, was.Version, "the settings"); err != nil {
		return nil, err
	}
	if err := a.settable(ctx, in.Body.Options); err != nil {
		return nil, err
	}
	s := in.Body
	s.Version = was.Version
	if err := org.PutSettings(ctx, a.by(ctx), &s); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "settings were changed", slog.Bool("access_keys_allowed", s.AccessKeysAllowed), slog.Bool("second_factor_required", s.SecondFactorRequired))
	a.tell(ctx, event.OfSettings(callerOf(ctx).Organization, s, a.Now()))
	return &settingsAnswer{ETag: etag(s.Version), Body: s}, nil
}
