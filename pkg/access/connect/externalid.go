// Package connect opens the accounts of registered connections: through their
// role, with the External ID of their organization, or by an access key. It seals
// both, and wraps the keys that sealed them anew.
package connect

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ExternalIDs keeps the External ID of each organization, sealed under a data
// key of its own. Roles that ask for it cannot be used by way of another
// organization, even if their ARN is known (the "confused deputy").
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
type ExternalIDs struct {
	Store *store.Store
	Keys  secret.Wrapper
	Now   func() time.Time
}

// externalIDBytes of randomness are in an External ID.
const externalIDBytes = 24

// record is what the data key belongs to: the organization itself, and not one of
// its connections.
const record = "organization"

// ExternalID is the organization's newest External ID. It is made the first time
// that somebody asks.
func (e ExternalIDs) ExternalID(ctx context.Context, org model.OrganizationID) (secret.String, error) {
	all, err := e.All(ctx, org)
	if err != nil {
		return secret.String{}, err
	}
	return all[0].ID, nil
}

// All are the organization's External IDs, the newest first: at least one, two
// while one replaces the other.
func (e ExternalIDs) All(ctx context.Context, org model.OrganizationID) ([]ExternalID, error) {
	sealed, err := e.sealed(ctx, org)
	if err != nil {
		return nil, err
	}
	return e.open(ctx, org, sealed)
}

// sealed are all External IDs as they are stored. The first is made if there is none.
func (e ExternalIDs) sealed(ctx context.Context, org model.OrganizationID) (store.ExternalIDs, error) {
	records := e.Store.For(org)
	all, err := records.ExternalIDs(ctx)
	if err != nil || len(all.Sealed) > 0 {
		return all, err
	}
	if err := e.rotate(ctx, model.Change{}, org, &all, ""); err != nil && !errors.Is(err, store.ErrConflict) {
		return all, err
	}
	return records.ExternalIDs(ctx)
}

// rotate makes a new External ID and puts it before the others.
func (e ExternalIDs) rotate(ctx context.Context, by model.Change, org model.OrganizationID, all *store.ExternalIDs, request string) error {
	key, err := e.key(ctx, org)
	if err != nil {
		return err
	}
	sealed, err := key.Seal(binding(org), NewExternalID())
	if err != nil {
		return fmt.Errorf("the External ID of organization %s: %w", org, err)
	}
	if err := all.Rotate(sealed, e.Now().UTC().Truncate(time.Second), request); err != nil {
		return err
	}
	return e.Store.For(org).PutExternalIDs(ctx, by, all)
}

func (e ExternalIDs) open(ctx context.Context, org model.OrganizationID, sealed store.ExternalIDs) ([]ExternalID, error) {
	key, err := e.key(ctx, org)
	if err != nil {
		return nil, err
	}
	var all []ExternalID
	for generation, s := range sealed.All {
		id, err := key.Open(binding(org), s)
		if err != nil {
			return nil, fmt.Errorf("the External ID of organization %s: %w", org, err)
		}
		all = append(all, ExternalID{generation, id})
	}
	return all, nil
}

// NewExternalID makes an External ID that nobody can guess.
func NewExternalID() secret.String {
	random := make([]byte, externalIDBytes)
	_, _ = rand.Read(random) // never fails
	return secret.New("cloudarq-" + base64.RawURLEncoding.EncodeToString(random))
}

// key is the organization's data key; it is made the first time.
func (e ExternalIDs) key(ctx context.Context, org model.OrganizationID) (secret.DataKey, error) {
	return datakey.Get(ctx, e.Store.DataKeysOf(org), e.Keys, secret.Owner{Organization: string(org), Record: record})
}

func binding(org model.OrganizationID) secret.Binding {
	return secret.Binding{Organization: string(org), Record: record, Field: "external-id"}
}
