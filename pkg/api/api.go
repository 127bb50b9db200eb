// Package api is CloudArq over HTTP: connections, audits, findings and scores of
// one organization. It is an http.Handler and knows nothing of what serves it.
// Errors are problem documents (RFC 9457).
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// AccessKeys keeps the access keys of connections, sealed.
type AccessKeys interface {
	// Set seals a key that was made at a moment, and writes the connection with it;
	// store.ErrConflict if somebody else wrote the connection.
	Set(ctx context.Context, by model.Change, org model.OrganizationID, c *model.Connection, key secret.AccessKey, made time.Time) error
	// Prune destroys the keys that the connection as written does not name any more.
	Prune(ctx context.Context, org model.OrganizationID, c model.Connection, before *model.AccessKey) error
}

// Jobs has work done that takes longer than a request, or keys that this handler does
// not have.
type Jobs interface {
	// Begin makes a job, once for an id.
	Begin(ctx context.Context, by model.Change, org model.OrganizationID, id model.JobID, kind model.JobKind) (model.Job, error)
}

// API is what the handler works with.
type API struct {
	Store       *store.Store
	Catalog     *check.Catalog
	Pipeline    *pipeline.Pipeline // begins, stops and resumes audits
	ExternalIDs ExternalIDs
	AccessKeys  AccessKeys
	Jobs        Jobs
	Events      bus.Publisher // hears of what requests change; nil if nobody shall
	Now         func() time.Time
	Log         *slog.Logger
	Templates   Templates
	Evidence    blob.Store // what audits recorded, their calls included; only read
	// Index is what lists of findings are answered from; nil only where nobody lists any.
	Index *index.Keepers
	// CheckerRole is the ARN of the role that customers' roles have to trust, and
	// AuditRole the name of the roles that it may assume.
	CheckerRole, AuditRole string
	// Region is where links to AWS's console lead.
	Region  string
	Version string
	Caps    Caps
	// Sessions says who people and programs are.
	Sessions people.Sessions
	// People signs them in, and has what administrators do with them. Its sessions and limits
	// are this API's, and its hasher the standard one, if it has none.
	People people.Service
	// SSO signs people in by their organization's provider, whom it reaches by its client: by
	// one that reaches the internet alone, if it has none. Its records, keys and sessions are
	// this API's. Without a callback that is SSOCallback of the host that a request is for.
	SSO sso.SignIn
	// Origins are those of pages elsewhere that may call /v1 from browsers; none if empty.
	Origins []Origin
	// Operators adds the routes of operators, for whom a gateway verifies signatures.
	Operators bool
	// Pages puts what people look at over the API: it answers all requests, those for routes
	// by the handler that it is given, by which it also does whatever pages do. Nil is none.
	Pages func(api http.Handler, log *slog.Logger) http.Handler

	lists      *findings.Lists
	rules      func() (*index.Rules, error) // what scores are computed by
	origins    http.CrossOriginProtection
	limiter    people.Counters
	publishing sync.Mutex
	published  published // the template, by this process
}

// Handler is the API as an http.Handler.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	a.limiter = people.NewLimiter(a.Store, a.Now)
	a.rules = sync.OnceValues(func() (*index.Rules, error) { return index.NewRules(a.Catalog) })
	a.lists = &findings.Lists{Index: a.Index, Store: a.Store, Catalog: a.Catalog, Sealer: sealer{a}}
	a.Sessions.MayRefresh = a.mayRefresh
	a.People.Sessions, a.People.Limits = a.Sessions, a.limiter
	if a.People.Passwords == nil {
		a.People.Passwords = people.NewHasher(people.Standard)
	}
	a.SSO.Store, a.SSO.Keys, a.SSO.Sessions, a.SSO.Now = a.Store, a.People.Keys, a.Sessions, a.Now
	if a.SSO.Client == nil {
		a.SSO.Client = sso.NewClient(sso.Reach{})
	}
	a.routes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := methods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeProblem(w, problem(r.Context(), http.StatusMethodNotAllowed, "method_not_allowed", "the route takes "+strings.Join(allowed, ", ")))
			return
		}
		writeProblem(w, noRoute(r.Context()))
	})
	next := a.public(a.cors(tags(mux)))
	if a.Pages != nil {
		next = a.Pages(next, a.Log)
	}
	return a.guard(next)
}

// Document is the OpenAPI document of the API with all of its routes, as JSON: what
// /v1/openapi.json shows of a version.
func Document(version string, catalog *check.Catalog) ([]byte, error) {
	a := &API{Version: version, Catalog: catalog, Operators: true}
	text, err := json.MarshalIndent(a.routes(http.NewServeMux()).OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return append(text, '\n'), nil
}

// routes adds all routes.
func (a *API) routes(mux *http.ServeMux) huma.API {
	setUp()
	config := huma.DefaultConfig("CloudArq", a.Version)
	config.Info.Description = "Audits of AWS accounts: connections, audits, findings, scores. People sign in and programs send API tokens; operators sign requests with AWS Signature Version 4 (service execute-api)."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/v1/openapi", "", ""
	config.CreateHooks = nil // no links to schemas in answers
	config.RejectUnknownQueryParameters = true
	config.Formats = maps.Clone(config.Formats)
	config.Formats["application/json"], config.Formats["json"] = strictJSON, strictJSON
	config.Formats[ndjson] = jsonLines
	config.Components.SecuritySchemes = securitySchemes
	TellShapes(config.Components.Schemas)
	api := humago.New(mux, config)
	api.UseMiddleware(noteOperation, noteList, names, a.authorize, a.limit, queries)
	for _, add := range []func(huma.API){
		a.signIn, a.singleSignOn, a.session, a.me, a.members, a.invitations, a.projects, a.tokens,
		a.connections, a.externalIDs, a.audits, a.calls, a.verification, a.findings, a.scores, a.compliance, a.recorded, a.overviews, a.bulk, a.organization, a.administration, a.adminLog,
	} {
		add(api)
	}
	if a.Operators {
		a.operators(api)
	}
	describe(api.OpenAPI())
	return api
}

// indexTime is after how long a client asks again whose list waits for its index.
const indexTime = 5 * time.Second

func noRoute(ctx context.Context) *Problem {
	return problem(ctx, http.StatusNotFound, "not_found", "there is no such route; /v1/openapi.json lists them")
}

// methods are those that the path of a request takes.
func methods(mux *http.ServeMux, r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		try := r.Clone(r.Context())
		try.Method = method
		if _, pattern := mux.Handler(try); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// guard is around every route: headers, a form that means something, and no stack trace for anybody.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		secure(h)
		id := r.Header.Get("X-Request-Id")
		if !requestID.MatchString(id) {
			id = ulid.Make().String()
		}
		h.Set("X-Request-Id", id)
		ctx := context.WithValue(withAddress(r), requestIDKey{}, id)
		defer func() {
			if v := recover(); v != nil {
				a.Log.ErrorContext(ctx, "panic", slog.Any("value", v), slog.String("path", r.URL.Path))
				writeProblem(w, problem(ctx, http.StatusInternalServerError, "internal", "something went wrong here; the request id leads to the log"))
			}
		}()
		if p := malformed(ctx, r); p != nil {
			writeProblem(w, p)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type requestIDKey struct{}

var requestID = regexp.MustCompile(`^[A-Za-z0-9=_+/-]{1,128}$`)

// answer turns what went wrong into a problem; what is nobody's business but the
// operator's goes to the log.
func (a *API) answer(ctx context.Context, err error) error {
	var p *Problem
	var altered *pipeline.AlteredError
	var over *people.LimitedError
	var refused *people.RefusedError
	var field *model.FieldError
	var weak *people.WeakPasswordError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	case errors.As(err, &over):
		return a.limited(ctx, over)
	case errors.As(err, &refused):
		return refusal(ctx, refused)
	case errors.As(err, &field):
		return invalid(ctx, "body."+field.Field, field.Reason)
	case errors.As(err, &weak):
		p := invalid(ctx, "body.password", weak.Reason)
		p.Code = weak.Code
		return p
	case errors.Is(err, store.ErrLastAdministrator):
		return problem(ctx, http.StatusConflict, "last_administrator", "there is no other administrator who is not suspended; make somebody else one first")
	case errors.Is(err, store.ErrEmailTaken):
		return problem(ctx, http.StatusConflict, "email_taken", "somebody else has this e-mail address")
	case errors.Is(err, people.ErrMember):
		return problem(ctx, http.StatusConflict, "already_member", "a member has this e-mail address")
	case errors.As(err, &altered): // before not found, which it may be
		a.Log.ErrorContext(ctx, "what is kept of an audit was changed", slog.String("key", altered.Object.Key), slog.Any("error", err))
		return problem(ctx, http.StatusInternalServerError, "altered", altered.Error())
	case errors.Is(err, store.ErrNotFound):
		return problem(ctx, http.StatusNotFound, "not_found", "there is no such thing in this organization")
	case errors.Is(err, index.ErrBuilding):
		p := problem(ctx, http.StatusServiceUnavailable, "index_building", "what lists are answered from is being made, as after an upgrade; send the request again in a moment, and more of it is done")
		p.header = http.Header{"Retry-After": {seconds(indexTime)}}
		return p
	case errors.Is(err, store.ErrKeyReused):
		return problem(ctx, http.StatusUnprocessableEntity, "idempotency_key_reused", "the Idempotency-Key was used for another request within the last day")
	case errors.Is(err, store.ErrInFlight):
		p := problem(ctx, http.StatusConflict, "request_in_flight", "a request with this Idempotency-Key is being worked on; send it again in a moment")
		p.header = http.Header{"Retry-After": {seconds(workTime)}}
		return p
	case errors.Is(err, store.ErrConflict):
		return problem(ctx, http.StatusConflict, "conflict", "somebody else changed it at the same moment; read it again and repeat the request")
	}
	if p := a.denied(ctx, err); p != nil {
		return p
	}
	if store.Refused(err) { // an edge should have: see there
		a.Log.ErrorContext(ctx, "what was asked for can be no record", slog.Any("error", err))
		return problem(ctx, http.StatusUnprocessableEntity, "invalid", "what the request says cannot be kept: it is too large, or a name in it can be none")
	}
	a.Log.ErrorContext(ctx, "request failed", slog.Any("error", err))
	return problem(ctx, http.StatusInternalServerError, "internal", "something went wrong here; the request id leads to the log")
}
