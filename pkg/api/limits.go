package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// limits are how often operations may be tried.
var limits = map[string]people.Limits{
	"create-connection":  people.Connections,
	"verify-connection":  people.Verifications,
	"give-access-key":    people.AccessKeys,
	"start-audit":        people.Audits,
	"retry-audit":        people.Audits,
	"rekey":              people.Rekeys,
	"rotate-external-id": people.Rotations,
	"retire-external-id": people.Rotations,
}

// organizationID is the form of an organization's id, as Organized declares it.
var organizationID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// organizationOf is the organization that a request names, and false of one that none can
// be: the validation refuses it.
func organizationOf(ctx huma.Context) (model.OrganizationID, bool) {
	org := Organized{ctx.Header("CloudArq-Organization")}.id()
	return org, organizationID.MatchString(string(org))
}

// limit counts what a caller tries, before anything is looked at, and refuses what is too
// much. Who names an organization that cannot be is refused by the validation.
func (a *API) limit(ctx huma.Context, next func(huma.Context)) {
	of, limited := limits[ctx.Operation().OperationID]
	org, ok := organizationOf(ctx)
	if !limited || !ok {
		next(ctx)
		return
	}
	caller, _ := auth.CallerOf(ctx.Context())
	left, err := a.limiter.Take(ctx.Context(), of, people.Who{Organization: org, Person: caller.ARN, Address: caller.Address})
	_, w := humago.Unwrap(ctx)
	var over *people.LimitedError
	switch {
	case errors.As(err, &over):
		allowance(w.Header(), over.Allowance)
		w.Header().Set("Retry-After", seconds(over.RetryAfter()))
		a.Log.WarnContext(ctx.Context(), "tried too often", slog.String("limit", over.Limit.Name), slog.String("organization", string(org)), slog.String("caller", caller.ARN))
		writeProblem(w, problem(ctx.Context(), http.StatusTooManyRequests, people.LimitedCode, fmt.Sprintf("%s; %s allows %d in %s", over, over.Limit.Name, over.Limit.Most, over.Limit.Window)))
	case err != nil:
		a.refuse(ctx.Context(), w, err)
	default:
		allowance(w.Header(), left)
		next(ctx)
	}
}

// refuse writes an error as a problem.
func (a *API) refuse(ctx context.Context, w http.ResponseWriter, err error) {
	var p *Problem
	if errors.As(a.answer(ctx, err), &p) {
		writeProblem(w, p)
	}
}

// allowance says how a limit stands: in the fields of the draft as it is (version 11 of 23 May
// 2026, https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/), and in
// those of its versions up to 6, which are what most clients read.
func allowance(h http.Header, a people.Allowance) {
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%s", a.Limit.Name, a.Limit.Most, seconds(a.Limit.Window)))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%s", a.Limit.Name, a.Remaining, seconds(a.Reset)))
	h.Set("RateLimit-Limit", strconv.FormatInt(a.Limit.Most, 10))
	h.Set("RateLimit-Remaining", strconv.FormatInt(a.Remaining, 10))
	h.Set("RateLimit-Reset", seconds(a.Reset))
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
