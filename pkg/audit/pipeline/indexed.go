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

// writing says that findings of the scope are about to be written. It holds for as long as
// the scope does, and is said again when half of that is over.
func (in *ingestion) writing(ctx context.Context) error {
	if in.p.Index == nil {
		return nil
	}
	lasts := max(in.p.LeaseFor, writingFor)
	now := in.p.Now()
	if in.marked.Sub(now) > lasts/2 {
		return nil
	}
	// A batch that begins now ends within a lease; the next says so again.
	in.marked = now.Add(lasts + lasts/2)
	return in.org.BeginFindings(ctx, in.connection, in.scope, in.marked)
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
