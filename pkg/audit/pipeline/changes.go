package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// absorb writes what the evidence of one scope changes in its findings, and
// announces it. Several may try at once, for the same audit or another, and any
// of them may die at any line:
//
//   - The changes are worked out and laid down in the blob store first. Then one
//     conditional write of the scope's record commits them.
//   - What is committed is carried out: findings are written, each only over the
//     version that the change was worked out from, and alerts are published. Then
//     the record says so. Whoever finds a commit that is not carried out does
//     that before anything else.
//   - So findings never change between being read and being committed, a slow
//     writer never writes over a newer one, and an audit that is older than the
//     record's changes nothing.
func (p *Pipeline) absorb(ctx context.Context, orgID model.OrganizationID, audit model.Audit, scope, evidence string) (model.Changes, error) {
	org := p.Store.For(orgID)
	for {
		record, err := org.Scope(ctx, audit.Connection, scope)
		if err != nil {
			return model.Changes{}, err
		}
		switch {
		case record.Log != "":
			err = p.carryOut(ctx, orgID, audit, scope, record)
		case record.Audit == audit.ID && record.Retry >= audit.Retries:
			return record.Changes, nil
		case record.Audit > audit.ID:
			return model.Changes{}, nil // a newer audit was here: what this one saw is history
		default:
			err = p.commit(ctx, orgID, audit, scope, evidence, record)
		}
		if err != nil {
			return model.Changes{}, err
		}
	}
}

// putScope writes a scope's record. That somebody else was faster is no error:
// what they wrote is looked at next.
func putScope(ctx context.Context, org *store.Organization, connection model.ConnectionID, scope string, read, next store.Scope) error {
	err := org.PutScope(ctx, connection, scope, read, next)
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// commit works out the changes of a scope and writes them into its record.
func (p *Pipeline) commit(ctx context.Context, orgID model.OrganizationID, audit model.Audit, scope, evidence string, record store.Scope) error {
	org := p.Store.For(orgID)
	known, err := org.Findings(ctx, audit.Connection, scope)
	if err != nil {
		return err
	}
	life := diff.NewLifecycle(audit.ID, audit.Connection, audit.StartedAt, p.selected(audit), known)
	if err := ReadEvidence(ctx, p.Evidence, evidence, life.Observe); err != nil {
		return err
	}
	changes := life.Finish()
	first := record.Audit == "" || record.Audit == audit.ID && record.First // also when a first audit is retried
	next := store.Scope{Audit: audit.ID, Retry: audit.Retries, First: first, Changes: count(changes)}
	if len(changes) > 0 {
		if next.Log, err = p.layDown(ctx, orgID, audit, scope, changes); err != nil {
			return err
		}
	}
	return putScope(ctx, org, audit.Connection, scope, record, next)
}

// layDown stores changes under a name of their own: two who work out the same
// store the same, and nobody ever alters what a record may name.
func (p *Pipeline) layDown(ctx context.Context, orgID model.OrganizationID, audit model.Audit, scope string, changes []diff.Change) (string, error) {
	var content bytes.Buffer
	lines := p.lines(&content)
	for _, c := range changes {
		if err := lines.Write(c); err != nil {
			return "", fmt.Errorf("lay down the changes of %s: %w", scope, err)
		}
	}
	if err := lines.Close(); err != nil {
		return "", fmt.Errorf("lay down the changes of %s: %w", scope, err)
	}
	p.writers.Put(lines)
	sum := sha256.Sum256(content.Bytes())
	key := Key("changes", orgID, audit, scope+"."+hex.EncodeToString(sum[:8]))
	if err := p.Evidence.Put(ctx, key, &content); err != nil {
		return "", fmt.Errorf("store %s: %w", key, err)
	}
	return key, nil
}

// writesAtOnce bounds how many findings are being written at a time.
const writesAtOnce = 16

// carryOut writes and announces the changes that a scope's record has committed,
// which may be those of an audit before this one.
func (p *Pipeline) carryOut(ctx context.Context, orgID model.OrganizationID, audit model.Audit, scope string, record store.Scope) (err error) {
	org := p.Store.For(orgID)
	if record.Audit != audit.ID {
		if audit, err = org.Audit(ctx, audit.Connection, record.Audit); err != nil {
			return err
		}
	}
	var changes []diff.Change
	err = readBlob(ctx, p.Evidence, record.Log, func(c diff.Change) error {
		changes = append(changes, c)
		return nil
	})
	if err != nil {
		return err
	}
	group, writing := errgroup.WithContext(ctx)
	group.SetLimit(writesAtOnce)
	for _, c := range changes {
		group.Go(func() error { return writeChange(writing, org, scope, c) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	p.meter(metrics.FindingsWritten, len(changes))
	news := alert.Of{Organization: orgID, Audit: audit}.Changes(scope, record.First, changes)
	if err := p.publish(ctx, orgID, audit.ID, part(scope, record.Retry), news); err != nil {
		return err
	}
	done := record
	done.Log = ""
	return putScope(ctx, org, audit.Connection, scope, record, done)
}

// writeChange writes a finding unless it, or a later state of it, is written
// already.
func writeChange(ctx context.Context, org *store.Organization, scope string, c diff.Change) error {
	f := c.Finding
	f.Version = c.Version
	for {
		err := org.PutFinding(ctx, scope, f)
		if err == nil || !errors.Is(err, store.ErrConflict) {
			if err == nil && c.Replaces != "" {
				err = org.DeleteFinding(ctx, f.Connection, scope, c.Replaces)
			}
			return err
		}
		stored, err := org.FindingOf(ctx, f.Connection, scope, f.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			f.Version = 0
		case err != nil:
			return err
		case stored.ChangedBy() >= f.ChangedBy():
			if c.Replaces != "" {
				return org.DeleteFinding(ctx, f.Connection, scope, c.Replaces)
			}
			return nil
		default:
			f.Version = stored.Version
		}
	}
}

// count is what a change amounts to in an audit's summary.
func count(changes []diff.Change) model.Changes {
	var n model.Changes
	for _, c := range changes {
		switch c.What {
		case model.EventNew:
			n.New++
		case model.EventResolved:
			n.Resolved++
		case model.EventReopened:
			n.Reopened++
		case model.EventBlind, model.EventSeen, model.EventChanged:
		}
	}
	return n
}
