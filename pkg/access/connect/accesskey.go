package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// AccessKeys keeps the access keys of connections, each sealed under a data key of its
// own: to seal one takes no right to open any.
type AccessKeys struct {
	Store *store.Store
	Keys  secret.Wrapper
	Now   func() time.Time
}

// Set seals an access key that was made at a moment, and writes the connection with
// it, in place of the key or the role that it had. store.ErrConflict says that
// somebody else wrote the connection since it was read: nothing is changed.
func (k AccessKeys) Set(ctx context.Context, by model.Change, org model.OrganizationID, c *model.Connection, key secret.AccessKey, made time.Time) error {
	sealed, err := k.keep(ctx, org, c.ID, key)
	if err != nil {
		return err
	}
	records, before := k.Store.For(org), c.AccessKey
	changed := *c
	changed.RoleARN, changed.AccessKey = "", &model.AccessKey{ID: sealed.ID, Suffix: key.Suffix(), Since: made}
	err = records.ChangeConnection(ctx, by, &changed)
	if errors.Is(err, store.ErrConflict) {
		// A write whose answer was lost is repeated, and meets itself.
		now, e := records.Connection(ctx, c.ID)
		if e != nil && !errors.Is(e, store.ErrNotFound) {
			return errors.Join(err, e)
		}
		if now.AccessKey == nil || now.AccessKey.ID != sealed.ID { // or it was deleted
			return errors.Join(err, records.DeleteAccessKey(ctx, c.ID, sealed.ID))
		}
		changed, err = now, nil
	}
	if err != nil { // whether it was written, nobody knows: Prune will
		return err
	}
	*c = changed
	return k.Prune(ctx, org, changed, before)
}

// abandoned is the age of a sealed key that no connection names, from which on it is
// taken for that of somebody who died before he could write the connection.
const abandoned = time.Hour

// Prune destroys the sealed keys of a connection that it does not name: the one that
// it named before it was written, if it did, and those left behind.
func (k AccessKeys) Prune(ctx context.Context, org model.OrganizationID, c model.Connection, before *model.AccessKey) error {
	records := k.Store.For(org)
	ids, err := records.AccessKeyIDs(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		given, err := ulid.Parse(id)
		if err != nil {
			return fmt.Errorf("access key %q of connection %s: %w", id, c.ID, err)
		}
		named := c.AccessKey != nil && c.AccessKey.ID == id
		replaced := before != nil && before.ID == id
		if !named && (replaced || k.Now().Sub(given.Timestamp()) > abandoned) {
			if err := records.DeleteAccessKey(ctx, c.ID, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep seals an access key, and writes it. Its record comes before its data key's:
// whoever finds the one destroys both.
func (k AccessKeys) keep(ctx context.Context, org model.OrganizationID, connection model.ConnectionID, key secret.AccessKey) (store.SealedAccessKey, error) {
	sealed := store.SealedAccessKey{ID: ulid.MustNew(ulid.Timestamp(k.Now()), ulid.DefaultEntropy()).String(), OwnDataKey: true}
	owner := keyOwner(org, connection, sealed)
	release, err := secret.Hold(ctx, k.Keys)
	if err != nil {
		return sealed, err
	}
	defer release()
	by, err := k.Keys.Generate(ctx, owner)
	if err != nil {
		return sealed, datakey.Wrong(owner, err)
	}
	id, word := keyBindings(org, connection)
	if sealed.AccessKeyID, err = by.Seal(id, key.ID); err == nil {
		sealed.SecretAccessKey, err = by.Seal(word, key.Secret)
	}
	if err != nil {
		return sealed, fmt.Errorf("the access key of connection %s: %w", connection, err)
	}
	records := k.Store.For(org)
	if err := records.PutAccessKey(ctx, connection, sealed); err != nil {
		return sealed, err
	}
	return sealed, records.PutDataKey(ctx, owner.Record, by.Wrapped)
}

// keyOwner is whose data key sealed an access key.
func keyOwner(org model.OrganizationID, connection model.ConnectionID, sealed store.SealedAccessKey) secret.Owner {
	owner := ownerOf(org, connection)
	if sealed.OwnDataKey {
		owner.Record = store.DataKeyOf(connection, sealed.ID)
	}
	return owner
}

// Open opens the access key that a connection names.
func (k AccessKeys) Open(ctx context.Context, org model.OrganizationID, c model.Connection) (secret.AccessKey, error) {
	sealed, err := k.Store.For(org).AccessKey(ctx, c.ID, c.AccessKey.ID)
	if err != nil {
		return secret.AccessKey{}, err
	}
	by, err := datakey.Open(ctx, k.Store.DataKeysOf(org), k.Keys, keyOwner(org, c.ID, sealed))
	if err != nil {
		return secret.AccessKey{}, err
	}
	var key secret.AccessKey
	id, word := keyBindings(org, c.ID)
	if key.ID, err = by.Open(id, sealed.AccessKeyID); err == nil {
		key.Secret, err = by.Open(word, sealed.SecretAccessKey)
	}
	if err != nil {
		return secret.AccessKey{}, fmt.Errorf("the access key of connection %s: %w", c.ID, err)
	}
	return key, nil
}

// keyBindings are the places of the two parts of a connection's access key.
func keyBindings(org model.OrganizationID, connection model.ConnectionID) (id, word secret.Binding) {
	id = secret.Binding{Organization: string(org), Record: string(connection), Field: "access-key-id"}
	word = secret.Binding{Organization: string(org), Record: string(connection), Field: "secret-access-key"}
	return id, word
}

// theAccessKey is what a connection's access key is called where a role would be named.
const theAccessKey = "the access key"

// errDisabled says that nobody allowed access keys.
func errDisabled() error {
	return &pipeline.RefusedError{
		Code:    model.CodeAccessKeysDisabled,
		Message: model.CodeAccessKeysDisabled + ": the connection has an access key, and access keys are not allowed; an administrator can allow them, or give the connection a role",
	}
}

// KeyRefusal is an error of opening an account by an access key, as a
// *pipeline.RefusedError if AWS does not accept the key. Any other says nothing of it.
func KeyRefusal(err error) error {
	var refused *client.AccessError
	if errors.As(err, &refused) && refused.Unknown() {
		return &pipeline.RefusedError{Code: model.CodeKeyRefused, Message: model.CodeKeyRefused + ": " + refused.Message, Cause: refused}
	}
	return err
}

// openByKey opens the account of a connection that has an access key. What comes of
// it can do whatever the key can, and only the guard keeps it to the operations of
// CloudArq: a session that a policy narrows further (GetFederationToken) could not
// call IAM at all.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func (a Accounts) openByKey(ctx context.Context, org model.OrganizationID, audit model.Audit, c model.Connection, calls ledger.Ledger) (pipeline.Account, error) {
	settings, err := a.ExternalIDs.Store.For(org).Settings(ctx)
	if err != nil {
		return nil, err
	}
	if !settings.AccessKeysAllowed {
		return nil, errDisabled()
	}
	key, err := AccessKeys{Store: a.ExternalIDs.Store, Keys: a.ExternalIDs.Keys}.Open(ctx, org, c)
	if err != nil {
		return nil, err
	}
	opened, err := a.Client.Open(ctx, client.Target{AccessKey: key}, calls)
	if err != nil {
		return nil, KeyRefusal(err)
	}
	// The key may have been replaced by one of another account while the audit runs.
	if is := opened.Identity().Account; audit.AccountID != "" && is != audit.AccountID {
		return nil, refusal(otherAccount(audit.AccountID, is))
	}
	return account{opened, theAccessKey}, nil
}
