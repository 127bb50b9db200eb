package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// connect is the first task of an audit that was begun: it opens the account,
// finds out its regions, and writes and sends the other tasks. Run again after a
// crash it changes no task that was written, and sends all of them again.
func (p *Pipeline) connect(ctx context.Context, m Message, audit model.Audit, task *model.Task) (err error) {
	calls := p.record(ctx, m.Organization, audit, task.ID)
	defer func() { err = errors.Join(err, calls.end(ctx, task, err)) }() // after a panic, too
	if err := p.openAndPlan(ctx, m, audit, calls); err != nil {
		return err
	}
	task.Ledger, task.Load, task.State = calls.key, loadOf(calls.Entries()), model.TaskCollected
	return nil
}

// Connecting is all that opening an account, looking at what it allows and planning
// takes.
var Connecting = policy.Session{Actions: []string{"ec2:DescribeRegions", "iam:GetAccountAuthorizationDetails"}}

// SessionName is the name of the sessions of roles that an audit is made by: it tells in
// the account's CloudTrail which audit made a call.
func SessionName(id model.AuditID) string { return "cloudarq-" + string(id) }

func (p *Pipeline) openAndPlan(ctx context.Context, m Message, audit model.Audit, calls ledger.Ledger) error {
	account, err := p.Accounts.Open(ctx, m.Organization, audit, Connecting, calls)
	if err != nil {
		return err
	}
	identity := account.Identity()
	if audit.AccountID == "" {
		if audit.AccountID, err = p.claimAccount(ctx, m.Organization, audit.Connection, identity.Account); err != nil {
			return err
		}
	}
	if identity.Account != audit.AccountID {
		return &RefusedError{Code: model.CodeAccountMismatch, Message: fmt.Sprintf("%s: the connection is of account %s, but its credentials are of account %s", model.CodeAccountMismatch, audit.AccountID, identity.Account)}
	}
	if audit.State == model.AuditConnecting {
		v, err := p.Accounts.Verify(ctx, m.Organization, audit, account, calls)
		if err != nil && !p.distrust(&audit, err) {
			return err
		}
		audit.Trust = v.Trust
		enabled, disabled, err := account.Regions(ctx, calls)
		switch {
		case len(audit.Regions) > 0:
			audit.Narrowed = err != nil || Narrowed(audit.Regions, enabled)
		case err != nil && !audit.Distrusted():
			return err
		default:
			audit.Regions, audit.DisabledRegions = enabled, disabled
		}
		audit.Permissions = &v.Permissions
		audit.Partition, audit.CallerARN, audit.State = identity.Partition, identity.CallerARN, model.AuditRunning
		// The regions are settled by whoever writes them first, before the tasks.
		org := p.Store.For(m.Organization)
		if err := org.PutAudit(ctx, &audit); errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("audit %s was changed meanwhile: %w", audit.ID, err)
		} else if err != nil {
			return err
		}
	}
	tasks := serviceTasks(audit)
	if err := p.Store.For(m.Organization).PutTasks(ctx, tasks); err != nil {
		return err
	}
	return p.send(ctx, m.Organization, audit, tasks)
}

// distrust has an audit look for nothing but the check that fails because of a refusal. It
// reports false if the audit does not have it, and then ends with the refusal.
func (p *Pipeline) distrust(audit *model.Audit, err error) bool {
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Check == "" {
		return false
	}
	for _, c := range p.selected(*audit) {
		if c.ID != refused.Check {
			continue
		}
		selection, err := Resolve(p.Catalog, []check.Check{c}, nil)
		if err != nil {
			return false
		}
		audit.Checks, audit.Services = []model.CheckID{c.ID}, selection.Services
		audit.Refused, audit.RefusedCode = refused.Message, refused.Code
		return true
	}
	return false
}

// claimAccount makes a connection of which nobody knew the account, one of the
// account that its access key opened, and gives the account that it is of: another
// audit may have been first.
func (p *Pipeline) claimAccount(ctx context.Context, orgID model.OrganizationID, connection model.ConnectionID, account string) (string, error) {
	err := p.Store.For(orgID).ChangeState(ctx, connection, func(c *model.Connection) bool {
		if c.AccountID != "" {
			account = c.AccountID
			return false
		}
		c.AccountID = account
		return true
	})
	return account, err
}
