package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Index is what lists of findings are answered from. It is made of the findings in the
// table, by whoever finds it stale: what the pipeline writes to it only spares readers the
// work. That it is stale tell the marks (store.Mark), which are written if there is an
// Index.
type Index interface {
	// Prepare makes what is kept of a connection's findings, of which by has written all and has
	// not said so yet.
	Prepare(ctx context.Context, org model.OrganizationID, connection model.ConnectionID, by string) (store.Prepared, error)
	// Renew makes it anew, whatever it is.
	Renew(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error
	// Forget removes a deleted connection from what is kept of several together, before its
	// findings and what is kept of it alone are purged.
	Forget(ctx context.Context, org model.OrganizationID, connection model.ConnectionID) error
}

// KindIndex is the kind of a message that has the index of a connection made anew. Its
// Audit and Task are "index".
const KindIndex = "index"

// Reindex has the index of a page of an organization's connections made anew, by who takes
// results: that function alone reads evidence, and many of it work at once. It says of how
// many, and what continues it; empty at the end.
func (p *Pipeline) Reindex(ctx context.Context, org model.OrganizationID, cursor string, limit int) (connections int, next string, err error) {
	page, next, err := p.Store.For(org).ConnectionsPage(ctx, cursor, limit)
	if err != nil {
		return 0, "", err
	}
	ids := make([]model.ConnectionID, len(page))
	for i, c := range page {
		ids[i] = c.ID
	}
	return len(page), next, p.sendIndex(ctx, org, ids...)
}

// sendIndex has the index of connections made by who takes messages of KindIndex.
func (p *Pipeline) sendIndex(ctx context.Context, org model.OrganizationID, connections ...model.ConnectionID) error {
	bodies := make([][]byte, len(connections))
	for i, id := range connections {
		m := Message{Kind: KindIndex, Version: messageVersion, Organization: org, Connection: id, Audit: KindIndex, Task: KindIndex}
		bodies[i] = m.body()
	}
	if err := p.Results.Send(ctx, bodies...); err != nil {
		return fmt.Errorf("have the index of organization %s made: %w", org, err)
	}
	return nil
}

// reindex takes a message of KindIndex.
func (p *Pipeline) reindex(ctx context.Context, message queue.Message) error {
	m, err := ParseMessage(KindIndex, message.Body)
	if err != nil || p.Index == nil {
		return err
	}
	return p.Index.Renew(ctx, m.Organization, m.Connection)
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
	if err := in.org.BeginFindings(ctx, in.connection, in.scope, now, until); err != nil {
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
// resources may be others, which no finding tells. An audit ends also where the index cannot
// be written: whoever reads finds it stale, and makes it. What takes longer than there is
// time has a message of its own, since who reads may have less.
func (p *Pipeline) writeIndex(ctx context.Context, orgID model.OrganizationID, audit model.Audit) error {
	if p.Index == nil {
		return nil
	}
	const by = "audit"
	within, cancel := ctx, func() {}
	if end, bounded := ctx.Deadline(); bounded {
		within, cancel = context.WithDeadline(ctx, end.Add(-p.Spare))
	}
	defer cancel()
	prepared, err := p.Index.Prepare(within, orgID, audit.Connection, by)
	if end := p.Store.For(orgID).EndPrepared(ctx, audit.Connection, by, prepared, p.Now()); end != nil {
		return end
	}
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return p.sendIndex(ctx, orgID, audit.Connection)
	}
	if err != nil {
		slog.WarnContext(ctx, "the index of findings was not written, and is made by who reads it", slog.String("org", string(orgID)),
			slog.String("connection", string(audit.Connection)), slog.String("audit", string(audit.ID)), slog.Any("error", err))
	}
	return nil
}
