package api

import (
	"context"
	"iter"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

func (a *API) findings(api huma.API) {
	words := findings.Words(a.Catalog)
	listing := []string{"cursor", "limit", "sort", "fields", "count", "group", "group_limit", "group_skip", "all"}
	register(api, mayRead, filtered(huma.Operation{
		OperationID: "list-findings", Method: http.MethodGet, Path: "/v1/findings",
		Summary: "List findings, of all accounts", Tags: []string{"findings"},
		Description: "Without filters, those that are open and follow from no other, the gravest first. Filters are query parameters, as the words of the command: `severity=high,critical&region!=us-east-1&first_seen>=2026-05-01&tag:env=prod`. A value that cannot be is refused, with the nearest that can. `empty` says why a list is empty. With Accept: application/x-ndjson each finding is a line, and the cursor is in the header alone.",
	}, words, listing...), a.listFindings)
	register(api, mayRead, filtered(huma.Operation{
		OperationID: "list-findings-of-connection", Method: http.MethodGet, Path: "/v1/connections/{connection}/findings",
		Summary: "List the findings of an account", Tags: []string{"findings"},
		Description: "As GET /v1/findings with connection=.",
	}, slices.DeleteFunc(slices.Clone(words), func(f filter.Field) bool {
		return slices.Contains([]string{"account", "connection", "project"}, f.Name)
	}), listing...), a.listFindingsOf)
	register(api, mayRead, huma.Operation{
		OperationID: "get-finding", Method: http.MethodGet, Path: "/v1/findings/{finding}",
		Summary: "Show a finding whole: with its evidence and history", Tags: []string{"findings"},
	}, a.getFinding)
	register(api, mayRead, huma.Operation{
		OperationID: "get-drift", Method: http.MethodGet, Path: "/v1/connections/{connection}/drift",
		Summary: "Show what the account's role does not allow, what that blinds, and since when", Tags: []string{"connections"},
	}, a.getDrift)
}

// ListInput are the parameters of all lists that take filters.
type ListInput struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"0" maximum:"500" default:"100" doc:"The most entries of a page; 0 gives counts alone"`
	Sort   string `query:"sort" maxLength:"512" doc:"Fields, the first first; a - before one is the other way round: -severity,first_seen"`
	Fields string `query:"fields" maxLength:"1024" doc:"Members that are wanted, by their names; without it, all"`
	Count  string `query:"count" enum:"exact,estimate" doc:"Also say how many there are on all pages. Both are exact, and cost nothing"`
}

// FindingsInput are the parameters of lists of findings.
type FindingsInput struct {
	ListInput
	Group      string `query:"group" maxLength:"512" doc:"Also count all that fit by these fields: severity,check,tag:env"`
	GroupLimit int    `query:"group_limit" minimum:"1" maximum:"1000" default:"20" doc:"The most values of a group, those of the most findings"`
	GroupSkip  int    `query:"group_skip" minimum:"0" maximum:"1000000" doc:"How many values of each group to leave out before those"`
	All        bool   `query:"all" doc:"Also list what is resolved, and what only follows from another finding"`
}

type findingsPage struct {
	Findings []Selected[shape.Finding] `json:"findings"`
	Cursor   string                    `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	Total    *int                      `json:"total,omitempty" doc:"How many there are on all pages, if count asks for it"`
	Groups   []GroupOutput             `json:"groups,omitempty" doc:"Counts of what fits, in the order asked for"`
	Empty    *findings.Empty           `json:"empty,omitempty" doc:"Why there is none"`
	Untold   int                       `json:"unknown_tags,omitempty" doc:"How many findings fit all filters but those on tags, and are of resources whose tags are not known"`
}

func (p findingsPage) lines() iter.Seq[any] { return linesOf(p.Findings) }

type findingsAnswer struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   findingsPage
}

// GroupOutput counts findings by the values of a field.
type GroupOutput struct {
	By     string         `json:"by"`
	Total  int            `json:"total" doc:"How many values there are"`
	Values []BucketOutput `json:"values" doc:"The values of the most findings first"`
}

// BucketOutput counts the findings of one value.
type BucketOutput struct {
	Value      string                 `json:"value"`
	Count      int                    `json:"count"`
	Severities map[model.Severity]int `json:"severities"`
}

func (a *API) listFindings(ctx context.Context, in *FindingsInput) (*findingsAnswer, error) {
	return a.findingsThat(ctx, in, wordsOf(ctx))
}

func (a *API) listFindingsOf(ctx context.Context, in *struct {
	ConnectionPath
	FindingsInput
},
) (*findingsAnswer, error) {
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	return a.findingsThat(ctx, &in.FindingsInput, append(slices.Clone(wordsOf(ctx)), "connection="+string(c.ID)))
}

func (a *API) findingsThat(ctx context.Context, in *FindingsInput, words []string) (*findingsAnswer, error) {
	only, err := members[shape.Finding](ctx, in.Fields)
	if err != nil {
		return nil, err
	}
	q := findings.Query{Words: words, All: in.All, Sort: list(in.Sort), Limit: in.Limit, Cursor: in.Cursor}
	for _, field := range list(in.Group) {
		q.Groups = append(q.Groups, index.Group{Field: field, Skip: in.GroupSkip, Limit: in.GroupLimit})
	}
	page, err := a.lists.Page(ctx, callerOf(ctx).Organization, viewer(ctx), q)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	out := &findingsAnswer{Cursor: page.Next, Body: findingsPage{Findings: make([]Selected[shape.Finding], len(page.Findings)), Cursor: page.Next, Empty: page.Empty, Untold: page.Untold}}
	for i, f := range page.Findings {
		out.Body.Findings[i] = Selected[shape.Finding]{f, only}
	}
	if in.Count != "" {
		out.Body.Total = &page.Total
	}
	for _, g := range page.Groups {
		group := GroupOutput{By: g.Field, Total: g.Total, Values: make([]BucketOutput, len(g.Values))}
		for i, b := range g.Values {
			group.Values[i] = BucketOutput(b)
		}
		out.Body.Groups = append(out.Body.Groups, group)
	}
	return out, nil
}

type findingAnswer struct{ Body shape.Finding }

func (a *API) getFinding(ctx context.Context, in *struct {
	Finding    string `path:"finding" pattern:"^[0-9a-f]{32}$"`
	Connection string `query:"connection" maxLength:"64" doc:"The connection that it is of, where several are of one account: without it, it is that of the first"`
},
) (*findingAnswer, error) {
	f, err := a.lists.One(ctx, callerOf(ctx).Organization, viewer(ctx), model.ConnectionID(in.Connection), in.Finding)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return &findingAnswer{f}, nil
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

func (a *API) getDrift(ctx context.Context, in *struct {
	ConnectionPath
	Audit string `query:"audit" maxLength:"64" doc:"What was missing in this audit, rather than in the newest"`
},
) (*driftAnswer, error) {
	org := a.org(ctx)
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	if in.Audit != "" {
		if _, err := org.Audit(ctx, c.ID, model.AuditID(in.Audit)); err != nil {
			return nil, a.answer(ctx, err)
		}
	}
	var audits []model.Audit
	for cursor, began := "", false; len(audits) < driftLooksBack && (cursor != "" || !began); began = true {
		page, next, err := org.AuditsPage(ctx, c.ID, cursor, driftLooksBack)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		for _, one := range page {
			if in.Audit != "" && one.ID > model.AuditID(in.Audit) || len(audits) == driftLooksBack {
				continue
			}
			if one, err = org.WholeAudit(ctx, one); err != nil {
				return nil, a.answer(ctx, err)
			}
			audits = append(audits, one)
		}
		cursor = next
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
