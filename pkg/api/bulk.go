package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Verbs in bulk do to many things what another operation does to one. Each thing has a
// result of its own: what cannot be done to one says why, and is done to the others.

func (a *API) bulk(api huma.API) {
	register(api, mayAudit, huma.Operation{
		OperationID: "start-audits", Method: http.MethodPost, Path: "/v1/bulk/audits",
		Summary: "Audit many connected accounts now", Tags: []string{"audits"},
	}, a.startAudits)
	register(api, mayAudit, huma.Operation{
		OperationID: "verify-connections", Method: http.MethodPost, Path: "/v1/bulk/verifications",
		Summary: "See of many accounts whether they can be audited", Tags: []string{"connections"},
	}, a.verifyAll)
	register(api, mayAudit, huma.Operation{
		OperationID: "cancel-audits", Method: http.MethodPost, Path: "/v1/bulk/cancellations",
		Summary: "Cancel many running audits", Tags: []string{"audits"},
	}, a.cancelAudits)
	register(api, mayConnect, huma.Operation{
		OperationID: "update-connections", Method: http.MethodPost, Path: "/v1/bulk/connections",
		Summary: "Change the project or the schedule of many connections", Tags: []string{"connections"},
	}, a.updateConnections)
	register(api, mayConnect, huma.Operation{
		OperationID: "delete-connections", Method: http.MethodPost, Path: "/v1/bulk/deletions",
		Summary: "Delete many connections and all that is known of their accounts", Tags: []string{"connections"},
	}, a.deleteConnections)
}

// bulkAtOnce is how many things are worked on at a time.
const bulkAtOnce = 8

// Named is a connection of a request in bulk.
type Named struct {
	Connection string `json:"connection" minLength:"1" maxLength:"64"`
}

// Read is a connection of a request in bulk, as it was read.
type Read struct {
	Named
	IfMatch string `json:"if_match" maxLength:"256" doc:"The ETag of the connection as it was read"`
}

// BegunAudit is an audit of a request in bulk.
type BegunAudit struct {
	Named
	Audit string `json:"audit" minLength:"1" maxLength:"64"`
}

// BulkResult is what became of one of the things of a request.
type BulkResult struct {
	Connection string        `json:"connection"`
	Status     int           `json:"status" doc:"What the operation for one thing would have answered"`
	Audit      model.AuditID `json:"audit,omitempty" doc:"The audit that was begun, or cancelled"`
	ETag       string        `json:"etag,omitempty" doc:"Of the connection as it is now"`
	Problem    *Problem      `json:"problem,omitempty" doc:"Why it was not done"`
}

type bulkAnswer struct {
	Body struct {
		Results []BulkResult `json:"results" doc:"In the order of the request"`
		Done    int          `json:"done"`
		Failed  int          `json:"failed"`
	}
}

// each does to each of some things what is to be done, several at a time.
func each[T comparable](ctx context.Context, a *API, all []T, of func(T) string, do func(context.Context, T) (BulkResult, error)) (*bulkAnswer, error) {
	seen := map[string]bool{}
	for i, one := range all {
		if seen[of(one)] {
			return nil, invalid(ctx, fmt.Sprintf("body.items[%d]", i), "it is there more than once")
		}
		seen[of(one)] = true
	}
	out := &bulkAnswer{}
	out.Body.Results = make([]BulkResult, len(all))
	var group errgroup.Group
	group.SetLimit(bulkAtOnce)
	for i, one := range all {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return a.answer(ctx, err)
			}
			result, err := do(ctx, one)
			result.Connection = of(one)
			var p *Problem
			switch {
			case errors.As(err, &p):
				result = BulkResult{Connection: of(one), Status: p.Status, Problem: p}
			case err != nil:
				return err
			}
			out.Body.Results[i] = result
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, r := range out.Body.Results {
		if r.Problem == nil {
			out.Body.Done++
		} else {
			out.Body.Failed++
		}
	}
	return out, nil
}

// counted counts one of the things of a request as the operation for one thing is.
func (a *API) counted(ctx context.Context, of people.Limits) error {
	caller := callerOf(ctx)
	_, err := a.limiter.Take(ctx, of, people.Who{Organization: caller.Organization, Person: string(caller.Person), Session: string(caller.Session), Address: addressOf(ctx)})
	return a.answer(ctx, err)
}

// ofItem is the Idempotency-Key of one of the things of a request that has one.
func (r Repeatable) ofItem(name string) Repeatable {
	if r.Key == "" {
		return r
	}
	sum := sha256.Sum256([]byte(r.Key + "\x00" + name))
	return Repeatable{Key: "bulk-" + hex.EncodeToString(sum[:16])}
}

type bulkOfConnections struct {
	Repeatable
	Body struct {
		Items []Named `json:"items" minItems:"1" maxItems:"500"`
	}
}

func begunOf(out *auditAnswer, err error) (BulkResult, error) {
	if err != nil {
		return BulkResult{}, err
	}
	return BulkResult{Status: http.StatusAccepted, Audit: out.Body.ID}, nil
}

func (a *API) startAudits(ctx context.Context, in *bulkOfConnections) (*bulkAnswer, error) {
	return each(ctx, a, in.Body.Items, func(n Named) string { return n.Connection }, func(ctx context.Context, n Named) (BulkResult, error) {
		if err := a.counted(ctx, people.Audits); err != nil {
			return BulkResult{}, err
		}
		return begunOf(a.startOne(ctx, n.Connection, in.ofItem(n.Connection)))
	})
}

func (a *API) verifyAll(ctx context.Context, in *bulkOfConnections) (*bulkAnswer, error) {
	return each(ctx, a, in.Body.Items, func(n Named) string { return n.Connection }, func(ctx context.Context, n Named) (BulkResult, error) {
		if err := a.counted(ctx, people.Verifications); err != nil {
			return BulkResult{}, err
		}
		return begunOf(a.verifyOne(ctx, n.Connection, in.ofItem(n.Connection)))
	})
}

func (a *API) cancelAudits(ctx context.Context, in *struct {
	Body struct {
		Items []BegunAudit `json:"items" minItems:"1" maxItems:"500"`
	}
},
) (*bulkAnswer, error) {
	return each(ctx, a, in.Body.Items, func(b BegunAudit) string { return b.Connection }, func(ctx context.Context, b BegunAudit) (BulkResult, error) {
		out, err := a.cancelAudit(ctx, &AuditPath{ConnectionPath{b.Connection}, b.Audit})
		result, err := begunOf(out, err)
		result.Status = http.StatusOK
		return result, err
	})
}

func (a *API) updateConnections(ctx context.Context, in *struct {
	Body struct {
		Items    []Read          `json:"items" minItems:"1" maxItems:"500"`
		Project  *string         `json:"project,omitempty" maxLength:"100" pattern:"^[A-Za-z0-9._-]*$" doc:"The project that they go to; empty is none"`
		Schedule *model.Schedule `json:"schedule,omitempty" doc:"When they are audited from now on"`
	}
},
) (*bulkAnswer, error) {
	if in.Body.Project == nil && in.Body.Schedule == nil {
		return nil, invalid(ctx, "body", "say which project or which schedule they are to have")
	}
	return each(ctx, a, in.Body.Items, func(r Read) string { return r.Connection }, func(ctx context.Context, r Read) (BulkResult, error) {
		out, err := a.changeOne(ctx, r.Connection, r.IfMatch, func(c model.Connection) (ConnectionInput, error) {
			said := ConnectionInput{Name: c.Name, Project: c.Project, RoleARN: c.RoleARN, AuditOptions: c.AuditOptions, Schedule: c.Schedule}
			if in.Body.Project != nil {
				said.Project = *in.Body.Project
			}
			if in.Body.Schedule != nil {
				said.Schedule = *in.Body.Schedule
			}
			return said, nil
		})
		if err != nil {
			return BulkResult{}, err
		}
		return BulkResult{Status: http.StatusOK, ETag: out.ETag}, nil
	})
}

func (a *API) deleteConnections(ctx context.Context, in *struct {
	Body struct {
		Items []Read `json:"items" minItems:"1" maxItems:"500"`
	}
},
) (*bulkAnswer, error) {
	return each(ctx, a, in.Body.Items, func(r Read) string { return r.Connection }, func(ctx context.Context, r Read) (BulkResult, error) {
		_, err := a.deleteOne(ctx, r.Connection, r.IfMatch)
		return BulkResult{Status: http.StatusAccepted}, err
	})
}
