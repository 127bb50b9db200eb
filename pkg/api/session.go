package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) session(api huma.API) {
	register(api, anybody, huma.Operation{
		OperationID: "refresh-session", Method: http.MethodPost, Path: refreshPath + "/refresh", Summary: "Get new tokens for a refresh token, which is good for one use", Tags: []string{"session"},
		Description: "One that was used before ends the session. 409 refresh_raced says that another request has the next one.",
	}, a.refresh)
	register(api, anybody, huma.Operation{
		OperationID: "renew-session", Method: http.MethodGet, Path: refreshPath + "/renewal", DefaultStatus: http.StatusSeeOther,
		Summary: "Send a browser on to a page with new tokens in its cookies", Tags: []string{"session"},
		Description: "For a browser whose access token is over. If there can be none, it is sent to " + signInPage + "?error=… with a code. One that a page of another site sent here goes on as it is: its refresh token did not come along.",
		Responses:   sendsOn("To the page that was asked for, or to " + signInPage),
	}, a.renewSession)
	register(api, known, huma.Operation{
		OperationID: "get-session", Method: http.MethodGet, Path: refreshPath, Summary: "Show who is signed in, or whose API token it is, and what that may do", Tags: []string{"session"},
	}, a.getSession)
	register(api, signedIn, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: refreshPath, DefaultStatus: http.StatusNoContent, Summary: "End the session", Tags: []string{"session"},
	}, a.signOut)
	register(api, signedIn, huma.Operation{
		OperationID: "change-organization", Method: http.MethodPost, Path: refreshPath + "/organization", Summary: "Go over to another of one's organizations: a new session takes the place of this one", Tags: []string{"session"},
	}, a.changeOrganization)
	register(api, signedIn, huma.Operation{
		OperationID: "hand-over-session", Method: http.MethodPost, Path: refreshPath + "/handover", Summary: "Make the code by which a program on one's own computer signs in with a session of its own", Tags: []string{"session"},
		Description: "For RFC 8252: a browser takes the code to the program's loopback address, which shows it to /v1/sign-in/handover with the verifier of the challenge (RFC 7636, S256).",
	}, a.handOver)
}

func (a *API) refresh(ctx context.Context, in *struct {
	Cookie string `cookie:"__Secure-caqr" maxLength:"200" doc:"Of a browser; its new tokens are in cookies"`
	Body   struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"200" doc:"Of a program" example:"caqr_…"`
	}
},
) (*signInAnswer, error) {
	text, browser := in.Body.RefreshToken, false
	if text == "" {
		text, browser = in.Cookie, true
	}
	return a.renew(ctx, secret.New(text), browser)
}

// renew replaces a refresh token.
func (a *API) renew(ctx context.Context, text secret.String, browser bool) (*signInAnswer, error) {
	token, err := people.ParseToken(people.RefreshToken, text)
	if err != nil {
		return nil, problem(ctx, http.StatusUnauthorized, people.CodeTokenInvalid, "there is no refresh token, or it is not one")
	}
	next, hash, err := people.NewToken(people.RefreshToken, token.ID)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	s, err := a.Sessions.Refresh(ctx, model.SessionID(token.ID), token.Hash(), hash, addressOf(ctx))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &signInAnswer{}
	return out, a.enter(ctx, out, &people.Entry{Session: s, Refresh: next}, browser)
}

// renewSession is refresh for a browser on its way to a page. Strict cookies do not come with
// what a page of another site leads to, and nobody is signed out because of that.
func (a *API) renewSession(ctx context.Context, in *struct {
	Cookie string `cookie:"__Secure-caqr" maxLength:"200" doc:"Set by the sign-in"`
	Return string `query:"return" doc:"The page to go to afterwards: a path of this host; the first page if left out" example:"/me"`
	From   string `header:"Sec-Fetch-Site" hidden:"true"`
},
) (*sentOn, error) {
	back, err := returnTo(ctx, in.Return)
	if err != nil {
		return nil, err
	}
	if in.From == crossSite {
		return &sentOn{Location: back}, nil
	}
	renewed, err := a.renew(ctx, secret.New(in.Cookie), true)
	var p *Problem
	switch {
	case err == nil:
		return &sentOn{Location: back, Cookies: renewed.SetCookie}, nil
	case !errors.As(err, &p):
		return nil, err
	}
	out := &sentOn{Location: toSignIn(p, back)}
	if p.Status == http.StatusUnauthorized {
		out.Cookies = noCookies()
	}
	return out, nil
}

// mayRefresh refuses a session that goes on no longer as it was begun: the organization is
// suspended, or asks for more than a password since.
func (a *API) mayRefresh(ctx context.Context, s model.Session, who model.Person) error {
	if err := a.open(ctx, s.Organization); err != nil {
		return err
	}
	if _, err := a.limiter.Take(ctx, people.Refreshes, people.Who{Address: addressOf(ctx), Session: string(s.ID), Person: string(s.Person)}); err != nil {
		return err
	}
	settings, err := a.Store.For(s.Organization).Settings(ctx)
	if err == nil && settings.SecondFactorRequired && !s.SSO && !who.SecondFactor() {
		err = problem(ctx, http.StatusUnauthorized, "factor_required", "the organization requires a second factor: sign in again, which sets one up")
	}
	return err
}

// SessionView is who makes a request.
type SessionView struct {
	Session       *model.Session         `json:"session,omitempty" doc:"Of a person who signed in"`
	Token         *model.APIToken        `json:"token,omitempty" doc:"Of a program"`
	Person        model.Person           `json:"person" doc:"Or the owner of the token"`
	Organization  model.OrganizationID   `json:"organization"`
	Role          model.Role             `json:"role" doc:"Of the person in the organization"`
	Scopes        []model.Scope          `json:"scopes"`
	AllProjects   bool                   `json:"all_projects"`
	Projects      []string               `json:"projects"`
	Organizations []model.OrganizationID `json:"organizations" doc:"That the person belongs to"`
	CSRFToken     string                 `json:"csrf_token,omitempty" doc:"In browsers: for the header CloudArq-CSRF"`
}

type sessionAnswer struct{ Body SessionView }

func (a *API) getSession(ctx context.Context, in *struct{ ByCookie }) (*sessionAnswer, error) {
	c := callerOf(ctx)
	out := &sessionAnswer{SessionView{Organization: c.Organization, Scopes: c.Scopes, AllProjects: c.AllProjects, Projects: append([]string{}, c.Projects...)}}
	view := &out.Body
	var e1, e2, e3, e4 error
	view.Person, e1 = a.Store.People().Person(ctx, c.Person)
	member, e2 := a.org(ctx).Member(ctx, c.Person)
	view.Role = member.Role
	if c.Session != "" {
		view.Session = &model.Session{}
		*view.Session, e3 = a.Store.People().Session(ctx, c.Person, c.Session)
	} else {
		view.Token = &model.APIToken{}
		*view.Token, e3 = a.org(ctx).APIToken(ctx, c.Token)
	}
	if c.SSO || c.Token != "" { // it is of one, and others are none of its business
		view.Organizations = []model.OrganizationID{c.Organization}
	} else {
		view.Organizations, e4 = a.Store.People().Organizations(ctx, c.Person)
	}
	if err := errors.Join(e1, e2, e3, e4); err != nil {
		return nil, a.answer(ctx, err)
	}
	if in.browser() {
		out.Body.CSRFToken = people.CSRFToken(secret.New(in.Access))
	}
	return out, nil
}

// ByCookie tells browsers, which get their tokens in cookies, from programs.
type ByCookie struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Access        string `cookie:"__Host-caq" hidden:"true"`
}

func (b ByCookie) browser() bool { return b.Authorization == "" }

type noCookiesAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

func (a *API) signOut(ctx context.Context, _ *struct{}) (*noCookiesAnswer, error) {
	c := callerOf(ctx)
	if err := a.Sessions.EndOne(ctx, a.by(ctx), c, c.Session); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, a.answer(ctx, err)
	}
	return &noCookiesAnswer{noCookies()}, nil
}

func (a *API) changeOrganization(ctx context.Context, in *struct {
	Device
	ByCookie
	Body struct {
		Organization model.OrganizationID `json:"organization" maxLength:"63" example:"acme"`
	}
},
) (*signInAnswer, error) {
	from := in.from(ctx)
	from.Browser = in.browser()
	s, err := a.People.GoOver(ctx, callerOf(ctx), in.Body.Organization, from)
	return a.step(ctx, s, err)
}

// Handover is the code that a program signs in with.
type Handover struct {
	Code      string    `json:"code" doc:"Good for one use" example:"caqc_…"`
	ExpiresAt time.Time `json:"expires_at" doc:"A minute from now"`
}

type handoverAnswer struct{ Body Handover }

func (a *API) handOver(ctx context.Context, in *struct {
	Device
	Body struct {
		Challenge string `json:"challenge" minLength:"43" maxLength:"43" doc:"SHA-256 of the program's verifier, in base64url" example:"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"`
	}
},
) (*handoverAnswer, error) {
	code, until, err := a.People.Handover(ctx, callerOf(ctx), in.Body.Challenge, in.from(ctx))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &handoverAnswer{Handover{code.Reveal(), until}}, nil
}
