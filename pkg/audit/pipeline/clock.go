package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Ticked is what the clock brought about.
type Ticked struct {
	Started int // audits that were due
	Delayed int // that are due and wait for another audit of their connection to end
	Skipped int // of connections that are gone, or have no schedule any more
	Expired int // audits whose time was over
	Purged  int // deleted connections that are being purged
	Rolled  int // organizations whose trends are being brought up to date
}

// startsAtOnce bounds how many audits are being started at a time.
const startsAtOnce = 16

// Tick starts the audits that are due and ends those that took too long, and has
// deleted connections purged, of all organizations. Whatever was missed is caught up
// once. Ticking twice, or dying in the middle, starts nothing twice: which audit a
// connection got for the moment it was due is remembered. One connection's trouble
// does not hold up the others; the error tells of all of it.
func (p *Pipeline) Tick(ctx context.Context) (Ticked, error) {
	now := p.Now().UTC()
	var ticked Ticked
	var mu sync.Mutex
	var problems []error
	problem := func(err error) { // what was started before goes on meanwhile
		mu.Lock()
		defer mu.Unlock()
		problems = append(problems, err)
	}
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
			problem(err)
			break
		}
		group.Go(func() error {
			what, err := p.startDue(ctx, due, now)
			if p.unbegun(due, what, err, now) {
				p.meter(metrics.AuditsOverdue, 1)
			}
			switch what {
			case begun:
				note(&ticked.Started, err)
			case delayed:
				note(&ticked.Delayed, err)
			case skipped:
				note(&ticked.Skipped, err)
			}
			return nil
		})
	}
	for due, err := range p.Store.Overdue(ctx, now) {
		if err != nil {
			problem(err)
			break
		}
		group.Go(func() error {
			note(&ticked.Expired, p.Expire(ctx, due.Organization, due.Connection, due.Audit))
			return nil
		})
	}
	for due, err := range p.Store.Chores(ctx, now) {
		if err != nil {
			problem(err)
			break
		}
		group.Go(func() error {
			if due.Connection == "" {
				if ours, err := p.sendRollUp(ctx, due.Organization, now); ours {
					note(&ticked.Rolled, err)
				} else if err != nil {
					problem(err)
				}
				return nil
			}
			note(&ticked.Purged, p.sendPurge(ctx, due.Organization, due.Connection))
			return nil
		})
	}
	_ = group.Wait() // problems are noted
	return ticked, errors.Join(problems...)
}

// What became of an audit that was due.
type outcome int

const (
	skipped outcome = iota
	begun
	delayed
)

// closedAgain is when a connection is due again whose organization is suspended.
const closedAgain = 15 * time.Minute

// startDue starts the audit of a connection that is due, and then says when the
// next one is. While another audit of the connection runs it is only delayed: it
// stays due. A verification holds up nothing.
func (p *Pipeline) startDue(ctx context.Context, due store.Due, now time.Time) (outcome, error) {
	org := p.Store.For(due.Organization)
	if due.Audit != "" { // it waited at the last tick
		if runs, err := org.Bounded(ctx, due.Audit); err != nil || runs {
			return delayed, err
		}
	}
	if closed, err := org.Closed(ctx); err != nil || closed {
		if err == nil {
			err = org.PutNextAudit(ctx, due.Connection, now.Add(closedAgain))
		}
		return skipped, err
	}
	connection, err := org.Connection(ctx, due.Connection)
	if errors.Is(err, store.ErrNotFound) {
		return skipped, org.PutNextAudit(ctx, due.Connection, time.Time{})
	}
	if err != nil {
		return skipped, err
	}
	if connection.Schedule.Expression == "" { // taken away while it waited
		return skipped, org.PutNextAudit(ctx, due.Connection, time.Time{})
	}
	key := string(connection.ID) + " " + due.At.UTC().Format(time.RFC3339)
	latest, err := org.LatestInShort(ctx, connection.ID, func(a model.Audit) bool { return !a.Verification })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return skipped, err
	}
	if running := err == nil && !latest.State.Ended(); running {
		if ours, err := org.Made(ctx, onceScheduled, key); err != nil {
			return skipped, err
		} else if ours != string(latest.ID) {
			if due.Audit == latest.ID {
				return delayed, nil
			}
			return delayed, org.PutWaiting(ctx, due, latest.ID)
		}
	}
	// Audits are in the order of their ids, which is that of their starts: an audit that
	// is late must not be taken for older than one that somebody made meanwhile.
	fresh := ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
	id, err := org.Idempotent(ctx, onceScheduled, key, "", fresh, now)
	if err != nil {
		return skipped, err
	}
	what := begun
	if string(latest.ID) == id && latest.State.Ended() { // it was served, and the clock does not know yet
		what = skipped
	}
	// Somebody may begin one at this moment: then the next tick sees it.
	if claimed, err := org.Claim(ctx, connection.ID, model.AuditID(id), now); err != nil || string(claimed) != id {
		return delayed, err
	}
	if err := p.beginFor(ctx, model.Change{}, due.Organization, connection, model.AuditID(id), false); err != nil {
		return skipped, err
	}
	next, err := schedule.Parse(connection.Schedule, connection.CreatedAt)
	if err != nil { // it was valid when it was set
		return what, fmt.Errorf("schedule of connection %s: %w", connection.ID, err)
	}
	return what, org.PutNextAudit(ctx, connection.ID, next.After(connection.ID, due.At, now))
}

// unbegun reports whether an audit that is due should have begun long ago: it could not
// be begun, or waits for one that should have ended by then. What that is due waits for
// was begun after, or shortly before, its moment, and ends by the bound; so who waits for
// longer waits in vain, however long nobody ticked before.
func (p *Pipeline) unbegun(due store.Due, what outcome, err error, now time.Time) bool {
	if p.Bound == 0 || err == nil && what != delayed {
		return false
	}
	since := due.At
	if due.Audit != "" {
		if id, err := ulid.Parse(string(due.Audit)); err == nil && id.Timestamp().After(since) {
			since = id.Timestamp()
		}
	} else if err == nil {
		return false // it has only begun to wait
	}
	return now.Sub(since) > p.Bound+2*expireAgain
}

// onceScheduled is what is remembered of the audits that were due: their ids, by their
// connections and moments.
const onceScheduled = "scheduled audit"

// BeginFor begins an audit, that somebody asked for, of what a connection says that
// it wants audited.
func (p *Pipeline) BeginFor(ctx context.Context, by model.Change, org model.OrganizationID, connection model.Connection, id model.AuditID) error {
	return p.beginFor(ctx, by, org, connection, id, true)
}

func (p *Pipeline) beginFor(ctx context.Context, by model.Change, org model.OrganizationID, connection model.Connection, id model.AuditID, urgent bool) error {
	checks, err := p.Catalog.Select(connection.Checks)
	if err != nil {
		return fmt.Errorf("audit connection %s: %w", connection.ID, err)
	}
	options, err := p.optionsFor(ctx, org, connection)
	if err != nil {
		return err
	}
	_, err = p.Begin(ctx, Request{
		Organization: org, Audit: id, Connection: connection, Regions: connection.Regions,
		Checks: checks, Services: connection.Services, TrustedAccounts: connection.TrustedAccounts, Options: options, CallBudget: connection.CallBudget, Urgent: urgent, By: by,
	})
	return err
}

// optionsFor are the options that are set for a connection: by itself, by its project, and by
// the organization, the nearest first.
func (p *Pipeline) optionsFor(ctx context.Context, id model.OrganizationID, connection model.Connection) (model.CheckOptions, error) {
	options, org := connection.Options, p.Store.For(id)
	if connection.Project != "" {
		project, err := org.Project(ctx, connection.Project)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // a project needs no record
			return nil, err
		}
		options = options.Or(project.Options)
	}
	settings, err := org.Settings(ctx)
	return options.Or(settings.Options), err
}
