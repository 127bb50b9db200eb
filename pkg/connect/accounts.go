package connect

import (
	"context"
	"errors"

	"github.com/cloudarq/cloudarq/pkg/awsx"
	"github.com/cloudarq/cloudarq/pkg/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/pipeline"
)

// Accounts opens the accounts of connections.
type Accounts struct {
	ExternalIDs ExternalIDs
	Client      *awsx.Client
}

var _ pipeline.Accounts = Accounts{}

// Open implements pipeline.Accounts.
func (a Accounts) Open(ctx context.Context, org model.OrganizationID, audit model.Audit, calls ledger.Ledger) (pipeline.Account, error) {
	connection, err := a.ExternalIDs.Store.For(org).Connection(ctx, audit.Connection)
	if err != nil {
		return nil, err
	}
	if connection.RoleARN == "" {
		return nil, &pipeline.RefusedError{Message: "the connection has no role yet"}
	}
	external, err := a.ExternalIDs.ExternalID(ctx, org)
	if err != nil {
		return nil, err
	}
	account, err := a.Client.Open(ctx, awsx.Target{
		RoleARN: connection.RoleARN, ExternalID: external, SessionName: "cloudarq-" + string(audit.ID),
	}, calls)
	var refused *awsx.AccessError
	if errors.As(err, &refused) {
		return nil, &pipeline.RefusedError{Message: refused.Message, Cause: err}
	}
	if err != nil {
		return nil, err
	}
	return account, nil
}
