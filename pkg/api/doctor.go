package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Doctor says whether the installation can do what it is there for.
type Doctor struct {
	Version       string    `json:"version"`
	PolicyVersion string    `json:"policy_version" doc:"Of the audit role that this version asks accounts for"`
	Now           time.Time `json:"now" doc:"By the clock of whoever answers: more than half a minute off, and access tokens are refused"`
	Healthy       bool      `json:"healthy"`
	Parts         []Part    `json:"parts"`
}

// Part is something that is tried.
type Part struct {
	Name   string `json:"name" enum:"records,keys,templates,audits"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail" doc:"What was tried, or what is wrong; the log has more"`
}

type doctorAnswer struct{ Body Doctor }

func (a *API) doctor(api huma.API) {
	register(api, operates, huma.Operation{
		OperationID: "doctor", Method: http.MethodGet, Path: "/operator/v1/doctor",
		Summary: "Try whether records, keys and templates can be had, and whether audits end", Tags: []string{"operators"},
	}, a.examine)
}

// examine tries each part by itself. What fails is told, and is no error of the request.
func (a *API) examine(ctx context.Context, _ *struct{}) (*doctorAnswer, error) {
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	d := Doctor{Version: a.Version, PolicyVersion: role.Version, Now: a.Now().UTC(), Healthy: true}
	try := func(name, tried, failed string, do func() error) {
		part := Part{Name: name, OK: true, Detail: tried}
		if err := do(); err != nil {
			a.Log.ErrorContext(ctx, "the doctor found something", slog.String("part", name), slog.Any("error", err))
			part.OK, part.Detail, d.Healthy = false, failed, false
		}
		d.Parts = append(d.Parts, part)
	}
	try("records", "the directory of organizations was read", "the table cannot be read", func() error {
		_, _, err := a.Store.OrganizationsPage(ctx, "", 1)
		return err
	})
	try("keys", "an access token was signed by a sealed key, and verified", "the key that signs access tokens cannot be opened: KMS, or the rights to it", func() error {
		token, _, err := a.Sessions.Tokens.Issue(ctx, model.Session{Person: nobodysID, ID: nobodysID, Organization: "doctor"})
		if err == nil {
			_, err = a.Sessions.Tokens.Verify(ctx, token)
		}
		return err
	})
	try("templates", "the audit role's template lies where CloudFormation can read it", "the audit role's template cannot be published", func() error {
		_, err := a.publish(ctx)
		return err
	})
	overdue := false
	try("audits", "every audit that had to end did", "the records of audits that have to end cannot be read", func() error {
		for _, err := range a.Store.Overdue(ctx, a.Now().Add(-late)) {
			overdue = err == nil
			return err
		}
		return nil
	})
	if last := &d.Parts[len(d.Parts)-1]; overdue {
		last.OK, last.Detail, d.Healthy = false, "audits did not end within their bound: see StuckAuditsAlarm in docs/operations.md", false
	}
	return &doctorAnswer{d}, nil
}

// nobodysID is of nobody's: a token of it lets nobody in.
const nobodysID = "00000000000000000000000000"

// late is how long after its bound an audit may end: the scheduler looks each minute.
const late = 10 * time.Minute
