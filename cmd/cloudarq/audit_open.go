package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// entrance is a way into the account to be audited.
type entrance struct {
	// open opens the account, by a session of the name given.
	open func(ctx context.Context, session string, calls ledger.Ledger) (*client.Account, error)
	// trust is whether its role lets in others, nil if that is not known.
	trust func(ctx context.Context, session string, looked connect.Looked, calls ledger.Ledger) (*model.Trust, error)
}

// wayIn is how the account will be opened: nothing is asked of AWS yet. A
// connection fills in the flags that were not set.
func (c *cli) wayIn(ctx context.Context, s *local.State, f runFlags) (entrance, runFlags, error) {
	if f.connection == "" {
		externalID, err := c.externalID(f.externalID)
		if err != nil {
			return entrance{}, f, err
		}
		document, err := pipeline.Connecting.Document()
		target := client.Target{Profile: f.profile, RoleARN: f.roleARN, ExternalID: externalID, Policy: document}
		return entrance{
			open: func(ctx context.Context, session string, calls ledger.Ledger) (*client.Account, error) {
				target.SessionName = session
				return c.awsClient().Open(ctx, target, calls)
			},
			trust: func(context.Context, string, connect.Looked, ledger.Ledger) (*model.Trust, error) {
				if target.RoleARN == "" || !target.ExternalID.Empty() {
					return nil, nil
				}
				return &model.Trust{TriedAt: time.Now().UTC().Truncate(time.Second), Open: "without an External ID"}, nil // just now
			},
		}, f, err
	}
	accounts := c.kept(s)
	connection, err := accounts.Find(ctx, f.connection)
	if err != nil {
		return entrance{}, f, err
	}
	c.remindOfKey(connection)
	f.AuditOptions = f.Or(connection.AuditOptions)
	return entrance{
		open: func(ctx context.Context, session string, calls ledger.Ledger) (*client.Account, error) {
			return accounts.Open(ctx, connection, session, calls)
		},
		trust: func(ctx context.Context, session string, looked connect.Looked, calls ledger.Ledger) (*model.Trust, error) {
			return accounts.VerifyTrust(ctx, connection, session, looked, calls)
		},
	}, f, nil
}

// awsClient says to whom calls go that are not for AWS: an environment variable or a
// profile may have them go anywhere, and what answers there is believed.
func (c *cli) awsClient() *client.Client {
	return client.New(client.Options{Version: version.String(), CustomEndpoint: collectors.CustomEndpoint, QuotaShare: c.quotaShare / 100, Elsewhere: func(host string) {
		if _, again := c.elsewhere.LoadOrStore(host, true); !again {
			c.note("calls go to %s, which is not AWS; AWS_ENDPOINT_URL or the profile's endpoint_url says so", model.Clean(host))
		}
	}})
}

// connect opens the account, looks at what it allows and whom its role lets in, and
// settles which regions are audited. A role that lets in others is refused; the audit then
// has one check to look for, if it has that.
func (c *cli) connect(ctx context.Context, catalog *check.Catalog, f runFlags, way entrance, run *local.Run, calls *ledger.Memory) (*client.Account, error) {
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	session := auditSession(*run)
	account, err := way.open(ctx, session, calls)
	if err != nil {
		return nil, err
	}
	identity := account.Identity()
	if run.Resume != nil {
		if run.Resume.AccountID != identity.Account {
			return nil, usagef("audit %s is of account %s, these credentials are of %s", run.Resume.ID, run.Resume.AccountID, identity.Account)
		}
		_, err := way.trust(ctx, session, connect.Looked{}, calls)
		return account, err
	}
	r := &run.Request
	var looked connect.Looked
	if !f.dryRun {
		if looked, err = connect.Look(ctx, catalog, account, r.Services, words(r.Checks), calls); err != nil {
			return nil, err
		}
		r.Permissions = &looked.Permissions
	}
	if r.Trust, err = way.trust(ctx, session, looked, calls); err != nil && (f.dryRun || !distrust(run, err)) {
		return nil, err
	}
	r.Connection.AccountID, r.Partition, r.CallerARN = identity.Account, identity.Partition, identity.CallerARN
	if len(f.Regions) > 0 {
		// Whether there are others, what looks at the whole account has to know.
		enabled, disabled, unlisted := account.Regions(ctx, calls)
		if unlisted != nil && slices.ContainsFunc(f.Regions, severalRegions) {
			if r.Refused == nil {
				return nil, unlisted
			}
			r.Regions, r.Narrowed = nil, true // the one check that is looked for is of no region
			return account, nil
		}
		if r.Regions, err = regionsOf(f.Regions, enabled); err != nil {
			return nil, err
		}
		if r.Narrowed = unlisted != nil || pipeline.Narrowed(r.Regions, enabled); !r.Narrowed {
			r.DisabledRegions = slices.DeleteFunc(disabled, func(region string) bool { return slices.Contains(r.Regions, region) })
		}
		return account, nil
	}
	if r.Regions, r.DisabledRegions, err = account.Regions(ctx, calls); err != nil && r.Refused == nil {
		return nil, err
	}
	return account, nil
}

// distrust has a run look for nothing but the check that fails because its role is
// refused, and reports whether it has that.
func distrust(run *local.Run, err error) bool {
	var refused *pipeline.RefusedError
	if !errors.As(err, &refused) || refused.Check == "" {
		return false
	}
	at := slices.IndexFunc(run.Request.Checks, func(k check.Check) bool { return k.ID == refused.Check })
	if at < 0 {
		return false
	}
	run.Request.Refused, run.Request.Checks, run.Request.Services = refused, run.Request.Checks[at:at+1], nil
	return true
}

// auditSession tells in the account's CloudTrail which audit made the calls.
func auditSession(run local.Run) string {
	id := run.Request.Audit
	if run.Resume != nil {
		id = run.Resume.ID
	}
	return pipeline.SessionName(id)
}

// narrowed opens the account for each part of an audit by a session of its own, which
// can do what the part needs.
func narrowed(account *client.Account) func(context.Context, model.Audit, policy.Session, ledger.Ledger) (pipeline.Account, error) {
	return func(ctx context.Context, audit model.Audit, need policy.Session, calls ledger.Ledger) (pipeline.Account, error) {
		document, err := need.Document()
		if err != nil {
			return nil, err
		}
		return account.Narrow(ctx, pipeline.SessionName(audit.ID), document, calls)
	}
}

func words(checks []check.Check) []string {
	ids := make([]string, len(checks))
	for i, k := range checks {
		ids[i] = string(k.ID)
	}
	return ids
}
