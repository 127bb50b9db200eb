package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
)

func (a *API) verification(api huma.API) {
	register(api, mayRead, huma.Operation{
		OperationID: "verify-audit", Method: http.MethodGet, Path: "/v1/connections/{connection}/audits/{audit}/verification",
		Summary: "Tell whether an audit's evidence and calls are as it wrote them", Tags: []string{"audits"},
		Description: "Its ledgers are read and held to the digests in its records, and these to what was signed when it ended. Its evidence, which no request may read, is held to its lengths; `contents` says so. Whoever must not trust this answer verifies the envelope in the audit's `statement`, a DSSE envelope, by a public key that they kept.",
	}, a.verifyAudit)
}

type verificationAnswer struct {
	Body pipeline.Verification
}

func (a *API) verifyAudit(ctx context.Context, in *AuditPath) (*verificationAnswer, error) {
	_, audit, err := a.audit(ctx, in)
	if err != nil {
		return nil, err
	}
	// This function is in the internet: it may read which calls were made, and not what
	// is known of an account.
	v := pipeline.Verifier{Store: a.Store, Blobs: a.Evidence, Now: a.Now, Contents: []string{"ledger"}}
	found, err := v.Verify(ctx, callerOf(ctx).Organization, audit)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &verificationAnswer{found}, nil
}
