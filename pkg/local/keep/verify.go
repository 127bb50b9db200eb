package keep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Verify tries the connection's role or access key, and keeps with the connection what
// came of it. That something is wrong with that is a *pipeline.RefusedError beside the
// verification; any other error says nothing of it and changes nothing.
func (c Connections) Verify(ctx context.Context, connection model.Connection, session string, calls ledger.Ledger) (connect.Verification, error) {
	way, err := c.way(ctx, connection, session)
	if err != nil {
		return connect.Verification{}, err
	}
	v, err := connect.Verify(ctx, c.State.Catalog, c.Client, way, connection, calls)
	if err != nil {
		return connect.Verification{}, err
	}
	if err := c.retire(ctx, connection); err != nil {
		return connect.Verification{}, err
	}
	found := model.Audit{Permissions: v.Permissions}
	refused := connect.Refusal(v.Probes)
	if refused == nil {
		err = c.noteVerified(ctx, connection, v.Trust)
	} else {
		found.Refused, found.RefusedCode = refused.Message, refused.Code
		err = c.State.Records.Unverify(ctx, connection.ID)
	}
	if err != nil {
		return connect.Verification{}, err
	}
	err = c.note(ctx, connection.ID, found)
	if refused != nil {
		err = errors.Join(refused, err)
	}
	return v, err
}

// noteVerified notes that the way into the connection's account is as it should be: its
// role with its trust policy, or its access key.
func (c Connections) noteVerified(ctx context.Context, connection model.Connection, trust secret.String) error {
	if connection.AccessKey == nil {
		return c.trust(connection).Note(ctx, connection.RoleARN, trust)
	}
	return c.State.Records.ChangeVerified(ctx, connection.ID, func(v *store.Verified) { v.Way, v.At = wayIn(connection), time.Now().UTC() })
}

func (c Connections) trust(connection model.Connection) connect.Trust {
	return c.ids().Trust(local.Organization, connection.ID, c.Client, time.Now)
}

// VerifyTrust makes sure that the connection's role lets in nobody else, unless that is
// known of the role as IAM shows it. That it does is a *pipeline.RefusedError beside what
// was found, and the connection has to be set up again. An access key lets in who has it.
func (c Connections) VerifyTrust(ctx context.Context, connection model.Connection, session string, looked connect.Looked, calls ledger.Ledger) (*model.Trust, error) {
	if connection.AccessKey != nil {
		return nil, nil
	}
	access, err := c.State.Records.Access(ctx, connection.ID)
	if err != nil {
		return nil, err
	}
	trust, err := c.trust(connection).Verify(ctx, client.Target{Profile: access.Profile, RoleARN: connection.RoleARN, SessionName: session}, looked, calls)
	var refused *pipeline.RefusedError
	if errors.As(err, &refused) {
		err = errors.Join(err, c.note(ctx, connection.ID, model.Audit{Refused: refused.Message, RefusedCode: refused.Code}))
	}
	return trust, err
}

// Record keeps the calls that verifying a connection took beside those of its
// audits, under the verification's own id.
func (c Connections) Record(ctx context.Context, connection model.Connection, calls []ledger.Entry) error {
	if len(calls) == 0 {
		return nil
	}
	id := model.AuditID(ulid.Make().String())
	verification := model.Audit{ID: id, Connection: connection.ID, StartedAt: time.Now().UTC()}
	p := &pipeline.Pipeline{Evidence: c.State.Evidence}
	_, err := p.WriteLedger(ctx, pipeline.Key("ledger", local.Organization, verification, "verify"), calls)
	return err
}

// How often Wait tries: each time is five calls at most, and roles take a while to
// be known everywhere.
const (
	firstWait   = 2 * time.Second
	longestWait = 30 * time.Second
)

// Wait verifies the connection again and again until nothing is wrong with its
// role or ctx ends; the error then says both. still hears why it goes on.
func (c Connections) Wait(ctx context.Context, connection model.Connection, session string, calls ledger.Ledger, still func(error)) (connect.Verification, error) {
	for pause := firstWait; ; pause = min(2*pause, longestWait) {
		v, err := c.Verify(ctx, connection, session, calls)
		var refused *pipeline.RefusedError
		if !errors.As(err, &refused) {
			return v, err
		}
		still(refused)
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("%w; %w", refused, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Open opens the connection's account. An access key that was not verified yet, or not for
// long, is verified first; whom else a role lets in is for VerifyTrust to find out. A role
// or a key that AWS does not let be used any more is noted as revoked, and the findings
// stay as they are.
func (c Connections) Open(ctx context.Context, connection model.Connection, session string, calls ledger.Ledger) (*client.Account, error) {
	verified, err := c.State.Records.Verified(ctx, connection.ID)
	if err != nil {
		return nil, err
	}
	if connection.AccessKey != nil && !verified.Fresh(wayIn(connection), time.Now(), connect.VerifyEvery) {
		if _, err := c.Verify(ctx, connection, session, calls); err != nil {
			return nil, err
		}
	}
	way, err := c.way(ctx, connection, session)
	if err != nil {
		return nil, err
	}
	if way.Target.Policy, err = pipeline.Connecting.Document(); err != nil {
		return nil, err
	}
	if connection.AccessKey != nil {
		account, err := c.Client.Open(ctx, way.Target, calls)
		if err != nil {
			return nil, c.keyRefused(ctx, connection, err)
		}
		return account, c.sameAccount(ctx, connection, account)
	}
	account, _, err := way.Open(ctx, c.Client, calls)
	var refused *client.AccessError
	// Credentials of this machine that expired say nothing of the role.
	if errors.As(err, &refused) && refused.Denied() {
		return nil, errors.Join(err, c.note(ctx, connection.ID, model.Audit{Refused: refused.Message, RefusedCode: model.CodeRoleDenied}))
	}
	if err != nil {
		return nil, err
	}
	return account, cmp.Or(c.retire(ctx, connection), c.sameAccount(ctx, connection, account))
}

// sameAccount refuses, and notes, what leads into another account than the connection's.
func (c Connections) sameAccount(ctx context.Context, connection model.Connection, opened *client.Account) error {
	err := connect.SameAccount(connection.AccountID, opened.Identity().Account)
	var refused *pipeline.RefusedError
	if errors.As(err, &refused) {
		return errors.Join(err, c.note(ctx, connection.ID, model.Audit{Refused: refused.Message, RefusedCode: refused.Code}))
	}
	return nil
}

// note keeps the state of a connection after what was found, and since when it is
// that. Who writes at the same time is not written over.
func (c Connections) note(ctx context.Context, id model.ConnectionID, found model.Audit) error {
	return c.State.Records.ChangeState(ctx, id, func(connection *model.Connection) bool {
		state, reason := drift.State(connection.State, found)
		if connection.State == state && connection.Reason == reason {
			return false
		}
		if connection.State != state {
			connection.Since = time.Now().UTC()
		}
		connection.State, connection.Reason = state, reason
		return true
	})
}
