package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// limits are how often operations may be tried.
var limits = map[string]people.Limits{
	"create-connection":    people.Connections,
	"verify-connection":    people.Verifications,
	"give-access-key":      people.AccessKeys,
	"start-audit":          people.Audits,
	"retry-audit":          people.Audits,
	"start-audits":         people.Bulk,
	"verify-connections":   people.Bulk,
	"cancel-audits":        people.Bulk,
	"update-connections":   people.Bulk,
	"delete-connections":   people.Bulk,
	"rekey":                people.Rekeys,
	"reindex":              people.Reindexings,
	"rotate-external-id":   people.Rotations,
	"retire-external-id":   people.Rotations,
	"refresh-session":      people.RefreshTries,
	"renew-session":        people.RefreshTries,
	"create-invitation":    people.Invitations,
	"recover-member":       people.Recoveries,
	"invite-administrator": people.OperatorLinks,
	"recover-person":       people.OperatorLinks,
	"create-token":         people.APITokens,
	"start-sso":            people.SSOStarts,
	"finish-sso":           people.SSOAnswers,
}

// limit counts what a caller tries, before anything is looked at, and refuses what is too
// much. Programs share the limits of their owner.
func (a *API) limit(ctx huma.Context, next func(huma.Context)) {
	of, limited := limits[ctx.Operation().OperationID]
	if !limited {
		next(ctx)
		return
	}
	caller := callerOf(ctx.Context())
	who := people.Who{Organization: caller.Organization, Person: string(caller.Person), Session: string(caller.Session), Address: addressOf(ctx.Context())}
	if caller.Actor.Kind == model.ActorOperator {
		who.Person = caller.Actor.ID
	}
	left, err := a.limiter.Take(ctx.Context(), of, who)
	_, w := humago.Unwrap(ctx)
	var over *people.LimitedError
	switch {
	case errors.As(err, &over) && followed(ctx.Operation()):
		p := a.limited(ctx.Context(), over)
		maps.Copy(w.Header(), p.header)
		w.Header().Set("Location", toSignIn(p, ""))
		w.WriteHeader(http.StatusSeeOther)
		return
	case err != nil:
		a.refuse(ctx.Context(), w, err)
		return
	}
	allowance(w.Header(), left)
	next(ctx)
}

// limited is the problem that somebody tried too often.
func (a *API) limited(ctx context.Context, over *people.LimitedError) *Problem {
	a.Log.WarnContext(ctx, "tried too often", slog.String("limit", over.Limit.Name), slog.String("caller", callerOf(ctx).Actor.ID), slog.String("address", addressOf(ctx)))
	p := problem(ctx, http.StatusTooManyRequests, people.LimitedCode, fmt.Sprintf("%s; %s allows %d in %s", over, over.Limit.Name, over.Limit.Most, over.Limit.Window))
	p.header = http.Header{}
	allowance(p.header, over.Allowance)
	p.header.Set("Retry-After", seconds(over.RetryAfter()))
	return p
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
