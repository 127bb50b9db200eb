package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func (a *API) invitations(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/v1" + path, Summary: summary, Tags: []string{"invitations"}}
	}
	create := op("create-invitation", http.MethodPost, "/invitations", "Invite somebody by a one-time link, which is shown once")
	create.DefaultStatus = http.StatusCreated
	withdraw := op("withdraw-invitation", http.MethodDelete, "/invitations/{invitation}", "Take an invitation back")
	withdraw.DefaultStatus = http.StatusNoContent
	register(api, mayAdminister, op("list-invitations", http.MethodGet, "/invitations", "List the invitations that nobody accepted"), a.listInvitations)
	register(api, mayLetIn, create, a.createInvitation)
	register(api, mayAdminister, withdraw, a.withdrawInvitation)
	register(api, anybody, op("look-up-invitation", http.MethodPost, "/invitations/lookup", "Show what a link invites to"), a.lookUpInvitation)
	register(api, anybody, op("accept-invitation", http.MethodPost, "/invitations/acceptance", "Accept an invitation: somebody new chooses a password, and who has an account shows it, and goes on as in signing in"), a.acceptInvitation)
	register(api, anybody, op("look-up-recovery", http.MethodPost, "/recovery/lookup", "Show whom a link recovers"), a.lookUpRecovery)
	register(api, anybody, op("use-recovery", http.MethodPost, "/recovery", "Choose a new password by a recovery link; second factors, devices, sessions and API tokens are gone"), a.useRecovery)
}

type invitationsAnswer struct {
	Body struct {
		Invitations []model.Invitation `json:"invitations"`
		Cursor      string             `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listInvitations(ctx context.Context, in *Page) (*invitationsAnswer, error) {
	page, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Invitation, string, error) {
		return a.org(ctx).InvitationsPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	out := &invitationsAnswer{}
	out.Body.Invitations, out.Body.Cursor = append([]model.Invitation{}, page...), next
	return out, nil
}

func (a *API) createInvitation(ctx context.Context, in *struct {
	Repeatable
	Body struct {
		Email    string     `json:"email" format:"email" maxLength:"254" example:"anna@example.com"`
		Role     model.Role `json:"role" enum:"admin,client"`
		Projects []string   `json:"projects,omitempty" maxItems:"100" doc:"That a client may read"`
	}
},
) (*linkAnswer, error) {
	b := in.Body
	return a.invite(ctx, in.Repeatable, model.Invitation{Email: b.Email, Role: b.Role, Projects: b.Projects})
}

func (a *API) invite(ctx context.Context, r Repeatable, i model.Invitation) (*linkAnswer, error) {
	org := callerOf(ctx).Organization
	there := func(id string) (model.Invitation, error) {
		return a.org(ctx).Invitation(ctx, model.InvitationID(id))
	}
	where := func(id string) string { return "/v1/invitations/" + id }
	return shownOnce(ctx, a, "invitation", r, i, there, where, func(id string) (*linkAnswer, error) {
		i.ID = model.InvitationID(id)
		i, token, err := a.People.Invite(ctx, a.by(ctx), org, i)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		return &linkAnswer{Link{string(i.ID), token.Reveal(), i.ExpiresAt}}, nil
	})
}

func (a *API) withdrawInvitation(ctx context.Context, in *struct {
	Invitation string `path:"invitation" maxLength:"26"`
},
) (*struct{}, error) {
	i, err := a.org(ctx).Invitation(ctx, model.InvitationID(in.Invitation))
	if err == nil {
		err = a.org(ctx).RemoveInvitation(ctx, a.by(ctx), i)
	}
	return nil, a.answer(ctx, err)
}

// LinkToken is what stands in the fragment of a one-time link.
type LinkToken struct {
	Token string `json:"token" maxLength:"200" example:"caqi_…"`
}

type invitationAnswer struct {
	Body struct {
		Organization model.OrganizationID `json:"organization"`
		Invitation   model.Invitation     `json:"invitation"`
	}
}

func (a *API) lookUpInvitation(ctx context.Context, in *struct {
	Device
	Body LinkToken
},
) (*invitationAnswer, error) {
	org, i, err := a.People.Invitation(ctx, secret.New(in.Body.Token), in.from(ctx))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &invitationAnswer{}
	out.Body.Organization, out.Body.Invitation = org, i
	return out, nil
}

func (a *API) acceptInvitation(ctx context.Context, in *struct {
	Device
	Body struct {
		LinkToken
		Name     string `json:"name,omitempty" maxLength:"100" doc:"Of somebody new" example:"Anna"`
		Password string `json:"password" maxLength:"1024" format:"password" example:"four words of hers"`
		Browser  bool   `json:"browser,omitempty" doc:"Have the tokens in cookies"`
	}
},
) (*signInAnswer, error) {
	from, b := in.from(ctx), in.Body
	from.Browser = b.Browser
	s, err := a.People.Accept(ctx, secret.New(b.Token), b.Name, secret.New(b.Password), from)
	return a.step(ctx, s, err)
}

type recoveryAnswer struct {
	Body struct {
		Organization model.OrganizationID `json:"organization"`
		Email        string               `json:"email"`
		Recovery     model.Recovery       `json:"recovery"`
	}
}

func (a *API) lookUpRecovery(ctx context.Context, in *struct {
	Device
	Body LinkToken
},
) (*recoveryAnswer, error) {
	org, r, who, err := a.People.Recovery(ctx, secret.New(in.Body.Token), in.from(ctx))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &recoveryAnswer{}
	out.Body.Organization, out.Body.Email, out.Body.Recovery = org, who.Email, r
	return out, nil
}

func (a *API) useRecovery(ctx context.Context, in *struct {
	Device
	Body struct {
		LinkToken
		Password string `json:"password" maxLength:"1024" format:"password" example:"four other words"`
		Browser  bool   `json:"browser,omitempty" doc:"Have the tokens in cookies"`
	}
},
) (*signInAnswer, error) {
	from := in.from(ctx)
	from.Browser = in.Body.Browser
	s, err := a.People.UseRecovery(ctx, secret.New(in.Body.Token), secret.New(in.Body.Password), from)
	return a.step(ctx, s, err)
}
