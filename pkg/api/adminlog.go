package api

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type operationKey struct{}

// noteOperation notes in the request's context which operation it is.
func noteOperation(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, operationKey{}, ctx.Operation().OperationID))
}

// by is what the admin log says of a change that a request makes.
func (a *API) by(ctx context.Context) model.Change {
	operation, _ := ctx.Value(operationKey{}).(string)
	return model.Change{Actor: callerOf(ctx).Actor, Address: addressOf(ctx), Action: operation, At: a.Now()}
}

func (a *API) adminLog(api huma.API) {
	register(api, mayAdminister, huma.Operation{
		OperationID: "list-admin-log", Method: http.MethodGet, Path: "/v1/admin-log",
		Summary: "List what administrators changed, newest first", Tags: []string{"administration"},
		Description: "Each entry has the hash of the one before. With Accept: application/x-ndjson each entry is a line, as `cloudarq admin auditlog verify` reads it, and the cursor is in the header alone.",
	}, a.listAdminLog)
	register(api, mayAdminister, huma.Operation{
		OperationID: "verify-admin-log", Method: http.MethodGet, Path: "/v1/admin-log/verification",
		Summary: "Tell whether the admin log is as it was written", Tags: []string{"administration"},
		Description: "The whole chain is read and its hashes are computed anew. Whoever can write the table can write a whole chain: keep `seq` and `hash` elsewhere, and see later whether the log still has them.",
	}, a.verifyAdminLog)
}

type adminLogPage struct {
	Entries []model.AdminEntry `json:"entries"`
	Cursor  string             `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
}

func (p adminLogPage) lines() iter.Seq[any] { return linesOf(p.Entries) }

type adminLogAnswer struct {
	Cursor string `header:"CloudArq-Cursor" doc:"Continues the list; absent on its last page"`
	Body   adminLogPage
}

func (a *API) listAdminLog(ctx context.Context, in *struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
},
) (*adminLogAnswer, error) {
	org := a.org(ctx)
	if in.Cursor == "" {
		if err := a.settle(ctx, org); err != nil {
			return nil, err
		}
	}
	entries, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.AdminEntry, string, error) {
		return org.AdminLogPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	return &adminLogAnswer{Cursor: next, Body: adminLogPage{Entries: append([]model.AdminEntry{}, entries...), Cursor: next}}, nil
}

// settle appends what was changed by somebody who died before it was in the log. Whoever
// reads the log does it, since nobody else can tell: an entry waits in its record as long
// as it must, and they are few, for somebody died for each.
func (a *API) settle(ctx context.Context, org *store.Organization) error {
	_, err := org.SettleAdminLog(ctx, a.Now())
	return a.answer(ctx, err)
}

// AdminLogVerification is what comes of going through an admin log.
type AdminLogVerification struct {
	Intact bool   `json:"intact"`
	Seq    int64  `json:"seq" doc:"Of the last entry that is as it was written; 0 if there is none"`
	Hash   string `json:"hash" doc:"Of that entry"`
	Reason string `json:"reason,omitempty" doc:"What is wrong after it"`
}

type adminLogVerificationAnswer struct{ Body AdminLogVerification }

func (a *API) verifyAdminLog(ctx context.Context, _ *struct{}) (*adminLogVerificationAnswer, error) {
	org := a.org(ctx)
	if err := a.settle(ctx, org); err != nil {
		return nil, err
	}
	last, err := org.VerifyAdminLog(ctx)
	out := AdminLogVerification{Intact: err == nil, Seq: last.Seq, Hash: last.Hash}
	if errors.Is(err, store.ErrBroken) {
		out.Reason, err = err.Error(), nil
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &adminLogVerificationAnswer{out}, nil
}
