package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// need is what a route asks of who calls it. A route that was registered without one
// lets nobody in.
type need string

const (
	anybody       need = "anybody"   // who signs in, or has a link
	signedIn      need = "signed_in" // a person, in whatever role; not a program
	known         need = "known"     // a person or a program, in whatever role
	mayRead            = need(model.ScopeRead)
	mayAudit           = need(model.ScopeAudit)
	mayConnect         = need(model.ScopeConnections)
	mayAdminister      = need(model.ScopeAdmin)
	mayLetIn      need = "let_in"   // an administrator who signed in: no token makes what lets people in, or loosens how
	operates      need = "operator" // whoever may sign requests of the gateway's
)

// The ways in, as the OpenAPI document names them.
const (
	byToken     = "token"
	byCookie    = "cookie"
	bySignature = "signature"
)

var securitySchemes = map[string]*huma.SecurityScheme{
	byToken: {Type: "http", Scheme: "bearer", Description: "An access token of a session, or an API token (`caq_…`)."},
	byCookie: {
		Type: "apiKey", In: "cookie", Name: accessCookie,
		Description: "What signing in sets in a browser. Methods that change something also want the session's `csrf_token` in the header " + csrfHeader + ".",
	},
	bySignature: {Type: "apiKey", In: "header", Name: "Authorization", Description: "AWS Signature Version 4, service execute-api."},
}

// security is what the OpenAPI document says of a need.
func (n need) security() []map[string][]string {
	switch n { //nolint:exhaustive // the others are scopes
	case anybody:
		return []map[string][]string{}
	case operates:
		return []map[string][]string{{bySignature: {}}}
	case signedIn, known:
		return []map[string][]string{{byToken: {}}, {byCookie: {}}}
	case mayLetIn:
		n = mayAdminister
	}
	return []map[string][]string{{byToken: {string(n)}}, {byCookie: {string(n)}}}
}

const needKey, linesKey = "need", "lines"

// operatorPrefix begins the paths that the gateway lets only signed requests to.
const operatorPrefix = "/operator/v1/"

// register adds a route, with what it needs. There is no other way to add one.
func register[I, O any](api huma.API, n need, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	if strings.HasPrefix(op.Path, operatorPrefix) != (n == operates) {
		panic("api: " + op.OperationID + " is on the wrong side of the fence")
	}
	op.Security = n.security()
	op.Metadata = map[string]any{needKey: n, linesKey: isLined[O]()}
	conditions(&op)
	huma.Register(api, op, handler)
}

type callerKey struct{}

// callerOf is who makes a request, as it was let in: nobody's of a route that anybody may
// call, and of operators'.
func callerOf(ctx context.Context) people.Caller {
	c, _ := ctx.Value(callerKey{}).(people.Caller)
	return c
}

// org is the records of the caller's organization, and the only way to any.
func (a *API) org(ctx context.Context) *store.Organization {
	return a.Store.For(callerOf(ctx).Organization)
}

// connection reads a connection that the caller may see. Others' are not there for it.
func (a *API) connection(ctx context.Context, id string) (model.Connection, error) {
	c, err := a.org(ctx).Connection(ctx, model.ConnectionID(id))
	if err == nil && !callerOf(ctx).Sees(c.Project) {
		err = fmt.Errorf("connection %s of a project that is not granted: %w", id, store.ErrNotFound)
	}
	return c, a.answer(ctx, err)
}

// addressOf is where a request came from, as whoever stands in front saw it.
func addressOf(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

type addressKey struct{}

func withAddress(r *http.Request) context.Context {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return context.WithValue(r.Context(), addressKey{}, host)
}

// authorize lets in whom a route is for.
func (a *API) authorize(ctx huma.Context, next func(huma.Context)) {
	n, _ := ctx.Operation().Metadata[needKey].(need)
	caller, p := a.identify(ctx, n)
	if p == nil {
		p = admits(ctx.Context(), n, caller)
	}
	if p != nil {
		_, w := humago.Unwrap(ctx)
		writeProblem(w, p)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, caller))
}

// identify says who makes a request. What a request that nobody needs to sign brings along
// is not looked at.
func (a *API) identify(ctx huma.Context, n need) (people.Caller, *Problem) {
	c := ctx.Context()
	r, _ := humago.Unwrap(ctx)
	authorization := r.Header.Get("Authorization")
	if authorization == "" && n != operates {
		// Browsers send cookies by themselves, and to sign somebody in is to act, too.
		if err := a.origins.Check(r); err != nil {
			return people.Caller{}, problem(c, http.StatusForbidden, "cross_origin", "a page of another origin made the request")
		}
	}
	switch n { //nolint:exhaustive // the others want a token
	case anybody:
		return people.Caller{}, nil
	case operates:
		arn, ok := auth.OperatorOf(c)
		if !ok {
			return people.Caller{}, problem(c, http.StatusUnauthorized, "not_signed", "requests of operators must be signed with AWS credentials")
		}
		return people.Caller{Actor: model.Actor{Kind: model.ActorOperator, ID: arn}, Organization: model.OrganizationID(ctx.Param("organization"))}, nil
	}
	var caller people.Caller
	var err error
	scheme, token, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		cookie, missing := r.Cookie(accessCookie)
		if missing != nil {
			return caller, problem(c, http.StatusUnauthorized, "not_signed_in", "sign in, or send an API token: Authorization: Bearer caq_…")
		}
		access := secret.New(cookie.Value)
		if !safe(r.Method) && !people.IsCSRFToken(access, r.Header.Get(csrfHeader)) {
			return caller, problem(c, http.StatusForbidden, "csrf_token", "a request that comes with cookies and changes something has the session's csrf_token in the header "+csrfHeader+"; GET /v1/session tells it")
		}
		caller, err = a.Sessions.Who(c, access)
	case !strings.EqualFold(scheme, "Bearer"):
		return caller, problem(c, http.StatusUnauthorized, "not_signed_in", "routes under /v1 take tokens: Authorization: Bearer …; requests that AWS credentials sign are for "+operatorPrefix)
	case strings.HasPrefix(token, string(people.APIToken)+"_"):
		parsed, malformed := people.ParseToken(people.APIToken, secret.New(token))
		if malformed != nil {
			return caller, problem(c, http.StatusUnauthorized, people.CodeTokenInvalid, "the API token is not one: it was cut, or mistyped")
		}
		caller, err = a.Sessions.WhoByAPIToken(c, model.TokenID(parsed.ID), parsed.Hash())
	default:
		caller, err = a.Sessions.Who(c, secret.New(token))
	}
	if err == nil {
		err = a.open(c, caller.Organization)
	}
	var p *Problem
	if err != nil && !errors.As(a.answer(c, err), &p) {
		p = problem(c, http.StatusInternalServerError, "internal", "something went wrong here; the request id leads to the log")
	}
	return caller, p
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// open refuses an organization that is suspended, or gone.
func (a *API) open(ctx context.Context, org model.OrganizationID) error {
	o, err := a.Store.For(org).Itself(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && !o.DeletedAt.IsZero():
		return problem(ctx, http.StatusUnauthorized, "organization_gone", "the organization is not there any more")
	case err == nil && !o.Open():
		return problem(ctx, http.StatusForbidden, "organization_suspended", "whoever operates this installation has suspended the organization")
	}
	return err
}

// admits refuses who may not do what a route needs.
func admits(ctx context.Context, n need, c people.Caller) *Problem {
	switch {
	case n == "":
		return problem(ctx, http.StatusForbidden, "forbidden", "the route is for nobody")
	case n == anybody || n == operates || n == known:
		return nil
	case n == signedIn && c.Session == "":
		return problem(ctx, http.StatusForbidden, "session_needed", "the route is for people who signed in, and not for API tokens")
	case n == mayLetIn:
		if p := admits(ctx, mayAdminister, c); p != nil {
			return p
		}
		return notByToken(ctx, c)
	case n != signedIn && !c.Can(model.Scope(n)):
		return problem(ctx, http.StatusForbidden, "forbidden", fmt.Sprintf("you may not do this: it needs the scope %q", n))
	}
	return nil
}

// notByToken refuses a program; nil if the caller is a person who signed in.
func notByToken(ctx context.Context, c people.Caller) *Problem {
	if c.Session != "" {
		return nil
	}
	return refusal(ctx, &people.RefusedError{Code: people.CodeNotByToken})
}
