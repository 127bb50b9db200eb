package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func (a *API) members(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/v1/members" + path, Summary: summary, Tags: []string{"members"}}
	}
	remove := op("remove-member", http.MethodDelete, "/{person}", "Remove a member, with the sessions and tokens in the organization")
	remove.DefaultStatus = http.StatusNoContent
	end := op("end-member-sessions", http.MethodDelete, "/{person}/sessions", "End a member's sessions and API tokens in the organization")
	end.DefaultStatus = http.StatusNoContent
	recovery := op("recover-member", http.MethodPost, "/{person}/recovery", "Make a one-time link by which a member who belongs to no other organization chooses a new password, without the second factors")
	recovery.DefaultStatus = http.StatusCreated
	register(api, mayAdminister, op("list-members", http.MethodGet, "", "List the members"), a.listMembers)
	register(api, mayAdminister, op("get-member", http.MethodGet, "/{person}", "Show a member"), a.getMember)
	register(api, mayAdminister, op("update-member", http.MethodPatch, "/{person}", "Change a member's role or projects, or suspend it; what is left out stays. A token gives no role, and takes no suspension back"), a.updateMember)
	register(api, mayAdminister, remove, a.removeMember)
	register(api, mayLetIn, recovery, a.recoverMember)
	register(api, mayAdminister, op("list-member-sessions", http.MethodGet, "/{person}/sessions", "List a member's sessions in the organization"), a.listMemberSessions)
	register(api, mayAdminister, end, a.endMemberSessions)
}

// MemberPath names a member.
type MemberPath struct {
	Person string `path:"person" maxLength:"26" doc:"A ULID"`
}

// MemberView is a member, and who it is.
type MemberView struct {
	model.Member
	Email        string `json:"email" example:"anna@example.com"`
	Name         string `json:"name,omitempty" example:"Anna"`
	SecondFactor bool   `json:"second_factor" doc:"Shows more than a password to sign in"`
}

type memberAnswer struct {
	ETag string `header:"ETag"`
	Body MemberView
}

func (a *API) view(ctx context.Context, m model.Member) (MemberView, error) {
	who, err := a.Store.People().Person(ctx, m.Person)
	return MemberView{m, who.Email, who.Name, who.SecondFactor()}, err
}

func (a *API) showMember(ctx context.Context, m model.Member, err error) (*memberAnswer, error) {
	var v MemberView
	if err == nil {
		v, err = a.view(ctx, m)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &memberAnswer{etag(m.Version), v}, nil
}

// Page asks for a part of a list.
type Page struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type membersAnswer struct {
	Body struct {
		Members []MemberView `json:"members"`
		Cursor  string       `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listMembers(ctx context.Context, in *Page) (*membersAnswer, error) {
	page, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Member, string, error) {
		return a.org(ctx).MembersPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	out := &membersAnswer{}
	out.Body.Members, out.Body.Cursor = make([]MemberView, len(page)), next
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(peopleAtOnce)
	for i, m := range page {
		group.Go(func() (err error) {
			out.Body.Members[i], err = a.view(gctx, m)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, a.answer(ctx, err)
	}
	return out, nil
}

// peopleAtOnce is how many people are read at a time: each has a partition of their own.
const peopleAtOnce = 16

func (a *API) getMember(ctx context.Context, in *MemberPath) (*memberAnswer, error) {
	m, err := a.org(ctx).Member(ctx, model.PersonID(in.Person))
	return a.showMember(ctx, m, err)
}

func (a *API) updateMember(ctx context.Context, in *struct {
	MemberPath
	IfMatch string `header:"If-Match" doc:"The ETag of the member as it was read"`
	Body    struct {
		Role      *model.Role `json:"role,omitempty" enum:"admin,client"`
		Projects  *[]string   `json:"projects,omitempty" maxItems:"100" doc:"That a client may read"`
		Suspended *bool       `json:"suspended,omitempty"`
	}
},
) (*memberAnswer, error) {
	if in.Body.Role != nil || in.Body.Suspended != nil && !*in.Body.Suspended {
		if p := notByToken(ctx, callerOf(ctx)); p != nil {
			return nil, p
		}
	}
	m, err := a.org(ctx).Member(ctx, model.PersonID(in.Person))
	if err == nil {
		err = matches(ctx, in.IfMatch, m.Version, "the member")
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if in.Body.Role != nil {
		if m.Role = *in.Body.Role; m.Role == model.RoleAdmin && in.Body.Projects == nil {
			m.Projects = nil
		}
	}
	if in.Body.Projects != nil {
		m.Projects = *in.Body.Projects
	}
	if in.Body.Suspended != nil {
		m.Suspended = *in.Body.Suspended
	}
	m, err = a.People.ChangeMember(ctx, a.by(ctx), callerOf(ctx).Organization, m)
	return a.showMember(ctx, m, err)
}

func (a *API) removeMember(ctx context.Context, in *struct {
	MemberPath
	IfMatch string `header:"If-Match" doc:"The ETag of the member as it was read"`
},
) (*struct{}, error) {
	m, err := a.org(ctx).Member(ctx, model.PersonID(in.Person))
	if err == nil {
		err = matches(ctx, in.IfMatch, m.Version, "the member")
	}
	if err == nil {
		err = a.People.RemoveMember(ctx, a.by(ctx), callerOf(ctx).Organization, m)
	}
	return nil, a.answer(ctx, err)
}

// Link is what is handed over. It is shown once.
type Link struct {
	ID        string    `json:"id" doc:"A ULID"`
	Token     string    `json:"token" doc:"Stands in the fragment of the link, which no server sees" example:"caqi_…"`
	ExpiresAt time.Time `json:"expires_at"`
}

type linkAnswer struct{ Body Link }

func (a *API) recoverMember(ctx context.Context, in *struct {
	MemberPath
	Repeatable
},
) (*linkAnswer, error) {
	return a.recover(ctx, in.Repeatable, model.PersonID(in.Person))
}

func (a *API) recover(ctx context.Context, r Repeatable, person model.PersonID) (*linkAnswer, error) {
	there := func(id string) (model.Recovery, error) {
		return a.org(ctx).Recovery(ctx, model.RecoveryID(id))
	}
	where := func(string) string { return "/v1/members/" + string(person) + "/recovery" }
	return shownOnce(ctx, a, "recovery", r, person, there, where, func(id string) (*linkAnswer, error) {
		r, token, err := a.People.Recover(ctx, a.by(ctx), callerOf(ctx).Organization, person, model.RecoveryID(id))
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		return &linkAnswer{Link{string(r.ID), token.Reveal(), r.ExpiresAt}}, nil
	})
}

func (a *API) listMemberSessions(ctx context.Context, in *MemberPath) (*sessionsAnswer, error) {
	if _, err := a.org(ctx).Member(ctx, model.PersonID(in.Person)); err != nil {
		return nil, a.answer(ctx, err)
	}
	return a.sessionsOf(ctx, model.PersonID(in.Person), callerOf(ctx).Organization)
}

func (a *API) endMemberSessions(ctx context.Context, in *MemberPath) (*struct{}, error) {
	return nil, a.answer(ctx, a.People.EndMemberSessions(ctx, a.by(ctx), callerOf(ctx).Organization, model.PersonID(in.Person)))
}
