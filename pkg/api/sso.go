package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	ssoPath = "/v1/sso"
	// SSOCallback is the path that providers send browsers back to.
	SSOCallback = ssoPath + "/callback"
	// signInPage is the page of the browser's side on which somebody signs in.
	signInPage = "/sign-in"
)

// singleSignOn adds the routes of signing in by an organization's own provider. The two that
// anybody may call are for browsers, which go there and are sent on, whatever comes of it.
func (a *API) singleSignOn(api huma.API) {
	register(api, mayAdminister, huma.Operation{
		OperationID: "get-sso", Method: http.MethodGet, Path: ssoPath,
		Summary: "Show how the organization's people sign in by its own provider", Tags: []string{"people"},
	}, a.getSSO)
	register(api, mayLetIn, huma.Operation{
		OperationID: "put-sso", Method: http.MethodPut, Path: ssoPath,
		Summary: "Set up how the organization's people sign in by its own provider, or change it", Tags: []string{"people"},
		Description: "The first time without If-Match. Sessions that were begun go on. Register " + SSOCallback + " of this host at the provider as redirect URL.",
	}, a.putSSO)
	register(api, mayLetIn, huma.Operation{
		OperationID: "delete-sso", Method: http.MethodDelete, Path: ssoPath,
		Summary: "Have nobody sign in by the provider any more, and forget its client secret", Tags: []string{"people"},
		Description: "Members stay, and so do sessions that were begun. Whom the provider brought in is the same person again if the same issuer is set up once more.",
	}, a.deleteSSO)
	register(api, anybody, huma.Operation{
		OperationID: "start-sso", Method: http.MethodGet, Path: ssoPath + "/{organization}/start", DefaultStatus: http.StatusSeeOther,
		Summary: "Send a browser to the organization's provider to sign in", Tags: []string{"sign-in"},
		Description: "If that cannot be, the browser is sent to " + signInPage + "?error=… with a code, and so is one that a page of another site sent here, with `organization` and `return` to begin from there: nobody shall be signed in who did not want to.",
		Responses:   sendsOn("To the provider, or to " + signInPage),
	}, a.startSSO)
	register(api, anybody, huma.Operation{
		OperationID: "finish-sso", Method: http.MethodGet, Path: SSOCallback, DefaultStatus: http.StatusSeeOther,
		Summary: "Sign in whom a provider sends back", Tags: []string{"sign-in"},
		Description: "The browser is sent to the page that it wanted to go to, with the cookies of a session; or to " + signInPage + "?error=… with a code, and without. What else a provider says is passed over.",
		Responses:   sendsOn("To the page that was asked for, or to " + signInPage),
		// Clients ignore parameters that they do not know: RFC 6749, section 4.1.2.
		SkipValidateParams: true,
	}, a.finishSSO)
}

// crossSite is what Sec-Fetch-Site says of a request that a page of another site made
// (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header).
const crossSite = "cross-site"

// returnTo is the page of ours to which a browser is sent in the end.
func returnTo(ctx context.Context, page string) (string, error) {
	back, err := sso.CheckReturn(page)
	var field *model.FieldError
	if errors.As(err, &field) {
		return "", invalid(ctx, "query.return", field.Reason)
	}
	return back, err
}

// toSignIn is where a browser is sent that a problem keeps from going on.
func toSignIn(p *Problem, back string) string {
	query := url.Values{"error": {p.Code}}
	if back != "" {
		query.Set("return", back)
	}
	if p.Status == http.StatusTooManyRequests {
		query.Set("error", "limited")
		query.Set("wait", p.header.Get("Retry-After"))
	}
	return signInPage + "?" + query.Encode()
}

// followed reports whether an operation is one that browsers are led to, whom no problem
// document tells anything.
func followed(o *huma.Operation) bool { return o.DefaultStatus == http.StatusSeeOther }

// sendsOn documents a redirect.
func sendsOn(where string) map[string]*huma.Response {
	return map[string]*huma.Response{"303": {Description: where}}
}

// SSOInput is what an administrator says of single sign-on.
type SSOInput struct {
	model.SSO
	ClientSecret Secret `json:"client_secret,omitzero" required:"false" maxLength:"1024" doc:"That from before stays if it is left out, unless issuer or client change; never shown"`
}

type ssoAnswer struct {
	ETag string `header:"ETag"`
	Body model.SSO
}

func (a *API) getSSO(ctx context.Context, _ *struct{}) (*ssoAnswer, error) {
	s, err := a.sso(ctx)
	if err != nil {
		return nil, err
	}
	return &ssoAnswer{etag(s.Version), s}, nil
}

// sso reads the configuration, or is the problem that there is none.
func (a *API) sso(ctx context.Context) (model.SSO, error) {
	s, err := a.org(ctx).SSO(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return s, problem(ctx, http.StatusNotFound, sso.CodeOff, "single sign-on is not set up")
	}
	return s, a.answer(ctx, err)
}

func (a *API) putSSO(ctx context.Context, in *struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the configuration as it was read; none if there is none yet"`
	Body    SSOInput
},
) (*ssoAnswer, error) {
	was, err := a.org(ctx).SSO(ctx)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, a.answer(ctx, err)
	}
	if err == nil || in.IfMatch != "" {
		if err := matches(ctx, in.IfMatch, was.Version, "single sign-on"); err != nil {
			return nil, err
		}
	}
	s := in.Body.SSO
	s.Version = was.Version
	if err := a.SSO.Configure(ctx, callerOf(ctx).Organization, a.by(ctx), &s, in.Body.ClientSecret.String); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "single sign-on was changed", slog.Bool("enabled", s.Enabled), slog.String("issuer", s.Issuer))
	return &ssoAnswer{etag(s.Version), s}, nil
}

func (a *API) deleteSSO(ctx context.Context, in *struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the configuration as it was read"`
},
) (*struct{}, error) {
	s, err := a.sso(ctx)
	if err != nil {
		return nil, err
	}
	if err := matches(ctx, in.IfMatch, s.Version, "single sign-on"); err != nil {
		return nil, err
	}
	if err := a.org(ctx).RemoveSSO(ctx, a.by(ctx), s); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.note(ctx, "single sign-on was removed", slog.String("issuer", s.Issuer))
	return nil, nil
}

// sentOn is an answer that sends a browser on.
type sentOn struct {
	Location string        `header:"Location"`
	Cookies  []http.Cookie `header:"Set-Cookie"`
}

// Site is where a browser found us: the host of its request.
type Site struct{ host string }

// Resolve implements huma.Resolver.
func (s *Site) Resolve(ctx huma.Context) []error {
	s.host = ctx.Host()
	return nil
}

// ssoAt is how people sign in at a site. Where no callback was said, it is of the host that
// the gateway in front says the browser asked for: a provider sends nobody to a URL that was
// not registered with it.
func (a *API) ssoAt(at Site) *sso.SignIn {
	s := a.SSO
	if s.Callback == "" {
		s.Callback = (&url.URL{Scheme: "https", Host: at.host, Path: SSOCallback}).String()
	}
	return &s
}

func (a *API) startSSO(ctx context.Context, in *struct {
	Site
	OrganizationPath
	Return string `query:"return" doc:"The page to go to afterwards: a path of this host; the first page if left out" example:"/audits?status=failed"`
	From   string `header:"Sec-Fetch-Site" hidden:"true"`
},
) (*sentOn, error) {
	back, err := returnTo(ctx, in.Return)
	if err != nil {
		return nil, err
	}
	if in.From == crossSite {
		return &sentOn{Location: signInPage + "?" + url.Values{"organization": {in.Organization}, "return": {back}}.Encode()}, nil
	}
	started, err := a.ssoAt(in.Site).Start(ctx, model.OrganizationID(in.Organization), back)
	if err != nil {
		return a.notSignedIn(ctx, err)
	}
	return &sentOn{Location: started.URL, Cookies: []http.Cookie{stateCookie(started.Cookie, maxAge(sso.StateAge))}}, nil
}

func (a *API) finishSSO(ctx context.Context, in *struct {
	Site
	Begun  string `cookie:"__Host-caqs" doc:"What the start of the sign-in set"`
	State  string `query:"state"`
	Code   string `query:"code"`
	Issuer string `query:"iss" doc:"RFC 9207"`
	Error  string `query:"error"`
	Client string `header:"User-Agent" hidden:"true"`
},
) (*sentOn, error) {
	done, err := a.ssoAt(in.Site).Finish(ctx, sso.Answer{
		Cookie: secret.New(in.Begun), State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error,
		Address: addressOf(ctx), Client: in.Client,
	})
	if err != nil {
		return a.notSignedIn(ctx, err)
	}
	access, _, err := a.Sessions.Tokens.Issue(ctx, done.Session)
	if err != nil {
		return a.notSignedIn(ctx, err)
	}
	a.Log.InfoContext(ctx, "signed in by single sign-on", slog.String("organization", string(done.Session.Organization)), slog.String("person", string(done.Session.Person)))
	cookies := sessionCookies(access, done.Refresh, done.Session, a.Now())
	return &sentOn{Location: done.Return, Cookies: append(cookies, stateCookie(secret.String{}, -1))}, nil
}

// stateCookie is the cookie of a sign-in that has begun. It is Lax, since the answer comes
// from the provider's site.
func stateCookie(value secret.String, age int) http.Cookie {
	return http.Cookie{
		Name: sso.CookieName, Value: value.Reveal(), Path: "/", MaxAge: age,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// notSignedIn sends a browser to where it can begin anew, with a code of ours and nothing
// else; why goes to the log. An answer that was read is forgotten. One that is none, which
// another page may have made up, takes nothing from the sign-in that waits.
func (a *API) notSignedIn(ctx context.Context, err error) (*sentOn, error) {
	var refused *sso.RefusedError
	if !errors.As(err, &refused) {
		return nil, a.answer(ctx, err)
	}
	a.Log.WarnContext(ctx, "not signed in by single sign-on", slog.String("code", refused.Code), slog.Any("cause", refused.Unwrap()), slog.String("address", addressOf(ctx)))
	out := &sentOn{Location: signInPage + "?" + url.Values{"error": {refused.Code}}.Encode()}
	if refused.Code != sso.CodeState {
		out.Cookies = []http.Cookie{stateCookie(secret.String{}, -1)}
	}
	return out, nil
}
