package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) findings(api huma.API) {
	register(api, mayRead, huma.Operation{
		OperationID: "list-findings", Method: http.MethodGet, Path: "/v1/connections/{connection}/findings",
		Summary: "List the findings of an account, open and resolved", Tags: []string{"findings"},
	}, a.listFindings)
	register(api, mayRead, huma.Operation{
		OperationID: "get-finding", Method: http.MethodGet, Path: "/v1/findings/{finding}",
		Summary: "Show a finding with its evidence and history", Tags: []string{"findings"},
	}, a.getFinding)
	register(api, mayRead, huma.Operation{
		OperationID: "get-score", Method: http.MethodGet, Path: "/v1/connections/{connection}/score",
		Summary: "Show the score of an account's last complete audit, with its coverage and bounds", Tags: []string{"scores"},
	}, a.getScore)
	register(api, mayRead, huma.Operation{
		OperationID: "get-drift", Method: http.MethodGet, Path: "/v1/connections/{connection}/drift",
		Summary: "Show what the account's role does not allow, what that blinds, and since when", Tags: []string{"connections"},
	}, a.getDrift)
}

type findingsAnswer struct {
	Body struct {
		Findings []model.Finding `json:"findings"`
		Cursor   string          `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

// listFindings goes through the scopes of a connection one after the other: a
// page is what one of them has to give, and may be shorter than the limit.
func (a *API) listFindings(ctx context.Context, in *struct {
	ConnectionPath
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Folded bool   `query:"folded" doc:"Also list findings that only follow from another, which they name as their cause"`
},
) (*findingsAnswer, error) {
	org := a.org(ctx)
	if _, err := a.connection(ctx, in.Connection); err != nil {
		return nil, err
	}
	scopes := pipeline.Scopes(a.Catalog)
	at, inner := 0, ""
	after, err := a.after(ctx, in.Cursor)
	if err != nil {
		return nil, err
	}
	if after != "" {
		scope, rest, found := strings.Cut(after, "\x00")
		if at = slices.Index(scopes, scope); !found || at < 0 {
			return nil, a.cursor(ctx, table.ErrCursor)
		}
		inner = rest
	}
	out := &findingsAnswer{}
	out.Body.Findings = []model.Finding{}
	for ; at < len(scopes) && len(out.Body.Findings) < in.Limit; at++ {
		page, next, err := org.FindingsPage(ctx, model.ConnectionID(in.Connection), scopes[at], inner, in.Limit-len(out.Body.Findings))
		if err != nil {
			return nil, a.cursor(ctx, err)
		}
		for _, f := range page {
			if in.Folded || f.Cause == "" {
				out.Body.Findings = append(out.Body.Findings, f)
			}
		}
		if inner = next; next != "" {
			break
		}
	}
	if at < len(scopes) {
		if out.Body.Cursor, err = a.next(ctx, scopes[at]+"\x00"+inner); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type findingAnswer struct{ Body model.Finding }

// searched is how many connections are searched for a finding of which nobody says
// whose it is.
const searched = 50

func (a *API) getFinding(ctx context.Context, in *struct {
	Finding    string `path:"finding" pattern:"^[0-9a-f]{32}$"`
	Connection string `query:"connection" maxLength:"64" doc:"The connection that it is of, as alerts and lists say. Without it all connections are searched, if there are not more than 50"`
},
) (*findingAnswer, error) {
	org := a.org(ctx)
	connections := []model.ConnectionID{model.ConnectionID(in.Connection)}
	if in.Connection != "" {
		if _, err := a.connection(ctx, in.Connection); err != nil {
			return nil, err
		}
	} else {
		page, next, err := org.ConnectionsPage(ctx, "", searched)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		if next != "" {
			return nil, invalid(ctx, "query.connection", "there are many connections: say which one the finding is of")
		}
		connections = nil
		for _, c := range page {
			if callerOf(ctx).Sees(c.Project) {
				connections = append(connections, c.ID)
			}
		}
	}
	missing := fmt.Errorf("finding %s: %w", in.Finding, store.ErrNotFound)
	for _, c := range connections {
		f, err := org.Finding(ctx, c, pipeline.Scopes(a.Catalog), model.FindingID(in.Finding))
		if err == nil {
			return &findingAnswer{f}, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, a.answer(ctx, err)
		}
	}
	return nil, a.answer(ctx, missing)
}

// DriftOutput is what is missing in an account, and what that leaves.
type DriftOutput struct {
	drift.Report
	Coverage []model.ServiceCoverage `json:"coverage,omitempty" doc:"How much of each service an audit could assess, as far as the role's own policies tell"`
}

type driftAnswer struct{ Body DriftOutput }

// driftLooksBack is how many audits are read to say since when something is
// denied.
const driftLooksBack = 60

func (a *API) getDrift(ctx context.Context, in *ConnectionPath) (*driftAnswer, error) {
	org := a.org(ctx)
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	audits, _, err := org.AuditsPage(ctx, model.ConnectionID(in.Connection), "", driftLooksBack)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &driftAnswer{DriftOutput{Report: drift.Of(audits)}}
	if p := out.Body.Permissions; p != nil && p.Unread == "" {
		checks, err := a.checksOf(c)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		out.Body.Coverage = drift.Preview(checks, *p)
	}
	return out, nil
}

// checksOf are the checks that audits of a connection make.
func (a *API) checksOf(c model.Connection) ([]check.Check, error) {
	checks, err := a.Catalog.Select(c.Checks)
	if err != nil {
		return nil, err
	}
	selection, err := pipeline.Resolve(a.Catalog, checks, c.Services)
	return selection.Checks, err
}

// ScoreOutput is what an account's last audit amounts to.
type ScoreOutput struct {
	Audit   model.AuditID `json:"audit"`
	AsOf    time.Time     `json:"as_of"`
	Summary model.Summary `json:"summary" doc:"changes.score is the score of the audit before; where it has breaks, the two are not to be compared"`
}

type scoreAnswer struct{ Body ScoreOutput }

func (a *API) getScore(ctx context.Context, in *ConnectionPath) (*scoreAnswer, error) {
	if _, err := a.connection(ctx, in.Connection); err != nil {
		return nil, err
	}
	audit, err := a.org(ctx).LatestAudit(ctx, model.ConnectionID(in.Connection), func(a model.Audit) bool { return a.Summary != nil })
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &scoreAnswer{ScoreOutput{Audit: audit.ID, AsOf: audit.StartedAt, Summary: *audit.Summary}}, nil
}
