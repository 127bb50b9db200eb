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
	return all[0], nil
}

// All are the organization's External IDs, the newest first: at least one, two
// while one replaces the other.
func (e ExternalIDs) All(ctx context.Context, org model.OrganizationID) ([]secret.String, error) {
	all, err := e.open(ctx, org)
	if err != nil || len(all) > 0 {
		return all, err
	}
	if err := e.make(ctx, org); err != nil {
		return nil, err
	}
	return e.open(ctx, org)
}

// Rotate makes a new External ID for the organization. The one before stays good
// until Retire, while the roles are changed.
func (e ExternalIDs) Rotate(ctx context.Context, org model.OrganizationID) (secret.String, error) {
	if _, err := e.All(ctx, org); err != nil {
		return secret.String{}, err
	}
	key, err := e.key(ctx, org)
	if err != nil {
		return secret.String{}, err
	}
	id, sealed, err := seal(key, org)
	if err != nil {
		return secret.String{}, err
	}
	return id, e.Store.For(org).RotateExternalID(ctx, sealed)
}

// Retire forgets all External IDs of the organization but the newest.
func (e ExternalIDs) Retire(ctx context.Context, org model.OrganizationID) error {
	return e.Store.For(org).RetireExternalIDs(ctx)
}

func (e ExternalIDs) open(ctx context.Context, org model.OrganizationID) ([]secret.String, error) {
	sealed, err := e.Store.For(org).ExternalIDs(ctx)
	if err != nil || len(sealed) == 0 {
		return nil, err
	}
	key, err := e.key(ctx, org)
	if err != nil {
		return nil, err
	}
	var all []secret.String
	for _, s := range sealed {
		id, err := key.Open(binding(org), s)
		if err != nil {
			return nil, fmt.Errorf("the External ID of organization %s: %w", org, err)
		}
		all = append(all, id)
	}
	return all, nil
}

func (e ExternalIDs) make(ctx context.Context, org model.OrganizationID) error {
	key, err := e.key(ctx, org)
	if err != nil {
		return err
	}
	_, sealed, err := seal(key, org)
	if err != nil {
		return err
	}
	if err := e.Store.For(org).PutFirstExternalID(ctx, sealed); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

// NewExternalID makes an External ID that nobody can guess.
func NewExternalID() secret.String {
	random := make([]byte, externalIDBytes)
	_, _ = rand.Read(random) // never fails
	return secret.New("cloudarq-" + base64.RawURLEncoding.EncodeToString(random))
}

func seal(key secret.DataKey, org model.OrganizationID) (id secret.String, sealed []byte, err error) {
	id = NewExternalID()
	if sealed, err = key.Seal(binding(org), id); err != nil {
		return id, nil, fmt.Errorf("the External ID of organization %s: %w", org, err)
	}
	return id, sealed, nil
}

// key is the organization's data key; it is made the first time.
func (e ExternalIDs) key(ctx context.Context, org model.OrganizationID) (secret.DataKey, error) {
	return dataKey(ctx, e.Store.For(org), e.Keys, secret.Owner{Organization: string(org), Record: record})
}

func binding(org model.OrganizationID) secret.Binding {
	return secret.Binding{Organization: string(org), Record: record, Field: "external-id"}
}
