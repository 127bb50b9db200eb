package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

var attestations = kind[model.Attestation]{
	part: "ATTESTATION", name: "attestation",
	id:      func(a *model.Attestation) string { return attestationID(a.Framework, a.ID) },
	version: func(a *model.Attestation) *int64 { return &a.Version },
	check:   func(a *model.Attestation) error { return a.Check() },
}

// attestationID puts the attestations of a framework side by side.
func attestationID(framework string, id model.AttestationID) string {
	return table.Path(framework, string(id))
}

// Attestation reads an attestation of a framework, or is ErrNotFound.
func (o *Organization) Attestation(ctx context.Context, framework string, id model.AttestationID) (model.Attestation, error) {
	return attestations.get(ctx, o, attestationID(framework, id))
}

// ChangeAttestation writes an attestation if it is unchanged since it was read; ErrConflict
// otherwise. A new one has version 0. None is removed: that it was, and who withdrew it, is
// part of how a requirement came to stand.
func (o *Organization) ChangeAttestation(ctx context.Context, by model.Change, a *model.Attestation) error {
	return attestations.put(ctx, o, by, a)
}

// Attestations yields those of a framework by age, or without one all, those of a framework
// after another.
func (o *Organization) Attestations(ctx context.Context, framework string) iter.Seq2[model.Attestation, error] {
	return attestations.allOf(ctx, o, o.attestationsOf(framework))
}

// AttestationsPage lists some of what Attestations yields.
func (o *Organization) AttestationsPage(ctx context.Context, framework, cursor string, limit int) (page []model.Attestation, next string, err error) {
	q := o.attestationsOf(framework)
	q.Cursor, q.Limit = cursor, limit
	return attestations.pageOf(ctx, o, q)
}

func (o *Organization) attestationsOf(framework string) table.Query {
	q := table.Query{PK: o.key(attestations.part)}
	if framework != "" {
		q.Prefix = attestationID(framework, "")
	}
	return q
}

// AddAttestation writes a new one; ErrFull if the organization has most of them.
func (o *Organization) AddAttestation(ctx context.Context, by model.Change, a *model.Attestation, most int) error {
	n := 0
	for _, err := range o.Attestations(ctx, "") {
		if err != nil {
			return err
		}
		if n++; n >= most {
			return fmt.Errorf("attestation of %s: %w", a.Framework, ErrFull)
		}
	}
	return o.ChangeAttestation(ctx, by, a)
}
