package keep

import (
	"context"
	"errors"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// NewAccessKey is an access key that is to be kept.
type NewAccessKey struct {
	secret.AccessKey
	Made time.Time // zero means now
}

// check refuses a key that can never work.
func (n NewAccessKey) check() error {
	if err := n.Check(); err != nil {
		return &local.InputError{Message: err.Error()}
	}
	if n.Made.After(time.Now()) {
		return inputf("the access key was not made in the future")
	}
	return nil
}

func (n NewAccessKey) made() time.Time {
	if n.Made.IsZero() {
		return time.Now().UTC().Truncate(time.Second)
	}
	return n.Made.UTC()
}

// AddByKey keeps the account that an access key opens: AWS is asked whose it is. The
// role and External ID of n have to be empty. A connection that was never verified is
// replaced.
func (c Connections) AddByKey(ctx context.Context, n NewConnection, key NewAccessKey, calls ledger.Ledger) (model.Connection, error) {
	account, err := c.accountOf(ctx, key, calls)
	if err != nil {
		return model.Connection{}, err
	}
	if err := c.check(ctx, n, account); err != nil {
		return model.Connection{}, err
	}
	connection, err := c.begin(ctx, account)
	if err != nil {
		return connection, err
	}
	n.describe(&connection)
	connection.State, connection.Reason, connection.Since = model.ConnectionPending, notVerified, time.Now().UTC()
	if err := c.keys().Set(ctx, model.Change{}, local.Organization, &connection, key.AccessKey, key.made()); err != nil {
		return connection, err
	}
	return connection, c.State.Records.DeleteAccess(ctx, connection.ID)
}

// RotateKey puts a new access key in the place of a connection's old one, which is
// destroyed. That something is wrong with the new one is a *pipeline.RefusedError, and
// the old one stays.
func (c Connections) RotateKey(ctx context.Context, connection model.Connection, key NewAccessKey, calls ledger.Ledger) error {
	if connection.AccessKey == nil {
		return inputf("account %s is not kept by an access key", connection.AccountID)
	}
	if err := c.acceptable(ctx, key); err != nil {
		return err
	}
	v, err := connect.Verify(ctx, c.State.Catalog, c.Client, connect.Way{Target: client.Target{AccessKey: key.AccessKey}}, connection, calls)
	if err != nil {
		return err
	}
	if refused := connect.Refusal(v.Probes); refused != nil {
		return refused
	}
	if err := c.keys().Set(ctx, model.Change{}, local.Organization, &connection, key.AccessKey, key.made()); err != nil {
		return err
	}
	if err := c.noteVerified(ctx, connection, secret.String{}); err != nil {
		return err
	}
	return c.note(ctx, connection.ID, model.Audit{Permissions: v.Permissions})
}

// acceptable refuses a key that can never work, or while none is allowed.
func (c Connections) acceptable(ctx context.Context, key NewAccessKey) error {
	if err := key.check(); err != nil {
		return err
	}
	return c.keysAllowed(ctx)
}

// accountOf asks AWS whose a key is.
func (c Connections) accountOf(ctx context.Context, key NewAccessKey, calls ledger.Ledger) (string, error) {
	if err := c.acceptable(ctx, key); err != nil {
		return "", err
	}
	account, err := c.Client.Open(ctx, client.Target{AccessKey: key.AccessKey}, calls)
	if err != nil {
		return "", connect.KeyRefusal(err)
	}
	return account.Identity().Account, nil
}

// keyTarget is the way into the account of a connection that has an access key.
func (c Connections) keyTarget(ctx context.Context, connection model.Connection) (client.Target, error) {
	if err := c.keysAllowed(ctx); err != nil {
		return client.Target{}, err
	}
	key, err := c.keys().Open(ctx, local.Organization, connection)
	return client.Target{AccessKey: key}, err
}

// keyRefused notes a connection whose access key AWS does not accept as revoked.
func (c Connections) keyRefused(ctx context.Context, connection model.Connection, err error) error {
	err = connect.KeyRefusal(err)
	var refused *pipeline.RefusedError
	if errors.As(err, &refused) {
		err = errors.Join(err, c.note(ctx, connection.ID, model.Audit{Refused: refused.Message, RefusedCode: refused.Code}))
	}
	return err
}

func (c Connections) keysAllowed(ctx context.Context) error {
	settings, err := c.State.Records.Settings(ctx)
	if err == nil && !settings.AccessKeysAllowed {
		err = inputf("%s: access keys are not allowed; keep the account by a role, or allow them with: cloudarq admin access-keys allow", model.CodeAccessKeysDisabled)
	}
	return err
}

func (c Connections) keys() connect.AccessKeys {
	return connect.AccessKeys{Store: c.State.Store, Keys: c.Keys, Now: time.Now}
}
