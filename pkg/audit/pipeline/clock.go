package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Ticked is what the clock brought about.
type Ticked struct {
	Started int // audits that were due
	Skipped int // that were due while the one before still ran, or of connections that are gone
	Expired int // audits whose time was over
	Purged  int // deleted connections that are being purged
}

// startsAtOnce bounds how many audits are being started at a time.
const startsAtOnce = 16

// Tick starts the audits that are due and ends those that took too long, and has
// deleted connections purged, of all organizations. Whatever was missed is caught
// up once. Ticking twice, or dying in the middle, starts nothing twice: a scheduled
// audit's id follows from the connection and the moment it was due. One
// connection's trouble does not hold up the others; the error tells of all of it.
func (p *Pipeline) Tick(ctx context.Context) (Ticked, error) {
	now := p.Now().UTC()
	var ticked Ticked
	var mu sync.Mutex
	var problems []error
	note := func(count *int, err error) {
		mu.Lock()
		defer mu.Unlock()
		*count++
		if err != nil {
			problems = append(problems, err)
		}
	}
	var group errgroup.Group
	group.SetLimit(startsAtOnce)
	for due, err := range p.Store.AuditsDue(ctx, now) {
		if err != nil {
			problems = append(problems, err)
			break
		}
		group.Go(func() error {
			started, err := p.startDue(ctx, due, now)
			if started {
				note(&ticked.Started, err)
			} else {
				note(&ticked.Skipped, err)
			}
			return nil
		})
	}
	for due, err := range p.Store.Overdue(ctx, now) {
		if err != nil {
			problems = append(problems, err)
			break
		}
		group.Go(func() error {
			note(&ticked.Expired, p.Expire(ctx, due.Organization, due.Connection, due.Audit))
			return nil
		})
	}
	for due, err := range p.Store.Purges(ctx, now) {
		if err != nil {
			problems = append(problems, err)
			break
		}
		group.Go(func() error {
			note(&ticked.Purged, p.sendPurge(ctx, due.Organization, due.Connection))
			return nil
		})
	}
	_ = group.Wait() // problems are noted
	return ticked, errors.Join(problems...)
}

// startDue starts the audit of a connection that is due, and then says when the
// next one is.
func (p *Pipeline) startDue(ctx context.Context, due store.Due, now time.Time) (started bool, err error) {
	org := p.Store.For(due.Organization)
	connection, err := org.Connection(ctx, due.Connection)
	if errors.Is(err, store.ErrNotFound) {
		return false, org.PutNextAudit(ctx, due.Connection, time.Time{})
	}
	if err != nil {
		return false, err
	}
	id := scheduledAudit(due)
	latest, err := org.LatestAudit(ctx, connection.ID, func(model.Audit) bool { return true })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if err != nil || latest.State.Ended() || latest.ID == id {
		started = latest.ID != id || !latest.State.Ended()
		claimed, err := org.Claim(ctx, connection.ID, id, now)
		if err != nil || claimed != id {
			return false, err // somebody begins one at this moment: the next tick sees it
		}
		if err := p.BeginFor(ctx, due.Organization, connection, id); err != nil {
			return false, err
		}
	}
	next, err := schedule.Parse(connection.Schedule, connection.CreatedAt)
	if err != nil { // it was valid when it was set
		return started, fmt.Errorf("schedule of connection %s: %w", connection.ID, err)
	}
	return started, org.PutNextAudit(ctx, connection.ID, next.Next(connection.ID, now))
}

// BeginFor begins an audit of what a connection says that it wants audited.
func (p *Pipeline) BeginFor(ctx context.Context, org model.OrganizationID, connection model.Connection, id model.AuditID) error {
	checks, err := p.Catalog.Select(connection.Checks)
	if err != nil {
		return fmt.Errorf("audit connection %s: %w", connection.ID, err)
	}
	_, err = p.Begin(ctx, Request{
		Organization: org, Audit: id, Connection: connection, Regions: connection.Regions,
		Checks: checks, Services: connection.Services,
	})
	return err
}

// scheduledAudit is the id of the audit that a connection is due for: the same
// whoever starts it, and in the order of time like every audit's.
func scheduledAudit(due store.Due) model.AuditID {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(due.Organization), string(due.Connection), due.At.UTC().Format(time.RFC3339)}, "\x00")))
	return model.AuditID(ulid.MustNew(ulid.Timestamp(due.At), bytes.NewReader(sum[:])).String())
}
