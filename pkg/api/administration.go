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
	huma.Register(api, huma.Operation{
		OperationID: "get-settings", Method: http.MethodGet, Path: "/v1/settings", Summary: "Show the organization's settings", Tags: []string{"administration"},
	}, a.getSettings)
	huma.Register(api, huma.Operation{
		OperationID: "put-settings", Method: http.MethodPut, Path: "/v1/settings", Summary: "Change the organization's settings", Tags: []string{"administration"},
	}, a.putSettings)
	huma.Register(api, huma.Operation{
		OperationID: "rekey", Method: http.MethodPost, Path: "/v1/rekey", DefaultStatus: http.StatusAccepted,
		Summary: "Have the organization's data keys wrapped anew, by the newest master key; nothing that is sealed changes", Tags: []string{"administration"},
	}, a.rekey)
	huma.Register(api, huma.Operation{
		OperationID: "get-job", Method: http.MethodGet, Path: "/v1/jobs/{job}", Summary: "Show how far a job is", Tags: []string{"administration"},
	}, a.getJob)
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
	if err := org.PutSettings(ctx, a.by(ctx), &s); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, in.id(), "settings were changed", slog.Bool("access_keys_allowed", s.AccessKeysAllowed))
	a.tell(ctx, event.OfSettings(in.id(), s, a.Now()))
	return &settingsAnswer{ETag: etag(s.Version), Body: s}, nil
}

type jobAnswer struct {
	Location string `header:"Location"`
	Body     model.Job
}

// rekey has a worker do it: nobody who takes requests may use the keys for that.
func (a *API) rekey(ctx context.Context, in *struct {
	Organized
	Key string `header:"Idempotency-Key" maxLength:"255" pattern:"^[ -~]*$"`
},
) (*jobAnswer, error) {
	id, err := a.idempotent(ctx, in.id(), "rekey", in.Key, struct{}{})
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	job, err := a.Jobs.Begin(ctx, a.by(ctx), in.id(), model.JobID(id), model.JobRekey)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, in.id(), "data keys are to be wrapped anew", slog.String("job", id))
	a.tell(ctx, event.OfJob(in.id(), event.JobStarted, job, job.CreatedAt))
	return &jobAnswer{Location: "/v1/jobs/" + id, Body: job}, nil
}

func (a *API) getJob(ctx context.Context, in *struct {
	Organized
	Job string `path:"job" maxLength:"64"`
},
) (*jobAnswer, error) {
	job, _, err := a.Store.For(in.id()).Job(ctx, model.JobID(in.Job))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &jobAnswer{Body: job}, nil
}
