package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) overviews(api huma.API) {
	register(api, mayRead, filtered(huma.Operation{
		OperationID: "list-checks", Method: http.MethodGet, Path: "/v1/checks",
		Summary: "List the checks, with what became of each in the newest whole audits", Tags: []string{"checks"},
	}, findings.CheckWords(a.Catalog), "fields"), a.listChecks)
	register(api, mayRead, huma.Operation{
		OperationID: "get-check", Method: http.MethodGet, Path: "/v1/checks/{check}",
		Summary: "Explain a check: the risk, the remedy, the requirements that it belongs to", Tags: []string{"checks"},
	}, a.getCheck)
	register(api, mayRead, huma.Operation{
		OperationID: "list-newest-audits", Method: http.MethodGet, Path: "/v1/audits",
		Summary: "List the newest audit of each account, in short", Tags: []string{"audits"},
		Description: "Account by account; what only verified a connection is no audit here. An account that was never audited is not in the list. Those of an account are at /v1/connections/{connection}/audits.",
	}, a.listNewest)
}

// CheckOutput is a check, and what became of it in the newest whole audits of all accounts
// that the caller sees.
type CheckOutput struct {
	shape.Check
	Counts  model.Counts `json:"counts" doc:"How often each verdict was given"`
	Failing int          `json:"failing_accounts" doc:"In how many accounts it fails"`
}

type checksPage struct {
	Checks []Selected[CheckOutput] `json:"checks"`
}

func (p checksPage) lines() iter.Seq[any] { return linesOf(p.Checks) }

type checksAnswer struct{ Body checksPage }

func (a *API) listChecks(ctx context.Context, in *struct {
	Fields string `query:"fields" maxLength:"1024" doc:"Members that are wanted, by their names; without it, all"`
},
) (*checksAnswer, error) {
	only, err := members[CheckOutput](ctx, in.Fields)
	if err != nil {
		return nil, err
	}
	all, err := a.checksThat(ctx, wordsOf(ctx))
	if err != nil {
		return nil, err
	}
	out := &checksAnswer{checksPage{make([]Selected[CheckOutput], len(all))}}
	for i, k := range all {
		out.Body.Checks[i] = Selected[CheckOutput]{k, only}
	}
	return out, nil
}

func (a *API) checksThat(ctx context.Context, words []string) ([]CheckOutput, error) {
	found, err := findings.Checks(a.Catalog, words)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	view, rules, _, err := a.standings(ctx, OfProject{})
	if err != nil {
		return nil, err
	}
	became := map[model.CheckID]index.CheckTotal{}
	for _, t := range view.Totals(rules, viewer(ctx), nil).Checks {
		became[t.Check] = t
	}
	out := make([]CheckOutput, len(found))
	for i, k := range found {
		out[i] = CheckOutput{k, became[k.ID].Counts, became[k.ID].Failing}
	}
	return out, nil
}

type checkAnswer struct{ Body CheckOutput }

func (a *API) getCheck(ctx context.Context, in *struct {
	Check string `path:"check" pattern:"^[a-z0-9-]+$" maxLength:"128"`
},
) (*checkAnswer, error) {
	id := model.CheckID(in.Check)
	if _, known := a.Catalog.Check(id); !known {
		return nil, a.answer(ctx, store.ErrNotFound)
	}
	all, err := a.checksThat(ctx, []string{string(id)})
	if err != nil {
		return nil, err
	}
	return &checkAnswer{all[0]}, nil
}

type auditsPage struct {
	Audits []Selected[shape.Audit] `json:"audits"`
	Cursor string                  `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
}

func (p auditsPage) lines() iter.Seq[any] { return linesOf(p.Audits) }

type shortAudits struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   auditsPage
}

// readAtOnce is how many records are read at a time where each connection takes one.
const readAtOnce = 16

func (a *API) listNewest(ctx context.Context, in *PageInput) (*shortAudits, error) {
	only, err := members[shape.Audit](ctx, in.Fields)
	if err != nil {
		return nil, err
	}
	org := a.org(ctx)
	page, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Connection, string, error) {
		return org.ConnectionsPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	page = slices.DeleteFunc(page, func(c model.Connection) bool { return !callerOf(ctx).Sees(c.Project) })
	newest := make([]*shape.Audit, len(page))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for i, c := range page {
		group.Go(func() error {
			audit, err := org.LatestInShort(reading, c.ID, func(a model.Audit) bool { return !a.Verification })
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			short := shape.NewAudit(audit, c.Name)
			newest[i] = &short
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &shortAudits{Cursor: next, Body: auditsPage{Audits: []Selected[shape.Audit]{}, Cursor: next}}
	for _, short := range newest {
		if short != nil {
			out.Body.Audits = append(out.Body.Audits, Selected[shape.Audit]{*short, only})
		}
	}
	return out, nil
}
