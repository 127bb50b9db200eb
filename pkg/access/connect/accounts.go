package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Accounts opens the accounts of connections.
type Accounts struct {
	Catalog     *check.Catalog
	ExternalIDs ExternalIDs
	Client      *client.Client
	// VerifyEvery is how long a role that was verified is not verified again; 0 verifies
	// it with each audit.
	VerifyEvery time.Duration
	Now         func() time.Time
}

var _ pipeline.Accounts = Accounts{}

// Open implements pipeline.Accounts. The session of a role can do what is needed
// and nothing else, also where the role could do more. While an External ID is being
// replaced the role may ask for the old one or the new one.
func (a Accounts) Open(ctx context.Context, org model.OrganizationID, audit model.Audit, need policy.Session, calls ledger.Ledger) (pipeline.Account, error) {
	records := a.ExternalIDs.Store.For(org)
	connection, err := records.Connection(ctx, audit.Connection)
	if err != nil {
		return nil, err
	}
	if connection.AccessKey != nil {
		return a.openByKey(ctx, org, audit, connection, calls)
	}
	target, err := roleOf(connection, audit)
	if err != nil {
		return nil, err
	}
	way, err := a.way(ctx, org, audit, target)
	if err != nil {
		return nil, err
	}
	if way.Target.Policy, err = need.Document(); err != nil {
		return nil, err
	}
	opened, _, err := way.Open(ctx, a.Client, calls)
	var refused *client.AccessError
	if errors.As(err, &refused) && refused.Denied() {
		return nil, &pipeline.RefusedError{Code: model.CodeRoleDenied, Message: refused.Message, Cause: refused}
	}
	if err != nil {
		return nil, err
	}
	return account{opened, target.RoleARN}, nil
}

// way is the way into an account by the role of its connection. Whether the role asks
// for the newest External ID by now is tried once an audit.
func (a Accounts) way(ctx context.Context, org model.OrganizationID, audit model.Audit, target client.Target) (Way, error) {
	ids, err := a.ExternalIDs.All(ctx, org)
	return Way{
		Records: a.ExternalIDs.Store.For(org), Connection: audit.Connection, Target: target, IDs: ids,
		Newest: audit.State == model.AuditConnecting,
		Still: func(ctx context.Context, generation int) (bool, error) {
			return a.ExternalIDs.still(ctx, org, generation)
		},
		Now: a.Now, Every: a.VerifyEvery,
	}, err
}

// account is an account that was opened through a connection.
type account struct {
	*client.Account
	by string // its role, or "the access key"
}

// Regions implements pipeline.Account.
func (a account) Regions(ctx context.Context, calls ledger.Ledger) (enabled, disabled []string, err error) {
	enabled, disabled, err = a.Account.Regions(ctx, calls)
	var refused *client.AccessError
	if errors.As(err, &refused) {
		err = &pipeline.RefusedError{
			Code:    model.CodeMinimumMissing,
			Message: fmt.Sprintf("%s: %s may not call %s, the least that an audit needs; allow it in its policy", model.CodeMinimumMissing, a.by, minimum),
			Cause:   refused,
		}
	}
	return enabled, disabled, err
}

// roleOf is the way into an account through the role of its connection, but for the
// External ID.
func roleOf(c model.Connection, audit model.Audit) (client.Target, error) {
	if c.RoleARN == "" {
		return client.Target{}, &pipeline.RefusedError{Code: model.CodeConnectionPending, Message: "the connection has neither a role nor an access key yet"}
	}
	return client.Target{RoleARN: c.RoleARN, SessionName: pipeline.SessionName(audit.ID)}, nil
}
