package pipeline

import (
	"context"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Index is what lists of findings are answered from. It is made of the findings in the
// table, by whoever finds it stale: what the pipeline writes to it only spares readers the
// work. That it is stale tell the marks (store.Mark), which are written if there is an
// Index.
type Index interface {
	// Write brings what is kept of a connection's findings up to date.
	Write(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error
	// Forget removes what is kept of a deleted connection, before its findings are purged.
	Forget(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error
}

// writingFor is how long findings may be written after it was said that they are, where
// nothing is held: longer than one batch takes.
const writingFor = time.Minute

// writing says that a batch of findings of the scope is about to be written, which takes no
// longer than the scope is held: what was said holds for at least so long from now on.
func (in *ingestion) writing(ctx context.Context) error {
	if in.p.Index == nil {
		return nil
	}
	lasts := max(in.p.LeaseFor, writingFor)
	now := in.p.Now()
	if in.marked.Sub(now) >= lasts {
		return nil
	}
	until := now.Add(2 * lasts)
	if err := in.org.BeginFindings(ctx, in.connection, in.scope, until); err != nil {
		return err
	}
	in.marked = until
	return nil
}

// wrote says that all findings of the scope are written, if any were.
func (in *ingestion) wrote(ctx context.Context) error {
	if in.marked.IsZero() {
		return nil
	}
	return in.org.EndFindings(ctx, in.connection, in.scope, in.p.Now())
}

// writeIndex brings the index of an ended audit's connection up to date. The tags of its
// resources may be others, which no finding tells.
func (p *Pipeline) writeIndex(ctx context.Context, orgID model.OrganizationID, audit model.Audit) error {
	if p.Index == nil {
		return nil
	}
	if err := p.Store.For(orgID).EndFindings(ctx, audit.Connection, "audit", p.Now()); err != nil {
		return err
	}
	return p.Index.Write(ctx, orgID, audit.Connection)
}
