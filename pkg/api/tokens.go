package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) tokens(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/v1/tokens" + path, Summary: summary, Tags: []string{"tokens"}}
	}
	create := op("create-token", http.MethodPost, "", "Make an API token of one's own, which is shown once")
	create.DefaultStatus = http.StatusCreated
	end := op("end-token", http.MethodDelete, "/{token}", "End an API token: one's own, or as an administrator any")
	end.DefaultStatus = http.StatusNoContent
	register(api, signedIn, op("list-tokens", http.MethodGet, "", "List the API tokens: one's own, or as an administrator all"), a.listTokens)
	register(api, signedIn, op("get-token", http.MethodGet, "/{token}", "Show an API token, without what it is used by"), a.getToken)
	register(api, signedIn, create, a.createToken)
	register(api, signedIn, end, a.endToken)
}

type tokensAnswer struct {
	Body struct {
		Tokens []model.APIToken `json:"tokens"`
	}
}

// listTokens lists all at once: there are at most people.MaxTokens that are good.
func (a *API) listTokens(ctx context.Context, _ *struct{}) (*tokensAnswer, error) {
	c := callerOf(ctx)
	owner := c.Person
	if c.Can(model.ScopeAdmin) {
		owner = ""
	}
	out := &tokensAnswer{}
	out.Body.Tokens = []model.APIToken{}
	for t, err := range a.People.APITokens(ctx, c.Organization, owner) {
		if err == nil && !t.Live(a.Now()) {
			continue
		}
		if err == nil {
			t.LastUsed, err = a.org(ctx).TokenUsed(ctx, t.ID)
		}
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		out.Body.Tokens = append(out.Body.Tokens, t)
	}
	return out, nil
}

type tokenAnswer struct{ Body model.APIToken }

func (a *API) getToken(ctx context.Context, in *struct {
	Token string `path:"token" maxLength:"26"`
},
) (*tokenAnswer, error) {
	t, err := a.People.APIToken(ctx, callerOf(ctx), model.TokenID(in.Token))
	if err == nil {
		t.LastUsed, err = a.org(ctx).TokenUsed(ctx, t.ID)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &tokenAnswer{t}, nil
}

type newTokenAnswer struct {
	Body struct {
		Token    string         `json:"token" doc:"Shown once" example:"caq_…"`
		APIToken model.APIToken `json:"api_token"`
	}
}

func (a *API) createToken(ctx context.Context, in *struct {
	Repeatable
	Body struct {
		Name      string        `json:"name" minLength:"1" maxLength:"100" example:"nightly pipeline"`
		Scopes    []model.Scope `json:"scopes" minItems:"1" maxItems:"4" enum:"read,audit,connections,admin"`
		Projects  []string      `json:"projects,omitempty" maxItems:"100" doc:"All of one's own if left out"`
		ExpiresAt time.Time     `json:"expires_at,omitzero" required:"false" doc:"In 90 days if left out, within a year"`
	}
},
) (*newTokenAnswer, error) {
	there := func(id string) (model.APIToken, error) {
		return a.People.APIToken(ctx, callerOf(ctx), model.TokenID(id))
	}
	where := func(id string) string { return "/v1/tokens/" + id }
	return shownOnce(ctx, a, "token", in.Repeatable, in.Body, there, where, func(id string) (*newTokenAnswer, error) {
		b := in.Body
		return a.makeToken(ctx, model.APIToken{ID: model.TokenID(id), Name: b.Name, Scopes: b.Scopes, Projects: b.Projects, ExpiresAt: b.ExpiresAt.UTC()})
	})
}

func (a *API) makeToken(ctx context.Context, t model.APIToken) (*newTokenAnswer, error) {
	t, token, err := a.People.MakeToken(ctx, a.by(ctx), callerOf(ctx), t)
	if errors.Is(err, store.ErrFull) {
		return nil, problem(ctx, http.StatusConflict, "too_many_tokens", fmt.Sprintf("a person has at most %d API tokens that are good, and an organization %d: end one", people.MaxPersonTokens, people.MaxTokens))
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &newTokenAnswer{}
	out.Body.Token, out.Body.APIToken = token.Reveal(), t
	return out, nil
}

func (a *API) endToken(ctx context.Context, in *struct {
	Token string `path:"token" maxLength:"26"`
},
) (*struct{}, error) {
	return nil, a.answer(ctx, a.People.EndToken(ctx, a.by(ctx), callerOf(ctx), model.TokenID(in.Token)))
}
