package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// AuditOutput is an audit as clients see it.
type AuditOutput struct {
	shape.WholeAudit
	Progress Progress `json:"progress"`
}

// Progress is how far an audit is.
type Progress struct {
	TasksDone  int   `json:"tasks_done"`
	TasksTotal int   `json:"tasks_total"`
	Failed     int   `json:"tasks_failed"`
	Calls      int   `json:"calls"`
	ETASeconds int64 `json:"eta_seconds" doc:"Until the end, as far as can be told; 0 when it ended or nothing can be told yet"`
}

type auditAnswer struct {
	Location   string `header:"Location"`
	RetryAfter string `header:"Retry-After"`
	Body       AuditOutput
}

func (a *API) audits(api huma.API) {
	register(api, mayAudit, huma.Operation{
		OperationID: "start-audit", Method: http.MethodPost, Path: "/v1/audits", DefaultStatus: http.StatusAccepted,
		Summary: "Audit a connected account now", Tags: []string{"audits"},
	}, a.startAudit)
	register(api, mayAudit, huma.Operation{
		OperationID: "verify-connection", Method: http.MethodPost, Path: "/v1/connections/{connection}/verify", DefaultStatus: http.StatusAccepted,
		Summary: "See whether the account can be audited, and nobody else can come in the same way", Tags: []string{"connections"},
	}, a.verify)
	register(api, mayRead, huma.Operation{
		OperationID: "list-audits", Method: http.MethodGet, Path: "/v1/connections/{connection}/audits",
		Summary: "List the audits of an account in short, newest first", Tags: []string{"audits"},
	}, a.listAudits)
	register(api, mayRead, huma.Operation{
		OperationID: "get-audit", Method: http.MethodGet, Path: "/v1/connections/{connection}/audits/{audit}",
		Summary: "Show an audit, its progress and its score", Tags: []string{"audits"},
	}, a.getAudit)
	register(api, mayAudit, huma.Operation{
		OperationID: "cancel-audit", Method: http.MethodPost, Path: "/v1/connections/{connection}/audits/{audit}/cancel",
		Summary: "Cancel a running audit", Tags: []string{"audits"},
	}, a.cancelAudit)
	register(api, mayAudit, huma.Operation{
		OperationID: "retry-audit", Method: http.MethodPost, Path: "/v1/connections/{connection}/audits/{audit}/retry", DefaultStatus: http.StatusAccepted,
		Summary: "Try again what failed in an audit, or go on with a cancelled one", Tags: []string{"audits"},
	}, a.retryAudit)
}

func (a *API) startAudit(ctx context.Context, in *struct {
	Repeatable
	Body struct {
		Connection string `json:"connection" maxLength:"64" pattern:"^[0-9A-Za-z._-]+$"`
	}
},
) (*auditAnswer, error) {
	return a.startOne(ctx, in.Body.Connection, in.Repeatable)
}

func (a *API) startOne(ctx context.Context, connection string, r Repeatable) (*auditAnswer, error) {
	return a.start(ctx, connection, "audit", r, func(c model.Connection, id model.AuditID) error {
		return a.Pipeline.BeginFor(ctx, a.by(ctx), callerOf(ctx).Organization, c, id)
	})
}

func (a *API) verify(ctx context.Context, in *struct {
	ConnectionPath
	Repeatable
},
) (*auditAnswer, error) {
	return a.verifyOne(ctx, in.Connection, in.Repeatable)
}

func (a *API) verifyOne(ctx context.Context, connection string, r Repeatable) (*auditAnswer, error) {
	return a.start(ctx, connection, "verification", r, func(c model.Connection, id model.AuditID) error {
		return a.Pipeline.BeginVerification(ctx, a.by(ctx), callerOf(ctx).Organization, c, id)
	})
}

// start begins an audit of a connection, unless one is running.
func (a *API) start(ctx context.Context, connection, what string, r Repeatable, begin func(model.Connection, model.AuditID) error) (*auditAnswer, error) {
	c, err := a.connection(ctx, connection)
	if err != nil {
		return nil, err
	}
	switch c.Kind() {
	case model.KindNone:
		return nil, problem(ctx, http.StatusConflict, "connection_pending", "the connection has no role yet: create it in the account and give role_arn")
	case model.KindAccessKey:
		if err := a.keysAllowed(ctx, a.org(ctx)); err != nil {
			return nil, err
		}
	case model.KindRole:
	}
	return once(ctx, a, what, r, connection, func(id string) (*auditAnswer, error) {
		return a.startUnder(ctx, model.AuditID(id), c, what == "verification", begin)
	})
}

func (a *API) startUnder(ctx context.Context, id model.AuditID, c model.Connection, verification bool, begin func(model.Connection, model.AuditID) error) (*auditAnswer, error) {
	org := a.org(ctx)
	running, err := org.LatestAudit(ctx, c.ID, func(model.Audit) bool { return true })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, a.answer(ctx, err)
	}
	if err == nil && !running.State.Ended() && running.ID != id {
		if !a.waits(running) || running.Verification != verification {
			return nil, alreadyRuns(ctx, running.ID)
		}
		// Whoever began it may have died before its task was sent.
		if err := a.Pipeline.SendAgain(ctx, callerOf(ctx).Organization, running); err != nil {
			return nil, a.answer(ctx, err)
		}
		return a.showAudit(ctx, org, running)
	}
	claimed, err := org.Claim(ctx, c.ID, id, a.Now())
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if claimed != id {
		return nil, alreadyRuns(ctx, claimed)
	}
	if err := begin(c, id); err != nil {
		return nil, a.answer(ctx, err)
	}
	audit, err := org.Audit(ctx, c.ID, id)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return a.showAudit(ctx, org, audit)
}

func alreadyRuns(ctx context.Context, id model.AuditID) *Problem {
	return problem(ctx, http.StatusConflict, "audit_running", "audit "+string(id)+" of this connection is running; wait for it or cancel it")
}

// waits reports whether an audit has not opened its account for so long that its task
// may never have been sent.
func (a *API) waits(audit model.Audit) bool {
	return audit.State == model.AuditConnecting && a.Now().Sub(audit.StartedAt) > store.ClaimHeld
}

// AuditPath names an audit.
type AuditPath struct {
	ConnectionPath
	Audit string `path:"audit" maxLength:"64"`
}

func (a *API) audit(ctx context.Context, in *AuditPath) (*store.Organization, model.Audit, error) {
	org := a.org(ctx)
	if _, err := a.connection(ctx, in.Connection); err != nil {
		return nil, model.Audit{}, err
	}
	audit, err := org.Audit(ctx, model.ConnectionID(in.Connection), model.AuditID(in.Audit))
	return org, audit, a.answer(ctx, err)
}

func (a *API) getAudit(ctx context.Context, in *AuditPath) (*auditAnswer, error) {
	org, audit, err := a.audit(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.showAudit(ctx, org, audit)
}

func (a *API) showAudit(ctx context.Context, org *store.Organization, audit model.Audit) (*auditAnswer, error) {
	tasks, err := org.Tasks(ctx, audit.ID)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	c, err := org.AnyConnection(ctx, audit.Connection)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, a.answer(ctx, err)
	}
	out := &auditAnswer{
		Location: "/v1/connections/" + string(audit.Connection) + "/audits/" + string(audit.ID),
		Body:     AuditOutput{WholeAudit: shape.NewWholeAudit(audit, c.Name), Progress: progress(audit, tasks, a.Now())},
	}
	if !audit.State.Ended() {
		out.RetryAfter = "2"
	}
	return out, nil
}

func progress(audit model.Audit, tasks []model.Task, now time.Time) Progress {
	p := Progress{TasksTotal: len(tasks)}
	for _, t := range tasks {
		p.Calls += t.Calls
		switch t.State {
		case model.TaskFailed:
			p.Failed++
			p.TasksDone++
		case model.TaskIngested:
			p.TasksDone++
		case model.TaskOpen, model.TaskCollected:
		}
	}
	// Opening the account is a task, too, and says nothing of the others.
	if left := p.TasksTotal - p.TasksDone; audit.State == model.AuditRunning && left > 0 && p.TasksDone > 1 {
		p.ETASeconds = max(1, int64(now.Sub(audit.StartedAt).Seconds())*int64(left)/int64(p.TasksDone))
	}
	return p
}

func (a *API) listAudits(ctx context.Context, in *struct {
	ConnectionPath
	PageInput
},
) (*shortAudits, error) {
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	only, err := members[shape.Audit](ctx, in.Fields)
	if err != nil {
		return nil, err
	}
	all, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Audit, string, error) {
		return a.org(ctx).AuditsPage(ctx, c.ID, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	out := &shortAudits{Cursor: next, Body: auditsPage{Audits: make([]Selected[shape.Audit], len(all)), Cursor: next}}
	for i, audit := range all {
		out.Body.Audits[i] = Selected[shape.Audit]{shape.NewAudit(audit, c.Name), only}
	}
	return out, nil
}

func (a *API) cancelAudit(ctx context.Context, in *AuditPath) (*auditAnswer, error) {
	org, audit, err := a.audit(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.Pipeline.Stop(ctx, a.by(ctx), callerOf(ctx).Organization, audit.Connection, audit.ID, model.AuditCancelled, "the audit was cancelled"); err != nil {
		return nil, a.answer(ctx, err)
	}
	if audit, err = org.Audit(ctx, audit.Connection, audit.ID); err != nil {
		return nil, a.answer(ctx, err)
	}
	return a.showAudit(ctx, org, audit)
}

func (a *API) retryAudit(ctx context.Context, in *struct {
	AuditPath
	Repeatable
},
) (*auditAnswer, error) {
	_, audit, err := a.audit(ctx, &in.AuditPath)
	if err != nil {
		return nil, err
	}
	return onceAs(ctx, a, "retry", in.Repeatable, in.AuditPath, strconv.Itoa(audit.Retries), func(retries string) (*auditAnswer, error) {
		if retries != strconv.Itoa(audit.Retries) { // by the first of these requests
			return a.showAudit(ctx, a.org(ctx), audit)
		}
		return a.resume(ctx, audit)
	})
}

func (a *API) resume(ctx context.Context, audit model.Audit) (*auditAnswer, error) {
	switch audit.State {
	case model.AuditPartial, model.AuditFailed, model.AuditCancelled:
	case model.AuditDone, model.AuditConnecting, model.AuditRunning:
		return nil, problem(ctx, http.StatusConflict, "nothing_to_retry", "the audit is "+string(audit.State)+": there is nothing to try again")
	}
	audit, err := a.Pipeline.Resume(ctx, a.by(ctx), callerOf(ctx).Organization, audit)
	if errors.Is(err, pipeline.ErrForgotten) {
		return nil, problem(ctx, http.StatusConflict, "audit_forgotten", "what the audit collected is not kept any more, or about to go: audit the account anew")
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return a.showAudit(ctx, a.org(ctx), audit)
}
