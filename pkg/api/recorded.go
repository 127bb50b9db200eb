package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/recorded"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) recorded(api huma.API) {
	register(api, mayRead, filtered(huma.Operation{
		OperationID: "list-verdicts", Method: http.MethodGet, Path: "/v1/connections/{connection}/audits/{audit}/verdicts",
		Summary: "List what an audit said of each resource, PASS included", Tags: []string{"audits"},
		Description: "In the order of the evidence. With Accept: application/x-ndjson each verdict is a line, and the cursor is in the header alone. A page may have fewer than its limit, and still a cursor.",
	}, recorded.VerdictWords(a.Catalog), "cursor", "limit", "fields"), a.listVerdicts)
	register(api, mayRead, filtered(huma.Operation{
		OperationID: "list-resources", Method: http.MethodGet, Path: "/v1/resources",
		Summary: "List the resources that the newest audit of each account saw", Tags: []string{"resources"},
		Description: "Account by account. With Accept: application/x-ndjson each resource is a line, and the cursor is in the header alone. A page may have fewer than its limit, and still a cursor. Filters on tags fit no resource whose tags are not known.",
	}, recorded.ResourceWords(a.Catalog), "cursor", "limit", "fields"), a.listResources)
	register(api, mayRead, huma.Operation{
		OperationID: "compare-audits", Method: http.MethodGet, Path: "/v1/connections/{connection}/audits/{audit}/diff",
		Summary: "Tell what is different between an audit and an earlier one of the account", Tags: []string{"audits"},
		Description: "In the checks that both made, what matters most first. Without `since` the earlier one is the last before it that has a result.",
	}, a.compareAudits)
}

// PageInput are the parameters of lists that are read as they were recorded.
type PageInput struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Fields string `query:"fields" maxLength:"1024" doc:"Members that are wanted, by their names; without it, all"`
}

// looked is how many entries are looked at for a page, or so many fewer as objects are opened,
// and pageBytes how long one may become: a function answers with six megabytes at most, and
// within half a minute.
const (
	looked    = 50_000
	opened    = 250 // what reading an object takes as much time as
	pageBytes = 4 << 20
)

type verdictsPage struct {
	Verdicts []Selected[shape.Verdict] `json:"verdicts"`
	Cursor   string                    `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
}

func (p verdictsPage) lines() iter.Seq[any] { return linesOf(p.Verdicts) }

type verdictsAnswer struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   verdictsPage
}

// spot is where a list of verdicts goes on: behind so many of a task.
type spot struct {
	Task model.TaskID `json:"t"`
	Seen int          `json:"n"`
}

func (a *API) listVerdicts(ctx context.Context, in *struct {
	AuditPath
	PageInput
},
) (*verdictsAnswer, error) {
	audit, err := a.recordedAudit(ctx, &in.AuditPath)
	if err != nil {
		return nil, err
	}
	only, err := members[shape.Verdict](ctx, in.Fields)
	if err != nil {
		return nil, err
	}
	wanted, err := recorded.VerdictFilter(a.Catalog, wordsOf(ctx))
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	var at spot
	if err := a.goOn(ctx, in.Cursor, &at); err != nil {
		return nil, err
	}
	tasks := audit.Tasks
	if at.Task != "" {
		begin := slices.IndexFunc(tasks, func(t model.Task) bool { return t.ID == at.Task })
		if begin < 0 {
			return nil, a.cursor(ctx, table.ErrCursor)
		}
		tasks = tasks[begin:]
	}
	out := &verdictsAnswer{Body: verdictsPage{Verdicts: []Selected[shape.Verdict]{}}}
	full := page{limit: in.Limit}
	for i, t := range tasks {
		audit.Tasks = []model.Task{t}
		seen := 0
		err := audit.Verdicts(ctx, check.Statuses(), func(v shape.Verdict) error {
			if seen++; i == 0 && seen <= at.Seen {
				return nil
			}
			one := Selected[shape.Verdict]{v, only}
			switch fits, err := full.takes(wanted.Match(v), one); {
			case err != nil:
				return err
			case fits:
				out.Body.Verdicts = append(out.Body.Verdicts, one)
			}
			return nil
		})
		if errors.Is(err, errFull) {
			out.Cursor, err = a.stopAt(ctx, spot{t.ID, seen - 1})
			out.Body.Cursor = out.Cursor
			return out, err
		}
		if err != nil {
			return nil, a.answer(ctx, err)
		}
	}
	return out, nil
}

// page counts what a page has.
type page struct{ limit, entries, bytes, looked int }

// takes reports whether an entry is of the page. It is errFull before an entry for which it
// has no room, or after as many as may be looked at.
func (p *page) takes(fits bool, entry any) (bool, error) {
	if p.looked >= looked {
		return false, errFull
	}
	if !fits {
		p.looked++
		return false, nil
	}
	data, err := json.Marshal(entry)
	if err != nil {
		return false, err
	}
	if p.entries == p.limit || p.entries > 0 && p.bytes+len(data) > pageBytes {
		return false, errFull
	}
	p.looked++
	p.entries++
	p.bytes += len(data)
	return true, nil
}

// goOn reads where a list goes on.
func (a *API) goOn(ctx context.Context, cursor string, at any) error {
	text, err := a.after(ctx, cursor)
	if err != nil || text == "" {
		return err
	}
	if err := json.Unmarshal([]byte(text), at); err != nil {
		return a.cursor(ctx, table.ErrCursor)
	}
	return nil
}

// stopAt is the cursor of a list that goes on there.
func (a *API) stopAt(ctx context.Context, at any) (string, error) {
	text, err := json.Marshal(at)
	if err != nil {
		return "", err
	}
	return a.next(ctx, string(text))
}

// recordedAudit is an audit of a request with what it recorded.
func (a *API) recordedAudit(ctx context.Context, in *AuditPath) (recorded.Audit, error) {
	org := a.org(ctx)
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return recorded.Audit{}, err
	}
	audit, err := org.Audit(ctx, c.ID, model.AuditID(in.Audit))
	if err != nil {
		return recorded.Audit{}, a.answer(ctx, err)
	}
	return a.withRecords(ctx, org, c, audit)
}

func (a *API) withRecords(ctx context.Context, org *store.Organization, c model.Connection, audit model.Audit) (recorded.Audit, error) {
	if audit.Forgotten(a.Now()) {
		return recorded.Audit{}, problem(ctx, http.StatusConflict, "audit_forgotten", "what the audit recorded is older than evidence is kept; its sums are there")
	}
	out := recorded.Audit{Audit: audit, Evidence: a.Evidence, Owner: shape.OwnerOf(c)}
	var err error
	if out.Tasks, err = org.Tasks(ctx, audit.ID); err == nil {
		out.Shaper, err = shape.NewShaper(a.Catalog)
	}
	return out, a.answer(ctx, err)
}

type resourcesPage struct {
	Resources []Selected[shape.Resource] `json:"resources"`
	Cursor    string                     `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	Untold    *recorded.Untold           `json:"unknown_tags,omitempty" doc:"Of how many resources that were looked at for this page the tags are not known, so that no filter on tags fits them, and why"`
	Forgotten []string                   `json:"forgotten_accounts,omitempty" doc:"Accounts of which the list has nothing, since what their newest audits recorded is older than evidence is kept"`
	Unaudited int                        `json:"unaudited_accounts,omitempty" doc:"Of how many accounts the list has nothing, since no audit of them has a result yet"`
}

func (p resourcesPage) lines() iter.Seq[any] { return linesOf(p.Resources) }

type resourcesAnswer struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   resourcesPage
}

func (a *API) listResources(ctx context.Context, in *PageInput) (*resourcesAnswer, error) {
	only, err := members[shape.Resource](ctx, in.Fields)
	if err != nil {
		return nil, err
	}
	view, err := a.Index.For(callerOf(ctx).Organization).View(ctx)
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	estate := recorded.Estate{Store: a.org(ctx), Evidence: a.Evidence, Catalog: a.Catalog, View: view, Who: viewer(ctx), Now: a.Now}
	var from recorded.Position
	if err := a.goOn(ctx, in.Cursor, &from); err != nil {
		return nil, err
	}
	out := &resourcesAnswer{Body: resourcesPage{Resources: []Selected[shape.Resource]{}}}
	full := page{limit: in.Limit}
	next, left, err := estate.Resources(ctx, wordsOf(ctx), from, func(r *shape.Resource, opens bool) error {
		if opens {
			full.looked += opened
		}
		var one Selected[shape.Resource]
		if r != nil {
			one = Selected[shape.Resource]{*r, only}
		}
		fits, err := full.takes(r != nil, one)
		if errors.Is(err, errFull) {
			return recorded.ErrStop
		}
		if fits {
			out.Body.Resources = append(out.Body.Resources, one)
		}
		return err
	})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	if left.Untold.Resources > 0 {
		out.Body.Untold = &left.Untold
	}
	out.Body.Forgotten, out.Body.Unaudited = left.Forgotten, left.Unaudited
	if next != (recorded.Position{}) {
		out.Cursor, err = a.stopAt(ctx, next)
		out.Body.Cursor = out.Cursor
	}
	return out, err
}

type diffPage struct {
	Older       model.AuditID      `json:"older"`
	Newer       model.AuditID      `json:"newer"`
	Total       int                `json:"total" doc:"How many differences there are on all pages"`
	Differences []shape.Difference `json:"differences"`
	Cursor      string             `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
}

func (p diffPage) lines() iter.Seq[any] { return linesOf(p.Differences) }

type diffAnswer struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   diffPage
}

// seen is where a list of differences goes on.
type seen struct {
	Older model.AuditID `json:"o"`
	Count int           `json:"n"`
}

func (a *API) compareAudits(ctx context.Context, in *struct {
	AuditPath
	Since  string `query:"since" maxLength:"64" doc:"The earlier audit"`
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
},
) (*diffAnswer, error) {
	org := a.org(ctx)
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	newer, err := org.Audit(ctx, c.ID, model.AuditID(in.Audit))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	var older model.Audit
	if in.Since != "" {
		if in.Since >= in.Audit { // ids are in the order of time
			return nil, invalid(ctx, "query.since", "it is no earlier audit: what is new and what is resolved would be told the wrong way round")
		}
		older, err = org.Audit(ctx, c.ID, model.AuditID(in.Since))
	} else {
		older, err = org.LatestAudit(ctx, c.ID, func(a model.Audit) bool { return a.ID < newer.ID && a.Summary != nil && !a.Verification })
	}
	if err != nil {
		return nil, a.answer(ctx, fmt.Errorf("earlier audit: %w", err))
	}
	was, err := a.withRecords(ctx, org, c, older)
	if err != nil {
		return nil, err
	}
	is, err := a.withRecords(ctx, org, c, newer)
	if err != nil {
		return nil, err
	}
	found, err := recorded.Compare(ctx, was, is)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	var from seen
	if err := a.goOn(ctx, in.Cursor, &from); err != nil {
		return nil, err
	}
	if from.Count > len(found) || in.Cursor != "" && from.Older != older.ID {
		return nil, a.cursor(ctx, table.ErrCursor)
	}
	end := min(from.Count+in.Limit, len(found))
	out := &diffAnswer{Body: diffPage{Older: older.ID, Newer: newer.ID, Total: len(found), Differences: found[from.Count:end]}}
	if end < len(found) {
		out.Cursor, err = a.stopAt(ctx, seen{older.ID, end})
		out.Body.Cursor = out.Cursor
	}
	return out, err
}
