package rig

import (
	"context"
	"crypto/ed25519"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// signingKey is what the data key belongs to that seals signing keys.
const signingKey = "signing"

// signer reads and opens what signing an audit takes, and signs by a key that is nobody's.
type signer struct{ estate *Estate }

// Sign implements pipeline.Signer.
func (s signer) Sign(ctx context.Context, org model.OrganizationID, what statement.Statement) (model.Envelope, error) {
	records := s.estate.store.For(org)
	if _, err := records.SigningKey(ctx); err != nil {
		return model.Envelope{}, err
	}
	if _, err := records.DataKey(ctx, signingKey); err != nil {
		return model.Envelope{}, err
	}
	s.estate.bill.Add(meter.Keys, 1)
	s.estate.bill.Add(meter.OwnCalls.Of(Checker), 1)
	return statement.Sign(what, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
}
