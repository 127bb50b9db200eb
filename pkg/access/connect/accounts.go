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
	"github.com/cloudarq/cloudarq/pkg/store"
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
	externalIDs, err := a.ExternalIDs.All(ctx, org)
	if err != nil {
		return nil, err
	}
	if target.Policy, err = need.Document(); err != nil {
		return nil, err
	}
	verified, err := records.Verified(ctx, audit.Connection)
	if err != nil {
		return nil, err
	}
	// A role whose trust does not allow a source identity is assumed without. To try with
	// one shows as denied in the account's trail, so it is not tried by each task.
	sources := []string{target.SessionName, ""}
	if verified.NoSource == target.RoleARN && verified.Fresh(target.RoleARN, a.Now(), a.VerifyEvery) {
		sources = []string{"", target.SessionName}
	}
	var refused *client.AccessError
	for _, id := range externalIDs {
		for _, source := range sources {
			target.ExternalID, target.SourceIdentity = id, source
			opened, err := a.Client.Open(ctx, target, calls)
			if err == nil {
				return account{opened, target.RoleARN}, a.noteSource(ctx, records, audit.Connection, verified, target)
			}
			// Anything but AWS's denial of the role, such as credentials of our own
			// that have expired, says nothing of the account.
			if !errors.As(err, &refused) || !refused.Denied() {
				return nil, err
			}
		}
	}
	return nil, &pipeline.RefusedError{Code: model.CodeRoleDenied, Message: refused.Message, Cause: refused}
}

// noteSource notes whether a role lets its sessions have a source identity.
func (a Accounts) noteSource(ctx context.Context, records *store.Organization, connection model.ConnectionID, verified store.Verified, assumed client.Target) error {
	refuses := ""
	if assumed.SourceIdentity == "" {
		refuses = assumed.RoleARN
	}
	if verified.NoSource == refuses {
		return nil
	}
	verified, err := records.Verified(ctx, connection) // as it is now: somebody may have it verified anew
	if err != nil {
		return err
	}
	verified.NoSource = refuses
	return records.PutVerified(ctx, connection, verified)
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
