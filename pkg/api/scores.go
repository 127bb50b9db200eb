package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) scores(api huma.API) {
	register(api, mayRead, huma.Operation{
		OperationID: "get-score", Method: http.MethodGet, Path: "/v1/connections/{connection}/score",
		Summary: "Show the score of an account's last complete audit, with its coverage and bounds", Tags: []string{"scores"},
	}, a.getScore)
	register(api, mayRead, huma.Operation{
		OperationID: "get-total-score", Method: http.MethodGet, Path: "/v1/score",
		Summary: "Show how all accounts together stand, or those of a project", Tags: []string{"scores"},
		Description: "The score is over the verdicts of all accounts, as if they were one, by the checks of today. Accounts that were never audited are counted beside it, and in no other number.",
	}, a.getTotalScore)
	register(api, mayRead, huma.Operation{
		OperationID: "list-scores", Method: http.MethodGet, Path: "/v1/scores",
		Summary: "List how each account stands, by its newest whole audit and the checks of today", Tags: []string{"scores"},
	}, a.listScores)
	register(api, mayRead, huma.Operation{
		OperationID: "get-coverage", Method: http.MethodGet, Path: "/v1/coverage",
		Summary: "Show how much could be assessed, by service and account, and which permissions are missing", Tags: []string{"scores"},
		Description: "Accounts come by their coverage, the lowest first.",
	}, a.getCoverage)
	register(api, mayRead, huma.Operation{
		OperationID: "get-trend", Method: http.MethodGet, Path: "/v1/trend",
		Summary: "Show how an account, a project or the organization stood over time", Tags: []string{"scores"},
		Description: "By day there is a point for each day since the first audit: how things stood at its end. `carried` says that no audit began on the day. Where the checks, their severities or what was looked at are others than before, `breaks` says so: the rules changed, not the account. All of this stays when evidence and findings are gone.",
	}, a.getTrend)
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
	audit, err := a.org(ctx).LatestAudit(ctx, model.ConnectionID(in.Connection), index.Whole)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &scoreAnswer{ScoreOutput{Audit: audit.ID, AsOf: audit.StartedAt, Summary: *audit.Summary}}, nil
}

// OfProject asks for the accounts of a project.
type OfProject struct {
	Project string `query:"project" maxLength:"100" example:"shop" doc:"Only the accounts of this project"`
}

// standings is the index of the caller's organization, with what chooses the accounts that
// are asked for, and the rules of today.
func (a *API) standings(ctx context.Context, in OfProject) (view *index.View, rules *index.Rules, chosen index.Chosen, err error) {
	if rules, err = a.rules(); err == nil {
		view, err = a.Index.For(callerOf(ctx).Organization).View(ctx)
	}
	if err == nil && in.Project != "" {
		chosen, err = index.InProject(in.Project), a.someProject(ctx, view, in.Project)
	}
	if err != nil {
		return nil, nil, nil, a.asked(ctx, err)
	}
	return view, rules, chosen, nil
}

// someProject is store.ErrNotFound of a project that the caller may not see, or that is
// neither made nor named by any connection.
func (a *API) someProject(ctx context.Context, view *index.View, name string) error {
	for c := range view.Connections(viewer(ctx)) {
		if slices.Contains(c.Projects, name) {
			return nil
		}
	}
	_, err := a.project(ctx, name)
	return err
}

// TotalScore is how several accounts stand together.
type TotalScore struct {
	shape.Scored
	Failed     shape.Failures                `json:"failed" doc:"Open failures by severity, but for those that follow from another"`
	Accounts   int                           `json:"accounts" doc:"How many were audited"`
	NotAudited int                           `json:"not_audited" doc:"How many never were, and are in no other number"`
	Resources  int                           `json:"resources"`
	Oldest     *time.Time                    `json:"oldest" doc:"When the oldest of the audits began; null if there is none"`
	Newest     *time.Time                    `json:"newest" doc:"When the newest of the audits began; null if there is none"`
	Services   map[string]shape.Scored       `json:"services" doc:"By service"`
	Pillars    map[model.Pillar]shape.Scored `json:"pillars" doc:"By pillar of the AWS Well-Architected Framework"`
}

type totalScoreAnswer struct{ Body TotalScore }

func (a *API) getTotalScore(ctx context.Context, in *OfProject) (*totalScoreAnswer, error) {
	view, rules, chosen, err := a.standings(ctx, *in)
	if err != nil {
		return nil, err
	}
	t := view.Totals(rules, viewer(ctx), chosen)
	out := &totalScoreAnswer{TotalScore{
		Scored: shape.NewScored(t.Score), Failed: shape.NewFailures(t.Failed), Accounts: t.Accounts, NotAudited: t.NotAudited, Resources: t.Resources,
		Oldest: shape.Moment(t.Oldest), Newest: shape.Moment(t.Newest), Services: map[string]shape.Scored{}, Pillars: map[model.Pillar]shape.Scored{},
	}}
	for name, s := range t.Services {
		out.Body.Services[name] = shape.NewScored(s)
	}
	for name, s := range t.Pillars {
		out.Body.Pillars[name] = shape.NewScored(s)
	}
	return out, nil
}

// AccountOutput is how one account stands.
type AccountOutput struct {
	Connection  model.ConnectionID `json:"connection" doc:"Id of the account's connection"`
	Account     string             `json:"account" doc:"Number of the account; empty as long as it is not known"`
	AccountName string             `json:"account_name" doc:"Name of the account's connection; empty if it has none"`
	Project     string             `json:"project" doc:"Project of the connection; empty if it is in none"`
	Audited     bool               `json:"audited" doc:"false if it never was as a whole: then the numbers say nothing"`
	Audit       model.AuditID      `json:"audit" doc:"The newest audit of all that the connection asks for; empty if there is none"`
	AsOf        *time.Time         `json:"as_of" doc:"When that began; null if there is none"`
	shape.Scored
	Failed    shape.Failures `json:"failed" doc:"Open failures by severity, but for those that follow from another"`
	Resources int            `json:"resources"`
}

func accountOutput(s index.AccountScore) AccountOutput {
	out := AccountOutput{
		Connection: s.Connection, Account: s.Account, AccountName: s.Name, Audited: s.Audit != "", Audit: s.Audit, AsOf: shape.Moment(s.At),
		Scored: shape.NewScored(s.Score), Failed: shape.NewFailures(s.Failed), Resources: s.Resources,
	}
	if len(s.Projects) > 0 {
		out.Project = s.Projects[len(s.Projects)-1]
	}
	return out
}

// Sorted are the parameters of lists that can be sorted.
type Sorted struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Sort   string `query:"sort" maxLength:"512" doc:"Fields, the first first; a - before one is the other way round: -critical,score. Fields: account, as_of, connection, coverage, critical, failed, high, name, resources, score"`
}

type scoresAnswer struct {
	Body struct {
		Accounts []AccountOutput `json:"accounts"`
		Total    int             `json:"total" doc:"How many there are on all pages"`
		Cursor   string          `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listScores(ctx context.Context, in *struct {
	OfProject
	Sorted
},
) (*scoresAnswer, error) {
	view, rules, chosen, err := a.standings(ctx, in.OfProject)
	if err != nil {
		return nil, err
	}
	page, err := view.Scores(ctx, rules, sealer{a}, viewer(ctx), index.ScoresQuery{
		Chosen: chosen, For: "scores " + in.Project, Sort: index.Orders(list(in.Sort)), Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	out := &scoresAnswer{}
	out.Body.Accounts, out.Body.Total, out.Body.Cursor = make([]AccountOutput, len(page.Accounts)), page.Total, page.Next
	for i, s := range page.Accounts {
		out.Body.Accounts[i] = accountOutput(s)
	}
	return out, nil
}

// Covered is how much could be assessed.
type Covered struct {
	Assessed   int     `json:"assessed" doc:"Verdicts of PASS and FAIL"`
	Applicable int     `json:"applicable" doc:"Those, and NOT_ASSESSED"`
	Coverage   float64 `json:"coverage" doc:"Assessed / applicable, 0 to 1; 1 if nothing applied"`
}

func covered(assessed, applicable int) Covered {
	c := Covered{assessed, applicable, 1}
	if applicable > 0 {
		c.Coverage = float64(assessed) / float64(applicable)
	}
	return c
}

// AccountCoverage is how much of an account could be assessed.
type AccountCoverage struct {
	Connection  model.ConnectionID `json:"connection"`
	Account     string             `json:"account" doc:"Number of the account; empty as long as it is not known"`
	AccountName string             `json:"account_name" doc:"Name of the account's connection; empty if it has none"`
	Audit       model.AuditID      `json:"audit" doc:"The newest audit of all that the connection asks for; empty if there is none, and then the numbers say nothing"`
	AsOf        *time.Time         `json:"as_of" doc:"When that began; null if there is none"`
	Covered
	Services map[string]Covered `json:"services" doc:"By service"`
	Missing  []MissingOutput    `json:"missing" doc:"IAM actions that were missing"`
}

// MissingOutput is an IAM action that was missing, and what that blinds.
type MissingOutput struct {
	Action   string          `json:"action"`
	DeniedBy string          `json:"denied_by" enum:"denied,scp_denied,resource" doc:"By the role's policies, one of the AWS organization, or a resource's own"`
	Verdicts int             `json:"verdicts" doc:"How many could not be given for it"`
	Services []string        `json:"services" doc:"Services that it blinds"`
	Checks   []model.CheckID `json:"checks" doc:"Checks that it blinds"`
}

type coverageAnswer struct {
	Body struct {
		Covered
		Accounts   int                `json:"audited" doc:"How many accounts were audited"`
		NotAudited int                `json:"not_audited" doc:"How many never were, and are in no other number"`
		Services   map[string]Covered `json:"services" doc:"Of all accounts, by service"`
		List       []AccountCoverage  `json:"accounts"`
		Total      int                `json:"total" doc:"How many accounts there are on all pages"`
		Cursor     string             `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) getCoverage(ctx context.Context, in *struct {
	OfProject
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The most accounts of a page"`
},
) (*coverageAnswer, error) {
	view, rules, chosen, err := a.standings(ctx, in.OfProject)
	if err != nil {
		return nil, err
	}
	who := viewer(ctx)
	page, err := view.Scores(ctx, rules, sealer{a}, who, index.ScoresQuery{
		Chosen: chosen, For: "coverage " + in.Project, Sort: []index.Order{{Field: "coverage"}}, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	ids := make([]model.ConnectionID, len(page.Accounts))
	for i, s := range page.Accounts {
		ids[i] = s.Connection
	}
	t := view.Totals(rules, who, chosen)
	out := &coverageAnswer{}
	b := &out.Body
	b.Covered, b.Accounts, b.NotAudited, b.Services = covered(t.Score.Assessed, t.Score.Applicable), t.Accounts, t.NotAudited, map[string]Covered{}
	b.List, b.Total, b.Cursor = []AccountCoverage{}, page.Total, page.Next
	for name, s := range t.Services {
		b.Services[name] = covered(s.Assessed, s.Applicable)
	}
	for _, c := range view.Coverages(rules, who, ids) {
		b.List = append(b.List, coverageOutput(c))
	}
	return out, nil
}

func coverageOutput(c index.AccountCoverage) AccountCoverage {
	out := AccountCoverage{
		Connection: c.Connection, Account: c.Account, AccountName: c.Name, Audit: c.Audit, AsOf: shape.Moment(c.At),
		Covered: covered(c.Score.Assessed, c.Score.Applicable), Services: map[string]Covered{}, Missing: []MissingOutput{},
	}
	for name, n := range c.Services {
		out.Services[name] = covered(n.Pass+n.Fail, n.Pass+n.Fail+n.NotAssessed)
	}
	for _, m := range c.Missing {
		out.Missing = append(out.Missing, MissingOutput{m.Action, m.DeniedBy, m.Verdicts, append([]string{}, m.Services...), append([]model.CheckID{}, m.Checks...)})
	}
	return out
}

// TrendInput says of what the trend is, from when to when.
type TrendInput struct {
	Connection string `query:"connection" maxLength:"64" doc:"Of this connection"`
	Account    string `query:"account" pattern:"^([0-9]{12})?$" doc:"Of the connection of this account"`
	Project    string `query:"project" maxLength:"100" doc:"Of the accounts of this project together. Without one of the three, of all accounts of the organization"`
	From       string `query:"from" maxLength:"40" example:"2026-05-01" doc:"A day, or a moment in RFC 3339"`
	To         string `query:"to" maxLength:"40" example:"2026-05-31" doc:"A day, which is included, or a moment, which is not"`
	Step       string `query:"step" enum:"audit,day" default:"day" doc:"A point for each audit, which is of one connection, or for each day (UTC)"`
	Framework  string `query:"framework" maxLength:"64" example:"cis-aws-5.0" doc:"Have points say how the requirements of this framework stood"`
	Cursor     string `query:"cursor" maxLength:"4096"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" default:"500"`
}

type trendAnswer struct {
	Body struct {
		Points []trend.Point `json:"points" doc:"The oldest first"`
		Cursor string        `json:"cursor,omitempty" doc:"Continues the series; absent on its last page"`
	}
}

func (a *API) getTrend(ctx context.Context, in *TrendInput) (*trendAnswer, error) {
	from, to, err := trend.Bounds(in.From, in.To)
	if err != nil {
		return nil, invalid(ctx, "query.from", err.Error())
	}
	q := trend.Query{From: from, To: to, Step: trend.Step(in.Step), Limit: in.Limit}
	if in.Framework != "" {
		f, err := a.framework(ctx, in.Framework)
		if err != nil {
			return nil, err
		}
		q.Framework = f.ID
	}
	if q.After, err = a.after(ctx, in.Cursor); err != nil {
		return nil, err
	}
	series, err := a.series(ctx, in, q)
	if err != nil {
		return nil, err
	}
	out := &trendAnswer{}
	out.Body.Points = series.Points
	out.Body.Cursor, err = a.next(ctx, series.Next)
	return out, err
}

func (a *API) series(ctx context.Context, in *TrendInput, q trend.Query) (trend.Series, error) {
	trends := trend.Maker{Index: a.Index, Store: a.Store, Catalog: a.Catalog, Now: a.Now}
	org := callerOf(ctx).Organization
	named := slices.DeleteFunc([]string{in.Connection, in.Account, in.Project}, func(s string) bool { return s == "" })
	one := in.Connection != "" || in.Account != ""
	var problem error
	switch {
	case len(named) > 1:
		problem = invalid(ctx, "query.connection", "a trend is of one thing: a connection, an account or a project")
	case !one && q.Step == trend.ByAudit:
		problem = invalid(ctx, "query.step", "only the trend of one connection has a point for each audit")
	case len(named) == 0 && !callerOf(ctx).AllProjects:
		problem = invalid(ctx, "query.project", "you may not see all accounts of the organization: say which project, or connection")
	}
	if problem != nil {
		return trend.Series{}, problem
	}
	if !one {
		if in.Project != "" {
			view, err := a.Index.For(org).View(ctx)
			if err == nil {
				err = a.someProject(ctx, view, in.Project)
			}
			if err != nil {
				return trend.Series{}, a.asked(ctx, err)
			}
		}
		series, err := trends.OfProject(ctx, org, in.Project, q)
		return series, a.asked(ctx, err)
	}
	id := model.ConnectionID(in.Connection)
	if in.Account != "" {
		found, err := a.ofAccount(ctx, in.Account)
		if err != nil {
			return trend.Series{}, err
		}
		id = found
	}
	if _, err := a.connection(ctx, string(id)); err != nil {
		return trend.Series{}, err
	}
	series, err := trends.OfConnection(ctx, org, id, q)
	return series, a.asked(ctx, err)
}

// ofAccount is the connection of an account, of which the caller sees one.
func (a *API) ofAccount(ctx context.Context, account string) (model.ConnectionID, error) {
	view, err := a.Index.For(callerOf(ctx).Organization).View(ctx)
	if err != nil {
		return "", a.asked(ctx, err)
	}
	found := map[model.ConnectionID]bool{}
	for c := range view.Connections(viewer(ctx)) {
		if c.Account == account {
			found[c.ID] = true
		}
	}
	switch ids := slices.Sorted(maps.Keys(found)); len(ids) {
	case 0:
		return "", a.answer(ctx, store.ErrNotFound)
	case 1:
		return ids[0], nil
	default:
		return "", invalid(ctx, "query.account", "several connections are of the account: say which one by connection=")
	}
}
