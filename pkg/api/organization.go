package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func (a *API) organization(api huma.API) {
	register(api, mayRead, huma.Operation{
		OperationID: "get-own-organization", Method: http.MethodGet, Path: "/v1/organization", Summary: "Show the organization that one is in", Tags: []string{"organization"},
	}, a.getOwnOrganization)
	register(api, mayAdminister, huma.Operation{
		OperationID: "update-own-organization", Method: http.MethodPatch, Path: "/v1/organization", Summary: "Name the organization anew; its id stays", Tags: []string{"organization"},
	}, a.updateOwnOrganization)
}

type ownOrganizationAnswer struct {
	ETag string `header:"ETag"`
	Body model.Organization
}

func (a *API) getOwnOrganization(ctx context.Context, _ *struct{}) (*ownOrganizationAnswer, error) {
	o, err := a.itself(ctx)
	if err != nil {
		return nil, err
	}
	return &ownOrganizationAnswer{etag(o.Version), o}, nil
}

func (a *API) updateOwnOrganization(ctx context.Context, in *struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the organization as it was read"`
	Body    struct {
		Name string `json:"name" maxLength:"100" example:"Acme Corporation"`
	}
},
) (*ownOrganizationAnswer, error) {
	o, err := a.itself(ctx)
	if err == nil {
		err = matches(ctx, in.IfMatch, o.Version, "the organization")
	}
	if err == nil {
		o.Name = in.Body.Name
		err = a.org(ctx).ChangeItself(ctx, a.by(ctx), &o)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &ownOrganizationAnswer{etag(o.Version), o}, nil
}
