package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// operators adds the routes of whoever runs the installation: which organizations there
// are, and who administers them first. What is in an organization they do not tell.
func (a *API) operators(api huma.API) {
	register(api, operates, huma.Operation{
		OperationID: "create-organization", Method: http.MethodPost, Path: "/operator/v1/organizations", DefaultStatus: http.StatusCreated,
		Summary: "Make an organization", Tags: []string{"operators"},
	}, a.createOrganization)
	register(api, operates, huma.Operation{
		OperationID: "list-organizations", Method: http.MethodGet, Path: "/operator/v1/organizations",
		Summary: "List the organizations", Tags: []string{"operators"},
	}, a.listOrganizations)
	register(api, operates, huma.Operation{
		OperationID: "get-organization", Method: http.MethodGet, Path: "/operator/v1/organizations/{organization}",
		Summary: "Show an organization", Tags: []string{"operators"},
	}, a.getOrganization)
	register(api, operates, huma.Operation{
		OperationID: "delete-organization", Method: http.MethodDelete, Path: "/operator/v1/organizations/{organization}", DefaultStatus: http.StatusAccepted,
		Summary: "Delete an organization, its connections and all that is known of it, for good", Tags: []string{"operators"},
		Description: "Nobody is let in from then on. What is kept of it is purged within a day, and `purged_at` says when; backups have it for as long as the deployment keeps them.",
	}, a.deleteOrganization)
	register(api, operates, huma.Operation{
		OperationID: "suspend-organization", Method: http.MethodPost, Path: "/operator/v1/organizations/{organization}/suspension",
		Summary: "Let nobody of an organization in, and begin none of its audits, until that is taken back", Tags: []string{"operators"},
	}, a.suspendOrganization)
	register(api, operates, huma.Operation{
		OperationID: "resume-organization", Method: http.MethodDelete, Path: "/operator/v1/organizations/{organization}/suspension",
		Summary: "Take the suspension of an organization back", Tags: []string{"operators"},
	}, a.resumeOrganization)
	register(api, operates, huma.Operation{
		OperationID: "invite-administrator", Method: http.MethodPost, Path: "/operator/v1/organizations/{organization}/invitations", DefaultStatus: http.StatusCreated,
		Summary: "Invite an administrator to an organization, by a one-time link to be handed over", Tags: []string{"operators"},
	}, a.inviteAdministrator)
	register(api, operates, huma.Operation{
		OperationID: "recover-person", Method: http.MethodPost, Path: "/operator/v1/organizations/{organization}/recovery",
		Summary: "Make a recovery link for a member of an organization, who may be a member of others as well", Tags: []string{"operators"},
	}, a.recoverPerson)
	register(api, operates, huma.Operation{
		OperationID: "change-address", Method: http.MethodPost, Path: "/operator/v1/addresses", DefaultStatus: http.StatusNoContent,
		Summary: "Give whoever has an e-mail address another one to sign in by, so that somebody else can be invited by it", Tags: []string{"operators"},
	}, a.changeAddress)
	register(api, operates, huma.Operation{
		OperationID: "rekey", Method: http.MethodPost, Path: "/operator/v1/organizations/{organization}/rekey", DefaultStatus: http.StatusAccepted,
		Summary: "Have an organization's data keys wrapped anew, by the newest master key; nothing that is sealed changes", Tags: []string{"operators"},
	}, a.rekey)
	register(api, operates, huma.Operation{
		OperationID: "reindex", Method: http.MethodPost, Path: "/operator/v1/organizations/{organization}/reindex", DefaultStatus: http.StatusAccepted,
		Summary: "Have the index that an organization's lists of findings are answered from made anew; lists are answered meanwhile", Tags: []string{"operators"},
	}, a.reindex)
	register(api, operates, huma.Operation{
		OperationID: "get-job", Method: http.MethodGet, Path: "/operator/v1/organizations/{organization}/jobs/{job}",
		Summary: "Show how far a job is", Tags: []string{"operators"},
	}, a.getJob)
	a.doctor(api)
}

// OrganizationPath names an organization.
type OrganizationPath struct {
	Organization string `path:"organization"`
}

type organizationAnswer struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     model.Organization
}

func showOrganization(o model.Organization) *organizationAnswer {
	return &organizationAnswer{Location: "/operator/v1/organizations/" + string(o.ID), ETag: etag(o.Version), Body: o}
}

// OrganizationInput is what an operator says of an organization.
type OrganizationInput struct {
	ID   model.OrganizationID `json:"id" minLength:"1" maxLength:"63" pattern:"^[a-z0-9][a-z0-9-]{0,62}$" doc:"Never changes, and is never given twice" example:"acme"`
	Name string               `json:"name,omitempty" maxLength:"100" example:"Acme Corporation"`
}

func (a *API) createOrganization(ctx context.Context, in *struct {
	Repeatable
	Body OrganizationInput
},
) (*organizationAnswer, error) {
	caller := callerOf(ctx)
	caller.Organization = in.Body.ID // whose records remember the request
	ctx = context.WithValue(ctx, callerKey{}, caller)
	now := a.Now().UTC().Format(time.RFC3339Nano)
	return onceAs(ctx, a, "organization", in.Repeatable, in.Body, now, func(first string) (*organizationAnswer, error) {
		at, err := time.Parse(time.RFC3339Nano, first)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		return a.makeOrganization(ctx, model.Organization{ID: in.Body.ID, Name: in.Body.Name, CreatedAt: at.Truncate(time.Second)}, first != now)
	})
}

// makeOrganization makes an organization, or shows the one that an earlier one of these requests made.
func (a *API) makeOrganization(ctx context.Context, o model.Organization, again bool) (*organizationAnswer, error) {
	most := a.Caps.orDefault().Organizations
	err := a.Store.CreateOrganization(ctx, a.by(ctx), &o, most)
	switch {
	case errors.Is(err, store.ErrFull):
		return nil, problem(ctx, http.StatusConflict, "too_many_organizations", fmt.Sprintf("there are %d organizations, and may be no more: have the deployment's MaxOrganizations raised", most))
	case errors.Is(err, store.ErrConflict):
		there, e := a.Store.For(o.ID).Itself(ctx)
		if again && e == nil && there.CreatedAt.Equal(o.CreatedAt) && there.Name == o.Name {
			return showOrganization(there), nil
		}
		return nil, problem(ctx, http.StatusConflict, "organization_exists", "there is an organization of that id, or was")
	case err != nil:
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "an organization was made", slog.String("id", string(o.ID)))
	return showOrganization(o), nil
}

type organizationsAnswer struct {
	Body struct {
		Organizations []model.Organization `json:"organizations"`
		Cursor        string               `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listOrganizations(ctx context.Context, in *struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
},
) (*organizationsAnswer, error) {
	page, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Organization, string, error) {
		return a.Store.OrganizationsPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	out := &organizationsAnswer{}
	out.Body.Organizations, out.Body.Cursor = append([]model.Organization{}, page...), next
	return out, nil
}

// itself reads the organization that an operator names.
func (a *API) itself(ctx context.Context) (model.Organization, error) {
	o, err := a.org(ctx).Itself(ctx)
	return o, a.answer(ctx, err)
}

// getOrganization shows an organization, also one that was purged, of which the id is left.
func (a *API) getOrganization(ctx context.Context, _ *OrganizationPath) (*organizationAnswer, error) {
	o, err := a.Store.Organization(ctx, callerOf(ctx).Organization)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return showOrganization(o), nil
}

func (a *API) deleteOrganization(ctx context.Context, in *struct {
	OrganizationPath
	IfMatch string `header:"If-Match" doc:"The ETag of the organization as it was read"`
},
) (*organizationAnswer, error) {
	o, err := a.itself(ctx)
	if err == nil && o.DeletedAt.IsZero() {
		err = matches(ctx, in.IfMatch, o.Version, "the organization")
	}
	if err == nil {
		o, err = a.Pipeline.DeleteOrganization(ctx, a.by(ctx), o.ID)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "an organization was deleted")
	return showOrganization(o), nil
}

func (a *API) suspendOrganization(ctx context.Context, _ *OrganizationPath) (*organizationAnswer, error) {
	return a.setSuspended(ctx, a.Now().UTC().Truncate(time.Second))
}

func (a *API) resumeOrganization(ctx context.Context, _ *OrganizationPath) (*organizationAnswer, error) {
	return a.setSuspended(ctx, time.Time{})
}

// setSuspended suspends an organization, or takes that back. Repeated it changes nothing.
func (a *API) setSuspended(ctx context.Context, since time.Time) (*organizationAnswer, error) {
	o, err := a.itself(ctx)
	if err != nil {
		return nil, err
	}
	if o.SuspendedAt.IsZero() == since.IsZero() {
		return showOrganization(o), nil
	}
	o.SuspendedAt = since
	if err := a.org(ctx).ChangeItself(ctx, a.by(ctx), &o); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "an organization was suspended, or that was taken back", slog.Bool("suspended", !since.IsZero()))
	return showOrganization(o), nil
}

// Addressee is whom a link is made for.
type Addressee struct {
	Email string `json:"email" format:"email" maxLength:"254" example:"anna@example.com"`
}

func (a *API) inviteAdministrator(ctx context.Context, in *struct {
	OrganizationPath
	Repeatable
	Body Addressee
},
) (*linkAnswer, error) {
	if _, err := a.itself(ctx); err != nil {
		return nil, err
	}
	return a.invite(ctx, in.Repeatable, model.Invitation{Email: in.Body.Email, Role: model.RoleAdmin})
}

func (a *API) recoverPerson(ctx context.Context, in *struct {
	OrganizationPath
	Repeatable
	Body Addressee
},
) (*linkAnswer, error) {
	if _, err := a.itself(ctx); err != nil {
		return nil, err
	}
	who, err := a.Store.People().ByEmail(ctx, in.Body.Email)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return a.recover(ctx, in.Repeatable, who.ID)
}

func (a *API) changeAddress(ctx context.Context, in *struct {
	Body struct {
		Addressee
		New string `json:"new_email" format:"email" maxLength:"254" example:"anna@example.org"`
	}
},
) (*struct{}, error) {
	return nil, a.answer(ctx, a.People.Readdress(ctx, a.by(ctx), in.Body.Email, in.Body.New))
}

type jobAnswer struct {
	Location string `header:"Location"`
	Body     model.Job
}

// rekey has a worker do it: nobody who takes requests may use the keys for that.
func (a *API) rekey(ctx context.Context, in *struct {
	OrganizationPath
	Repeatable
},
) (*jobAnswer, error) {
	if _, err := a.itself(ctx); err != nil {
		return nil, err
	}
	return once(ctx, a, "rekey", in.Repeatable, nil, func(id string) (*jobAnswer, error) {
		return a.beginJob(ctx, id, model.JobRekey, "data keys are to be wrapped anew")
	})
}

// reindex has a worker hand it out: nobody makes an index of many connections within a
// request.
func (a *API) reindex(ctx context.Context, in *struct {
	OrganizationPath
	Repeatable
},
) (*jobAnswer, error) {
	if _, err := a.itself(ctx); err != nil {
		return nil, err
	}
	return once(ctx, a, "reindex", in.Repeatable, nil, func(id string) (*jobAnswer, error) {
		return a.beginJob(ctx, id, model.JobReindex, "the index of findings is to be made anew")
	})
}

func (a *API) beginJob(ctx context.Context, id string, kind model.JobKind, note string) (*jobAnswer, error) {
	job, err := a.Jobs.Begin(ctx, a.by(ctx), callerOf(ctx).Organization, model.JobID(id), kind)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, note, slog.String("job", id))
	a.tell(ctx, event.OfJob(callerOf(ctx).Organization, event.JobStarted, job, job.CreatedAt))
	return &jobAnswer{Location: "/operator/v1/organizations/" + string(callerOf(ctx).Organization) + "/jobs/" + id, Body: job}, nil
}

func (a *API) getJob(ctx context.Context, in *struct {
	OrganizationPath
	Job string `path:"job" maxLength:"64"`
},
) (*jobAnswer, error) {
	if _, err := a.itself(ctx); err != nil {
		return nil, err
	}
	job, _, err := a.org(ctx).Job(ctx, model.JobID(in.Job))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &jobAnswer{Body: job}, nil
}
