package connect

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Signing signs the statements of audits by a key that is made once for each
// organization. Its private half is sealed under a data key of its own, so that the
// right to open that one can be given without the right to open anything else.
type Signing struct {
	Store *store.Store
	Keys  secret.Wrapper
	Now   func() time.Time
}

var _ pipeline.Signer = Signing{}

// signing is what the data key belongs to.
const signing = "signing"

// Sign implements pipeline.Signer.
func (s Signing) Sign(ctx context.Context, org model.OrganizationID, what statement.Statement) (model.Envelope, error) {
	stored, err := s.key(ctx, org)
	if err != nil {
		return model.Envelope{}, err
	}
	by, err := datakey.Open(ctx, s.Store.DataKeysOf(org), s.Keys, signingOwner(org))
	if err != nil {
		return model.Envelope{}, err
	}
	text, err := by.Open(signingBinding(org), stored.Private)
	if err != nil {
		return model.Envelope{}, fmt.Errorf("the signing key of organization %s: %w", org, err)
	}
	seed, err := base64.StdEncoding.DecodeString(text.Reveal())
	if err != nil || len(seed) != ed25519.SeedSize {
		return model.Envelope{}, fmt.Errorf("the signing key of organization %s: %w", org, secret.ErrSealed)
	}
	defer clear(seed)
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	if public, _ := private.Public().(ed25519.PublicKey); !public.Equal(ed25519.PublicKey(stored.Public)) {
		return model.Envelope{}, fmt.Errorf("the signing key of organization %s: its public half was changed", org)
	}
	return statement.Sign(what, private)
}

// Public is the organization's public key. It is made, with its private half, the first
// time that somebody asks.
func (s Signing) Public(ctx context.Context, org model.OrganizationID) (ed25519.PublicKey, error) {
	stored, err := s.key(ctx, org)
	return stored.Public, err
}

func (s Signing) key(ctx context.Context, org model.OrganizationID) (store.SigningKey, error) {
	records := s.Store.For(org)
	stored, err := records.SigningKey(ctx)
	if !errors.Is(err, store.ErrNotFound) {
		return stored, err
	}
	by, err := datakey.Get(ctx, records.DataKeyRecords, s.Keys, signingOwner(org))
	if err != nil {
		return stored, err
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return stored, fmt.Errorf("make a signing key: %w", err)
	}
	defer clear(private)
	sealed, err := by.Seal(signingBinding(org), secret.New(base64.StdEncoding.EncodeToString(private.Seed())))
	if err != nil {
		return stored, fmt.Errorf("the signing key of organization %s: %w", org, err)
	}
	err = records.PutSigningKey(ctx, store.SigningKey{Public: public, Private: sealed, MadeAt: s.Now().UTC()})
	if err != nil && !errors.Is(err, store.ErrConflict) { // somebody else's is the one that is kept
		return stored, err
	}
	return records.SigningKey(ctx)
}

func signingOwner(org model.OrganizationID) secret.Owner {
	return secret.Owner{Organization: string(org), Record: signing}
}

func signingBinding(org model.OrganizationID) secret.Binding {
	return secret.Binding{Organization: string(org), Record: signing, Field: "private-key"}
}
