package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/services/cloudarq"
)

// Verify implements pipeline.Accounts. An access key lets in who has it, and there is
// nothing to try.
func (a Accounts) Verify(ctx context.Context, org model.OrganizationID, audit model.Audit, opened pipeline.Account, calls ledger.Ledger) (pipeline.WayIn, error) {
	connection, err := a.ExternalIDs.Store.For(org).Connection(ctx, audit.Connection)
	if err != nil {
		return pipeline.WayIn{}, err
	}
	services, checks := audit.Services, words(audit.Checks)
	if audit.Verification { // which looks at nothing itself
		services, checks = connection.Services, connection.Checks
	}
	looked, err := Look(ctx, a.Catalog, opened, services, checks, calls)
	v := pipeline.WayIn{Permissions: looked.Permissions}
	if err != nil || connection.AccessKey != nil {
		return v, err
	}
	target, err := roleOf(connection, audit)
	if err != nil {
		return v, err
	}
	trust := Trust{
		Records: a.ExternalIDs.Store.For(org), Connection: connection.ID, Client: a.Client,
		Key:   func(ctx context.Context) (secret.DataKey, error) { return a.ExternalIDs.key(ctx, org) },
		Place: trustPlace(org, connection.ID), Now: a.Now, Every: a.VerifyEvery,
	}
	v.Trust, err = trust.Verify(ctx, target, looked, calls)
	return v, err
}

// VerifyEvery is how long the command trusts what it verified.
const VerifyEvery = 7 * 24 * time.Hour

// otherAccount is the finding that what opens a connection leads elsewhere.
func otherAccount(want, is string) model.Probe {
	return model.Probe{
		Tried: "ask whose account it is", Want: want, Answer: is, Code: model.CodeAccountMismatch,
		Fix: fmt.Sprintf("%s: the connection is of account %s, but its credentials are of account %s", model.CodeAccountMismatch, want, is),
	}
}

// SameAccount is the refusal of what opens a connection and leads elsewhere; nil if it does
// not.
func SameAccount(want, is string) error {
	if want == is {
		return nil
	}
	return refusal(otherAccount(want, is))
}

func refusal(p model.Probe) *pipeline.RefusedError {
	refused := &pipeline.RefusedError{Code: p.Code, Message: p.Fix}
	if p.Code == model.CodeMissingExternalID {
		refused.Check = cloudarq.ExternalIDCheck
	}
	return refused
}
